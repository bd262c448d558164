"""What the tests of pages share: the browser, the built site, and a small book."""

import os
import subprocess
import sys

import pytest
from books import ROOT, make_small_book
from filelock import FileLock
from visits import FLAGS, chromium, served


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
