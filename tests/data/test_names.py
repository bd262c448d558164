"""Names as letters, and the lists of names."""

import re

import pytest
import torch
from data_files import (
    assert_equal_splits,
    assert_padding_follows_the_end,
    everything_in,
    real_folder,
    refusal_without_a_trace,
    write,
)
from made_up_sets import LISTS, PAGE

from companion.data.names import ALPHABET, NAMES_SHA256, encode_names, language_label, load_names, plain_letters


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Żak", "zak"),
        ("Strauß", "strauss"),
        ("Wałęsa", "walesa"),
        ("Łukasz", "lukasz"),
        ("Béringer", "beringer"),
        ("Be\u0301ringer", "beringer"),  # the accent as a character of its own
        ("O’Neal", "o'neal"),
        ("  De la Cruz ", "de la cruz"),
        ("İnan", "inan"),
    ],
)
def test_accents_and_capitals_are_taken_off_a_name(name, plain):
    assert plain_letters(name) == plain


def spell(tokens):
    """The name that a row of tokens stands for."""
    return "".join(("" if t == 0 else ALPHABET[t - 1]) for t in tokens.tolist())


def test_names_become_one_token_for_each_letter_and_can_be_read_back():
    tokens = encode_names(["Żak", "O'Neal", "a-b/c d"])
    assert tokens.dtype == torch.int32
    assert tokens[0].tolist() == [26, 1, 11, 0, 0, 0, 0]
    assert [spell(row) for row in tokens] == ["zak", "o'neal", "a-b/c d"]
    assert_padding_follows_the_end(tokens, [3, 6, 7])


def test_every_letter_of_the_alphabet_has_a_token_of_its_own_and_none_is_padding():
    assert encode_names([ALPHABET.strip()]).tolist() == [list(range(1, 31))]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["Anna", "X Æ A-12"], r"'X Æ A-12' \('1', '2', 'æ'\)"),
        (["李"], r"'李' \('李'\)"),
        ([""], r"'' \(empty\)"),
        (["Anna", "  "], r"'  ' \(empty\)"),
        (["a1"] * 9, r"(.*'a1'){5} .*and more"),
        ("Anna", r"a list of names: write \['Anna'\]"),
    ],
    ids=["digits", "Chinese", "empty", "spaces", "many", "no list"],
)
def test_names_that_cannot_be_spelt_are_refused_and_named(names, message):
    with pytest.raises(ValueError, match=message) as caught:
        encode_names(names)
    assert "\n" not in str(caught.value)


def test_a_language_has_the_number_of_its_place():
    assert [language_label(language) for language in ("Arabic", "Chinese", "Vietnamese")] == [0, 1, 17]


@pytest.mark.parametrize("language", ["Klingon", "german", "", None, 3])
def test_an_unknown_language_is_refused_with_those_that_are_known(language):
    with pytest.raises(ValueError, match=re.escape(repr(language))) as caught:
        language_label(language)
    assert all(known in str(caught.value) for known in NAMES_SHA256)


# ------------------------------------------------------------------------------------------------------- lists of names


def names_in(split, classes):
    return [(spell(row), classes[label]) for row, label in zip(split.inputs, split.labels.tolist(), strict=True)]


def test_names_are_downloaded_when_they_are_missing_and_only_those(names, tmp_path):
    write(tmp_path, "names", {"Nowhere.txt": LISTS["Nowhere"]})
    splits = load_names(root=tmp_path)
    assert len(names.ranges_asked) == 1
    assert everything_in(tmp_path) == {f"names/{language}.txt": content for language, content in LISTS.items()}
    assert_equal_splits(load_names(root=tmp_path), splits)
    assert len(names.ranges_asked) == 1


def test_each_spelling_is_held_out_exactly_once_with_all_its_languages(names, tmp_path):
    expected = [
        *[(name, "Nowhere") for name in ("anna", "bob", "cid", "dan", "eve", "fay", "zak")],
        *[(name, "Elsewhere") for name in ("anna", "gus", "hal", "ida", "jan", "kim")],
    ]
    held_out = []
    for k in range(5):
        splits = load_names(k, tmp_path)
        train, val = names_in(splits.train, splits.classes), names_in(splits.val, splits.classes)
        assert sorted(train + val) == sorted(expected)
        assert not {name for name, _ in train} & {name for name, _ in val}
        held_out += val
    assert sorted(held_out) == sorted(expected)


def test_an_altered_list_of_names_is_refused_and_kept(names, tmp_path):
    write(tmp_path, "names", {**{f"{k}.txt": c for k, c in LISTS.items()}, "Elsewhere.txt": b"Mine\n"})
    message = refusal_without_a_trace(load_names, tmp_path)
    assert "Elsewhere.txt is not the known list of Elsewhere names" in message
    assert "delete it and run `companion data names`" in message


@pytest.mark.parametrize("edited", [lambda c: c.replace(b"\n", b"\r\n"), lambda c: b"\xef\xbb\xbf" + c])
def test_names_with_the_line_ends_or_the_first_bytes_of_windows_are_the_same_names(edited, names, tmp_path):
    plain = load_names(root=write(tmp_path / "a", "names", {f"{k}.txt": c for k, c in LISTS.items()}))
    other = load_names(root=write(tmp_path / "b", "names", {f"{k}.txt": edited(c) for k, c in LISTS.items()}))
    assert_equal_splits(plain, other)


def test_a_wrong_download_of_names_is_not_kept(names, serve, monkeypatch, tmp_path):
    monkeypatch.setattr("companion.data.names.NAMES_URLS", (serve({"Nowhere.txt": PAGE}).url,))
    assert "Nowhere.txt could not be downloaded" in refusal_without_a_trace(load_names, tmp_path)


def test_a_list_of_names_that_cannot_be_read_is_named(names, tmp_path):
    (tmp_path / "names" / "Nowhere.txt").mkdir(parents=True)
    assert "Nowhere.txt cannot be read" in refusal_without_a_trace(load_names, tmp_path)


# ------------------------------------------------------------------------------------------------------------ real data


@pytest.mark.realdata
def test_the_real_names_stand_in_the_files_of_their_languages_and_no_spelling_on_both_sides():
    root = real_folder("names")
    listed = {
        (plain_letters(line), path.stem)
        for path in (root / "names").glob("*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    }
    held_out = []
    for k in range(5):
        splits = load_names(k, root)
        train, val = names_in(splits.train, splits.classes), names_in(splits.val, splits.classes)
        assert set(train + val) == listed
        assert len(train + val) == len(listed) == 17_985
        assert not {name for name, _ in train} & {name for name, _ in val}
        assert all((split.inputs != 0).any(1).all() for split in (splits.train, splits.val))
        assert splits.train.inputs.shape[1] == 20
        held_out += val
    assert sorted(held_out) == sorted(listed)
    assert splits.fingerprint.startswith("feb78b0edb68334a")
