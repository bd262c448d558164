"""House prices in Boston and their stand-in."""

import numpy as np
import pytest
import torch
from data_files import assert_equal_splits, everything_in, real_folder, refusal, refusal_without_a_trace, write
from made_up_sets import PAGE

from companion.data.boston import (
    BOSTON_COLUMNS,
    BOSTON_FINGERPRINT,
    BOSTON_PRICE,
    BOSTON_ROWS,
    load_boston,
    load_diabetes_table,
)
from companion.data.splits import fingerprint


def as_text(table, header=False, separator=","):
    lines = [separator.join(map(str, row)) for row in table.tolist()]
    return "\n".join([separator.join([*BOSTON_COLUMNS, BOSTON_PRICE])] * header + lines).encode()


@pytest.fixture
def houses(monkeypatch):
    """A made-up table of the true size, accepted as the true one, without any way to the network."""
    table = np.random.RandomState(5).randint(1, 500, (BOSTON_ROWS, 14)) / 10
    monkeypatch.setattr("companion.data.boston.BOSTON_FINGERPRINT", fingerprint(table))
    monkeypatch.setattr("companion.data.boston.BOSTON_URLS", ())
    return table


@pytest.mark.parametrize(
    ("name", "content"),
    [("boston_housing.csv", {"header": True}), ("housing.data", {"separator": " "})],
    ids=["with names", "as first published"],
)
def test_both_packings_of_the_houses_are_the_same_table(name, content, houses, tmp_path):
    splits = load_boston(3, root=write(tmp_path, "tabular", {name: as_text(houses, **content)}))
    rows = torch.cat([splits.train.inputs, splits.val.inputs]).numpy()
    assert sorted(rows.tolist()) == sorted(houses[:, :13].astype(np.float32).tolist())
    assert (len(splits.train), len(splits.val)) == (404, 102)
    assert splits.train.targets.shape == (404, 1) and splits.source == f"file {name}"
    price = dict(zip(map(tuple, houses[:, :13].astype(np.float32).tolist()), houses[:, 13], strict=True))
    for row, target in zip(splits.val.inputs.tolist(), splits.val.targets[:, 0].tolist(), strict=True):
        assert target == pytest.approx(price[tuple(row)])


def test_each_split_is_another_one_and_keras_own_is_that_of_its_seed(houses, tmp_path):
    root = write(tmp_path, "tabular", {"housing.data": as_text(houses)})
    tests = [tuple(load_boston(split, root).val.targets[:, 0].tolist()) for split in ("keras", 0, 1, 113)]
    assert len(set(tests)) == 3 and tests[0] == tests[3]
    order = np.arange(BOSTON_ROWS)
    np.random.RandomState(113).shuffle(order)
    assert np.allclose(tests[0], houses[order[404:], 13])


@pytest.mark.parametrize("split", ["Keras", -1, 0.5, None])
def test_a_split_that_is_none_is_refused(split, houses, tmp_path):
    root = write(tmp_path, "tabular", {"housing.data": as_text(houses)})
    assert repr(split) in refusal(load_boston, split, root)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: text.rindex(b"\n")], "it has 505 rows, not 506"),
        (lambda text: text.replace(b"CRIM,ZN", b"ZN,CRIM", 1), "not CRIM, ZN"),
        (lambda text: text[: text.rindex(b",") + 1] + b"dear", "row 506 holds 'dear' under MEDV"),
        (lambda text: text[: text.rindex(b",") + 1] + b"nan", "row 506 holds 'nan' under MEDV"),
        (lambda text: text + b",1", "row 506 has 15 cells, not 14"),
        (lambda text: text + b"1", "its content is not the known boston set"),
        (lambda text: PAGE, "damaged or not the right file"),
    ],
)
def test_a_damaged_table_is_named_and_kept(spoil, message, houses, tmp_path):
    write(tmp_path, "tabular", {"boston_housing.csv": spoil(as_text(houses, header=True))})
    said = refusal_without_a_trace(load_boston, tmp_path)
    assert "boston_housing.csv" in said and message in said and "`companion data boston`" in said


def test_the_houses_are_downloaded_once_and_verified(houses, serve, monkeypatch, tmp_path):
    server = serve({"housing.data": as_text(houses, separator=" ")})
    monkeypatch.setattr("companion.data.boston.BOSTON_URLS", (server.url + "housing.data",))
    first = load_boston(root=tmp_path)
    assert set(everything_in(tmp_path)) == {"tabular/housing.data"}
    assert_equal_splits(load_boston(root=tmp_path), first)
    assert len(server.ranges_asked) == 1


def test_a_wrong_download_is_not_kept_and_the_next_address_is_tried(houses, serve, monkeypatch, tmp_path):
    wrong, right = serve({"housing.data": PAGE}), serve({"housing.data": as_text(houses)})
    monkeypatch.setattr("companion.data.boston.BOSTON_URLS", (wrong.url + "housing.data",))
    assert "what came is not the expected file" in refusal_without_a_trace(load_boston, tmp_path)
    urls = wrong.url + "housing.data", right.url + "housing.data"
    monkeypatch.setattr("companion.data.boston.BOSTON_URLS", urls)
    assert len(load_boston(root=tmp_path).train) == 404


def test_the_stand_in_is_the_known_table_cut_in_many_ways():
    splits = load_diabetes_table()
    assert splits.fingerprint.startswith("60b7eb451e06")
    assert (splits.train.inputs.shape, splits.val.inputs.shape) == ((354, 10), (88, 10))
    assert splits.train.targets.shape == (354, 1) and splits.columns[:3] == ("age", "sex", "bmi")
    targets = torch.cat([splits.train.targets, splits.val.targets])
    assert (targets.min(), targets.max()) == (25, 346)
    assert load_diabetes_table(1).val.targets.tolist() != splits.val.targets.tolist()


@pytest.mark.realdata
def test_the_real_houses_are_those_that_keras_deals_out():
    root = real_folder("tabular")
    splits = load_boston(root=root)
    assert splits.fingerprint == BOSTON_FINGERPRINT
    assert splits.train.inputs[0, 0].item() == pytest.approx(1.23247) and splits.train.targets[0].item() == (
        pytest.approx(15.2)
    )  # as Keras' documentation shows it
    prices = torch.cat([splits.train.targets, splits.val.targets])
    assert (prices == 50).sum() == 16 == (prices >= 50).sum()
    assert prices.mean().item() == pytest.approx(22.53, abs=0.01)


@pytest.mark.realdata
def test_the_files_as_found_hold_the_same_numbers():
    root = real_folder("tabular", "housing.data")
    from companion.data.tables import read_table

    columns = (*BOSTON_COLUMNS, BOSTON_PRICE)
    for name in ("housing.data", "boston_housing.csv"):
        content = (root / "tabular" / name).read_bytes()
        assert fingerprint(read_table(content, columns, BOSTON_ROWS)) == BOSTON_FINGERPRINT
