"""Airplanes and motorbikes, and the stand-in: pictures with the sizes that they had."""

import io
import re
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from data_files import (
    assert_equal_splits,
    both,
    everything_in,
    real_folder,
    refusal,
    refusal_without_a_trace,
    write,
)
from made_up_sets import PAGE, drawing
from PIL import Image

from companion.data import two_classes
from companion.data.files import DataError
from companion.data.two_classes import load_fours_and_nines, load_planes_and_motorbikes

PLACE = two_classes.CALTECH_PLACE
COUNTS = {"airplanes": 5, "Motorbikes": 4}


def jpeg(picture, **options):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def packed(files, inner=two_classes.CALTECH_INNER):
    """A zip with a .tar.gz in it, as the real archive is one."""
    tar, whole = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz", compresslevel=1) as file:
        for name, content in files.items():
            member = tarfile.TarInfo(f"101_ObjectCategories/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("caltech-101/Annotations.tar", b"none")
        file.writestr(inner, tar.getvalue())
    return whole.getvalue()


def accept(monkeypatch, files):
    """Take these files for the true set."""
    digest = two_classes.hashlib.sha256()
    for name in sorted(files, key=lambda name: (name.startswith("M"), name)):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    monkeypatch.setattr(two_classes, "CALTECH_FINGERPRINT", digest.hexdigest())


@pytest.fixture
def files(monkeypatch):
    """Nine drawings, wide airplanes and narrow motorbikes, one of them grey; accepted as the true set, without a network."""
    monkeypatch.setattr(two_classes, "CALTECH_COUNTS", COUNTS)
    monkeypatch.setattr(two_classes, "CALTECH_URLS", ())
    made = {}
    for kind, count in COUNTS.items():
        for number in range(1, count + 1):
            picture = drawing(number).resize((40 + number if kind == "airplanes" else 20 + number, 30))
            grey = (kind, number) == ("Motorbikes", 2)
            made[f"{kind}/image_{number:04d}.jpg"] = jpeg(picture.convert("L") if grey else picture)
    accept(monkeypatch, made)
    return made


def test_each_picture_is_grey_squeezed_labelled_and_keeps_its_size(files, tmp_path):
    splits = load_planes_and_motorbikes(size=16, root=write(tmp_path, PLACE, files))
    images, labels, sizes = (both(splits, name) for name in ("images", "labels", "sizes"))
    assert (
        images.shape == (9, 1, 16, 16) and images.dtype == torch.uint8 and splits.classes == ("airplane", "motorbike")
    )
    for image, label, size in zip(images, labels.tolist(), sizes.tolist(), strict=True):
        number = size[0] - (20 if label else 40)
        with Image.open(io.BytesIO(files[f"{['airplanes', 'Motorbikes'][label]}/image_{number:04d}.jpg"])) as file:
            expected = np.asarray(file.convert("L").resize((16, 16), Image.Resampling.BILINEAR))
            assert np.array_equal(image[0], expected) and size == list(file.size)
    assert labels.bincount().tolist() == [5, 4] and len(splits.val) == 2


def test_a_grey_picture_among_coloured_ones_is_read_and_counted(files, tmp_path):
    assert (
        "9 pictures, 1 of them grey in its file"
        in load_planes_and_motorbikes(root=write(tmp_path, PLACE, files)).source
    )


def test_other_folders_and_files_beside_the_pictures_change_nothing(files, tmp_path):
    plain = load_planes_and_motorbikes(root=write(tmp_path / "a", PLACE, files))
    others = {
        "BACKGROUND_Google/tmp": b"",
        "cat/image_0001.jpg": b"x",
        "airplanes/notes.txt": b"mine",
        "airplanes/my.jpg": b"y",
    }
    more = load_planes_and_motorbikes(root=write(tmp_path / "b", PLACE, {**files, **others}))
    assert_equal_splits(plain, more)


def test_folder_archive_and_download_give_the_same_pictures(files, serve, monkeypatch, tmp_path):
    folder = load_planes_and_motorbikes(root=write(tmp_path / "a", PLACE, files))
    archive = packed({**files, "cat/image_0001.jpg": b"x"})
    kept = load_planes_and_motorbikes(root=write(tmp_path / "b", "", {"caltech-101.zip": archive}))
    server = serve({"caltech-101.zip": archive})
    monkeypatch.setattr(two_classes, "CALTECH_URLS", (server.url + "caltech-101.zip",))
    fetched = load_planes_and_motorbikes(root=tmp_path / "c")
    assert_equal_splits(folder, kept)
    assert_equal_splits(folder, fetched)
    assert everything_in(tmp_path / "c") == {"caltech-101.zip": archive}
    load_planes_and_motorbikes(split=1, root=tmp_path / "c")
    assert len(server.ranges_asked) == 1  # downloaded once


@pytest.mark.parametrize("kind", ["a web page", "half of it", "another zip", "other pictures"])
def test_a_wrong_download_is_not_kept(kind, files, serve, monkeypatch, tmp_path):
    whole = packed(files)
    wrong = {
        "a web page": PAGE,
        "half of it": whole[: len(whole) // 2],
        "another zip": packed(files, inner="other.tar.gz"),
        "other pictures": packed({name: jpeg(drawing(99)) for name in files}),
    }
    server = serve({"caltech-101.zip": wrong[kind]})
    monkeypatch.setattr(two_classes, "CALTECH_URLS", (server.url + "caltech-101.zip",))
    assert "caltech-101.zip could not be downloaded" in refusal_without_a_trace(load_planes_and_motorbikes, tmp_path)


def test_without_files_and_without_network_the_message_says_what_to_do(files, closed_port, monkeypatch, tmp_path):
    url = f"http://127.0.0.1:{closed_port}/caltech-101.zip"
    monkeypatch.setattr(two_classes, "CALTECH_URLS", (url,))
    message = refusal_without_a_trace(load_planes_and_motorbikes, tmp_path)
    assert f"put the file into {tmp_path} by hand from {url}" in message


def test_a_folder_of_other_folders_names_some_of_them_and_what_is_missing(files, tmp_path):
    root = write(tmp_path, PLACE, {f"{kind}/a.jpg": b"x" for kind in ("cats", "dogs", "emus", "foxes")})
    message = refusal_without_a_trace(load_planes_and_motorbikes, root)
    assert "has no folder airplanes in it (it holds cats, dogs, emus and others)" in message
    assert "run `companion data planes_and_motorbikes`" in message


def test_a_folder_without_pictures_is_named(files, tmp_path):
    root = write(tmp_path, PLACE, {"airplanes/readme.txt": b"soon", **{n: c for n, c in files.items() if n[0] == "M"}})
    message = refusal_without_a_trace(load_planes_and_motorbikes, root)
    assert re.search(r"The folder \S+/airplanes holds no \.jpg pictures", message)
    (tmp_path / "empty" / PLACE).mkdir(parents=True)
    assert "(it is empty)" in refusal(lambda: load_planes_and_motorbikes(root=tmp_path / "empty"))


@pytest.mark.parametrize("packing", ["folder", "archive"])
def test_a_truncated_picture_is_named_as_one_that_ends_too_early(packing, files, tmp_path):
    name = "airplanes/image_0003.jpg"
    wrong = {**files, name: files[name][:-100]}
    place, content = (PLACE, wrong) if packing == "folder" else ("", {"caltech-101.zip": packed(wrong)})
    message = refusal_without_a_trace(load_planes_and_motorbikes, write(tmp_path, place, content))
    assert f"{name} is damaged or not the right file (the picture ends too early)" in message
    assert ("remove the folder caltech101" if packing == "folder" else "delete caltech-101.zip") in message


def test_what_is_no_picture_is_named(files, tmp_path):
    wrong = {**files, "Motorbikes/image_0001.jpg": PAGE}
    message = refusal_without_a_trace(load_planes_and_motorbikes, write(tmp_path, PLACE, wrong))
    assert (
        "Motorbikes/image_0001.jpg is damaged or not the right file (it is no picture that can be decoded)" in message
    )


def test_a_missing_picture_and_another_one_are_told_apart(files, tmp_path):
    some = {name: content for name, content in files.items() if name != "airplanes/image_0002.jpg"}
    message = refusal_without_a_trace(load_planes_and_motorbikes, write(tmp_path / "a", PLACE, some))
    assert "holds 8 of the 9 pictures; airplanes/image_0002.jpg is the first one missing" in message
    other = {**files, "airplanes/image_0002.jpg": jpeg(drawing(77))}
    message = refusal_without_a_trace(load_planes_and_motorbikes, write(tmp_path / "b", PLACE, other))
    assert "its content is not the known planes_and_motorbikes set" in message


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.95])
def test_a_truncated_archive_is_named_with_what_to_do(kept, files, tmp_path):
    whole = packed(files)
    root = write(tmp_path, "", {"caltech-101.zip": whole[: int(kept * len(whole))]})
    message = refusal_without_a_trace(load_planes_and_motorbikes, root)
    assert message.startswith("caltech-101.zip is damaged or not the right file")
    assert "delete caltech-101.zip and run `companion data planes_and_motorbikes`" in message


