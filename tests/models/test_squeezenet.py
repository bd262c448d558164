"""SqueezeNet: the reader of its weights, and its features against torchvision's own way."""

import hashlib
import os
import sys
import urllib.error

import numpy as np
import pytest
import torch
from data_files import real_folder, refusal
from made_up_sets import drawing
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1
from torchvision.transforms.functional import normalize

from companion.data.faces import load_faces
from companion.models import squeezenet
from companion.models.squeezenet import load_squeezenet, squeezenet_backbone
from companion.training.engine import features


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
    monkeypatch.setattr("companion.models.squeezenet.WEIGHTS_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
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


def test_a_cache_of_torchvision_that_may_not_be_read_is_not_called_damaged(torch_home, tmp_path, monkeypatch):
    path = torch_home / "squeezenet.pth"

    def locked(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(torch.hub, "download_url_to_file", locked)
    message = refusal(load_squeezenet, "torchvision", tmp_path)
    assert message == f"{path} cannot be read (Permission denied): check its permissions."


def test_a_torchvision_that_does_not_work_says_how_to_repair_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    assert "`python -m companion.publish.install.torchvision_cpu`" in refusal(load_squeezenet)


# ------------------------------------------------------------------------------------------------------------- features


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


# ------------------------------------------------------------------------------------------------------------ real data


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
def test_the_real_features_of_real_faces_tell_age_better_than_chance(real_net):
    """400 faces and a least-squares line: the predicted ages follow the real ones."""
    backbone = squeezenet_backbone(real_net[0])
    part = load_faces(root=real_folder("UTKFace")).train
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
