"""The page "What we learned": its sentences against the verdicts, its numbers against other ways to reckon them."""

import re

import numpy as np
import pytest
import yaml
from books import ROOT
from bs4 import BeautifulSoup
from scipy import stats

from companion import load_claims, load_record
from companion.evidence import power
from companion.publish import UserError
from companion.publish.notebooks.verdicts import committed_verdicts
from companion.publish.pages import learned


@pytest.fixture(scope="module")
def verdicts():
    return committed_verdicts(ROOT)


def book_of(tmp_path, *rows):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "findings.yml").write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
    return tmp_path


def rows():
    return yaml.safe_load((ROOT / "book" / "findings.yml").read_text(encoding="utf-8"))


def test_every_sentence_rests_on_a_part_that_still_says_so(verdicts):
    found = learned.findings(ROOT, verdicts)
    assert len(found) == len(rows()) >= 9
    assert sum(bool(finding.surprise) for finding in found) >= 3
    assert all(finding.part.interval and finding.part.n >= 3 for finding in found)


def test_a_sentence_holds_no_typed_number():
    for row in rows():
        assert not re.search(r"\d", row["sentence"] + row.get("surprise", "")), row["sentence"]


def test_numbers_in_words_are_those_of_the_records(verdicts):
    """Seven seeds, an eighth and a third of the parameters, every seed: as the sentences say."""
    depth, dropout = load_record("depth"), load_record("dropout")
    assert len(depth.select(blocks=3)) == len(dropout.select(rate=0.5, hidden=32, learning_rate=1e-3)) == 7
    part = {(f.claim.id, f.part.what): f.part for f in learned.findings(ROOT, verdicts)}
    beats = part["A-mlp-order", "CNN, 3 blocks: validation accuracy"]
    assert min(beats.values) > 0 and beats.pointing == beats.n
    assert round(308_310 / 37_178) == 8  # both are counted in their chapters
    assert abs((37_178 - 25_162) / 37_178 - 1 / 3) < 0.02
    one_to_two = next(p for p in verdicts["A-depth-order"].parts if "accuracy, 1 to 2" in p.what)
    assert one_to_two.pointing == one_to_two.n


def test_a_sentence_that_its_verdict_no_longer_bears_stops_the_build(tmp_path, verdicts):
    row = {**rows()[0], "found": "holds"}
    with pytest.raises(UserError, match="'reversed' now, and the sentence was written for 'holds'"):
        learned.findings(book_of(tmp_path, row), verdicts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"claim": "X-1"}, "no claim 'X-1'"),
        ({"part": "other"}, "has 0 parts"),
        ({"sure": "very"}, "a finding has claim, found"),
    ],
)
def test_a_mistake_in_the_file_gets_a_sentence(tmp_path, verdicts, change, said):
    with pytest.raises(UserError, match=said):
        learned.findings(book_of(tmp_path, {**rows()[0], **change}), verdicts)


def test_a_book_without_the_chapter_leaves_its_findings_out(verdicts):
    few = {key: verdict for key, verdict in verdicts.items() if key.startswith("A-")}
    assert {finding.claim.report for finding in learned.findings(ROOT, few)} == {"A"}


def test_the_table_of_kinds_adds_up(verdicts):
    table = BeautifulSoup(learned.kinds_html(verdicts), "html.parser")
    found = {row.th.get_text(): [cell.get_text() for cell in row.find_all("td")] for row in table.tbody.find_all("tr")}
    for kind, words in learned.KINDS.items():
        judged = [c for c in load_claims().values() if c.kind == kind and c.id in verdicts]
        tested = [c for c in judged if verdicts[c.id].status not in ("not tested", "not yet tested")]
        *cells, total = found[words]
        assert sum(int(cell) for cell in cells if cell != "–") == len(tested)
        assert int(total) == len(judged)


@pytest.mark.parametrize("pairs", learned.PAIRS)
def test_the_smallest_difference_that_is_seen_is_found_in_four_of_five_simulated_comparisons(pairs):
    drawn = np.random.default_rng(pairs).normal(power.smallest_seen(pairs, 0.02), 0.02, (20_000, pairs))
    low = drawn.mean(1) - stats.t.ppf(0.975, pairs - 1) * drawn.std(1, ddof=1) / np.sqrt(pairs)
    assert np.mean(low > 0) == pytest.approx(0.8, abs=0.012)


def test_more_pairs_and_calmer_runs_see_smaller_differences(verdicts):
    calm, middle, wild = learned.scatters(verdicts)
    assert 0 < calm < middle < wild
    assert (
        power.smallest_seen(30, middle)
        < power.smallest_seen(10, middle)
        < power.smallest_seen(5, middle)
        < power.smallest_seen(5, wild)
    )
