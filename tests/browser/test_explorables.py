"""Drawings that answer to the reader, in a real browser, against what the chapters compute."""

import random
import re
import shutil

import pytest
from books import ROOT
from bs4 import BeautifulSoup

from companion.publish.pages import ideas
from companion.publish.project import repository

pytestmark = pytest.mark.browser
GRAPH = "graph-of-f"


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """page_of(chapter, picture) -> the address of a page that holds the explorable and nothing else: no build is needed to try it."""
    folder = tmp_path_factory.mktemp("explorables")
    shutil.copytree(ROOT / "book" / "scripts", folder / "scripts")
    (folder / "book").mkdir()

    def write(chapter, picture):
        source = (ROOT / "book" / f"{chapter}.md").read_text(encoding="utf-8")
        (shown,) = re.findall(rf"^!\[.*/{picture}\.svg\)$", source, re.M)
        block = (
            ideas.put_in(ROOT, repository(ROOT), shown, chapter).removeprefix("```{raw} html\n").removesuffix("\n```")
        )
        page = folder / "book" / f"{picture}.html"
        style = (ROOT / "book" / "static" / "form.css").read_text(encoding="utf-8")
        head = f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title><style>{style}</style>"
        page.write_text(f"{head}<body>{block}", encoding="utf-8")
        return page.as_uri()

    return write


@pytest.fixture
def visit(browser, page_of):
    """Opens the page of an explorable, and hears its complaints."""
    contexts, complaints = [], []

    def visit(chapter, picture, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(page_of(chapter, picture))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def engine():
    """The names that the chapter's cells with the engine and with f define."""
    source = (ROOT / "book" / "autograd-and-backprop.md").read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", source, re.S)
    names = {}
    for beginning in ("class Value", "def in_order", "def f("):
        (cell,) = [cell for cell in cells if cell.startswith(beginning)]
        exec(cell, names)
    return names


def numbers(page, kind):
    """What the drawing shows: {name: text} of its values, gradients or flows, with a plain minus."""
    shown = f"all => Object.fromEntries(all.map(text => [text.dataset.{kind}, text.textContent]))"
    return {name: text.replace("−", "-") for name, text in page.eval_on_selector_all(f"[data-{kind}]", shown).items()}


def choose(page, **wanted):
    for name, value in wanted.items():
        page.locator(f"[data-name={name}]").fill(str(value))


def test_the_graph_computes_what_the_engine_of_the_chapter_computes(visit):
    page, names, rng = visit("autograd-and-backprop", GRAPH), engine(), random.Random(0)
    for _ in range(50):
        x, y = rng.uniform(-5, 5), rng.uniform(-5, 5)
        found = page.evaluate("([x, y]) => GraphOfF.after(GraphOfF.STEPS, x, y)", [x, y])
        first, second = names["Value"](x), names["Value"](y)
        output = names["f"](first, second)
        names["backward"](output)
        order = [value for value in names["in_order"](output) if value.parents]
        assert found["values"]["f"] == output.data
        assert found["gradients"]["x"] == pytest.approx(first.grad, rel=1e-12)
        assert found["gradients"]["y"] == pytest.approx(second.grad, rel=1e-12)
        made = sorted((found["values"][node], found["gradients"][node]) for node in "abcdef")
        assert made == sorted((value.data, value.grad) for value in order)


def test_the_drawing_of_the_file_shows_what_its_script_shows_first(visit):
    page = visit("autograd-and-backprop", GRAPH)
    drawing = BeautifulSoup((ideas.folder(ROOT) / f"{GRAPH}.svg").read_text(encoding="utf-8"), "html.parser")
    for kind in ("value", "gradient", "flow"):
        drawn = {text[f"data-{kind}"]: text.get_text() for text in drawing.select(f"[data-{kind}]")}
        assert drawn == numbers(page, kind) and len(drawn) >= 8


def test_another_x_and_y_are_chosen_by_keyboard_and_the_numbers_follow(visit):
    page = visit("autograd-and-backprop", GRAPH)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.name") == "x"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    values, gradients = numbers(page, "value"), numbers(page, "gradient")
    assert (values["x"], values["y"], values["f"]) == ("-2.5", "0.5", "4")
    assert gradients["x"] == gradients["y"] == "-4" and numbers(page, "flow")["a-x"] == "-2.5 - 2.5"
    assert "f = 4" in page.locator(".explorable-words").inner_text()
    assert "f = 4" in page.get_by_role("img").get_attribute("aria-label")


def test_the_steps_show_values_first_and_then_gradients_that_add_up(visit):
    page = visit("autograd-and-backprop", GRAPH)
    choose(page, step=0)
    assert set(numbers(page, "value").values()) == set(numbers(page, "gradient").values()) == {""}
    choose(page, step=8)
    assert numbers(page, "value")["f"] == "16" and set(numbers(page, "gradient").values()) == {""}
    seen = []
    for step in range(9, 15):
        choose(page, step=step)
        seen.append(numbers(page, "gradient")["x"])
    assert seen == ["", "", "", "", "6", "8"], "first from x·x, then from x·y"
    choose(page, step=13)
    assert (
        page.locator(".explorable-words")
        .inner_text()
        .endswith("passes 3 to x, twice, for it is used twice: x has 6 now.")
    )


def test_every_field_has_a_name_and_the_page_fits_a_phone(visit):
    page = visit("autograd-and-backprop", GRAPH, viewport={"width": 358, "height": 800})
    assert [page.get_by_label(name, exact=True).count() for name in ("x", "y", "step")] == [1, 1, 1]
    wide = "all => all.filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    assert page.eval_on_selector_all("body *", wide) == []


def test_without_scripts_the_drawing_stands_alone(visit):
    page = visit("autograd-and-backprop", GRAPH, java_script_enabled=False)
    assert page.get_by_role("img").is_visible() and page.locator("input").count() == 0
