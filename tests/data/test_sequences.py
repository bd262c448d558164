"""The sequences: log-mel frames and encoders against second witnesses, bad input, and the real sets in small made-up copies."""

import gzip
import hashlib
import re
import struct
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import test_data
import torch

from companion import catalogue
from companion.data import padding, speech
from companion.data import reviews as reviews_module
from companion.data.digits import load_digit_rows
from companion.data.files import DataError
from companion.data.names import ALPHABET, NAMES_SHA256, encode_names, language_label, load_names, plain_letters
from companion.data.reviews import IMDB_ABSENT, IMDB_FINGERPRINT, encode_texts, load_imdb, vocabulary, words
from companion.data.speech import load_spoken_digits, load_tones, log_mel, read_recording
from companion.data.splits import fingerprint
from companion.models.sequences import sequence_lengths
from companion.publish import cli

serve, closed_port, no_proxy = test_data.serve, test_data.closed_port, test_data.no_proxy  # fixtures
refusal, real_folder, tar_of = test_data.refusal, test_data.real_folder, test_data.tar_of


def assert_padding_follows_the_end(inputs, lengths):
    """Every step before the end holds something, every step after it nothing; no sequence is empty."""
    real = (inputs != 0) if inputs.dim() == 2 else (inputs != 0).any(2)
    steps = torch.arange(inputs.shape[1])
    assert torch.equal(real, steps < torch.as_tensor(lengths)[:, None])
    assert torch.equal(sequence_lengths(inputs), torch.as_tensor(lengths))
    assert min(lengths) > 0


# ------------------------------------------------------------------------------------------------------------ log-mel


def mel(frequency):
    return 2595 * np.log10(1 + frequency / 700)


BAND_EDGES = 700 * (10 ** (np.linspace(0, mel(4000), 34) / 2595) - 1)


def log_mel_by_hand(samples):
    """From the formulas, in double precision: zeros around, Hann window, Fourier sums, triangles, logarithm, scaling."""
    around = np.concatenate([np.zeros(128), samples, np.zeros(128)])
    n = np.arange(256)
    window = np.sin(np.pi * n / 256) ** 2
    waves = np.exp(-2j * np.pi * np.outer(np.arange(129), n) / 256)
    frames = []
    for start in range(0, len(samples) + 1, 128):
        power = np.abs(waves @ (around[start : start + 256] * window)) ** 2
        triangles = [np.interp(np.arange(129) * 31.25, BAND_EDGES[b : b + 3], [0, 1, 0]) for b in range(32)]
        frames.append(np.log(np.array(triangles) @ power + 1e-6))
    frames = np.array(frames)
    return (frames - frames.mean()) / frames.std(ddof=1)


@pytest.mark.parametrize("count", [1, 127, 128, 1000, 5000])
def test_log_mel_equals_the_formulas_written_out_in_numpy(count):
    samples = 0.1 * np.random.default_rng(count).standard_normal(count)
    frames = log_mel(samples)
    assert frames.shape == (1 + count // 128, 32)
    assert frames.dtype == torch.float32
    assert np.abs(frames.numpy() - log_mel_by_hand(samples)).max() < 1e-3


@pytest.mark.parametrize("band", range(4, 32))
def test_a_pure_tone_is_loudest_in_the_band_whose_centre_is_nearest(band):
    for nudge in (-0.3, 0, 0.3):  # of the way to the next centre
        centre = BAND_EDGES[band + 1]
        pitch = centre + nudge * abs(BAND_EDGES[band + 1 + (1 if nudge > 0 else -1)] - centre)
        frames = log_mel(np.sin(2 * np.pi * pitch * np.arange(4000) / 8000))
        assert (frames[2:-2].argmax(1) == band).all()


def test_log_mel_does_not_hear_how_loud_somebody_spoke():
    samples = np.random.default_rng(0).standard_normal(2000)
    loud, quiet = log_mel(samples), log_mel(0.1 * samples)
    assert torch.allclose(loud, quiet, atol=1e-4)
    assert loud.mean().item() == pytest.approx(0, abs=1e-5)
    assert loud.std().item() == pytest.approx(1, abs=1e-5)


def test_log_mel_takes_arrays_lists_and_tensors():
    samples = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    for other in (samples.tolist(), torch.from_numpy(samples), samples.astype(float)):
        assert torch.equal(log_mel(other), log_mel(samples))


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.ones(100), 16_000, "16,000 samples per second, not 8,000: resample it"),
        ([], 8000, "no samples"),
        (np.ones((2, 100)), 8000, r"shape \(2, 100\).*one channel"),
        (np.ones(100, np.int16), 8000, "divide 16-bit ones by 32,768"),
        (np.zeros(100), 8000, "silent"),
        (np.full(100, np.nan), 8000, "no numbers"),
    ],
    ids=["another rate", "nothing", "stereo", "whole numbers", "silence", "NaN"],
)
def test_samples_that_cannot_become_frames_are_refused(samples, rate, message):
    with pytest.raises(ValueError, match=message):
        log_mel(samples, rate)


