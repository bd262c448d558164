"""Ages as classes: the faces of UTKFace, drawn tree rings as their stand-in, and a SqueezeNet trained on ImageNet.

No function here shows or saves a picture.
"""

import hashlib
import io
import pickle
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from companion.data import DataError, Split, Splits, data_folder, fingerprint
from companion.sequences import _check_fold
from companion.training import _memory_format, as_input, set_up

OLDEST = 116  # years; the youngest is 1
GROUP_STARTS = (18, 36, 72)  # the first ages of the second, third and fourth group
AGES = tuple(str(age) for age in range(1, OLDEST + 1))
AGE_GROUPS = ("0–17", "18–35", "36–71", "72 and over")


@dataclass(frozen=True)
class AgedSplit(Split):
    """A split that also knows more of each picture, in the order of the images.

    `ages` (N,) in years; `traits`: {name: array of N words}, such as {"gender": ["male", "female", ...]}; `copies` (N,):
    pictures with the same number are near-duplicates of each other.
    """

    ages: torch.Tensor
    traits: dict
    copies: torch.Tensor


def age_labels(ages, labels="age"):
    """Class numbers (N,) of ages in years (N,): 0 to 115 for the years 1 to 116, or 0 to 3 for the four groups."""
    if labels == "age":
        return np.asarray(ages) - 1
    if labels == "group":
        return np.searchsorted(GROUP_STARTS, ages, side="right")
    raise DataError(f"labels is 'age' (116 single years) or 'group' (four groups of ages), not {labels!r}.")


def _aged_split(images, ages, traits, copies, labels):
    return AgedSplit(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        labels=torch.from_numpy(age_labels(ages, labels).astype(np.int64)),
        ages=torch.from_numpy(ages.astype(np.int64)),
        traits=traits,
        copies=torch.from_numpy(copies.astype(np.int64)),
    )


def _classes(labels):
    return AGES if labels == "age" else AGE_GROUPS


# ------------------------------------------------------------------------------------------------------------ faces

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
    _check_fold(held_out, 5, "fifth of the faces")
    age_labels([], labels)
    folder = Path(root or data_folder()) / "UTKFace"
    names, images, hashes, digest, skipped = _read_faces(folder, size)
    ages, genders, races = np.array([[int(part) for part in FACE_NAME.fullmatch(name).groups()] for name in names]).T
    copies = near_duplicates(hashes)
    val = _fifths(names, ages, copies) == held_out
    traits = {"gender": np.array(GENDERS)[genders], "race": np.array(RACES)[races]}

    def part(chosen):
        chosen_traits = {trait: values[chosen] for trait, values in traits.items()}
        return _aged_split(images[chosen], ages[chosen], chosen_traits, copies[chosen], labels)

    known = digest == SUBSET_FINGERPRINT
    source = f"{len(names):,} of the known subset" if known else f"your own copy, {len(names):,} faces"
    return Splits(
        train=part(~val),
        val=part(val),
        test=None,
        classes=_classes(labels),
        name="UTKFace",
        fingerprint=digest,
        source=f"{source}; left out: {skipped}" if skipped else source,
    )


def _read_faces(folder, size):
    """Names, images (N, 3, size, size), hashes (N, 256), the files' fingerprint, and in words what was left out."""
    where = f'take "Aligned&Cropped Faces" from {FACES_PAGE} and put its pictures into the folder {folder}'
    try:
        files = [path for path in folder.iterdir() if re.fullmatch(r"[^.].*\.jpe?g", path.name, re.IGNORECASE)]
    except FileNotFoundError as error:
        raise DataError(f"UTKFace is not there, and a program cannot download it: {where}.") from error
    except OSError as error:
        raise DataError(f"{folder} cannot be read as a folder ({error.strerror}): {where}.") from error
    if not files:
        raise DataError(f"The folder {folder} holds no .jpg pictures: {where}.")
    names, hashes, digest = [], [], hashlib.sha256()
    images = np.empty((len(files), 3, size, size), np.uint8)
    unnamed = outside = broken = 0
    for path in sorted(files, key=lambda path: path.name):
        parsed = FACE_NAME.fullmatch(path.name)
        if not parsed:
            unnamed += 1
            continue
        if not 1 <= int(parsed[1]) <= OLDEST:
            outside += 1
            continue
        try:
            content = path.read_bytes()
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
        raise DataError(f"The folder {folder} holds no face that can be used ({skipped}): {where}.")
    return names, images[: len(names)], np.array(hashes), digest.hexdigest(), skipped


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


# ------------------------------------------------------------------------------------------------------- tree rings

DECADE_SHARES = (  # faces of each decade of age, 1 to 9, 10 to 19, ... 110 to 116, among the 5,499 of the known subset
    *(702, 350, 1667, 1035, 511, 524),
    *(299, 172, 145, 63, 18, 13),
)
WOODS = ("pale", "dark")
_LIGHT = np.array([[222, 184, 135], [139, 100, 66]])  # RGB of the wood that grows in spring
_LATE = np.array([[120, 74, 36], [88, 58, 34]])  # and of the dark line that ends a year; less contrast in dark wood
_BARK = (52, 40, 30)
_STEPS = 8  # samples in each pixel's width along the radius


