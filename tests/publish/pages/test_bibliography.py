"""The references: one identity for each work, and the way back to the chapters that cite it."""

import re

import pytest
from books import NAMES, ROOT
from reading import markdown, soup, source

from companion.publish import UserError
from companion.publish.pages import bibliography

BIB = ROOT / "book" / "references.bib"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://arxiv.org/abs/1409.1556", "http://www.arxiv.org/pdf/1409.1556v6"),
        ("https://doi.org/10.1145/3065386", "https://dx.doi.org/10.1145/3065386"),
        ("https://jmlr.org/papers/v15/x.html", "http://www.jmlr.org/papers/v15/x.html/"),
    ],
)
def test_one_work_has_one_identity_however_it_is_linked(one, other):
    assert bibliography.identity(one) == bibliography.identity(other) != bibliography.identity("https://x.org")


@pytest.mark.parametrize("name", NAMES)
def test_every_work_that_a_chapter_references_is_in_the_bibliography(name):
    entries = bibliography.load_entries(ROOT / "book" / "references.bib")
    known = set().union(*map(bibliography.identities, entries.values()))
    named = bibliography.references(source(name))
    assert named and [address for address in named if bibliography.identity(address) not in known] == []


def test_every_entry_of_the_bibliography_can_be_followed_and_leads_back_to_the_chapters_that_cite_it():
    notebooks, entries = {name: source(name) for name in NAMES}, bibliography.load_entries(BIB)
    items = {item["id"]: item for item in soup(bibliography.bibliography_html(BIB, notebooks)).find_all("li")}
    assert set(items) == set(entries)
    assert all(item.select('a[href^="https://"]') for item in items.values())
    back = {key: {a["href"] for a in item.select(".cited-in a")} for key, item in items.items()}
    texts = {f"{name}.html": markdown(notebook).lower() for name, notebook in notebooks.items()}
    for key, entry in entries.items():
        marks = [entry.fields.get("url", "").partition("://")[2].rstrip("/"), entry.fields.get("doi", "")]
        link = "|".join(rf"{re.escape(mark.lower())}/?\)" for mark in marks if mark)
        naming = {name for name, text in texts.items() if re.search(link, text)}
        assert back[key] == naming, key
    assert any(back.values()) and not all(back.values()), "some works are cited on other pages only"
    for name, notebook in notebooks.items():
        cited = {key for key, hrefs in back.items() if f"{name}.html" in hrefs}
        assert len(cited) >= len({bibliography.identity(a) for a in bibliography.references(notebook)})


def test_a_bad_bibliography_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "references.bib"
    for text in ("@article{a, title = ", "@misc{a, title={T}}\n@misc{a, title={T}}"):
        path.write_text(text)
        with pytest.raises(UserError, match=r"references.bib cannot be read"):
            bibliography.load_entries(path)
    path.write_text("@article{a, author={A}}")
    with pytest.raises(UserError, match=r"references\.bib cannot be formatted"):
        bibliography.bibliography_html(path, {})
