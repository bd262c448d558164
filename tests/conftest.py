"""The browser that the tests of pages share."""

import os

import pytest
from sources import FLAGS, chromium


@pytest.fixture(scope="module")
def browser():
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
