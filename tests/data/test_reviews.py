"""Texts as words, and the film reviews."""

import pytest
import torch
from data_files import assert_equal_splits, assert_padding_follows_the_end, real_folder, refusal_without_a_trace, write
from made_up_sets import without_eight

from companion.data import reviews as reviews_module
from companion.data.reviews import (
    IMDB_ABSENT,
    IMDB_FINGERPRINT,
    encode_texts,
    load_imdb,
    read_reviews,
    vocabulary,
    words,
)
from companion.models.sequences import sequence_lengths


def test_words_are_lower_case_without_punctuation_and_line_breaks():
    text = "It's NOT \"good\".<br /><br />10/10... rock'n'roll -- don't!"
    assert words(text) == ["it's", "not", "good", "10", "10", "rock'n'roll", "don't"]


def test_the_vocabulary_holds_the_most_frequent_words_and_ties_go_by_the_alphabet():
    texts = [["b", "c", "c"], ["d", "a", "b", "c"]]
    expected = ("(padding)", "(unknown)", "c", "b", "a", "d")
    assert vocabulary(texts) == vocabulary(texts[::-1]) == vocabulary([t[::-1] for t in texts]) == expected
    assert vocabulary(texts, size=3) == expected[:5]


def test_texts_become_positions_in_the_vocabulary_cut_off_and_padded():
    known = ("(padding)", "(unknown)", "good", "film")
    tokens = encode_texts([["a", "good", "film"], ["film"], ["film"] * 9], known, length=4)
    assert tokens.tolist() == [[1, 2, 3, 0], [3, 0, 0, 0], [3, 3, 3, 3]]
    assert_padding_follows_the_end(tokens, [3, 1, 4])


@pytest.mark.parametrize(
    ("texts", "length", "message"),
    [
        ([["good"], []], 4, "text 1 .* is empty"),
        ([words("?!... <br />")], 4, "text 0 .* is empty"),
        (["good film"], 4, "not yet a list of words"),
        ([["good"]], 0, "at least one word"),
    ],
    ids=["empty", "punctuation", "a string", "length 0"],
)
def test_texts_that_cannot_be_encoded_are_refused(texts, length, message):
    with pytest.raises(ValueError, match=message):
        encode_texts(texts, ("(padding)", "(unknown)", "good"), length)


# -------------------------------------------------------------------------------------------------------------- the set


def words_of(split, known):
    """Each review's words, as far as the vocabulary knows them, and its label."""
    return [
        ([known[t] for t in row if t], label)
        for row, label in zip(split.inputs.tolist(), split.labels.tolist(), strict=True)
    ]


def test_reviews_carry_the_labels_of_their_folders_and_the_words_of_their_files(imdb, tmp_path):
    splits = load_imdb(root=write(tmp_path, imdb.folder, imdb.files), length=6)
    for split, part in ((splits.train, "train"), (splits.val, "test")):
        got = words_of(split, splits.vocabulary)
        expected = [
            ([w if w != "test" else "(unknown)" for w in text], int("/pos/" in name))
            for name, text in imdb.texts.items()
            if name.startswith(part)
        ]
        assert sorted(got) == sorted(expected)
        assert split.inputs.shape == (24, 6)
        assert split.labels.bincount().tolist() == [12, 12]


def test_the_vocabulary_of_the_reviews_is_made_from_the_training_part_alone(imdb, tmp_path):
    splits = load_imdb(root=write(tmp_path, imdb.folder, imdb.files))
    assert "train" in splits.vocabulary
    assert "test" not in splits.vocabulary
    assert splits.vocabulary[:3] == ("(padding)", "(unknown)", "film")
    assert load_imdb(root=tmp_path, words_known=3).vocabulary == splits.vocabulary[:5]


def test_reviews_without_the_eight_known_to_be_absent_are_accepted_and_the_source_says_so(imdb, tmp_path):
    whole = load_imdb(root=write(tmp_path / "a", imdb.folder, imdb.files))
    less = load_imdb(root=write(tmp_path / "b", imdb.folder, without_eight(imdb.files)))
    packed = imdb.repack(without_eight(imdb.files))
    from_archive = load_imdb(root=write(tmp_path / "c", "", {imdb.archive_name: packed}))
    assert_equal_splits(less, from_archive)
    assert whole.source == "folder aclImdb, 24 + 24 reviews"
    assert less.source == "folder aclImdb, 20 + 20 reviews"
    assert whole.fingerprint != less.fingerprint == reviews_module.IMDB_FINGERPRINT


@pytest.mark.parametrize("back", sorted(IMDB_ABSENT))
def test_reviews_of_which_seven_are_absent_are_refused(back, imdb, tmp_path):
    files = {name: c for name, c in imdb.files.items() if name.rsplit("_", 1)[0] == back}
    message = refusal_without_a_trace(load_imdb, write(tmp_path, imdb.folder, {**without_eight(imdb.files), **files}))
    assert "holds 41 of the 48 reviews" in message


def test_reviews_of_which_another_one_is_absent_too_are_refused(imdb, tmp_path):
    files = without_eight(imdb.files)
    del files["test/neg/11_2.txt"]
    message = refusal_without_a_trace(load_imdb, write(tmp_path, imdb.folder, files))
    assert "holds 39 of the 40 reviews; test/neg/11 is the first one missing" in message


