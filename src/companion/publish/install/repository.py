"""Puts the public addresses of the repository and of the site wherever they stand."""

import re

from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.pages import ideas


def set_repository(root, url):
    """Put a new public address into `_config.yml` and all that derives from it, into all files or none.

    Returns the files that changed, as paths from `root`. Raises UserError.
    """
    url, old = project.checked_repository(url), project.repository(root)
    places = ["_config.yml", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    paths = [root / p for p in places] + sorted((root / "book").glob("*.md"))
    changed = {}
    for path in filter(lambda path: path.is_file(), paths):
        text = project.read_text(path)
        if (new := _moved(text, old, url)) != text:
            changed[path] = new
    for name in chapters.chapter_names(root):
        if (path := chapters.pair_path(root, name)).is_file():
            text = path.read_text(encoding="utf-8")
            new = _with_hash(root, name, _moved(text, old, url), changed.get(root / "book" / f"{name}.md"))
            if new != text:
                changed[path] = new
    project.write_together(changed)
    return [path.relative_to(root) for path in changed]


def _with_hash(root, name, new, source):
    """The text of the chapter's notebook with the new address: it stands in a code cell, so a hash that was right follows."""
    import jupytext

    about = chapters.read_notebook(chapters.pair_path(root, name)).metadata.get("companion", {})
    if (
        "uses" in about
        and source
        and about["hash"] == chapters.code_hash(chapters.read_source(root, name), about["uses"])
    ):
        follows = chapters.code_hash(jupytext.reads(source, fmt={"extension": ".md"}), about["uses"])
        new = new.replace(f'"hash": "{about["hash"]}"', f'"hash": "{follows}"')
    return new


def _moved(text, old, url):
    """The text with the new address, also where it stands in the addresses of Colab, Binder and the pictures of ideas."""
    text = re.sub(re.escape(old) + r"(?![\w-])", url, text)
    text = text.replace(ideas.address(old), ideas.address(url))
    for before, after in zip(project.launchers(old).values(), project.launchers(url).values(), strict=True):
        text = text.replace(before, after)
    return text


def set_site(root, address):
    """Write the public address of the site into `_config.yml`; returns the file's name."""
    path = root / "_config.yml"
    line = f'  baseurl: "{project.checked_address(address)}"'
    text, count = re.subn(r'^  baseurl: *("[^"\n]*"|[^\s#]*)', line, project.read_text(path), flags=re.M)
    if count != 1:
        raise UserError("_config.yml needs exactly one line `  baseurl: ...` below `html:`.")
    project.write_whole(path, text)
    return path.name
