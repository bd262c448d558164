"""Sounds: log-mel frames against the formulas, recordings and their faults, tones, and the spoken digits."""

from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from data_files import assert_padding_follows_the_end, real_folder, refusal, refusal_without_a_trace, write
from made_up_sets import noise, wav

from companion.data import speech
from companion.data.files import DataError
from companion.data.speech import load_spoken_digits, load_tones, log_mel, read_recording

# -------------------------------------------------------------------------------------------------------------- log-mel


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


# ----------------------------------------------------------------------------------------------------------- recordings


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


# ------------------------------------------------------------------------------------------------------------ two tones


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


def test_a_gap_that_does_not_fit_is_refused():
    for gap in (-0.1, 0.6, 5, float("nan")):
        assert "gap is the time between the tones" in refusal(lambda gap=gap: load_tones(gap=gap))
    assert len(load_tones(gap=0.599, n_train=20, n_val=5).train) == 20


# -------------------------------------------------------------------------------------------------------- spoken digits


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


def test_recordings_are_read_once_for_all_speakers_and_anew_when_one_is_altered(spoken, tmp_path, monkeypatch):
    write(tmp_path, spoken.folder, spoken.files)
    first = load_spoken_digits(0, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("companion.data.speech.read_file", None)
        assert len(load_spoken_digits(1, tmp_path).val) == len(first.val)
    write(tmp_path, spoken.folder, {"3_bert_1.wav": wav(noise(12345))})
    assert "not the known spoken_digits set" in refusal_without_a_trace(spoken.load, tmp_path)


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


# ------------------------------------------------------------------------------------------------------------ real data


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
