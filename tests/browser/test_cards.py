"""Verdict cards in a real browser: on a phone, in both themes, on paper, and where there is no style sheet of ours."""

import pytest
from axe import AXE, THEMES, axe_core
from books import ROOT

from companion import check_count, check_metric, check_metric_parts, check_order, judge, larger, load_claims, smaller
from companion.evidence import table
from companion.publish.pages import ledger

pytestmark = pytest.mark.browser

ONE = {seed: 0.6 + 0.02 * (seed % 3) for seed in range(5)}
OTHER = {seed: value - 0.1 + 0.01 * seed for seed, value in ONE.items()}
PAPER = {"light": "#fff", "dark": "#121212"}
INK = {"light": "#222832", "dark": "#ced6dd"}


@pytest.fixture(scope="module")
def verdicts():
    """One of each kind, with long words and many parts."""
    lines = [larger(f"validation accuracy of the wide network, part {n}", ONE, OTHER) for n in range(9)]
    best = {"recurrent, spoken digits": (7, ONE), "convolutional, reviews of films": (3, {**ONE, 5: 19})}
    return [
        check_metric("A-drop50-acc-val", ONE),
        check_metric("A-drop50-loss-val", {seed: 1.5 + value for seed, value in ONE.items()}),
        check_order("A-drop-gap", *lines, smaller("accuracy gap", ONE, OTHER), smaller("validation loss", ONE, ONE)),
        judge("A-drop-choice", "not supported", "the loss is lower in every seed; accuracy hardly differs"),
        check_count("A-vgg-total", load_claims()["A-vgg-total"].correct),
        check_metric_parts("C-best-epochs", best, epochs=20),
    ]


def opened(browser, body, theme="light", width=390, styles=True):
    """A page with the book's styles and the theme's few names for colours, or with none at all."""
    own = "".join(
        (ROOT / "book" / "static" / f"{name}.css").read_text(encoding="utf-8") for name in ("custom", "front", "tables")
    )
    base = f"body {{ margin: 16px; background: {PAPER[theme]}; color: {INK[theme]}; font-family: sans-serif }}"
    names = f":root {{ --pst-color-background: {PAPER[theme]}; --pst-color-text-base: {INK[theme]};"
    muted = {"light": "#48566b", "dark": "#9ca4af"}[theme]
    names += f"--pst-color-text-muted: {muted}; --pst-color-border: #8a8a8a }}"
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_content(
        f'<!DOCTYPE html><html lang="en" data-theme="{theme}"><head><title>Cards</title>'
        f"<style>{base}{names + own if styles else ''}</style></head><body><main><h1>Cards</h1>{body}</main></body></html>"
    )
    return page


def sideways(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("styles", [True, False], ids=["site", "notebook"])
def test_axe_finds_nothing_in_open_cards_on_a_phone(browser, verdicts, theme, styles):
    page = opened(browser, table.cards_html(verdicts), theme, styles=styles)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    page.evaluate(axe_core())
    assert page.evaluate(AXE, False) == []
    assert sideways(page) <= 0
    page.close()


@pytest.mark.parametrize("width", [390, 358, 768, 1440])
def test_what_is_decisive_is_seen_without_scrolling_and_nothing_covers_anything(browser, verdicts, width):
    page = opened(browser, table.cards_html(verdicts), width=width)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert sideways(page) <= 0
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".claim-card .verdict, .claim-words, .claim-numbers span:not(.claim-heard), .strip text")]
          .filter((e) => { const box = e.getBoundingClientRect(), card = e.closest(".claim-card").getBoundingClientRect();
            return box.width && (box.left < card.left || box.right > card.right + 0.5); }).map((e) => e.textContent)"""
    )
    assert outside == []
    smallest = "all => Math.min(...all.map(e => parseFloat(getComputedStyle(e).fontSize)))"
    assert page.eval_on_selector_all(".strip text", smallest) >= 12
    page.close()


def test_the_diamond_stands_on_the_page_where_the_axis_says(browser, verdicts):
    page = opened(browser, table.cards_html(verdicts), width=390)
    for key in ("A-drop50-acc-val", "A-drop50-loss-val"):
        measured = page.evaluate(
            """(card) => { const middle = (e) => { const box = e.getBoundingClientRect(); return box.left + box.width / 2; };
              const strip = document.getElementById(card).querySelector(".strip");
              const ticks = [...strip.querySelectorAll("line.strip-axis")].slice(1).map(middle);
              const ends = [...strip.querySelectorAll(".strip-number")].map((e) => Number(e.textContent));
              return {ticks, ends, diamond: middle(strip.querySelector(".strip-report path"))}; }""",
            f"verdict-{key}",
        )
        (left, right), (low, high) = measured["ticks"], measured["ends"]
        place = left + (right - left) * (float(load_claims()[key].reported) - low) / (high - low)
        assert measured["diamond"] == pytest.approx(place, abs=1)
    page.close()


def test_on_paper_every_fold_is_open(browser, verdicts):
    page = opened(browser, table.cards_html(verdicts), width=700)
    part = page.locator(".claim-part .claim-numbers").first
    assert part.bounding_box() is None or not part.is_visible()
    page.emulate_media(media="print")
    assert part.bounding_box()["height"] > 0 and part.is_visible()
    page.close()


@pytest.mark.parametrize("theme", THEMES)
def test_the_ledger_is_a_list_of_cards_on_a_phone_and_axe_finds_nothing(browser, verdicts, theme):
    body = ledger.ledger_html({verdict.claim_id: verdict for verdict in verdicts}, {}).partition("<script")[0]
    page = opened(browser, body, theme)
    page.add_script_tag(path=ROOT / "book" / "scripts" / "ledger.js")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert sideways(page) <= 0
    box = page.locator(".claims-table")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    row = page.locator("#A-drop50-acc-val")
    words, verdict, strip = (row.locator(part).bounding_box() for part in (".ledger-words", ".verdict", ".strip"))
    assert words["y"] < verdict["y"] < strip["y"] and verdict["x"] + verdict["width"] < 390
    page.evaluate(axe_core())
    assert page.evaluate(AXE, False) == []
    page.select_option("[name=kind]", "order")
    shown = page.locator("#ledger-table tr[id]:visible")
    assert shown.count() == len([c for c in load_claims().values() if c.kind == "order"])
    page.set_viewport_size({"width": 768, "height": 900})
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth"), "on a tablet it is a table that fits"
    button = page.locator("#ledger-table thead button", has_text="Verdict")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("[aria-sort=ascending]").inner_text().startswith("Verdict")
    page.close()