# --------------------------------------------------------------------------------------------------------- recordings


def wav(samples, rate=8000, channels=1, bits=16):
    """A WAV file as bytes, written from the description of the format."""
    content = np.asarray(samples).astype("<i2" if bits == 16 else np.uint8).tobytes()
    frame = channels * bits // 8
    layout = struct.pack("<HHIIHH", 1, channels, rate, rate * frame, frame, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def noise(seed, count=300):
    return np.random.default_rng(seed).integers(-9000, 9000, count, dtype=np.int16)


def test_a_recording_is_read_as_it_was_written(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(noise(0)))
    samples = read_recording(tmp_path / "a.wav")
    assert samples.dtype == np.int16
    assert np.array_equal(samples, noise(0))


BAD_RECORDINGS = {
    "another rate": (wav(noise(0), rate=16_000), "has 16,000 samples per second, 1 channel and 16 bit, where 8,000"),
    "stereo": (wav(noise(0), channels=2), "2 channels"),
    "8 bit": (wav(noise(0) % 255, bits=8), "8 bit"),
    "zero length": (wav([]), "holds no samples"),
    "half of it": (wav(noise(0))[:344], "ends too early: 150 of its 300 samples are there"),
    "half a sample short": (wav(noise(0))[:-1], "ends too early: 299 of its 300"),
    "only a header": (wav(noise(0))[:44], "ends too early: 0 of its 300"),
    "half a header": (wav(noise(0))[:30], "is no WAV recording"),
    "empty": (b"", "is no WAV recording that can be read (it ends too early)"),
    "a web page": (b"<html>404 not found</html>\n", "is no WAV recording"),
    "floats": (wav(noise(0)).replace(b"\x01\0\x01\0", b"\x03\0\x01\0", 1), "is no WAV recording"),
}


@pytest.mark.parametrize("kind", BAD_RECORDINGS)
def test_a_recording_that_cannot_be_used_is_named_with_what_is_wrong(kind, tmp_path):
    content, expected = BAD_RECORDINGS[kind]
    (tmp_path / "mine.wav").write_bytes(content)
    message = refusal(read_recording, tmp_path / "mine.wav")
    assert message.startswith("mine.wav ")
    assert expected in message
    assert (tmp_path / "mine.wav").read_bytes() == content


def test_a_recording_that_is_not_there_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "none.wav", tmp_path):
        message = refusal(read_recording, path)
        assert f"{path} cannot be read" in message
        assert "remove" not in message  # the folder may hold somebody's own recordings


def test_a_damaged_header_raises_nothing_but_a_data_error(tmp_path):
    rng, whole = np.random.default_rng(0), wav(noise(0, 50))
    read = 0
    for _ in range(500):
        content = bytearray(whole)
        content[rng.integers(44)] = rng.integers(256)
        (tmp_path / "a.wav").write_bytes(content[: rng.integers(20, len(content) + 60)])
        with suppress(DataError):
            read += len(read_recording(tmp_path / "a.wav")) > 0
    assert 0 < read < 500


# --------------------------------------------------------------------------------------------------------------- text


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


def test_an_empty_sequence_is_refused_before_it_can_pass_for_padding():
    with pytest.raises(ValueError, match=r"sequence 1 .* is empty"):
        padding.pad([[1, 2], []])
    with pytest.raises(ValueError, match=r"sequence 0 .* is empty"):
        padding.pad_frames([torch.ones(0, 3), torch.ones(2, 3)])


# -------------------------------------------------------------------------------------------------------- digit rows


@pytest.fixture(scope="module")
def digit_folds():
    return [load_digit_rows(k) for k in range(5)]


def test_digit_rows_are_the_pictures_of_scikit_learn_row_by_row(digit_folds):
    from sklearn.datasets import load_digits

    original = load_digits()
    expected = sorted((*picture, label) for picture, label in zip(original.data.tolist(), original.target, strict=True))
    for splits in digit_folds[:2]:
        rows = torch.cat([splits.train.inputs, splits.val.inputs]).double()
        ours = np.ceil((rows * 127.5 + 127.5).round().flatten(1).numpy() / 15.9375).tolist()  # back to 0..16
        labels = torch.cat([splits.train.labels, splits.val.labels]).tolist()
        assert sorted((*picture, label) for picture, label in zip(ours, labels, strict=True)) == expected
        assert rows.abs().max() <= 1


