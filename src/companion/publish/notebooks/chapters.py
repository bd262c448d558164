"""A chapter's source, its paired notebook, its parameters, and the hash that ties outputs to code."""

import ast
import hashlib
import json
import re
from pathlib import Path

from companion import catalogue
from companion.evidence import ledger, profiles, records
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


def code_hash(notebook, uses):
    """A hash of all that decides the outputs: code cells (parameters among them), and what the run used of the package.

    `uses` is what `companion.uses.summary()` said at the end of the run: the modules that were loaded, whose sources count
    whole, and the chapters whose records, ledger rows and profiles were read. Whatever else changes in the package cannot
    reach the outputs: which modules are loaded is decided by the cells and by the modules listed.
    """
    digest = hashlib.sha256()

    def add(*facts):
        digest.update(json.dumps(facts, sort_keys=True, default=str).encode())

    for cell in code_cells(notebook):
        add(cell.source, tags(cell))
    add(uses, catalogue.entries_of(uses["modules"]))
    for path in used_files(uses):
        digest.update(path.name.encode() + _content(path))
    for claim in ledger.ledger_rows().values():
        if claim.chapter in uses["claims"] or "*" in uses["claims"]:
            add(claim.id, vars(claim))
    return digest.hexdigest()[:16]


def _content(path):
    """The bytes of a file that count; of a record the runs, and not what was signed for the code that made them."""
    if not path.is_file():
        return b"none"
    content = path.read_bytes().replace(b"\r\n", b"\n")
    if path.suffix == ".json":
        rows = json.loads(content)["runs"]
        return json.dumps([{name: row[name] for name in row if name != "code"} for row in rows]).encode()
    return content


def used_files(uses):
    """The files of the package behind `uses`: modules, records, profiles; of the ledger only rows count, see `code_hash`."""
    modules = [PACKAGE.joinpath(*name.split(".")) for name in uses["modules"]]
    packages = [path / "__init__.py" for path in modules]
    files = [package if package.is_file() else package.parent.with_suffix(".py") for package in packages]
    files += [records.record_path(chapter) for chapter in uses["records"]]
    return files + [profiles.FOLDER / f"{chapter}.yml" for chapter in uses["profiles"]]


def derived_notebook(path):
    """The notebook at `path`; None where there is none, or a damaged one: it is derived, so it is made anew."""
    try:
        return read_notebook(path)
    except UserError:
        return None


def take_outputs(notebook, old):
    """Give the cells the outputs of `old` (a notebook or None) if these belong to the present code; returns whether they do."""
    about = old.metadata.get("companion", {}) if old else {}
    if "uses" not in about or about["hash"] != code_hash(notebook, about["uses"]):
        return False
    for cell, former in zip(code_cells(notebook), code_cells(old), strict=True):
        cell.outputs, cell.execution_count = former.outputs, former.execution_count
    notebook.metadata["companion"] = about
    return True


def write_notebook(notebook, path):
    """Write a notebook whole or not at all."""
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, nbformat.writes(notebook) + "\n")


def title_of(notebook):
    """The chapter's title: the first line of its first cell, without the mark that makes it a heading."""
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ").strip()
