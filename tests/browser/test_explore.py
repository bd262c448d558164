"""The page that explores the runs, in a real browser: its statistics against the package's, its words against the verdicts."""

import json
import random
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from books import ROOT

from companion import load_record
from companion.evidence import intervals, verdicts
from companion.publish.notebooks.verdicts import committed_verdicts
from companion.publish.pages import explore

pytestmark = pytest.mark.browser
CHAPTERS = explore.recorded(ROOT)
LIMIT = 150_000  # bytes of scripts and style that the page brings, the runs apart


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made, found = tmp_path_factory.mktemp("explore"), committed_verdicts(ROOT)
    shutil.copytree(ROOT / "book" / "scripts", made / "scripts")
    (made / "book").mkdir()
    for chapter in CHAPTERS:
        explore.write_runs(load_record(chapter), made / "scripts" / "runs", found)
    style = "".join((ROOT / "book" / "static" / f"{name}.css").read_text() for name in ("custom", "explore", "front"))
    head = f'<!doctype html><html lang=en data-theme=light><meta charset=utf-8><meta name=viewport content="width=device-width"><title>t</title><style>{style}</style>'
    box = explore.explore_html(CHAPTERS)
    (made / "book" / "explore.html").write_text(f"{head}<main><h1>t</h1>{box}</main>", encoding="utf-8")
    panel = explore.render("explore", titles="", chapter="depth")
    (made / "book" / "depth.html").write_text(f"{head}<main><h1>t</h1>{panel}</main>", encoding="utf-8")
    return made


