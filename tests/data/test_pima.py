"""Pima's table and its stand-in, in five folds."""

import numpy as np
import pytest
import torch
from data_files import assert_equal_splits, everything_in, real_folder, refusal, refusal_without_a_trace, write
from made_up_sets import PAGE

from companion.data.pima import (
    PIMA_COLUMNS,
    PIMA_FINGERPRINT,
    PIMA_NAMES,
    PIMA_ROWS,
    load_pima,
    load_tumours,
    whole_labels,
)
from companion.data.splits import fingerprint
from companion.data.tables import MISSING

LABEL = PIMA_ROWS - 268


def as_text(table, header=True):
    lines = [",".join(f"{cell:g}" for cell in row) for row in table.tolist()]
    return "\n".join([",".join(PIMA_NAMES)] * header + lines).encode()


@pytest.fixture
def women(monkeypatch):
    """A made-up table of the true size, accepted as the true one, without any way to the network."""
    random = np.random.RandomState(6)
    table = random.randint(0, 9, (PIMA_ROWS, 9)).astype(float)
    table[:, 8] = random.permutation(PIMA_ROWS) >= LABEL
    monkeypatch.setattr("companion.data.pima.PIMA_FINGERPRINT", fingerprint(table))
    monkeypatch.setattr("companion.data.pima.PIMA_URLS", ())
    return table


def rows(part):
    return torch.cat([part.inputs, part.targets[:, None].float()], 1).tolist()


@pytest.mark.parametrize("name", ["pima_diabetes.csv", "pima-indians-diabetes.data.csv"])
def test_every_row_is_held_out_once(name, women, tmp_path):
    root = write(tmp_path, "tabular", {name: as_text(women, header=name == "pima_diabetes.csv")})
    held_out = []
    for fold in range(5):
        splits = load_pima(fold, repeat=2, root=root)
        assert sorted(rows(splits.train) + rows(splits.val)) == sorted(women.tolist())
        held_out += rows(splits.val)
        assert int(splits.val.targets.sum()) in (53, 54) and len(splits.val) in (153, 154)
    assert sorted(held_out) == sorted(women.tolist())
    assert splits.classes == ("no", "yes") and splits.columns == PIMA_COLUMNS


def test_only_the_pregnancies_keep_their_zeros_when_holes_are_filled(women, tmp_path):
    root = write(tmp_path, "tabular", {"pima_diabetes.csv": as_text(women)})
    for missing in MISSING[1:]:
        splits = load_pima(0, 0, missing, root)
        zeros = sum((part.inputs == 0).sum(0) for part in (splits.train, splits.val)).tolist()
        assert zeros == [int((women[:, 0] == 0).sum()), 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("fold", [5, -1, 0.0, "0", None, True])
def test_a_fold_that_is_none_is_refused(fold, women, tmp_path):
    root = write(tmp_path, "tabular", {"pima_diabetes.csv": as_text(women)})
    assert refusal(lambda: load_pima(fold, root=root)).endswith(f"0 to 4, not {fold!r}.")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: text.rindex(b"\n")], "it has 767 rows, not 768"),
        (lambda text: text.replace(b"Glucose,BloodPressure", b"BloodPressure,Glucose", 1), "in this order"),
        (lambda text: text[: text.rindex(b",") + 1] + b"yes", "row 768 holds 'yes' under Outcome"),
        (lambda text: text + b",0", "row 768 has 10 cells, not 9"),
        (lambda text: text[: text.rindex(b",") + 1] + b"2", "its content is not the known pima set"),
    ],
)
def test_a_damaged_table_is_named_and_kept(spoil, message, women, tmp_path):
    write(tmp_path, "tabular", {"pima_diabetes.csv": spoil(as_text(women))})
    said = refusal_without_a_trace(load_pima, tmp_path)
    assert "pima_diabetes.csv" in said and message in said and "`companion data pima`" in said


@pytest.mark.parametrize("label", [2, 0.5, -1])
def test_a_label_that_is_neither_0_nor_1_is_named(label):
    assert refusal(whole_labels, [0, 1, label]) == f"A label is 0 or 1, and row 3 has {label:g}."


def test_a_column_of_zeros_only_has_no_mean(women, tmp_path, monkeypatch):
    women[:, 4] = 0
    monkeypatch.setattr("companion.data.pima.PIMA_FINGERPRINT", fingerprint(women))
    root = write(tmp_path, "tabular", {"pima_diabetes.csv": as_text(women)})
    assert refusal(lambda: load_pima(missing="mean", root=root)).startswith("insulin is 0, that is not measured")
    assert len(load_pima(root=root).val) == 154


def test_the_table_is_downloaded_once_and_a_wrong_download_is_not_kept(women, serve, monkeypatch, tmp_path):
    name = "pima-indians-diabetes.data.csv"
    wrong, right = serve({name: PAGE}), serve({name: as_text(women, header=False)})
    monkeypatch.setattr("companion.data.pima.PIMA_URLS", (wrong.url + name,))
    assert "what came is not the expected file" in refusal_without_a_trace(load_pima, tmp_path)
    monkeypatch.setattr("companion.data.pima.PIMA_URLS", (right.url + name,))
    first = load_pima(root=tmp_path)
    assert set(everything_in(tmp_path)) == {f"tabular/{name}"}
    assert_equal_splits(load_pima(root=tmp_path), first)
    assert len(right.ranges_asked) == 1


# --------------------------------------------------------------------------------------------------------- the stand-in


def test_the_stand_in_has_holes_at_random_in_all_columns_but_the_first():
    splits = load_tumours()
    assert splits.fingerprint.startswith("be86ffa95068")
    table = torch.cat([splits.train.inputs, splits.val.inputs])
    shares = (table == 0).float().mean(0)
    assert table.shape == (569, 8) and shares[0] == 0 and ((shares[1:] - 0.3).abs() < 0.06).all()
    assert int(splits.train.targets.sum() + splits.val.targets.sum()) == 212  # malignant, as scikit-learn says
    assert not (load_tumours(holes=0).train.inputs == 0).any()


def test_other_holes_come_from_another_seed_and_wrong_shares_are_refused():
    assert not torch.equal(load_tumours(seed=1).train.inputs, load_tumours().train.inputs)
    for holes in (-0.1, 1.5):
        assert repr(holes) in refusal(lambda share=holes: load_tumours(holes=share))
    assert "not measured" in refusal(lambda: load_tumours(missing="mean", holes=1))


@pytest.mark.realdata
def test_the_real_table_has_the_zeros_that_are_known_of_it():
    splits = load_pima(root=real_folder("tabular"))
    table = torch.cat([splits.train.inputs, splits.val.inputs])
    assert splits.fingerprint == PIMA_FINGERPRINT
    assert (table == 0).sum(0).tolist() == [111, 5, 35, 227, 374, 11, 0, 0]
    assert len(table) == 768 and int(splits.train.targets.sum() + splits.val.targets.sum()) == 268
