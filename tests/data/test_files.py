"""Where the data lie, and the download."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from data_files import ordinary_user, refusal

from companion.data import files


def test_without_companion_data_a_cache_folder_is_used(monkeypatch, tmp_path):
    monkeypatch.delenv("COMPANION_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.data_folder() == tmp_path / "companion"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert files.data_folder() == Path.home() / ".cache" / "companion"


def test_the_folder_of_the_data_is_absolute_whatever_was_typed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    cases = {"data": tmp_path / "data", "../data": tmp_path.parent / "data", "~/data": tmp_path / "me" / "data"}
    for typed, meant in cases.items():
        monkeypatch.setenv("COMPANION_DATA", typed)
        assert files.data_folder() == meant
        assert files.data_folder(tmp_path / "other") == tmp_path / "other"
        monkeypatch.delenv("COMPANION_DATA")
        assert files.data_folder(typed) == files.data_folder(Path(typed)) == meant
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")  # relative ones do not count, says its standard
    assert files.data_folder() == tmp_path / "me" / ".cache" / "companion"


# ---------------------------------------------------------------------------------------------------------- download

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_a_download_arrives_whole_in_a_new_folder(serve, tmp_path):
    server, target = serve({"set.bin": CONTENT}), tmp_path / "a" / "b" / "set.bin"
    files.download([server.url + "set.bin"], target, SHA256)
    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == ["set.bin"]


def test_a_broken_download_is_resumed_where_it_stopped(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000])
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.ranges_asked == [None, "bytes=4000-"]


def test_a_download_is_resumed_by_the_next_call(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000, 1000])
    urls = [server.url + "set.bin"]
    assert "only 1000 of 6240 bytes arrived" in refusal(files.download, urls, tmp_path / "set.bin", SHA256)
    assert not (tmp_path / "set.bin").exists()
    files.download(urls, tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.ranges_asked == [None, "bytes=4000-", "bytes=5000-"]


def test_a_server_that_cannot_resume_sends_the_whole_file_again(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000], ranges=False)
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.ranges_asked == [None, "bytes=4000-"]


def test_a_part_that_is_already_whole_or_too_long_is_no_obstacle(serve, tmp_path):
    for number, part in enumerate((CONTENT, CONTENT + b"more")):
        server, target = serve({"set.bin": CONTENT}), tmp_path / f"{number}.bin"
        Path(f"{target}.part").write_bytes(part)
        files.download([server.url + "set.bin"], target, SHA256)
        assert target.read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(serve, tmp_path):
    server = serve({"set.bin": CONTENT})
    (tmp_path / "set.bin.part").write_bytes(b"something else")
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_the_wrong_content_is_refused_and_nothing_is_left(serve, tmp_path):
    server = serve({"set.bin": b"another file"})
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert "set.bin could not be downloaded (what came is not the expected file)" in message
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays_when_its_replacement_is_wrong(serve, tmp_path):
    (tmp_path / "set.bin").write_bytes(b"old")
    server = serve({"set.bin": b"another file"})
    refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == b"old"


def test_the_second_address_serves_when_the_first_does_not(serve, tmp_path, closed_port):
    missing, wrong, good = serve({}), serve({"set.bin": b"wrong"}), serve({"set.bin": CONTENT})
    urls = [f"http://127.0.0.1:{closed_port}/set.bin", *(s.url + "set.bin" for s in (missing, wrong, good))]
    files.download(urls, tmp_path / "set.bin", SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer",
    [b"", b"this is not HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf a chunk"],
    ids=["nothing", "nonsense", "half a chunk"],
)
def test_a_server_that_speaks_nonsense_is_a_failed_download(answer, serve, tmp_path):
    server = serve({}, raw=answer)
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert "set.bin could not be downloaded" in message
    assert not (tmp_path / "set.bin").exists()


def test_without_network_the_message_says_what_to_do(tmp_path, closed_port):
    url = f"http://127.0.0.1:{closed_port}/set.bin"
    message = refusal(files.download, [url], tmp_path / "set.bin", SHA256)
    assert "set.bin could not be downloaded" in message
    assert "check the network" in message
    assert f"put the file into {tmp_path} by hand from {url}" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    message = refusal(files.download, ["http://127.0.0.1/set.bin"], tmp_path / "file" / "set.bin", SHA256)
    assert str(tmp_path / "file") in message
    assert "set COMPANION_DATA" in message


def test_a_file_that_cannot_be_written_is_not_blamed_on_the_network(serve, tmp_path):
    server = serve({"set.bin": CONTENT})
    (tmp_path / "set.bin.part").mkdir()  # stands for a full disk or a missing permission
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert "cannot be written" in message
    assert "set COMPANION_DATA" in message
    assert "network" not in message


def test_a_folder_without_write_permission_is_named(serve, shared_folder):
    shared_folder.chmod(0o555)
    server = serve({"set.bin": CONTENT})
    with ordinary_user():
        message = refusal(files.download, [server.url + "set.bin"], shared_folder / "set.bin", SHA256)
    assert f"{shared_folder / 'set.bin'} cannot be written (Permission denied)" in message
    assert "network" not in message
    assert server.ranges_asked == []


def test_a_part_that_may_not_be_read_is_not_blamed_on_the_network(serve, shared_folder):
    (shared_folder / "set.bin.part").write_bytes(b"half")
    (shared_folder / "set.bin.part").chmod(0)
    server = serve({"set.bin": CONTENT})
    with ordinary_user():
        message = refusal(files.download, [server.url + "set.bin"], shared_folder / "set.bin", SHA256)
    assert "set.bin.part cannot be written (Permission denied)" in message
    assert "network" not in message


def test_a_folder_in_the_place_of_the_file_is_noticed_before_anything_is_fetched(serve, tmp_path):
    (tmp_path / "set.bin").mkdir()
    server = serve({"set.bin": CONTENT})
    message = refusal(files.download, [server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert f"{tmp_path / 'set.bin'} cannot be read: it is a folder where a file is needed" in message
    assert server.ranges_asked == []


# ------------------------------------------------------------------------------------- several processes, one file

DOWNLOAD = "files.download([url], target, sha256)"
DOWNLOAD_AND_READ = "files.download_and_read([url], files.absolute(target), lambda: None)"


def start(call, url, target):
    code = f"import sys; from companion.data import files; url, target, sha256 = sys.argv[1:]; {call}"
    return subprocess.Popen(
        [sys.executable, "-c", code, url, str(target), SHA256],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("call", [DOWNLOAD, DOWNLOAD_AND_READ])
def test_of_two_processes_that_want_one_file_one_fetches_it_and_the_other_waits(call, serve, tmp_path):
    server = serve({"set.bin": CONTENT}, pause=3)
    first = start(call, server.url + "set.bin", tmp_path / "set.bin")
    wait_for(lambda: server.ranges_asked)
    second = start(call, server.url + "set.bin", tmp_path / "set.bin")
    said = [process.communicate(timeout=60) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert said == [("", ""), ("", "Another process is downloading set.bin; waiting for it.\n")]
    assert server.ranges_asked == [None]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"set.bin": CONTENT}


def test_whoever_waited_for_a_process_that_failed_goes_on_where_it_stopped(serve, tmp_path):
    server = serve({"set.bin": CONTENT}, cuts=[4000], pause=3)
    first = start(DOWNLOAD, server.url + "set.bin", tmp_path / "set.bin")
    wait_for(lambda: (tmp_path / "set.bin.part").exists() and (tmp_path / "set.bin.part").stat().st_size)
    second = start(DOWNLOAD, server.url + "set.bin", tmp_path / "set.bin")
    first.kill()
    first.communicate()
    said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"set.bin": CONTENT}
    assert server.ranges_asked[1].startswith("bytes=")


def test_the_lock_of_a_process_that_is_no_more_is_no_obstacle(serve, tmp_path, capsys):
    (tmp_path / "set.bin.lock").touch()
    server = serve({"set.bin": CONTENT})
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin"]
    assert capsys.readouterr().err == ""


def test_a_file_system_without_locks_is_no_obstacle(serve, tmp_path, monkeypatch):
    def acquire(lock, **options):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(files.FileLock, "acquire", acquire)
    server = serve({"set.bin": CONTENT})
    files.download([server.url + "set.bin"], tmp_path / "set.bin", SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin"]


def test_the_wait_for_a_download_that_does_not_grow_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 1)
    held, done = threading.Event(), threading.Event()

    def hold():
        with files._alone(tmp_path / "set.bin"):
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(60)
        message = refusal(files.download, ["http://127.0.0.1:1/set.bin"], tmp_path / "set.bin", SHA256)
    finally:
        done.set()
        holder.join()
    assert message.startswith(
        "set.bin is being downloaded by another process, which has got nothing more for 1 seconds"
    )
    assert f"delete {tmp_path / 'set.bin.lock'}" in message
