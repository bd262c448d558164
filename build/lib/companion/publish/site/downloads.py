"""The files that a reader takes away: notebooks, their texts, recorded runs."""

import shutil

from companion.evidence import records
from companion.publish.notebooks import chapters
from companion.publish.pages import handout


def write_record_files(chapter, folder):
    """Put the chapter's record beside the site as JSON and CSV; returns the `Record`."""

    record = records.load_record(chapter)
    if record.runs:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(records.record_path(chapter), folder / f"{chapter}.json")
        (folder / f"{chapter}.csv").write_text(records.to_csv(record), encoding="utf-8", newline="\n")
    return record


def publish_sources(root, built, names, solutions=True):
    """Lay the tracked notebook and its Markdown where the pages' download links lead: what the repository has, no more.

    Without solutions the notebook stays the one that the page shows, and the Markdown loses its solutions too.
    """
    import jupytext

    folder = built / "_sources" / "book"
    for name in names:
        if solutions:
            for path in (chapters.pair_path(root, name), root / "book" / f"{name}.md"):
                if path.is_file():
                    shutil.copy(path, folder / path.name)
        else:
            source = handout.without_solutions(chapters.read_source(root, name), name)
            (folder / f"{name}.md").write_text(jupytext.writes(source, "md:myst"), encoding="utf-8", newline="\n")
        page = built / "book" / f"{name}.html"
        text = page.read_text(encoding="utf-8")
        start = text.find(f'<li><a href="../_sources/book/{name}.ipynb"')
        end = text.find("</li>", start) + len("</li>")
        if start >= 0:  # the theme's menu offers the notebook; the Markdown comes beside it, and both as downloads
            item = text[start:end].replace(' target="_blank"', " download").replace("source file", "the notebook")
            other = (
                item.replace(f"{name}.ipynb", f"{name}.md")
                .replace(">.ipynb<", ">.md<")
                .replace("the notebook", "its text")
            )
            page.write_text(text[:start] + item + "\n" + other + text[end:], encoding="utf-8")


def restore_downloads(built, executed):
    """Put the executed notebooks themselves behind the pages' download buttons: what staging added is for the site alone."""
    for name, notebook in executed.items():
        path = built / "_sources" / "book" / f"{name}.ipynb"
        if path.exists():
            chapters.write_notebook(notebook, path)
