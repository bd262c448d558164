"""The box "Got another number?", in a real browser, against what the package answers."""

import random
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from books import ROOT

from companion import load_record
from companion.evidence import comparing, records
from companion.publish.pages import another

pytestmark = pytest.mark.browser
RECORDED = sorted(path.stem for path in records.FOLDER.glob("*.json"))
NAMES = ("custom", "another", "front")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("another")
    shutil.copytree(ROOT / "book" / "scripts", made / "scripts")
    (made / "book").mkdir()
    style = "".join((ROOT / "book" / "static" / f"{name}.css").read_text(encoding="utf-8") for name in NAMES)
    head = f'<!doctype html><html lang=en data-theme=light><meta charset=utf-8><meta name=viewport content="width=device-width"><title>t</title><style>{style}</style>'
    for name in RECORDED:
        box = another.box_html(name, load_record(name))
        (made / "book" / f"{name}.html").write_text(f"{head}<main><h1>t</h1><h2>u</h2>{box}</main>", encoding="utf-8")
    return made


@pytest.fixture
def visit(browser, folder):
    contexts, complaints = [], []

    def visit(chapter, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((folder / "book" / f"{chapter}.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def said(page):
    return "\n".join(
        page.eval_on_selector_all(
            ".another-answer > p, .another-answer li",
            "all => all.map(e => (e.tagName === 'LI' ? '- ' : '') + e.textContent)",
        )
    )


@pytest.mark.parametrize("chapter", RECORDED)
def test_the_page_answers_as_the_package_does(chapter, visit):
    page, drawn = visit(chapter), random.Random(chapter)
    found = comparing.readings(load_record(chapter))
    settings, curves = [], []
    for reading in found:
        settings += [reading.setting] if reading.setting not in settings else []
        curves += [reading.curve] if reading.curve not in curves else []
    asked = [reading for reading in found if reading.kind == "last epoch"]
    for reading in drawn.choices(asked, k=12):
        centre, error = (reading.centre, reading.error) if reading.low is not None else (0.5, 0.1)
        value = centre + drawn.choice([0.5, 3, 8]) * drawn.uniform(-1, 1) * (error or 0.1)
        text = f"{value:.{drawn.choice([2, 3, 4])}f}"
        page.locator("select").nth(0).select_option(index=curves.index(reading.curve))
        if len(settings) > 1:
            page.locator("select").nth(1).select_option(index=settings.index(reading.setting))
        page.locator("input").fill(drawn.choice([text, text.replace(".", ",")]))
        assert said(page) == str(comparing.answer(text, reading, found))


def test_the_reading_that_is_shown_first_is_the_one_that_the_package_takes(visit):
    for chapter in RECORDED:
        page = visit(chapter)
        page.locator("input").fill("0.5")
        curves = {reading.curve for reading in comparing.readings(load_record(chapter))}
        assert said(page) == str(comparing.compare("0.5", chapter, metric=comparing.main_curve(curves)))


def test_it_works_by_the_keyboard_and_a_word_is_no_number(visit):
    page = visit("dropout")
    page.keyboard.press("Tab")
    page.keyboard.type("abc")
    assert "is no number" in said(page)
    page.keyboard.press("Control+a")
    page.keyboard.type("0,55")
    first = said(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert first and said(page) and said(page) != first


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_off_the_screen_and_axe_finds_nothing(visit, width):
    for chapter in ("rnn-vs-cnn", "dense-vs-conv", "depth"):
        page = visit(chapter, viewport={"width": width, "height": 900})
        page.locator("input").fill("0.3")
        page.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page).response["violations"] == []


def test_without_scripts_and_on_paper_the_table_is_there(visit):
    page = visit("depth", java_script_enabled=False)
    assert page.locator(".another-form").is_hidden()
    page.locator("summary").click()
    assert page.locator(".another-table tbody tr").count() == 2 * 4  # settings; loss and accuracy of two parts
    page = visit("depth")
    page.emulate_media(media="print")
    assert page.locator(".another-form").is_hidden()
