"""Runs of others: what is taken over, what is refused, and that no verdict sees them."""

import copy
import json

import numpy as np
import pytest
from books import ROOT
from bs4 import BeautifulSoup

from companion import load_record
from companion.evidence import keeping, records
from companion.publish import UserError, cli
from companion.publish.notebooks import contributions
from companion.publish.pages.contributed import contributed_html


@pytest.fixture
def theirs():
    """What another machine might have recorded of the chapter on the GAP head: our runs, a little moved."""
    content = {"chapter": "gap-head", **copy.deepcopy(keeping.read(records.record_path("gap-head")))}
    for k, row in enumerate(content["runs"], start=1):
        row |= {"machine": "Another <b>Card</b>", "device": "cuda"}
        for curve in ("val_loss", "val_accuracy"):
            row["history"][curve] = [value + 1e-4 * k for value in row["history"][curve]]
    return content


@pytest.fixture
def merged(tmp_path):
    def merged(content):
        path = tmp_path / "given.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return contributions.merge(ROOT, path, tmp_path / "kept")

    return merged


def test_runs_of_another_machine_are_kept_apart_and_no_verdict_sees_them(theirs, merged, tmp_path):
    before = load_record("gap-head")
    ((target, runs),) = merged(theirs)
    assert runs == len(theirs["runs"]) and target.name == "gap-head--cuda-another-b-card-b.json"
    assert {row["seed"] for row in records.read(target)["runs"]} == {row["seed"] for row in theirs["runs"]}
    assert load_record("gap-head") == before
    assert contributions.FOLDER != records.FOLDER
    merged(theirs)  # once more changes nothing
    assert len(records.read(target)["runs"]) == runs


def test_the_page_shows_their_means_beside_ours_with_the_interval_of_the_difference(theirs, merged, tmp_path):
    merged(theirs)
    html = contributed_html(tmp_path / "kept")
    assert "<b>Card</b>" not in html and "Another &lt;b&gt;" in html
    cells = [cell.get_text() for cell in BeautifulSoup(html, "html.parser").find_all("td")]
    ours = [run.last("val_accuracy") for run in load_record("gap-head").runs]
    other = [row["history"]["val_accuracy"][-1] for row in theirs["runs"]]
    assert (
        cells[0] == f"{np.mean(ours):.4f} (n = {len(ours)})" and cells[1] == f"{np.mean(other):.4f} (n = {len(other)})"
    )
    (_, _, _, _, _, low, high), *_ = contributions.comparisons("gap-head", theirs)
    a, b = np.var(other, ddof=1) / len(other), np.var(ours, ddof=1) / len(ours)
    freedom = (a + b) ** 2 / (a**2 / (len(other) - 1) + b**2 / (len(ours) - 1))
    from scipy.stats import t

    reach = t.ppf(0.975, freedom) * np.sqrt(a + b)
    assert (high - low) / 2 == pytest.approx(reach) and (high + low) / 2 == pytest.approx(
        np.mean(other) - np.mean(ours)
    )


def test_without_runs_of_others_the_page_says_so(tmp_path):
    assert "Nobody has given runs yet" in contributed_html(tmp_path)


def change(content, **values):
    content["runs"][1].update(values)


REFUSED = {
    "no run": (lambda c: c["runs"].__setitem__(1, "x"), "run 2: it is no run"),
    "no seed": (lambda c: c["runs"][1].pop("seed"), "run 2: it has no seed"),
    "a seed in words": (lambda c: change(c, seed="one"), "its seed cannot be read"),
    "other data": (lambda c: change(c, data={"name": "CIFAR-10", "fingerprint": "0"}), "the fingerprints differ"),
    "other epochs": (lambda c: c["runs"][1]["parameters"].update(epochs=30), "none of the chapter's grid"),
    "too right": (
        lambda c: c["runs"][1]["history"]["val_accuracy"].__setitem__(3, 1.5),
        "leaves the range from 0 to 1",
    ),
    "not a number": (lambda c: c["runs"][1]["history"]["val_loss"].__setitem__(3, float("nan")), "no finite number"),
    "a text": (lambda c: c["runs"][1]["history"]["val_loss"].__setitem__(3, "low"), "holds what is no number"),
    "curves of two lengths": (lambda c: c["runs"][1]["history"]["val_loss"].pop(), "one number for each epoch"),
    "another device": (lambda c: change(c, device="abacus"), "none of cpu, cuda, mps"),
    "other code": (lambda c: [row.update(code="abc") for row in c["runs"]], "does not hold the version abc"),
    "forged code": (lambda c: next(iter(c["code"].values())).update(cells="0"), "is not what its name says"),
    "nothing": (lambda c: c["runs"].clear(), "it holds no runs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence_and_nothing_is_kept(name, theirs, merged, tmp_path):
    spoil, said = REFUSED[name]
    spoil(theirs)
    with pytest.raises(UserError, match=said):
        merged(theirs)
    assert not (tmp_path / "kept").exists()


def test_a_copy_of_our_own_runs_is_refused(merged):
    own = {"chapter": "gap-head", **keeping.read(records.record_path("gap-head"))}
    with pytest.raises(UserError, match="one of our own runs, to the last digit"):
        merged(own)


def test_a_file_that_is_none_or_of_another_chapter_is_refused(merged, theirs, tmp_path):
    with pytest.raises(UserError, match="cannot be read as a record"):
        merged("no JSON")
    with pytest.raises(UserError, match="the book has no such chapter"):
        merged({**theirs, "chapter": "../../x"})
    with pytest.raises(UserError, match="is not there"):
        contributions.merge(ROOT, tmp_path / "none.json")


def test_the_command_says_a_mistake_in_a_sentence(tmp_path, capsys):
    assert cli.main(["merge", str(tmp_path / "none.json")]) == 1
    assert "is not there" in capsys.readouterr().err