@pytest.fixture
def visit(browser, folder):
    contexts, complaints = [], []

    def visit(address="explore.html", **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{(folder / 'book').as_uri()}/{address}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def drawn(page):
    page.wait_for_selector("form:not([hidden])")
    page.wait_for_function("document.querySelectorAll('.uplot canvas').length === 2")
    return page


def said(page):
    return page.locator(".explore").get_attribute("data-said")


def move(page, n):
    page.locator("input[type=range]").fill(str(n))
    page.wait_for_function(f"document.querySelector('output').textContent.startsWith(' {n} of ')")


def test_the_statistics_are_those_of_the_package(visit):
    page, chance = drawn(visit()), random.Random(1)
    for _ in range(40):
        values = [chance.gauss(0.7, 0.05) for _ in range(chance.randint(2, 40))]
        theirs, ours = page.evaluate("values => runStatistics.scatter(values)", values), intervals.scatter(values)
        assert theirs["centre"] == pytest.approx(ours.centre, rel=1e-12)
        assert theirs["reach"] == pytest.approx(ours.reach, rel=1e-9)
        assert theirs["meanReach"] == pytest.approx(ours.mean_reach, rel=1e-9)
        assert theirs["leastReach"] == pytest.approx(ours.least_reach, rel=1e-9)
    for _ in range(40):
        units = chance.randint(2, 8)
        groups = [[chance.gauss(unit, 0.5) for _ in range(chance.randint(2, 6))] for unit in range(units)]
        theirs, ours = page.evaluate("g => runStatistics.nestedScatter(g)", groups), intervals.nested_scatter(groups)
        assert theirs["centre"] == pytest.approx(ours.centre, rel=1e-12)
        assert theirs["reach"] == pytest.approx(ours.reach, rel=1e-9)
        assert theirs["meanReach"] == pytest.approx(ours.mean_reach, rel=1e-9)
        assert theirs["leastReach"] == pytest.approx(ours.least_reach, rel=1e-9)


def test_the_quantiles_are_those_of_scipy_for_any_degrees_of_freedom(visit):
    freedoms = [1, 1.3, 2, 4.7, 29, 200, 5000]
    found = drawn(visit()).evaluate("all => all.map(runStatistics.quantile)", freedoms)
    assert found == pytest.approx([intervals.quantile(freedom) for freedom in freedoms], rel=1e-9)


def test_the_verdicts_of_random_runs_are_those_of_the_package(visit):
    page, chance, words = drawn(visit()), random.Random(2), set()
    for _ in range(200):
        printed = f"{chance.uniform(0.4, 0.9):.2f}"
        spread = chance.choice([0.005, 0.02, 0.06])
        values = [float(printed) + chance.choice([0, 0.5, 2, 4]) * spread + chance.gauss(0, spread) for _ in range(5)]
        values = [min(0.99, max(0.01, value)) for value in values][: chance.randint(2, 5)]
        verdict = verdicts.check_metric_parts("A-depth3-acc-val", {"these runs": values}) if printed == "0.68" else None
        measure = verdicts._Measure(0.05, (0, 1))
        part, _ = verdicts._against(measure, "these runs", verdicts.Decimal(printed), values, "x", "groups")
        assert verdict is None or verdict.parts[0].status == part.status
        asked = [values, float(printed), 0.005, 0.05]
        word = page.evaluate("([v, p, h, e]) => runStatistics.verdict(runStatistics.scatter(v), p, h, e)", asked)
        assert word == part.status, asked
        words.add(word)
    assert words == {"agrees", "differs", "too wide to tell"}


def test_with_all_runs_the_page_says_of_each_report_s_number_what_its_verdict_says(visit, folder):
    page, found, compared = drawn(visit()), committed_verdicts(ROOT), 0
    for chapter in CHAPTERS:
        text = (folder / "scripts" / "runs" / f"{chapter}.js").read_text(encoding="utf-8")
        data = json.loads(text.partition(", ")[2].removesuffix(");\n"))
        for setting, curve, kind, row, report, printed, _, _ in data["claims"]:
            page.goto(
                f"{(folder / 'book').as_uri()}/explore.html?chapter={chapter}&setting={setting}&metric={curve}&at={kind}"
            )
            drawn(page)
            runs = list(explore.grouped(load_record(chapter)).values())[setting]
            names = data["curves"][curve][0], data["kinds"][kind][0]
            values = sorted(explore.value_at(run, *names) for run in runs)
            statuses = {part.status for part in found[row].parts if sorted(part.values) == values}
            assert any(f"Report {report} prints {printed} ({row}): {status}." in said(page) for status in statuses), row
            compared += 1
    assert compared >= 40


def test_the_slider_lets_runs_drop_in_and_the_verdict_moves(visit):
    page = drawn(visit("explore.html?chapter=depth&setting=1&n=1"))
    assert "does not say how runs scatter" in said(page) and "not yet tested" in said(page)
    values = load_record("depth").values("val_accuracy", blocks=3)
    for n in (2, 3, len(values)):
        move(page, n)
        first = [values[seed] for seed in sorted(values)][:n]
        found = intervals.scatter(first)
        assert f"{n} runs: mean {found.centre:.3f}" in said(page)
        assert f"{found.centre - found.mean_reach:.3f} to {found.centre + found.mean_reach:.3f} (95 %)" in said(page)
        verdict = verdicts.check_metric("A-depth3-acc-val", dict(enumerate(first)))
        assert f"(A-depth3-acc-val): {verdict.status}." in said(page)


def test_of_voices_each_step_adds_a_run_of_each_speaker(visit):
    record = load_record("rnn-vs-cnn")
    groups = explore.grouped(record)
    name = next(name for name, runs in groups.items() if len({run.setting.get("held_out") for run in runs}) > 1)
    page = drawn(visit(f"explore.html?chapter=rnn-vs-cnn&setting={list(groups).index(name)}&n=2"))
    speakers = {}
    for run in groups[name]:
        speakers.setdefault(run.setting["held_out"], []).append(run.last("val_accuracy"))
    found = intervals.nested_scatter([runs[:2] for runs in speakers.values()])
    assert f"{2 * len(speakers)} runs of {len(speakers)} units: mean {found.centre:.2f}" in said(page)


def test_one_run_is_drawn_and_is_one_of_ours(visit):
    page = drawn(visit("explore.html?chapter=depth&setting=1"))
    values = load_record("depth").values("val_accuracy", blocks=3)
    for _ in range(5):
        page.get_by_role("button", name="Draw one run").click()
        words = page.locator(".explore-said p").last.inner_text()
        seed = int(words.partition("seed ")[2].partition(")")[0])
        below = sum(value < values[seed] for value in values.values())
        assert f": {values[seed]:.4f}." in words and f"{below} of the other {len(values) - 1}" in words


def test_a_link_keeps_the_view_and_a_wrong_one_shows_the_first(visit):
    page = drawn(visit())
    page.locator("select").nth(0).select_option(label=CHAPTERS["dropout"])
    page.wait_for_function("location.search.includes('chapter=dropout')")
    page.locator("select").nth(2).select_option(index=2)
    page.locator("select").nth(3).select_option(index=0)
    page.get_by_role("checkbox").check()
    move(page, 3)
    page.get_by_role("button", name="Another order").click()
    page.wait_for_function("location.search.includes('order=1')")
    address, words = page.url, said(page)
    again = drawn(visit(address.rpartition("/")[2]))
    assert said(again) == words and again.url == address and again.get_by_role("checkbox").is_checked()
    strange = drawn(visit("explore.html?chapter=<b>&setting=999&metric=x&n=-4&at=9&beside=77"))
    assert "runs: mean" in said(strange)


def test_it_works_by_the_keyboard(visit):
    page = drawn(visit("explore.html?chapter=depth"))
    page.locator("input[type=range]").focus()
    before = said(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("before => document.querySelector('.explore').dataset.said !== before", arg=before)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox").is_checked()


def test_the_panel_of_a_chapter_fetches_nothing_until_it_is_opened(visit):
    page = visit("depth.html")
    assert page.evaluate("typeof uPlot") == "undefined" and page.locator("canvas").count() == 0
    page.locator("summary").click()
    assert "runs: mean" in said(drawn(page)) and "?" not in page.url


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_off_the_screen_and_axe_finds_nothing(visit, width, theme):
    for chapter in ("rnn-vs-cnn", "dense-vs-conv", "depth"):
        page = drawn(visit(f"explore.html?chapter={chapter}&beside=2", viewport={"width": width, "height": 900}))
        if theme == "dark":
            page.evaluate(
                "document.documentElement.dataset.theme = 'dark'; document.body.style = 'background: #121212; color: #eee'"
            )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [
            v for v in Axe().run(page).response["violations"] if v["id"] != "color-contrast" or theme == "light"
        ] == []


def test_a_thousand_runs_stay_fluid(visit, folder):
    runs = [[seed, None, [[0.5 + 0.001 * seed * epoch / 29 for epoch in range(29)]]] for seed in range(1000)]
    data = {
        "curves": [["val_accuracy", "validation accuracy", [0, 1], 0.05]],
        "kinds": [["last", False]],
        "first": [0, 0],
    }
    data |= {"settings": [{"name": "all runs", "runs": runs}], "claims": []}
    text = f'companionRuns("gap-head", {json.dumps(data)});'
    kept = folder / "scripts" / "runs" / "gap-head.js"
    original = kept.read_text(encoding="utf-8")
    kept.write_text(text, encoding="utf-8")
    try:
        page = drawn(visit("explore.html?chapter=gap-head&single=1", viewport={"width": 390, "height": 800}))
        took = page.evaluate(
            """async () => {
              const slider = document.querySelector("input[type=range]"), times = [];
              for (const n of [900, 800, 700, 600, 500]) {
                const start = performance.now();
                slider.value = n;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                times.push(performance.now() - start);
              }
              return times.sort((a, b) => a - b)[2];
            }"""
        )
        assert took < 400, f"{took:.0f} ms for one step of the slider"
    finally:
        kept.write_text(original, encoding="utf-8")


def test_without_scripts_and_on_paper_it_says_where_the_runs_are(visit):
    page = visit(java_script_enabled=False)
    assert "CSV" in page.locator(".explore-without").inner_text() and page.locator("form").is_hidden()
    page = drawn(visit())
    page.emulate_media(media="print")
    assert page.locator("form").is_hidden() and page.locator(".uplot canvas").count() == 2


def test_what_the_page_brings_weighs_no_more_than_it_may():
    names = ["uplot/uPlot.iife.min.js", "uplot/uPlot.min.css", "run-statistics.js", "explore.js"]
    assert sum((ROOT / "book" / "scripts" / name).stat().st_size for name in names) <= LIMIT


def test_the_library_is_whole_and_comes_with_its_licence():
    folder = ROOT / "book" / "scripts" / "uplot"
    assert "MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert (
        (folder / "uPlot.iife.min.js").read_text(encoding="utf-8").startswith("/*! https://github.com/leeoniya/uPlot")
    )
