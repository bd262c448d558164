"""The reader's pages: front page, ledger, errata, search words, addresses, the 404 page, and what can be downloaded."""

import copy
import re
import shutil
from collections import Counter

import nbformat
import pytest
import yaml
from books import NAMES, ROOT
from bs4 import BeautifulSoup
from visits import Visit

from companion import load_claims
from companion.evidence import ledger as evidence_ledger
from companion.evidence import records
from companion.evidence.verdicts import SYMBOLS, Verdict
from companion.publish import UserError, cli, project
from companion.publish.notebooks import chapters
from companion.publish.notebooks.verdicts import committed_verdicts
from companion.publish.pages import errata, front, keywords, ledger, provenance

ADDRESS = "https://owner.github.io/companion/"


@pytest.fixture(scope="module")
def verdicts():
    return committed_verdicts(ROOT)


@pytest.fixture(scope="module")
def written():
    """{chapter: its committed notebook}, which shows what the executed one does."""
    return {name: nbformat.read(chapters.pair_path(ROOT, name), as_version=4) for name in NAMES}


def soup(markup):
    return BeautifulSoup(markup, "html.parser")


# --------------------------------------------------------------------------------------------------- the front page


def test_every_verdict_belongs_to_one_group_and_keeps_its_sign():
    for status, symbol in SYMBOLS.items():
        assert front.group_of(status).symbol == symbol, status
    assert sum(len(group.statuses) for group in front.GROUPS) == len(SYMBOLS)


def test_the_front_page_counts_the_ledger(verdicts):
    page = soup(front.front_html(verdicts))
    words = Counter(verdict.status for verdict in verdicts.values())
    against = words["differs"] + words["reversed"] + words["not supported"]
    tiles = {item.span.text: int(item.b.text) for item in page.select(".front-numbers li")}
    assert tiles[f"of {len(load_claims())} claims tested"] == len(verdicts) - words["not tested"]
    assert tiles["differ"] == against > 0
    assert len(page.select(".squares .claim")) == len(load_claims())
    assert len(page.select(".squares .claim.is-differ")) == against
    for line in page.select(".front-claims p"):
        report = line.a.text[-1]
        own = [claim for claim in load_claims().values() if claim.report == report]
        assert line.select_one(".squares")["aria-label"].startswith(f"{len(own)} claims: ")
        assert len(line.select(".claim")) == len(own)


def test_another_verdict_changes_the_front_page(verdicts):
    changed = {**verdicts, "B-cnn-params": Verdict("B-cnn-params", "differs")}
    before, after = (len(soup(front.front_html(v)).select(".squares .is-differ")) for v in (verdicts, changed))
    assert after == before + 1


def test_the_figure_is_there_as_a_table_too_and_adds_up(verdicts):
    rows = [
        [cell.text for cell in row.select("td")] for row in soup(front.verdicts_by_report_html(verdicts)).select("tr")
    ]
    numbers = [[int(text or 0) for text in row] for row in rows[1:]]
    assert len(numbers) == len({claim.report for claim in load_claims().values()}) + 1
    assert all(sum(row[:-1]) == row[-1] for row in numbers)
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]
    assert numbers[-1][-1] == len(load_claims())


