"""How the tests read what the book is made of: its pages, the text of its chapters, and their questions."""

from books import ROOT
from bs4 import BeautifulSoup

from companion.publish.notebooks import chapters
from companion.publish.pages import bibliography, questions


def soup(markup):
    return BeautifulSoup(markup, "html.parser")


def source(name):
    """A chapter's Markdown as a notebook without outputs."""
    return chapters.read_source(ROOT, name)


def markdown(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def counted(name):
    """The numbers that the questions of a chapter ask the reader to count."""
    return [questions.calculate(q["answer"]) for q in questions.load_questions(ROOT, name) if "answer" in q]


def works_cited(name):
    """The keys of the entries of the bibliography that lead back to this chapter."""
    page = soup(bibliography.bibliography_html(ROOT / "book" / "references.bib", {name: source(name)}))
    return {item["id"] for item in page.find_all("li") if item.select(f'.cited-in a[href="{name}.html"]')}
