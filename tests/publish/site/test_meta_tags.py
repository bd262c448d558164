"""Descriptions and Open Graph tags: taken from the page's first paragraph, and on every page of the site."""

import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree

from companion.publish.site import meta_tags

ADDRESS = "https://owner.github.io/companion/"


def described(*paragraphs):
    """The description of a page with a box, a table and then these paragraphs."""
    start = "Title\n=====\n\n.. note:: In a box.\n\n.. container:: cell\n\n   An output.\n\n== ==\na  b\n== ==\n"
    return meta_tags.description(publish_doctree("\n\n".join([start, *paragraphs])))


def test_a_description_is_the_first_paragraph_cut_at_a_sentence_or_a_word():
    assert described("One *short*\ntext.", "Another.") == "One short text."
    sentence = "A sentence that is long enough to say in a preview what the page is about, " + "and more" * 5 + "."
    assert described(sentence + " word" * 80) == sentence
    assert described("Too short. " + "word " * 80).startswith("Too short. word word")
    long = described("word " * 80)
    assert long.endswith("word…") and len(long) <= meta_tags.DESCRIPTION
    assert described() == "", "boxes, tables and outputs are not what the page is about"


def test_tags_are_escaped_and_have_an_address_only_when_there_is_one():
    tags = meta_tags.tags('"A" & <b>', 'said "so"', "The book", "")
    assert tags.count('content="said &#34;so&#34;"') == 2
    assert 'og:title" content="&#34;A&#34; &amp; &lt;b&gt;"' in tags and "og:url" not in tags
    assert f'og:url" content="{ADDRESS}x.html"' in meta_tags.tags("A", "words", "The book", ADDRESS + "x.html")


@pytest.mark.slow
def test_every_page_has_its_language_description_and_open_graph_tags(html):
    titles, descriptions = [], []
    for path in [html / "index.html", *sorted((html / "book").glob("*.html"))]:
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        tags = {tag["property"]: tag["content"] for tag in page.select("meta[property^='og:']")}
        assert page.html["lang"] == "en" and len(page.select("link[rel=icon]")) == 1, path.name
        assert len(page.select("meta[name=description]")) == 1
        assert page.select_one("meta[name=description]")["content"] == tags["og:description"]
        assert 20 <= len(tags["og:description"]) <= meta_tags.DESCRIPTION and tags["og:site_name"]
        titles.append(tags["og:title"])
        descriptions.append(tags["og:description"])
    assert len(set(titles[1:])) == len(titles) - 1 and len(set(descriptions[1:])) == len(descriptions) - 1
