"""The reader of UTKFace and its split, on drawings. No picture of a person in here."""

import os

import numpy as np
import pytest
import torch
from data_files import both, ordinary_user, real_folder, refusal
from made_up_sets import drawing
from PIL import Image, ImageOps

from companion.data import faces
from companion.data.ages import AGE_GROUPS, age_labels
from companion.data.faces import difference_hash, load_faces, near_duplicates
from companion.data.tree_rings import DECADE_SHARES


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


@pytest.mark.parametrize("count", [1, 2, 4])
def test_faces_too_few_for_a_part_to_be_held_out_are_refused(count, tmp_path):
    for age in range(30, 30 + count):
        put(tmp_path, name_of(age), drawing(age))
    message = refusal(lambda: load_faces(held_out=4, root=tmp_path))
    assert f"holds {count} face{'s' * (count > 1)} that can be used, too few" in message
    assert "susanqq" in message


def test_faces_that_are_all_copies_of_one_are_refused_for_every_part(tmp_path):
    for number in range(10):
        put(tmp_path, name_of(30, number=number), drawing(1), quality=95)
    for part in range(5):
        assert "10 faces that can be used, too few" in refusal(
            lambda part=part: load_faces(held_out=part, root=tmp_path)
        )


def test_a_picture_that_may_not_be_read_is_named_and_not_left_out(shared_folder):
    for age in range(30, 36):
        path = put(shared_folder, name_of(age), drawing(age))
    path.chmod(0)
    with ordinary_user():
        message = refusal(lambda: load_faces(root=shared_folder))
    assert message == f"{path} cannot be read (Permission denied): check its permissions."


def test_pictures_are_read_once_for_all_labels_and_parts(folder, monkeypatch):
    first = load_faces(root=folder)
    with monkeypatch.context() as patch:
        patch.setattr("companion.data.faces.Image.open", None)
        again, other = load_faces(root=folder), load_faces("group", held_out=3, root=folder)
    assert torch.equal(first.train.images, again.train.images)
    assert sorted(both(other, "ages").tolist()) == sorted(both(first, "ages").tolist())
    assert len(load_faces(size=32, root=folder).train) == len(first.train)


def test_changing_the_faces_of_one_call_leaves_the_next_call_alone(folder):
    first, expected = load_faces(root=folder), load_faces(root=folder)
    for part in (first.train, first.val):
        for values in (part.images, part.labels, part.ages, part.copies):
            values.zero_()
        part.traits["gender"][:] = ""
    again = load_faces(root=folder)
    for name in ("images", "labels", "ages", "copies"):
        assert torch.equal(both(again, name), both(expected, name))
    assert (again.train.traits["gender"] == expected.train.traits["gender"]).all()


def test_a_picture_that_was_exchanged_is_read_anew(folder):
    before = load_faces(root=folder)
    put(folder, name_of(20, 0, 0), drawing(777))
    after = load_faces(root=folder)
    assert before.fingerprint != after.fingerprint
    image = both(after, "images")[both(after, "ages") == 20]
    assert not torch.equal(image, both(before, "images")[both(before, "ages") == 20])


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
    for age in range(30, 36):
        put(tmp_path, name_of(age), drawing(age))
    assert "7 faces" in load_faces(root=tmp_path).source


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
