"""The engine: its curves against plain PyTorch, its repeatability, its augmentation and its refusals."""

import copy
import ctypes
import itertools

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from companion.data.splits import Split, Splits
from companion.models.images import small_cnn, small_mlp
from companion.models.sequences import RecurrentNet, sequence_lengths
from companion.training import engine
from companion.training.augmentation import crop_and_flip, shift_accuracy, shift_images
from companion.training.batches import length_buckets
from companion.training.engine import as_input, evaluate, fit, pick_device, set_up
from companion.training.history import TrainingDiverged, join_histories

N_TRAIN, N_VAL, BATCH = 70, 41, 32  # both sets end in a short batch: 70 = 32 + 32 + 6, 41 = 32 + 9


def make_split(count, seed):
    """Random small pictures of three classes, brighter from class to class so that there is something to learn."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    images = torch.randint(0, 128, (count, 3, 8, 8), generator=generator) + 60 * labels.view(-1, 1, 1, 1)
    return Split(images.to(torch.uint8), labels)


@pytest.fixture(scope="module")
def splits():
    return Splits(
        make_split(N_TRAIN, 1), make_split(N_VAL, 2), classes=("a", "b", "c"), name="random", fingerprint="", source=""
    )


def make_mlp(dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3))


def make_cnn(dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return small_cnn((4, 5), 6, dropout, num_classes=3, image_size=8)


def run(model, splits, *, epochs=2, lr=0.05, loss_fn=cross_entropy, seed=0, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return fit(
        model, splits, epochs=epochs, batch_size=BATCH, optimizer=optimizer, loss_fn=loss_fn, seed=seed, **options
    )


def floats(images):
    return (images.float() - 127.5) / 127.5


def same_weights(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def full_batch(model, split):
    """Loss and accuracy in evaluation mode in one batch, by the formulas."""
    model.eval()
    with torch.no_grad():
        log_p = model(floats(split.images)).log_softmax(1)
    picked = log_p[torch.arange(len(split)), split.labels]
    return -picked.mean().item(), (log_p.argmax(1) == split.labels).double().mean().item()


# -------------------------------------------------------------------------------------------------------- the curves


def test_a_history_has_one_number_of_each_kind_for_each_epoch(splits):
    history = run(make_mlp(), splits, epochs=3)
    curves = {name: value for name, value in vars(history).items() if name != "device"}
    assert set(curves) == {
        *("running_loss", "running_accuracy", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds")
    }
    assert all(isinstance(value, tuple) and len(value) == 3 for value in curves.values())
    assert all(isinstance(number, float) for value in curves.values() for number in value)
    assert all(0 <= a <= 1 for name in curves if "accuracy" in name for a in curves[name])
    assert min(history.seconds) > 0
    assert (history.epochs, history.device) == (3, "cpu")


def test_histories_of_stages_are_joined_in_their_order(splits):
    model = make_mlp()
    stages = [run(model, splits, epochs=epochs, seed=epochs) for epochs in (2, 1)]
    whole = join_histories(stages)
    assert whole.epochs == 3
    for name, curve in vars(whole).items():
        assert curve == (stages[0].device if name == "device" else getattr(stages[0], name) + getattr(stages[1], name))
    with pytest.raises(ValueError, match="no histories"):
        join_histories([])


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
    for name, curve in vars(first).items():
        assert name == "seconds" or curve == getattr(second, name)


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


# ------------------------------------------------------------------------------------------------------------ batches


def cut(order):
    return list(order.split(BATCH))


def test_batches_cut_as_the_default_cuts_them_give_the_same_run_to_the_bit(splits):
    models = [make_mlp(dropout=0.5) for _ in range(2)]
    usual = run(models[0], splits, augment=crop_and_flip)
    own = run(models[1], splits, augment=crop_and_flip, batches=lambda g: cut(torch.randperm(N_TRAIN, generator=g)))
    assert same_weights(*models)
    assert own.running_loss == usual.running_loss


def test_batches_are_asked_for_in_each_epoch_and_taken_in_their_order(splits):
    asked, seen = [], []

    def batches(generator):
        asked.append(cut(torch.randperm(N_TRAIN, generator=generator)))
        return asked[-1]

    run(make_mlp(), splits, batches=batches, augment=lambda images, generator: seen.append(images) or images)
    expected = [splits.train.images[index] for epoch in asked for index in epoch]
    assert len(asked) == 2
    assert not torch.equal(asked[0][0], asked[1][0])
    assert all(map(torch.equal, seen, expected))
    assert len(seen) == len(expected)


def test_batches_of_any_size_count_by_their_images(splits):
    model = make_mlp()
    history = run(model, splits, lr=0.0, batches=lambda generator: torch.arange(N_TRAIN).split([1, 40, 29]))
    loss, accuracy = full_batch(model, splits.train)
    assert history.running_loss == pytest.approx([loss] * 2, rel=1e-5)
    assert history.running_accuracy == pytest.approx([accuracy] * 2, abs=1e-12)


@pytest.mark.parametrize(
    ("batches", "held"),
    [
        (cut(torch.arange(N_TRAIN - 1)), "69 indices, of which 69"),
        (cut(torch.arange(N_TRAIN))[:-1], "64 indices, of which 64"),
        (cut(torch.arange(N_TRAIN) % 69), "70 indices, of which 69"),
        (cut(torch.arange(N_TRAIN + 1)), "71 indices, of which 70"),
        (cut(torch.arange(N_TRAIN) - 1), "70 indices, of which 69"),
        ([*cut(torch.arange(N_TRAIN)), torch.arange(0)], "70 indices, of which 70"),
        ([], "0 indices, of which 0"),
    ],
    ids=["one item lost", "a batch lost", "one repeated", "too many", "negative", "an empty batch", "none"],
)
def test_batches_that_lose_or_repeat_items_are_refused_before_training(batches, held, splits):
    model = make_mlp()
    message = rf"each of the 70 training items once and none may be empty: here they hold {held} are different"
    with pytest.raises(ValueError, match=message):
        run(model, splits, batches=lambda generator: batches)
    assert same_weights(model, make_mlp())


def random_lengths(count=1000):
    return torch.randint(5, 250, (count,), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("count", "batch_size", "pool"), [(1000, 32, 50), (1000, 32, 3), (1000, 1, 7), (5, 32, 50)])
def test_buckets_hold_every_sequence_once_in_each_epoch(count, batch_size, pool):
    batches, generator = length_buckets(random_lengths(count), batch_size, pool), torch.Generator().manual_seed(1)
    first, second = batches(generator), batches(generator)
    for epoch in (first, second):
        assert torch.equal(torch.cat(epoch).sort().values, torch.arange(count))
        assert sorted(map(len, epoch))[1:] == [batch_size] * (len(epoch) - 1)  # at most one short batch
    assert count < batch_size or not torch.equal(torch.cat(first), torch.cat(second))
    again = batches(torch.Generator().manual_seed(1))
    assert all(map(torch.equal, again, first))


def test_a_bucket_holds_sequences_of_similar_length_and_the_buckets_come_in_no_order():
    lengths = random_lengths()
    batches = length_buckets(lengths, 20)(torch.Generator().manual_seed(1))
    assert (
        max(lengths[batch].max() - lengths[batch].min() for batch in batches) < 20
    )  # of 245; a random batch spans 220
    longest = torch.stack([lengths[batch].max() for batch in batches])
    steps = longest.diff().sign()
    assert 15 < (steps > 0).sum() < 34  # 49 steps up or down


def test_buckets_of_small_pools_mix_more():
    lengths = random_lengths()
    spans = []
    for pool in (1, 5, 50):
        batches = length_buckets(lengths, 20, pool)(torch.Generator())
        spans.append(sum((lengths[batch].max() - lengths[batch].min()).item() for batch in batches))
    assert spans[0] > 2 * spans[1] > 4 * spans[2]


def sequences(count=N_TRAIN):
    """Random sequences of tokens, padded to 40; those of the second class are of other tokens."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (count,), generator=generator)
    tokens = torch.randint(1, 6, (count, 40), generator=generator, dtype=torch.int32) + 3 * labels.int()[:, None]
    tokens[torch.arange(40) >= torch.randint(1, 41, (count, 1), generator=generator)] = 0
    return Split(tokens, labels)


