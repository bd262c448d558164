"""What the search reads beside Sphinx's index: the words of each page by sections, the glossary, and what the book does not treat.

Sphinx's index says which pages hold a word, and no more: not how often, nor in which section. Its script then fetches the pages found
and cuts an excerpt out of whatever comes first in them, the toolbar included; a page of the file system cannot even be fetched. Other
search engines were looked at: Pagefind, the best kept, loads WebAssembly and parts of its index by `fetch`, so that it needs a server;
those that do not (Lunr, MiniSearch) would bring a second index of the same words and still no sections, definitions and excerpts. So
Sphinx's index stays, and one script of 200 kB, `searchtexts.js`, lies beside it; `book/scripts/search.js` ranks and shows.
"""

import json
import re

from companion.publish import project
from companion.publish.pages import keywords
from companion.publish.site import accessible, glossary_cards

NO_TEXT = ("search.html", "genindex.html", "index.html", "404.html")  # relative to the site's root
SCRIPT = "scripts/search.js"
# What is no text of a page: code and what it shows, questions and their answers, what is to be predicted, solutions, controls.
DROPPED = (
    "script, style, svg, noscript, template, nav, button, form, summary, .headerlink, .highlight, .cell_input, .cell_output, pre, "
    ".provenance, .questions, .predict-first, .tag_solution, .solution, .hint, .term-cards, .math, .front, .contents-by-question"
)
HEADINGS = re.compile("^h[1-6]$")
BLOCKS = ("tr", "p", "li", "dt", "dd", "figcaption", "summary", "blockquote")
PLAIN_FORMULA = re.compile(r"[\w\s.,+=()/<>·×≈−-]+")  # one that reads as it is written: a letter, a number, a product


def add_search_texts(root, site):
    """Write what the search needs of the pages of the folder `site` beside them; the script that reads it is put in by the extension."""
    from bs4 import BeautifulSoup

    if not (site / SCRIPT).is_file():
        return
    words, notebooks = keywords.keywords(root), [p for p in project.toc_pages(root) if p.endswith(".ipynb")]
    chapters, pages, soups = {project.html_name(page) for page in notebooks}, [], {}
    for path in accessible.pages(site):
        name = path.relative_to(site).as_posix()
        soups[name] = soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        if name not in NO_TEXT and soup.article and soup.article.h1:
            listed = words.get(name.removeprefix("book/").removesuffix(".html"), [])
            pages.append(
                {"page": name, "chapter": name in chapters, "keywords": listed, "sections": sections(soup.article)}
            )
    found = {
        "pages": pages,
        "terms": _terms(root, soups),
        "absent": [_absent(row, pages) for row in keywords.absent(root)],
    }
    script = f"companionTexts({json.dumps(found, ensure_ascii=False)});\n"
    (site / "searchtexts.js").write_text(script, encoding="utf-8", newline="\n")


def sections(article):
    """[[anchor, heading, text]] of an article, in order; the first is the page's own, and the article loses what is no text.

    Lines of a text are paragraphs, entries of a list or rows of a table, whose cells are set apart by points: a result of the search
    shows lines, and no row runs into the next.
    """
    for formula in article.select("span.math"):
        if plain := _plain_formula(formula.get_text()):
            formula.replace_with(plain)
    for tag in article.select(DROPPED):
        tag.decompose()
    found, current, last = [], None, None
    for string in article.find_all(string=True):
        parent = string.parent
        if heading := parent if HEADINGS.match(parent.name) else parent.find_parent(HEADINGS):
            if current is None or heading is not current[0]:
                section = heading.find_parent("section")
                current = (heading, [section["id"] if section and section.get("id") and found else "", [], []])
                found.append(current[1])
            current[1][1].append(string)
        elif current and type(string).__name__ == "NavigableString":
            if string.strip():
                current[1][2].append(_between(last, string))
                last = string
            current[1][2].append(string.replace("\n", " "))
    return [[anchor, _words("".join(heading)), _lines("".join(text))] for anchor, heading, text in found]


def _between(last, string):
    """What stands between two pieces of text: nothing in one paragraph, a point between cells, else the end of a line."""
    if last is None:
        return ""
    before, here = _block(last), _block(string)
    if before is not here:
        label = before is not None and here is not None and (before.name, here.name) == ("dt", "dd")
        return ": " if label else "\n"
    cells = [piece.find_parent(["td", "th"]) for piece in (last, string)]
    return " · " if cells[0] is not cells[1] else ""


def _block(string):
    """The row of a table that a piece of text stands in, or else the innermost block."""
    return string.find_parent("tr") or (string.find_parent("dd") and _definition(string)) or string.find_parent(BLOCKS)


def _definition(string):
    """The only paragraph of a definition is the definition itself, so that its word can stand before it."""
    inner, outer = string.find_parent(BLOCKS), string.find_parent("dd")
    return outer if inner.parent is outer and inner is outer.find(True) else inner


def _plain_formula(tex):
    """A formula as text where it reads as it is written, such as p or 9 · 9 · 2 = 162; else nothing."""
    text = re.sub(r"\\([()])|\\[,;! ]", "", tex)
    for command, sign in ((r"\cdot", "·"), (r"\times", "×"), (r"\approx", "≈"), ("-", "−")):
        text = text.replace(command, sign)
    return text.strip() if PLAIN_FORMULA.fullmatch(text) and "_" not in text else ""


def _lines(text):
    return "\n".join(line for line in map(_words, text.split("\n")) if line)


def _words(text):
    return re.sub(r"\s+([.,;:)])|(\()\s+", r"\1\2", " ".join(text.split()))


def _terms(root, soups):
    """The entries of the glossary with their other forms and the place that explains them."""
    if glossary_cards.GLOSSARY not in soups:
        return []
    forms = glossary_cards.other_forms(project.read_text(root / "book" / "glossary.md"))
    return [
        {
            "term": term.name,
            "forms": [term.name, *forms.get(term.name, ())],
            "entry": f"{glossary_cards.GLOSSARY}#{term.anchor}",
            "meaning": _plain(term.meaning),
            "href": f"book/{term.href}" if term.href else "",
            "text": term.text,
        }
        for term in glossary_cards.terms_of(soups[glossary_cards.GLOSSARY])
    ]


def _plain(html):
    """A meaning as text."""
    from bs4 import BeautifulSoup

    return BeautifulSoup(html.replace("<sup>", "^"), "html.parser").get_text()


def _absent(row, pages):
    """A row of what the book does not treat, with the title of the page, or of its section, that comes nearest."""
    name, _, section = row.page.partition("#")
    found = next((page["sections"] for page in pages if page["page"] == f"book/{name}.html"), [("", name, "")])
    titles = [found[0][1], *(heading for anchor, heading, _ in found[1:] if section and anchor == section)]
    href = f"book/{name}.html" + (f"#{section}" if section else "")
    return {"words": row.words, "says": row.says, "href": href, "title": " › ".join(titles)}
