"""A book with one tiny chapter, which needs no training, and its grid."""

from sources import chapter_start

TINY = (
    chapter_start("Tiny", "rate = 0.5\nseeds = [0]\nwait = 0")
    + """
```{code-cell} ipython3
import time
from types import SimpleNamespace

from companion import History, Run, record

time.sleep(wait)
values = (rate, 1.0)
runs = [Run({"rate": rate}, s, History(*[values] * 7), {"moved": [0.5, 1 / 3]}) for s in seeds]
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
