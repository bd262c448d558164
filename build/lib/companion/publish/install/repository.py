"""Puts the public addresses of the repository and of the site wherever they stand."""

import os
import re

from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.project import checked_address, write_whole


def set_repository(root, url):
    """Put a new public address into `_config.yml` and all that derives from it; returns the files that changed."""
    import nbformat

    url = url.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise UserError(f"{url!r} is no repository address: it looks like https://github.com/OWNER/NAME.")
    old = project.repository(root)
    places = ["_config.yml", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    paths = [root / p for p in places] + sorted((root / "book").glob("*.md")) + sorted((root / "book").glob("*.ipynb"))
    fresh = {}  # the address stands in a code cell, so the hash of outputs that were fresh has to follow
    for name in chapters.chapter_names(root):
        pair = chapters.pair_path(root, name)
        if pair.exists():
            stored = nbformat.read(pair, as_version=4).metadata.get("companion", {}).get("hash")
            fresh[name] = stored == chapters.code_hash(chapters.read_source(root, name))
    changed = []
    for path in paths:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        new = re.sub(re.escape(old) + r"(?![\w-])", url, text)
        new = new.replace(_colab(old), _colab(url))
        if new != text:
            write_whole(path, new)
            changed.append(path.relative_to(root))
    for name, was_fresh in fresh.items():
        if was_fresh:
            notebook = nbformat.read(chapters.pair_path(root, name), as_version=4)
            notebook.metadata["companion"]["hash"] = chapters.code_hash(chapters.read_source(root, name))
            chapters.write_notebook(notebook, chapters.pair_path(root, name))
    return changed


def _colab(url):
    return url.replace("https://github.com/", "https://colab.research.google.com/github/")


def set_site(root, address):
    """Write the public address of the site into `_config.yml`; returns the file's name."""
    path = root / "_config.yml"
    line = f'  baseurl: "{checked_address(address)}"'
    text, count = re.subn(r'^  baseurl: *("[^"\n]*"|[^\s#]*)', line, path.read_text(encoding="utf-8"), flags=re.M)
    if count != 1:
        raise UserError("_config.yml needs exactly one line `  baseurl: ...` below `html:`.")
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
    return path.name
