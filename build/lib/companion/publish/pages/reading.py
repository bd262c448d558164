"""What a chapter's staged copy has that its notebook has not: links inside the site, the box of predictions, questions."""

import re

from companion.publish.pages import questions
from companion.publish.project import colab_address

HEADED = re.compile(r"^#{2,} Predict first\s*$")
PARAGRAPH = re.compile(r"^\*\*Predict first\.?\*\*")
ITEM = re.compile(r"^\d+\. ")


def prepare(root, repository, notebook, chapter, chapters):
    """Turn a copy of an executed chapter into the page of a site that holds these chapters."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = link_inside(cell.source, repository, chapters)
            cell.source = box_predictions(cell.source)
    questions.add_questions(root, notebook, chapter)


def link_inside(text, repository, chapters):
    """Links to chapters in Colab and to the book's pages on GitHub become links to the site's own pages.

    A notebook may be opened anywhere (in Colab, from a copy in Drive, out of a mail), so its own links are whole addresses.
    """
    colab = re.escape(colab_address(repository))
    known = "|".join(map(re.escape, chapters))
    text = re.sub(rf"\]\({colab}({known})\.ipynb([#)])", r"](\1.ipynb\2", text)
    return re.sub(rf"\]\({re.escape(repository)}/blob/main/book/([\w-]+)\.md([#)])", r"](\1.md\2", text)


def box_predictions(text):
    """Put what "Predict first" asks into a box: from its first line to the end of its numbered list.

    The text begins at a heading, which stays above the box, or at a paragraph with these words in bold.
    """
    lines = text.split("\n")
    marked = [i for i, line in enumerate(lines) if HEADED.match(line) or PARAGRAPH.match(line)]
    if not marked:
        return text
    first = marked[0] + 1 if lines[marked[0]].startswith("#") else marked[0]
    while first < len(lines) and not lines[first].strip():
        first += 1
    end, item = len(lines), False
    for number in range(first, len(lines)):
        line, before = lines[number], lines[number - 1]
        plain = line.strip() and not line.startswith(" ") and not ITEM.match(line)
        if line.startswith("#") or (item and plain and not before.strip()):
            end = number
            break
        item = item or bool(ITEM.match(line))
    while end > first and not lines[end - 1].strip():
        end -= 1
    if first == end:
        return text
    box = [":::{container} predict-first", *lines[first:end], ":::"]
    after = lines[end:] if end < len(lines) and not lines[end].strip() else ["", *lines[end:]]
    return "\n".join([*lines[:first], *box, *after]).rstrip("\n")
