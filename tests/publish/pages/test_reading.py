"""What a chapter's page has that its notebook has not: the box of predictions, and links inside the site."""

import re

import nbformat
import pytest
from books import NAMES, ROOT
from reading import markdown, source

from companion.publish import UserError, project
from companion.publish.pages import ideas, reading

REPOSITORY = project.repository(ROOT)


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


def test_a_cell_tagged_so_is_a_box_also_below_its_heading_and_the_script_of_guesses_follows_it():
    page = reading.box_predictions("Guess:\n\n1. A?", tagged=True, script="<script></script>")
    assert page == ":::{container} predict-first\nGuess:\n\n1. A?\n:::\n\n```{raw} html\n<script></script>\n```"


def markdown_cell(text, *tags):
    return nbformat.v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def test_the_head_becomes_a_list_of_terms():
    text = "- **Question:** Why,\n  and how?\n- **Time:** long\n- **After this you can** count."
    head = "Question\n: Why, and how?\n\nTime\n: long\n\nAfter this you can\n: count."
    assert reading.shape(markdown_cell(text, "head"), "one") == f"::::{{container}} chapter-head\n{head}\n::::"


def test_hints_solutions_and_answers_become_boxes_that_scripts_and_styles_know():
    hint = "<details>\n<summary>Hint</summary>\n\nThink.\n\n</details>"
    assert reading.shape(markdown_cell(hint, "hint"), "one") == hint.replace("<details>", '<details class="hint">')
    solved = reading.shape(markdown_cell(hint.replace("Hint", "Solution"), "solution"), "one")
    assert solved == "::::{container} solution-part\nThink.\n::::", "the fold comes with the page"
    assert reading.shape(markdown_cell("Old.", "solution"), "one") == "::::{container} solution-part\nOld.\n::::"
    answer = reading.shape(markdown_cell(":::::{note}\nSix.\n:::::", "answer-1", "answer-2"), "one")
    assert answer.startswith("::::::{container} answer-1 answer-2\n:::::{note}"), "a fence longer than any inside"
    assert reading.shape(markdown_cell("Plain."), "one") == "Plain."


def test_an_answer_with_a_heading_is_refused():
    with pytest.raises(UserError, match="one: a Markdown cell with the tag answer-1 has a heading"):
        reading.shape(markdown_cell("## Six\n\nIt is six.", "answer-1"), "one")


def test_a_fold_is_called_by_the_first_line_of_its_code_which_is_not_shown_again():
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags}) for source, tags in FOLDS]
    cells[1].metadata["mystnb"] = {"image": {"alt": "A figure"}}
    reading.name_folds(nbformat.v4.new_notebook(cells=cells))
    assert [cell.source for cell in cells] == ["%pip install it", "x = 1", "y = 2  # @title Y"]
    names = [cell.metadata.get("mystnb", {}).get("code_prompt_show") for cell in cells]
    assert names == [reading.SET_UP, "Draw {it}", None] and cells[1].metadata["mystnb"]["image"] == {"alt": "A figure"}


FOLDS = [("%pip install it", ["hide-cell"]), ("# @title Draw {it}\nx = 1", ["hide-input"]), ("y = 2  # @title Y", [])]


def test_other_cells_get_no_box():
    text = "The third question of *Predict first* is open. **Predict** now.\n\n## Predict"
    assert reading.box_predictions(text) == text


@pytest.mark.parametrize("name", NAMES)
def test_every_chapter_asks_for_a_prediction_in_one_box(name):
    cells = [cell for cell in source(name).cells if cell.cell_type == "markdown"]
    boxed = [reading.box_predictions(cell.source, "predict" in cell.metadata.get("tags", ())) for cell in cells]
    boxes = re.findall(r"^:::\{container\} predict-first\n(.*?)\n:::$", "\n".join(boxed), re.S | re.M)
    assert len(boxes) == 1 and len(re.findall(r"^\d+\. .*\?", boxes[0], re.M)) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_links_of_a_chapter_work_wherever_the_notebook_is_opened_and_stay_inside_the_site(name):
    text = markdown(source(name))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [link for link in links if not link.startswith("https://")] == [], "a copy in Drive has no neighbours"
    assert [link for link in links if link.startswith(ideas.address(REPOSITORY))] == re.findall(
        rf"^!\[[^\]]+\]\(({re.escape(ideas.address(REPOSITORY))}[\w-]+\.svg)\)$", text, re.M
    ), "a picture of an idea stands on a line of its own"
    links = [link for link in links if not link.startswith(ideas.address(REPOSITORY))]
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
