"""The code that made the recorded runs: what it was, whether it has changed since, and the signing of changes.

A version of the code is {"cells": hash, "modules": {name: hash}}: the code cells up to the one tagged `record`, and the
modules of the package that the run loaded. Comments, blank lines, docstrings and magics do not count, nor does the parameters
cell: its values stand in each row. A record keeps each version once, under its name, which the rows carry as "code"; beside it
the changes that were signed since, as `accepted`.
"""

import ast
import copy
import hashlib
from collections import Counter
from functools import cache
from pathlib import Path

from companion.catalogue import MODULE_OF, SETS, entries_of
from companion.evidence import keeping, records
from companion.publish import UserError
from companion.publish.notebooks import chapters
from companion.publish.notebooks.execution import today
from companion.publish.project import PACKAGE

UNKNOWN = "unknown"  # the name of the code of runs that do not say which it was
CELLS = "the page's cells"
NOTHING = {"cells": "", "modules": {}}
LEFT_ASIDE = ("", "__init__", "catalogue", "uses")  # of the catalogue, only what it says of the other modules counts
MOST_NAMED = 8  # settings in a sentence


# ------------------------------------------------------------------------------------------------- what code there is


def job_notebook(notebook):
    """The chapter up to its cell tagged `record`: what a job has to execute."""
    cut = copy.deepcopy(notebook)
    marks = [i for i, cell in enumerate(cut.cells) if "record" in chapters.tags(cell)]
    if len(marks) != 1:
        raise UserError(f"A chapter with a grid needs exactly one cell tagged 'record'; this one has {len(marks)}.")
    cut.cells = cut.cells[: marks[0] + 1]
    return cut


def version_of(notebook, modules, read=None):
    """The version of the code: that of the notebook's cells, and of these modules (names without "companion.").

    `read(path)` gives the text of a file of the package, or None where there is none; by default, of the package as it is.
    """
    hashes = {name: module_hash(name, read) for name in sorted(set(modules) - set(LEFT_ASIDE))}
    hashes = {name: code for name, code in hashes.items() if code}
    if read is None:
        hashes["catalogue"] = _digest(repr(entries_of(set(modules))))
    cells = [_content(cell.source) for cell in _making_cells(notebook)]
    return {"cells": _digest(repr(cells)), "modules": hashes}


def name_of(version):
    return _digest(repr([version["cells"], sorted(version["modules"].items())]))


def module_hash(name, read=None):
    """The hash of a module's code; None where there is no such module."""
    text = _source(name, read or read_package)
    return None if text is None else _digest(_content(text))