def test_each_digit_is_held_out_exactly_once(digit_folds):
    assert [len(splits.val) for splits in digit_folds] == [360, 360, 360, 360, 357]
    assert all(len(splits.train) + len(splits.val) == 1797 for splits in digit_folds)
    held_out = torch.cat([splits.val.inputs for splits in digit_folds]).flatten(1)
    everything = torch.cat([digit_folds[0].train.inputs, digit_folds[0].val.inputs]).flatten(1)
    assert sorted(held_out.tolist()) == sorted(everything.tolist())
    assert len({splits.fingerprint for splits in digit_folds}) == 1


def test_no_row_of_a_digit_looks_like_padding(digit_folds):
    for split in (digit_folds[0].train, digit_folds[0].val):
        assert split.inputs.shape[1:] == (8, 8)
        assert (split.inputs != 0).all()
        assert_padding_follows_the_end(split.inputs, [8] * len(split))


# --------------------------------------------------------------------------------------------------------- two tones


@pytest.fixture(scope="module")
def tones():
    """The set of tones, and the frames of each sound as they came out of `log_mel`."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("companion.data.speech.log_mel", lambda samples: made.append(log_mel(samples)) or made[-1])
        return SimpleNamespace(splits=load_tones(), frames=made)


def test_tones_are_800_and_200_sounds_of_two_classes_in_balance(tones):
    splits = tones.splits
    assert (len(splits.train), len(splits.val)) == (800, 200)
    for split in (splits.train, splits.val):
        rising, falling = split.labels.bincount().tolist()
        assert abs(rising - falling) < 4 * len(split) ** 0.5  # four standard deviations of a fair coin
    assert splits.classes == ("rising", "falling")


def test_no_frame_of_the_tones_looks_like_padding_and_the_lengths_are_found_again(tones):
    inputs = torch.cat([tones.splits.train.inputs, tones.splits.val.inputs])
    lengths = [len(frames) for frames in tones.frames]
    assert_padding_follows_the_end(inputs, lengths)
    assert 1 + 6400 // 128 <= min(lengths) < max(lengths) <= 1 + 12_800 // 128


def test_a_rising_sound_has_its_high_tone_last_in_the_spectrogram(tones):
    centres = BAND_EDGES[1:-1]
    low, high = (centres > 400) & (centres < 600), (centres > 1250) & (centres < 1750)
    for split in (tones.splits.train, tones.splits.val):
        frames = split.inputs.numpy()  # padding is 0: neither the loudest band nor the loudest frame
        low_at, high_at = frames[:, :, low].max(2).argmax(1), frames[:, :, high].max(2).argmax(1)
        assert np.array_equal(high_at < low_at, split.labels.numpy() == 1)


@pytest.mark.parametrize("gap", [0, 0.3, 0.5])
def test_rising_and_falling_sounds_hold_the_same_two_tones_and_the_gap_is_kept(gap):
    for seed in range(50):
        rising, falling = (speech._two_tones(np.random.RandomState(seed), order, gap) for order in (0, 1))
        differs = np.flatnonzero(np.abs(rising - falling) > 1e-12)
        first = differs[0] - 1  # a sine begins with 0
        second = differs[differs >= first + 800 + int(gap * 8000)][0] - 1
        tone = slice(first, first + 800), slice(second, second + 800)
        assert 6400 <= len(rising) < 12_800
        assert second + 800 <= len(rising)
        assert differs[-1] < second + 800
        silent = differs[(differs >= first + 800) & (differs < second)]
        assert len(silent) == 0
        assert second - (first + 800) >= int(gap * 8000) - 1
        a = rising[tone[0]] - falling[tone[0]]  # low − high, without the noise
        b = rising[tone[1]] - falling[tone[1]]  # high − low
        assert np.allclose(a, -b, atol=1e-12)


def test_tones_of_one_number_are_the_same_twice_and_of_another_are_others():
    first, again, other = (load_tones(k, n_train=20, n_val=10) for k in (3, 3, 4))
    assert torch.equal(first.train.inputs, again.train.inputs)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert first.train.inputs.shape != other.train.inputs.shape or not torch.equal(
        first.train.inputs, other.train.inputs
    )


# -------------------------------------------------------------------------------------- parts that are not held out

LOADERS = {
    load_digit_rows: 5,
    load_tones: 2**32,
    load_spoken_digits: 6,
    load_names: 5,
    load_imdb: 1,
}


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
@pytest.mark.parametrize("held_out", [-1, "0", 1.0, 0.0, True, False, None, [0], "too large"])
def test_a_part_that_is_no_whole_number_in_range_is_refused(load, held_out):
    held_out = LOADERS[load] if held_out == "too large" else held_out
    message = refusal(load, held_out)
    assert "held_out is the" in message
    assert f"not {held_out!r}." in message


def test_a_part_may_be_a_whole_number_of_numpy():
    assert torch.equal(load_digit_rows(np.int64(2)).val.inputs, load_digit_rows(2).val.inputs)


def test_a_gap_that_does_not_fit_is_refused():
    for gap in (-0.1, 0.6, 5, float("nan")):
        assert "gap is the time between the tones" in refusal(lambda gap=gap: load_tones(gap=gap))
    assert len(load_tones(gap=0.599, n_train=20, n_val=5).train) == 20


# ------------------------------------------------------------------------------------------------ small made-up sets


def write(root, folder, files):
    for name, content in files.items():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def everything_in(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refusal_without_a_trace(load, root):
    """The message of the DataError, once it is sure that no file of the user's was touched and none is left behind."""
    before = everything_in(root)
    message = refusal(lambda: load(root=root))
    assert everything_in(root) == before
    return message


