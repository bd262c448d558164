"""The book without its solutions, for teachers: filtered notebooks, a filtered site, and notebooks to hand out."""

import copy
import re

from companion.publish import UserError, project
from companion.publish.notebooks import chapters, form

BANNER = "Edition for courses: the exercises stand here without their solutions."
SITE = "html-without-solutions"
EXERCISES = re.compile(r"^## Exercises\s*$", re.M)
SECTION = re.compile(r"^## ", re.M)
POINTER = re.compile(r"^Solution\b", re.I)
PLACE = "# Your answer"


def without_solutions(notebook, chapter, place=None):
    """A copy without the cells tagged `solution` and the lines that announce them.

    `place`, if given, is the text of the code cell that stands where each solution stood. Raises UserError where the tags
    are missing: no cell has one, or code under the exercises has neither `solution` nor `exercise`.
    """
    import nbformat

    result = copy.deepcopy(notebook)
    cells, section, removed = [], False, 0
    for cell in result.cells:
        if "solution" in chapters.tags(cell):
            removed += 1
            if place is not None and not (cells and cells[-1].metadata.get("companion_place")):
                cells.append(nbformat.v4.new_code_cell(place, metadata={"companion_place": True}))
                cells[-1]["id"] = cell.get("id", cells[-1]["id"])
            continue
        if cell.cell_type == "markdown":
            for found in SECTION.finditer(cell.source):
                section = bool(EXERCISES.match(cell.source, found.start()))
            cell.source = _without_pointers(cell.source)
        elif section and "exercise" not in chapters.tags(cell):
            raise UserError(
                f"{chapter}: a code cell under its exercises has neither the tag 'solution' nor 'exercise': "
                f"{cell.source.strip()[:60]!r}"
            )
        if cell.source.strip():
            cells.append(cell)
    if not removed:
        raise UserError(f"{chapter}: no cell has the tag 'solution', so there is nothing to leave out.")
    for cell in cells:
        cell.metadata.pop("companion_place", None)
    result.cells = cells
    return result


def _without_pointers(text):
    """The text without paragraphs such as "Solution (open the cell below): …", which would lead nowhere."""
    paragraphs = re.split(r"\n{2,}", text)
    kept = [paragraph for paragraph in paragraphs if not POINTER.match(paragraph)]
    return text if len(kept) == len(paragraphs) else "\n\n".join(kept)


def notebook_to_hand_out(root, chapter):
    """The chapter's source as a notebook without outputs, with an empty cell where each solution stood."""
    notebook = without_solutions(form.shut(chapters.read_source(root, chapter)), chapter, place=PLACE)
    kernel = notebook.metadata.get("kernelspec")
    notebook.metadata = type(notebook.metadata)({"kernelspec": kernel} if kernel else {})
    return notebook


def write_notebooks(root, names, folder):
    """Write the notebooks to hand out, `<folder>/<chapter>.ipynb`; returns their paths. Nothing is executed."""
    notebooks = {name: notebook_to_hand_out(root, name) for name in names}  # all of them, or none
    try:
        for name, notebook in notebooks.items():
            chapters.write_notebook(notebook, folder / f"{name}.ipynb")
    except OSError as error:
        raise UserError(f"The notebooks cannot be written to {folder}: {error.strerror}.") from None
    return [folder / f"{name}.ipynb" for name in names]


def close_doors(root, stage, names):
    """Prepare the stage of the site without solutions: no button leads to the notebooks that hold them.

    The notebooks to hand out lie beside the pages, in `handout/`.
    """
    import yaml

    path = stage / "_config.yml"
    config = project.config(stage)
    config.pop("launch_buttons", None)
    for button in ("use_repository_button", "use_issues_button", "use_edit_page_button"):
        config.setdefault("html", {}).pop(button, None)
    config["html"]["announcement"] = BANNER
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    write_notebooks(root, names, stage / "extra" / "handout")