def all_modules():
    """{name: hash} of every module that a page may load."""
    paths = [path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")]
    names = {".".join(path.parts).removesuffix("__init__").removesuffix(".") for path in paths}
    names = {name for name in names if name.partition(".")[0] not in ("publish", "__main__")}
    return {name: module_hash(name) for name in sorted(names - set(LEFT_ASIDE))}


def read_package(path):
    path = PACKAGE / path
    return path.read_text(encoding="utf-8") if path.is_file() else None


def loaded(notebook, parameters):
    """The modules that a run loaded: as the executed notebook says, or else all that its code can reach."""
    return notebook.metadata.get("companion_uses", {}).get("modules") or reached(notebook, parameters)


def reached(notebook, parameters):
    """The modules that the cells can reach by imports, and by the data sets which they or the parameters name."""
    found, named = set(), [str(value) for value in parameters.values()]
    waiting = set()
    for cell in _making_cells(notebook):
        tree = _parsed(cell.source)
        waiting |= _imported(tree)
        named += [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    waiting |= {SETS[name].module for name in named if isinstance(name, str) and name in SETS}
    while waiting:
        name = waiting.pop()
        text = _source(name, read_package)
        if name in found or name in LEFT_ASIDE or text is None:
            continue
        found.add(name)
        waiting |= _imported(_parsed(text)) | {name.rpartition(".")[0]}
    return sorted(found)


def _making_cells(notebook):
    """The code cells that make the runs, papermill's own left aside."""
    values = {"parameters", "injected-parameters"}
    return [cell for cell in chapters.code_cells(job_notebook(notebook)) if not values & set(chapters.tags(cell))]


def _source(module, read):
    path = module.replace(".", "/")
    text = read(f"{path}.py")
    return read(f"{path}/__init__.py") if text is None else text


@cache
def _parsed(source):
    """The code as a tree; magics, which only Jupyter can run, as `pass`."""
    try:
        return ast.parse(source)
    except SyntaxError:
        lines = source.splitlines()
        rest = [line.lstrip() for line in lines]
        lines = [
            line[: len(line) - len(code)] + "pass" if code.startswith(("%", "!")) else line
            for line, code in zip(lines, rest, strict=True)
        ]
        return ast.parse("\n".join(lines))


@cache
def _content(source):
    """The code as text that is the same under every Python and does not depend on comments, layout and docstrings."""
    return repr(_plain(_parsed(source)))


def _plain(node):
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    parts = {name: value for name, value in ast.iter_fields(node) if value not in (None, [])}
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        parts["body"] = node.body[_has_docstring(node) :]
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends some of them with an empty text
        parts["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    return [type(node).__name__, *([name, _plain(value)] for name, value in parts.items() if name != "kind")]


def _has_docstring(node):
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _imported(tree):
    """The modules of the package that this code imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "companion":
            start = node.module.partition(".")[2]
            names.add(start)
            names |= {MODULE_OF.get(alias.name, "") if not start else "" for alias in node.names}
            names |= {f"{start}.{alias.name}".lstrip(".") for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("companion.")}
    return names


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# --------------------------------------------------------------------------------------- whether it has changed since


def changed_code(root, chapter, folder=None):
    """What to say of the chapter's recorded runs that other code made than there is now: a list of sentences."""
    try:
        changes = _changes(root, chapter, keeping.read(record_file(chapter, folder)))
    except (UserError, ValueError) as error:
        return [f"{chapter}: {str(error).removesuffix('.')}."]
    return [
        f"{chapter}: {_count(rows)} ({_settings(rows)}) of the record {'has' if len(rows) == 1 else 'have'} {_what(name, parts)}. "
        f'If that cannot alter results, sign it: companion record {chapter} --accept --why "…"; '
        f"otherwise make the runs anew: companion record {chapter} --redo."
        for name, (rows, parts) in changes.items()
    ]


def _what(name, parts):
    """What is wrong with runs of the version of this name, of which these parts have changed."""
    if name == UNKNOWN and parts == [CELLS]:
        return "no note of the code that made them"
    return f"been made by other code than there is now; changed since: {', '.join(parts)}"


def accept(root, chapter, why, folder=None):
    """Sign, with a reason, that the code's changes since the chapter's runs were made cannot alter them.

    The reason, the date and the present version are kept in the record; nothing is run. Returns how many runs were signed, or
    None where the chapter has none. Raises UserError without a reason.
    """
    if not why.strip():
        raise UserError(
            'A signature needs a reason: companion record CHAPTER --accept --why "what changed, and why it is safe".'
        )
    path = record_file(chapter, folder)
    try:
        content = keeping.read(path)
        if not content["runs"]:
            return None
        if not _changes(root, chapter, content):
            return 0
        with keeping.edited(path) as content:
            return _sign(root, chapter, content, why.strip())
    except ValueError as error:
        raise UserError(f"{error}.") from None


def record_file(chapter, folder=None):
    return Path(folder or records.FOLDER) / f"{chapter}.json"


def _sign(root, chapter, content, why):
    notebook, signed = chapters.read_source(root, chapter), 0
    for name, (rows, _) in _changes(root, chapter, content).items():
        version = content["code"].setdefault(name, copy.deepcopy(NOTHING))
        modules = {module for part in _signed(version) for module in part["modules"]}
        for row in rows:
            row["code"] = name
            modules |= set(reached(notebook, row["parameters"]))
        now = version_of(notebook, modules)
        version.setdefault("accepted", []).append({"date": today(), "why": why, "code": name_of(now), **now})
        signed += len(rows)
    return signed


def _changes(root, chapter, content):
    """{name of a version: (its rows, the parts of the code that have changed since)}, of versions that nobody has signed."""
    groups, changes = {}, {}
    for row in content["runs"]:
        groups.setdefault(row.get("code", UNKNOWN), []).append(row)
    notebook = chapters.read_source(root, chapter) if groups else None
    for name, rows in groups.items():
        versions = _signed(content["code"].get(name, NOTHING))
        changed = [_changed_parts(version, version_of(notebook, version["modules"])) for version in versions]
        if all(changed):
            changes[name] = rows, changed[-1]
    return changes


def changed_parts(root, chapter, version):
    """The parts of the code that have changed since this version; [] where none has."""
    return _changed_parts(version, version_of(chapters.read_source(root, chapter), version["modules"]))


def _signed(version):
    return [version, *version.get("accepted", [])]


def _changed_parts(old, new):
    parts = [name for name, code in old["modules"].items() if new["modules"].get(name) != code]
    return ([CELLS] if old["cells"] != new["cells"] else []) + parts


def _count(rows):
    return f"{len(rows)} run" + ("s" if len(rows) > 1 else "")


def _settings(rows):
    """The settings of these rows, with how many seeds each has: "rate 0.0, hidden 32: 5 seeds; …"."""
    seeds = Counter(", ".join(f"{key} {value}" for key, value in row["setting"].items()) for row in rows)
    texts = [f"{setting}: {n} seed" + ("s" if n > 1 else "") for setting, n in seeds.items()]
    further = len(texts) - MOST_NAMED
    return "; ".join(texts[:MOST_NAMED] + ([f"and {further} further settings"] if further > 0 else []))
