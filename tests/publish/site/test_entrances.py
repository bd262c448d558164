"""The two pages at the site's root: the front door, and the page for addresses that lead nowhere."""

import pytest
from bs4 import BeautifulSoup

from companion.publish.site import entrances

LOGO = '<svg viewBox="0 0 1 1"></svg>'


def test_words_of_the_book_are_escaped_and_the_pages_listed():
    page = BeautifulSoup(entrances.not_found("A < B", "", LOGO, [("book/a.html", "What < is & b?")]), "html.parser")
    assert page.title.text == "No such page – A < B" and page.svg and page.li.a.text == "What < is & b?"
    assert page.li.a["href"] == "book/a.html" and page.base is None
    door = BeautifulSoup(entrances.front_door("A < B", '<meta name="description" content="x" />\n'), "html.parser")
    assert door.h1.text == "A < B" and door.html["lang"] == "en" and door.select_one("meta[name=description]")
    assert door.a["href"] == "book/index.html" and "url=book/index.html" in str(door.select_one("meta[http-equiv]"))


def test_links_start_at_the_folder_of_the_sites_address():
    page = BeautifulSoup(entrances.not_found("T", "https://owner.github.io/companion/", LOGO, []), "html.parser")
    assert page.base["href"] == "/companion/" and "document.write" not in page.script.string


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    ("root", "known"),
    [
        ("https://owner.github.io/companion/", False),
        ("https://book.example/", False),
        ("https://book.example/a/b/", True),
    ],
)
def test_the_404_page_leads_home_from_any_depth(browser, html, tmp_path, root, known):
    """Known: the address stands in the configuration; otherwise the page guesses it as GitHub Pages has it."""
    page404 = entrances.not_found("The course companion", root if known else "", LOGO, [("book/index.html", "Front")])
    asked = []

    def serve(route):
        address = route.request.url.partition("#")[0].partition("?")[0]
        asked.append(address)
        path = html / address.removeprefix(root)
        if address.startswith(root) and path.is_file():
            route.fulfill(path=path)
        else:
            route.fulfill(status=404, body=page404, content_type="text/html")

    for lost in ("gone.html", "book/gone/far/away.html"):
        context = browser.new_context()
        context.route("**/*", serve)
        page = context.new_page()
        asked.clear()
        page.goto(root + lost)
        faces = page.evaluate("document.fonts.ready.then((faces) => [...faces].map((face) => face.status))")
        assert faces == ["loaded"]
        beside = (root + "_static/fonts/text.woff2", "favicon.ico")
        alone = [url for url in asked if not url.endswith(beside)]
        assert alone == [root + lost], "the page is whole but for its typeface"
        assert page.locator("h1").inner_text() == "There is no such page here"
        assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
        page.fill("[name=q]", "dropout")
        page.press("[name=q]", "Enter")
        page.wait_for_url(root + "search.html?q=dropout")
        page.go_back()
        page.get_by_role("link", name="the front page").click()
        page.wait_for_url(root + "book/index.html")
        assert page.locator(".front-start").count() == 1
        context.close()
