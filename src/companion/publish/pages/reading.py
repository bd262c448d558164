"""What a chapter's staged copy has that its notebook has not: the parts of its form, links inside the site, questions.

Its head, its folds, what is to be predicted, hints, solutions and pictures of ideas are plain Markdown and tags in the notebook, which
reads well anywhere. Here each becomes a box with a class; solutions are folded when the page is there (`site/solutions.py`).
"""

import re

from companion.publish import UserError
from companion.publish.notebooks import chapters as sources
from companion.publish.notebooks import form
from companion.publish.pages import ideas, questions
from companion.publish.project import colab_address

SET_UP = "Set-up, for Colab"  # the first cell of every chapter
HEADED = re.compile(r"^#{2,} Predict first\s*$")
PARAGRAPH = re.compile(r"^\*\*Predict first\.?\*\*")
ITEM = re.compile(r"^\d+\. ")


def prepare(root, repository, notebook, chapter, chapters):
    """Turn a copy of an executed chapter into the page of a site that holds these chapters."""
    name_folds(notebook)
    guessed = any(form.answers_of(cell) for cell in notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = link_inside(cell.source, repository, chapters)
            cell.source = ideas.put_in(root, repository, cell.source, chapter)
            cell.source = shape(cell, chapter)
            cell.source = box_predictions(cell.source, "predict" in sources.tags(cell), GUESSES if guessed else "")
    questions.add_questions(root, notebook, chapter)


def name_folds(notebook):
    """A folded cell's fold is called what its first line `# @title NAME` says, and the line itself is not shown again."""
    for number, cell in enumerate(sources.code_cells(notebook)):
        name = form.fold_name(cell) or (SET_UP if number == 0 and "hide-cell" in sources.tags(cell) else "")
        if name:
            cell.source = form.without_name(cell.source)
            words = {"code_prompt_show": name, "code_prompt_hide": name}
            cell.metadata["mystnb"] = {**cell.metadata.get("mystnb", {}), **words}


def shape(cell, chapter):
    """The text of a Markdown cell with a tag that says what it is, as a box of that class; any other text as it is."""
    tags = sources.tags(cell)
    if "head" in tags:
        return boxed(
            "chapter-head", "\n\n".join(f"{label}\n: {words}" for label, words in form.head_items(cell.source))
        )
    if "hint" in tags:
        return cell.source.replace("<details>", '<details class="hint">', 1)
    if "solution" in tags:
        return boxed("solution-part", form.opened(cell.source, "Solution") or cell.source)
    if classes := " ".join(f"answer-{number}" for number in form.answers_of(cell)):
        if re.search(r"^#{1,6} ", cell.source, re.M):
            raise UserError(
                f"{chapter}: a Markdown cell with the tag {classes} has a heading, and a box cannot hold one: "
                "let the heading stand in a cell of its own."
            )
        return boxed(classes, cell.source)
    return cell.source


def boxed(classes, text):
    """Markdown in a box of these classes; the fence is longer than any inside."""
    fence = ":" * max([4, *(len(found) + 1 for found in re.findall(r"^:{3,}", text, re.M))])
    return f"{fence}{{container}} {classes}\n{text.strip()}\n{fence}"


def link_inside(text, repository, chapters):
    """Links to chapters in Colab and to the book's pages on GitHub become links to the site's own pages.

    A notebook may be opened anywhere (in Colab, from a copy in Drive, out of a mail), so its own links are whole addresses.
    """
    colab = re.escape(colab_address(repository))
    known = "|".join(map(re.escape, chapters))
    text = re.sub(rf"\]\({colab}({known})\.ipynb([#)])", r"](\1.ipynb\2", text)
    return re.sub(rf"\]\({re.escape(repository)}/blob/main/book/([\w-]+)\.md([#)])", r"](\1.md\2", text)


GUESSES = '<script src="../scripts/guesses.js" defer></script>'


def box_predictions(text, tagged=False, script=""):
    """Put what "Predict first" asks into a box: from its first line to the end of its numbered list; below it the script of guesses.

    The text begins at a heading, which stays above the box, or at a paragraph with these words in bold; in a cell that is `tagged` it may
    begin where the cell begins.
    """
    lines = text.split("\n")
    marked = [i for i, line in enumerate(lines) if HEADED.match(line) or PARAGRAPH.match(line)]
    if not marked and not tagged:
        return text
    first = marked[0] + lines[marked[0]].startswith("#") if marked else 0
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
    box += ["", "```{raw} html", script, "```"] if script else []
    after = lines[end:] if end < len(lines) and not lines[end].strip() else ["", *lines[end:]]
    return "\n".join([*lines[:first], *box, *after]).rstrip("\n")
