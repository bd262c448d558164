"""Words of the glossary in the pages: which are found, where they become links, and what their cards say."""

import re

import pytest
from books import ROOT
from bs4 import BeautifulSoup
from small_site import PAGE

from companion.publish.site import badges, glossary_cards

FORMS = {
    "batch normalisation": ("batch norm",),
    "batch": (),
    "global average pooling": ("GAP",),
    "gap": (),
    "activations": (),
    "overfitting": ("overfits",),
    "Adam": (),
    "fine-tuning": (),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Batch norm and a batch", ["batch normalisation", "batch"]),
        ("batch\nnormalisation of batches", ["batch normalisation", "batch"]),
        ("GAP, a gap, Gaps", ["global average pooling", "gap", "gap"]),
        ("one activation, many activations", ["activations", "activations"]),
        ("It overfits. Overfitting", ["overfitting", "overfitting"]),
        ("Adam, not adam or madam", ["Adam"]),
        ("fine tuning or fine-tuning, no mini-batch, no gaping", ["fine-tuning", "fine-tuning"]),
    ],
)
def test_words_are_found_in_their_forms_the_longest_first(text, found):
    pattern, names = glossary_cards.matcher(FORMS)
    keys = [" ".join(match[0].replace("-", " ").split()) for match in pattern.finditer(text)]
    assert [names.get(key) or names[key[0].lower() + key[1:]] for key in keys] == found


def test_a_phrase_in_which_a_word_means_something_else_hides_it_and_a_later_use_is_the_first():
    source = "```{glossary}\ngap\n  A difference.\n  % not: leaves a gap\n  % not: the gap width\n```\n"
    phrases = glossary_cards.other_meanings(source)
    assert phrases == ("leaves a gap", "the gap width")
    pattern, names = glossary_cards.matcher(FORMS, phrases)
    soup = BeautifulSoup(
        "<article><p>It leaves\na gap; the GAP; The gap-width.</p><p>A gap!</p></article>", "html.parser"
    )
    terms = {name: glossary_cards.Term(name, f"term-{name}", "", "", "") for name in FORMS}
    glossary_cards.link_first_uses(soup, soup.article, "book/one.html", pattern, names, terms)
    assert [(link.get_text(), link.parent.get_text()) for link in soup.select("a.term")] == [
        ("GAP", "It leaves\na gap; the GAP; The gap-width."),
        ("gap", "A gap!"),
    ]


def test_each_phrase_of_the_book_s_glossary_stands_in_a_page_and_holds_a_word_that_would_be_linked():
    source = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "book").rglob("*.md") if path.stem != "glossary"]
    text = " ".join(" ".join(pages).split()).lower()
    names = re.findall(r"^(\S.*)\n  ", source.partition("{glossary}")[2], re.M)
    pattern, _ = glossary_cards.matcher({name: glossary_cards.other_forms(source).get(name, ()) for name in names})
    phrases = glossary_cards.other_meanings(source)
    assert phrases and [phrase for phrase in phrases if phrase not in text or not pattern.search(phrase)] == []


GLOSSARY = """<section id="glossary"><h1>Glossary</h1><dl class="glossary">
<dt id="term-gap">gap<a class="headerlink" href="#">#</a></dt>
<dd><p>A <em>difference</em> &lt; 1, or <span class="math notranslate">\\(2^{20}\\)</span>. See <a href="one.html#part"><span>One</span></a>.</p></dd>
<dt id="term-batch">batch</dt><dd><p>Some images, as in <a href="two.html">two</a>. See <a href="two.html">Two</a>.</p></dd>
</dl></section>"""
ARTICLE = """<section id="one"><h1>The gap</h1><p><a href="x">gap</a> <code>gap</code> $gap$ <span class="math">gap</span></p>
<div class="cell_input"><pre>gap</pre></div><div class="cell_output">gap</div><details><summary>gap</summary>gap</details>
<table><tr><td>gap</td></tr></table><p>One <em>Gap</em>, two gaps of a batch.</p>
<section id="part"><h2>Its <em>part</em><a class="headerlink" href="#part">#</a></h2><p>gap</p></section></section>"""


