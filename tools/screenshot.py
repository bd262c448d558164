"""Takes the README's picture, docs/screenshot.png, of the built front page: `python tools/screenshot.py`."""

import sys
from pathlib import Path

from companion.publish import project

ROOT = Path(__file__).resolve().parent.parent


def main():
    page, picture = ROOT / "_build" / "html" / "book" / "index.html", ROOT / "docs" / "screenshot.png"
    if not page.is_file():
        sys.exit("There is no built site to photograph: `make book` first.")
    if (chromium := project.chromium()) is None:
        sys.exit("No Chromium found: install it, or set CHROMIUM to its path.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        view = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        view.goto(page.as_uri())
        view.screenshot(path=picture)
        browser.close()
    print(f"wrote {picture.relative_to(ROOT)}, {picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
