"""Words of the glossary in the pages: the first use on a page leads to the entry, and shows it on a small card.

Done in the finished pages, since words also stand in raw HTML, which no step of Sphinx looks into. Without the script the word is a
plain link; the card lies in the page, for a page of the file system may not fetch another.

A word may mean something else in some places. A line `% not: counts the heads` below its entry in the glossary names a phrase in which
it is no link, on whatever page; a later use of the word on that page then is the first.
"""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from companion.publish import project
from companion.publish.site import accessible
from companion.publish.site.rendering import render

GLOSSARY = "book/glossary.html"
SCRIPT = "scripts/terms.js"
NOT_IN = ("index.html", "404.html", "search.html", "genindex.html", GLOSSARY, "book/references.html")
# Where no word becomes a link: headings, what is a link or a control already, code and what it shows, what is folded, pictures.
APART = (
    "h1, h2, h3, h4, h5, h6, a, button, label, legend, summary, details, table, figcaption, pre, code, kbd, samp, script, style, "
    "svg, .math, .highlight, .cell_input, .cell_output, .claim-cards, .tag_solution, .provenance, .questions, .front, .contents-by-question, form, nav"
)


@dataclass(frozen=True)
class Term:
    """An entry of the built glossary: `meaning` is its HTML without the links, `href` and `text` are the place that explains it."""

    name: str
    anchor: str
    meaning: str
    href: str
    text: str


def add_cards(root, built):
    """Link the first use of each word of the glossary on each page of the site `built`, where it has a glossary."""
    from bs4 import BeautifulSoup

    if not (built / GLOSSARY).is_file():
        return
    pages = {path.relative_to(built).as_posix(): path for path in accessible.pages(built)}
    soups = {name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for name, path in pages.items()}
    terms = {term.name: term for term in terms_of(soups[GLOSSARY])}
    source = project.read_text(root / "book" / "glossary.md")
    forms = other_forms(source)
    pattern, names = matcher({name: forms.get(name, ()) for name in terms}, other_meanings(source))
    for name, soup in soups.items():
        article = soup.find("article")
        if name in NOT_IN or article is None:
            continue
        if used := link_first_uses(soup, article, name, pattern, names, terms):
            up = posixpath.relpath(SCRIPT, posixpath.dirname(name) or ".")
            _add(soup, article, [cards(name, used, soups), f'<script defer src="{up}"></script>'])
            pages[name].write_text(str(soup), encoding="utf-8", newline="\n")


def terms_of(glossary):
    """The `Term`s of the glossary's page; the place that explains a word is the first that its entry names after "See"."""
    from bs4 import BeautifulSoup

    for entry in glossary.select("dl.glossary > dt"):
        name = " ".join("".join(entry.find_all(string=True, recursive=False)).split())
        (text,) = entry.find_next_sibling("dd").select("p")[:1] or (entry,)
        html = " ".join(text.decode_contents().split())
        meaning, found, place = html.rpartition("See <a")
        link = BeautifulSoup(f"<a{place}", "html.parser").a if found else None
        meaning = re.sub(r"</?a\b[^>]*>", "", _without_formulas(meaning if found else html)).strip()
        yield Term(name, entry["id"], meaning, link["href"] if link else "", link.get_text(strip=True) if link else "")


def _without_formulas(html):
    """The powers and single letters of a meaning as plain HTML, since most pages do not load what sets formulas."""
    html = re.sub(r'<span class="math[^>]*>\\\((.*?)\\\)</span>', r"<i>\1</i>", html)
    return re.sub(r"<i>(\d+)\^\{?(\w+)\}?</i>", r"\1<sup>\2</sup>", html)


def other_forms(source):
    """{term: its other forms} from the lines `% also: overfits, overfitted` of the glossary's source."""
    entries = re.split(r"\n\n(?=\S)", source.partition("{glossary}")[2])
    found = {entry.strip().partition("\n")[0]: re.findall(r"^\s*% also: *(.+)$", entry, re.M) for entry in entries}
    return {term: tuple(form.strip() for line in lines for form in line.split(",")) for term, lines in found.items()}


