"""Chapter sources that tests write."""

HEADER = """\
---
jupytext:
  formats: md:myst,ipynb
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""


def chapter_start(title, parameters):
    """Header, title and the cell of parameters."""
    return f"{HEADER}\n# {title}\n\n```{{code-cell}} ipython3\n:tags: [parameters]\n\n{parameters}\n```\n"