def made_up(load, name, folder, archive_name, urls, **content):
    """A made-up set that comes as one archive or one folder: what messages call it, and its content in either packing."""
    remove = f"remove the folder {folder.split('/')[0]}"
    names = {"name": name, "folder": folder, "remove": remove, "archive_name": archive_name, "urls": urls}
    return SimpleNamespace(load=load, **names, **content)


@pytest.fixture
def spoken(monkeypatch):
    """Forty short recordings of two speakers, accepted as the true set, without any way to the network."""
    monkeypatch.setattr("companion.data.speech.SPEAKERS", ("anna", "bert"))
    monkeypatch.setattr("companion.data.speech.TAKES", 2)
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", ())
    samples = {
        f"{digit}_{speaker}_{take}.wav": noise(100 * digit + 10 * at + take, 200 + 37 * digit + 150 * at + take)
        for digit in range(10)
        for at, speaker in enumerate(("anna", "bert"))
        for take in range(2)
    }
    monkeypatch.setattr("companion.data.speech.SPOKEN_FINGERPRINT", fingerprint(*samples.values()))
    files = {name: wav(content) for name, content in samples.items()}
    packed = {f"recordings/{name}": content for name, content in reversed(files.items())}  # archives have no order
    archive = tar_of({"README.md": b"hello", **packed}, "free-spoken-digit-dataset-0123456789")
    content = {"samples": samples, "files": files, "archive": archive}
    content["repack"] = lambda files: tar_of({f"recordings/{n}": c for n, c in files.items()}, "digits")
    return made_up(
        load_spoken_digits,
        "spoken_digits",
        "fsdd/recordings",
        "fsdd.tar.gz",
        "companion.data.speech.SPOKEN_URLS",
        **content,
    )


def reviews():
    """{file name: words} of 48 reviews, each with words of its own."""
    texts = {}
    for part in ("train", "test"):
        for kind, rating, word in (("pos", 9, "good"), ("neg", 2, "bad")):
            for i in range(12):
                texts[f"{part}/{kind}/{i}_{rating}.txt"] = [word, "film", f"number{i}", part][: 2 + i % 3]
    return texts


def digest_of_reviews(texts):
    absent = IMDB_ABSENT
    lines = sorted((name.rsplit("_", 1)[0], " ".join(text)) for name, text in texts.items())
    return hashlib.sha256("".join(f"{n} {t}\n" for n, t in lines if n not in absent).encode()).hexdigest()


