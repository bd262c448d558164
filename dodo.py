"""The recipe of the book, for doit: execute each chapter that changed, then gate and build the site.

`companion build` runs it with a progress bar; `doit -n 2` works too.
"""

from companion.publish import project
from companion.publish.notebooks import chapters, execution
from companion.publish.site import building

ROOT = project.project_root()
DOIT_CONFIG = {
    "default_tasks": ["site"],
    "dep_file": str(building.state_path(ROOT)),
    "backend": "json",
    "par_type": "thread",
}
NAMES = chapters.chapter_names(ROOT)


def task_execute():
    """Execute a chapter by papermill: again only when its source changed, or a module, record or ledger row that it used."""
    for name in reversed(NAMES):  # the later chapters take longer: started first, they leave no core idle at the end
        yield {
            "name": name,
            "actions": [(execution.task, [ROOT, name])],
            "uptodate": [(execution.is_done, [ROOT, name])],  # the executed notebook says it itself
            "targets": [execution.executed_path(ROOT, name)],
            "io": {"capture": False},  # doit would swap sys.stdout, which threads share
        }


def task_site():
    """Gate the executed notebooks, build the strict site, gate the site."""
    return {
        "actions": [(building.task, [ROOT])],
        "file_dep": building.sources(ROOT),
        "task_dep": ["execute"],
        "targets": [ROOT / "_build" / "html" / "index.html"],
    }