def test_a_damaged_byte_anywhere_in_the_archive_raises_nothing_but_a_data_error(files, tmp_path):
    whole, rng, refused = packed(files), np.random.default_rng(0), 0
    for at in rng.integers(len(whole), size=30):
        content = bytearray(whole)
        content[at] ^= 255
        root = write(tmp_path / str(at), "", {"caltech-101.zip": bytes(content)})
        try:
            load_planes_and_motorbikes(root=root)
        except DataError:
            refused += 1
    assert refused >= 20  # a few bytes, such as the dates, carry no content


# ------------------------------------------------------------------------------------------------------------- both sets


@pytest.fixture(params=["stand-in", "real"])
def load(request, tmp_path):
    if request.param == "stand-in":
        return load_fours_and_nines
    files = request.getfixturevalue("files")
    root = write(tmp_path, PLACE, files)
    return lambda **options: load_planes_and_motorbikes(root=root, **options)


def test_another_split_is_another_quarter_of_the_same_pictures(load):
    first, again, other = load(), load(), load(split=1)
    assert_equal_splits(first, again)
    assert len(first.val) == (len(first.val) + len(first.train)) // 4 and first.fingerprint == other.fingerprint
    assert sorted(both(first, "sizes").tolist()) == sorted(both(other, "sizes").tolist())
    assert not torch.equal(first.val.sizes, other.val.sizes)


