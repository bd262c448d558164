"""The engine: its curves against plain PyTorch, its repeatability, evaluation, memory formats, devices."""

import ctypes
import itertools

import pytest
import torch
from small_runs import (
    BATCH,
    N_TRAIN,
    N_VAL,
    floats,
    full_batch,
    make_cnn,
    make_mlp,
    random_images,
    run,
    same_weights,
    splits_of,
)
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from companion.data.splits import Split
from companion.models.images import small_cnn, small_mlp
from companion.training import engine
from companion.training.augmentation import crop_and_flip
from companion.training.engine import as_input, evaluate, features, pick_device, predict, set_up
from companion.training.metrics import accuracy

# -------------------------------------------------------------------------------------------------------- the curves


def test_a_history_has_one_number_of_each_kind_for_each_epoch(splits):
    history = run(make_mlp(), splits, epochs=3)
    curves = {**history.curves, "seconds": history.seconds}
    assert set(curves) == {
        *("running_loss", "running_accuracy", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds")
    }
    assert all(isinstance(value, tuple) and len(value) == 3 for value in curves.values())
    assert all(isinstance(number, float) for value in curves.values() for number in value)
    assert all(0 <= a <= 1 for name in curves if "accuracy" in name for a in curves[name])
    assert min(history.seconds) > 0
    assert (history.epochs, history.device) == (3, "cpu")


def test_the_loss_falls_while_learning(splits):
    history = run(make_mlp(), splits, epochs=5)
    assert history.train_loss[-1] < 0.7 * history.train_loss[0]
    assert history.train_accuracy[-1] > 0.6  # guessing gives a third


@pytest.mark.parametrize("make_model", [make_mlp, make_cnn])
def test_fit_equals_a_loop_written_by_hand_loss_by_loss(make_model, splits):
    losses = []

    def spy(logits, labels):
        loss = cross_entropy(logits, labels)
        if loss.requires_grad:  # not in evaluation
            losses.append(loss.item())
        return loss

    model = make_model(dropout=0.5)
    run(model, splits, epochs=3, loss_fn=spy, seed=7)

    witness, expected = make_model(dropout=0.5), []
    optimizer = torch.optim.SGD(witness.parameters(), lr=0.05, momentum=0.9)
    order = torch.Generator().manual_seed(7)
    torch.manual_seed(7)  # dropout
    for _ in range(3):
        shuffled = torch.randperm(N_TRAIN, generator=order)
        for start in range(0, N_TRAIN, BATCH):
            batch = shuffled[start : start + BATCH]
            x = floats(splits.train.images[batch])
            if make_model is make_cnn:
                x = x.contiguous(memory_format=torch.channels_last)
            loss = cross_entropy(witness(x), splits.train.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            expected.append(loss.item())
    assert losses == expected
    assert same_weights(model, witness)


def test_every_curve_equals_sums_written_by_hand_to_the_bit(splits):
    """Augmentation, dropout, short batches: what was measured before metrics had names is measured still."""
    history = run(make_cnn(dropout=0.5), splits, epochs=3, augment=crop_and_flip, seed=7)

    def measured(model, images, labels):
        loss, right = torch.zeros(()), 0
        with torch.no_grad():
            for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True):
                logits = model.eval()(as_input(x, torch.channels_last))
                loss, right = loss + cross_entropy(logits, y) * len(y), right + (logits.argmax(1) == y).sum().item()
        return loss.item() / len(labels), right / len(labels)

    model, rows = make_cnn(dropout=0.5), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(7)  # dropout
    subset = torch.randperm(N_TRAIN, generator=torch.Generator().manual_seed(0))
    for epoch in range(3):
        loss_sum, right = torch.zeros(()), 0
        for index in torch.randperm(N_TRAIN, generator=generator).split(BATCH):
            x, y = crop_and_flip(splits.train.images[index], generator), splits.train.labels[index]
            logits = model.train()(as_input(x, torch.channels_last))
            loss = cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum, right = loss_sum + loss.detach() * len(y), right + (logits.argmax(1) == y).sum().item()
        seen = torch.arange(N_TRAIN) if epoch == 2 else subset
        train = measured(model, splits.train.images[seen], splits.train.labels[seen])
        val = measured(model, splits.val.images, splits.val.labels)
        rows.append((loss_sum.item() / N_TRAIN, right / N_TRAIN, *train, *val))
    assert tuple(history.curves.values()) == tuple(zip(*rows, strict=True))


@pytest.mark.parametrize("make_model", [make_mlp, make_cnn])
def test_the_last_metrics_equal_a_plain_full_batch_computation(make_model, splits):
    model = make_model(dropout=0.5)
    history = run(model, splits)
    for part in ("train", "val"):
        loss, accuracy = full_batch(model, getattr(splits, part))
        assert getattr(history, f"{part}_loss")[-1] == pytest.approx(loss, rel=1e-5)  # float32 sums in another order
        assert getattr(history, f"{part}_accuracy")[-1] == pytest.approx(accuracy, abs=1e-12)


def test_the_short_last_batch_counts_by_its_images(splits):
    model = make_mlp()
    history = run(model, splits, lr=0.0)  # the weights stand still, so the average over the batches is the whole
    loss, accuracy = full_batch(model, splits.train)
    assert history.running_loss == pytest.approx([loss] * 2, rel=1e-5)
    assert history.running_accuracy == pytest.approx([accuracy] * 2, abs=1e-12)


def test_train_metrics_are_of_a_fixed_subset_and_after_the_last_epoch_of_all(splits, monkeypatch):
    monkeypatch.setattr("companion.training.engine.TRAIN_SUBSET", 20)
    model = make_mlp()
    history = run(model, splits, epochs=3, lr=0.0, seed=5)
    chosen = torch.randperm(N_TRAIN, generator=torch.Generator().manual_seed(0))[:20]
    some, _ = full_batch(model, Split(splits.train.images[chosen], splits.train.labels[chosen]))
    whole, _ = full_batch(model, splits.train)
    assert abs(some - whole) > 1e-3
    assert history.train_loss == pytest.approx([some, some, whole], rel=1e-5)


def test_fit_leaves_the_splits_as_they_were(splits):
    images, labels = splits.train.images.clone(), splits.train.labels.clone()
    run(make_mlp(), splits, augment=crop_and_flip)
    assert torch.equal(splits.train.images, images)
    assert torch.equal(splits.train.labels, labels)


def test_augmentation_touches_the_training_batches_and_nothing_else(splits):
    model = make_mlp()
    history = run(model, splits, lr=0.0, augment=lambda images, generator: torch.zeros_like(images))
    black = Split(torch.zeros_like(splits.train.images), splits.train.labels)
    assert history.running_loss[-1] == pytest.approx(full_batch(model, black)[0], rel=1e-5)
    assert history.train_loss[-1] == pytest.approx(full_batch(model, splits.train)[0], rel=1e-5)
    assert history.val_loss[-1] == pytest.approx(full_batch(model, splits.val)[0], rel=1e-5)


# ----------------------------------------------------------------------------------------------------- repeatability


@pytest.mark.parametrize("make_model", [make_mlp, make_cnn])
def test_two_equal_runs_give_the_same_curves_and_bit_equal_weights(make_model, splits):
    models = [make_model(dropout=0.5) for _ in range(2)]
    first, second = (run(model, splits, augment=crop_and_flip, seed=3) for model in models)
    assert same_weights(*models)
    assert first.curves == second.curves


def test_what_happened_before_does_not_change_a_run(splits):
    models = [make_mlp(dropout=0.5) for _ in range(2)]
    run(models[0], splits)
    torch.rand(5)
    run(models[1], splits)
    assert same_weights(*models)


def test_a_model_handed_over_in_evaluation_mode_is_trained_in_training_mode(splits):
    models = [make_mlp(dropout=0.5), make_mlp(dropout=0.5).eval()]
    for model in models:
        run(model, splits)
    assert same_weights(*models)


def test_another_seed_gives_another_run(splits):
    models = [make_mlp() for _ in range(2)]
    run(models[0], splits, seed=0)
    run(models[1], splits, seed=1)
    assert not same_weights(*models)


def test_a_longer_run_begins_as_the_shorter_one(splits):
    """No schedule looks at the number of epochs: the chapter on augmentation relies on it."""
    short, long = (run(make_mlp(dropout=0.5), splits, augment=crop_and_flip, epochs=n) for n in (2, 4))
    assert long.val_loss[:2] == short.val_loss
    assert long.running_loss[:2] == short.running_loss


# ---------------------------------------------------------------------------------------------------------- evaluate


@pytest.mark.parametrize("training_mode", [True, False])
def test_evaluate_restores_the_mode_of_the_model(training_mode, splits):
    model = make_mlp().train(training_mode)
    evaluate(model, splits.val.images, splits.val.labels, cross_entropy)
    assert all(module.training is training_mode for module in model.modules())


def test_dropout_is_off_in_evaluation(splits):
    model = make_mlp(dropout=0.9)
    loss, _ = evaluate(model, splits.val.images, splits.val.labels, cross_entropy)
    without, _ = full_batch(make_mlp(dropout=0.0), splits.val)
    assert loss == pytest.approx(without, rel=1e-5)
    model.train()
    assert cross_entropy(model(floats(splits.val.images)), splits.val.labels).item() != pytest.approx(without, rel=1e-3)


@pytest.mark.parametrize("batch_size", [1, 8, 40, 41, 1000])
def test_the_batch_size_does_not_change_an_evaluation(batch_size, splits):
    model = make_mlp()
    loss, accuracy = evaluate(model, splits.val.images, splits.val.labels, cross_entropy, batch_size)
    assert (loss, accuracy) == pytest.approx(full_batch(model, splits.val), rel=1e-5)


def test_evaluate_leaves_no_gradients_and_no_changed_weights(splits):
    model = make_mlp()
    evaluate(model, splits.val.images, splits.val.labels, cross_entropy)
    assert same_weights(model, make_mlp())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("call", [predict, features])
def test_predict_gives_the_outputs_of_one_big_batch_and_restores_every_mode(call, splits):
    model = make_mlp(dropout=0.9)
    model[3].eval()
    found = call(model, splits.val.images, batch_size=8)
    assert [module.training for module in model] == [True, True, True, False, True]
    expected = model.eval()(floats(splits.val.images)).detach()
    assert torch.allclose(found, expected, atol=1e-6)
    assert not found.requires_grad


def test_predict_keeps_the_shape_of_the_outputs_and_features_are_flat(splits):
    convolution = nn.Conv2d(3, 2, 3)
    assert predict(convolution, splits.val.images).shape == (N_VAL, 2, 6, 6)
    assert features(convolution, splits.val.images).shape == (N_VAL, 2 * 6 * 6)


def test_predicting_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to predict: the set is empty"):
        predict(make_mlp(), torch.zeros(0, 3, 8, 8))


# -------------------------------------------------------------------------------------------- input and memory format


def test_bytes_become_floats_between_minus_one_and_one():
    batch = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    expected = torch.linspace(-1, 1, 256).view(1, 1, 16, 16)
    assert as_input(batch).dtype == torch.float32
    assert torch.allclose(as_input(batch), expected, atol=1e-6)
    assert batch[0, 0, 0, 1] == 1  # the original stays


def test_other_inputs_than_bytes_are_left_alone():
    for batch in (torch.randn(2, 3), torch.ones(2, dtype=torch.int64)):
        assert as_input(batch) is batch


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_input_lies_in_memory_as_asked(memory_format):
    assert as_input(random_images(2), memory_format).is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (small_cnn((4,), 5), torch.channels_last),
        (small_cnn((4,), 5).to(memory_format=torch.contiguous_format), torch.contiguous_format),
        (small_mlp(), torch.contiguous_format),
        (
            nn.Conv2d(1, 4, 3).to(memory_format=torch.channels_last),
            torch.contiguous_format,
        ),  # one channel: no difference
        (nn.Conv2d(3, 4, 1).to(memory_format=torch.channels_last), torch.contiguous_format),  # one pixel: no difference
    ],
    ids=["small_cnn", "small_cnn NCHW", "mlp", "one channel", "1×1"],
)
def test_the_memory_format_follows_the_weights(model, expected):
    assert engine.memory_format_of(model) == expected


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_fit_feeds_the_network_in_the_format_of_its_weights(memory_format, splits):
    model, formats = make_cnn().to(memory_format=memory_format), []
    model.register_forward_pre_hook(lambda _, x: formats.append(x[0].is_contiguous(memory_format=memory_format)))
    run(model, splits, epochs=1, augment=crop_and_flip)
    assert (
        len(formats) == 1 + 3 + 3 + 2
    )  # one image to see the outputs; batches of training, its evaluation, validation
    assert all(formats)


