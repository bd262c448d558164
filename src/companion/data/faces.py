"""UTKFace: faces with their ages, and the near-duplicates among them."""

import hashlib
import io
import re
from functools import lru_cache

import numpy as np
from PIL import Image

from companion.data.ages import OLDEST, age_classes, age_labels, aged_split
from companion.data.files import DataError, data_folder, is_file, is_folder, listed, stamp, unreadable
from companion.data.splits import Splits, check_fold

FACES_PAGE = "https://susanqq.github.io/UTKFace/"
FACE_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d+[ .\w]*\.chip\.jpg", re.ASCII | re.IGNORECASE)  # age, gender, race
GENDERS = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "other")  # the five words of the data set, which its makers chose
SUBSET_FINGERPRINT = "fcd294830c9e6c055ef663e492e8f211c090885d649c10cf9d8606aa4862060a"  # names and bytes of its files
NEAR = 28  # of 256 bits: of all pairs among 5,499 faces 32 differ in 1 to 26, none in 27 to 31, ever more from there on


def load_faces(labels="age", held_out=0, size=96, root=None):
    """UTKFace, aligned faces with their ages: images (N, 3, size, size), in 116 single years or in four groups.

    Reads `UTKFace/AGE_GENDER_RACE_DATE.jpg.chip.jpg` below `root`: the known subset of 5,499 faces or a copy of your
    own; `source` says which. One fifth, number `held_out` (0 to 4), is for validation, in every decade of age;
    near-duplicates stay on one side. Both parts are `AgedSplit`s. What has no readable name, no age of 1 to 116 or does
    not decode is left out and counted in `source`. The fingerprint is that of the names and bytes of the files: decoded pixels differ a little
    between builds of Pillow. Raises `DataError`.
    """
    check_fold(held_out, 5, "fifth of the faces")
    age_labels([], labels)
    folder = data_folder(root) / "UTKFace"
    files = _pictures(folder)
    names, images, copies, digest, skipped = _read_faces(tuple(files), size, stamp(files))
    ages, genders, races = np.array([[int(part) for part in FACE_NAME.fullmatch(name).groups()] for name in names]).T
    val = _fifths(names, ages, copies) == held_out
    if val.all() or not val.any():
        raise DataError(
            f"The folder {folder} holds {len(names):,} {'face' if len(names) == 1 else 'faces'} that can be used, too few to "
            f"keep one fifth of them for validation: {_where(folder)}."
        )
    traits = {"gender": np.array(GENDERS)[genders], "race": np.array(RACES)[races]}

    def part(chosen):
        chosen_traits = {trait: values[chosen] for trait, values in traits.items()}
        return aged_split(images[chosen], ages[chosen], chosen_traits, copies[chosen], labels)

    known = digest == SUBSET_FINGERPRINT
    source = f"{len(names):,} of the known subset" if known else f"your own copy, {len(names):,} faces"
    return Splits(
        train=part(~val),
        val=part(val),
        classes=age_classes(labels),
        name="UTKFace",
        fingerprint=digest,
        source=f"{source}; left out: {skipped}" if skipped else source,
    )


def _where(folder):
    return f'take "Aligned&Cropped Faces" from {FACES_PAGE} and put its pictures into the folder {folder}'


def _pictures(folder):
    """The paths of the pictures in the folder, by name."""
    if is_file(folder):
        raise DataError(f"{folder} cannot be read as a folder, for it is a file: {_where(folder)}.")
    if not is_folder(folder):
        raise DataError(f"UTKFace is not there, and a program cannot download it: {_where(folder)}.")
    files = [path for name, path in listed(folder).items() if re.fullmatch(r"[^.].*\.jpe?g", name, re.IGNORECASE)]
    if not files:
        raise DataError(f"The folder {folder} holds no .jpg pictures: {_where(folder)}.")
    return sorted(files, key=lambda path: path.name)


@lru_cache(maxsize=1)
def _read_faces(files, size, content_stamp):
    """Names, images (N, 3, size, size), copies (N,), the files' fingerprint, and in words what was left out.

    Kept, 150 MB at 96 pixels, until another size or folder is asked for or the stamp is another; nobody may write to it.
    """
    names, hashes, digest = [], [], hashlib.sha256()
    images = np.empty((len(files), 3, size, size), np.uint8)
    unnamed = outside = broken = 0
    for path in files:
        parsed = FACE_NAME.fullmatch(path.name)
        if not parsed:
            unnamed += 1
            continue
        if not 1 <= int(parsed[1]) <= OLDEST:
            outside += 1
            continue
        try:
            content = b"" if is_folder(path) else path.read_bytes()
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            with Image.open(io.BytesIO(content)) as file:
                picture = file.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow raises on damage
            broken += 1
            continue
        hashes.append(difference_hash(picture))
        if picture.size != (size, size):
            picture = picture.resize((size, size), Image.Resampling.LANCZOS)
        images[len(names)] = np.asarray(picture).transpose(2, 0, 1)
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
        names.append(path.name)
    counts = (
        (unnamed, "with a name that is not AGE_GENDER_RACE_DATE.jpg.chip.jpg"),
        (outside, f"with an age outside 1 to {OLDEST}"),
        (broken, "not to be decoded as a picture"),
    )
    skipped = ", ".join(f"{count:,} {why}" for count, why in counts if count)
    if not names:
        folder = files[0].parent
        raise DataError(f"The folder {folder} holds no face that can be used ({skipped}): {_where(folder)}.")
    images, copies = images[: len(names)], near_duplicates(np.array(hashes))
    images.flags.writeable = copies.flags.writeable = False
    return tuple(names), images, copies, digest.hexdigest(), skipped


def difference_hash(picture):
    """256 bits of a Pillow image: shrunk to 17×16 grey pixels, is each pixel brighter than its left neighbour?

    The bits hardly change when a picture is encoded again, resized or made brighter.
    """
    grey = np.asarray(picture.convert("L").resize((17, 16), Image.Resampling.BOX), np.int16)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def near_duplicates(hashes):
    """For each hash (N, 256) the number of the first one it belongs with, (N,): itself, where it is like no earlier one.

    Two belong together when their hashes, or that of one and of the other's mirror image, differ in at most `NEAR`
    bits; and so do three, when the first is like the second and the second like the third.
    """
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    mirrored = -signs.reshape(-1, 16, 16)[:, :, ::-1].reshape(-1, 256)
    first = np.arange(len(signs))

    def root(i):
        while first[i] != i:
            i = first[i]
        return i

    for start in range(0, len(signs), 500):
        block = signs[start : start + 500]
        for others in (signs[start:], mirrored[start:]):
            differing = (256 - block @ others.T) / 2
            for i, j in np.argwhere(differing <= NEAR) + start:
                low, high = sorted((root(i), root(j)))
                first[high] = low
    return np.array([root(i) for i in range(len(first))], dtype=np.int64)


def _fifths(names, ages, copies):
    """The fifth (N,) to which each face belongs: each decade of age, in the order of a hash of the names, cut in five.

    Near-duplicates follow the first of them. Which fifth it is hardly depends on which other faces are there.
    """
    fifths = np.zeros(len(names), np.int64)
    firsts, counts = np.unique(copies, return_counts=True)
    for decade in np.unique(ages[firsts] // 10):
        chosen = ages[firsts] // 10 == decade
        keys = [hashlib.sha256(names[i].encode()).digest() for i in firsts[chosen]]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        before = np.cumsum(counts[chosen][order]) - counts[chosen][order]
        fifths[firsts[chosen][order]] = 5 * before // counts[chosen].sum()
    return fifths[copies]
