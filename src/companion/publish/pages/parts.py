"""The contents by question: the parts of the book, each with its page, its chapters and the reports that these judge."""

import re
from dataclasses import dataclass

from companion.evidence.ledger import load_claims
from companion.publish import project
from companion.publish.notebooks import chapters, form, template
from companion.publish.pages.rendering import render

CONTENTS, CHAPTERS = "contents-by-question", "chapters-of-this-part"


@dataclass(frozen=True)
class Entry:
    """A chapter in the contents: its name, title and question as text, the letters of its reports, how long it takes to read, its level."""

    name: str
    title: str
    question: str
    reports: tuple
    time: str
    level: str


def reports_of(chapter):
    """The letters of the reports whose claims the chapter judges."""
    return tuple(sorted({claim.report for claim in load_claims(chapter).values()}))


def entry(notebook, name):
    """A chapter's `Entry`; its head, where it has one, says its question, its time and its level."""
    cells = [cell.source for cell in notebook.cells if "head" in chapters.tags(cell)]
    words = {key.lower(): _plain(text) for key, text in form.head_items("\n".join(cells))}
    time = re.search(r"about \d+ minutes", words.get("time", ""))
    return Entry(
        name,
        chapters.title_of(notebook),
        words.get("question", ""),
        reports_of(name),
        time[0] if time else "",
        words.get("level", ""),
    )


def _plain(text):
    """Markdown of one or two lines as plain text."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`$]", "", text).split())


def contents(root, executed):
    """[(caption, page that opens the part, its `Entry`s)] of the parts that have chapters."""
    pages = {part["part"]: template.part_page(part) for part in template.parts()}
    found = []
    for part in project.contents(root)[1]:
        names = [chapters.name_of(page) for page in part.pages if page.endswith(".ipynb")]
        if names := [name for name in names if name in executed]:
            opening = pages.get(part.caption, "")
            found.append((part.caption, opening * (opening in part.pages), [entry(executed[n], n) for n in names]))
    return found


def pieces(root, executed):
    """{page: (marker, HTML)}: the contents for the front page, and for each part's page its chapters."""
    parts = contents(root, executed)
    found = {
        page: (CHAPTERS, render("contents", parts=[("", "", entries)], up="../")) for _, page, entries in parts if page
    }
    return {"book/index": (CONTENTS, render("contents", parts=parts, up="")), **found}
