"""A chapter's source, its paired notebook, its parameters, and the hash that ties outputs to code."""

import ast
import hashlib
import json
import re
from pathlib import Path

from companion.publish import UserError
from companion.publish.project import PACKAGE, read_text, toc_pages, write_whole


def chapter_names(root):
    """The chapters that are notebooks, in the order of `_toc.yml`."""
    return [name_of(page) for page in toc_pages(root) if page.endswith(".ipynb")]


def name_of(page):
    """The chapter's name of a page such as "book/depth.ipynb"."""
    return Path(page).stem


def title(root, chapter):
    """The chapter's title, from the first heading of its Markdown."""
    found = re.search(r"^# +(.+?)\s*$", read_text(source_path(root, chapter)).partition("\n---\n")[2], re.M)
    if not found:
        raise UserError(f"book/{chapter}.md has no title: it begins with a line like `# Dropout`, below its settings.")
    return found.group(1)


def source_path(root, chapter):
    path = root / "book" / f"{chapter}.md"
    if not path.is_file():
        raise UserError(
            f"There is no chapter {chapter!r}; the chapters are {', '.join(chapter_names(root)) or 'none'}."
        )
    return path


def read_source(root, chapter):
    """The chapter's Markdown as a notebook node without outputs; cell ids count from the top."""
    import jupytext

    notebook = jupytext.reads(read_text(source_path(root, chapter)), fmt={"extension": ".md"})
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
    return notebook


def pair_path(root, chapter):
    return root / "book" / f"{chapter}.ipynb"


def read_notebook(path):
    """A notebook that a command of ours wrote. Raises UserError, with what to do, where it is missing or damaged."""
    import nbformat

    remedy = "run `make book`" if "_build" in path.parts else "run `make refresh`"
    if not path.is_file():
        raise UserError(f"{path.parent.name}/{path.name} is missing: {remedy}, which writes it.")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
        if all(cell.cell_type != "code" or isinstance(cell.outputs, list) for cell in notebook.cells):
            return notebook
        reason = "a code cell has no outputs"
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None
    except Exception as error:  # nbformat's own, and what it meets in JSON that is no notebook
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:80]
    raise UserError(f"{path.parent.name}/{path.name} is damaged ({reason}): {remedy}, which writes it anew.")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def parameters(notebook):
    """{name: default} of the cell tagged `parameters`; its values must be plain literals."""
    cells = [cell for cell in code_cells(notebook) if "parameters" in tags(cell)]
    if len(cells) != 1:
        raise UserError(f"A chapter needs exactly one cell tagged 'parameters'; this one has {len(cells)}.")
    found = {}
    try:
        lines = ast.parse(cells[0].source).body
    except SyntaxError as error:
        raise UserError(f"The parameters cell is no Python: line {error.lineno}, {error.msg}.") from None
    for node in lines:
        try:
            (target,) = node.targets
            found[target.id] = ast.literal_eval(node.value)
        except (AttributeError, ValueError) as error:
            raise UserError(
                f"The parameters cell may hold only lines like `epochs = 10`; line {node.lineno} is not one."
            ) from error
    return found


def check_parameters(chapter, defaults, given):
    """Refuse a parameter that the chapter does not have."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise UserError(f"{chapter} has no parameter {', '.join(map(repr, unknown))}; it has {', '.join(defaults)}.")


def dependencies(notebook):
    """The package files that a chapter's outputs depend on: modules, ledger, and the records that its code loads."""
    modules = [
        p for p in PACKAGE.rglob("*.py") if "publish" not in p.relative_to(PACKAGE).parts and p.name != "__main__.py"
    ]
    code = "\n".join(cell.source for cell in code_cells(notebook))
    loaded = sorted(set(re.findall(r"load_record\(\s*[\"']([\w-]+)[\"']", code)))
    records = [PACKAGE / "evidence" / "records" / f"{name}.json" for name in loaded]
    return (
        sorted(modules)
        + sorted((PACKAGE / "evidence" / "claims").glob("*.yml"))
        + [path for path in records if path.exists()]
    )


def code_hash(notebook):
    """A hash of all that decides the outputs: code cells (parameters among them) and package sources."""
    digest = hashlib.sha256()
    for cell in code_cells(notebook):
        digest.update(json.dumps([cell.source, tags(cell)]).encode())
    for path in dependencies(notebook):
        digest.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def write_notebook(notebook, path):
    """Write a notebook whole or not at all."""
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, nbformat.writes(notebook) + "\n")
