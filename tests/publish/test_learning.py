"""What helps to learn: questions, the book without solutions, glossary, notation, bibliography, predictions, links."""

import copy
import json
import re
import shutil

import nbformat
import pytest
import snowballstemmer
import torch
import yaml
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from torch import nn

from companion import conv_parameters, layer_table, load_claims
from companion.publish import UserError, cli, project
from companion.publish.notebooks import chapters
from companion.publish.pages import bibliography, handout, questions, reading
from companion.publish.site import building

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)
WRITTEN = sorted(path.stem for path in (ROOT / "book" / "questions").glob("*.yml"))
REPOSITORY = project.repository(ROOT)
every_chapter = pytest.mark.parametrize("name", NAMES)


def source(name):
    return chapters.read_source(ROOT, name)


def markdown(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


# ------------------------------------------------------------------------------------------------------- questions


@every_chapter
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
        values = claim.correct if isinstance(claim.correct, list) else [claim.correct]
        for value in values:
            if isinstance(value, int) and value > 1000:
                assert f"{value:,}" not in text and str(value) not in text, claim.id


def reach(*layers, channels=1, flat=False):
    """How many inputs in a row can influence one output of these layers: those with a gradient."""
    x = torch.ones((1, channels, 64) if flat else (1, channels, 64, 64), requires_grad=True)
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    out = model(x + torch.randn_like(x) / 10)
    middle = (0, 0) + (out.shape[-1] // 2,) * (out.dim() - 2)
    out[middle].backward()
    return int((x.grad.abs().sum(dim=tuple(range(x.dim() - 1))) > 0).sum())


def survivor():
    torch.manual_seed(0)
    return nn.Dropout(0.25).train()(torch.full((100,), 3.0)).max().item()


def variants_of_an_image():
    """Distinct windows of an image with a margin of 2, plain and mirrored."""
    padded = nn.functional.pad(torch.arange(1.0, 65).view(8, 8), (2, 2, 2, 2))
    windows = [padded[top : top + 8, left : left + 8] for top in range(5) for left in range(5)]
    return len({tuple(w.flatten().tolist()) for window in windows for w in (window, window.flip(1))})


def saved_products(backbone=1000, last=10, epochs=8):
    recomputed = sum(backbone + 2 * last for _ in range(epochs))
    return recomputed - (backbone + sum(2 * last for _ in range(epochs)))


def one_cell():
    cells = torch.zeros(1, 1, 4, 4)
    cells[0, 0, 2, 1] = 48
    return nn.AdaptiveAvgPool2d(1)(cells).item()


WITNESSES = {  # each number that a reader has to count, found in another way
    "vgg-parameters": lambda: conv_parameters(16, 8, 3),
    "dropout": survivor,
    # ones as weights and a mean in place of the maximum: a maximum passes the gradient to one pixel only
    "depth": lambda: reach(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.AvgPool2d(2)),
    "mlp-vs-cnn": lambda: layer_table(nn.Conv2d(2, 4, 3, padding=1), (2, 16, 16)).multiply_adds,
    "augmentation": variants_of_an_image,
    "gap-head": one_cell,
    "rnn-vs-cnn": lambda: reach(*(nn.Conv1d(1, 1, 3, dilation=d) for d in (1, 2, 4)), flat=True),
    "transfer-learning": saved_products,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_numbers_to_be_counted_have_a_second_witness(name):
    answers = [questions.calculate(q["answer"]) for q in questions.load_questions(ROOT, name) if "answer" in q]
    assert answers == ([WITNESSES[name]()] if name in WITNESSES else [])


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
    soup = BeautifulSoup(questions.questions_html(GOOD), "html.parser")
    assert len(soup.select("form > fieldset > legend")) == 3
    assert all(button.has_attr("hidden") for button in soup.find_all("button")), "a button that does nothing"
    for field in soup.find_all("input"):
        assert len(soup.select(f'label[for="{field["id"]}"]')) == 1
    assert len({tag["id"] for tag in soup.find_all(id=True)}) == len(soup.find_all(id=True))
    answers = soup.find("details").get_text()
    for question in GOOD:
        entries = question.get("options", question.get("near", []))
        assert all(entry["feedback"] in answers for entry in entries)
    assert "✓ 380" in answers and "✗ 360" in answers and "Count again." in answers
    assert soup.select_one("legend code").text == "x < 1" and soup.select_one("label em").text == "so"


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


# ----------------------------------------------------------------------------------------------- predict first, links


@pytest.mark.parametrize(
    ("text", "boxed"),
    [
        ("## Predict first\n\nGuess:\n\n1. A?\n2. B\n   or C?\n\nNext, code:", "Guess:\n\n1. A?\n2. B\n   or C?"),
        (
            "Before.\n\n**Predict first.** Write.\n\n1. A?\nlazy\n2. B?",
            "**Predict first.** Write.\n\n1. A?\nlazy\n2. B?",
        ),
        ("## Predict first\n\nAsk the reader.\n\nAnd wait.", "Ask the reader.\n\nAnd wait."),
        ("## Predict first\n\n1. A?\n\n## Training\n\nGo.", "1. A?"),
    ],
)
def test_what_is_to_be_predicted_stands_in_a_box_and_the_rest_outside(text, boxed):
    page = reading.box_predictions(text)
    assert f":::{{container}} predict-first\n{boxed}\n:::" in page
    rest = page.replace(":::{container} predict-first\n", "").replace("\n:::", "", 1)
    assert re.sub(r"\n+", "\n", rest) == re.sub(r"\n+", "\n", text), "no word is lost"


def test_other_cells_get_no_box():
    text = "The third question of *Predict first* is open. **Predict** now.\n\n## Predict"
    assert reading.box_predictions(text) == text


@every_chapter
def test_every_chapter_asks_for_a_prediction_in_one_box(name):
    boxed = [reading.box_predictions(cell.source) for cell in source(name).cells if cell.cell_type == "markdown"]
    boxes = re.findall(r"^:::\{container\} predict-first\n(.*?)\n:::$", "\n".join(boxed), re.S | re.M)
    assert len(boxes) == 1 and len(re.findall(r"^\d+\. .*\?", boxes[0], re.M)) >= 2


@every_chapter
def test_links_of_a_chapter_work_wherever_the_notebook_is_opened_and_stay_inside_the_site(name):
    text = markdown(source(name))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [link for link in links if not link.startswith("https://")] == [], "a copy in Drive has no neighbours"
    own = [link for link in links if REPOSITORY.removeprefix("https://github.com/") in link]
    colab, github = project.colab_address(REPOSITORY), f"{REPOSITORY}/blob/main/book/"
    for link in own:
        page = link.partition("#")[0].removeprefix(colab).removeprefix(github)
        assert (ROOT / "book" / page).is_file(), link
        assert link.startswith(colab) == page.endswith(".ipynb")
    inside = reading.link_inside(text, REPOSITORY, NAMES)
    assert not re.search(rf"\]\((?:{re.escape(colab)}|{re.escape(github)})", inside)
    assert len(re.findall(r"\]\([\w-]+\.(?:md|ipynb)[#)]", inside)) == len(own)


def test_only_links_to_the_books_own_pages_are_turned_inside():
    colab = project.colab_address(REPOSITORY)
    text = f"[a]({colab}dropout.ipynb) [b]({colab}other.ipynb) [c]({REPOSITORY}/blob/main/book/evidence.md#data) [d]({REPOSITORY})"
    inside = reading.link_inside(text, REPOSITORY, ["dropout"])
    assert inside == f"[a](dropout.ipynb) [b]({colab}other.ipynb) [c](evidence.md#data) [d]({REPOSITORY})"


# ------------------------------------------------------------------------------------------------ without solutions


def solved_notebook():
    solution = {"tags": ["solution", "hide-cell"]}
    return new_notebook(
        cells=[
            new_markdown_cell("# One"),
            new_code_cell("work = 1", execution_count=1),
            new_markdown_cell("## Exercises\n\nCount.\n\nSolution (open the cell below). Its digits\nvary.\n\nA hint."),
            new_code_cell("print('secret')", metadata=solution, execution_count=2),
            new_markdown_cell("The secret reason.", metadata={"tags": ["solution"]}),
            new_markdown_cell("## References\n\nA book."),
        ]
    )


def test_solutions_and_what_announces_them_are_left_out_and_the_original_is_untouched():
    notebook = solved_notebook()
    result = handout.without_solutions(notebook, "one")
    assert [cell.source for cell in result.cells] == [
        "# One",
        "work = 1",
        "## Exercises\n\nCount.\n\nA hint.",
        "## References\n\nA book.",
    ]
    assert len(notebook.cells) == 6 and "Solution" in notebook.cells[2].source
    places = handout.without_solutions(notebook, "one", place="# here")
    assert [cell.source for cell in places.cells[3:]] == ["# here", "## References\n\nA book."], "one place for both"


def test_a_solution_without_its_tag_is_refused():
    notebook = solved_notebook()
    notebook.cells[3].metadata = {}
    with pytest.raises(UserError, match=r"one: a code cell under its exercises has neither the tag .*secret"):
        handout.without_solutions(notebook, "one")
    notebook.cells[3].metadata = {"tags": ["exercise"]}
    assert "secret')" in markdown(notebook) + handout.without_solutions(notebook, "one").cells[3].source
    notebook.cells = notebook.cells[:3]
    with pytest.raises(UserError, match="one: no cell has the tag 'solution'"):
        handout.without_solutions(notebook, "one")


def solution_cells(notebook):
    return [cell for cell in notebook.cells if "solution" in chapters.tags(cell)]


def telling_lines(cells, others):
    """Lines of these cells, and of their outputs, that are long enough to be told apart and stand nowhere else."""
    lines = set()
    for cell in cells:
        lines |= {line.strip() for line in cell.source.splitlines()}
        for output in cell.get("outputs", []):
            texts = [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
            lines |= {line.strip() for text in texts for line in text.splitlines()}
    return {line for line in lines if len(line) >= 15 and line not in others}


@every_chapter
def test_the_notebook_to_hand_out_has_every_exercise_a_place_for_answers_and_no_solution(name):
    whole, student = source(name), handout.notebook_to_hand_out(ROOT, name)
    nbformat.validate(student)
    text = "\n".join(cell.source for cell in student.cells)
    lines = telling_lines(solution_cells(whole), text)
    assert len(lines) > 5 and not [line for line in lines if line in text]
    assert "Solution" not in text and not any(cell.get("outputs") for cell in student.cells)
    asked = r"^(?:### Exercise \d+|\*\*\d\. )"
    assert re.findall(asked, text, re.M) == re.findall(asked, markdown(whole), re.M) != []
    groups = re.findall("s+", "".join("s" if "solution" in chapters.tags(c) else "-" for c in whole.cells))
    assert sum(cell.source == handout.PLACE for cell in student.cells) == len(groups)
    assert len({cell.id for cell in student.cells}) == len(student.cells)


def test_the_command_writes_the_notebooks_and_refuses_what_is_no_chapter(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["handout", "dropout", "--folder", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["dropout.ipynb"]
    assert cli.main(["handout", "dropout", "soup", "--folder", str(tmp_path / "none")]) == 1
    assert "no chapter 'soup'" in capsys.readouterr().err and not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    assert cli.main(["handout", "dropout", "--folder", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_option_builds_the_other_site_after_executing(monkeypatch, capsys):
    called = []

    class Doit:
        def __init__(self, loader):
            pass

        def run(self, words):
            called.append(words[0] if len(words) == 1 else (words[0], words[-1]))
            return 0

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("doit.doit_cmd.DoitMain", Doit)
    monkeypatch.setattr(
        "companion.publish.site.building.build_site", lambda root, solutions: called.append(solutions) or "index"
    )
    assert cli.main(["build", "--workers", "1", "--without-solutions"]) == 0
    assert called == [("run", "execute"), False]
    assert "without solutions: index" in capsys.readouterr().out


@pytest.fixture(scope="module")
def edition():
    """The site without solutions, built from the executed chapters."""
    missing = [name for name in NAMES if not building.executed_path(ROOT, name).is_file()]
    if missing:
        pytest.skip(f"not executed yet: {', '.join(missing)} (make book)")
    return building.build_site(ROOT, solutions=False).parent


@pytest.fixture(scope="module")
def executed():
    return {name: nbformat.read(building.executed_path(ROOT, name), as_version=4) for name in NAMES}


@pytest.mark.slow
def test_no_solution_is_left_anywhere_in_the_site_without_them(edition, executed):
    others = "\n".join(
        json.dumps([c for c in nb.cells if "solution" not in chapters.tags(c)]) for nb in executed.values()
    )
    others += "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md") if path.stem not in NAMES
    )
    hidden = [cell for notebook in executed.values() for cell in solution_cells(notebook)]
    lines = {line for line in telling_lines(hidden, others) if json.dumps(line)[1:-1] not in others}
    assert len(lines) > 100
    forms = {
        form for line in lines for form in (line, json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1])
    }
    found, pages = [], []
    for path in edition.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".js", ".json", ".md", ".txt"):
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".html":
                pages.append(path)
                text += BeautifulSoup(text, "html.parser").get_text()
            found += [(path.name, form) for form in forms if form in text]
            assert "tag_solution" not in text and "Solution (open" not in text, path.name
    assert found == [] and len(pages) > len(NAMES)


@pytest.mark.slow
def test_neither_its_search_index_nor_its_pictures_hold_a_solution(edition, executed):
    """Words and pictures that only solutions have are in neither; those of the rest are."""
    stem = snowballstemmer.stemmer("porter").stemWord

    def stems(text, shortest=1):
        return {stem(word) for word in re.findall(r"[a-z]+", text.lower()) if len(word) >= shortest}

    visible = " ".join(
        BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text(" ") for path in edition.rglob("*.html")
    )
    hidden = [cell for notebook in executed.values() for cell in solution_cells(notebook)]
    only = stems(" ".join(cell.source for cell in hidden), shortest=4) - stems(visible)
    assert len(only) > 10
    index = (edition / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index[index.index("(") + 1 : index.rindex(")")])["terms"]
    assert "dropout" in terms and sorted(only & set(terms)) == []

    def pictures(cells):
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return {"".join(o["data"]["image/png"].split()) for o in outputs if "image/png" in o.get("data", {})}

    import base64

    shown = {base64.b64encode(path.read_bytes()).decode() for path in (edition / "_images").glob("*.png")}
    assert pictures(hidden) and not pictures(hidden) & shown
    assert pictures([cell for cell in executed["dropout"].cells if cell not in hidden]) <= shown


@pytest.mark.slow
def test_no_button_of_that_site_leads_to_the_solutions(edition):
    for path in (edition / "book").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "colab.research.google.com/github" not in text and handout.BANNER in text, path.name
    index = (edition / "book" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="../handout/{name}.ipynb"' in index for name in NAMES)
    for name in NAMES:
        assert nbformat.read(edition / "handout" / f"{name}.ipynb", as_version=4).cells


@pytest.mark.slow
@every_chapter
def test_a_built_chapter_has_its_questions_its_box_and_a_clean_notebook_to_download(edition, name):
    soup = BeautifulSoup((edition / "book" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    headings = [h.get_text().rstrip("#") for h in soup.select("article h2")]
    assert headings[headings.index("Check yourself") + 1] == "Exercises"
    assert len(soup.select("form.question")) == 3 and len(soup.select("div.predict-first")) == 1
    assert not soup.select("div.predict-first h2, div.predict-first div.cell")
    (script,) = soup.select('script[src$="questions.js"]')
    assert (edition / "book" / script["src"]).is_file()
    notebook = (edition / "_sources" / "book" / f"{name}.ipynb").read_text(encoding="utf-8")
    assert not re.search(r"```\{|:::|question-option", notebook), "what staging added is for the site alone"


# ------------------------------------------------------------------------------------- glossary, notation, bibliography


def glossary():
    """[(term, definition)] of the glossary page, in its order."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"```\{glossary\}\n(.*?)\n```", text, re.S).group(1)
    entries = [entry.partition("\n") for entry in re.split(r"\n\n(?=\S)", body)]
    return [(term, " ".join(definition.split())) for term, _, definition in entries]


def test_the_glossary_is_alphabetical_and_each_entry_leads_to_a_chapter_that_uses_the_word():
    entries = glossary()
    terms = [term for term, _ in entries]
    assert terms == sorted(set(terms), key=str.lower) and len(terms) >= 40
    texts = {name: " ".join(markdown(source(name)).lower().split()) for name in NAMES}
    for term, definition in entries:
        linked = re.findall(r"\(([\w-]+)\.ipynb\)", definition)
        assert linked, f"{term} links no chapter"
        assert len(re.sub(r"See \[.*", "", definition).split(". ")) <= 3, f"{term}: one or two sentences"
        singular = term.lower().removesuffix("s")
        assert all(singular in texts[name] for name in linked), f"{term} does not stand in {linked}"


def symbols(text):
    """The letters of the formulas in a text, without what is written as words."""
    formulas = re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.sub(r"```.*?```", "", text, flags=re.S), re.S)
    bare = " ".join(a or b for a, b in formulas)
    bare = re.sub(r"\\(?:text|xrightarrow)\{[^}]*\}", "", bare).replace(r"\odot", "⊙")
    return set(re.findall(r"[A-Za-z⊙]", re.sub(r"\\[a-zA-Z]+", "", bare)))


@pytest.mark.parametrize("name", [*NAMES, "evidence"])
def test_the_notation_page_explains_the_symbols_of_each_chapter_and_no_others(name):
    text = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.search(rf"\({name}\.(?:ipynb|md)\)", line)]
    explained = symbols("\n".join(line.split("|")[1] for line in rows))
    page = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
    assert explained == symbols(page)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://arxiv.org/abs/1409.1556", "http://www.arxiv.org/pdf/1409.1556v6"),
        ("https://doi.org/10.1145/3065386", "https://dx.doi.org/10.1145/3065386"),
        ("https://jmlr.org/papers/v15/x.html", "http://www.jmlr.org/papers/v15/x.html/"),
    ],
)
def test_one_work_has_one_identity_however_it_is_linked(one, other):
    assert bibliography.identity(one) == bibliography.identity(other) != bibliography.identity("https://x.org")


@every_chapter
def test_every_work_that_a_chapter_references_is_in_the_bibliography(name):
    entries = bibliography.load_entries(ROOT / "book" / "references.bib")
    known = set().union(*map(bibliography.identities, entries.values()))
    named = bibliography.references(source(name))
    assert named and [address for address in named if bibliography.identity(address) not in known] == []


def test_every_entry_of_the_bibliography_can_be_followed_and_leads_back_to_the_chapters_that_cite_it():
    notebooks = {name: source(name) for name in NAMES}
    page = bibliography.bibliography_html(ROOT / "book" / "references.bib", notebooks)
    items = {item["id"]: item for item in BeautifulSoup(page, "html.parser").find_all("li")}
    assert set(items) == set(bibliography.load_entries(ROOT / "book" / "references.bib"))
    assert all(item.select('a[href^="https://"]') for item in items.values())
    back = {key: {a["href"] for a in item.select(".cited-in a")} for key, item in items.items()}
    assert back["krizhevsky2009learning"] >= {"dropout.html", "gap-head.html"}
    assert back["simonyan2015very"] == {"vgg-parameters.html", "depth.html"}
    assert back["paszke2019pytorch"] == set()
    for name, notebook in notebooks.items():
        cited = {key for key, hrefs in back.items() if f"{name}.html" in hrefs}
        assert len(cited) >= len({bibliography.identity(a) for a in bibliography.references(notebook)})


def test_a_bad_bibliography_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "references.bib"
    for text in ("@article{a, title = ", "@misc{a, title={T}}\n@misc{a, title={T}}"):
        path.write_text(text)
        with pytest.raises(UserError, match=r"references.bib cannot be read"):
            bibliography.load_entries(path)
    path.write_text("@article{a, author={A}}")
    with pytest.raises(UserError, match=r"references\.bib cannot be formatted"):
        bibliography.bibliography_html(path, {})
