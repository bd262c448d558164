"""What the tests of pages share: the browser, the built site, and a small book."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import fontsets
import pytest
from books import ROOT, make_small_book
from filelock import FileLock
from visits import FLAGS, chromium, served


def pytest_addoption(parser):
    words = "let Chromium find only these fonts of the machine (Linux; `make fonts`)"
    parser.addoption("--machine-fonts", choices=sorted(fontsets.SETS), help=words)


def pytest_configure(config):
    if name := config.getoption("--machine-fonts"):
        try:
            folders = fontsets.folders(name)
        except FileNotFoundError as error:
            raise pytest.UsageError(f"--machine-fonts: {error}.") from None
        folder = tempfile.TemporaryDirectory(prefix="companion-fonts-")
        config.add_cleanup(folder.cleanup)
        os.environ["FONTCONFIG_FILE"] = str(fontsets.settings(folders, Path(folder.name)))


@pytest.fixture(scope="module")
def browser():
    """Chromium, started once for each file: Playwright keeps an event loop running in this thread, and kernels have theirs."""
    path = chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs Chromium: install it, or set CHROMIUM to its path")
        pytest.skip("no Chromium installed (set CHROMIUM to its path)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def html():
    """The built site, made by the command that a user calls (quick when nothing changed)."""
    (ROOT / "_build").mkdir(exist_ok=True)
    with FileLock(ROOT / "_build" / "site.lock"):  # the other workers ask for it at the same time
        done = subprocess.run([sys.executable, "-m", "companion", "build"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(str(ROOT / "_build" / "html" / "index.html"))
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def address(html):
    """The site served on a loopback port."""
    with served(html) as address:
        yield address


@pytest.fixture
def small_book(tmp_path):
    """The root of a book of one executed chapter with the pages that the build fills."""
    make_small_book(tmp_path)
    return tmp_path
