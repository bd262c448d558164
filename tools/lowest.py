"""Prints the oldest versions that pyproject.toml allows, as constraints for pip, so that the bounds stand in one place.

python tools/lowest.py > lowest.txt
pip install -c lowest.txt -e .[book,dist,test]
"""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
BOUND = re.compile(r"([\w.-]+)>=([\w.]+)(,<[\w.]+)?")


def lowest(project):
    """{package: the oldest version that these metadata allow}; a requirement without a lower bound is refused."""
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    found = {}
    for line in lines:
        bound = BOUND.fullmatch(line)
        if bound is None:
            raise SystemExit(f"pyproject.toml: {line!r} needs the form name>=version, or name>=version,<version.")
        name, version = bound.group(1, 2)
        if found.setdefault(name, version) != version:
            raise SystemExit(f"pyproject.toml gives {name} two lower bounds, {found[name]} and {version}.")
    return found


if __name__ == "__main__":
    for name, version in lowest(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]).items():
        print(f"{name}=={version}")