@pytest.fixture
def imdb(monkeypatch):
    """Forty-eight short reviews, accepted as the true set, without any way to the network."""
    texts = reviews()
    monkeypatch.setattr("companion.data.reviews.IMDB_REVIEWS", 12)
    monkeypatch.setattr("companion.data.reviews.IMDB_URLS", ())
    monkeypatch.setattr("companion.data.reviews.IMDB_FINGERPRINT", digest_of_reviews(texts))
    files = {name: " ".join(text).title().encode() + b"!<br />" for name, text in texts.items()}
    others = {"train/unsup/0_0.txt": b"nobody rated this", "imdb.vocab": b"the", "train/pos/._0_9.txt": b"\xff\0"}
    archive = tar_of({**others, **dict(reversed(files.items()))}, "aclImdb")
    monkeypatch.setattr("companion.data.reviews.IMDB_ARCHIVE_SHA256", hashlib.sha256(archive).hexdigest())
    content = {"texts": texts, "files": files, "others": others, "archive": archive}
    content["repack"] = lambda files: tar_of(files, "aclImdb")
    return made_up(load_imdb, "imdb", "aclImdb", "aclImdb_v1.tar.gz", "companion.data.reviews.IMDB_URLS", **content)


@pytest.fixture(params=["spoken", "imdb"])
def archived(request):
    """Each of the two sets that come as one archive or one folder."""
    return request.getfixturevalue(request.param)


def without_eight(files):
    return {name: c for name, c in files.items() if name.rsplit("_", 1)[0] not in IMDB_ABSENT}


def assert_equal_splits(first, second):
    assert (first.fingerprint, first.vocabulary, first.classes) == (
        second.fingerprint,
        second.vocabulary,
        second.classes,
    )
    for part in ("train", "val"):
        assert torch.equal(getattr(first, part).inputs, getattr(second, part).inputs)
        assert torch.equal(getattr(first, part).labels, getattr(second, part).labels)


def test_folder_archive_and_download_give_the_same_tensors(archived, serve, monkeypatch, tmp_path):
    folder = archived.load(root=write(tmp_path / "a", archived.folder, archived.files))
    archive = archived.load(root=write(tmp_path / "b", "", {archived.archive_name: archived.archive}))
    server = serve({archived.archive_name: archived.archive})
    monkeypatch.setattr(archived.urls, (server.url + archived.archive_name,))
    downloaded = archived.load(root=tmp_path / "c")
    assert_equal_splits(folder, archive)
    assert_equal_splits(folder, downloaded)
    assert folder.source.startswith(f"folder {archived.folder}")
    assert archive.source.startswith(f"archive {archived.archive_name}")
    assert everything_in(tmp_path / "c") == {archived.archive_name: archived.archive}
    archived.load(root=tmp_path / "c")
    assert len(server.ranges_asked) == 1  # downloaded once


@pytest.mark.parametrize("kept", [1, 20, 39])
def test_a_folder_with_a_part_of_the_files_says_how_many_and_which_is_missing(kept, archived, tmp_path):
    files = dict(list(archived.files.items())[:kept])
    message = refusal_without_a_trace(archived.load, write(tmp_path, archived.folder, {"other.txt": b"", **files}))
    total = len(archived.files)
    assert f"The folder {archived.folder} holds {kept} of the {total} " in message
    assert f"{archived.remove} and run `companion data {archived.name}`" in message


def test_an_empty_folder_is_no_set(archived, tmp_path):
    (tmp_path / archived.folder).mkdir(parents=True)
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"The folder {archived.folder} holds 0 of the 40 " in message


def test_an_archive_with_half_the_files_says_how_many(archived, tmp_path):
    half = archived.repack(dict(list(archived.files.items())[:20]))
    message = refusal_without_a_trace(archived.load, write(tmp_path, "", {archived.archive_name: half}))
    assert f"holds 20 of the {len(archived.files)} " in message
    assert f"delete {archived.archive_name} and run `companion data {archived.name}`" in message


@pytest.mark.parametrize("packing", ["folder", "archive"])
def test_altered_content_is_refused_by_its_fingerprint(packing, archived, tmp_path):
    files = dict(archived.files)
    names = sorted(files)
    files[names[-1]], files[names[-2]] = files[names[-2]], files[names[-1]]  # two files have changed places
    if packing == "folder":
        write(tmp_path, archived.folder, files)
    else:
        write(tmp_path, "", {archived.archive_name: archived.repack(files)})
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"not the known {archived.name} set" in message
    assert archived.remove in message if packing == "folder" else f"delete {archived.archive_name}" in message


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.1, 0.5, 0.9])
def test_a_truncated_archive_is_named_with_what_to_do(kept, archived, tmp_path):
    content = archived.archive[: int(kept * len(archived.archive))]
    message = refusal_without_a_trace(archived.load, write(tmp_path, "", {archived.archive_name: content}))
    assert archived.archive_name in message
    assert f"delete {archived.archive_name} and run `companion data {archived.name}`" in message


