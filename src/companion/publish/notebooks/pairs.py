"""The committed notebooks: whether they are the pairs of their Markdown, and the only place that writes their outputs."""

import base64
import io

from companion.publish import UserError
from companion.publish.notebooks import chapters, checks, form, kernels
from companion.publish.notebooks.checks import check_executed


def refresh(root, chapter):
    """Write `book/<chapter>.ipynb`, the Markdown's pair, with the outputs of its default parameters; returns whether cells ran.

    Where only words have changed since its last run, the outputs are taken over and nothing is executed. Repeated on one
    machine it writes the same bytes: no timings, and cell ids are kept. Raises UserError.
    """
    import nbformat

    notebook = form.shut(chapters.read_source(root, chapter))
    chapters.parameters(notebook)
    old = chapters.derived_notebook(chapters.pair_path(root, chapter))
    ran = not chapters.take_outputs(notebook, old)
    if ran:
        uses = _execute(root, chapter, notebook)
        del notebook.metadata["companion_cpu"]  # another number each time
        for cell in chapters.code_cells(notebook):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = lighter(output.data["image/png"])
                for run in output.get("metadata", {}).get("companion_record", {}).get("runs", []):
                    del run["history"]["seconds"]
        notebook.metadata["companion"] = {"hash": chapters.code_hash(notebook, uses), "uses": uses}
        notebook.metadata.pop("language_info", None)  # names the Python that happened to run it
    if problems := checks.check_executed(notebook, chapter):
        raise UserError("; ".join(problems))
    _keep_ids(notebook, old)
    nbformat.validate(notebook)
    chapters.write_notebook(notebook, chapters.pair_path(root, chapter))
    return ran


def lighter(png, allowed=2.0):
    """A PNG (base64 text) in 256 colours where nobody sees the difference: less than half the bytes for curves and text.

    `allowed` is the root mean square of the difference, in steps of 255. A picture that would lose more, such as a
    photograph, stays as it is.
    """
    import numpy as np
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    few = picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    lost = np.asarray(few.convert("RGB"), np.float32) - np.asarray(picture, np.float32)
    written = io.BytesIO()
    few.save(written, "PNG", optimize=True)
    light = base64.b64encode(written.getvalue()).decode("ascii")
    return light if np.sqrt((lost**2).mean()) < allowed and len(light) < len(png) else png


def _execute(root, chapter, notebook):
    """Run the notebook's cells in place; returns what the run used of the package."""
    import nbclient

    from companion.publish.notebooks import clients

    kernels.use_own_environment()
    kernels.ask_uses(notebook)
    client = clients.Client(
        notebook,
        kernel_name="python3",
        timeout=kernels.cell_limit(),
        startup_timeout=kernels.STARTUP,
        record_timing=False,
        coalesce_streams=True,  # else where one cell's prints are split depends on timing
        resources={"metadata": {"path": str(root / "book")}},
        extra_arguments=["--IPKernelApp.log_level=50"],
    )
    try:
        client.execute()
    except clients.CellStopped as error:
        raise UserError(f"{chapter}: {error}") from None
    except nbclient.exceptions.CellExecutionError as error:
        raise UserError(f"{chapter}: a cell failed with {kernels.reason(error)}") from None
    except nbclient.exceptions.DeadKernelError:
        raise UserError(f"{chapter}: its kernel died, most likely for lack of memory.") from None
    except (OSError, RuntimeError) as error:
        raise UserError(f"{chapter}: it could not be executed: {kernels.reason(error)}") from None
    return kernels.take_uses(notebook)


def stale(root, chapter):
    """Whether the committed notebook has to be refreshed."""
    return bool(check_pair(root, chapter))


def _keep_ids(notebook, old):
    """Give each cell the id that the cell with the same source had before."""
    known = {cell.source: cell.id for cell in old.cells} if old else {}
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
    try:
        source = form.shut(chapters.read_source(root, chapter))
        pair = chapters.read_notebook(chapters.pair_path(root, chapter))
    except UserError as error:
        return [str(error)]
    if [_content(cell) for cell in source.cells] != [_content(cell) for cell in pair.cells]:
        return [
            f"{chapter}.ipynb differs from {chapter}.md: run `make refresh` (or `jupytext --sync` to take an edited notebook)"
        ]
    problems = check_executed(pair, chapter)
    about = pair.metadata.get("companion", {})
    if "uses" not in about or about.get("hash") != chapters.code_hash(source, about["uses"]):
        problems.append(
            f"{chapter}.ipynb shows outputs of other code, parameters, package sources or records: run `make refresh`"
        )
    return problems


def _content(cell):
    return cell.cell_type, cell.source.strip(), {k: v for k, v in cell.metadata.items() if v != []}
