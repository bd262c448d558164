"""Small made-up data sets, accepted as the true ones, without any way to the network."""

import hashlib
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from data_files import tar_of
from PIL import Image

from companion.data.reviews import IMDB_ABSENT, load_imdb
from companion.data.speech import load_spoken_digits
from companion.data.splits import fingerprint


def wav(samples, rate=8000, channels=1, bits=16):
    """A WAV file as bytes, written from the description of the format."""
    content = np.asarray(samples).astype("<i2" if bits == 16 else np.uint8).tobytes()
    frame = channels * bits // 8
    layout = struct.pack("<HHIIHH", 1, channels, rate, rate * frame, frame, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def noise(seed, count=300):
    return np.random.default_rng(seed).integers(-9000, 9000, count, dtype=np.int16)


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


PAGE = b"<html>Sign in to the network of this hotel</html>\n"


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


def drawing(seed, size=96):
    """A smooth pattern of random colours: no person."""
    colours = np.random.RandomState(seed).randint(256, size=(7, 7, 3)).astype(np.uint8)
    return Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC)