def test_a_damaged_byte_anywhere_in_an_archive_raises_nothing_but_a_data_error(archived, tmp_path):
    whole, rng = archived.archive, np.random.default_rng(0)
    refused = 0
    for at in [0, 3, *rng.integers(len(whole), size=30)]:
        content = bytearray(whole)
        content[at] ^= 255
        root = write(tmp_path / str(at), "", {archived.archive_name: bytes(content)})
        try:
            archived.load(root=root)
        except DataError as error:
            refused += f"delete {archived.archive_name} and run" in str(error)
    assert refused >= 25  # a few bytes, such as the date of packing, carry no content


@pytest.mark.parametrize(
    "content", [b"<html>404 not found</html>\n", gzip.compress(b"hello")], ids=["a web page", "gzip without a tar"]
)
def test_a_file_that_is_no_archive_is_named_with_what_to_do(content, archived, tmp_path):
    message = refusal_without_a_trace(archived.load, write(tmp_path, "", {archived.archive_name: content}))
    assert message.startswith(f"{archived.archive_name} is damaged or not the right file")


def test_an_archive_that_cannot_be_read_is_not_to_be_deleted(archived, tmp_path):
    (tmp_path / archived.archive_name).mkdir()  # stands for a missing permission
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"{archived.archive_name} cannot be read" in message
    assert "delete" not in message


def test_a_file_that_cannot_be_read_is_named(archived, tmp_path):
    write(tmp_path, archived.folder, archived.files)
    name = sorted(archived.files)[0]
    (tmp_path / archived.folder / name).unlink()
    (tmp_path / archived.folder / name).mkdir()
    assert f"{name} cannot be read" in refusal_without_a_trace(archived.load, tmp_path)


def test_a_folder_that_cannot_be_listed_is_named(archived, tmp_path, monkeypatch):
    write(tmp_path, archived.folder, archived.files)

    def locked(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", locked)
        message = refusal(lambda: archived.load(root=tmp_path))
    assert re.search(f"{archived.folder}.* cannot be read .Permission denied.: check its permissions", message)


def test_without_files_and_without_network_the_message_says_what_to_do(archived, tmp_path, monkeypatch, closed_port):
    url = f"http://127.0.0.1:{closed_port}/set.tar.gz"
    monkeypatch.setattr(archived.urls, (url, url))
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"{archived.archive_name} could not be downloaded" in message
    assert "check the network" in message
    assert f"put the file into {tmp_path} by hand from {url}" in message


PAGE = b"<html>Sign in to the network of this hotel</html>\n"


@pytest.mark.parametrize("kind", ["a web page", "half of it", "another archive", "nothing"])
@pytest.mark.parametrize("length_known", [True, False])
def test_a_wrong_download_is_not_kept(kind, length_known, archived, serve, monkeypatch, tmp_path):
    content = {
        "a web page": PAGE,
        "half of it": archived.archive[: len(archived.archive) // 2],
        "another archive": archived.repack({"0_anna_0.wav": b"hello"}),
        "nothing": b"",
    }[kind]
    server = serve({"x": content}, raw=None if length_known else b"HTTP/1.0 200 OK\r\n\r\n" + content)
    monkeypatch.setattr(archived.urls, (server.url + "x",))
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"{archived.archive_name} could not be downloaded (what came is not the expected file)" in message
    assert f"put the file into {tmp_path} by hand from {server.url}x" in message


def test_after_a_wrong_download_the_next_address_and_the_next_call_succeed(spoken, serve, monkeypatch, tmp_path):
    wrong, good = serve({"x": PAGE}), serve({"x": spoken.archive})
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (wrong.url + "x",))
    refusal_without_a_trace(spoken.load, tmp_path)
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (wrong.url + "x", wrong.url + "gone", good.url + "x"))
    assert len(spoken.load(root=tmp_path).train) == 20
    assert everything_in(tmp_path) == {"fsdd.tar.gz": spoken.archive}


def test_a_download_of_digits_that_is_cut_off_is_resumed(spoken, serve, monkeypatch, tmp_path):
    server = serve({"x": spoken.archive}, cuts=[1000])
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (server.url + "x",))
    assert len(spoken.load(root=tmp_path).train) == 20
    assert server.ranges_asked == [None, "bytes=1000-"]


def test_a_part_left_by_an_earlier_packing_is_no_lasting_obstacle(spoken, serve, monkeypatch, tmp_path):
    server = serve({"x": spoken.archive})
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (server.url + "x", server.url + "x"))
    (tmp_path / "fsdd.tar.gz.part").write_bytes(b"the first bytes of the archive as the server packed it last year")
    assert len(spoken.load(root=tmp_path).train) == 20
    assert everything_in(tmp_path) == {"fsdd.tar.gz": spoken.archive}


