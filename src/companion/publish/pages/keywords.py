"""Words that readers type and a page does not use, for the search."""

import re

from companion.publish import UserError, project
from companion.publish.notebooks import chapters


def keywords(root):
    """{page: [words that readers type and the page does not use]} from `book/keywords.yml`; empty where there is none."""
    path = root / "book" / "keywords.yml"
    if not path.is_file():
        return {}
    found = project.read_yaml(path) or {}
    pages = {page.partition(".")[0].removeprefix("book/") for page in project.toc_pages(root)}
    for page, words in found.items() if isinstance(found, dict) else [("the file", None)]:
        if not isinstance(words, list) or not all(isinstance(w, str) and re.fullmatch(r"[\w'.]+", w) for w in words):
            raise UserError(f"book/keywords.yml: {page} needs a list of single words.")
        if page not in pages:
            raise UserError(f"book/keywords.yml: the book has no page {page!r}.")
    return found


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
