"""Sequences as padded tensors: spoken digits, names by language, film reviews, and two small sets made on the spot.

Tokens are integers (N, T), feature frames floats (N, T, F). Each sequence starts at step 0; what follows its end is padding:
token 0, or frames of zeros. `companion.models.sequence_lengths` finds the ends again.
"""

import hashlib
import io
import math
import re
import tarfile
import unicodedata
import wave
import zlib
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import torch

from companion.data import (
    DataError,
    Split,
    Splits,
    check_fold,
    damaged_file,
    data_folder,
    download,
    fingerprint,
    is_whole,
    read_file,
    sklearn_digits,
    verify_fingerprint,
)

# ------------------------------------------------------------------------------------------------------------ sound

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
    path = Path(path)
    try:
        return _samples(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
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


# ------------------------------------------------------------------------------------------------------------- text

ALPHABET = "abcdefghijklmnopqrstuvwxyz '-/"
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")


def plain_letters(name):
    """Lower case without accents: "Żak" → "zak", "Strauß" → "strauss"."""
    parts = unicodedata.normalize("NFD", name.strip().casefold().replace("ł", "l").replace("’", "'"))
    return "".join(c for c in parts if unicodedata.category(c) != "Mn")


def encode_names(names):
    """Names as tokens, one for each letter: a tensor (N, longest), 0 after the end.

    Raises ValueError on an empty name and on characters outside the 30 of `ALPHABET`, and says which.
    """
    if isinstance(names, str):
        raise ValueError(f"encode_names takes a list of names: write [{names!r}]")
    tokens, bad = [], []
    for name in names:
        letters = plain_letters(name)
        unknown = sorted(set(letters) - set(ALPHABET))
        if unknown or not letters:
            bad.append(f"{name!r} ({', '.join(map(repr, unknown)) or 'empty'})")
        tokens.append([ALPHABET.index(c) + 1 for c in letters if c in ALPHABET])
    if bad:
        raise ValueError(
            f"not readable as names: {'; '.join(bad[:5])}{' and more' * (len(bad) > 5)}: the network knows the letters "
            "a to z, with or without accents, the space, apostrophe, hyphen and slash"
        )
    return pad(tokens)


def words(text):
    """The words of a text, in lower case, without punctuation and line breaks of HTML."""
    return WORD.findall(text.lower().replace("<br />", " "))


def vocabulary(texts, size=10_000):
    """The `size` most frequent words of the texts (each a list of words), after "(padding)" and "(unknown)"."""
    counts = Counter(word for text in texts for word in text)
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:size]
    return ("(padding)", "(unknown)", *(word for word, _ in common))


def encode_texts(texts, vocabulary, length=250):
    """Texts (lists of words) as tokens (N, length): positions in the vocabulary, 1 for other words, 0 after the end.

    What goes beyond `length` words is cut off. Raises ValueError on a text without words.
    """
    if length < 1:
        raise ValueError(f"a text needs a length of at least one word, not {length}")
    at = {word: i for i, word in enumerate(vocabulary)}
    tokens = []
    for i, text in enumerate(texts):
        if isinstance(text, str):
            raise ValueError(f"text {i} (counted from 0) is not yet a list of words: put it through `words` first")
        if not text:
            raise ValueError(f"text {i} (counted from 0) is empty: it has no words to read")
        tokens.append([at.get(word, 1) for word in text[:length]])
    return pad(tokens, length)


def pad(sequences, length=None):
    """Lists of tokens as one tensor (N, length) of int32, with 0 after each end; `length` defaults to the longest."""
    _check_not_empty(sequences)
    length = length or max(map(len, sequences), default=0)
    out = np.zeros((len(sequences), length), np.int32)
    for row, tokens in zip(out, sequences, strict=True):
        row[: len(tokens)] = tokens
    return torch.from_numpy(out)


def pad_frames(spectrograms):
    """Spectrograms (T, F), each of its own length, as one tensor (N, longest, F), with zeros after each end."""
    _check_not_empty(spectrograms)
    return torch.nn.utils.rnn.pad_sequence(spectrograms, batch_first=True)


def _check_not_empty(sequences):
    """An empty sequence would be nothing but padding, and a network has nothing to say about that."""
    for i, sequence in enumerate(sequences):
        if len(sequence) == 0:
            raise ValueError(f"sequence {i} (counted from 0) is empty")


# ---------------------------------------------------------------------------------------------------- embedded sets


