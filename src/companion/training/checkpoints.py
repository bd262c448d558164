"""A network's weights in a file, and back: written whole or not at all, read without running anything that lies in the file."""

import os
import pickle
import re
import tempfile
import warnings
import zipfile
from pathlib import Path

import torch

HDF5 = b"\x89HDF\r\n\x1a\n"  # how an HDF5 file begins


def save_checkpoint(path, model, optimizer=None, **notes):
    """Write the model's weights, the optimiser's state if it is given, and notes (numbers, words) to one file.

    The file is written beside its place and then moved there, so that a run that is cut off leaves the old file as it was.
    """
    path = Path(path)
    content = {"model": model.state_dict(), "notes": notes}
    if optimizer is not None:
        content["optimizer"] = optimizer.state_dict()
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
        os.replace(new, path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise


def load_checkpoint(path, model, optimizer=None):
    """Put the weights of a file by `save_checkpoint`, or of a bare state dictionary, into the model; returns the notes.

    Nothing in the file is run, and model and optimiser stay as they are unless all of it fits. Raises ValueError, in one
    sentence, where there is no file, or it is damaged, of HDF5, carries code, or belongs to another network.
    """
    path = Path(path)
    content = _read(path)
    known = isinstance(content, dict) and isinstance(content.get("model"), dict)
    weights = content["model"] if known else content
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ValueError(
            f"{path.name} holds no state dictionary, {{name: tensor}}: model.state_dict() is what is to be saved"
        )
    _check_weights(path.name, weights, model.state_dict())
    if optimizer is not None:
        state = content.get("optimizer") if known else None
        if not isinstance(state, dict):
            raise ValueError(
                f"{path.name} holds weights and no state of an optimiser, so the training cannot go on from it"
            )
        _check_optimizer(path.name, state, optimizer)
        optimizer.load_state_dict(state)
    model.load_state_dict(weights)
    return content.get("notes", {}) if known else {}


def _read(path):
    """What a file of torch.save holds, as tensors and plain values. Raises ValueError."""
    try:
        with path.open("rb") as file:
            start = file.read(len(HDF5))
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): is the path right?") from error
    if start == HDF5:
        raise ValueError(f"{path.name} is an HDF5 file, as Keras and h5py write them: PyTorch cannot read it, h5py can")
    if not start:
        raise ValueError(f"{path.name} is empty: it was never written to its end; take another copy")
    try:
        if (
            start[:2] == b"PK"
        ):  # as torch.save writes: a zip archive, with a checksum of each part, which torch.load does not ask
            with zipfile.ZipFile(path) as archive:
                if archive.testzip():
                    raise zipfile.BadZipFile
        with warnings.catch_warnings(action="ignore"):  # of a pickle that is older or newer than PyTorch's own
            return torch.load(path, map_location="cpu", weights_only=True)
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{path.name} is cut short or damaged: its checksums do not fit; take another copy, your network is unchanged"
        ) from error
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL ([\w.]+)|class (?:`|')?([\w.]+)", str(error)):
            raise ValueError(
                f"{path.name} wants {named[1] or named[2]} to be called while it is read: it carries code, or whole Python objects, "
                "and not only weights; nothing of it was run"
            ) from error
        raise ValueError(f"{path.name} is no checkpoint of PyTorch, or it is damaged; nothing of it was run") from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(f"{path.name} is damaged, or no checkpoint of PyTorch; your network is unchanged") from error


def _check_weights(name, found, wanted):
    """Raise ValueError unless the file has the tensors of the model, by name and by shape, and no others."""
    missing, more = [n for n in wanted if n not in found], [n for n in found if n not in wanted]
    if missing or more:
        parts = [f"lacks {key}" for key in missing[:1]] + [f"has {key}" for key in more[:1]]
        raise ValueError(
            f"{name} is of another network: it {' and '.join(parts)} ({len(missing)} tensors are missing, {len(more)} are too "
            "many); build the network that was saved, and load it then"
        )
    for key, tensor in wanted.items():
        if found[key].shape != tensor.shape:
            raise ValueError(
                f"{name} is of another network: {key} has the shape {tuple(found[key].shape)} there and {tuple(tensor.shape)} "
                "here; build the network that was saved, and load it then"
            )


def _check_optimizer(name, state, optimizer):
    """Raise ValueError unless the state is of an optimiser of this kind on parameters of these shapes."""
    own = optimizer.state_dict()
    try:
        sizes = [len(group["params"]) for group in state["param_groups"]]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        fits = sizes == [len(group["params"]) for group in own["param_groups"]]
        fits = fits and all(set(a) == set(b) for a, b in zip(state["param_groups"], own["param_groups"], strict=True))
        for key, values in state["state"].items() if fits else ():
            shapes = {value.shape for value in values.values() if isinstance(value, torch.Tensor) and value.dim()}
            fits = fits and shapes <= {parameters[key].shape}
    except (KeyError, TypeError, AttributeError, IndexError):
        fits = False
    if not fits:
        raise ValueError(
            f"{name} holds the state of another optimiser: build the one that was saved, with the same parameters"
        )