# ------------------------------------------------------------------------------------------------------ spoken digits


def test_spoken_digits_are_split_by_speaker_and_carry_the_labels_of_their_file_names(spoken, tmp_path):
    write(tmp_path, spoken.folder, spoken.files)
    for number, speaker in enumerate(("anna", "bert")):
        splits = load_spoken_digits(number, tmp_path)
        of_speaker = [name for name in spoken.samples if speaker in name]
        others = [name for name in spoken.samples if speaker not in name]
        for split, names in ((splits.val, of_speaker), (splits.train, others)):
            assert split.labels.tolist() == [int(name[0]) for name in names]
            frames = [log_mel(spoken.samples[name] / 32768) for name in names]
            assert_padding_follows_the_end(split.inputs, [len(f) for f in frames])
            assert all(torch.equal(row[: len(f)], f) for row, f in zip(split.inputs, frames, strict=True))
        assert splits.train.inputs.shape[1] == splits.val.inputs.shape[1]


def test_changing_the_frames_of_one_call_leaves_the_next_call_alone(spoken, tmp_path):
    write(tmp_path, spoken.folder, spoken.files)
    first = load_spoken_digits(0, tmp_path)
    first.train.inputs.zero_()
    first.val.labels.zero_()
    assert load_spoken_digits(1, tmp_path).val.inputs.any()
    assert load_spoken_digits(0, tmp_path).val.labels.any()


@pytest.mark.parametrize("kind", BAD_RECORDINGS)
def test_a_bad_recording_in_the_set_is_named_with_what_to_do(kind, spoken, tmp_path):
    files = {**spoken.files, "3_bert_1.wav": BAD_RECORDINGS[kind][0]}
    message = refusal_without_a_trace(spoken.load, write(tmp_path, spoken.folder, files))
    assert message.startswith("In the folder fsdd/recordings, 3_bert_1.wav ")
    assert BAD_RECORDINGS[kind][1] in message
    assert "remove the folder fsdd and run `companion data spoken_digits`" in message


def test_other_files_beside_the_recordings_do_not_matter(spoken, tmp_path):
    write(tmp_path, spoken.folder, {**spoken.files, "mine.wav": b"hello", "._0_anna_0.wav": b"\0"})
    assert len(load_spoken_digits(0, tmp_path).val) == 20


# --------------------------------------------------------------------------------------------------------------- IMDB


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


def test_other_files_beside_the_reviews_do_not_matter(imdb, tmp_path):
    plain = load_imdb(root=write(tmp_path / "a", imdb.folder, imdb.files))
    others = load_imdb(root=write(tmp_path / "b", imdb.folder, {**imdb.files, **imdb.others}))
    assert_equal_splits(plain, others)


# -------------------------------------------------------------------------------------------------------------- names

LISTS = {
    "Nowhere": "Anna\nŻak\nanna\nBob\nCid\nDan\nEve\nFay\n".encode(),
    "Elsewhere": b"Anna\nGus\nHal\nIda\n\nJan\nKim",
}


@pytest.fixture
def names(monkeypatch, serve):
    """Two short lists of names, accepted as the true set, and a server that has them."""
    server = serve({f"{language}.txt": content for language, content in LISTS.items()})
    monkeypatch.setattr("companion.data.names.NAMES_URLS", (server.url,))
    sha256 = {language: hashlib.sha256(content).hexdigest() for language, content in LISTS.items()}
    monkeypatch.setattr("companion.data.names.NAMES_SHA256", sha256)
    return server


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


def test_a_wrong_download_of_names_is_not_kept(names, serve, monkeypatch, tmp_path):
    monkeypatch.setattr("companion.data.names.NAMES_URLS", (serve({"Nowhere.txt": PAGE}).url,))
    assert "Nowhere.txt could not be downloaded" in refusal_without_a_trace(load_names, tmp_path)


def test_a_list_of_names_that_cannot_be_read_is_named(names, tmp_path):
    (tmp_path / "names" / "Nowhere.txt").mkdir(parents=True)
    assert "Nowhere.txt cannot be read" in refusal_without_a_trace(load_names, tmp_path)


# ------------------------------------------------------------------------------------------------- `companion data`


