"""The book's folder: its configuration, contents and public addresses, and writing a file whole or not at all."""

import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path

from companion.publish import UserError

PACKAGE = Path(str(files("companion")))


def project_root(start="."):
    """The folder with `_toc.yml` at or above `start`."""
    start = Path(start).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    raise UserError(
        "This is not the book's folder: go to the one that holds _toc.yml and book/, and run the command there."
    )


def toc_pages(root):
    """Every page of `_toc.yml`, in order, as written there."""
    import yaml

    try:
        toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
        parts = toc.get("parts", [toc])
        return [toc["root"], *(entry["file"] for part in parts for entry in part.get("chapters", []))]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"_toc.yml cannot be read as a table of contents: {reason}") from None


def config(root):
    """`_config.yml` as a dictionary."""
    import yaml

    try:
        return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"_config.yml cannot be read: {' '.join(str(error).split())}.") from None


ADDRESS = r"https?://[\w.-]+(:\d+)?/([\w.~-]+/)*"


def site_address(root):
    """Where the site is published, with a slash at its end, from its one place: `_config.yml`, `html: baseurl`; or ""."""
    address = (config(root).get("html") or {}).get("baseurl") or ""
    return checked_address(address) if address else ""


def checked_address(address):
    address = str(address).rstrip("/") + "/"
    if not re.fullmatch(ADDRESS, address):
        raise UserError(f"{address!r} is no address of a site: it looks like https://owner.github.io/name/.")
    return address


def repository(root):
    """The repository's public address, from its one place: `_config.yml`."""
    import yaml

    try:
        return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"].rstrip("/")
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"_config.yml has to hold `repository: url:` and cannot be read ({reason}).") from None


def launchers(repository):
    """{name: how the links that open a notebook of this repository there begin}."""
    own = repository.removeprefix("https://github.com/")
    return {
        "Colab": f"https://colab.research.google.com/github/{own}/blob/main/",
        "Binder": f"https://mybinder.org/v2/gh/{own}/main?urlpath=tree/",
    }


def tracked_files(root):
    """The files that git tracks or would add, as a set of paths; None outside git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        return set(
            subprocess.run(
                command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=True
            ).stdout.split("\0")
        )
    except (OSError, subprocess.CalledProcessError):
        return None


def html_name(page):
    return str(Path(page).with_suffix("")) + ".html"


def colab_address(repository):
    """Where Colab opens the book's notebooks."""
    return repository.replace("https://github.com/", "https://colab.research.google.com/github/") + "/blob/main/book/"


def write_whole(path, text):
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
