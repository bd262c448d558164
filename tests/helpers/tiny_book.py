"""Books with one tiny chapter, which needs no training: one with a grid of runs, one with every part of a chapter's form."""

import contextlib
import io
import shutil

import nbformat
from books import ROOT
from sources import HEADER, chapter_start

from companion.publish.notebooks import chapters, form

TINY = (
    chapter_start("Tiny", "rate = 0.5\nseeds = [0]\nwait = 0")
    + """
```{code-cell} ipython3
import time
from types import SimpleNamespace

from companion import History, Run, record

time.sleep(wait)
values = (rate, 1.0)
curves = {f"{p}_{m}": values for p in ("running", "train", "val") for m in ("loss", "accuracy")}
runs = [Run({"rate": rate}, s, History(curves, values), {"moved": [0.5, 1 / 3]}) for s in seeds]
```

```{code-cell} ipython3
:tags: [record]

record(runs, SimpleNamespace(name="none", fingerprint="0" * 64, source="made up"))
```

```{code-cell} ipython3
print("after the record")
```
"""
)
GRID = {"parameters": {"wait": 0}, "grid": [{"rate": [0.25, 0.5], "seeds": [0, 1]}]}


def make_tiny_book(root):
    """The book in that folder, which must not exist yet."""
    (root / "book").mkdir(parents=True)
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n- chapters:\n  - file: book/tiny.ipynb\n"
    )
    (root / "_config.yml").write_text("repository:\n  url: https://github.com/OWNER/companion\n")
    (root / "book" / "tiny.md").write_text(TINY)
    return root


# ------------------------------------------------------------------------- a chapter with every part of a chapter's form

FORMED = (
    HEADER
    + """
# A chapter with everything

+++ {"tags": ["head"]}

- **Question:** How much is counted, and
  how is it shown?
- **Before this:** nothing; $1 + 1$ helps
- **Time:** about 2 minutes to read, 1 seconds to run
- **Level:** first steps
- **After this you can** count to three.

+++

Here everything is counted by hand, and the page shows each part of the form of a chapter.

![Two boxes, the left one paper-coloured, the right one in the accent's colour.](https://raw.githubusercontent.com/OWNER/companion/main/book/static/ideas/boxes.svg)

```{code-cell} ipython3
:tags: [hide-cell]

from importlib.util import find_spec
```

```{code-cell} ipython3
:tags: [parameters]

top = 3
```

## Predict first

+++ {"tags": ["predict"]}

Before anything runs, write down a guess:

1. How large is the sum of the first three numbers?
2. Is their product larger?

+++

## Counting

```{code-cell} ipython3
:tags: [answer-1]

numbers = range(1, top + 1)
print("sum:", sum(numbers))
```

```{code-cell} ipython3
:tags: [hide-cell]

# @title Check: the sum is that of the formula
print("as the formula says:", sum(numbers) == top * (top + 1) // 2)
```

### The product

+++ {"tags": ["answer-2"]}

For three numbers it is the same: six. <a href="#further">Further down</a> is more.

<span id="further">A place to link to.</span>

+++

```{code-cell} ipython3
:tags: [hide-input]

# @title The sign of a product {two}
print("the sign is +")
```

## Against the report

There is none.

## Summary

- Three numbers were added.

## Use it tomorrow

Any list of numbers can be added.

```{code-cell} ipython3
print(sum([2, 3, 5]))
```

## Exercises

### Exercise 1: count

How many numbers are there?

+++ {"tags": ["hint"]}

<details>
<summary>Hint</summary>

Count with *fingers*.

</details>

+++ {"tags": ["solution"]}

<details>
<summary>Solution</summary>

There are $n$ of them, see below.

</details>

```{code-cell} ipython3
:tags: [solution, hide-cell]

# @title Solution
print("counted:", len(numbers))
```

```{code-cell} ipython3
:tags: [solution, hide-cell]

# @title Solution
print("counted again:", len(list(numbers)))
```

### Exercise 2: open

What else could be counted?

+++ {"tags": ["hint"]}

<details>
<summary>Hint</summary>

Look around.

</details>

+++

## References

- Euclid. Elements.
"""
)
DRAWING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 380 120" width="380" font-size="16" font-family="sans-serif">
  <title id="boxes-title">Two boxes</title>
  <desc id="boxes-desc">One as bright as paper, one in the accent's colour.</desc>
  <rect width="380" height="120" fill="var(--idea-paper,#ffffff)"/>
  <rect x="20" y="20" width="160" height="80" fill="none" stroke="var(--idea-ink, #1b1b1b)"/>
  <rect x="200" y="20" width="160" height="80" fill="var(--idea-accent,#c2560c)"/>
  <text x="40" y="65" fill="var(--idea-ink,#1b1b1b)">paper</text>
</svg>
"""
FORMED_NAME = "vgg-parameters"  # a chapter of the ledger that has no record


def make_formed_book(root, source=FORMED):
    """A book of that chapter, executed without a kernel, ready to be built; returns its root."""
    for name in ("static", "scripts"):
        shutil.copytree(ROOT / "book" / name, root / "book" / name)
    (root / "book" / "static" / "ideas").mkdir(exist_ok=True)
    (root / "book" / "static" / "ideas" / "boxes.svg").write_text(DRAWING)
    for name in ("_config.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    (root / "book" / "references.bib").write_text("")
    pages = f"- file: book/{FORMED_NAME}.ipynb\n  - file: book/ledger\n"
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nparts:\n- chapters:\n  {pages}")
    (root / "book" / "index.md").write_text("# Index\n\n% chapters-table\n")
    (root / "book" / "ledger.md").write_text("# Ledger\n\n% ledger-table\n")
    (root / "book" / f"{FORMED_NAME}.md").write_text(source)
    notebook = executed_without_kernel(chapters.read_source(root, FORMED_NAME))
    chapters.write_notebook(notebook, root / "_build" / "executed" / "quick" / f"{FORMED_NAME}.ipynb")
    chapters.write_notebook(form.shut(notebook), chapters.pair_path(root, FORMED_NAME))
    return root


def executed_without_kernel(notebook):
    """The notebook with what its cells print."""
    names = {}
    for number, cell in enumerate(chapters.code_cells(notebook), 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(cell.source, names)
        cell.execution_count = number
        cell.outputs = [nbformat.v4.new_output("stream", text=printed.getvalue())] if printed.getvalue() else []
    about = {"profile": "quick", "seconds": 1, "cpu": 1.0, "device": "cpu", "versions": {"Python": "3"}}
    notebook.metadata["companion"] = {**about, "commit": "abc", "date": "2026"}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook
