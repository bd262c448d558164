"""What the search reads: the words of every page by sections, the glossary, and what the book does not treat."""

import json

import pytest
from bs4 import BeautifulSoup
from small_site import PAGE

from companion.publish.site import search_texts

ARTICLE = """<section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1><p>First.</p>
<div class="provenance">toolbar</div><div class="cell_input"><pre>code()</pre></div><div class="questions">a wrong answer</div>
<div class="predict-first">a guess</div><div class="cell tag_solution">solved</div><span class="math">\\(x_1\\)</span>
<section id="part"><h2>Its <em>part</em></h2><table><tr><td>a</td><td>b</td></tr></table><p>Last
words.</p></section></section><script>alert(1)</script>"""
GLOSSARY = """<section id="glossary"><h1>Glossary</h1><dl class="glossary"><dt id="term-gap">gap<a class="headerlink" href="#">#</a></dt>
<dd><p>A <em>difference</em>. See <a href="one.html#part"><span>One</span></a>.</p></dd></dl></section>"""


@pytest.fixture
def site(tmp_path):
    """(root of a book of two pages, its built site)"""
    built = tmp_path / "html"
    for folder in (tmp_path / "book", built / "book", built / "scripts"):
        folder.mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: book/one.ipynb\n- file: book/glossary\n"
    )
    (tmp_path / "book" / "glossary.md").write_text(
        "```{glossary}\ngap\n  A *difference*. See [One](one.ipynb#part).\n  % also: gaping, GA\n```\n"
    )
    (tmp_path / "book" / "keywords.yml").write_text(
        "one: [uno]\nnot in this book:\n- {words: [two], says: No., page: one#part}\n"
    )
    (built / "book" / "one.html").write_text(PAGE % ARTICLE)
    (built / "book" / "glossary.html").write_text(PAGE % GLOSSARY)
    (built / "search.html").write_text("<html><body><article><h1>search</h1></article></body></html>")
    return tmp_path, built


def test_a_book_without_the_script_has_no_use_for_the_texts(site):
    search_texts.add_search_texts(*site)
    assert not (site[1] / "searchtexts.js").exists()


def test_search_gets_the_words_of_every_page_by_sections_with_definitions_and_what_is_absent(site):
    (site[1] / search_texts.SCRIPT).write_text("")
    search_texts.add_search_texts(*site)
    script = (site[1] / "searchtexts.js").read_text(encoding="utf-8")
    found = json.loads(script.removeprefix("companionTexts(").removesuffix(");\n"))
    glossary, one = found["pages"]
    assert one == {
        "page": "book/one.html",
        "chapter": True,
        "keywords": ["uno"],
        "sections": [["", "One", "First."], ["part", "Its part", "a · b\nLast words."]],
    }
    assert glossary["page"] == "book/glossary.html" and not glossary["chapter"]
    assert found["terms"] == [
        {
            "term": "gap",
            "forms": ["gap", "gaping", "GA"],
            "entry": "book/glossary.html#term-gap",
            "meaning": "A difference.",
            "href": "book/one.html#part",
            "text": "One",
        }
    ]
    assert found["absent"] == [
        {"words": ["two"], "says": "No.", "href": "book/one.html#part", "title": "One › Its part"}
    ]


def test_paragraphs_entries_and_rows_are_lines_a_label_stands_before_its_words_and_plain_formulas_are_kept():
    html = r"""<article><h1>One</h1><dl><dt>Level</dt><dd><p>first <em>steps</em></p></dd><dt>Time</dt><dd>short</dd></dl>
<p>With probability <span class="math">\(p\)</span>, <span class="math">\(2 \cdot 3\)</span> of <span class="math">\(C_\text{in}\)</span>
all.</p><ul><li>a (<a>b</a>)</li><li><p>c</p><p>d</p></li></ul><table><tr><td>1</td><td><b>2</b> 3</td></tr><tr><td>4</td></tr></table>
</article>"""
    ((_, _, text),) = search_texts.sections(BeautifulSoup(html, "html.parser").article)
    lines = [
        "Level: first steps",
        "Time: short",
        "With probability p, 2 · 3 of all.",
        "a (b)",
        "c",
        "d",
        "1 · 2 3",
        "4",
    ]
    assert text.split("\n") == lines


def test_a_page_without_a_heading_has_no_sections():
    assert search_texts.sections(BeautifulSoup("<article><p>words</p></article>", "html.parser").article) == []
