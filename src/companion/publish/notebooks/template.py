"""Makes a new chapter: every file that it needs, each filled from a template for its kind of data and of task."""

import re
from pathlib import Path

from companion.evidence.ledger import load_claims
from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.pages import readme

TEMPLATES = Path(__file__).with_name("templates")
FIRST_CELL = """\
from importlib.util import find_spec

if not find_spec("companion"):  # in Colab: install the book's helpers, nothing else
    %pip install -q git+{url}
    assert find_spec("companion"), (
        "The book's helpers were not installed: pip says why above. They need Python "
        "3.11 or newer, git and a connection. Mend that, restart, and run this again."
    )"""
FULL_PROFILE = """\
# To use the values of the recorded runs instead, take the "# " off the next line:
# import companion; companion.use_full_profile("{chapter}", globals())"""

ABOUT = "About this part"  # how the contents call the page that opens a part
DATA = ("images", "table", "sequence", "text")
TASKS = {  # kind of task: how the page trains and what its figure shows
    "classes": {"loss": "nn.CrossEntropyLoss()", "metrics": "", "curves": "Accuracy and loss"},
    "binary": {
        "loss": "nn.BCEWithLogitsLoss()",
        "metrics": '{"accuracy": binary_accuracy}',
        "curves": "Accuracy and loss",
    },
    "regression": {
        "loss": "nn.MSELoss()",
        "metrics": '{"mae": absolute_error}',
        "curves": "Mean absolute error and loss",
    },
    "reconstruction": {
        "loss": "nn.MSELoss()",
        "metrics": '{"mae": absolute_error}',
        "curves": "Mean absolute error and loss",
    },
    "none": {},  # nothing is trained: the page counts
}
DATASETS = {"images": "digits", "table": "breast_cancer", "sequence": "digit_rows", "text": "made_up_reviews"}
NAMES = {  # what the page of such data imports from the package, beside what every page imports
    "images": ["load_dataset"],
    "table": ["Split", "Splits", "standardise"],
    "sequence": ["RecurrentNet", "load_dataset"],
    "text": ["Split", "Splits", "encode_texts", "vocabulary"],
}
GOALS = {  # what such targets are, where the data set's own are classes: (in words, the lines that make them)
    ("images", "binary"): (
        "is the digit even?",
        "return Split(split.inputs, (split.targets % 2 == 0).float()[:, None])",
    ),
    ("images", "regression"): (
        "how bright is the upper half?",
        "bright = split.inputs[:, :, :14].float().mean((1, 2, 3)) / 255",
        "return Split(split.inputs, bright[:, None])",
    ),
    ("images", "reconstruction"): (
        "the picture itself, in [0, 1].",
        "pictures = split.inputs.float() / 255",
        "return Split(pictures, pictures)",
    ),
    ("table", "reconstruction"): ("the row itself.", "return Split(split.inputs, split.inputs)"),
    ("sequence", "reconstruction"): ("the sequence itself.", "return Split(split.inputs, split.inputs)"),
    ("sequence", "regression"): (
        "how bright is the first half?",
        "return Split(split.inputs, split.inputs[:, :4].mean((1, 2))[:, None])",
    ),
    ("text", "reconstruction"): (
        "how often does each word occur?",
        "counts = nn.functional.one_hot(split.inputs.long(), len(known)).sum(1).float()",
        "return Split(counts, counts)",
    ),
}
GOALS["sequence", "binary"] = GOALS["images", "binary"]
OUTPUTS = {"classes": "len(splits.classes)", "binary": "1", "regression": "1"}


def first_cell(root):
    """The text of every chapter's first code cell: it installs the package where that is missing."""
    return FIRST_CELL.format(url=project.repository(root))


def kinds(name, data=None, task=None):
    """The kinds of a chapter's data and task: those given, else what the plan of the book says of it."""
    planned = next((found[name] for _, found in plan() if name in found), {})
    return data or planned.get("data", "images"), task or planned.get("task", "classes")


