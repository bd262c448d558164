"""Which items meet in a batch: the default, the caller's own batches, and buckets of similar length."""

import pytest
import torch
from small_runs import BATCH, N_TRAIN, full_batch, make_mlp, run, same_weights, splits_of
from torch import nn
from torch.nn.functional import cross_entropy

from companion.data.splits import Split
from companion.models.sequences import RecurrentNet, sequence_lengths
from companion.training.augmentation import crop_and_flip
from companion.training.batches import length_buckets
from companion.training.engine import fit


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
    splits = splits_of(split, split)
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
    splits = splits_of(split, split)
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
