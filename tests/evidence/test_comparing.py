"""One's own number beside the recorded runs of a chapter."""

import math
from statistics import mean, stdev
from types import SimpleNamespace

import pytest
from scipy import stats

from companion import History, Run, compare, load_record
from companion.evidence import comparing
from companion.evidence.records import Record


def run(seed, values, split=0, **setting):
    curves = {f"{part}_{metric}": values for part in ("running", "train", "val") for metric in ("loss", "accuracy")}
    curves |= {"train_accuracy": [v + 0.1 for v in values], "val_loss": [1 - v for v in values]}
    return Run(setting, seed, History(curves), provenance={"parameters": {"split": split}})


RATES = {0.0: 0.70, 0.5: 0.60}
RUNS = tuple(
    run(seed, [centre - 0.1, centre + 0.01, centre + 0.002 * seed], rate=rate)
    for rate, centre in RATES.items()
    for seed in range(5)
)


@pytest.fixture(autouse=True)
def invented(monkeypatch):
    monkeypatch.setattr(
        comparing,
        "load_record",
        lambda chapter: Record(chapter, RUNS) if chapter == "invented" else load_record(chapter),
    )


def test_the_interval_is_that_of_one_further_run_by_scipy():
    values = [0.6 + 0.002 * seed for seed in range(5)]
    reach = stats.t.ppf(0.975, 4) * stdev(values) * math.sqrt(1 + 1 / 5)
    reading = compare(0.6, "invented", rate=0.5).reading
    assert reading.centre == pytest.approx(mean(values), abs=1e-6)
    assert (reading.low, reading.high) == pytest.approx((mean(values) - reach, mean(values) + reach), abs=1e-6)


def test_a_number_inside_is_normal_and_one_outside_is_not():
    assert compare(0.605, "invented", rate=0.5).status == "normal"
    assert compare(0.66, "invented", rate=0.5).status == "not normal"
    assert "standard errors above our mean" in str(compare(0.66, "invented", rate=0.5))


def test_half_a_unit_of_the_last_digit_is_allowed_as_it_is_written():
    low = compare(0.6, "invented", rate=0.5).reading.low
    coarse = f"{low - 0.004:.2f}"
    assert abs(float(coarse) - low) <= 0.005
    assert compare(coarse, "invented", rate=0.5).status == "normal"
    assert compare(f"{low - 0.004:.4f}", "invented", rate=0.5).status == "not normal"


def test_causes_are_other_settings_epochs_and_parts_of_which_we_have_runs():
    causes = [cause.change for cause in compare(0.705, "invented", rate=0.5).causes]
    assert causes[:2] == ["measured on the training part", "rate 0.0 in place of 0.5"] or set(causes) == {
        "measured on the training part",
        "rate 0.0 in place of 0.5",
    }
    assert [c.change for c in compare(0.5, "invented", rate=0.5).causes] == ["stopped after epoch 1"]
    assert compare(0.9, "invented", rate=0.5).causes == ()
    assert "we cannot tell why" in str(compare(0.9, "invented", rate=0.5))


def test_a_cause_says_the_shift_that_was_measured():
    (cause,) = [c for c in compare(0.705, "invented", rate=0.5).causes if "rate" in c.change]
    assert cause.shift == pytest.approx(0.1) and "(+0.100" in str(cause)


def test_an_interval_that_is_too_wide_says_so():
    wide = tuple(run(seed, [0.3 + 0.15 * seed], rate=1) for seed in range(4))
    found = comparing.readings(Record("wide", wide))
    said = comparing.answer(0.5, comparing.chosen(found, "wide", "val_accuracy", {}), found)
    assert said.status == "cannot tell" and "too wide to tell" in str(said)


def test_one_run_is_too_few():
    found = comparing.readings(Record("one", RUNS[:1]))
    assert comparing.answer(0.5, comparing.chosen(found, "one", "val_accuracy", {}), found).status == "cannot tell"


def data_of(fingerprint):
    return SimpleNamespace(name="digits", source="embedded", fingerprint=fingerprint)


def test_a_run_brings_its_setting():
    said = compare([run(7, [0.5, 0.6, 0.605], rate=0.5), run(7, [0.5, 0.6, 0.605], rate=0.0)], "invented")
    assert [one.status for one in said] == ["normal", "not normal"]
    assert "rate 0.5" in str(said) and "rate 0.0" in str(said) and len(str(said).splitlines()) == len(said) + 1


def test_a_run_of_another_setting_length_or_data_is_another_experiment():
    said = compare(run(7, [0.5, 0.605], rate=0.5), "invented")
    assert said.status == "cannot tell" and "2 epochs, ours 3" in str(said)
    said = compare(run(7, [0.5, 0.6, 0.605], rate=0.3), "invented")
    assert said.status == "cannot tell" and "recorded are rate 0.0 or 0.5" in str(said)
    theirs = load_record("depth").runs[0]
    (said,) = compare([theirs], "depth", splits=data_of("other"))
    assert said.status == "cannot tell" and "saw digits (embedded), ours CIFAR-10" in str(said)
    (said,) = compare([theirs], "depth", splits=data_of(theirs.provenance["data"]["fingerprint"]))
    assert said.status == "normal"
    (said,) = compare([theirs], "vgg-parameters", splits=data_of("other"))
    assert "no recorded runs yet" in str(said)


def test_without_a_metric_the_accuracy_is_meant_or_the_loss_where_there_is_none():
    assert compare(0.6, "depth", blocks=3).reading.curve == "val_accuracy"
    assert compare(30.0, "linear-regression").reading.curve == "val_loss"


def test_runs_are_read_at_their_last_epoch_and_a_list_is_answered_one_by_one():
    one = run(7, [0.1, 0.2, 0.605], rate=0.5)
    assert [said.number for said in compare([one, 0.605], "invented", rate=0.5)] == [0.605, 0.605]


def test_units_such_as_speakers_widen_the_interval():
    runs = tuple(run(seed, [0.5 + 0.05 * unit + 0.001 * seed], held_out=unit) for unit in range(4) for seed in range(3))
    reading = next(
        r for r in comparing.readings(Record("x", runs)) if (r.curve, r.kind) == ("val_accuracy", "last epoch")
    )
    assert reading.units == 4 and reading.n == 12 and "held_out" not in reading.setting
    assert reading.high - reading.low > 2 * stats.t.ppf(0.975, 3) * 0.05


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("much", "invented", {}), "no number to compare"),
        ((math.nan, "invented", {}), "no number to compare"),
        ((0.5, "invented", {"rate": 0.4}), "recorded are rate 0.0 or 0.5"),
        ((0.5, "invented", {"width": 3}), "only by rate"),
        ((0.5, "invented", {"metric": "val_acc"}), "they have running_accuracy"),
        ((0.5, "vgg-parameters", {}), "no recorded runs"),
    ],
)
def test_a_mistake_gets_a_sentence_with_what_there_is(given, said):
    number, chapter, options = given
    with pytest.raises(ValueError, match=said):
        compare(number, chapter, **options)


def test_the_answer_to_a_student_s_question_comes_from_the_records():
    """Three blocks after nine of 29 epochs: our own curves say that this is how such a number comes about."""
    values = [one.history.val_accuracy[8] for one in load_record("depth").select(blocks=3)]
    said = compare(f"{mean(values):.2f}", "depth", blocks=3)
    assert said.status == "not normal" and said.causes[0].change == "stopped after epoch 9"
