"""The book's folder: its configuration, contents and public addresses, and reading and writing its files.

A file that cannot be read is a sentence that names it and says what to do; a file is written whole or not at all.
"""

import os
import re
import secrets
import shutil
from collections import namedtuple
from importlib.resources import files
from pathlib import Path

from companion.publish import UserError, git

PACKAGE = Path(str(files("companion")))
Part = namedtuple("Part", "caption pages")
Part.__doc__ = """A part of the contents: its caption ("" for none) and its pages, as `toc_pages` gives them."""


def project_root(start="."):
    """The folder with `_toc.yml` at or above `start`."""
    start = Path(start).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    raise UserError(
        "This is not the book's folder: go to the one that holds _toc.yml and book/, and run the command there."
    )


# ------------------------------------------------------------------------------------------------ reading and writing


def read_text(path):
    """The text of a file that people edit: with or without a byte order mark. Raises UserError, with what to do."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{_shown(path)} cannot be read ({error.strerror}): check its name and permissions.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{_shown(path)} is not UTF-8 (byte {error.start}): save it with this encoding.") from None
    if found := re.search(r"^(<<<<<<<|>>>>>>>)( |$)", text, re.M):
        line = text.count("\n", 0, found.start()) + 1
        raise UserError(
            f"{_shown(path)}, line {line}, holds a conflict marker of git ({found.group(1)}): choose what shall stay, "
            "and take the marker lines out."
        )
    return text


def read_yaml(path):
    """What a YAML file says. Raises UserError, with the file's name and the place of the mistake."""
    return parse_yaml(read_text(path), _shown(path))


def parse_yaml(text, name):
    """What the text of the YAML file of that name says."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{name} cannot be read: {' '.join(str(error).split())}.") from None


def _shown(path):
    """The path from the book's folder, as messages name it."""
    path = Path(path).resolve()
    for folder in path.parents:
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return path.relative_to(folder).as_posix()
    return str(path)


def write_whole(path, content):
    """Write a text (UTF-8, lines ended by a line feed alone) or bytes, whole or not at all.

    What is not finished has a name of its own, so that two processes never write into one another's file.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_together(contents):
    """Write several files, {path: text or bytes}, all or none: after a failure each is as it was before."""
    before = {path: path.read_bytes() if path.is_file() else None for path in contents}
    folders = [folder for path in contents for folder in path.parents if not folder.exists()]
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
    except BaseException:
        for path, data in before.items():
            if data is None and path.is_file():
                path.unlink()
            elif data is not None and path.read_bytes() != data:
                write_whole(path, data)
        for folder in sorted(set(folders), key=lambda folder: len(folder.parts), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


# -------------------------------------------------------------------------------------------------------- the contents


def contents(root, toc=None):
    """The contents by `_toc.yml`: its first page, and a list of `Part`s. Raises UserError with the entry that is wrong.

    A page is written as there, and a chapter with the ending of its notebook also where `_toc.yml` leaves the ending out.
    Pages in sections come after the page that they belong to; addresses (`url:`) are no pages of the book. `toc` is the text of another `_toc.yml`.
    """
    toc = read_yaml(root / "_toc.yml") if toc is None else parse_yaml(toc, "_toc.yml")
    if not isinstance(toc, dict) or not isinstance(toc.get("root"), str):
        raise UserError("_toc.yml cannot be read as a table of contents: it needs a line like `root: book/index`.")
    parts = next((toc[key] for key in ("parts", "subtrees") if toc.get(key)), [toc])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise UserError("_toc.yml cannot be read as a table of contents: `parts:` has to be a list of parts.")
    return toc["root"], [Part(part.get("caption") or "", list(_pages(root, part))) for part in parts]


def toc_pages(root):
    """Every page of `_toc.yml`, in order, see `contents`."""
    first, parts = contents(root)
    return [first, *(page for part in parts for page in part.pages)]


def _pages(root, node):
    for key in ("chapters", "sections", "entries"):
        entries = node.get(key) or []
        if not isinstance(entries, list):
            raise UserError(f"_toc.yml: `{key}:` has to be followed by a list, not by {entries!r}.")
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("file"), str):
                yield _with_ending(root, entry["file"])
                yield from _pages(root, entry)
            elif not (isinstance(entry, dict) and isinstance(entry.get("url"), str)):
                words = f"the entry {entry!r} names no page"
                if isinstance(entry, dict) and "glob" in entry:
                    words = f"`glob: {entry['glob']}` does not say in which order the pages come"
                raise UserError(f"_toc.yml: {words}; list each page by a line like `- file: book/evidence`.")


def _with_ending(root, page):
    """The page as the book's tools know it: `book/depth` and `book/depth.md` are `book/depth.ipynb` where that is a chapter."""
    stem = root / page.removesuffix(".md")
    if page.endswith(".ipynb"):
        return page
    notebook, text = stem.with_name(stem.name + ".ipynb"), stem.with_name(stem.name + ".md")
    if notebook.is_file() or (text.is_file() and re.match(r"---\n(.+\n)*?kernelspec:", read_text(text))):
        return page.removesuffix(".md") + ".ipynb"
    return page


