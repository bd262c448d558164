"""What a chapter's page has that its notebook has not: the box of predictions, and links inside the site."""

import re

import pytest
from books import NAMES, ROOT
from reading import markdown, source

from companion.publish import project
from companion.publish.pages import reading

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


def test_other_cells_get_no_box():
    text = "The third question of *Predict first* is open. **Predict** now.\n\n## Predict"
    assert reading.box_predictions(text) == text


@pytest.mark.parametrize("name", NAMES)
def test_every_chapter_asks_for_a_prediction_in_one_box(name):
    boxed = [reading.box_predictions(cell.source) for cell in source(name).cells if cell.cell_type == "markdown"]
    boxes = re.findall(r"^:::\{container\} predict-first\n(.*?)\n:::$", "\n".join(boxed), re.S | re.M)
    assert len(boxes) == 1 and len(re.findall(r"^\d+\. .*\?", boxes[0], re.M)) >= 2


@pytest.mark.parametrize("name", NAMES)
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