def load_digit_rows(held_out=0):
    """scikit-learn's 8×8 handwritten digits read as sequences: 8 steps (rows) of 8 numbers in [-1, 1]; about 1,437 and 360 digits.

    `held_out` is the number of the fifth that is for validation, 0 to 4.
    """
    check_fold(held_out, 5, "fifth of the digits")
    inputs, labels = (np.concatenate(both) for both in zip(*reversed(sklearn_digits(8)), strict=True))
    inputs = ((inputs - 127.5) / 127.5).astype(np.float32)  # never 0, so no row looks like padding
    val = np.zeros(len(labels), bool)
    val[360 * held_out : 360 * (held_out + 1)] = True
    return Splits(
        train=_sequences(torch.from_numpy(inputs[~val]), labels[~val]),
        val=_sequences(torch.from_numpy(inputs[val]), labels[val]),
        test=None,
        classes=tuple("0123456789"),
        name="digit rows",
        fingerprint=fingerprint(inputs, labels),
        source="made from scikit-learn's load_digits",
    )


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
        train=_sequences(inputs[:n_train], labels[:n_train]),
        val=_sequences(inputs[n_train:], labels[n_train:]),
        test=None,
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


# -------------------------------------------------------------------------------------------------------- real sets

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES = 50  # of each digit by each speaker
SPOKEN_URLS = tuple(
    f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{ref}.tar.gz"
    for ref in ("26eb9aaf76e8", "refs/heads/master")
)
SPOKEN_FINGERPRINT = "db2fc46c6eb979b97c214cedf57dcf6ab35f383acb12eaac1a34a7167d17e440"  # samples of the 3,000 recordings, in the order of their names

NAMES_URLS = tuple(
    f"https://raw.githubusercontent.com/spro/practical-pytorch/{ref}/data/names/" for ref in ("c520c52e68e9", "master")
)
NAMES_SHA256 = {  # of the files; their order is that of the classes
    "Arabic": "6f424a8dbe51cbbbabab7a57d38b617210125e4e3991f3c657cb79b8f104bafc",
    "Chinese": "09ba8f1f7e38dbc99372d461b26ad4433b811fc6bfa6a3ecca6fe11a9a777465",
    "Czech": "e17ab0ec47616a72c39cb85c783f70c3663ab64488721e5d8378f146d2226be7",
    "Dutch": "924f32b635170eae561f84538632138fc07d4c8bbd70ba3fb980de1ecc4d2af3",
    "English": "9cca037066d3d5989e24bc01801416162de506b5e28e15b7c092a47905d29bf2",
    "French": "81e65b36c60ed5b89a17422f6edcadbb89546f38ad69e960e64e7ba682012a95",
    "German": "7449cd590b97a733e18d613a4155decd77ec35dc5f8aadd7a82204dce4f051db",
    "Greek": "3555b5186de7f401e6d991b088e9e644ca3099116477818c25ab5793801389e6",
    "Irish": "cf8c7013256252a88d2503127b87282a11f21b2ff6db1bded68834c19a1ec058",
    "Italian": "f88414c27d0606a11a678b4859277828c2565d6cc4d9ee932deef6e94f3b35e4",
    "Japanese": "e0e717e114fec3e7eade4d9dabe0067c475f43147e36a22b47902ee76ad9e67f",
    "Korean": "cd54221ccb362a6cba4c78828838cf3268a0e59744767a37cf6ec4b74036b136",
    "Polish": "45bab898af2f60ed3a728bbf6980e28821011a7caa53227553b5785903a40826",
    "Portuguese": "50a8735f41f4f73757c8ce5b16cb0275cd86b2b214bcbc8c9805f508cb131c53",
    "Russian": "0cfe53ac18041e8f63666aa77313e0a3ff378facb132abee052d8ebdc8c3d62c",
    "Scottish": "78d0252711d87d948ea86fe34826c51d2d794a8e52d15b5d6f7b6244d45d62dd",
    "Spanish": "1bcb462ed3316756a85781d68232bddae04498fdddd5d9219c53fd1fbdeba7a7",
    "Vietnamese": "f3f9e4164ab47601178a6e45b216464a64122f49d05541f24bf18a757253281d",
}

IMDB_URLS = ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",)
IMDB_ARCHIVE_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
IMDB_FINGERPRINT = "6ed0e94628b172d73f3906ba91b9e6cc6caa0c200618eb357bd68676106e49df"  # names and words of the 49,992 reviews that every accepted packaging holds
IMDB_REVIEWS = 12_500  # of each kind in each part
IMDB_ABSENT = frozenset(  # reviews that one packaging in circulation lacks: both are accepted
    {"train/pos/0", "train/pos/7", "train/neg/2", "train/neg/9", "test/pos/0", "test/pos/2", "test/pos/7", "test/pos/9"}
)


