"""Pictures of ideas: the book's own keep the rules, each broken rule is named, and a page gets the drawing itself."""

import pytest
from books import ROOT
from bs4 import BeautifulSoup
from tiny_book import DRAWING

from companion.publish import UserError, project
from companion.publish.install.repository import set_repository
from companion.publish.pages import ideas

REPOSITORY = "https://github.com/OWNER/companion"
ADDRESS = "https://raw.githubusercontent.com/OWNER/companion/main/book/static/ideas/"
SHOWN = f"Before.\n\n![Two boxes & a word]({ADDRESS}boxes.svg)\n\nAfter."


@pytest.fixture
def book(tmp_path):
    (tmp_path / "book" / "static" / "ideas").mkdir(parents=True)
    (ideas.folder(tmp_path) / "boxes.svg").write_text('<?xml version="1.0"?>\n<!-- drawn by hand -->\n' + DRAWING)
    return tmp_path


def test_the_pictures_of_the_book_keep_the_rules():
    assert ideas.problems(ROOT) == []


def test_a_picture_that_keeps_the_rules_passes(book):
    assert ideas.problems(book) == []


BROKEN = {
    "another colour": ('fill="none"', 'fill="red"', "has the fill red"),
    "a colour in a style": ('fill="none"', 'style="fill: #123456"', "has the fill #123456"),
    "another second colour": (
        "--idea-accent,#c2560c",
        "--idea-accent,#000000",
        "has the fill var(--idea-accent,#000000)",
    ),
    "a script": ("<title", "<script>alert(1)</script><title", "holds a <script>"),
    "an action": ("<text ", '<text onclick="a()" ', "holds a script, onclick"),
    "a style sheet": ("<title", "<style>text{fill:red}</style><title", "holds a <style>"),
    "a picture from outside": ("<text ", '<use href="https://example.org/a.svg#b"/><text ', "outside itself"),
    "an id without its name": ('id="boxes-title"', 'id="title"', "the id 'title' has to begin with 'boxes-'"),
    "no title": ("Two boxes</title>", "</title>", "it needs a <title>"),
    "no paper": ("--idea-paper,#ffffff", "--idea-soft,#e4e1da", "filled with --idea-paper"),
    "a face that is none": ('"sans-serif"', '"inherit, sans-serif"', "its letters are 'inherit, sans-serif'"),
    "small letters": ('font-size="16"', 'font-size="12"', "'paper' has 11.3 pixels on a phone; it needs 12"),
    "too wide": ("0 0 380 120", "0 0 900 120", "a width of at most 760"),
    "no SVG": ("</svg>", "", "it is no SVG"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_rule_is_named(book, broken):
    before, after, words = BROKEN[broken]
    assert before in DRAWING
    (ideas.folder(book) / "boxes.svg").write_text(DRAWING.replace(before, after))
    assert any(problem.startswith("boxes.svg: ") and words in problem for problem in ideas.problems(book))


def test_a_page_gets_the_drawing_itself_with_the_chapter_s_words_for_it(book):
    text = ideas.put_in(book, REPOSITORY, SHOWN, "one")
    assert text.startswith("Before.\n\n```{raw} html\n<svg") and text.endswith("</svg>\n```\n\nAfter.")
    drawing = BeautifulSoup(text, "html.parser").svg
    assert drawing["aria-label"] == "Two boxes & a word" and drawing["aria-describedby"] == "boxes-desc"
    assert (drawing["role"], drawing["width"], drawing["height"]) == ("img", "380", "120")
    assert "drawn by hand" not in text and drawing["font-size"] == "16" and text.count("width=") == 4


def test_a_picture_with_a_script_of_its_name_stands_in_a_box_with_it_and_stays_the_picture_that_it_is(book):
    plain = ideas.put_in(book, REPOSITORY, SHOWN, "one")
    (book / "book" / "scripts" / "explorables").mkdir(parents=True)
    (book / "book" / "scripts" / "explorables" / "boxes.js").write_text('"use strict";')
    page = BeautifulSoup(ideas.put_in(book, REPOSITORY, SHOWN, "one"), "html.parser")
    assert str(page.select_one("#explore-boxes.explorable > svg")) == str(BeautifulSoup(plain, "html.parser").svg)
    scripts = [script.attrs for script in page.select("script")]
    assert [script["src"] for script in scripts] == ["../scripts/fields.js", "../scripts/explorables/boxes.js"]
    assert all("defer" in script for script in scripts)
    assert page.link["href"] == "../scripts/explorables.css" and "<script" not in plain


def test_each_script_that_explores_a_picture_has_its_picture_and_their_style():
    scripts = sorted((ROOT / "book" / "scripts" / "explorables").glob("*.js"))
    assert scripts and (ROOT / "book" / "scripts" / "explorables.css").is_file()
    assert [path.stem for path in scripts if not (ideas.folder(ROOT) / f"{path.stem}.svg").is_file()] == []


def test_a_picture_that_is_missing_or_has_no_words_is_refused(book):
    with pytest.raises(UserError, match=r"one shows the picture other, and there is no book/static/ideas/other\.svg"):
        ideas.put_in(book, REPOSITORY, SHOWN.replace("boxes.svg", "other.svg"), "one")
    with pytest.raises(UserError, match="without a text that stands for it"):
        ideas.put_in(book, REPOSITORY, SHOWN.replace("Two boxes & a word", " "), "one")


def test_other_pictures_stay_as_they_are(book):
    text = f"![here](a.png) and in a line ![Two boxes]({ADDRESS}boxes.svg)."
    assert ideas.put_in(book, REPOSITORY, text, "one") == text


def test_the_pictures_follow_the_repository_s_address(book):
    (book / "_config.yml").write_text(f"repository:\n  url: {REPOSITORY}\n")
    (book / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    (book / "book" / "index.md").write_text(SHOWN)
    set_repository(book, "https://github.com/someone/other")
    text = project.read_text(book / "book" / "index.md")
    assert "https://raw.githubusercontent.com/someone/other/main/book/static/ideas/boxes.svg" in text
    assert "<svg" in ideas.put_in(book, "https://github.com/someone/other", text, "one")
