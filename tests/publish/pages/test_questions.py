"""The self-check questions: those of the chapters, what is refused, and answering them by keyboard."""

import copy
import shutil

import nbformat
import pytest
import yaml
from books import NAMES, ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from reading import counted, markdown, soup

from companion import load_claims
from companion.publish import UserError
from companion.publish.pages import questions

WRITTEN = sorted(path.stem for path in (ROOT / "book" / "questions").glob("*.yml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_chapter_has_three_questions_without_placeholders(name):
    text = questions.questions_path(ROOT, name).read_text(encoding="utf-8")
    assert len(questions.load_questions(ROOT, name)) == 3
    assert questions.PLACEHOLDER not in text, "the skeleton has not been filled in"


@pytest.mark.parametrize("name", WRITTEN)
def test_questions_belong_to_a_chapter_of_the_ledger_and_type_no_value_of_it(name):
    assert load_claims(name), "no chapter of this name is planned"
    loaded = questions.load_questions(ROOT, name)
    text = questions.questions_html(loaded)
    for claim in load_claims(name).values():
        values, reported = (v if isinstance(v, list) else [v] for v in (claim.correct, claim.reported))
        for value in values:
            if isinstance(value, int) and value > 1000 and value not in reported:
                assert f"{value:,}" not in text and str(value) not in text, claim.id


@pytest.mark.parametrize("name", WRITTEN)
def test_the_numbers_to_be_counted_have_a_second_witness_in_the_chapters_own_tests(name):
    file = ROOT / "tests" / "chapters" / f"test_{name.replace('-', '_')}.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    assert bool(counted(name)) == (f'counted("{name}")' in text)


GOOD = [
    {
        "question": "Why `x < 1`?",
        "options": [
            {"text": "Because *so*.", "right": True, "feedback": "Yes, & more."},
            {"text": "No.", "feedback": "That is wrong."},
            {"text": "Never.", "feedback": "That is wrong too."},
        ],
    },
    {
        "question": "How many?",
        "answer": "(3 * 3 * 2 + 1) * 20",
        "feedback": "Counted.",
        "near": [{"value": "3 * 3 * 2 * 20", "feedback": "Without the biases."}],
        "otherwise": "Count again.",
    },
    {
        "question": "What if?",
        "options": [
            {"text": "A", "feedback": "Feedback A."},
            {"text": "B", "feedback": "Feedback B."},
            {"text": "C", "right": True, "feedback": "Feedback C."},
            {"text": "D", "feedback": "Feedback D."},
        ],
    },
]


def spoiled(change):
    bad = copy.deepcopy(GOOD)
    change(bad)
    return bad


SPOILED = {
    "list of three": lambda q: q.pop(),
    "question 1: it has to begin with": lambda q: q.__setitem__(0, "why?"),
    "needs a text as `question`": lambda q: q[0].pop("question"),
    "question 1: it needs three or four options": lambda q: q[0]["options"].pop(),
    "exactly one option": lambda q: q[0]["options"][1].update(right=True),
    "`right: true` or nothing": lambda q: q[0]["options"][1].update(right=False),
    "the option 'No.' needs a text as `feedback`": lambda q: q[0]["options"][1].pop("feedback"),
    "options are the same": lambda q: q[0]["options"][1].update(text="Never."),
    "key 'hint' is unknown": lambda q: q[2].update(hint="?"),
    "question 2: it needs `options`, or `answer`": lambda q: q[1].pop("answer"),
    "no calculation with whole numbers": lambda q: q[1].update(answer="count(x)"),
    "the near miss 3 \\* 3 \\* 2 \\* 20 needs": lambda q: q[1]["near"][0].pop("feedback"),
    "needs a text as `otherwise`": lambda q: q[1].pop("otherwise"),
    "two of its numbers are equal": lambda q: q[1]["near"][0].update(value=380),
    "not with dollar signs": lambda q: q[2].update(question="What is $x$?"),
}


def put_questions(tmp_path, content):
    path = questions.questions_path(tmp_path, "one")
    path.parent.mkdir(parents=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("words", SPOILED)
def test_a_bad_question_is_refused_with_a_sentence_that_says_where(tmp_path, words):
    root = put_questions(tmp_path, spoiled(SPOILED[words]))
    with pytest.raises(UserError, match=rf"^book/questions/one\.yml.*{words}"):
        questions.load_questions(root, "one")


def test_a_file_that_is_no_yaml_is_refused_and_a_good_one_is_read(tmp_path):
    with pytest.raises(UserError, match=r"book/questions/one.yml cannot be read"):
        questions.load_questions(put_questions(tmp_path / "bad", "- question: [\n"), "one")
    assert questions.load_questions(put_questions(tmp_path / "good", GOOD), "one") == GOOD
    assert questions.load_questions(tmp_path, "one") == []


@pytest.mark.parametrize(
    ("text", "value"), [("(3 * 3 * 2 + 1) * 3", 57), ("2 ** 10 - 24", 1000), ("9 // 2", 4), (7, 7)]
)
def test_calculations_are_calculated(text, value):
    assert questions.calculate(text) == value


@pytest.mark.parametrize("text", ["__import__('os')", "1.5", "True", "9 ** 9 ** 9", "1 // 0", "x", "", None, "1 / 2"])
def test_what_is_no_calculation_is_refused(text):
    with pytest.raises(ValueError, match="no calculation"):
        questions.calculate(text)


def chapter_notebook():
    return new_notebook(
        cells=[
            new_markdown_cell("# One\n\nText."),
            new_code_cell("1 + 1", execution_count=1),
            new_markdown_cell("## Summary\n\n- Seen.\n\n## Exercises\n\n### Exercise 1: count"),
        ]
    )


def test_questions_stand_right_before_the_exercises_and_nothing_else_changes(tmp_path):
    root = put_questions(tmp_path, GOOD)
    notebook = chapter_notebook()
    questions.add_questions(root, notebook, "one")
    added = [cell for cell in notebook.cells if "## Check yourself" in cell.source]
    text = markdown(notebook)
    assert len(added) == 1 and text.index("Seen.") < text.index("Check yourself") < text.index("## Exercises")
    rest = "\n\n".join(cell.source for cell in notebook.cells if cell not in added and cell.cell_type == "markdown")
    assert rest == markdown(chapter_notebook())
    nbformat.validate(notebook)


def test_questions_without_a_place_are_refused(tmp_path):
    notebook = new_notebook(cells=[new_markdown_cell("# One")])
    with pytest.raises(UserError, match="one has questions but no heading '## Exercises'"):
        questions.add_questions(put_questions(tmp_path, GOOD), notebook, "one")
    questions.add_questions(tmp_path / "nowhere", notebook, "one")
    assert len(notebook.cells) == 1


def test_every_answer_and_its_reason_stand_on_the_page_without_the_script():
    page = soup(questions.questions_html(GOOD))
    assert len(page.select("form > fieldset > legend")) == 3
    assert all(button.has_attr("hidden") for button in page.find_all("button")), "a button that does nothing"
    for field in page.find_all("input"):
        assert len(page.select(f'label[for="{field["id"]}"]')) == 1
    assert len({tag["id"] for tag in page.find_all(id=True)}) == len(page.find_all(id=True))
    answers = page.find("details").get_text()
    for question in GOOD:
        entries = question.get("options", question.get("near", []))
        assert all(entry["feedback"] in answers for entry in entries)
    assert "✓ 380" in answers and "✗ 360" in answers and "Count again." in answers
    assert page.select_one("legend code").text == "x < 1" and page.select_one("label em").text == "so"


@pytest.fixture(scope="module")
def quiz(tmp_path_factory):
    """The three good questions on a bare page, as an address of the file system."""
    folder = tmp_path_factory.mktemp("quiz")
    (folder / "book").mkdir()
    shutil.copytree(ROOT / "book" / "scripts", folder / "scripts")
    page = folder / "book" / "page.html"
    body = questions.questions_html(GOOD)
    page.write_text(f"<!doctype html><meta charset='utf-8'><title>q</title>{body}", encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def page(browser, quiz):
    context = browser.new_context()
    context.set_default_timeout(120_000)  # tests may share two cores with kernels
    page = context.new_page()
    page.goto(quiz)
    yield page
    context.close()


def feedback(page, number):
    return page.locator(".question-feedback").nth(number - 1).inner_text()


@pytest.mark.browser
def test_a_question_is_answered_by_keyboard_alone_and_says_why(page):
    assert page.locator("[role=status][aria-live=polite]").count() == 3
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "Choose an answer first." in feedback(page, 1)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert feedback(page, 1) == "", "feedback comes when asked for, not while the keys pass over the options"
    page.keyboard.press("Enter")
    assert feedback(page, 1) == "✗ Not yet. That is wrong."
    page.keyboard.press("ArrowUp")
    assert feedback(page, 1) == "", "what stood there belonged to another answer"
    page.keyboard.press("Enter")
    assert feedback(page, 1) == "✓ Right. Yes, & more."
    assert feedback(page, 2) == feedback(page, 3) == ""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("380", "✓ Right. Counted."),
        (" 0,380 ", "✓ Right. Counted."),
        ("3 80", "✓ Right. Counted."),
        ("360", "✗ Not yet. Without the biases."),
        ("12", "✗ Not yet. Count again."),
        ("otherwise", "Enter a whole number first."),
        ("3.5e2", "Enter a whole number first."),
        ("", "Enter a whole number first."),
    ],
)
def test_a_number_is_compared_as_a_number(page, typed, said):
    page.locator("[type=text]").fill(typed)
    page.keyboard.press("Enter")
    assert feedback(page, 2) == said


@pytest.mark.browser
def test_without_scripts_there_is_no_dead_button_and_the_answers_fold_out(browser, quiz):
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(quiz)
    assert page.locator("button:visible").count() == 0
    answer = page.get_by_text("Feedback C.")
    assert not answer.is_visible()
    page.locator("summary").click()
    assert answer.is_visible()
    context.close()
