"""The self-check questions of a chapter: reads `book/questions/<chapter>.yml` and puts them before the exercises."""

import ast
import operator
import re
from dataclasses import dataclass

from companion.publish import UserError, project
from companion.publish.pages.rendering import render

HEADING = re.compile(r"^## Exercises\s*$", re.M)
OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
INTRODUCTION = (
    "Three questions to find out whether the chapter arrived. Choose or count, then press *Check*: every answer, right or "
    "wrong, gets its reason. Nothing is sent or kept, and you can try as often as you like."
)


def questions_path(root, chapter):
    return root / "book" / "questions" / f"{chapter}.yml"


def load_questions(root, chapter):
    """The chapter's questions as a checked list of dictionaries; [] when it has no file. Raises UserError."""
    path = questions_path(root, chapter)
    if not path.exists():
        return []
    questions = project.read_yaml(path)
    if not isinstance(questions, list) or len(questions) != 3:
        raise UserError(f"{_name(chapter)} has to hold a list of three questions.")
    for number, question in enumerate(questions, start=1):
        try:
            _check(question)
        except ValueError as error:
            raise UserError(f"{_name(chapter)}, question {number}: {error}") from None
    return questions


def _name(chapter):
    return f"book/questions/{chapter}.yml"


def _check(question):
    """Raise ValueError, with a sentence, unless this is a question of either kind."""
    if not isinstance(question, dict):
        raise ValueError("it has to begin with `question:`.")
    _text(question, "question")
    if "options" in question:
        _check_choice(question)
    elif "answer" in question:
        _check_number(question)
    else:
        raise ValueError("it needs `options`, or `answer` for a number to be counted.")


def _check_choice(question):
    _only(question, {"question", "options"})
    options = question["options"]
    if not isinstance(options, list) or len(options) not in (3, 4):
        raise ValueError("it needs three or four options.")
    for option in options:
        if not isinstance(option, dict):
            raise ValueError("each option needs `text` and `feedback`.")
        _only(option, {"text", "right", "feedback"})
        text = _text(option, "text")
        _text(option, "feedback", f"the option {text!r}")
        if option.get("right", True) is not True:
            raise ValueError(f"the option {text!r} may say `right: true` or nothing.")
    if sum("right" in option for option in options) != 1:
        raise ValueError("exactly one option has to say `right: true`.")
    if len({option["text"] for option in options}) < len(options):
        raise ValueError("two of its options are the same.")


def _check_number(question):
    _only(question, {"question", "answer", "feedback", "near", "otherwise"})
    _text(question, "feedback")
    _text(question, "otherwise")
    values, near = [calculate(question["answer"])], question.get("near", [])
    if not isinstance(near, list):
        raise ValueError("`near` has to be a list of wrong numbers, each with `value` and `feedback`.")
    for wrong in near:
        if not isinstance(wrong, dict):
            raise ValueError("each entry of `near` needs `value` and `feedback`.")
        _only(wrong, {"value", "feedback"})
        values.append(calculate(wrong.get("value")))
        _text(wrong, "feedback", f"the near miss {wrong['value']}")
    if len(set(values)) < len(values):
        raise ValueError("two of its numbers are equal.")


def _text(entry, key, of="it"):
    text = entry.get(key)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{of} needs a text as `{key}`.")
    if "$" in text:
        raise ValueError(f"formulas are written with ·, × and ², not with dollar signs: {text.strip()[:40]!r}.")
    return text


def _only(entry, known):
    if unknown := sorted(map(str, set(entry) - known)):
        raise ValueError(f"the key {unknown[0]!r} is unknown; known here are {', '.join(sorted(known))}.")


def calculate(expression):
    """The whole number that an expression such as `(3 * 3 * 2 + 1) * 3` stands for. Raises ValueError."""

    def value(node):
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            left, right = value(node.left), value(node.right)
            if isinstance(node.op, ast.Pow) and not 0 <= right <= 64:
                raise ValueError
            return OPERATIONS[type(node.op)](left, right)
        raise ValueError

    try:
        return value(ast.parse(str(expression), mode="eval"))
    except (ValueError, SyntaxError, ZeroDivisionError):
        raise ValueError(
            f"{expression!r} is no calculation with whole numbers (allowed are + - * // ** and brackets)."
        ) from None


def add_questions(root, notebook, chapter):
    """Put the chapter's questions into its staged notebook, right before the heading "Exercises"."""
    import nbformat

    questions = load_questions(root, chapter)
    if not questions:
        return
    new_cell = nbformat.v4.new_markdown_cell
    for index, cell in enumerate(notebook.cells):
        found = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        if found:
            before, after = cell.source[: found.start()].rstrip(), cell.source[found.start() :]
            page = f"## Check yourself\n\n{INTRODUCTION}\n\n```{{raw}} html\n{questions_html(questions)}\n```\n"
            cell.source = after
            notebook.cells[index:index] = ([new_cell(before)] if before else []) + [new_cell(page)]
            return
    raise UserError(f"{chapter} has questions but no heading '## Exercises' to put them before.")


@dataclass(frozen=True)
class Answer:
    """An answer that the page knows: the value of its field, its text and reason as HTML, and whether it is the right one."""

    value: object
    text: str
    feedback: str
    right: bool


def questions_html(questions):
    """The questions as forms, and their answers to be folded out, which is where the script finds its feedback."""
    asked = [(inline(question["question"]), "options" in question, _answers(question)) for question in questions]
    return render("questions", questions=asked)


def _answers(question):
    if "options" in question:
        options = zip("abcd", question["options"], strict=False)
        return [Answer(key, inline(o["text"]), inline(o["feedback"]), "right" in o) for key, o in options]
    numbers = [(question["answer"], question["feedback"])]
    numbers += [(wrong["value"], wrong["feedback"]) for wrong in question.get("near", [])]
    known = [(calculate(expression), inline(feedback)) for expression, feedback in numbers]
    answers = [Answer(value, f"{value:,}", feedback, number == 0) for number, (value, feedback) in enumerate(known)]
    return [*answers, Answer("otherwise", "Any other number", inline(question["otherwise"]), False)]


def inline(text):
    """One paragraph of Markdown (emphasis and code) as HTML; anything else is shown as it is written."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    rendered = MarkdownIt("commonmark", {"html": False}).disable(["link", "image"]).renderInline(" ".join(text.split()))
    return Markup(rendered.replace("\n", " "))


PLACEHOLDER = "REPLACE"  # a test refuses questions that still hold it