def other_meanings(source):
    """The phrases of the glossary's source in which a word is not meant: one in each line `% not: counts the heads`."""
    return tuple(re.findall(r"^\s*% not: *(.+?) *$", source, re.M))


def matcher(forms, phrases=()):
    """A pattern that finds all words of {term: its other forms}, the longest first, and {a form as `_key` gives it: its term}.

    A form in small letters may begin with a capital; one with capitals, such as GAP, is found only as it is written. Plurals need
    not be listed, nor the singular of a term that is a plural. Found too, without a term, are `phrases` that hide the words in them.
    """
    names = {}
    for name, others in forms.items():
        for form in (name, *others):
            for number in (form, *_numbers(form)):
                names.setdefault(_key(number), name)
    spelt = {*names, *map(_key, phrases)}
    words = "|".join(_spelt(form) for form in sorted(spelt, key=lambda form: (-len(form), form)))
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])"), names


def _numbers(form):
    """The plural of a form, or the singular of one that ends like a plural."""
    if re.search(r"[^s]s$", form):
        yield form[:-1]
    elif re.search(r"[^aeiou]y$", form):
        yield form[:-1] + "ies"
    else:
        yield form + ("es" if re.search(r"(s|x|ch|sh)$", form) else "s")


def _key(words):
    """A form with single spaces in the place of hyphens and of the ends of lines."""
    return re.sub(r"[\s-]+", " ", words)


def _spelt(form):
    first = f"[{form[0]}{form[0].upper()}]" if form == form.lower() else re.escape(form[0])
    return first + re.escape(form[1:]).replace(r"\ ", r"[\s-]+")


def link_first_uses(soup, article, page, pattern, names, terms):
    """Turn the first use of each word in an article into a link; returns the terms, in the order of their first use."""
    from bs4 import NavigableString

    apart, used = {id(tag) for tag in article.select(APART)}, {}
    home = posixpath.relpath(GLOSSARY, posixpath.dirname(page) or ".")
    for string in [text for text in article.find_all(string=True) if type(text) is NavigableString]:
        if any(id(parent) in apart for parent in string.parents):
            continue
        pieces, end = [], 0
        for found in pattern.finditer(string):
            key = _key(found[0])
            term = terms.get(names.get(key) or names.get(key[0].lower() + key[1:]))
            if term and term.name not in used:
                used[term.name] = term
                link = soup.new_tag("a", href=f"{home}#{term.anchor}", attrs={"class": "term"})
                link["aria-describedby"] = f"meaning-{term.anchor}"
                link.string = found[0]
                pieces += [string[end : found.start()], link]
                end = found.end()
        if pieces:
            string.replace_with(*(piece for piece in [*pieces, string[end:]] if piece))
    return list(used.values())


def cards(page, terms, soups):
    """The cards of a page as HTML, out of sight until the script shows one beside its word."""
    from markupsafe import Markup

    folder, rows = posixpath.dirname(page) or ".", []
    for term in terms:
        place = urlsplit(urljoin(GLOSSARY, term.href))
        section = soups[place.path].find(id=place.fragment) if place.path in soups and place.fragment else None
        heading = section.find(re.compile("^h[1-6]$")) if section and section.name == "section" else None
        title = heading.get_text().removesuffix("#").strip() if heading else ""
        rows.append(
            {
                "term": term,
                "meaning": Markup(term.meaning),  # from a page that Sphinx has written
                "here": place.path == page,
                "title": title,
                "explained": term.href and _from(folder, place, page),
                "entry": posixpath.relpath(GLOSSARY, folder) + "#" + term.anchor,
            }
        )
    return render("glossary_cards.html", cards=rows)


def _from(folder, place, page):
    path = "" if place.path == page else posixpath.relpath(place.path, folder)
    return path + (f"#{place.fragment}" if place.fragment else "") or "#"


def _add(soup, article, parts):
    """Put these parts of HTML behind an article, where neither the PDF nor the search takes them for its text."""
    from bs4 import BeautifulSoup

    for part in reversed(parts):
        article.insert_after(BeautifulSoup(part, "html.parser"))
