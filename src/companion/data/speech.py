"""Sound as log-mel frames: the Free Spoken Digit Dataset, and pairs of generated tones."""

import io
import math
import wave
from functools import cache, lru_cache

import numpy as np
import torch

from companion.data.files import (
    DataError,
    absolute,
    check_complete,
    data_folder,
    download_and_read,
    is_file,
    is_folder,
    listed,
    members,
    read_file,
    stamp,
    unreadable,
    verify_fingerprint,
)
from companion.data.padding import pad_frames, sequence_split
from companion.data.splits import Splits, check_fold, fingerprint, is_whole

RATE = 8000  # samples per second
WINDOW, HOP, BANDS = 256, 128, 32  # frames of 32 ms, one every 16 ms, in 32 frequency bands


@cache
def mel_filters(rate=RATE, window=WINDOW, bands=BANDS):
    """Triangular filters on the mel scale, 2595·log10(1 + f/700), as a tensor (bands, window/2 + 1)."""

    def mel(frequency):
        return 2595 * math.log10(1 + frequency / 700)

    edges = 700 * (10 ** (torch.linspace(mel(0), mel(rate / 2), bands + 2) / 2595) - 1)
    frequencies = torch.linspace(0, rate / 2, window // 2 + 1)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0)


def log_mel(samples, rate=RATE):
    """The log-mel spectrogram of one recording: samples (S,) in [-1, 1] → frames (T, 32), T = 1 + S // 128.

    Each frame sums up 32 ms; they follow every 16 ms. The whole is scaled to mean 0 and deviation 1, which takes away how loud
    and how near the microphone somebody spoke. Raises ValueError on another rate than 8,000 per second, on silence, and on what is
    not one row of such samples.
    """
    if rate != RATE:
        raise ValueError(f"the recording has {rate:,} samples per second, not {RATE:,}: resample it first")
    if not isinstance(samples, torch.Tensor):
        samples = torch.from_numpy(np.array(samples))
    if samples.dim() != 1:
        raise ValueError(f"the samples have the shape {tuple(samples.shape)}, not (S,): take one channel")
    if len(samples) == 0:
        raise ValueError("the recording holds no samples")
    if not samples.is_floating_point():
        raise ValueError("the samples are whole numbers, not in [-1, 1]: divide 16-bit ones by 32,768")
    samples = samples.to(torch.float32)
    if not samples.any() or not samples.isfinite().all():  # either would leave no frame to tell from padding
        raise ValueError("the recording is silent, or holds samples that are no numbers")
    spectrum = torch.stft(
        samples, WINDOW, HOP, window=torch.hann_window(WINDOW), pad_mode="constant", return_complex=True
    )
    energies = mel_filters() @ spectrum.abs().square()
    frames = (energies + 1e-6).log().T
    return (frames - frames.mean()) / frames.std().clamp(min=1e-6)


def read_recording(path):
    """The samples of a WAV file (mono, 16 bit, 8,000 per second) as an array of int16; DataError says what is wrong."""
    path = absolute(path)
    try:
        return _samples(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise DataError(f"{path.name} {error}.") from error


def _samples(content):
    """The samples in the bytes of a WAV file; ValueError says what is wrong, beginning with a verb."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, channels, width, count = (
                file.getframerate(),
                file.getnchannels(),
                file.getsampwidth(),
                file.getnframes(),
            )
            samples = file.readframes(count)
    except (wave.Error, EOFError, RuntimeError) as error:
        raise ValueError(f"is no WAV recording that can be read ({str(error) or 'it ends too early'})") from error
    if (rate, channels, width) != (RATE, 1, 2):
        raise ValueError(
            f"has {rate:,} samples per second, {channels} channel{'s' * (channels > 1)} and {8 * width} bit, "
            f"where {RATE:,} per second, one channel and 16 bit are needed"
        )
    if count == 0:
        raise ValueError("holds no samples: its length is zero")
    if len(samples) != 2 * count:
        raise ValueError(f"ends too early: {len(samples) // 2:,} of its {count:,} samples are there")
    return np.frombuffer(samples, "<i2")


def load_tones(held_out=0, gap=0.3, n_train=800, n_val=200):
    """Generated sounds in which only the order matters: two tones in noise, the second higher ("rising") or lower.

    Each lasts 0.8 to 1.6 s. Low is near 500 Hz, high near 1,500 Hz; a tone lasts 0.1 s, and at least `gap` seconds of noise
    separate the two. Turned into log-mel frames like the recordings. Another `held_out` makes other sounds.
    """
    if not is_whole(held_out) or not 0 <= held_out < 2**32:
        raise DataError(f"held_out is the seed of the sounds, a whole number from 0, not {held_out!r}.")
    if not 0 <= gap < 0.6:
        raise DataError(f"gap is the time between the tones in seconds, from 0 to below 0.6, not {gap!r}.")
    rng = np.random.RandomState(held_out)
    labels = rng.randint(2, size=n_train + n_val)
    frames = [log_mel(_two_tones(rng, falling, gap)) for falling in labels]
    inputs = pad_frames(frames)
    return Splits(
        train=sequence_split(inputs[:n_train], labels[:n_train]),
        val=sequence_split(inputs[n_train:], labels[n_train:]),
        classes=("rising", "falling"),
        name="two tones",
        fingerprint=fingerprint(labels),  # the frames differ in their last digits between processors
        source="generated",
    )


def _two_tones(rng, falling, gap):
    tone = int(0.1 * RATE)
    length = rng.randint(int(0.8 * RATE), int(1.6 * RATE))
    first = rng.randint(length - 2 * tone - int(gap * RATE))
    second = rng.randint(first + tone + int(gap * RATE), length - tone + 1)
    samples = 0.02 * rng.standard_normal(length)
    pitches = np.array([500, 1500]) * rng.uniform(0.85, 1.15, 2)
    for start, pitch in zip((first, second), pitches[::-1] if falling else pitches, strict=True):
        samples[start : start + tone] += 0.1 * np.sin(2 * np.pi * pitch * np.arange(tone) / RATE)
    return samples


SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES = 50  # of each digit by each speaker
SPOKEN_URLS = tuple(
    f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{ref}.tar.gz"
    for ref in ("26eb9aaf76e8", "refs/heads/master")
)
SPOKEN_FINGERPRINT = "db2fc46c6eb979b97c214cedf57dcf6ab35f383acb12eaac1a34a7167d17e440"  # samples of the 3,000 recordings, in the order of their names


def load_spoken_digits(held_out=0, root=None):
    """Free Spoken Digit Dataset: ten digits, six speakers, 50 takes each, as log-mel frames (N, T, 32).

    The 500 recordings of speaker number `held_out` (of `SPEAKERS`) are for validation, the other 2,500 for training. Reads
    `fsdd/recordings/` or the archive `fsdd.tar.gz` below `root`; downloads the archive when neither is there. Raises
    `DataError`.
    """
    check_fold(held_out, len(SPEAKERS), "speaker")
    root = data_folder(root)
    folder, archive = root / "fsdd" / "recordings", root / "fsdd.tar.gz"
    if is_folder(folder):
        inputs, labels, speakers, source = _spoken_digits(root, stamp([folder]))
    elif is_file(archive):
        inputs, labels, speakers, source = _spoken_digits(root, stamp([archive]))
    else:
        whole = download_and_read(SPOKEN_URLS, archive, lambda: _spoken_digits(root, stamp([archive])))
        inputs, labels, speakers, source = whole
    val = speakers == held_out
    return Splits(
        train=sequence_split(inputs[~val], labels[~val]),
        val=sequence_split(inputs[val], labels[val]),
        classes=tuple("0123456789"),
        name="spoken digits",
        fingerprint=SPOKEN_FINGERPRINT,
        source=source,
    )


@lru_cache(maxsize=1)
def _spoken_digits(root, content_stamp):
    """Frames (3000, T, 32), labels, speakers and the source of the whole set; read anew when the stamp is another."""
    names = [f"{d}_{speaker}_{take}.wav" for d in range(10) for speaker in SPEAKERS for take in range(TAKES)]
    folder, archive = root / "fsdd" / "recordings", root / "fsdd.tar.gz"
    if is_folder(folder):
        source, remedy = "folder fsdd/recordings", "remove the folder fsdd"
        present = listed(folder)
        contents = {name: read_file(folder / name, "spoken_digits") for name in names if name in present}
    else:
        source, remedy = f"archive {archive.name}", f"delete {archive.name}"
        wanted = set(names)
        contents = dict(members(archive, "spoken_digits", lambda path: path.name if path.name in wanted else None))
    recordings = _recordings(names, contents, source, remedy)
    frames = pad_frames([log_mel(samples / 32768) for samples in recordings])
    labels = torch.arange(10).repeat_interleave(len(SPEAKERS) * TAKES)
    speakers = torch.arange(len(SPEAKERS)).repeat_interleave(TAKES).repeat(10)
    return frames, labels, speakers, source


def _recordings(names, contents, source, remedy):
    """The samples of the recordings of these names, once they are sure to be the known ones."""
    check_complete(names, contents, "recordings", source, "spoken_digits", remedy)
    recordings = []
    for name in names:
        try:
            recordings.append(_samples(contents[name]))
        except ValueError as error:
            raise DataError(
                f"In the {source}, {name} {error}: {remedy} and run `companion data spoken_digits` to fetch the whole set."
            ) from error
    verify_fingerprint(SPOKEN_FINGERPRINT, fingerprint(*recordings), source, "spoken_digits", remedy)
    return recordings