def test_no_count_is_typed_on_the_front_page_and_the_readmes_is_right():
    assert not re.search(
        r"\b\d{2,3} (numbers|claims|findings)", (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    )
    typed = re.findall(r"\b(\d+) numbers and findings", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {int(number) for number in typed} <= {len(load_claims())}


# ------------------------------------------------------------------------------------------------- under each title


def test_the_lines_under_a_title_keep_every_fact_and_fold_the_long_ones(written):
    notebook = copy.deepcopy(written["dropout"])
    about = {"profile": "quick", "seconds": 60, "device": "cpu", "versions": {"PyTorch": "2.13.0"}}
    notebook.metadata["companion"] = {**about, "commit": "abcdef", "date": "2026-11-21"}
    record = records.load_record("dropout")
    page = soup(provenance.provenance_html(notebook, "dropout", record))
    folded = page.details.extract().text
    assert "60 s on CPU, 2026-11-21" in page.text and f"{len(record.runs)} on " in page.text and "hours on" in page.text
    assert "abcdef" in folded and "PyTorch 2.13.0" in folded and record.runs[0].provenance["commit"] in folded
    assert record.runs[0].provenance["machine"] in folded and "abcdef" not in page.text
    links = [link["href"] for link in page.select("a[download]")]
    assert [link.rpartition(".")[2] for link in links] == ["ipynb", "md", "json", "csv"]


# --------------------------------------------------------------------------------------------------- ledger, errata


def test_the_ledger_table_says_all_that_its_filters_ask(verdicts, written):
    page = soup(ledger.ledger_html(verdicts, written))
    rows = {row["id"]: row for row in page.select("#ledger-table tbody tr[id]")}
    assert set(rows) == set(load_claims())
    offered = {s["name"]: {o["value"] for o in s.select("option")} - {""} for s in page.select("select")}
    for claim in load_claims().values():
        row = rows[claim.id]
        assert (row["data-report"], row["data-chapter"], row["data-kind"]) == (claim.report, claim.chapter, claim.kind)
        assert {row["data-verdict"], "any-" + row["data-group"]} <= offered["verdict"]
    for name in ("report", "chapter", "kind"):
        assert offered[name] == {row[f"data-{name}"] for row in rows.values()}
    assert page.form.has_attr("hidden"), "without the script the page offers no filter"


def test_the_errata_page_has_exactly_the_counts_that_differ(verdicts, written):
    rows = [
        row for path in evidence_ledger.FOLDER.glob("*.yml") for row in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    by_ledger = {r["id"] for r in rows if r["kind"] == "count" and r.get("correct") and r["reported"]}
    by_ledger = {r["id"] for r in rows if r["id"] in by_ledger and r["reported"] != r["correct"]}
    by_verdict = {id for id, v in verdicts.items() if load_claims()[id].kind == "count" and v.status == "differs"}
    page = soup(errata.wrong_counts_html(verdicts, written))
    shown = {link.text: link.find_parent("tr") for link in page.select(".row-link")}
    assert set(shown) == by_ledger | by_verdict and by_ledger
    total = [cell.text for cell in shown["A-vgg-total"].select("td")]
    claim = load_claims()["A-vgg-total"]
    assert total[1:4] == [f"{claim.reported:,}", f"{claim.correct:,}", f"{claim.reported - claim.correct:+,}"]
    assert shown["A-vgg-total"].select("td")[4].a["href"] == "vgg-parameters.html#against-the-report"


def test_a_wrong_count_of_an_unwritten_chapter_stands_on_the_errata_page_too(verdicts, written):
    rest = {id: verdict for id, verdict in verdicts.items() if not id.startswith("A-vgg")}
    page = soup(errata.wrong_counts_html(rest, {n: nb for n, nb in written.items() if n != "vgg-parameters"}))
    assert "A-vgg-total" in [link.text for link in page.select(".row-link")] and "still to come" in page.text


@pytest.mark.parametrize("kinds", [("order", "text"), ("metric",)])
def test_the_errata_page_has_every_finding_that_went_against_a_report(verdicts, written, kinds):
    words = ("differs", "reversed", "not supported", "agrees in part", "holds in part")
    expected = {id for id, v in verdicts.items() if load_claims()[id].kind in kinds and v.status in words}
    page = soup(errata.findings_html(verdicts, written, kinds))
    assert {link.text for link in page.select(".row-link")} == expected and expected


def test_every_commit_that_the_errata_name_exists_and_changed_the_page():
    import subprocess

    text = (ROOT / "book" / "errata.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| \[.*?\]\((.*?)\) \|.*\| `(\w+)` \|$", text, re.M)
    assert rows and len(rows) == text.count("\n| 20")
    git = ["git", "log", "--format=%h", "--abbrev=7", "--"]
    for _, page, commit in rows:
        changes = [f"book/{page.partition('.')[0]}.md"]
        done = subprocess.run([*git, *changes], cwd=ROOT, capture_output=True, text=True)
        if len(done.stdout.split()) < 2:
            pytest.skip("needs the history of the repository")
        assert commit in done.stdout.split(), (page, commit)


# ----------------------------------------------------------------------------------------------- heads and addresses


def test_the_sites_address_stands_in_one_place_and_a_bad_one_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    before = (tmp_path / "_config.yml").read_text(encoding="utf-8")
    assert project.site_address(tmp_path) == project.site_address(ROOT)
    monkeypatch.chdir(tmp_path)
    repository = project.repository(tmp_path)
    for bad in ("owner.github.io", "https://a b/", 'https://x.example/"', "ftp://x.example/"):
        assert cli.main(["set-repository", repository, "--site", bad]) == 1
        assert "is no address of a site" in capsys.readouterr().err
    assert (tmp_path / "_config.yml").read_text(encoding="utf-8") == before
    assert cli.main(["set-repository", repository, "--site", ADDRESS.rstrip("/")]) == 0
    assert project.site_address(tmp_path) == ADDRESS
    after = (tmp_path / "_config.yml").read_text(encoding="utf-8")
    (changed,) = set(before.splitlines()) - set(after.splitlines())
    assert changed.startswith("  baseurl:")


def test_bad_keywords_are_refused(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    assert keywords.keywords(tmp_path) == {}
    path = tmp_path / "book" / "keywords.yml"
    for text, words in (
        ("index: [two words]", "index needs a list of single words"),
        ("index: word", "index needs a list"),
        ("other: [word]", "the book has no page 'other'"),
        ("- [", "cannot be read"),
        ("- word", "needs a list"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            keywords.keywords(tmp_path)


# ------------------------------------------------------------------------------------------------------ the browser


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_first_screen_says_what_was_found_and_where_to_start(browser, address, width, height):
    visit = Visit(browser, f"{address}/book/index.html", width)
    visit.page.set_viewport_size({"width": width, "height": height})
    for part in (".front-numbers", ".front-claims", ".front-start"):
        box = visit.page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= height and box["height"] > 40, part
    assert visit.page.locator(".front-start a").count() == 3
    assert visit.page.locator(".navbar-brand img:visible").count() == (width == 1440)
    visit.close()


def shown(visit):
    """(the ids of the rows in sight, in order; what the line above the table says)"""
    rows = visit.page.eval_on_selector_all(
        "#ledger-table tr[id]", "rows => rows.filter(r => r.offsetParent).map(r => r.id)"
    )
    return rows, visit.page.locator("#ledger-count").inner_text()


def expected(verdicts, **wanted):
    def status(claim):
        return verdicts[claim.id].status if claim.id in verdicts else "not yet tested"

    found = [claim for claim in load_claims().values() if all(getattr(claim, k) == v for k, v in wanted.items())]
    return [claim.id for claim in found], status


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("served", [True, False])
def test_the_ledger_filters_and_keeps_its_state_in_the_address(browser, address, html, verdicts, served):
    start = f"{address}/book/ledger.html" if served else (html / "book" / "ledger.html").as_uri()
    total = len(load_claims())
    visit = Visit(browser, start)
    page = visit.page
    assert shown(visit) == (list(load_claims()), f"{total} of {total} rows.")
    page.select_option("[name=kind]", "order")
    orders, status = expected(verdicts, kind="order")
    assert shown(visit) == (orders, f"{len(orders)} of {total} rows.")
    page.select_option("[name=verdict]", "any-part")
    parts = [id for id in orders if status(load_claims()[id]) == "holds in part"]
    assert shown(visit)[0] == parts and 0 < len(parts) < len(orders)
    assert page.evaluate("location.hash") == "#kind=order&verdict=any-part"
    page.reload()
    assert shown(visit)[0] == parts and page.input_value("[name=kind]") == "order"
    page.fill("[name=words]", "no such words anywhere")
    assert shown(visit) == ([], f"0 of {total} rows: nothing fits all of these filters.")
    page.click("button[type=reset]")
    page.wait_for_function("location.hash === ''")
    assert len(shown(visit)[0]) == total
    page.fill("[name=words]", "DROPOUT loss")
    found = shown(visit)[0]
    assert "A-drop50-loss-val" in found and "A-drop50-acc-val" not in found
    page.goto(start + "?report=C&verdict=any-part")
    assert shown(visit)[0] == [id for id in expected(verdicts, report="C")[0] if "in part" in status(load_claims()[id])]
    page.select_option("[name=report]", "A")
    assert page.evaluate("location.search + location.hash") == "#report=A&verdict=any-part"
    page.evaluate("location.hash = 'report=B&verdict=nonsense'")
    page.wait_for_function("document.querySelector('[name=report]').value === 'B'")
    assert shown(visit)[0] == expected(verdicts, report="B")[0]
    assert visit.complaints == visit.outside == []
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_ledger_sorts_by_keyboard_in_both_directions_and_back(browser, address):
    visit = Visit(browser, f"{address}/book/ledger.html")
    page = visit.page
    heading = page.locator("#ledger-table th", has_text="Measured")

    def numbers():
        texts = page.eval_on_selector_all("#ledger-table tr[id]", "rows => rows.map(r => r.cells[3].textContent)")
        found = [re.search(r"-?\d+(\.\d+)?", text.replace(",", "")) for text in texts]
        values = [float(match.group()) if match else None for match in found]
        filled = [value for value in values if value is not None]
        assert values[: len(filled)] == filled, "rows without a number come last"
        return filled

    page.keyboard.press("Tab")
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending" and numbers() == sorted(numbers())
    assert page.locator("#A-mlp-time .of-chapter").is_visible(), "out of its group a row names its chapter"
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending" and numbers() == sorted(numbers(), reverse=True)
    assert page.evaluate("location.hash") == "#sort=Measured&down=1"
    page.reload()
    assert heading.get_attribute("aria-sort") == "descending" and numbers() == sorted(numbers(), reverse=True)
    heading.locator("button").press("Enter")
    assert page.locator("[aria-sort]").count() == 0 and shown(visit)[0] == list(load_claims())
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_ledger_is_complete_without_scripts_and_an_address_leads_to_a_row(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/ledger.html")
    assert page.locator("#ledger-table tr[id]:visible").count() == len(load_claims())
    assert not page.locator("#ledger-filter").is_visible() and not page.locator("#ledger-count").is_visible()
    context.close()
    visit = Visit(browser, f"{address}/book/ledger.html#E-bce")
    in_sight = "(top => 0 <= top && top < innerHeight)(document.getElementById('E-bce').getBoundingClientRect().top)"
    visit.page.wait_for_function(in_sight, timeout=10_000)
    visit.close()


STUDENT_WORDS = {  # what a student types: a page that answers
    "overfitting": "dropout",
    "underfitting": "dropout",
    "dropout": "dropout",
    "padding": "rnn-vs-cnn",
    "stride": "depth",
    "learning rate": "dropout",
    "LSTM": "rnn-vs-cnn",
    "parameters": "vgg-parameters",
    "receptive field": "depth",
    "batch norm": "vgg-parameters",
    "regularization": "dropout",
    "hyperparameters": "dropout",
    "flops": "vgg-parameters",
    "data augmentation": "augmentation",
    "heatmap": "gap-head",
    "global average pooling": "gap-head",
    "translation": "mlp-vs-cnn",
    "baseline": "mlp-vs-cnn",
    "speech": "rnn-vs-cnn",
    "spectrogram": "rnn-vs-cnn",
    "vanishing gradient": "rnn-vs-cnn",
    "backpropagation": "rnn-vs-cnn",
    "significance": "evidence",
    "confidence interval": "dropout",
    "early stopping": "dropout",
    "softmax": "rnn-vs-cnn",
    "errata": "errata",
    "mistakes": "errata",
    "license": "index",
    "install": "index",
}


@pytest.mark.slow
@pytest.mark.browser
def test_the_search_finds_the_words_that_a_student_types(browser, address):
    known = [(word, page) for page, words in keywords.keywords(ROOT).items() for word in words]
    wanted = [*STUDENT_WORDS.items(), *known]
    visit = Visit(browser, f"{address}/search.html")
    visit.page.wait_for_function("Search.hasIndex()")
    found = visit.page.evaluate(
        "queries => queries.map(query => Search._performSearch(...Search._parseQuery(query)).map(result => result[0]))",
        [words for words, _ in wanted],
    )
    missing = [pair for pair, pages in zip(wanted, found, strict=True) if f"book/{pair[1]}" not in pages]
    assert missing == []
    visit.close()
