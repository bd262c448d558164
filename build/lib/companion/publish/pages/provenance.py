"""The lines under each title: when, where and with what the page was computed."""


def provenance_html(notebook, chapter, record):
    """When, where and with what the page was computed, which recorded runs it shows, and what can be downloaded.

    The two lines that everybody reads stand open; versions, machines and commits are folded.
    """
    about = notebook.metadata["companion"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [f"<b>Live run:</b> {about['seconds']} s on {about['device'].upper()}, {about['date']}."]
    details = [f"Live run: {about['profile']} profile, {versions}, commit {about['commit']}."]
    files = [
        (f"../_sources/book/{chapter}.ipynb", "notebook (.ipynb)"),
        (f"../_sources/book/{chapter}.md", "text (.md)"),
    ]
    if record.runs:
        origins = [run.provenance for run in record.runs]
        dates = sorted({origin["date"] for origin in origins})
        hours = sum(origin["seconds"] for origin in origins) / 3600
        devices = sorted({origin["device"].upper() for origin in origins})
        names = sorted({origin["data"]["name"] for origin in origins})
        lines.append(
            f"<b>Recorded runs:</b> {len(origins)} on {', '.join(names)}, {hours:.1f} hours on {', '.join(devices)}, "
            f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}."
        )
        sources = sorted({f"{o['data']['name']} from {o['data']['source']}" for o in origins})
        machines = sorted({f"{o['device'].upper()} ({o['machine']})" for o in origins})
        details.append(
            f"Recorded runs: {', '.join(sources)}; {', '.join(machines)}; "
            f"PyTorch {', '.join(sorted({o['versions']['torch'] for o in origins}))}, "
            f"commit {', '.join(sorted({o['commit'] for o in origins}))}."
        )
        files += [(f"../records/{chapter}.json", "runs (JSON)"), (f"../records/{chapter}.csv", "runs (CSV)")]
    links = ", ".join(f'<a href="{address}" download>{name}</a>' for address, name in files)
    folded = "<br>\n".join(details)
    return (
        '<div class="provenance">\n' + "<br>\n".join(lines) + "\n"
        f"<details><summary>Versions, machines, commits</summary>\n{folded}\n</details>\n"
        f"<b>Download:</b> {links}.\n</div>"
    )


def add_provenance(notebook, chapter, record):
    """Say under the title when, where and with what the page was computed, and which recorded runs it shows."""
    import nbformat

    cell = nbformat.v4.new_markdown_cell(provenance_html(notebook, chapter, record))
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = title
    extra = [cell] + ([nbformat.v4.new_markdown_cell(rest.strip())] if rest.strip() else [])
    notebook.cells[1:1] = extra
