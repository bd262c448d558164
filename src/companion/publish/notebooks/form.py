"""The form of a chapter: its head, folds, predictions, exercises, and the order of its sections.

`problems` says what a chapter lacks of it, in sentences; an empty list means that all is well. What a page shows of the form is put
in by `pages/reading.py`, what Jupyter and Colab show by `shut`.
"""

import re
from itertools import groupby

from companion.publish.notebooks import chapters

HEAD = ("Question", "Before this", "Time", "Level", "After this you can")
LEVELS = ("first steps", "second step", "advanced")
KINDS = ("count", "predict", "change one thing", "open")
END = (
    "Against the report",
    "What the report does not say",
    "Summary",
    "Use it tomorrow",
    "Exercises",
    "References",
)
NAMED = re.compile(
    r"# @title[ \t]+(\S.*?)[ \t]*(?:\n|$)"
)  # Colab's own mark: it shows the name, and folds the cell below it
FOLDED = ("hide-cell", "hide-input")
NOT_SEEN = {*FOLDED, "remove-cell", "remove-input", "solution"}
HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$", re.M)
ANSWER = re.compile(r"answer-(\d+)$")
TIME = re.compile(r"about (\d+) minutes? to read, (?:about )?(\d+) seconds? to run")
WORDS, LINES = 200, 30  # that a reader reads in a minute: words of the text, lines of code


# ------------------------------------------------------------------------------------------------------------------ folds


def fold_name(cell):
    """The name of a folded code cell, from its first line `# @title NAME`; "" without one."""
    found = NAMED.match(cell.source) if cell.cell_type == "code" else None
    return found[1] if found else ""


def without_name(source):
    """The code below the line that names it."""
    return NAMED.sub("", source, count=1) if NAMED.match(source) else source


def shut(notebook):
    """Say to Jupyter and Colab which cells are folded; the Markdown says it by tags, and jupytext keeps these words out of it."""
    for cell in chapters.code_cells(notebook):
        if found := set(FOLDED) & set(chapters.tags(cell)):
            cell.metadata["cellView"] = "form"
            cell.metadata["jupyter"] = {"source_hidden": True}
            if "hide-cell" in found:
                cell.metadata["jupyter"]["outputs_hidden"] = True
    return notebook


# --------------------------------------------------------------------------------------------------- how long a page takes


def seen_code(notebook):
    """The lines of code that a reader of the page sees: not those in folded cells, no comments, no empty lines."""
    cells = [cell for cell in chapters.code_cells(notebook) if not NOT_SEEN & set(chapters.tags(cell))]
    lines = [line.strip() for cell in cells for line in cell.source.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def seen_words(notebook):
    """How many words a reader sees without unfolding anything: no solutions, no hints, no addresses of links."""
    shown = [
        c for c in notebook.cells if c.cell_type == "markdown" and not {"solution", "hint"} & set(chapters.tags(c))
    ]
    return sum(len(re.sub(r"\]\([^)]*\)", "]", cell.source).split()) for cell in shown)


def reading_minutes(notebook):
    """How long reading the page takes, by its words and its lines of code."""
    return seen_words(notebook) / WORDS + len(seen_code(notebook)) / LINES


def stated_times(notebook):
    """(minutes to read, seconds to run) by the chapter's head; None where it does not say so."""
    found = [TIME.search(dict(head_items(cell.source)).get("Time", "")) for cell in _tagged(notebook, "head")]
    return tuple(map(int, found[0].groups())) if found and found[0] else None


def head_items(text):
    """The items of a chapter's head as (bold word, what follows it)."""
    items = [re.match(r"\*\*(.+?)\*\*(.*)", item, re.S) for item in re.split(r"^- ", text, flags=re.M)[1:]]
    return [(found[1].rstrip(": "), " ".join(found[2].lstrip(":").split())) for found in items if found]


# ------------------------------------------------------------------------------------------------------- what a page lacks


def problems(notebook, name):
    """What a chapter's notebook lacks of the form."""
    found = [_head, _folds, _predictions, _exercises, _sections]
    return [f"{name}: {problem}" for part in found for problem in part(notebook)]


def _tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in chapters.tags(cell)]


def _head(notebook):
    heads = _tagged(notebook, "head")
    if len(heads) != 1 or notebook.cells[1:2] != heads or heads[0].cell_type != "markdown":
        yield "the second cell, directly under the title, has to be its head: Markdown with the tag 'head'"
        return
    items = dict(head_items(heads[0].source))
    if tuple(items) != HEAD:
        yield f"the head has the items {', '.join(items) or 'none'}; it needs {', '.join(HEAD)}, in bold, in this order"
    elif stated_times(notebook) is None:
        yield "the head's time has to be of the form 'about 12 minutes to read, 15 seconds to run'"
    elif items["Level"].rstrip(".") not in LEVELS:
        yield f"the head's level is {items['Level']!r}; it has to be one of: {', '.join(LEVELS)}"


def _folds(notebook):
    for number, cell in enumerate(chapters.code_cells(notebook), 1):
        folded = set(FOLDED) & set(chapters.tags(cell))
        if folded and not fold_name(cell) and number > 1:  # the first cell is the same in every chapter
            yield f"code cell {number} is folded and has no name: its first line has to be '# @title NAME'"
        elif fold_name(cell) and not folded:
            yield f"code cell {number} has the name {fold_name(cell)!r} and is not folded: it needs the tag hide-cell or hide-input"


