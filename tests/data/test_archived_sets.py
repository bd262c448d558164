"""What holds for every set that comes as one archive or as one folder."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from data_files import (
    assert_equal_splits,
    everything_in,
    refusal,
    refusal_without_a_trace,
    write,
)
from made_up_sets import PAGE

from companion.data.files import DataError


def test_folder_archive_and_download_give_the_same_tensors(archived, serve, monkeypatch, tmp_path):
    folder = archived.load(root=write(tmp_path / "a", archived.folder, archived.files))
    archive = archived.load(root=write(tmp_path / "b", "", {archived.archive_name: archived.archive}))
    server = serve({archived.archive_name: archived.archive})
    monkeypatch.setattr(archived.urls, (server.url + archived.archive_name,))
    downloaded = archived.load(root=tmp_path / "c")
    assert_equal_splits(folder, archive)
    assert_equal_splits(folder, downloaded)
    assert folder.source.startswith(f"folder {archived.folder}")
    assert archive.source.startswith(f"archive {archived.archive_name}")
    assert everything_in(tmp_path / "c") == {archived.archive_name: archived.archive}
    archived.load(root=tmp_path / "c")
    assert len(server.ranges_asked) == 1  # downloaded once


@pytest.mark.parametrize("kept", [1, 20, 39])
def test_a_folder_with_a_part_of_the_files_says_how_many_and_which_is_missing(kept, archived, tmp_path):
    files = dict(list(archived.files.items())[:kept])
    message = refusal_without_a_trace(archived.load, write(tmp_path, archived.folder, {"other.txt": b"", **files}))
    total = len(archived.files)
    assert f"The folder {archived.folder} holds {kept} of the {total} " in message
    assert f"{archived.remove} and run `companion data {archived.name}`" in message


def test_an_empty_folder_is_no_set(archived, tmp_path):
    (tmp_path / archived.folder).mkdir(parents=True)
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"The folder {archived.folder} holds 0 of the 40 " in message


def test_an_archive_with_half_the_files_says_how_many(archived, tmp_path):
    half = archived.repack(dict(list(archived.files.items())[:20]))
    message = refusal_without_a_trace(archived.load, write(tmp_path, "", {archived.archive_name: half}))
    assert f"holds 20 of the {len(archived.files)} " in message
    assert f"delete {archived.archive_name} and run `companion data {archived.name}`" in message


@pytest.mark.parametrize("packing", ["folder", "archive"])
def test_altered_content_is_refused_by_its_fingerprint(packing, archived, tmp_path):
    files = dict(archived.files)
    names = sorted(files)
    files[names[-1]], files[names[-2]] = files[names[-2]], files[names[-1]]  # two files have changed places
    if packing == "folder":
        write(tmp_path, archived.folder, files)
    else:
        write(tmp_path, "", {archived.archive_name: archived.repack(files)})
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"not the known {archived.name} set" in message
    assert archived.remove in message if packing == "folder" else f"delete {archived.archive_name}" in message


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.1, 0.5, 0.9])
def test_a_truncated_archive_is_named_with_what_to_do(kept, archived, tmp_path):
    content = archived.archive[: int(kept * len(archived.archive))]
    message = refusal_without_a_trace(archived.load, write(tmp_path, "", {archived.archive_name: content}))
    assert archived.archive_name in message
    assert f"delete {archived.archive_name} and run `companion data {archived.name}`" in message


def test_a_damaged_byte_anywhere_in_an_archive_raises_nothing_but_a_data_error(archived, tmp_path):
    whole, rng = archived.archive, np.random.default_rng(0)
    refused = 0
    for at in [0, 3, *rng.integers(len(whole), size=30)]:
        content = bytearray(whole)
        content[at] ^= 255
        root = write(tmp_path / str(at), "", {archived.archive_name: bytes(content)})
        try:
            archived.load(root=root)
        except DataError as error:
            refused += f"delete {archived.archive_name} and run" in str(error)
    assert refused >= 25  # a few bytes, such as the date of packing, carry no content


@pytest.mark.parametrize(
    "content", [b"<html>404 not found</html>\n", gzip.compress(b"hello")], ids=["a web page", "gzip without a tar"]
)
def test_a_file_that_is_no_archive_is_named_with_what_to_do(content, archived, tmp_path):
    message = refusal_without_a_trace(archived.load, write(tmp_path, "", {archived.archive_name: content}))
    assert message.startswith(f"{archived.archive_name} is damaged or not the right file")


def test_a_relative_folder_is_looked_up_anew_in_every_working_folder(archived, tmp_path, monkeypatch, closed_port):
    write(tmp_path / "a", "", {f"data/{archived.archive_name}": archived.archive})
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    assert len(archived.load(root="data").train) == len(archived.load(root=tmp_path / "a" / "data").train)
    monkeypatch.chdir(tmp_path / "b")
    monkeypatch.setattr(archived.urls, (f"http://127.0.0.1:{closed_port}/set.tar.gz",))
    assert f"{tmp_path / 'b' / 'data'}" in refusal(lambda: archived.load(root="data"))


def test_an_archive_that_cannot_be_read_is_not_to_be_deleted(archived, tmp_path):
    (tmp_path / archived.archive_name).mkdir()  # stands for a missing permission
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"{archived.archive_name} cannot be read" in message
    assert "delete" not in message


def test_a_file_that_cannot_be_read_is_named(archived, tmp_path):
    write(tmp_path, archived.folder, archived.files)
    name = sorted(archived.files)[0]
    (tmp_path / archived.folder / name).unlink()
    (tmp_path / archived.folder / name).mkdir()
    assert f"{name} cannot be read" in refusal_without_a_trace(archived.load, tmp_path)


def test_a_folder_that_cannot_be_listed_is_named(archived, tmp_path, monkeypatch):
    write(tmp_path, archived.folder, archived.files)

    def locked(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", locked)
        message = refusal(lambda: archived.load(root=tmp_path))
    assert re.search(f"{archived.folder}.* cannot be read .Permission denied.: check its permissions", message)


def test_without_files_and_without_network_the_message_says_what_to_do(archived, tmp_path, monkeypatch, closed_port):
    url = f"http://127.0.0.1:{closed_port}/set.tar.gz"
    monkeypatch.setattr(archived.urls, (url, url))
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"{archived.archive_name} could not be downloaded" in message
    assert "check the network" in message
    assert f"put the file into {tmp_path} by hand from {url}" in message


@pytest.mark.parametrize("kind", ["a web page", "half of it", "another archive", "nothing"])
@pytest.mark.parametrize("length_known", [True, False])
def test_a_wrong_download_is_not_kept(kind, length_known, archived, serve, monkeypatch, tmp_path):
    content = {
        "a web page": PAGE,
        "half of it": archived.archive[: len(archived.archive) // 2],
        "another archive": archived.repack({"0_anna_0.wav": b"hello"}),
        "nothing": b"",
    }[kind]
    server = serve({"x": content}, raw=None if length_known else b"HTTP/1.0 200 OK\r\n\r\n" + content)
    monkeypatch.setattr(archived.urls, (server.url + "x",))
    message = refusal_without_a_trace(archived.load, tmp_path)
    assert f"{archived.archive_name} could not be downloaded (what came is not the expected file)" in message
    assert f"put the file into {tmp_path} by hand from {server.url}x" in message


def test_after_a_wrong_download_the_next_address_and_the_next_call_succeed(spoken, serve, monkeypatch, tmp_path):
    wrong, good = serve({"x": PAGE}), serve({"x": spoken.archive})
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (wrong.url + "x",))
    refusal_without_a_trace(spoken.load, tmp_path)
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (wrong.url + "x", wrong.url + "gone", good.url + "x"))
    assert len(spoken.load(root=tmp_path).train) == 20
    assert everything_in(tmp_path) == {"fsdd.tar.gz": spoken.archive}


def test_a_download_of_digits_that_is_cut_off_is_resumed(spoken, serve, monkeypatch, tmp_path):
    server = serve({"x": spoken.archive}, cuts=[1000])
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (server.url + "x",))
    assert len(spoken.load(root=tmp_path).train) == 20
    assert server.ranges_asked == [None, "bytes=1000-"]


def test_a_part_left_by_an_earlier_packing_is_no_lasting_obstacle(spoken, serve, monkeypatch, tmp_path):
    server = serve({"x": spoken.archive})
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (server.url + "x", server.url + "x"))
    (tmp_path / "fsdd.tar.gz.part").write_bytes(b"the first bytes of the archive as the server packed it last year")
    assert len(spoken.load(root=tmp_path).train) == 20
    assert everything_in(tmp_path) == {"fsdd.tar.gz": spoken.archive}