@pytest.mark.parametrize("packing", ["folder", "archive"])
@pytest.mark.parametrize("name", ["test/neg/3_2.txt", "train/pos/0_9.txt"])  # the second is one of the eight
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it has no words"), (b" ...<br />\n", "it has no words"), (b"caf\xe9", "'utf-8' codec can't decode")],
    ids=["empty", "without words", "Latin-1"],
)
def test_a_review_that_cannot_be_read_is_named_with_what_to_do(content, reason, name, packing, imdb, tmp_path):
    files = {**imdb.files, name: content}
    if packing == "folder":
        write(tmp_path, imdb.folder, files)
    else:
        write(tmp_path, "", {imdb.archive_name: imdb.repack(files)})
    message = refusal_without_a_trace(load_imdb, tmp_path)
    assert f"{name} is damaged or not the right file ({reason}" in message
    assert ("remove the folder aclImdb" if packing == "folder" else f"delete {imdb.archive_name}") in message


def test_the_words_of_the_reviews_can_be_had_before_they_are_encoded(imdb, tmp_path):
    reviews = read_reviews(write(tmp_path, imdb.folder, imdb.files))
    for texts, labels, part in (
        (reviews.train, reviews.train_labels, "train"),
        (reviews.val, reviews.val_labels, "test"),
    ):
        expected = [(tuple(t), int("/pos/" in n)) for n, t in imdb.texts.items() if n.startswith(part)]
        assert sorted(zip(texts, labels, strict=True)) == sorted(expected)
    splits = load_imdb(root=tmp_path)
    assert (splits.fingerprint, splits.source) == (reviews.fingerprint, reviews.source)
    assert torch.equal(splits.val.inputs, encode_texts(reviews.val, vocabulary(reviews.train)))


@pytest.mark.parametrize("packing", ["folder", "archive"])
def test_reviews_are_read_once_for_all_vocabularies_and_lengths(packing, imdb, tmp_path, monkeypatch):
    if packing == "folder":
        write(tmp_path, imdb.folder, imdb.files)
    else:
        write(tmp_path, "", {imdb.archive_name: imdb.archive})
    first = load_imdb(root=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("companion.data.reviews.read_file", None)
        patch.setattr("companion.data.reviews.members", None)
        assert_equal_splits(load_imdb(root=tmp_path), first)
        assert load_imdb(root=tmp_path, length=3).train.inputs.shape == (24, 3)


def test_changing_the_reviews_of_one_call_leaves_the_next_call_alone(imdb, tmp_path):
    write(tmp_path, imdb.folder, imdb.files)
    first, expected = load_imdb(root=tmp_path), load_imdb(root=tmp_path)
    for part in (first.train, first.val):
        part.inputs.zero_()
        part.labels.zero_()
    assert_equal_splits(load_imdb(root=tmp_path), expected)


def test_reviews_that_were_altered_after_they_were_read_are_refused(imdb, tmp_path):
    write(tmp_path, imdb.folder, imdb.files)
    load_imdb(root=tmp_path)
    write(tmp_path, imdb.folder, {"test/neg/3_2.txt": b"another text"})
    assert "not the known imdb set" in refusal_without_a_trace(load_imdb, tmp_path)


def test_equal_words_of_the_reviews_are_one_object_in_memory(imdb, tmp_path):
    """Without it the real set would take eight times as much."""
    reviews = read_reviews(write(tmp_path, imdb.folder, imdb.files))
    assert len({id(word) for text in reviews.train + reviews.val for word in text if word == "film"}) == 1


def test_other_files_beside_the_reviews_do_not_matter(imdb, tmp_path):
    plain = load_imdb(root=write(tmp_path / "a", imdb.folder, imdb.files))
    others = load_imdb(root=write(tmp_path / "b", imdb.folder, {**imdb.files, **imdb.others}))
    assert_equal_splits(plain, others)


# ------------------------------------------------------------------------------------------------------------ real data


@pytest.mark.realdata
@pytest.mark.slow
def test_the_real_reviews_are_balanced_and_hold_the_words_of_their_files():
    root = real_folder("aclImdb")
    splits = load_imdb(root=root)
    for split, part in ((splits.train, "train"), (splits.val, "test")):
        files = [*(root / "aclImdb" / part / "pos").glob("*.txt"), *(root / "aclImdb" / part / "neg").glob("*.txt")]
        files = sorted(files, key=lambda path: (path.parent.name, path.name.split("_")[0]))  # as texts, "10" before "2"
        assert len(split) == len(files) >= 24_996
        assert split.labels.tolist() == [int(path.parent.name == "pos") for path in files]
        assert abs(split.labels.double().mean().item() - 0.5) < 1e-3
        ratings = [int(path.stem.split("_")[1]) for path in files]
        assert [int(rating > 5) for rating in ratings] == split.labels.tolist()
        for i in range(0, len(files), 1000):
            text = words(files[i].read_text(encoding="utf-8"))[:250]
            known = [splits.vocabulary[t] for t in split.inputs[i].tolist() if t]
            assert [w if k != "(unknown)" else k for w, k in zip(text, known, strict=True)] == known
        lengths = sequence_lengths(split.inputs)
        assert lengths.min() > 0
        assert torch.equal((split.inputs != 0).sum(1), lengths)
    assert len(splits.vocabulary) == 10_002
    assert splits.fingerprint == IMDB_FINGERPRINT or len(splits.train) == 25_000
