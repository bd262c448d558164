"""What Sphinx puts into the pages for us: menus, scripts, tags, and the entrances of the site."""

import json
import shutil

import pytest
from books import ROOT
from bs4 import BeautifulSoup
from sphinx.errors import ExtensionError

from companion.publish.install import repository
from companion.publish.site import building, extension

ADDRESS = "https://owner.github.io/companion/"


def menu(*labels):
    """The theme's context for a chapter with these buttons in its menu of downloads."""
    buttons = [{"label": label, "url": "../_sources/book/one.ipynb", "text": ".ipynb"} for label in labels]
    others = [{"label": "fullscreen-button", "type": "javascript"}]
    return {
        "page_source_suffix": ".ipynb",
        "header_buttons": [*others, {"label": "download-buttons", "buttons": buttons}],
    }


def test_the_menu_of_downloads_offers_the_notebook_and_then_its_text():
    context = menu("download-source-button", "download-pdf-button")
    extension.offer_both_halves(None, "book/one", "page.html", context, None)
    buttons = context["header_buttons"][1]["buttons"]
    assert [(b["url"].rpartition("/")[2], b["text"], b.get("tooltip")) for b in buttons[:2]] == [
        ("one.ipynb", ".ipynb", "Download the notebook"),
        ("one.md", ".md", "Download its text"),
    ]
    assert buttons[2]["label"] == "download-pdf-button"


@pytest.mark.parametrize("context", [{"page_source_suffix": ".ipynb"}, menu(), menu("other-button")])
def test_a_theme_whose_menu_has_changed_is_refused(context):
    with pytest.raises(ExtensionError, match=r"menu of downloads of book/one has 0 buttons .* has to follow"):
        extension.offer_both_halves(None, "book/one", "page.html", context, None)


def test_a_page_without_a_notebook_keeps_its_menu():
    context = {**menu("download-source-button"), "page_source_suffix": ".md"}
    extension.offer_both_halves(None, "book/one", "page.html", context, None)
    assert len(context["header_buttons"][1]["buttons"]) == 1


@pytest.mark.slow
def test_a_book_with_an_address_has_canonical_links_and_offers_the_tracked_notebook(small_book, monkeypatch):
    monkeypatch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: None)
    repository.set_site(small_book, ADDRESS)
    shutil.copy(ROOT / "book" / "dropout.ipynb", small_book / "book")
    (small_book / "book" / "keywords.yml").write_text("dropout: [zyzzyva]\nledger: [quagga]\n")
    built = building.build_site(small_book).parent
    page = BeautifulSoup((built / "book" / "dropout.html").read_text(encoding="utf-8"), "html.parser")
    assert page.select_one("link[rel=canonical]")["href"] == ADDRESS + "book/dropout.html"
    assert page.select_one("meta[property='og:url']")["content"] == ADDRESS + "book/dropout.html"
    assert page.select_one("meta[property='og:title']")["content"] == "Title"
    assert BeautifulSoup((built / "404.html").read_text(encoding="utf-8"), "html.parser").base["href"] == "/companion/"
    for name in ("dropout.ipynb", "dropout.md"):
        assert (built / "_sources" / "book" / name).read_bytes() == (small_book / "book" / name).read_bytes()
    index = json.loads((built / "searchindex.js").read_text(encoding="utf-8").partition("(")[2].rpartition(")")[0])
    docs = {index["docnames"][index["terms"][word]] for word in ("zyzzyva", "quagga")}
    assert docs == {"book/dropout", "book/ledger"}
    assert page.select_one("meta[name=description]")["content"] == "Text with x^2."
    for name, scripts in (("book/dropout", {"accessible.js"}), ("search", {"accessible.js", "search.js"})):
        found = BeautifulSoup((built / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        own = [
            tag["src"]
            for tag in found.find_all("script", src=True)
            if "/scripts/" in tag["src"].replace("_static/scripts/", "")
        ]
        assert {address.rpartition("/")[2].partition("?")[0] for address in own} == scripts and len(own) == len(scripts)
    door = BeautifulSoup((built / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert door.select_one("meta[property='og:url']")["content"] == ADDRESS and door.a["href"] == "book/index.html"
    assert not list((built / "_static").glob("*.html"))