def test_with_buckets_a_recurrent_network_reads_less_and_its_sums_stay_right():
    split = sequences()
    splits = Splits(split, split, classes=("a", "b"), name="random", fingerprint="", source="")
    read, losses = [], []
    for batches in (None, length_buckets(sequence_lengths(split.inputs), 8)):
        torch.manual_seed(0)
        model = RecurrentNet(nn.Embedding(9, 4, padding_idx=0), 4, 2, hidden=5)
        steps = []
        model.embed.register_forward_pre_hook(lambda _, x, steps=steps: steps.append(x[0].numel()))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        options = {"optimizer": optimizer, "loss_fn": cross_entropy, "epochs": 1, "batch_size": 8, "seed": 0}
        losses += fit(model, splits, **options, batches=batches).running_loss
        read.append(sum(steps[1:10]))  # one sequence to see the outputs; nine batches of training
    assert read[1] < 0.8 * read[0]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_buckets_learn_what_the_default_learns():
    split = sequences()
    splits = Splits(split, split, classes=("a", "b"), name="random", fingerprint="", source="")
    for batches in (None, length_buckets(sequence_lengths(split.inputs), 8)):
        torch.manual_seed(0)
        model = RecurrentNet(nn.Embedding(9, 4, padding_idx=0), 4, 2, hidden=5)
        options = {"loss_fn": cross_entropy, "epochs": 15, "batch_size": 8, "seed": 0, "batches": batches}
        history = fit(model, splits, optimizer=torch.optim.Adam(model.parameters(), lr=0.02), **options)
        assert history.train_accuracy[-1] > 0.9


