"""SqueezeNet 1.1 with its ImageNet weights, as a whole and as a backbone."""

import hashlib
import io
import pickle
from pathlib import Path

import torch

from companion.data.files import DataError, absolute, data_folder, is_file, unreadable
from companion.data.splits import fingerprint

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
            "CPU build on Linux, run `python -m companion.publish.install.torchvision_cpu` once."
        ) from error
    with torch.random.fork_rng(devices=[]):  # the random weights that are overwritten cost no random numbers
        model = squeezenet1_1()
    known = data_folder(root) / WEIGHTS_FILE
    if weights == "torchvision" or (weights == "auto" and not is_file(known)):
        description = "torchvision's IMAGENET1K_V1"
        try:
            state = SqueezeNet1_1_Weights.IMAGENET1K_V1.get_state_dict(
                progress=False, check_hash=True, weights_only=True
            )
        except PermissionError as error:
            raise unreadable(error.filename or torch.hub.get_dir(), error) from error
        except Exception as error:  # no network, or a damaged file of an earlier download
            raise DataError(
                f"The weights {description} could not be fetched or read ({_first_line(error)}): check the network, delete "
                f"what is left of them in {torch.hub.get_dir()}/checkpoints and try again, or give the path of a file of weights."
            ) from error
    else:
        path = known if weights == "auto" else absolute(weights)
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
            f"The weights {path} cannot be read ({error.strerror}): check the path and its permissions, or use weights='torchvision'."
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