@pytest.fixture
def three_sets(spoken, imdb, names, serve, monkeypatch, tmp_path):
    """An empty folder of data, and a server that has the three sets."""
    server = serve({"fsdd.tar.gz": spoken.archive, "aclImdb_v1.tar.gz": imdb.archive})
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (server.url + "fsdd.tar.gz",))
    monkeypatch.setattr("companion.data.reviews.IMDB_URLS", (server.url + "aclImdb_v1.tar.gz",))
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    return tmp_path


def test_the_data_command_knows_every_real_set_and_no_other():
    assert list(cli.REAL_SETS) == [name for name, source in catalogue.SETS.items() if source.places]


def test_the_data_command_fetches_and_verifies_by_name_and_says_what_is_there(three_sets, capsys):
    assert cli.main(["data"]) == 0
    before = capsys.readouterr().out.splitlines()
    assert before[:-1] == [f"{name}: not there" for name in cli.REAL_SETS]
    assert str(three_sets) in before[-1]

    assert cli.main(["data", "spoken_digits", "names", "imdb"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "spoken_digits: 20 training and 20 validation examples, verified (archive fsdd.tar.gz)",
        f"names: {len(load_names().train)} training and {len(load_names().val)} validation examples, verified (18 files in names)",
        "imdb: 24 training and 24 validation examples, verified (archive aclImdb_v1.tar.gz, 24 + 24 reviews)",
    ]

    assert cli.main(["data"]) == 0
    after = capsys.readouterr().out
    assert "cifar10: not there" in after
    assert "spoken_digits: there, not verified (fsdd.tar.gz)" in after
    assert "names: there, not verified (names)" in after
    assert "imdb: there, not verified (aclImdb_v1.tar.gz)" in after


def test_the_data_command_finds_unpacked_folders(spoken, imdb, monkeypatch, tmp_path, capsys):
    write(write(tmp_path, spoken.folder, spoken.files), imdb.folder, imdb.files)
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    assert cli.main(["data"]) == 0
    out = capsys.readouterr().out
    assert "spoken_digits: there, not verified (fsdd/recordings)" in out
    assert "imdb: there, not verified (aclImdb)" in out
    assert "names: not there" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imdb2", "There is no real data set named 'imdb2'; choose of cifar10, mnist, "),
        ("tones", "tones is made on the spot: there is nothing to fetch"),
    ],
)
def test_a_wrong_name_is_one_sentence_and_nothing_is_fetched(name, message, three_sets, capsys):
    assert cli.main(["data", "names", name]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"companion: {message}")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert everything_in(three_sets) == {}


def test_damaged_data_are_one_sentence_on_the_command_line(three_sets, capsys):
    write(three_sets, "", {"fsdd.tar.gz": PAGE})
    write(three_sets, "aclImdb/train/pos", {"0_9.txt": b"caf\xe9"})
    write(three_sets, "names", {"Nowhere.txt": b"\xff"})
    for name in ("spoken_digits", "imdb", "names"):
        assert cli.main(["data", name]) == 1
        said = capsys.readouterr().err
        assert said.startswith("companion: ")
        assert said.count("\n") == 1
        assert f"`companion data {name}`" in said


def test_the_help_of_the_data_command_names_the_sets(capsys):
    with pytest.raises(SystemExit):
        cli.main(["data", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert ", ".join(cli.REAL_SETS) in out


# ---------------------------------------------------------------------------------------------------------- real data


@pytest.mark.realdata
def test_the_real_recordings_are_held_out_speaker_by_speaker_each_exactly_once():
    from scipy.io import wavfile

    root = real_folder("fsdd", "recordings")
    seen = []
    for number, speaker in enumerate(speech.SPEAKERS):
        splits = load_spoken_digits(number, root)
        assert (len(splits.train), len(splits.val)) == (2500, 500)
        assert splits.train.labels.bincount().tolist() == [250] * 10
        files = [root / "fsdd" / "recordings" / f"{d}_{speaker}_{t}.wav" for d in range(10) for t in range(50)]
        samples = [wavfile.read(path)[1] for path in files]
        assert splits.val.labels.tolist() == [int(path.name[0]) for path in files]
        assert_padding_follows_the_end(splits.val.inputs, [1 + len(s) // 128 for s in samples])
        for i in range(number, 500, 125):
            frames = splits.val.inputs[i, : 1 + len(samples[i]) // 128].numpy()
            assert np.abs(frames - log_mel_by_hand(samples[i] / 32768)).max() < 2e-3
        seen += [path.name for path in files]
    present = {path.name for path in (root / "fsdd" / "recordings").glob("*.wav")}
    assert len(seen) == len(set(seen)) == 3000
    assert set(seen) <= present


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
