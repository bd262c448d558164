"""The files that a reader takes away: notebooks, their texts, recorded runs."""

import shutil

from companion.evidence import records
from companion.publish.notebooks import chapters
from companion.publish.pages import handout
from companion.publish.project import launchers


def write_record_files(chapter, folder):
    """Put the chapter's record beside the site as JSON and CSV; returns the `Record`."""
    record = records.load_record(chapter)
    if record.runs:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(records.record_path(chapter), folder / f"{chapter}.json")
        (folder / f"{chapter}.csv").write_text(records.to_csv(record), encoding="utf-8", newline="\n")
    return record


def publish_sources(root, built, executed, solutions=True):
    """Lay what the pages' download links lead to: the tracked notebook and its Markdown, what the repository has, no more.

    Without solutions, or before the notebook is tracked, it is the executed one, without what staging added for the site alone.
    """
    import jupytext

    folder = built / "_sources" / "book"
    for name, notebook in executed.items():
        pair, text = chapters.pair_path(root, name), folder / f"{name}.md"
        if solutions and pair.is_file():
            shutil.copy(pair, folder / pair.name)
        else:
            chapters.write_notebook(notebook, folder / pair.name)
        if solutions:
            shutil.copy(chapters.source_path(root, name), text)
        else:
            source = handout.without_solutions(chapters.read_source(root, name), name)
            text.write_text(jupytext.writes(source, "md:myst"), encoding="utf-8", newline="\n")


def lead_to_handouts(built, repository, names):
    """On the built pages, links that open a chapter in Colab lead to the notebook to hand out; those to Binder go."""
    from bs4 import BeautifulSoup

    starts = launchers(repository)
    known = {f"{start}book/{name}.ipynb": (place, name) for place, start in starts.items() for name in names}
    for path in sorted(built.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        if not any(start in text for start in starts.values()):
            continue
        soup = BeautifulSoup(text, "html.parser")
        for link in soup.find_all("a", href=lambda address: address and address.partition("#")[0] in known):
            place, name = known[link["href"].partition("#")[0]]
            if place == "Colab":
                up = "../" * len(path.relative_to(built).parent.parts)
                link.string = link.get_text().replace("Colab", "notebook")
                link.attrs = {"href": f"{up}handout/{name}.ipynb", "download": ""}
            else:
                link.decompose()
        path.write_text(str(soup), encoding="utf-8", newline="\n")