def load_spoken_digits(held_out=0, root=None):
    """Free Spoken Digit Dataset: ten digits, six speakers, 50 takes each, as log-mel frames (N, T, 32).

    The 500 recordings of speaker number `held_out` (of `SPEAKERS`) are for validation, the other 2,500 for training. Reads
    `fsdd/recordings/` or the archive `fsdd.tar.gz` below `root`; downloads the archive when neither is there. Raises
    `DataError`.
    """
    check_fold(held_out, len(SPEAKERS), "speaker")
    inputs, labels, speakers, source = _spoken_digits(Path(root or data_folder()))
    val = speakers == held_out
    return Splits(
        train=_sequences(inputs[~val], labels[~val]),
        val=_sequences(inputs[val], labels[val]),
        test=None,
        classes=tuple("0123456789"),
        name="spoken digits",
        fingerprint=SPOKEN_FINGERPRINT,
        source=source,
    )


@cache
def _spoken_digits(root):
    """Frames (3000, T, 32), labels, speakers and the source of the whole set."""
    names = [f"{d}_{speaker}_{take}.wav" for d in range(10) for speaker in SPEAKERS for take in range(TAKES)]
    folder, archive = root / "fsdd" / "recordings", root / "fsdd.tar.gz"
    if folder.is_dir():
        source = "folder fsdd/recordings"
        present = _listed(folder)
        contents = {name: read_file(folder / name, "spoken_digits") for name in names if name in present}
        recordings = _recordings(names, contents, source, "remove the folder fsdd")
    else:
        source = f"archive {archive.name}"

        def read():
            wanted = set(names)
            contents = _members(archive, "spoken_digits", lambda path: path.name if path.name in wanted else None)
            return _recordings(names, contents, source, f"delete {archive.name}")

        recordings = read() if archive.exists() else _download_and_read(SPOKEN_URLS, archive, read)
    frames = pad_frames([log_mel(samples / 32768) for samples in recordings])
    labels = torch.arange(10).repeat_interleave(len(SPEAKERS) * TAKES)
    speakers = torch.arange(len(SPEAKERS)).repeat_interleave(TAKES).repeat(10)
    return frames, labels, speakers, source


def _recordings(names, contents, source, remedy):
    """The samples of the recordings of these names, once they are sure to be the known ones."""
    _check_complete(names, contents, "recordings", source, "spoken_digits", remedy)
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


def _download_and_read(urls, archive, read):
    """What `read` makes of the archive from the first of `urls` that sends the right one; any other is not kept.

    For an archive that the server packs anew, so that no SHA-256 tells a whole one from half of one or from a web page.
    """
    problems = []
    for url in urls:
        try:
            download([url], archive, None)
        except DataError as error:
            problems.append(error)
            continue
        try:
            return read()
        except DataError:
            archive.unlink(missing_ok=True)  # ours: it was not there before
            problems.append(
                DataError(
                    f"{archive.name} could not be downloaded (what came is not the expected file): try again later, or put "
                    f"the file into {archive.parent} by hand from {urls[0]}."
                )
            )
    raise problems[0]


def load_names(held_out=0, root=None):
    """Names of people in 18 languages, as letters (N, 20): 17,985 different pairs of name and language.

    The source lists 20,050 lines; one of each repeated pair is kept. One fifth of all spellings, number `held_out` (0 to 4), is for
    validation, in every language that has them. Reads `names/LANGUAGE.txt` below `root`; downloads what is missing. Raises `DataError`.
    """
    check_fold(held_out, 5, "fifth of the names")
    folder = Path(root or data_folder()) / "names"
    pairs = set()
    for language, sha256 in NAMES_SHA256.items():
        path = folder / f"{language}.txt"
        if not path.exists():
            download([url + path.name for url in NAMES_URLS], path, sha256)
        content = read_file(path, "names")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DataError(
                f"{path.name} is not the known list of {language} names: delete it and run `companion data names` to fetch "
                "it again."
            )
        pairs |= {(plain_letters(line), language) for line in content.decode("utf-8").splitlines() if line.strip()}
    pairs = sorted(pairs)
    inputs = encode_names([name for name, _ in pairs])
    labels = np.array([language_label(language) for _, language in pairs])
    spellings = sorted({name for name, _ in pairs})
    order = np.random.RandomState(0).permutation(len(spellings))
    chosen = {spellings[i] for i in np.array_split(order, 5)[held_out]}
    val = torch.tensor([name in chosen for name, _ in pairs])
    return Splits(
        train=_sequences(inputs[~val], labels[~val]),
        val=_sequences(inputs[val], labels[val]),
        test=None,
        classes=tuple(NAMES_SHA256),
        name="names",
        fingerprint=fingerprint(inputs.numpy(), labels),
        source="18 files in names",
        vocabulary=("(padding)", *ALPHABET),
    )


