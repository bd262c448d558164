"""Sets of fonts that a machine may have, as fontconfig settings: what we make has to look the same under each of them."""

from pathlib import Path
from xml.sax.saxutils import escape

SYSTEM = Path("/usr/share/fonts/truetype")  # of Debian and Ubuntu: fonts-dejavu-core, fonts-noto-core, fonts-liberation
SETS = {"dejavu": ("dejavu",), "noto": ("dejavu", "noto"), "liberation": ("dejavu", "liberation")}

SETTINGS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
{folders}
<cachedir>{cache}</cachedir>
<include ignore_missing="yes">/etc/fonts/conf.d</include>
</fontconfig>
"""


def folders(name):
    """The folders of a set; FileNotFoundError names those that are not installed."""
    found = [SYSTEM / family for family in SETS[name]]
    if missing := [f"fonts-{path.name}" for path in found if not path.is_dir()]:
        raise FileNotFoundError(f"the set {name!r} needs {' and '.join(missing)}, and {SYSTEM} has none of that")
    return found


def settings(folders, target):
    """Write a file for FONTCONFIG_FILE into the folder `target`: with it a program finds the fonts of `folders` and no others."""
    path = target / "fonts.conf"
    lines = "\n".join(f"<dir>{escape(str(folder))}</dir>" for folder in folders)
    path.write_text(SETTINGS.format(folders=lines, cache=escape(str(target / "cache"))), encoding="utf-8")
    return path
