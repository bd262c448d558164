"""The page of references: every entry of `references.bib`, with links back to the chapters that cite it."""

import re

from companion.publish import UserError
from companion.publish.notebooks.chapters import title_of
from companion.publish.pages.rendering import render

LINK = re.compile(r"\]\((https?://[^)\s]+)\)")


def identity(address):
    """What names the work behind an address: its arXiv number, its DOI, or the address without scheme and last slash."""
    if found := re.search(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})", address, re.I):
        return f"arxiv:{found.group(1)}"
    if found := re.search(r"doi\.org/(10\.\S+)", address, re.I):
        return f"doi:{found.group(1).lower()}"
    return re.sub(r"^https?://(www\.)?", "", address).rstrip("/")


def load_entries(path):
    """{key: entry} of a .bib file. Raises UserError when it cannot be read."""
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError

    try:
        return dict(parse_file(str(path), bib_format="bibtex").entries)
    except (OSError, UnicodeDecodeError, PybtexError) as error:
        raise UserError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from None


def identities(entry):
    """Every name of an entry: of its url and of its doi."""
    names = {identity(entry.fields["url"])} if "url" in entry.fields else set()
    return names | ({identity(f"https://doi.org/{entry.fields['doi']}")} if "doi" in entry.fields else set())


def cited(notebook):
    """What a chapter's text links to, as a set of identities."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return {identity(address) for text in texts for address in LINK.findall(text)}


def references(notebook):
    """What a chapter's section "References" links to, as a list of addresses."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    _, _, section = text.partition("\n## References\n")
    return LINK.findall(section)


def bibliography_html(path, executed):
    """The entries by author and year, each with the chapters ({name: notebook}) that cite it."""
    from markupsafe import Markup
    from pybtex.plugin import find_plugin

    entries = load_entries(path)
    if not entries:
        return ""
    style = find_plugin("pybtex.style.formatting", "plain")(abbreviate_names=False)
    backend = find_plugin("pybtex.backends", "html")()
    try:
        formatted = list(style.format_entries(entries.values()))
    except Exception as error:  # a field that the style needs is missing: pybtex has a class for each way
        raise UserError(f"{path.name} cannot be formatted: {' '.join(str(error).split())}") from None
    links = {name: cited(notebook) for name, notebook in executed.items()}
    titles = {name: title_of(notebook) for name, notebook in executed.items()}
    works = [
        {
            "key": work.key,
            "text": Markup(" ".join(work.text.render(backend).split())),
            "chapters": [name for name in executed if links[name] & identities(entries[work.key])],
        }
        for work in formatted
    ]
    return render("bibliography", works=works, titles=titles)
