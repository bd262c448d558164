"""The lines under each title: when, where and with what the page was computed."""

from companion.publish.pages.rendering import render


def provenance_html(notebook, chapter, record):
    """When, where and with what the page was computed, which recorded runs it shows, and what can be downloaded.

    The two lines that everybody reads stand open; versions, machines and commits are folded.
    """
    recorded = _summary([run.provenance for run in record.runs]) if record.runs else None
    return render("provenance", chapter=chapter, live=notebook.metadata["companion"], recorded=recorded)


def _summary(origins):
    """What the lines say of the recorded runs with these provenances: each of their facts once, sorted."""

    def each(fact):
        return sorted({fact(origin) for origin in origins})

    dates = each(lambda origin: origin["date"])
    return {
        "runs": len(origins),
        "hours": sum(origin["seconds"] for origin in origins) / 3600,
        "dates": list(dict.fromkeys((dates[0], dates[-1]))),
        "names": each(lambda origin: origin["data"]["name"]),
        "sources": each(lambda origin: f"{origin['data']['name']} from {origin['data']['source']}"),
        "devices": each(lambda origin: origin["device"].upper()),
        "machines": each(lambda origin: f"{origin['device'].upper()} ({origin['machine']})"),
        "torch": each(lambda origin: origin["versions"]["torch"]),
        "commits": each(lambda origin: origin["commit"]),
    }


def add_provenance(notebook, chapter, record):
    """Say under the title, or under the chapter's head, when, where and with what the page was computed, and which runs it shows."""
    import nbformat

    cell = nbformat.v4.new_markdown_cell(provenance_html(notebook, chapter, record))
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = title
    if rest.strip():
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(rest.strip()))
    headed = "head" in notebook.cells[1].metadata.get("tags", ()) if len(notebook.cells) > 1 else False
    notebook.cells.insert(2 if headed else 1, cell)
