"""Two pages written by hand: the glossary and the notation keep up with the chapters."""

import re

import pytest
from books import NAMES, ROOT
from reading import markdown, source


def glossary():
    """[(term, definition)] of the glossary page, in its order."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"```\{glossary\}\n(.*?)\n```", text, re.S).group(1)
    entries = [entry.partition("\n") for entry in re.split(r"\n\n(?=\S)", body)]
    return [(term, " ".join(definition.split())) for term, _, definition in entries]


def test_the_glossary_is_alphabetical_and_each_entry_leads_to_a_chapter_that_uses_the_word():
    entries = glossary()
    terms = [term for term, _ in entries]
    assert terms == sorted(set(terms), key=str.lower) and len(terms) >= 40
    texts = {name: " ".join(markdown(source(name)).lower().split()) for name in NAMES}
    for term, definition in entries:
        linked = re.findall(r"\(([\w-]+)\.ipynb(?:#[\w-]+)?\)", definition)
        assert linked, f"{term} links no chapter"
        assert len(re.sub(r"See \[.*", "", definition).split(". ")) <= 3, f"{term}: one or two sentences"
        singular = term.lower().removesuffix("s")
        assert all(singular in texts[name] for name in linked), f"{term} does not stand in {linked}"


def symbols(text):
    """The letters of the formulas in a text, without what is written as words."""
    formulas = re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.sub(r"```.*?```", "", text, flags=re.S), re.S)
    bare = " ".join(a or b for a, b in formulas)
    bare = re.sub(r"\\(?:text|xrightarrow)\{[^}]*\}", "", bare).replace(r"\odot", "⊙")
    return set(re.findall(r"[A-Za-z⊙]", re.sub(r"\\[a-zA-Z]+", "", bare)))


@pytest.mark.parametrize("name", [*NAMES, "evidence"])
def test_the_notation_page_explains_the_symbols_of_each_chapter_and_no_others(name):
    text = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.search(rf"\({name}\.(?:ipynb|md)\)", line)]
    explained = symbols("\n".join(line.split("|")[1] for line in rows))
    page = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
    assert explained == symbols(page)
