"""Two pages written by hand: the glossary and the notation keep up with the chapters."""

import re

import pytest
import yaml
from books import NAMES, ROOT
from reading import markdown, source

from companion.publish.project import read_text


def glossary():
    """[(term, definition)] of the glossary page, in its order."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"```\{glossary\}\n(.*?)\n```", text, re.S).group(1)
    entries = [entry.partition("\n") for entry in re.split(r"\n\n(?=\S)", body)]
    return [(term, " ".join(definition.split())) for term, _, definition in entries]


def test_the_glossary_is_alphabetical_and_each_entry_leads_to_a_page_that_uses_the_word():
    """The page has the word or another form of it, or the search leads from the word to the page."""
    entries = glossary()
    terms = [term for term, _ in entries]
    assert terms == sorted(set(terms), key=str.lower) and len(terms) >= 40
    texts = {name: markdown(source(name)) for name in NAMES} | {"evidence": read_text(ROOT / "book" / "evidence.md")}
    typed = yaml.safe_load(read_text(ROOT / "book" / "keywords.yml"))
    texts = {
        name: " ".join([*text.lower().replace("*", "").split(), *typed.get(name, [])]) for name, text in texts.items()
    }
    for term, definition in entries:
        definition, _, others = definition.partition("% not: ")[0].strip().partition("% also: ")
        linked = re.findall(r"\(([\w-]+)\.(?:ipynb|md)(?:#[\w-]+)?\)", definition)
        linked = [name for name in linked if name != "ledger"]
        assert linked, f"{term} links no page"
        assert len(re.sub(r"See \[.*", "", definition).split(". ")) <= 3, f"{term}: one or two sentences"
        forms = [form.lower().removesuffix("s") for form in (term, *others.split(", ")) if form]
        for name in linked:
            assert any(form in texts[name] for form in forms), f"{term} does not stand in {name}"


def symbols(text):
    """The letters of the formulas in a text, without what is written as words."""
    formulas = re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.sub(r"```.*?```", "", text, flags=re.S), re.S)
    bare = " ".join(a or b for a, b in formulas)
    bare = re.sub(r"\\(?:text|xrightarrow|begin|end)\{[^}]*\}", "", bare).replace(r"\odot", "⊙")
    return set(re.findall(r"[A-Za-z⊙]", re.sub(r"\\[a-zA-Z]+", "", bare)))


@pytest.mark.parametrize("name", [*NAMES, "evidence"])
def test_the_notation_page_explains_the_symbols_of_each_chapter_and_no_others(name):
    text = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.search(rf"\({name}\.(?:ipynb|md)\)", line)]
    explained = symbols("\n".join(line.split("|")[1] for line in rows))
    page = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
    assert explained == symbols(page)
