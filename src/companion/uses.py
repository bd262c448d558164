"""What a run reads of the package: its modules, and what they note here. So outputs are tied to just what could alter them."""

import sys

KINDS = ("records", "claims", "profiles")
_noted = {kind: set() for kind in KINDS}


def note(kind, chapter):
    """Remember that the rows or runs of this chapter were read; "*" stands for those of all chapters."""
    _noted[kind].add(chapter)


def summary():
    """{"modules": [...], "records": [...], "claims": [...], "profiles": [...]} of this process so far.

    Modules without "companion.", the package itself as "__init__"; the catalogue is left out, see `catalogue.entries_of`.
    """
    loaded = {name.partition(".")[2] or "__init__" for name in sys.modules if name.partition(".")[0] == "companion"}
    return {"modules": sorted(loaded - {"catalogue"}), **{kind: sorted(names) for kind, names in _noted.items()}}
