"""What holds for every real data set of the catalogue, one that is added tomorrow included."""

import importlib
import inspect
import re
import sys
import types
import urllib.error
from pathlib import Path

import pytest
from data_files import ordinary_user, refusal

from companion import catalogue
from companion.data import load_dataset
from companion.data.digits import load_digits
from companion.models.squeezenet import WEIGHTS_FILE, load_squeezenet
from companion.publish import cli

PLACES = [(name, place) for name, source in catalogue.SETS.items() for place in source.places]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def make(path):
    """An empty folder, or, where the name has a suffix, an empty file."""
    (path.parent if path.suffix else path).mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.touch()


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_what_may_not_be_read_is_not_called_damaged_or_missing(name, place, shared_folder):
    make(shared_folder / place)
    (shared_folder / place).chmod(0)
    with ordinary_user():
        message = refusal(lambda: load_dataset(name, root=shared_folder))
    assert re.search(rf"{place}.* cannot be read \(Permission denied\): check its permissions\.$", message)
    assert not re.search("damaged|delete|remove|network|download|missing", message)


@pytest.mark.parametrize("name", dict(PLACES))
def test_a_folder_of_data_that_may_not_be_entered_is_named(name, shared_folder):
    shared_folder.chmod(0)
    with ordinary_user():
        message = refusal(lambda: load_dataset(name, root=shared_folder))
    assert re.search(rf"^{shared_folder}/.* cannot be read \(Permission denied\): check its permissions\.$", message)


def test_the_data_command_says_that_a_folder_may_not_be_entered(shared_folder, monkeypatch, capsys):
    monkeypatch.setenv("COMPANION_DATA", str(shared_folder))
    shared_folder.chmod(0)
    with ordinary_user():
        assert cli.main(["data"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"companion: {shared_folder}/")
    assert said.endswith(" cannot be read (Permission denied): check its permissions.\n")


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_system_that_does_not_let_itself_be_asked_is_not_called_damage(name, place, tmp_path, monkeypatch):
    make(tmp_path / place)
    asked, stat = [], Path.stat

    def locked(path, **options):
        if str(path).startswith(str(tmp_path / place)):
            asked.append(path)
            raise OSError(5, "Input/output error", str(path))
        return stat(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", locked)
        message = refusal(lambda: load_dataset(name, root=tmp_path))
    assert asked
    assert f"{asked[0]} cannot be read (Input/output error)" in message


def test_weights_that_may_not_be_read_are_not_called_damaged(shared_folder):
    path = shared_folder / WEIGHTS_FILE
    make(path)
    path.chmod(0)
    importlib.import_module("torchvision.models")  # root's own Python may be one that other users cannot read
    with ordinary_user():
        messages = [refusal(lambda: load_squeezenet(root=shared_folder)), refusal(load_squeezenet, path)]
    for message in messages:
        assert f"{path} cannot be read (Permission denied)" in message
        assert "delete" not in message


# ------------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize("name", dict(PLACES))
@pytest.mark.parametrize(("typed", "meant"), [("data", "data"), ("~/data", "me/data"), (Path("data"), "data")])
def test_a_folder_of_data_is_the_one_that_was_meant(typed, meant, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    by_argument = refusal(lambda: load_dataset(name, root=typed))
    monkeypatch.setenv("COMPANION_DATA", str(typed))
    assert refusal(load_dataset, name) == by_argument
    assert str(tmp_path / meant) in by_argument


def test_weights_are_the_ones_that_were_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    assert f"{tmp_path / 'mine.pth'} cannot be read" in refusal(load_squeezenet, "mine.pth")
    assert f"{tmp_path / 'me' / 'mine.pth'} cannot be read" in refusal(load_squeezenet, "~/mine.pth")


def test_a_command_hands_the_folder_that_was_meant_on_to_all_that_it_starts(tmp_path, monkeypatch, capsys):
    """Jobs and kernels work in folders of their own, and would look for `data` there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPANION_DATA", "data")
    assert cli.main(["data"]) == 0
    monkeypatch.chdir(Path(tmp_path.anchor))
    assert cli.os.environ["COMPANION_DATA"] == str(tmp_path / "data")
    assert f"The folder of the data is {tmp_path / 'data'};" in capsys.readouterr().out


# --------------------------------------------------------------------------------------------------------- one table


def test_every_set_can_be_loaded_from_the_package_by_its_own_name_too():
    for source in catalogue.SETS.values():
        assert catalogue.MODULE_OF[source.loader] == source.module
        loader = getattr(importlib.import_module(f"companion.{source.module}"), source.loader)
        assert ("root" in inspect.signature(loader).parameters) == bool(source.places)


def test_a_new_set_is_one_line_of_the_table(monkeypatch, tmp_path):
    module = types.ModuleType("companion.data.mine")
    module.load_mine = lambda size=8: load_digits(size)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(catalogue.SETS, "mine", catalogue.Source("data.mine", "load_mine"))
    assert load_dataset("mine", size=9).train.images.shape[2:] == (9, 9)
    assert "mine" in refusal(load_dataset, "yours")