def language_label(language):
    """The class number of a language; ValueError names the 18 that are known."""
    known = list(NAMES_SHA256)
    if language not in known:
        raise ValueError(f"there are no names in {language!r}; the known languages are {', '.join(known)}")
    return known.index(language)


def load_imdb(held_out=0, root=None, words_known=10_000, length=250):
    """IMDB film reviews as words (N, 250): 25,000 for training and 25,000 for validation (its test part), half of each good.

    The vocabulary is made from the training reviews. Reads the folder `aclImdb/` or the archive `aclImdb_v1.tar.gz` below
    `root`; downloads the archive when neither is there. A folder that lacks eight known reviews is accepted too, and
    `source` says so. Raises `DataError`.
    """
    check_fold(held_out, 1, "part (the set comes with one of its own)")
    root = Path(root or data_folder())
    folder, archive = root / "aclImdb", root / "aclImdb_v1.tar.gz"
    if folder.is_dir():
        source, remedy = "folder aclImdb", "remove the folder aclImdb"
        paths = [
            p for part in ("train", "test") for kind in ("pos", "neg") for p in _listed(folder / part / kind).values()
        ]
        contents = {review: read_file(p, "imdb") for p in paths if (review := _labelled_review(p))}
    else:
        source, remedy = f"archive {archive.name}", f"delete {archive.name}"
        if not archive.exists():
            download(IMDB_URLS, archive, IMDB_ARCHIVE_SHA256)
        contents = _members(archive, "imdb", _labelled_review)
    texts = {}
    for name, content in sorted(contents.items()):
        try:
            texts[re.sub(r"_\d+\.txt$", "", name)] = text = words(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise damaged_file(f"In the {source}, {name}", "imdb", error, remedy) from error
        if not text:
            raise damaged_file(f"In the {source}, {name}", "imdb", "it has no words", remedy)
    expected = {
        f"{part}/{kind}/{i}" for part in ("train", "test") for kind in ("pos", "neg") for i in range(IMDB_REVIEWS)
    }
    if not IMDB_ABSENT & set(texts):
        expected -= IMDB_ABSENT
    _check_complete(sorted(expected), texts, "reviews", source, "imdb", remedy)
    known = _text_fingerprint(texts, expected - IMDB_ABSENT)
    verify_fingerprint(IMDB_FINGERPRINT, known, source, "imdb", remedy)
    parts = {}
    for part in ("train", "test"):
        names = sorted(name for name in expected if name.startswith(part))
        labels = torch.tensor([int("/pos/" in name) for name in names])
        parts[part] = [texts[name] for name in names], labels
    words_of_train = vocabulary(parts["train"][0], words_known)
    train, val = [_sequences(encode_texts(t, words_of_train, length), y) for t, y in parts.values()]
    return Splits(
        train=train,
        val=val,
        test=None,
        classes=("negative", "positive"),
        name="IMDB",
        fingerprint=known if not IMDB_ABSENT & expected else _text_fingerprint(texts, expected),
        source=f"{source}, {len(train):,} + {len(val):,} reviews",
        vocabulary=words_of_train,
    )


def _labelled_review(path):
    """ "train/pos/0_9.txt" for the path of a labelled review, None for any other."""
    part = "/".join(path.parts[-3:])
    return part if re.fullmatch(r"(train|test)/(pos|neg)/\d+_\d+\.txt", part) else None


def _text_fingerprint(texts, names):
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name} {' '.join(texts[name])}\n".encode())
    return digest.hexdigest()


def _members(archive, dataset, key):
    """{key(path): content} of the files in the archive for which `key` is not None."""
    contents = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = key(Path(member.name)) if member.isfile() else None
                if name is not None:
                    contents[name] = tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if getattr(error, "errno", None):  # the disk's, not the archive's: nothing to delete
            raise DataError(f"{archive} cannot be read ({error.strerror}): check its permissions.") from error
        raise damaged_file(archive.name, dataset, error) from error
    return contents


def _listed(folder):
    """{name: path} of what lies in the folder; empty when it is not there."""
    try:
        return {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}): check its permissions.") from error


def _check_complete(names, found, what, source, dataset, remedy):
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"The {source} holds {len(names) - len(missing):,} of the {len(names):,} {what}; {missing[0]} is the first one "
            f"missing: {remedy} and run `companion data {dataset}` to fetch the whole set."
        )


def _sequences(inputs, labels):
    return Split(inputs.contiguous(), torch.as_tensor(labels, dtype=torch.int64))
