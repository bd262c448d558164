"""Film reviews as sequences of words: IMDB, and the vocabulary made from it."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from companion.data.files import (
    check_complete,
    damaged_file,
    data_folder,
    download,
    is_file,
    is_folder,
    listed,
    members,
    read_file,
    stamp,
    verify_fingerprint,
)
from companion.data.padding import pad, sequence_split
from companion.data.splits import Splits, check_fold

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")


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


IMDB_URLS = ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",)
IMDB_ARCHIVE_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
IMDB_FINGERPRINT = "6ed0e94628b172d73f3906ba91b9e6cc6caa0c200618eb357bd68676106e49df"  # names and words of the 49,992 reviews that every accepted packaging holds
IMDB_REVIEWS = 12_500  # of each kind in each part
IMDB_ABSENT = frozenset(  # reviews that one packaging in circulation lacks: both are accepted
    {"train/pos/0", "train/pos/7", "train/neg/2", "train/neg/9", "test/pos/0", "test/pos/2", "test/pos/7", "test/pos/9"}
)


@dataclass(frozen=True)
class Reviews:
    """The reviews as words: of the training and of the validation part, each a tuple of texts, and a text a tuple of words.

    `train_labels` and `val_labels` are 1 for the good ones and 0 for the bad; `fingerprint` and `source` as in `Splits`.
    """

    train: tuple
    train_labels: tuple
    val: tuple
    val_labels: tuple
    fingerprint: str
    source: str


def load_imdb(held_out=0, root=None, words_known=10_000, length=250):
    """IMDB film reviews as words (N, 250): 25,000 for training and 25,000 for validation (its test part), half of each good.

    The vocabulary is made from the training reviews. Where they come from: `read_reviews`. Raises `DataError`.
    """
    check_fold(held_out, 1, "part (the set comes with one of its own)")
    reviews = read_reviews(root)
    known = vocabulary(reviews.train, words_known)
    return Splits(
        train=sequence_split(encode_texts(reviews.train, known, length), reviews.train_labels),
        val=sequence_split(encode_texts(reviews.val, known, length), reviews.val_labels),
        classes=("negative", "positive"),
        name="IMDB",
        fingerprint=reviews.fingerprint,
        source=reviews.source,
        vocabulary=known,
    )


def read_reviews(root=None):
    """The IMDB film reviews as lists of words, verified: `Reviews`, about 100 MB, which are kept until others are asked for.

    Reads the folder `aclImdb/` or the archive `aclImdb_v1.tar.gz` below `root`; downloads the archive when neither is there.
    A folder that lacks eight known reviews is accepted too, and `source` says so. Raises `DataError`.
    """
    root = data_folder(root)
    folder, archive = root / "aclImdb", root / "aclImdb_v1.tar.gz"
    if is_folder(folder):
        return _read_reviews(root, stamp(_folders(folder)))
    if not is_file(archive):
        download(IMDB_URLS, archive, IMDB_ARCHIVE_SHA256)
    return _read_reviews(root, stamp([archive]))


@lru_cache(maxsize=1)
def _read_reviews(root, content_stamp):
    """What `read_reviews` returns; read anew when the stamp is another."""
    folder, archive = root / "aclImdb", root / "aclImdb_v1.tar.gz"
    if is_folder(folder):
        source, remedy = "folder aclImdb", "remove the folder aclImdb"
        paths = [path for part in _folders(folder) for path in listed(part).values()]
        contents = ((review, read_file(path, "imdb")) for path in paths if (review := _labelled_review(path)))
    else:
        source, remedy = f"archive {archive.name}", f"delete {archive.name}"
        contents = members(archive, "imdb", _labelled_review)
    texts = _texts(contents, source, remedy)
    names, fingerprint = _verified(texts, source, remedy)
    parts = [[name for name in names if name.startswith(part)] for part in ("train", "test")]
    texts = [tuple(texts[name] for name in part) for part in parts]
    labels = [tuple(int("/pos/" in name) for name in part) for part in parts]
    counts = " + ".join(f"{len(part):,}" for part in parts)
    return Reviews(texts[0], labels[0], texts[1], labels[1], fingerprint, f"{source}, {counts} reviews")


def _folders(folder):
    return [folder / part / kind for part in ("train", "test") for kind in ("pos", "neg")]


def _texts(contents, source, remedy):
    """{"train/pos/0": its words} of pairs such as ("train/pos/0_9.txt", bytes); equal words are one object."""
    texts, same = {}, {}
    for name, content in contents:
        try:
            text = tuple(same.setdefault(word, word) for word in words(content.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise damaged_file(f"In the {source}, {name}", "imdb", error, remedy) from error
        if not text:
            raise damaged_file(f"In the {source}, {name}", "imdb", "it has no words", remedy)
        texts[re.sub(r"_\d+\.txt$", "", name)] = text
    return texts


def _verified(texts, source, remedy):
    """The sorted names of the reviews of an accepted packaging, and the fingerprint; DataError for any other texts."""
    expected = {
        f"{part}/{kind}/{i}" for part in ("train", "test") for kind in ("pos", "neg") for i in range(IMDB_REVIEWS)
    }
    if not IMDB_ABSENT & set(texts):
        expected -= IMDB_ABSENT
    check_complete(sorted(expected), texts, "reviews", source, "imdb", remedy)
    known = _text_fingerprint(texts, expected - IMDB_ABSENT)
    verify_fingerprint(IMDB_FINGERPRINT, known, source, "imdb", remedy)
    return sorted(expected), known if not IMDB_ABSENT & expected else _text_fingerprint(texts, expected)


def _labelled_review(path):
    """ "train/pos/0_9.txt" for the path of a labelled review, None for any other."""
    part = "/".join(path.parts[-3:])
    return part if re.fullmatch(r"(train|test)/(pos|neg)/\d+_\d+\.txt", part) else None


def _text_fingerprint(texts, names):
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name} {' '.join(texts[name])}\n".encode())
    return digest.hexdigest()
