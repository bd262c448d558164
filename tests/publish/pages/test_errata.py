"""The errata page: exactly what went against the reports, and our own corrections with their commits."""

import re
import subprocess

import pytest
import yaml
from books import ROOT
from reading import soup

from companion import load_claims
from companion.evidence import ledger as evidence_ledger
from companion.evidence.verdicts import Verdict
from companion.publish.pages import errata


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
    words = {"differs", "differs, the rest too wide to tell", "reversed", "not supported", "agrees in part", "mixed"}
    expected = {id for id, v in verdicts.items() if load_claims()[id].kind in kinds and v.status in words}
    page = soup(errata.findings_html(verdicts, written, kinds))
    assert {link.text for link in page.select(".row-link")} == expected and expected


def test_a_rounded_count_is_not_called_a_mistake_proper_and_says_how_far_off_it_is(verdicts, written):
    page = soup(errata.wrong_counts_html(verdicts, written))
    row = next(link.find_parent("tr") for link in page.select(".row-link") if link.text == "A-gap-bytes")
    cells = [cell.text for cell in row.select("td")]
    assert cells[3] == "−648, −712" and "rounded" in cells[4]


def test_what_is_only_undecided_or_too_wide_to_tell_is_no_error(written):
    """In the first edition five such orderings stood among the statements that did not hold."""
    ids = [id for id, claim in load_claims().items() if claim.kind == "order"][:4]
    words = ("holds, the rest undecided", "undecided", "agrees, the rest too wide to tell", "mixed")
    judged = {id: Verdict(id, word) for id, word in zip(ids, words, strict=True)}
    page = soup(errata.findings_html(judged, written, ("order",)))
    assert [link.text for link in page.select(".row-link")] == [ids[3]]
    words = {"A-best-three": "undecided", "A-drop-choice": "not supported"}
    page = soup(errata.findings_html({id: Verdict(id, word) for id, word in words.items()}, written, ("text",)))
    assert [link.text for link in page.select(".row-link")] == ["A-drop-choice"]


def test_a_finding_stands_on_the_errata_page_as_its_card_with_the_way_to_its_row_and_its_chapter(written):
    verdict = Verdict("A-depth1-acc-val", "differs", 0.5, interval=(0.4, 0.55), n=3)
    page = soup(errata.findings_html({verdict.claim_id: verdict}, written, ("metric",)))
    (card,) = page.select(".claim-card")
    claim = load_claims()[verdict.claim_id]
    assert card.select_one(".claim-words").text == claim.text and card.select_one(".verdict").text == "✗ differs"
    assert card.select_one(".strip-label").text == f"report {claim.reported}"
    row, chapter = card.select(".claim-links a")
    assert row["href"] == f"ledger.html#{claim.id}" and chapter["href"] == "depth.html#against-the-report"


def test_every_commit_that_the_errata_name_exists_and_changed_the_page():
    text = (ROOT / "book" / "errata.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| \[.*?\]\((.*?)\) \|.*\| \[`(\w+)`\]\(\S+/commit/\3\) \|$", text, re.M)
    assert rows and len(rows) == text.count("\n| 20")
    git = ["git", "log", "--format=%h", "--abbrev=7", "--"]
    for _, page, commit in rows:
        changes = [f"book/{page.partition('.')[0]}.md"]
        done = subprocess.run([*git, *changes], cwd=ROOT, capture_output=True, text=True)
        if len(done.stdout.split()) < 2:
            pytest.skip("needs the history of the repository")
        assert commit in done.stdout.split(), (page, commit)
