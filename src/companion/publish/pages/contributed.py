"""The table of runs that others gave, on the page "Runs of others"."""

from companion.evidence.comparing import described
from companion.publish.notebooks import contributions
from companion.publish.pages.rendering import render


def contributed_html(folder=None):
    """For each chapter, machine and device: how many runs, and their means beside ours with the interval of the difference."""
    machines = [
        {
            "chapter": chapter,
            "machines": sorted({f"{row['device'].upper()}, {row['machine']}" for row in content["runs"]}),
            "runs": len(content["runs"]),
            "rows": [(described(setting), *rest) for setting, *rest in contributions.comparisons(chapter, content)],
        }
        for chapter, contents in contributions.contributed(folder).items()
        for content in contents
    ]
    return render("contributed", machines=machines)