def load_tree_rings(labels="age", held_out=0, n_train=1000, n_val=400, size=56):
    """Drawn sections of tree trunks, a ring for each year: images (N, 3, size, size), in 116 single years or four groups.

    The stand-in for faces: each part is an `AgedSplit`. The ages are as uneven as theirs, decade by decade. The trunk's
    centre is near a corner, so that a quarter is seen. A ring is about 0.028·size wide at the centre and narrower with each
    year: at size 56 it is 1.6 pixels at first, 1.4 (what a diagonal row of pixels can just show) at 10 years and 0.2 at 72.
    Then the size of the trunk is what tells the age; trees grow at different speeds. `traits` has the wood, pale or dark.
    Another `held_out` draws others.
    """
    age_labels([], labels)
    rng = np.random.RandomState(held_out)
    shares = np.array(DECADE_SHARES) / sum(DECADE_SHARES)
    parts = []
    for count in (n_train, n_val):
        decades = rng.choice(len(shares), size=count, p=shares)
        ages = rng.randint(np.maximum(10 * decades, 1), np.minimum(10 * decades + 10, OLDEST + 1))
        woods = (rng.random_sample(count) < 0.25).astype(np.int64)
        images = np.empty((count, 3, size, size), np.int16)
        for image, age, wood in zip(images, ages, woods, strict=True):
            image[:] = _trunk(rng, age, wood, size)
        images += rng.randint(-12, 13, images.shape).astype(np.int16)  # the camera's noise
        images += rng.randint(-20, 21, (count, 1, 1, 1)).astype(np.int16)  # and the light
        images = images.clip(0, 255).astype(np.uint8)
        parts.append(_aged_split(images, ages, {"wood": np.array(WOODS)[woods]}, np.arange(count), labels))
    train, val = parts
    return Splits(
        train=train,
        val=val,
        test=None,
        classes=_classes(labels),
        name="tree rings",
        fingerprint=fingerprint(*(a.numpy() for s in parts for a in (s.images, s.ages))),
        source="drawn",
    )


def _trunk(rng, age, wood, size):
    """One section (3, size, size) with `age` rings. Only arithmetic and roots: the same bytes on every machine."""
    colours = np.rint(_colours(rng, age, wood, size)).astype(np.int16)
    y, x = (np.arange(size) + 0.5)[:, None], np.arange(size) + 0.5
    y, x = y - rng.uniform(0.02, 0.08) * size, x - rng.uniform(0.02, 0.08) * size
    oval, skew = rng.uniform(0.9, 1.1), rng.uniform(-0.1, 0.1)  # no trunk is an exact circle
    distance = np.sqrt(np.square(x) + oval * np.square(y) + skew * x * y)
    image = colours[(distance * _STEPS).astype(np.int64)].transpose(2, 0, 1)
    down, right = rng.randint(2, size=2)  # the corner where the centre is
    return image[:, :: 1 - 2 * down, :: 1 - 2 * right]


def _colours(rng, age, wood, size):
    """RGB (2·size·8, 3) at each eighth of a pixel from the centre of a trunk outwards: years, bark and what lies around."""
    years = np.arange(age)
    widths = 0.028 * size / (1 + (years / 30) ** 2) * rng.uniform(0.8, 1.2) * rng.uniform(0.75, 1.25, age)
    ends = np.concatenate([[0], np.cumsum(widths)])
    distance = (np.arange(2 * size * _STEPS) + 0.5) / _STEPS
    year = np.minimum(np.searchsorted(ends, distance, side="right") - 1, age - 1)
    lateness = np.square(np.minimum((distance - ends[year]) / widths[year], 1))  # 0 in spring, 1 at the end of the year
    colours = _LIGHT[wood] + lateness[:, None] * (_LATE[wood] - _LIGHT[wood])
    colours[distance > ends[-1]] = _BARK
    colours[distance > ends[-1] + 0.02 * size] = rng.randint(30, 226) + rng.randint(-15, 16, 3)
    sums = np.cumsum(colours, axis=0)
    return np.concatenate([colours[:_STEPS], (sums[_STEPS:] - sums[:-_STEPS]) / _STEPS])  # the mean over a pixel


# ------------------------------------------------------------------------------------------------------- SqueezeNet

