"""Ages as classes: the reader of UTKFace, its split, the drawn tree rings, and SqueezeNet. No picture of a person in here."""

import os
import sys
import urllib.error

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from test_data import real_folder, refusal
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1
from torchvision.transforms.functional import normalize

from companion.data import ages, faces, tree_rings
from companion.data.ages import AGE_GROUPS, age_labels
from companion.data.faces import difference_hash, load_faces, near_duplicates
from companion.data.tree_rings import DECADE_SHARES, load_tree_rings
from companion.models import squeezenet
from companion.models.squeezenet import load_squeezenet, squeezenet_backbone
from companion.training.engine import features


def test_the_four_groups_are_those_of_the_report():
    for age in range(1, 117):
        group = age_labels([age], "group").item()
        low, high = ((0, 17), (18, 35), (36, 71), (72, 999))[group]
        assert low <= age <= high
    assert [name.split("–")[0].split()[0] for name in AGE_GROUPS] == ["0", "18", "36", "72"]


def test_the_116_single_years_are_numbered_from_0():
    assert [ages.AGES[label] for label in age_labels([1, 2, 116])] == ["1", "2", "116"]
    assert len(ages.AGES) == 116


@pytest.mark.parametrize("load", [load_tree_rings, load_faces])
def test_other_labels_than_ages_and_groups_are_refused(load):
    assert "'age' (116 single years) or 'group'" in refusal(load, "decade")


# ------------------------------------------------------------------------------------------------------------ faces


def drawing(seed, size=96):
    """A smooth pattern of random colours: no person."""
    colours = np.random.RandomState(seed).randint(256, size=(7, 7, 3)).astype(np.uint8)
    return Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC)


def put(root, name, picture, quality=90):
    path = root / "UTKFace" / name
    path.parent.mkdir(exist_ok=True)
    picture.save(path, "JPEG", quality=quality)
    return path


def name_of(age, gender=0, race=0, number=1):
    return f"{age}_{gender}_{race}_{20170000000000000 + number}.jpg.chip.jpg"


@pytest.fixture
def folder(tmp_path):
    """60 drawings in place of faces, one of each age from 1 to 60; gender and race follow from the age."""
    for age in range(1, 61):
        put(tmp_path, name_of(age, age % 2, age % 5), drawing(age))
    return tmp_path


def both(splits, attribute):
    return torch.cat([getattr(splits.train, attribute), getattr(splits.val, attribute)])


def test_each_face_comes_with_its_own_age_gender_and_race(folder):
    splits = load_faces(root=folder)
    for part in (splits.train, splits.val):
        assert part.images.dtype == torch.uint8
        assert part.images.shape == (len(part), 3, 96, 96)
        assert part.images.is_contiguous()
        assert torch.equal(part.labels, part.ages - 1)
        for image, age, gender, race in zip(
            part.images, part.ages.tolist(), part.traits["gender"], part.traits["race"], strict=True
        ):
            with Image.open(folder / "UTKFace" / name_of(age, age % 2, age % 5)) as file:
                assert np.array_equal(image.permute(1, 2, 0), np.asarray(file))
            assert gender == ["male", "female"][age % 2]
            assert race == ["White", "Black", "Asian", "Indian", "other"][age % 5]
    assert sorted(both(splits, "ages").tolist()) == list(range(1, 61))
    assert splits.classes == tuple(map(str, range(1, 117)))


def test_the_four_groups_label_the_same_faces(folder):
    ages, groups = load_faces("age", root=folder), load_faces("group", root=folder)
    assert torch.equal(ages.val.images, groups.val.images)
    assert torch.equal(ages.val.ages, groups.val.ages)
    assert groups.classes == AGE_GROUPS
    assert both(groups, "labels").bincount().tolist() == [17, 18, 25]