def new_chapter(root, name, data=None, task=None):
    """Write all that a new chapter needs, every file or none, and list it in the contents; returns the paths.

    `data` is one of DATA, `task` one of TASKS, see `kinds`. Existing files are not overwritten. Raises UserError.
    """
    claims = _claims(name)
    data, task = kinds(name, data, task)
    files = {
        root / "book" / f"{name}.md": page(root, name, claims, data, task),
        root / "book" / "questions" / f"{name}.yml": fill("questions.yml"),
        root / "tests" / "chapters" / f"test_{name.replace('-', '_')}.py": fill(
            "test_chapter.py", chapter=name, task=task
        ),
    }
    if task != "none":
        profile = root / "src" / "companion" / "evidence" / "profiles" / f"{name}.yml"
        files[profile] = fill("profile.yml", chapter=name)
    there = [path.relative_to(root).as_posix() for path in files if path.exists()]
    if there:
        raise UserError(
            f"The chapter {name} exists already, at least in part: {', '.join(there)}. Nothing was written."
        )
    files[root / "_toc.yml"] = toc = listed(root, name)
    part = part_of(name)
    if part and f"file: {part_page(part)}\n" in toc and not (root / f"{part_page(part)}.md").exists():
        files[root / f"{part_page(part)}.md"] = fill("part.md", part=part["part"])
    paper = root / "README.md"
    if paper.is_file():
        files[paper] = readme.up_to_date(root, project.read_text(paper), toc, {name: title(name)})
    project.write_together(files)
    return list(files)


def _claims(name):
    """The ledger's rows of the chapter, in its order. Raises UserError for a name that cannot be a chapter's."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UserError(f"{name!r} is no chapter name: use small letters, digits and single hyphens, such as gap-head.")
    claims = list(load_claims(name).values())
    if not claims:
        planned = sorted({claim.chapter for claim in load_claims().values()})
        raise UserError(f"The ledger has no row of a chapter {name!r}; its chapters are {', '.join(planned)}.")
    return claims


def title(name):
    """The title that a new chapter has until somebody writes a better one."""
    return name.replace("-", " ").capitalize()


def fill(template, **values):
    """A text from one of the templates. They mark values by << >>, which neither Markdown nor Python's strings use."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    marks = {"variable_start_string": "<<", "variable_end_string": ">>"}
    marks |= {
        "block_start_string": "<%",
        "block_end_string": "%>",
        "comment_start_string": "<#",
        "comment_end_string": "#>",
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, YAML and Python, no HTML
        **marks,
    )
    return environment.get_template(f"{template}.jinja").render(values)


def page(root, name, claims, data, task):
    """The Markdown of a new chapter of this kind; it runs as it is."""
    goal = GOALS.get((data, task))
    imports = set(NAMES[data])
    imports |= {"Split"} if goal else set()
    imports |= set(re.findall(r"\w+_accuracy|absolute_error", TASKS[task].get("metrics", "")))
    return fill(
        "chapter.md",
        chapter=name,
        title=title(name),
        reports=" and ".join(sorted({claim.report for claim in claims})),
        claims=[claim.text for claim in claims],
        data=data,
        task=task,
        dataset="diabetes" if (data, task) == ("table", "regression") else DATASETS[data],
        table_loader="load_diabetes" if task == "regression" else "load_breast_cancer",
        goal={"says": goal[0], "lines": goal[1:]} if goal else None,
        imports=", ".join(sorted(imports, key=lambda word: (word.lower() == word, word))),
        model=_model(data, task).splitlines() if task != "none" else [],
        first_cell=first_cell(root),
        full_profile=FULL_PROFILE.format(chapter=name),
        **TASKS[task],
    )


def _model(data, task):
    """The lines of a small network for such inputs and outputs, which the author replaces."""
    outputs = OUTPUTS.get(task)
    if data == "images" and task == "reconstruction":
        layers = [
            "nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1)",
            "nn.ReLU()",
            "nn.Upsample(scale_factor=2)",
            "nn.Conv2d(8, 1, kernel_size=3, padding=1)",
        ]
    elif data == "images":
        block = ["nn.Conv2d(1, 8, kernel_size=3, padding=1)", "nn.MaxPool2d(2)", "nn.ReLU()", "nn.Flatten()"]
        layers = [*block, f"nn.Linear(8 * 14 * 14, {outputs})"]
    elif data == "sequence" and task == "reconstruction":
        layers = ["RecurrentNet(nn.Identity(), 8, 8 * 8)", "nn.Unflatten(1, (8, 8))"]
    elif data == "sequence":
        return f"return RecurrentNet(nn.Identity(), 8, {outputs})"
    elif data == "text" and outputs:
        layers = ['nn.EmbeddingBag(len(known), 8, mode="mean", padding_idx=0)', f"nn.Linear(8, {outputs})"]
    else:
        size = "inputs.shape[1]" if data == "table" else "len(known)"
        layers = [f"nn.Linear({size}, 8)", "nn.ReLU()", f"nn.Linear(8, {outputs or size})"]
    return "\n".join(["return nn.Sequential(", *(f"    {layer}," for layer in layers), ")"])


