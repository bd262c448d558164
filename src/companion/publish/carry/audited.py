"""What `companion audit` writes: a page that stands alone, and a notebook to hand in."""

from pathlib import Path

from companion.evidence import audit
from companion.publish import UserError, project

JUDGE = """\
from companion.evidence.audit import audit_text

# The claims and runs of the report, as they were given. Nothing else is needed to judge them again.
audit_text(r'''
{}''')
"""


def write(path, folder=None):
    """Judge the report at `path` and write NAME.html and NAME.ipynb beside it, or into `folder`: (Audit, [paths]).

    Raises UserError with everything that is wrong in the file, and then writes nothing.
    """
    path = Path(path)
    try:
        content, beside = audit.read(path)
        found = audit.judged(content, beside)
    except audit.AuditError as error:
        raise UserError(str(error)) from None
    folder = Path(folder) if folder else path.parent
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        folder / f"{path.stem}.html": page_html(found),
        folder / f"{path.stem}.ipynb": notebook_text(found, content, beside),
    }
    for target, text in written.items():
        project.write_whole(target, text)
    return found, list(written)


def write_template(path):
    """Write the example, with comments, to `path`; raises UserError where something is there."""
    path = Path(path)
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(audit.TEMPLATE)
    except FileExistsError:
        raise UserError(f"{path} is there already and stays as it is: name another file.") from None


def page_html(found):
    """A page of its own, without a script and without anything from outside."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(loader=PackageLoader("companion.publish.carry"), autoescape=True, undefined=StrictUndefined)
    return made.get_template("audit.html.jinja").render(found=found, cards=Markup(found._repr_html_()))


def notebook_text(found, content, beside):
    """A notebook that holds the claims with their runs and judges them again: executed, to be handed in."""
    import nbformat

    from companion.publish.notebooks import execution

    new = nbformat.v4
    by = f"\n\nby {found.author}" if found.author else ""
    title = f"# {found.title}{by}\n\nJudged by the rules of the course companion (`companion audit`)."
    text = audit.written_out(content, beside).replace("'''", "’’’")  # which would end the text of the cell
    cells = [
        new.new_markdown_cell(title),
        new.new_code_cell(JUDGE.format(text)),
        new.new_markdown_cell(
            "## What I conclude\n\n*Here is room for your own words: which claims do you keep, and why?*"
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    executed = nbformat.reads(execution.execute(nbformat.writes(notebook), {}, label="the notebook"), as_version=4)
    executed.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    for cell in executed.cells:
        cell.metadata = {}
    return nbformat.writes(executed) + "\n"
