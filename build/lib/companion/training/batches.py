"""Which training items meet in a batch."""

import torch


def length_buckets(lengths, batch_size, pool=50):
    """For `fit(..., batches=length_buckets(lengths, batch_size))`: batches of sequences of similar length.

    `lengths` (N,) are the steps of the training sequences, in their order; `sequence_lengths(inputs)` finds them. Each epoch
    shuffles the sequences, cuts them into pools of `pool` batches, sorts each pool by length, cuts it into batches and
    shuffles these. A network that stops at its batch's longest sequence then reads little padding. It is a choice, not the
    default: other sequences meet in a batch, so the training is another one than with `batches=None`.
    """
    lengths = torch.as_tensor(lengths).cpu()
    if lengths.dim() != 1:
        raise ValueError(f"lengths must hold one number for each sequence, not have the shape {tuple(lengths.shape)}")
    if batch_size < 1 or pool < 1:
        raise ValueError(f"batch_size and pool must be at least 1, not {batch_size} and {pool}")

    def batches(generator):
        pools = torch.randperm(len(lengths), generator=generator).split(pool * batch_size)
        cut = [batch for p in pools for batch in p[lengths[p].argsort(stable=True)].split(batch_size)]
        return [cut[i] for i in torch.randperm(len(cut), generator=generator)]

    return batches


def checked_batches(batches, n):
    """The batches; ValueError when they do not hold each of the n training items once."""
    batches = [torch.as_tensor(batch) for batch in batches]
    items = [item for batch in batches for item in batch.tolist()]
    if sorted(items) != list(range(n)) or not all(map(len, batches)):
        raise ValueError(
            f"the batches of an epoch must hold each of the {n:,} training items once and none may be empty: here they hold "
            f"{len(items):,} indices, of which {len(set(items) & set(range(n))):,} are different items"
        )
    return batches