def test_each_face_is_for_validation_in_one_of_five_splits_and_every_decade_has_its_fifth(folder):
    seen = []
    for fifth in range(5):
        splits = load_faces(held_out=fifth, root=folder)
        assert not set(splits.train.ages.tolist()) & set(splits.val.ages.tolist())
        counts = (splits.val.ages // 10).bincount(minlength=7).tolist()
        assert counts[1:6] == [2] * 5
        seen += splits.val.ages.tolist()
    assert sorted(seen) == list(range(1, 61))


def test_the_split_of_one_folder_is_the_same_twice_and_hardly_moves_with_one_more_face(folder):
    before, again = load_faces(root=folder), load_faces(root=folder)
    assert torch.equal(before.train.images, again.train.images)
    assert before.fingerprint == again.fingerprint
    put(folder, name_of(25, number=9), drawing(999))
    after = load_faces(root=folder)
    moved = set(before.val.ages.tolist()) ^ set(after.val.ages.tolist())
    assert len(moved) <= 2
    assert before.fingerprint != after.fingerprint


def test_the_order_of_the_validation_faces_does_not_follow_their_ages_in_a_decade(folder):
    """Otherwise the youngest of each decade would be held out: a cut by hash, not by name."""
    years = {age % 10 for age in load_faces(root=folder).val.ages.tolist()}
    assert len(years) > 4


def test_a_copy_that_was_encoded_again_brightened_resized_or_mirrored_stays_on_the_side_of_its_original(folder):
    original = drawing(25)
    copies = {
        71: (original, 50),
        72: (original.point(lambda value: min(255, value + 12)), 90),
        73: (original.resize((200, 200), Image.Resampling.BICUBIC), 90),
        74: (ImageOps.mirror(original), 90),
    }
    for age, (picture, quality) in copies.items():
        put(folder, name_of(age), picture, quality)
    sides = set()
    for fifth in range(5):
        splits = load_faces(held_out=fifth, root=folder)
        there = {25, *copies} & set(splits.val.ages.tolist())
        assert there in (set(), {25, *copies})
        sides.add(len(there))
        ages, groups = both(splits, "ages"), both(splits, "copies")
        of_the_copies = {groups[ages == age].item() for age in (25, *copies)}
        assert len(of_the_copies) == 1
        assert len(groups.unique()) == 60
    assert sides == {0, 5}


def test_the_bits_of_a_ramp_say_where_it_grows_brighter():
    ramp = Image.fromarray(np.tile(np.arange(0, 192, 2, dtype=np.uint8), (96, 1)))
    assert difference_hash(ramp).all()
    assert not difference_hash(ImageOps.mirror(ramp)).any()


def flipped(hash_, bits):
    changed = hash_.copy()
    changed[bits] ^= True
    return changed


def test_near_duplicates_are_those_of_at_most_28_bits_chains_included():
    rng = np.random.RandomState(0)
    hashes = rng.rand(1200, 256) < 0.5
    hashes[700] = flipped(hashes[3], range(28))  # in another block of the comparison
    hashes[701] = flipped(hashes[4], range(29))  # one bit too many
    hashes[500] = flipped(hashes[499], range(20))
    hashes[1100] = flipped(hashes[500], range(20, 45))  # 45 bits from 499, but near 500
    mirror = ~hashes[6].reshape(16, 16)[:, ::-1].reshape(256)
    hashes[900] = flipped(mirror, range(10))
    hashes[[10, 11]] = flipped(hashes[800], range(25)), flipped(hashes[800], range(25, 50))  # joined by a later one
    expected = np.arange(1200)
    expected[[700, 500, 1100, 900, 11, 800]] = [3, 499, 499, 6, 10, 10]
    assert near_duplicates(hashes).tolist() == expected.tolist()


def test_groups_that_meet_late_become_one():
    rng = np.random.RandomState(1)
    middle = rng.rand(256) < 0.5
    hashes = [flipped(middle, range(25)), rng.rand(256) < 0.5, flipped(middle, range(25, 50)), middle]
    assert near_duplicates(np.array(hashes)).tolist() == [0, 1, 0, 0]


def test_a_missing_folder_says_where_to_get_the_faces_and_where_to_put_them(tmp_path):
    message = refusal(lambda: load_faces(root=tmp_path))
    assert "a program cannot download it" in message
    assert "https://susanqq.github.io/UTKFace/" in message
    assert f"into the folder {tmp_path / 'UTKFace'}" in message


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "UTKFace").write_text("not a folder")
    assert "cannot be read as a folder" in refusal(lambda: load_faces(root=tmp_path))


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "UTKFace").mkdir()
    (tmp_path / "UTKFace" / "readme.txt").write_text("no faces here")
    message = refusal(lambda: load_faces(root=tmp_path))
    assert "holds no .jpg pictures" in message
    assert "susanqq" in message