WEIGHTS_FILE = Path("torch_home", "hub", "checkpoints", "squeezenet1_1-deepscale.pth")
WEIGHTS_SHA256 = (
    "4a20db5c4fd4a8224bb84ccebd1c7225ac027ca4bdc1ced8fcc5205e11ffd296"  # the weights of SqueezeNet's authors
)
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB in 0..1, which both packings of the weights expect to be taken off
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def load_squeezenet(weights="auto", root=None):
    """torchvision's SqueezeNet 1.1 with ImageNet weights: (model, description, fingerprint).

    `weights` is "torchvision" (downloaded once by PyTorch and verified), the path of a file with a state_dict, or "auto": the
    file `WEIGHTS_FILE` below `root` where it is there, otherwise torchvision's. `description` says which were used; the
    fingerprint is that of the numbers, however packed. A file is read without running code in it. Raises `DataError`.
    """
    try:
        from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1
    except (ImportError, RuntimeError) as error:
        raise DataError(
            f"torchvision does not work beside this PyTorch ({_first_line(error)}): install builds that match, or, beside a "
            "CPU build on Linux, run `python -m companion.build.torchvision_cpu` once."
        ) from error
    with torch.random.fork_rng(devices=[]):  # the random weights that are overwritten cost no random numbers
        model = squeezenet1_1()
    known = Path(root or data_folder()) / WEIGHTS_FILE
    if weights == "torchvision" or (weights == "auto" and not known.exists()):
        description = "torchvision's IMAGENET1K_V1"
        try:
            state = SqueezeNet1_1_Weights.IMAGENET1K_V1.get_state_dict(
                progress=False, check_hash=True, weights_only=True
            )
        except Exception as error:  # no network, or a damaged file of an earlier download
            raise DataError(
                f"The weights {description} could not be fetched or read ({_first_line(error)}): check the network, delete "
                f"what is left of them in {torch.hub.get_dir()}/checkpoints and try again, or give the path of a file of weights."
            ) from error
    else:
        path = known if weights == "auto" else Path(weights)
        state, description = _read_weights(path, must_be_known=weights == "auto")
    _check_weights(state, model.state_dict(), description)
    model.load_state_dict(state)
    return model.eval(), description, fingerprint(*(values.numpy() for values in model.state_dict().values()))


def _read_weights(path, must_be_known):
    """What the file of weights holds, and its description; the file is hashed before it is unpacked."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The weights {path} cannot be read ({error.strerror}): check the path, or use weights='torchvision'."
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 == WEIGHTS_SHA256:
        description = f"the authors' weights, {path.name}"
    elif must_be_known:
        raise DataError(
            f"{path} is damaged or not the known file of weights (SHA-256 {sha256[:12]}…, expected {WEIGHTS_SHA256[:12]}…): "
            "delete it, or use weights='torchvision'."
        )
    else:
        description = f"your own weights, {path.name}"
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), description
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} is no file of weights, or it holds more than numbers, such as code, and was not opened: take weights "
            "saved with torch.save(model.state_dict(), ...)."
        ) from error
    except Exception as error:  # a damaged archive raises nearly anything
        raise DataError(
            f"{path} is damaged or no file of weights ({_first_line(error)}): fetch it again, or use weights='torchvision'."
        ) from error


def _check_weights(state, expected, description):
    """Raise DataError unless the state has the names and shapes that the model expects, and finite numbers."""
    problem = None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        problem = "it is no state_dict, a dictionary of tensors"
    elif set(state) != set(expected):
        name = min(set(state) ^ set(expected), key=str)
        problem = f"{name} {'is missing' if name in expected else 'is not part of it'}"
    else:
        for name, values in state.items():
            if values.shape != expected[name].shape:
                problem = f"{name} has the shape {tuple(values.shape)}, not {tuple(expected[name].shape)}"
            elif not values.isfinite().all():
                problem = f"{name} holds numbers that are not finite"
    if problem:
        raise DataError(
            f"{description[0].upper()}{description[1:]}: these are not weights of SqueezeNet 1.1 with 1,000 classes ({problem})."
        )


def _first_line(error):
    lines = str(getattr(error, "reason", None) or error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


class Rescale(torch.nn.Module):
    """RGB in [-1, 1], as `fit` and `evaluate` hand images on, → mean 0 and deviation 1 over ImageNet: (N, 3, H, W)."""

    def __init__(self):
        super().__init__()
        mean, deviation = torch.tensor([IMAGENET_MEAN, IMAGENET_DEVIATION]).view(2, 1, 3, 1, 1)
        self.register_buffer("factor", 0.5 / deviation)
        self.register_buffer("offset", (0.5 - mean) / deviation)

    def forward(self, x):
        return x * self.factor + self.offset


def squeezenet_backbone(model):
    """All but SqueezeNet's last layer, on RGB in [-1, 1]: (N, 3, H, W) → (N, 512), H and W ≥ 17.

    It shares the model's weights: training it trains them. A linear layer on top does what SqueezeNet's last layer does,
    which comes before the global average instead of after it: both are linear, so their order does not matter. But
    torchvision has a ReLU between the two, which forbids negative scores; here there is none.
    """
    return torch.nn.Sequential(Rescale(), model.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).to(
        memory_format=torch.channels_last
    )


@torch.no_grad()
def features(backbone, images, batch_size=128):
    """What the backbone makes of images (N, C, H, W), bytes or floats: (N, features) on the CPU, without gradients.

    In evaluation mode; each module's own mode is restored after. Computed once, they serve all epochs of a last layer.
    """
    set_up()
    if len(images) == 0:
        raise ValueError("no images to compute features of: the set is empty")
    memory_format = _memory_format(backbone)
    device = next(backbone.parameters()).device
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    try:
        batches = images.split(batch_size)
        return torch.cat([backbone(as_input(x.to(device), memory_format)).flatten(1).cpu() for x in batches])
    finally:
        for module, mode in modes.items():
            module.training = mode