@pytest.mark.parametrize("wrong", [{"split": -1}, {"split": 0.5}, {"size": 0}, {"size": "64"}, {"size": 1000}])
def test_a_split_or_size_that_is_none_is_refused(wrong, load):
    assert repr(next(iter(wrong.values()))) in refusal(lambda: load(**wrong))


def test_the_stand_in_has_fours_and_nines_whose_widths_do_not_meet():
    splits = load_fours_and_nines()
    widths, labels = both(splits, "sizes")[:, 0], both(splits, "labels")
    assert labels.bincount().tolist() == [181, 180] and splits.train.images.shape[1:] == (1, 28, 28)
    assert widths[labels == 0].max() < widths[labels == 1].min()


def test_writing_to_a_split_does_not_change_the_next_one(load):
    first = load()
    kept = first.train.images.clone()
    first.train.images.zero_()
    assert torch.equal(load().train.images, kept)


# ------------------------------------------------------------------------------------------------------------ real data


@pytest.mark.realdata
def test_the_real_pictures_have_the_counts_and_sizes_that_the_files_have():
    root = real_folder("caltech101")
    splits = load_planes_and_motorbikes(root=root)
    sizes, labels = both(splits, "sizes"), both(splits, "labels")
    expected = {0: [], 1: []}
    for label, kind in enumerate(("airplanes", "Motorbikes")):
        for path in (root / PLACE / kind).glob("*.jpg"):
            with Image.open(path) as file:
                expected[label].append(list(file.size))
    for label in (0, 1):
        assert sorted(sizes[labels == label].tolist()) == sorted(expected[label])
    assert "7 of them grey in their files" in splits.source and (len(splits.train), len(splits.val)) == (1199, 399)