def test_what_cannot_be_used_is_left_out_and_counted(folder):
    whole = load_faces(root=folder)
    bad_names = (  # the first three are in the real distribution
        "39_1_20170116174525125.jpg.chip.jpg",
        "61_1_20170109142408075.jpg.chip.jpg",
        "53__0_20170116184028385.jpg.chip.jpg",
        "25_0_0_20170116184028385.jpg",  # a picture that is not aligned
        "25_2_0_20170116184028385.jpg.chip.jpg",
        "25_1_5_20170116184028385.jpg.chip.jpg",
    )
    for number, name in enumerate(bad_names):
        put(folder, name, drawing(200 + number))
    for age in (0, 117, 999):
        put(folder, name_of(age), drawing(300 + age))
    good = put(folder, name_of(70, number=1), drawing(400))
    (folder / "UTKFace" / name_of(70, number=2)).write_bytes(good.read_bytes()[:-400])
    (folder / "UTKFace" / name_of(70, number=3)).write_bytes(b"")
    (folder / "UTKFace" / name_of(70, number=4)).write_text("<html>404</html>")
    (folder / "UTKFace" / name_of(70, number=5)).mkdir()
    good.unlink()
    (folder / "UTKFace" / f"._{name_of(20)}").write_bytes(b"what macOS leaves beside a file")
    splits = load_faces(root=folder)
    assert torch.equal(both(splits, "images"), both(whole, "images"))
    assert splits.fingerprint == whole.fingerprint
    assert whole.source == "your own copy, 60 faces"
    assert splits.source == (
        "your own copy, 60 faces; left out: 6 with a name that is not AGE_GENDER_RACE_DATE.jpg.chip.jpg, "
        "3 with an age outside 1 to 116, 4 not to be decoded as a picture"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [("holiday.jpg", "1 with a name"), (name_of(117), "1 with an age"), (name_of(20), "1 not to be decoded")],
)
def test_a_folder_of_which_nothing_can_be_used_is_refused_with_the_reason(name, why, tmp_path):
    (tmp_path / "UTKFace").mkdir()
    (tmp_path / "UTKFace" / name).write_bytes(b"no picture")
    message = refusal(lambda: load_faces(root=tmp_path))
    assert "holds no face that can be used" in message
    assert why in message


@pytest.mark.parametrize(
    "name",
    [
        "24_0_1_20170116220224657 .jpg.chip.jpg",
        "55_0_0_20170116232725357jpg.chip.jpg",
        "44_1_4_20170116235150272.pg.chip.jpg",
        "80_1_4_20170116235150272.JPG.chip.JPG",
    ],
)
def test_names_of_the_real_distribution_that_only_end_oddly_are_read(name, tmp_path):
    put(tmp_path, name, drawing(1))
    put(tmp_path, name_of(30), drawing(2))
    assert "2 faces" in load_faces(root=tmp_path).source


def test_pictures_of_another_size_and_grey_ones_become_what_the_rest_is(folder):
    put(folder, name_of(90), drawing(90, size=200))
    put(folder, name_of(91), drawing(91).convert("L"))
    splits = load_faces(root=folder)
    images, ages = both(splits, "images"), both(splits, "ages")
    assert images.shape == (62, 3, 96, 96)
    exact = torch.from_numpy(np.array(drawing(90))).permute(2, 0, 1)
    assert (images[ages == 90][0].int() - exact.int()).abs().float().mean() < 4
    red, green, blue = images[ages == 91][0]
    assert torch.equal(red, green)
    assert torch.equal(green, blue)
    assert load_faces(size=32, root=folder).train.images.shape[1:] == (3, 32, 32)


def test_the_size_of_the_images_does_not_change_the_split(folder):
    """Not even at 4×4 pixels, where all pictures look alike."""
    small, usual = load_faces(size=4, root=folder), load_faces(root=folder)
    assert torch.equal(small.val.ages, usual.val.ages)
    assert torch.equal(small.train.copies, usual.train.copies)