def test_lengths_of_other_sequences_are_refused(splits):
    with pytest.raises(ValueError, match=r"each of the 70 training items once.* here they hold 90 indices"):
        run(make_mlp(), splits, batches=length_buckets(random_lengths(90), BATCH))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(3, 40), 32), r"one number for each sequence, not have the shape \(3, 40\)"),
        ((torch.tensor(3), 32), r"one number for each sequence, not have the shape \(\)"),
        (([3, 4], 0), "batch_size and pool must be at least 1, not 0 and 50"),
        (([3, 4], 32, 0), "batch_size and pool must be at least 1, not 32 and 0"),
    ],
)
def test_buckets_of_no_lengths_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        length_buckets(*arguments)


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


def test_evaluating_an_empty_set_is_refused():
    with pytest.raises(ValueError, match="the set is empty"):
        evaluate(make_mlp(), torch.zeros(0, 3, 8, 8), torch.zeros(0, dtype=torch.int64), cross_entropy)


# -------------------------------------------------------------------------------------------------------- augmentation


def random_images(count, size=8, seed=0):
    return torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def origin(image, result, padding):
    """(mirrored, top, left) of the window of the zero-padded image that `result` is; fails when there is none."""
    size = image.shape[-1]
    padded = torch.zeros(3, size + 2 * padding, size + 2 * padding, dtype=image.dtype)
    padded[:, padding : padding + size, padding : padding + size] = image
    for mirrored, top, left in itertools.product((False, True), *[range(2 * padding + 1)] * 2):
        window = padded[:, top : top + size, left : left + size]
        if torch.equal(result, window.flip(2) if mirrored else window):
            return mirrored, top, left
    pytest.fail("an augmented image is no window of its original")


def test_each_augmented_image_is_a_window_of_its_padded_original_and_the_first_ones_are_mirrored():
    images = random_images(40)
    augmented = crop_and_flip(images, torch.Generator().manual_seed(0), padding=3)
    assert (augmented.shape, augmented.dtype) == (images.shape, images.dtype)
    origins = [origin(image, result, 3) for image, result in zip(images, augmented, strict=True)]
    mirrored = [m for m, _, _ in origins]
    assert mirrored == sorted(mirrored, reverse=True)
    assert 0 < sum(mirrored) < 40
    assert {top for _, top, _ in origins} == {left for _, _, left in origins} == set(range(7))


def test_the_shifts_are_uniform_and_independent():
    images = random_images(900, size=4)
    augmented = crop_and_flip(images, torch.Generator().manual_seed(0), padding=1)
    shifts = [origin(image, result, 1)[1:] for image, result in zip(images, augmented, strict=True)]
    counts = [shifts.count(shift) for shift in itertools.product(range(3), repeat=2)]
    assert sum((count - 100) ** 2 / 100 for count in counts) < 26.1  # χ², 8 degrees of freedom, one in a thousand


def test_the_number_of_mirrored_images_is_binomial():
    left_half = torch.zeros(64, 1, 2, 2)
    left_half[..., 0] = 1  # mirrored, the ones lie on the right
    generator = torch.Generator().manual_seed(0)
    counts = torch.stack([crop_and_flip(left_half, generator, padding=0)[:, 0, 0, 1].sum() for _ in range(400)])
    assert counts.mean().item() == pytest.approx(32, abs=0.8)  # four standard errors: 4 · 4 / √400
    assert counts.var().item() == pytest.approx(16, rel=0.3)  # 64 tosses of a coin


