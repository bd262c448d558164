"""The committed notebooks: whether they are the pairs of their Markdown, and the only place that writes their outputs."""

import os

from companion.publish import UserError
from companion.publish.notebooks import chapters, checks
from companion.publish.notebooks.checks import check_executed
from companion.publish.notebooks.execution import KERNEL_ENVIRONMENT


def refresh(root, chapter):
    """Execute a chapter with its default parameters and write `book/<chapter>.ipynb`, the Markdown's pair.

    Repeated on one machine it writes the same bytes: no timings, and cell ids are kept. Raises UserError.
    """
    import nbclient
    import nbformat

    os.environ.update(KERNEL_ENVIRONMENT)
    notebook = chapters.read_source(root, chapter)
    chapters.parameters(notebook)
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=None,
        startup_timeout=300,
        record_timing=False,
        coalesce_streams=True,  # else where one cell's prints are split depends on timing
        resources={"metadata": {"path": str(root / "book")}},
        extra_arguments=["--IPKernelApp.log_level=50"],
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise UserError(f"{chapter}: a cell failed with {error.ename}: {error.evalue}") from None
    except nbclient.exceptions.DeadKernelError:
        raise UserError(f"{chapter}: its kernel died, most likely for lack of memory.") from None
    for cell in chapters.code_cells(notebook):
        for output in cell.outputs:
            for run in output.get("metadata", {}).get("companion_record", {}).get("runs", []):
                del run["history"]["seconds"]
    notebook.metadata["companion"] = {"hash": chapters.code_hash(notebook)}
    notebook.metadata.pop("language_info", None)  # names the Python that happened to run it
    if problems := checks.check_executed(notebook, chapter):
        raise UserError("; ".join(problems))
    _keep_ids(notebook, chapters.pair_path(root, chapter))
    nbformat.validate(notebook)
    chapters.write_notebook(notebook, chapters.pair_path(root, chapter))


def stale(root, chapter):
    """Whether the committed notebook has to be refreshed."""
    return bool(check_pair(root, chapter))


def _keep_ids(notebook, old_path):
    """Give each cell the id that the cell with the same source had before."""
    try:
        known = {cell.source: cell.id for cell in chapters.read_notebook(old_path).cells}
    except UserError:  # there is none, or a damaged one: this one takes its place
        return
    taken = set()
    for number, cell in enumerate(notebook.cells):
        identity = known.get(cell.source)
        if identity is None or identity in taken:
            identity = f"cell-{number:02d}"
        while identity in taken:
            identity += "x"
        taken.add(identity)
        cell["id"] = identity


def check_pair(root, chapter):
    """Whether the committed notebook is the Markdown's pair, was executed in order, and is not stale."""
    source = chapters.read_source(root, chapter)
    try:
        pair = chapters.read_notebook(chapters.pair_path(root, chapter))
    except UserError as error:
        return [str(error)]
    if [_content(cell) for cell in source.cells] != [_content(cell) for cell in pair.cells]:
        return [
            f"{chapter}.ipynb differs from {chapter}.md: run `make refresh` (or `jupytext --sync` to take an edited notebook)"
        ]
    problems = check_executed(pair, chapter)
    if pair.metadata.get("companion", {}).get("hash") != chapters.code_hash(source):
        problems.append(
            f"{chapter}.ipynb shows outputs of other code, parameters or package sources: run `make refresh`"
        )
    return problems


def _content(cell):
    return cell.cell_type, cell.source.strip(), {k: v for k, v in cell.metadata.items() if v != []}
