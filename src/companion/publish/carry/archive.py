"""The site as a zip that works offline, and the PDF beside it."""

import io
import zipfile

from companion.publish import UserError, project
from companion.publish.carry import pdf
from companion.publish.pages import handout

UNUSED = (".map", ".mo", ".po", ".buildinfo", "webpack-macros.html")  # the tools' own files: no page loads them


def make(root, solutions=True):
    """Make both files in `_build/dist` out of the built site; yields each with what is to be said of it, once it is there."""
    site, folder = root / "_build" / ("html" if solutions else handout.SITE), root / "_build" / "dist"
    name, option = ("companion", "") if solutions else ("companion-without-solutions", " --without-solutions")
    if not (site / "index.html").is_file():
        first = "`make book`" if solutions else f"`companion build{option}`"
        raise UserError(f"There is no built site to pack: run {first} first.")
    folder.mkdir(exist_ok=True)
    files = make_zip(site, folder / f"{name}.zip")
    yield folder / f"{name}.zip", f"the site, {files} files; unpack it and open companion/index.html"
    pages = pdf.make_pdf(root, site, folder / f"{name}.pdf", solutions)
    yield folder / f"{name}.pdf", f"the book on paper, {pages} pages"


def make_zip(site, target):
    """Pack the site, the same bytes for the same site: sorted, without dates; returns the number of files."""
    files = sorted(p for p in site.rglob("*") if p.is_file() and not p.name.endswith(UNUSED))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in files:
            entry = zipfile.ZipInfo("companion/" + path.relative_to(site).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    project.write_whole(target, packed.getvalue())
    return len(files)