def test_the_fingerprint_is_that_of_names_and_bytes(folder):
    before = load_faces(root=folder).fingerprint
    path = folder / "UTKFace" / name_of(20, 0, 0)
    os.utime(path, (0, 0))
    assert load_faces(root=folder).fingerprint == before
    path.rename(path.with_name(name_of(21, 0, 0)))
    renamed = load_faces(root=folder).fingerprint
    path.with_name(name_of(21, 0, 0)).rename(path)
    with open(path, "ab") as file:
        file.write(b"\0")  # decodes to the same pixels
    assert len({before, renamed, load_faces(root=folder).fingerprint}) == 3


def test_the_known_subset_is_named_as_such(folder, monkeypatch):
    monkeypatch.setattr("companion.data.faces.SUBSET_FINGERPRINT", load_faces(root=folder).fingerprint)
    assert load_faces(root=folder).source == "60 of the known subset"


def test_a_fifth_that_is_not_there_is_refused():
    assert "0 to 4, not 5" in refusal(load_faces, "age", 5)


# ------------------------------------------------------------------------------------------------------- tree rings


@pytest.fixture(scope="module")
def rings():
    return load_tree_rings()


def test_tree_rings_are_1400_pictures_with_the_unevenness_of_the_real_ages(rings):
    for split, count in ((rings.train, 1000), (rings.val, 400)):
        assert split.images.shape == (count, 3, 56, 56)
        assert split.images.dtype == torch.uint8
        assert torch.equal(split.labels, split.ages - 1)
    ages = both(rings, "ages")
    assert (ages.min(), ages.max()) >= (1, 100)
    assert ages.max() <= 116
    expected = torch.tensor(DECADE_SHARES) / sum(DECADE_SHARES) * 1400
    found = (ages // 10).bincount(minlength=12)
    assert ((found - expected).abs() < 4 * expected.sqrt() + 1).all()


def test_the_four_groups_label_the_same_trees():
    groups, years = (load_tree_rings(labels, n_train=100, n_val=50) for labels in ("group", "age"))
    assert torch.equal(groups.train.images, years.train.images)
    assert groups.train.labels.tolist() == [sum(age >= start for start in (18, 36, 72)) for age in years.train.ages]
    assert groups.classes == AGE_GROUPS


def test_tree_rings_are_the_same_bytes_on_every_machine(rings):
    assert rings.fingerprint == "54a7dc107e6869a7c5bf57690b8d0ef9fde9cab1bf544f1c110346c1f1c22bc7"
    larger = load_tree_rings(n_train=2000, n_val=500, size=64)
    assert larger.fingerprint == "31755a5ce0b09f310b9faef16bb3468e8326728669708d765bb04809b5ce86f2"


def test_another_held_out_draws_other_trees(rings):
    other = load_tree_rings(held_out=1, n_train=20, n_val=10)
    assert not torch.equal(other.train.images, rings.train.images[:20])
    same = load_tree_rings(held_out=1, n_train=20, n_val=10)
    assert torch.equal(other.train.images, same.train.images)
    assert torch.equal(other.val.images, same.val.images)


def dark_lines(red, wood):
    """How many years end, along the red values (T,) from the centre to the bark: light is reached once a year."""
    middle = (tree_rings._LIGHT[wood][0] + tree_rings._LATE[wood][0]) / 2
    light = red[: np.flatnonzero(red == tree_rings._BARK[0])[0]] > middle
    return light[0] + (light[1:] & ~light[:-1]).sum()


@pytest.mark.parametrize("wood", [0, 1])
def test_the_number_of_rings_is_the_age(wood):
    """Counted in trunks so large that every ring is many pixels wide."""
    for age in (*range(1, 117, 5), 115):
        assert dark_lines(tree_rings._colours(np.random.RandomState(age), age, wood, 2000)[:, 0], wood) == age


class Middle(np.random.RandomState):
    """Random numbers without chance, from the middle of each range: a round trunk, its centre 5 % from the upper left."""

    def uniform(self, low, high, size=None):
        return np.full(size or (), (low + high) / 2)

    def randint(self, low, high=None, size=None):
        low, high = (0, low) if high is None else (low, high)
        return np.full(size or (), (low + high - 1) // 2)


@pytest.mark.parametrize("wood", [0, 1])
def test_the_rings_can_be_counted_in_a_large_picture_to_the_right_and_downwards(wood):
    for age in (1, 5, 12, 28, 50):
        red = tree_rings._trunk(Middle(), age, wood, 500)[0]
        assert dark_lines(red[25, 25:], wood) == dark_lines(red[25:, 25], wood) == age


def test_older_trees_are_larger_and_the_whole_trunk_is_in_the_picture(rings):
    images, ages = rings.train.images.float(), rings.train.ages
    pale = torch.from_numpy(rings.train.traits["wood"] == "pale")
    smooth = torch.nn.functional.avg_pool2d(images[pale], 8)
    wood = ((smooth[:, 0] - smooth[:, 2]) > 40).float().mean((1, 2))  # more red than blue: no background is
    order = torch.stack([wood.argsort().argsort(), ages[pale].argsort().argsort()]).float()
    assert torch.corrcoef(order)[0, 1] > 0.85
    assert (wood == 1).float().mean() < 0.02
    assert 0.2 < 1 - pale.float().mean() < 0.3


# ------------------------------------------------------------------------------------------------------- SqueezeNet


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(5)
    return squeezenet1_1().state_dict()


@pytest.fixture
def weights(state, tmp_path):
    path = tmp_path / "mine.pth"
    torch.save(state, path)
    return path


def saved(path, content):
    torch.save(content, path)
    return path


def test_weights_of_a_file_are_those_of_the_model(weights, state):
    model, description, fingerprint = load_squeezenet(weights)
    assert description == "your own weights, mine.pth"
    assert len(fingerprint) == 64
    for name, values in model.state_dict().items():
        assert torch.equal(values, state[name])
    assert not model.training
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 1_235_496


def test_the_fingerprint_of_weights_is_that_of_their_numbers(weights, state, tmp_path):
    _, _, fingerprint = load_squeezenet(str(weights))
    torch.save(dict(reversed(state.items())), tmp_path / "other.pth", _use_new_zipfile_serialization=False)
    assert load_squeezenet(tmp_path / "other.pth")[2] == fingerprint
    changed = {**state, "classifier.1.bias": state["classifier.1.bias"] + 1e-3}
    assert load_squeezenet(saved(tmp_path / "other.pth", changed))[2] != fingerprint


def test_loading_weights_uses_no_random_numbers(weights):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load_squeezenet(weights)
    assert torch.equal(torch.rand(4), expected)


def test_a_missing_file_of_weights_is_named(tmp_path):
    message = refusal(load_squeezenet, tmp_path / "none.pth")
    assert f"{tmp_path / 'none.pth'} cannot be read (No such file or directory)" in message
    assert "weights='torchvision'" in message


@pytest.mark.filterwarnings("error")
def test_files_that_are_no_weights_are_refused_in_one_sentence(weights, tmp_path):
    whole = weights.read_bytes()
    contents = {
        "truncated": whole[:-1000],
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"<html>404 not found</html>\n",
    }
    for name, content in contents.items():
        path = tmp_path / f"{name}.pth"
        path.write_bytes(content)
        assert "no file of weights" in refusal(load_squeezenet, path)


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_of_weights_is_not_run(zipped, state, tmp_path):
    target, path = tmp_path / "run", tmp_path / "evil.pth"
    torch.save({**state, "extra": Attack(target)}, path, _use_new_zipfile_serialization=zipped)
    assert "more than numbers, such as code, and was not opened" in refusal(load_squeezenet, path)
    assert not target.exists()
    torch.load(path, weights_only=False)  # the file is a real attack
    assert target.exists()


def test_weights_of_another_network_are_refused_with_the_difference(state, tmp_path):
    cases = (
        (torch.nn.Linear(2, 2).state_dict(), "bias is not part of it"),
        ({k: v for k, v in state.items() if k != "classifier.1.bias"}, "classifier.1.bias is missing"),
        (
            {**state, "classifier.1.bias": torch.zeros(10)},
            "classifier.1.bias has the shape (10,), not (1000,)",
        ),
        ({**state, "classifier.1.bias": torch.full((1000,), float("nan"))}, "classifier.1.bias holds numbers that"),
        ({"state_dict": state}, "it is no state_dict"),
        (list(state.values()), "it is no state_dict"),
    )
    for content, problem in cases:
        message = refusal(load_squeezenet, saved(tmp_path / "other.pth", content))
        assert message.startswith("Your own weights, other.pth: these are not weights of SqueezeNet 1.1")
        assert problem in message


def test_the_known_file_is_taken_first_and_refused_when_it_is_damaged(state, tmp_path, monkeypatch):
    path = tmp_path / squeezenet.WEIGHTS_FILE
    path.parent.mkdir(parents=True)
    torch.save(state, path)
    assert "is damaged or not the known file of weights" in refusal(lambda: load_squeezenet(root=tmp_path))
    monkeypatch.setattr(
        "companion.models.squeezenet.WEIGHTS_SHA256", faces.hashlib.sha256(path.read_bytes()).hexdigest()
    )
    model, description, _ = load_squeezenet(root=tmp_path)
    assert description == "the authors' weights, squeezenet1_1-deepscale.pth"
    assert torch.equal(model.classifier[1].bias, state["classifier.1.bias"])


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """PyTorch's own cache of downloaded weights, empty; what is not in it cannot be fetched."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))

    def no_network(*arguments, **options):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("weights", ["auto", "torchvision"])
def test_without_the_known_file_torchvision_fetches_its_weights_once(weights, state, torch_home, tmp_path):
    message = refusal(load_squeezenet, weights, tmp_path)
    assert "could not be fetched or read (no route to host)" in message
    torch.save(state, torch_home / SqueezeNet1_1_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1])
    model, description, _ = load_squeezenet(weights, tmp_path)
    assert description == "torchvision's IMAGENET1K_V1"
    assert torch.equal(model.classifier[1].bias, state["classifier.1.bias"])


def test_a_damaged_download_of_torchvision_says_where_it_lies(torch_home, tmp_path):
    (torch_home / SqueezeNet1_1_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]).write_bytes(b"half a file")
    assert str(torch_home) in refusal(load_squeezenet, "torchvision", tmp_path)


def test_a_torchvision_that_does_not_work_says_how_to_repair_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    assert "`python -m companion.publish.install.torchvision_cpu`" in refusal(load_squeezenet)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(6)
    return squeezenet1_1()


@pytest.fixture(scope="module")
def images():
    return (
        torch.from_numpy(np.stack([np.array(drawing(seed, 64)) for seed in range(5)])).permute(0, 3, 1, 2).contiguous()
    )


def test_features_are_those_of_torchvisions_own_normalisation(net, images):
    preset = SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    with torch.no_grad():
        theirs = net.features(normalize(images / 255, preset.mean, preset.std)).mean((2, 3))
    ours = features(squeezenet_backbone(net), images)
    assert ours.shape == (5, 512)
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert ours.std() > 1e-3


def test_a_linear_layer_on_features_does_what_the_last_layer_does_without_its_relu(net, images):
    backbone = squeezenet_backbone(net)
    head = net.classifier[1]
    pooled = torch.nn.functional.linear(features(backbone, images), head.weight.flatten(1), head.bias)
    with torch.no_grad():
        maps = backbone[:2](images / 127.5 - 1)
        theirs = head(maps).mean((2, 3))
    assert torch.allclose(pooled, theirs, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(net.eval().classifier(maps).flatten(1), theirs, rtol=1e-2, atol=1e-3)  # the ReLU


def test_features_come_batch_by_batch_without_gradients_and_leave_the_modes_alone(images):
    backbone = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout(0.5), torch.nn.AdaptiveAvgPool2d(1)
    ).train()
    backbone[1].eval()
    before = {name: values.clone() for name, values in backbone.state_dict().items()}
    one, whole = features(backbone, images, batch_size=2), features(backbone, images)
    assert one.shape == (5, 4)
    assert torch.allclose(one, whole, atol=1e-6)
    assert not one.requires_grad
    assert [module.training for module in backbone] == [True, False, True, True]
    assert all(torch.equal(values, before[name]) for name, values in backbone.state_dict().items())


def test_the_smallest_image_of_the_backbone_has_17_pixels(net):
    assert features(squeezenet_backbone(net), torch.zeros(1, 3, 17, 17, dtype=torch.uint8)).shape == (1, 512)


def test_no_images_have_no_features(net):
    with pytest.raises(ValueError, match="the set is empty"):
        features(net, torch.zeros(0, 3, 64, 64, dtype=torch.uint8))


# -------------------------------------------------------------------------------------------------------- real data


@pytest.fixture(scope="module")
def real_faces():
    return load_faces(root=real_folder("UTKFace"))


@pytest.mark.realdata
def test_the_restored_faces_are_the_known_subset(real_faces):
    if real_faces.fingerprint != faces.SUBSET_FINGERPRINT:
        pytest.skip("the faces in COMPANION_DATA are another copy")
    names = [path.name for path in real_folder("UTKFace").joinpath("UTKFace").iterdir()]
    assert real_faces.source == "5,499 of the known subset"
    assert len(names) == len(real_faces.train) + len(real_faces.val) == 5499
    ages = sorted(int(name.split("_")[0]) for name in names)
    assert both(real_faces, "ages").sort().values.tolist() == ages
    assert len(set(ages)) == 104
    assert tuple(np.bincount(np.array(ages) // 10)) == DECADE_SHARES
    assert np.bincount(age_labels(ages, "group")).tolist() == [969, 2474, 1688, 368]


@pytest.mark.realdata
def test_the_real_split_is_about_four_to_one_in_every_decade(real_faces):
    train, val = ((part.ages // 10).bincount(minlength=12) for part in (real_faces.train, real_faces.val))
    assert ((val - (train + val) / 5).abs() <= 2).all()
    assert not set(real_faces.train.copies.tolist()) & set(real_faces.val.copies.tolist())


@pytest.mark.realdata
def test_near_duplicates_among_the_real_faces_are_few_pairs_that_look_alike(real_faces):
    """Second witness: their pixels, and not only their hashes, are nearly the same, as they are or mirrored."""
    images, groups = both(real_faces, "images"), both(real_faces, "copies")
    sizes = groups.bincount()
    assert 25 <= (sizes > 1).sum() <= 45
    assert sizes.max() <= 4
    for group in (sizes > 1).nonzero().flatten():
        members = images[groups == group].float().mean(1)
        first = members[0].flatten()
        best = [
            max(torch.corrcoef(torch.stack([first, other.flatten()]))[0, 1] for other in (member, member.flip(1)))
            for member in members[1:]
        ]
        assert max(best) > 0.8


@pytest.fixture(scope="module")
def real_net():
    return load_squeezenet(root=real_folder(squeezenet.WEIGHTS_FILE))


@pytest.mark.realdata
def test_the_restored_weights_know_a_temple_when_they_see_one(real_net):
    from sklearn.datasets import load_sample_images

    model, description, fingerprint = real_net
    assert description == "the authors' weights, squeezenet1_1-deepscale.pth"
    assert fingerprint.startswith("bb601beb06fd")
    preset = SqueezeNet1_1_Weights.IMAGENET1K_V1
    temple = torch.from_numpy(load_sample_images().images[0].copy()).permute(2, 0, 1)
    with torch.no_grad():
        best = model(preset.transforms()(temple)[None]).topk(3).indices[0]
    names = {preset.meta["categories"][number] for number in best}
    assert {"stupa", "palace"} <= names


@pytest.mark.realdata
def test_the_real_features_of_real_faces_tell_age_better_than_chance(real_net, real_faces):
    """400 faces and a least-squares line: the predicted ages follow the real ones."""
    backbone = squeezenet_backbone(real_net[0])
    part = real_faces.train
    x = features(backbone, part.images[:: len(part) // 400][:400]).double()
    y = part.ages[:: len(part) // 400][:400].double()
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    x, y = (x - x.mean(0))[order], y[order]
    fitted, held = slice(0, 300), slice(300, 400)
    kernel = x @ x.T
    alpha = torch.linalg.solve(
        kernel[fitted, fitted] + 0.1 * kernel.diagonal().mean() * torch.eye(300), y[fitted] - y[fitted].mean()
    )
    predicted = kernel[held, fitted] @ alpha
    assert torch.corrcoef(torch.stack([predicted, y[held]]))[0, 1] > 0.4
