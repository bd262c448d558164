"""Words that readers type and a page does not use, for the search; and words for what the book does not treat."""

import re
from dataclasses import dataclass

from companion.publish import UserError, project
from companion.publish.notebooks import chapters

FILE = "book/keywords.yml"
ABSENT = "not in this book"
WORDS = r"[\w'.-]+( [\w'.-]+)*"


@dataclass(frozen=True)
class Absent:
    """Words for something that the book does not treat; what a reader learns instead; `page` (and "#section") is the nearest thing."""

    words: tuple
    says: str
    page: str


def keywords(root):
    """{page: [words that readers type and the page does not use]} from `book/keywords.yml`; empty where there is none."""
    found = {page: words for page, words in _read(root).items() if page != ABSENT}
    pages = _pages(root)
    for page, words in found.items():
        if not _are_words(words):
            raise UserError(f"{FILE}: {page} needs a list of words.")
        if page not in pages:
            raise UserError(f"{FILE}: the book has no page {page!r}.")
    return found


def absent(root):
    """What the book does not treat, a list of `Absent`, from the entry "not in this book" of `book/keywords.yml`."""
    pages, found = _pages(root), []
    for row in _read(root).get(ABSENT) or []:
        if not isinstance(row, dict) or not _are_words(row.get("words")) or not isinstance(row.get("says"), str):
            raise UserError(f'{FILE}: each row of "{ABSENT}" needs `words: [...]`, `says: ...` and `page: ...`.')
        if str(row.get("page")).partition("#")[0] not in pages:
            raise UserError(f"{FILE}: the book has no page {row.get('page')!r}.")
        found.append(Absent(tuple(row["words"]), row["says"], row["page"]))
    return found


def _read(root):
    path = root / FILE
    found = (project.read_yaml(path) or {}) if path.is_file() else {}
    if not isinstance(found, dict):
        raise UserError(f"{FILE}: the file needs a list of words for each page.")
    return found


def _pages(root):
    return {page.partition(".")[0].removeprefix("book/") for page in project.toc_pages(root)}


def _are_words(words):
    return isinstance(words, list) and all(isinstance(word, str) and re.fullmatch(WORDS, word) for word in words)


def add_keywords(book, words):
    """Give the staged pages their keywords, where the search index finds them."""
    import nbformat

    for page, listed in words.items():
        meta = {"html_meta": {"keywords": ", ".join(listed)}}
        path = book / f"{page}.ipynb"
        if path.is_file():
            notebook = nbformat.read(path, as_version=4)
            notebook.metadata["myst"] = meta
            chapters.write_notebook(notebook, path)
        else:
            path = book / f"{page}.md"
            line = meta["html_meta"]["keywords"]
            front = f'---\nmyst:\n  html_meta:\n    keywords: "{line}"\n---\n\n'
            path.write_text(front + path.read_text(encoding="utf-8"), encoding="utf-8")
