"""What README derives from the book, each between two comments that GitHub does not show: its list of chapters, its counts.

`<!-- claims -->183<!-- end of claims -->` holds a count; the list stands between `<!-- chapters -->` and its end.
"""

import re

from companion.publish import UserError, project
from companion.publish.notebooks import chapters
from companion.publish.pages.counts import count


def refresh(root):
    """Bring README up to date; returns whether it changed. Raises UserError where it lacks a pair of comments."""
    path = root / "README.md"
    if not path.is_file():
        return False
    text = project.read_text(path)
    new = up_to_date(root, text)
    if new != text:
        project.write_whole(path, new)
    return new != text


def up_to_date(root, text, toc=None, titles=None):
    """The text of README with the present chapters and counts; `toc` and `titles` take the place of what is not written yet."""
    counts = count()
    facts = {
        "claims": str(counts.total),
        "reports": str(len(counts.reports)),
        "chapters": f"\n{_chapter_list(root, toc, titles or {})}\n",
    }
    for name, fact in facts.items():
        between = re.compile(rf"(<!-- {name} -->).*?(<!-- end of {name} -->)", re.S)
        if len(between.findall(text)) != 1:
            raise UserError(f"README.md needs exactly one `<!-- {name} -->` and after it `<!-- end of {name} -->`.")
        text = between.sub(lambda found, fact=fact: found.group(1) + fact + found.group(2), text)
    return text


def _chapter_list(root, toc, titles):
    """The chapters, part by part, each with its link to Colab."""
    colab, lines = project.colab_address(project.repository(root)), []
    for part in project.contents(root, toc)[1]:
        names = [chapters.name_of(page) for page in part.pages if page.endswith(".ipynb")]
        if names:
            lines += [f"*{part.caption}*", ""] if part.caption else []
            lines += [f"- [{titles.get(name) or chapters.title(root, name)}]({colab}{name}.ipynb)" for name in names]
            lines.append("")
    return "\n".join(["", *lines]).rstrip("\n") + "\n"