@pytest.fixture
def site(tmp_path):
    """(root of a book, its built site: a page, one in a folder, the glossary)"""
    built = tmp_path / "html"
    for folder in (tmp_path / "book", built / "book" / "parts"):
        folder.mkdir(parents=True)
    source = "```{glossary}\ngap\n  A *difference*. See [One](one.ipynb#part).\n  % also: distance\n\nbatch\n  Some images.\n```\n"
    (tmp_path / "book" / "glossary.md").write_text(source)
    (built / "book" / "one.html").write_text(PAGE % ARTICLE.replace("$gap$", ""))
    (built / "book" / "parts" / "deep.html").write_text(PAGE % "<h1>Deep</h1><p>A distance.</p>")
    (built / "book" / "two.html").write_text(PAGE % "<h1>Two</h1><p>Nothing of it.</p>")
    (built / "book" / "glossary.html").write_text(PAGE % GLOSSARY)
    return tmp_path, built


def soup_of(built, page):
    return BeautifulSoup((built / "book" / page).read_text(encoding="utf-8"), "html.parser")


def test_only_the_first_use_becomes_a_link_and_never_one_in_a_heading_in_code_in_a_table_or_in_a_fold(site):
    glossary_cards.add_cards(*site)
    soup = soup_of(site[1], "one.html")
    words = soup.select("a.term")
    assert [(word.get_text(), word["href"]) for word in words] == [
        ("Gap", "glossary.html#term-gap"),
        ("batch", "glossary.html#term-batch"),
    ]
    assert (
        words[0].parent.name == "em"
        and soup.article.get_text() == BeautifulSoup(ARTICLE.replace("$gap$", ""), "html.parser").get_text()
    ), "no word is lost"


def test_a_card_says_what_the_glossary_says_and_leads_to_the_section_that_explains_the_word(site):
    glossary_cards.add_cards(*site)
    soup = soup_of(site[1], "one.html")
    for word in soup.select("a.term"):
        meaning = soup.find(id=word["aria-describedby"])
        assert meaning.find_parent(class_="term-cards").has_attr("hidden") and not meaning.find("a")
    first, second = soup.select(".term-card")
    meaning = "A <em>difference</em> &lt; 1, or 2<sup>20</sup>."
    assert first.select_one("[id^=meaning]").decode_contents() == meaning, "no formula, for the page may not set any"
    assert [(a["href"], a.get_text()) for a in first.select("a")] == [
        ("#part", "Explained on this page: Its part"),
        ("glossary.html#term-gap", "Glossary"),
    ]
    assert second.select_one("a")["href"] == "two.html" and second.select_one("a").get_text() == "Explained in Two"
    assert not soup.article.select(".term-card"), "the card is no text of the page"


def test_pages_without_words_and_the_glossary_itself_stay_and_a_page_in_a_folder_leads_out_of_it(site):
    before = {page: (site[1] / "book" / page).read_bytes() for page in ("two.html", "glossary.html")}
    glossary_cards.add_cards(*site)
    assert {page: (site[1] / "book" / page).read_bytes() for page in before} == before
    deep = soup_of(site[1], "parts/deep.html")
    assert deep.select_one("a.term")["href"] == "../glossary.html#term-gap"
    assert [a["href"] for a in deep.select(".term-card a")] == ["../one.html#part", "../glossary.html#term-gap"]
    assert deep.find("script", src="../../scripts/terms.js")


def test_a_site_without_a_glossary_gets_no_cards(tmp_path):
    glossary_cards.add_cards(tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_other_forms_of_the_book_s_own_glossary_belong_to_its_terms_and_to_one_each():
    forms = glossary_cards.other_forms((ROOT / "book" / "glossary.md").read_text(encoding="utf-8"))
    listed = [form for found in forms.values() for form in found]
    assert len(forms) > 60 and "CAM" in forms["class activation mapping"]
    assert len(set(listed)) == len(listed) and not set(listed) & set(forms)


def test_the_chapters_of_the_sidebar_carry_the_letters_of_their_reports_once():
    mark = badges.marker(ROOT)
    links = '<a href="../depth.html">Depth</a><a href="#">This</a><a href="../ledger.html">Ledger</a>'
    soup = BeautifulSoup(f'<nav class="bd-docs-nav">{links}</nav>', "html.parser")
    mark(soup, "book/parts/structure.html")
    mark(soup, "book/parts/structure.html")
    assert [link.get_text() for link in soup.find_all("a")] == ["Depth report A", "This", "Ledger"]
    mark(soup, "book/rnn-vs-cnn.html")
    assert soup.find_all("a")[1].get_text() == "This report C"
