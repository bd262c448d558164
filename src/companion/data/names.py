"""Names of people in 18 languages, as sequences of letters."""

import hashlib
import unicodedata

import numpy as np
import torch

from companion.data.files import DataError, data_folder, download, is_file, read_file
from companion.data.padding import pad, sequence_split
from companion.data.splits import Splits, check_fold, fingerprint

ALPHABET = "abcdefghijklmnopqrstuvwxyz '-/"


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


NAMES_URLS = tuple(
    f"https://raw.githubusercontent.com/spro/practical-pytorch/{ref}/data/names/" for ref in ("c520c52e68e9", "master")
)
NAMES_SHA256 = {  # of the texts; their order is that of the classes
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


def load_names(held_out=0, root=None):
    """Names of people in 18 languages, as letters (N, 20): 17,985 different pairs of name and language.

    The source lists 20,050 lines; one of each repeated pair is kept. One fifth of all spellings, number `held_out` (0 to 4), is for
    validation, in every language that has them. Reads `names/LANGUAGE.txt` below `root`; downloads what is missing. Raises `DataError`.
    """
    check_fold(held_out, 5, "fifth of the names")
    folder = data_folder(root) / "names"
    pairs = set()
    for language, sha256 in NAMES_SHA256.items():
        path = folder / f"{language}.txt"
        if not is_file(path):
            download([url + path.name for url in NAMES_URLS], path, sha256)
        text = _text(read_file(path, "names"))
        if hashlib.sha256(text.encode("utf-8")).hexdigest() != sha256:
            raise DataError(
                f"{path.name} is not the known list of {language} names: delete it and run `companion data names` to fetch "
                "it again."
            )
        pairs |= {(plain_letters(line), language) for line in text.splitlines() if line.strip()}
    pairs = sorted(pairs)
    inputs = encode_names([name for name, _ in pairs])
    labels = np.array([language_label(language) for _, language in pairs])
    spellings = sorted({name for name, _ in pairs})
    order = np.random.RandomState(0).permutation(len(spellings))
    chosen = {spellings[i] for i in np.array_split(order, 5)[held_out]}
    val = torch.tensor([name in chosen for name, _ in pairs])
    return Splits(
        train=sequence_split(inputs[~val], labels[~val]),
        val=sequence_split(inputs[val], labels[val]),
        classes=tuple(NAMES_SHA256),
        name="names",
        fingerprint=fingerprint(inputs.numpy(), labels),
        source="18 files in names",
        vocabulary=("(padding)", *ALPHABET),
    )


def _text(content):
    """The text of a file, whatever an editor or git made of its line ends and its first bytes."""
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def language_label(language):
    """The class number of a language; ValueError names the 18 that are known."""
    known = list(NAMES_SHA256)
    if language not in known:
        raise ValueError(f"there are no names in {language!r}; the known languages are {', '.join(known)}")
    return known.index(language)