def test_without_padding_images_are_mirrored_or_left_alone():
    images = random_images(20)
    augmented = crop_and_flip(images, torch.Generator().manual_seed(1), padding=0)
    same = [torch.equal(a, b) for a, b in zip(images, augmented, strict=True)]
    mirrored = [torch.equal(a.flip(2), b) for a, b in zip(images, augmented, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


def test_augmentation_repeats_with_its_generator():
    images = random_images(20)
    first, second, other = (crop_and_flip(images, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("count", [0, 1])
def test_augmentation_takes_the_smallest_batches(count):
    assert crop_and_flip(random_images(count), torch.Generator()).shape == (count, 3, 8, 8)


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


# ----------------------------------------------------------------------------------------------------------- refusals


def test_a_loss_that_is_not_finite_stops_with_the_epoch_and_advice(splits):
    with pytest.raises(TrainingDiverged, match=r"loss became (nan|inf) in epoch 1: try a smaller learning rate"):
        run(make_mlp(), splits, lr=1e30)


def test_bad_values_in_the_data_stop_the_training(splits):
    images = floats(splits.train.images)
    images[69, 0, 0, 0] = float("nan")
    bad = Splits(Split(images, splits.train.labels), splits.val, name="", fingerprint="", source="")
    with pytest.raises(TrainingDiverged, match="bad values in the data"):
        run(make_mlp(), bad)


def test_weights_that_the_very_last_step_ruined_are_noticed(splits):
    one_batch = Splits(make_split(BATCH, 1), splits.val, name="", fingerprint="", source="")
    with pytest.raises(TrainingDiverged):
        run(make_mlp(), one_batch, epochs=1, lr=1e38)


@pytest.mark.parametrize("part", ["train", "val"])
def test_an_empty_split_is_refused(part, splits):
    parts = {"train": splits.train, "val": splits.val, part: make_split(0, 0)}
    empty = Splits(**parts, name="", fingerprint="", source="")
    with pytest.raises(ValueError, match="must not be empty"):
        run(make_mlp(), empty)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"epochs": -1}])
def test_less_than_one_epoch_or_image_is_refused(wrong, splits):
    model = make_mlp()
    options = {"epochs": 1, "batch_size": 1, **wrong}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="at least 1"):
        fit(model, splits, **options, optimizer=optimizer, loss_fn=cross_entropy, seed=0)


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


# ------------------------------------------------------------------------------------------------ refused with a sentence


@pytest.mark.parametrize(("split", "label"), [("train", 3), ("val", 3), ("train", -1)])
def test_labels_that_are_no_classes_are_refused_before_training(splits, split, label):
    splits = copy.deepcopy(splits)
    getattr(splits, split).labels[5] = label
    model = make_mlp()
    before = [parameter.clone() for parameter in model.parameters()]
    low, high = (-1, 2) if label < 0 else (0, 3)
    with pytest.raises(ValueError, match=rf"labels run from {low} to {high}, but the network has 3 outputs.* 0 to 2"):
        run(model, splits)
    assert all(map(torch.equal, before, model.parameters()))


def test_evaluate_refuses_labels_that_are_no_classes(splits):
    with pytest.raises(ValueError, match="labels run from 0 to 7, but the network has 3 outputs"):
        evaluate(make_mlp(), splits.val.images, torch.tensor([0, 7] + [1] * (N_VAL - 2)), cross_entropy)


@pytest.mark.parametrize("rate", [1.0, 1])
def test_a_dropout_rate_of_one_is_refused(splits, rate):
    with pytest.raises(ValueError, match=f"at least 0 and below 1, not {rate}: at 1 every unit is off"):
        run(make_mlp(dropout=rate), splits)


@pytest.mark.parametrize("rate", [-0.5, 1.5])
def test_a_dropout_rate_that_is_no_probability_is_refused_when_the_network_is_built(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        small_cnn(dropout=rate)


def test_a_longer_run_begins_as_the_shorter_one(splits):
    """No schedule looks at the number of epochs: the chapter on augmentation relies on it."""
    short, long = (run(make_mlp(dropout=0.5), splits, augment=crop_and_flip, epochs=n) for n in (2, 4))
    assert long.val_loss[:2] == short.val_loss
    assert long.running_loss[:2] == short.running_loss


# ------------------------------------------------------------------------------------------------------------- shifts


def test_shifted_images_equal_a_slow_loop_over_pixels():
    images = torch.arange(2 * 3 * 5 * 6, dtype=torch.uint8).reshape(2, 3, 5, 6)
    for right, down in ((0, 0), (2, 0), (-3, 0), (0, 1), (0, -4), (2, -1), (9, 0)):
        moved = shift_images(images, right, down)
        for row in range(5):
            for column in range(6):
                y, x = min(max(row - down, 0), 4), min(max(column - right, 0), 5)
                assert torch.equal(moved[:, :, row, column], images[:, :, y, x])


def test_shift_accuracy_is_the_mean_of_the_four_directions(splits):
    model = make_mlp()
    run(model, splits)
    unmoved, moved = shift_accuracy(model, splits.val, [0, 2])
    assert unmoved == evaluate(model, splits.val.images, splits.val.labels, cross_entropy)[1]
    everything, low, high = slice(None), [0, 0, *range(6)], [*range(2, 8), 7, 7]  # two pixels along a side of eight
    four = [
        evaluate(model, splits.val.images[..., rows, :][..., columns], splits.val.labels, cross_entropy)[1]
        for rows, columns in ((everything, low), (everything, high), (low, everything), (high, everything))
    ]
    assert moved == pytest.approx(sum(four) / 4)