def html_name(page):
    return str(Path(page).with_suffix("")) + ".html"


# -------------------------------------------------------------------------------------- the configuration and addresses


def config(root):
    """`_config.yml` as a dictionary."""
    found = read_yaml(root / "_config.yml") or {}
    if not isinstance(found, dict):
        raise UserError("_config.yml cannot be read: it has to hold settings, each on a line like `title: ...`.")
    return found


ADDRESS = r"https?://[\w.-]+(:\d+)?/([\w.~-]+/)*"
REPOSITORY = r"https://github\.com/[A-Za-z0-9][\w-]*/(?!\.{1,2}$)[\w.-]+"


def site_address(root):
    """Where the site is published, with a slash at its end, from its one place: `_config.yml`, `html: baseurl`; or ""."""
    address = (config(root).get("html") or {}).get("baseurl") or ""
    return checked_address(address) if address else ""


def checked_address(address):
    address = str(address).rstrip("/") + "/"
    if not re.fullmatch(ADDRESS, address) or "/../" in address or "/./" in address:
        raise UserError(f"{address!r} is no address of a site: it looks like https://owner.github.io/name/.")
    return address


def repository(root):
    """The repository's public address, from its one place: `_config.yml`."""
    section = config(root).get("repository")
    url = section.get("url") if isinstance(section, dict) else None
    if not isinstance(url, str):
        raise UserError("_config.yml has to hold `repository:` and below it `url: https://github.com/OWNER/NAME`.")
    return url.rstrip("/")


def checked_repository(url):
    """The address of a repository as the book writes it, without a slash or `.git` at its end."""
    url = url.rstrip("/").removesuffix(".git")
    if not re.fullmatch(REPOSITORY, url):
        raise UserError(f"{url!r} is no repository address: it looks like https://github.com/OWNER/NAME.")
    return url


def launchers(repository):
    """{name: how the links that open a notebook of this repository there begin}."""
    own = repository.removeprefix("https://github.com/")
    return {
        "Colab": f"https://colab.research.google.com/github/{own}/blob/main/",
        "Binder": f"https://mybinder.org/v2/gh/{own}/main?urlpath=tree/",
    }


def colab_address(repository):
    """Where Colab opens the book's notebooks."""
    return launchers(repository)["Colab"] + "book/"


# ------------------------------------------------------------------------------------------- what is found on a machine


def tracked_files(root):
    """The files that git tracks or would add, as a set of paths; None outside git, also inside another's repository."""
    listed = git.ask(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return set(listed.split("\0")) - {""} if listed is not None and git.is_repository(root) else None


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium():
    """The Chromium that prints the PDF and tries the pages: the one that CHROMIUM names, or one that is found; or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
