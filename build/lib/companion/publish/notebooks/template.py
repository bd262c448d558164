"""Makes a new chapter from the template."""

import re

from companion import load_claims
from companion.publish import UserError, project
from companion.publish.pages import questions
from companion.publish.project import write_whole

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
TEMPLATE = """\
---
jupytext:
  formats: md:myst,ipynb
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# {title}

{question}

```{{code-cell}} ipython3
:tags: [hide-cell]

{first_cell}
```

```{{code-cell}} ipython3
:tags: [parameters]

dataset = "photo_digits"  # the full profile (evidence/profiles) takes the real data
epochs = 1
batch_size = 128
learning_rate = 1e-3
seeds = [0]
device = "auto"

{full_profile}
```

```{{code-cell}} ipython3
import torch
from torch import nn

from companion import Run, fit, load_dataset, load_record, record, small_cnn
from companion import Verdict, claims_table, load_claims, plot_history, use_style

use_style()
splits = load_dataset(dataset)
```

## The data

Say what is in the data set, how it was split, and show some of it.

```{{code-cell}} ipython3
print(f"training: {{len(splits.train):,}} images, validation: {{len(splits.val):,}}")
```

## Predict first

Ask the reader for a guess before anything runs.

## Training

Optimiser and loss are built on the page: they are the lesson.

```{{code-cell}} ipython3
def train(seed):
    torch.manual_seed(seed)
    model = small_cnn(channels=(8,))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history = fit(
        model,
        splits,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        loss_fn=nn.CrossEntropyLoss(),
        device=device,
        seed=seed,
    )
    return Run({{"learning_rate": learning_rate}}, seed, history)


runs = [train(seed) for seed in seeds]
```

The table shows each run after its last epoch; it also carries the whole curves to the record keeper. (Its last digits
depend on the processor, so the notebook test does not compare this cell.)

```{{code-cell}} ipython3
:tags: [record, nbval-ignore-output]

record(runs, splits)
```

```{{code-cell}} ipython3
---
mystnb:
  image:
    alt: Accuracy and loss of the live run against the epoch, for training and validation.
---
axes = plot_history(runs[0].history)
```

## The recorded runs

What the real data say, over several seeds: `make record CH={chapter}` makes them.

```{{code-cell}} ipython3
recorded = load_record("{chapter}")
print(f"{{len(recorded.runs)}} recorded runs")
```

## Against the report

Replace these verdicts by `check_count`, `check_metric`, `check_order` and `judge`, one for each row.

```{{code-cell}} ipython3
verdicts = [Verdict(claim, "not yet tested") for claim in load_claims("{chapter}")]
claims_table(verdicts)
```

## What the report does not say

Our choices, and which of them could turn a verdict.

## Summary

Three to five things seen, no new numbers.

## Exercises

### Exercise 1: count

Ask for something that can be counted on paper.

Solution (open the cell below):

```{{code-cell}} ipython3
:tags: [solution, hide-cell]

print(f"{{len(splits.train) // batch_size}} full batches in an epoch")
```

## References

Name the papers, with links.
"""


def first_cell(root):
    """The text of every chapter's first code cell: it installs the package where that is missing."""
    return FIRST_CELL.format(url=project.repository(root))


def new_chapter(root, name):
    """Write `book/<name>.md` from the template, with its questions to be filled in, and list it in `_toc.yml`.

    Returns the new file's path. Raises UserError.
    """
    path = root / "book" / f"{name}.md"
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UserError(f"{name!r} is no chapter name: use small letters, digits and single hyphens, such as gap-head.")
    if path.exists():
        raise UserError(f"The chapter {name} exists already: {path.relative_to(root)}.")
    claims = load_claims(name)
    if not claims:
        planned = sorted({claim.chapter for claim in load_claims().values()})
        raise UserError(f"The ledger has no row of a chapter {name!r}; its chapters are {', '.join(planned)}.")
    reports = sorted({claim.report for claim in claims.values()})
    question = f"Report {' and '.join(reports)} states:\n\n" + "\n".join(f"- {claim.text}" for claim in claims.values())
    question += "\n\nSay here why one may doubt it, and what this chapter measures."
    toc = root / "_toc.yml"
    lines = toc.read_text(encoding="utf-8").splitlines(keepends=True)
    notebooks = [i for i, line in enumerate(lines) if line.rstrip().endswith(".ipynb")]
    if not notebooks:
        raise UserError(
            "_toc.yml lists no notebook yet, so the place of the new chapter is not known: add it there by hand."
        )
    title = name.replace("-", " ").capitalize()
    lines_of = {"first_cell": first_cell(root), "full_profile": FULL_PROFILE.format(chapter=name)}
    text = TEMPLATE.format(title=title, question=question, chapter=name, **lines_of)
    write_whole(path, text)
    questions.write_skeleton(root, name)
    last = notebooks[-1]
    entry = lines[last].partition("-")[0] + f"- file: book/{name}.ipynb\n"  # indented like the one above it
    write_whole(toc, "".join([*lines[: last + 1], entry, *lines[last + 1 :]]))
    return path