# --------------------------------------------------------------------------------------------------- the order of the book


def plan():
    """The order of the book as (part, {chapter: its kinds}), from `templates/plan.yml`."""
    return [(part["part"], part["chapters"]) for part in parts()]


def part_of(name):
    """What the plan says of the part that the chapter belongs to: its caption `part`, its `page`, its `chapters`; or None."""
    return next((part for part in parts() if name in part["chapters"]), None)


def part_page(part):
    """The page that opens a part, as `_toc.yml` lists it."""
    return f"book/parts/{part['page']}"


def parts():
    """What the plan says of each part, in order, see `part_of`."""
    return project.read_yaml(TEMPLATES / "plan.yml")


def listed(root, name):
    """The text of `_toc.yml` with the new chapter in its place: beside its neighbours of the plan, else in a part of its own."""
    lines = project.read_text(root / "_toc.yml").splitlines(keepends=True)
    here = chapters.chapter_names(root)
    if not here:
        raise UserError("_toc.yml lists no notebook yet, so the place of the chapter is not known: add it by hand.")
    caption, mates = next(((part, list(found)) for part, found in plan() if name in found), ("", [name]))
    own = mates.index(name)
    before = [mate for mate in mates[:own] if mate in here]
    after = [mate for mate in mates[own + 1 :] if mate in here]
    captions = [number for number, line in enumerate(lines) if re.match(r"\s*- caption:", line)]
    if not (before or after) and captions and caption:
        _open_part(root, lines, captions, name, caption)
        return "".join(lines)
    number = _line_of(lines, (before[-1:] or after or here[-1:])[0])
    entry = lines[number].partition("-")[0] + f"- file: book/{name}.ipynb\n"  # indented like its neighbour
    lines.insert(number if after and not before else number + 1, entry)
    return "".join(lines)


def _open_part(root, lines, captions, name, caption):
    """Insert a part with its page and this chapter into the lines of `_toc.yml`: before the next chapters of the plan, or after all chapters."""
    order = [chapter for _, found in plan() for chapter in found]
    held = [{chapters.name_of(page) for page in part.pages} & set(order) for part in project.contents(root)[1]]
    later = [number for number, names in enumerate(held) if any(order.index(n) > order.index(name) for n in names)]
    place = later[0] if later else 1 + max(number for number, names in enumerate(held) if names)
    indent = lines[captions[0]].partition("-")[0]
    page = f"{indent}    - file: {part_page(part_of(name))}\n{indent}      title: {ABOUT}\n"
    entry = f'{indent}- caption: "{caption}"\n{indent}  chapters:\n{page}{indent}    - file: book/{name}.ipynb\n'
    lines.insert(captions[place] if place < len(captions) else len(lines), entry)


def _line_of(lines, chapter):
    """The number of the line of `_toc.yml` that lists the chapter."""
    pattern = re.compile(rf"\s*- file: [\"']?book/{re.escape(chapter)}(\.ipynb|\.md)?[\"']?\s*(#.*)?$")
    found = [number for number, line in enumerate(lines) if pattern.match(line)]
    if not found:
        raise UserError(
            f"_toc.yml has no line `- file: book/{chapter}.ipynb`, beside which the chapter belongs: add it by hand."
        )
    return found[0]


def what_is_left(name, task):
    """What an author still has to do for a new chapter, one sentence each."""
    yield f"write book/{name}.md: every REPLACE is a question to you (`make refresh` runs it, `make book` shows it)"
    yield f"write three questions in book/questions/{name}.yml"
    if task != "none":
        yield f"fix the settings in evidence/profiles/{name}.yml before you look at results, then `make record CH={name}`"
    yield f"write a second witness in tests/chapters/test_{name.replace('-', '_')}.py"
    if part := part_of(name):
        yield f"what the chapter gives and takes in its part, and what to take away: {part_page(part)}.md"
    yield "papers: book/references.bib; new words: book/glossary.md; new symbols: book/notation.md"
    yield "words that readers type and the page does not use: book/keywords.yml"
    yield "a new data set: a module in companion/data, a line of SETS in companion/catalogue.py, a row in book/evidence.md"
    yield "a line in CHANGELOG.md; `python tools/screenshot.py` when the front page's numbers have changed"
