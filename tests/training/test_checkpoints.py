"""Checkpoints: what comes back, and that nothing of a bad file is run or changes anything."""

import io
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from companion import load_checkpoint, save_checkpoint


def network(hidden=5, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, hidden), nn.ReLU(), nn.BatchNorm1d(hidden), nn.Linear(hidden, 2))


def step(model, optimizer):
    optimizer.zero_grad()
    model(torch.randn(8, 3, generator=torch.Generator().manual_seed(1))).square().sum().backward()
    optimizer.step()


def state(model):
    return {key: tensor.clone() for key, tensor in model.state_dict().items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


class Trap:
    """What a pickle would call: `os.mkdir` of a folder, whose presence shows that it was called."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.fixture
def saved(tmp_path):
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    step(model, optimizer)
    path = tmp_path / "network.pt"
    save_checkpoint(path, model, optimizer, epoch=3, note="a word")
    return path, model, optimizer


def refused(path, model, *more):
    """The sentence by which the file is refused; the model has stayed as it was."""
    before = state(model)
    with pytest.raises(ValueError) as caught:
        load_checkpoint(path, model, *more)
    assert equal(before, state(model))
    sentence = str(caught.value)
    assert "\n" not in sentence and path.name in sentence
    return sentence


def test_weights_buffers_and_notes_come_back_bit_for_bit(saved):
    path, model, _ = saved
    other = network(seed=9)
    assert load_checkpoint(path, other) == {"epoch": 3, "note": "a word"}
    assert equal(state(model), state(other))


def test_a_training_goes_on_as_if_it_had_never_stopped(saved):
    path, model, optimizer = saved
    other = network(seed=9)
    with_state, without = torch.optim.Adam(other.parameters()), network(seed=9)
    load_checkpoint(path, other, with_state)
    load_checkpoint(path, without)
    for one, its in (
        (model, optimizer),
        (other, with_state),
        (without, torch.optim.Adam(without.parameters())),
    ):
        step(one, its)
    assert equal(state(model), state(other)) and not equal(state(model), state(without))


def test_a_bare_state_dictionary_is_read_too(tmp_path):
    model, other = network(), network(seed=9)
    torch.save(model.state_dict(), tmp_path / "bare.pt")
    assert load_checkpoint(tmp_path / "bare.pt", other) == {} and equal(state(model), state(other))
    assert "no state of an optimiser" in refused(
        tmp_path / "bare.pt", other, torch.optim.SGD(other.parameters(), lr=0.1)
    )


def test_a_saving_that_fails_leaves_the_old_file_and_no_other(saved, monkeypatch):
    path, model, _ = saved
    before = path.read_bytes()

    def fail(content, file):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("companion.training.checkpoints.torch.save", fail)
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(path, model)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


# -------------------------------------------------------------------------------------------------------- files with code


def test_a_file_that_carries_code_is_refused_before_any_of_it_runs(tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "gift.pt"
    torch.save({"model": network().state_dict(), "note": Trap(trap)}, path)
    sentence = refused(path, network())
    assert "mkdir to be called" in sentence and "nothing of it was run" in sentence and not trap.exists()
    torch.load(path, weights_only=False)  # what the careless way does
    assert trap.exists()


def test_a_bare_pickle_with_code_is_refused_too(tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "gift.pkl"
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(Trap(trap), protocol))
        assert "nothing of it was run" in refused(path, network()) and not trap.exists()


def test_a_whole_network_is_refused_since_it_is_objects_and_not_weights(tmp_path):
    torch.save(network(), tmp_path / "whole.pt")
    assert "Sequential to be called" in refused(tmp_path / "whole.pt", network())


# ------------------------------------------------------------------------------------------------------ damaged and foreign


@pytest.mark.parametrize("kept", [0, 1, 3, 100, 0.5, 0.9, -1])
def test_a_truncated_file_is_named(kept, saved):
    path, _, _ = saved
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    sentence = refused(path, network())
    assert any(words in sentence for words in ("is empty", "cut short or damaged", "or it is damaged"))


def test_one_changed_bit_of_a_weight_is_found_by_the_checksum(saved):
    path, _, _ = saved
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("data/0"))
        weights = archive.read(name)
    content[content.index(weights) + 2] ^= 1
    path.write_bytes(content)
    assert "checksums do not fit" in refused(path, network())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file"),
        (b"hello, this is a text", "no checkpoint of PyTorch"),
        (bytes(50), "no checkpoint of PyTorch"),
    ],
)
def test_a_file_of_another_kind_is_named(content, words, tmp_path):
    path = tmp_path / "network.h5"
    path.write_bytes(content)
    assert words in refused(path, network())


def test_another_zip_archive_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as archive:
        archive.writestr("text.txt", "hello")
    assert "no checkpoint of PyTorch" in refused(tmp_path / "text.zip", network())


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path):
    assert "cannot be read (No such file" in refused(tmp_path / "nowhere.pt", network())
    assert "cannot be read" in refused(tmp_path, network())


def test_a_checkpoint_of_another_network_is_named_by_its_first_difference(saved):
    path, _, _ = saved
    assert "0.weight has the shape (5, 3) there and (6, 3) here" in refused(path, network(hidden=6))
    sentence = refused(path, nn.Sequential(nn.Linear(3, 5)))
    assert "it has 2.weight" in sentence and "0 tensors are missing" in sentence
    deeper = nn.Sequential(*network(), nn.ReLU(), nn.Linear(2, 2))
    assert "it lacks 5.weight (2 tensors are missing, 0 are too many)" in refused(path, deeper)


def test_a_file_of_something_else_than_tensors_is_refused(tmp_path):
    for content in ([1, 2], {"epoch": 3}, {"model": {"0.weight": 1.0}}, torch.zeros(3)):
        torch.save(content, tmp_path / "list.pt")
        assert "holds no state dictionary" in refused(tmp_path / "list.pt", network())


def test_the_state_of_another_optimiser_is_refused_and_neither_changes(saved):
    path, _, _ = saved
    model = network(seed=9)
    wider = network(hidden=6)
    others = [torch.optim.RMSprop(model.parameters()), torch.optim.Adam(list(model.parameters())[:2])]
    others.append(torch.optim.Adam(wider.parameters()))
    for optimizer in others:
        before = optimizer.state_dict()
        assert "of another optimiser" in refused(path, model, optimizer)
        assert optimizer.state_dict() == before
