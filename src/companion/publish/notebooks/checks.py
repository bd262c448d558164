"""Refuses what the tools let pass in silence in executed notebooks.

Every check returns a list of sentences; an empty list means that all is well.
"""

import re

from companion.publish.notebooks import chapters

MACHINE_PATH = re.compile(r"(?<![\w/.])(/(home|root|tmp|work|Users|private|var|opt)/\w|[A-Za-z]:\\Users\\)")
MIN_ALT = 20  # characters: enough for a sentence, too long for a file name


def check_executed(notebook, name):
    """What is wrong with a notebook that was executed."""
    problems, number = [], 0
    for index, cell in enumerate(notebook.cells):
        if "papermill-error-cell-tag" in chapters.tags(cell):
            problems.append(f"{name}: cell {index} is papermill's error banner")
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        number += 1
        where = f"{name}: code cell {number}"
        if cell.execution_count is None:
            problems.append(f"{where} was not executed")
        elif cell.execution_count != number:
            problems.append(f"{where} was executed as number {cell.execution_count}, not in order from top to bottom")
        for output in cell.outputs:
            problems += [f"{where} {problem}" for problem in _check_output(output, cell)]
        if _alt(cell) and not any(mime.startswith("image/") for o in cell.outputs for mime in o.get("data", {})):
            problems.append(f"{where} has alt text and draws no figure")
    if number == 0:
        problems.append(f"{name}: has no code cell")
    return problems


def _check_output(output, cell):
    if output.output_type == "error":
        yield f"ended with {output.ename}: {output.evalue}"
    if output.get("name") == "stderr":
        yield f"wrote to stderr: {output.text.strip()[:80]!r}"
    data = output.get("data", {})
    if any("widget" in mime for mime in data):
        yield "shows a widget, which is dead on the page"
    texts = [output.get("text", ""), *(value for mime, value in data.items() if mime.startswith("text/"))]
    for text in texts:
        if found := MACHINE_PATH.search(text if isinstance(text, str) else "".join(text)):
            yield f"shows a path of the machine: {found.group()}…"
    if any(mime.startswith("image/") for mime in data) and len(_alt(cell)) < MIN_ALT:
        yield "draws a figure without alt text (cell metadata mystnb: image: alt)"


def _alt(cell):
    """The text that stands for the cell's figure, from its metadata; "" without one."""
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def check_parameters(notebook, name, defaults):
    """Whether papermill injected only parameters that the chapter has."""
    problems = []
    for cell in chapters.code_cells(notebook):
        if "injected-parameters" in chapters.tags(cell):
            names = re.findall(r"^(\w+) =", cell.source, re.M)
            problems += [f"{name}: unknown parameter {unknown!r}" for unknown in sorted(set(names) - set(defaults))]
    return problems