# ------------------------------------------------------------------------------------------------- process and device


def test_set_up_takes_one_thread_and_flushes_denormals_however_often_it_is_called():
    set_up.cache_clear()
    torch.set_num_threads(2)
    set_up()
    set_up()
    assert torch.get_num_threads() == 1
    if torch.set_flush_denormal(True):  # False where the processor cannot
        assert (torch.tensor([1e-38]) * 1e-3).item() == 0


def test_set_up_works_without_glibc(monkeypatch):
    def no_library(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    set_up.cache_clear()
    set_up()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, False, "cuda")],
)
def test_auto_takes_cuda_then_mps_then_the_cpu(cuda, mps, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == pick_device(None) == torch.device(expected)
    assert pick_device("cpu") == torch.device("cpu")


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


@needs_cuda
@pytest.mark.parametrize("make_model", [make_mlp, make_cnn])
def test_a_run_on_the_gpu_follows_the_run_on_the_cpu(make_model, splits):
    on_cpu = run(make_model(), splits, augment=crop_and_flip, device="cpu")
    on_gpu = run(make_model(), splits, augment=crop_and_flip, device="auto")
    assert on_gpu.device == "cuda"
    assert on_gpu.running_loss == pytest.approx(
        on_cpu.running_loss, rel=1e-2
    )  # TF32 keeps three digits in convolutions
    assert on_gpu.val_loss == pytest.approx(on_cpu.val_loss, rel=1e-2)


class Waits(TorchDispatchMode):
    """Counts what would make the CPU wait for a GPU: a number that is read, or a shape that depends on the data."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
        return function(*args, **(kwargs or {}))


def test_no_number_is_read_between_two_batches(splits):
    """Also where there is no GPU to wait for: twice the batches read no number more."""
    counts = []
    for part in (splits.train, Split(*(tensor[:40] for tensor in (splits.train.inputs, splits.train.labels)))):
        with Waits() as waits:
            fewer = splits_of(part, part)
            run(make_mlp(dropout=0.5), fewer, epochs=1, metrics={"accuracy": accuracy, "same": accuracy})
        counts.append(waits.count)
    assert counts[0] == counts[1] > 0


@needs_cuda
def test_nothing_waits_for_the_gpu_between_two_batches(splits):
    turns = itertools.count(1)

    def watch(images, generator):
        torch.cuda.set_sync_debug_mode("error" if next(turns) == 2 else "default")  # from the second batch to the third
        return crop_and_flip(images, generator)

    try:
        run(make_cnn(), splits, epochs=1, augment=watch, device="cuda")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert next(turns) == 4


@needs_cuda
def test_evaluate_takes_images_from_another_device(splits):
    images, labels = splits.val.images, splits.val.labels
    on_gpu = evaluate(make_mlp().cuda(), images, labels, cross_entropy)
    assert on_gpu == pytest.approx(evaluate(make_mlp(), images, labels, cross_entropy), rel=1e-3)