def _predictions(notebook):
    asked = _tagged(notebook, "predict")
    if len(asked) != 1 or asked[0].cell_type != "markdown":
        yield f"one Markdown cell has to have the tag 'predict'; {len(asked)} have it"
        return
    place = notebook.cells.index(asked[0])
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", asked[0].source, re.M)]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        yield "the cell tagged 'predict' has to hold a list of questions, numbered from 1"
    answered = set()
    for index, cell in enumerate(notebook.cells):
        for number in answers_of(cell):
            answered.add(number)
            if index < place:
                yield f"the answer to question {number} stands above the question"
            if number not in numbers:
                yield f"a cell has the tag 'answer-{number}', and there is no such question"
        if answers_of(cell) and cell.cell_type == "markdown" and "\n#" in "\n" + cell.source.strip():
            yield "a Markdown cell that answers a question has to be one without a heading"
    yield from (
        f"question {number} of 'Predict first' has no cell tagged 'answer-{number}'"
        for number in numbers
        if number not in answered
    )


def answers_of(cell):
    """The numbers of the questions of "Predict first" that this cell answers."""
    return [int(found[1]) for found in map(ANSWER.match, chapters.tags(cell)) if found]


def _exercises(notebook):
    told = [c.source for c in notebook.cells if c.cell_type == "markdown" and "solution" not in chapters.tags(c)]
    if any(re.search(r"^Solution\b", text, re.M) for text in told):
        yield "a sentence announces a solution, which its fold does already: 'Solution …'"
    exercises = []  # (title, [cells below it])
    for cell in notebook.cells:
        headings = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        titles = [title for marks, title in headings if len(marks) == 3 and title.startswith("Exercise ")]
        exercises += [(title, []) for title in titles]
        if any(len(marks) == 2 for marks, _ in headings):
            if titles and headings[0][0] == "##":
                continue
            if exercises:
                break  # the next section
        elif exercises and not titles:
            exercises[-1][1].append(cell)
    if not exercises:
        yield "it has no exercise: '### Exercise 1: count'"
    for number, (title, cells) in enumerate(exercises, 1):
        kind = title.partition(": ")[2]
        if title != f"Exercise {number}: {kind}" or kind not in KINDS:
            yield f"{title!r} has to be 'Exercise {number}: ' and one of: {', '.join(KINDS)}"
        yield from (f"exercise {number}: {problem}" for problem in _exercise(kind, cells))


def _exercise(kind, cells):
    hints = [cell for cell in cells if "hint" in chapters.tags(cell)]
    runs = [list(run) for solved, run in groupby(cells, lambda cell: "solution" in chapters.tags(cell)) if solved]
    for cell in hints:
        if not opened(cell.source, "Hint"):
            yield "its hint has to be a Markdown cell: <details>, <summary>Hint</summary>, an empty line, text, an empty line, </details>"
    if not runs:
        if kind == "open" and not hints:
            yield "it is open and has no hint"
        elif kind != "open":
            yield "it has no solution"
        return
    first, *others = runs[0]
    if len(runs) > 1:
        yield "its solution has to be one run of cells tagged 'solution'"
    if first.cell_type != "markdown" or not opened(first.source, "Solution"):
        yield (
            "its solution has to begin with a Markdown cell tagged 'solution': <details>, <summary>Solution</summary>, "
            "an empty line, text, an empty line, </details>"
        )
    for cell in others:
        if cell.cell_type == "code" and not ("hide-cell" in chapters.tags(cell) and fold_name(cell)):
            yield "the code of its solution needs the tags 'solution' and 'hide-cell' and a first line '# @title Solution'"


DETAILS = r"\s*<details>\n+<summary>{}</summary>\n\n(.*?)\n*</details>\s*"


def opened(text, summary):
    """What stands inside a cell that is one `<details>` with this summary; "" where it is none."""
    found = re.fullmatch(DETAILS.format(summary), text, re.S)
    return found[1].strip() if found else ""


def _sections(notebook):
    titles = [
        title
        for c in notebook.cells
        if c.cell_type == "markdown"
        for marks, title in HEADING.findall(c.source)
        if marks == "##"
    ]
    if "Predict first" not in titles:
        yield "it has no section 'Predict first'"
    if missing := [title for title in END if title not in titles and title != "What the report does not say"]:
        yield f"it has no section {', '.join(map(repr, missing))}"
    end = [title for title in END if title in titles]
    if not missing and titles[-len(end) :] != end:
        yield f"its last sections have to be, in this order: {', '.join(end)}"
    yield from _use(notebook)


def _use(notebook):
    """The section "Use it tomorrow" has code that stands by itself."""
    own, section = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = ([section] + [title for marks, title in HEADING.findall(cell.source) if marks == "##"])[-1]
        elif section == "Use it tomorrow":
            own.append(cell.source)
    if section and not own:
        yield "'Use it tomorrow' has no code cell"
    if any(re.search(r"^\s*(from|import) companion\b", code, re.M) for code in own):
        yield "the code of 'Use it tomorrow' imports companion: it has to work in anyone's own project"
