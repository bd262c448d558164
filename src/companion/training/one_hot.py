"""Ten yes-or-no questions in place of one choice among ten: binary cross-entropy on classes, and its accuracy."""

from torch.nn import functional as F

from companion.training.metrics import binary_accuracy


def one_hot(outputs, labels):
    """The classes (N,) as the rows of zeros and a one that outputs (N, C) are compared with: floats (N, C).

    Raises ValueError where the targets are no classes, one-hot rows for instance, or lie outside the outputs.
    """
    classes = outputs.shape[1]
    if labels.dim() != 1 or labels.is_floating_point():
        raise ValueError(
            f"these targets {tuple(labels.shape)} are no classes: one whole number for each item is meant, (N,). "
            "One-hot rows become classes by .argmax(1)"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"{classes} outputs stand for the classes 0 to {classes - 1}, but the labels go from {labels.min()} to {labels.max()}"
        )
    return F.one_hot(labels, classes).to(outputs.dtype)


def one_hot_loss(outputs, labels):
    """Binary cross-entropy of logits (N, C) against classes (N,), one yes or no for each output; the mean over all N·C."""
    return F.binary_cross_entropy_with_logits(outputs, one_hot(outputs, labels))


def one_hot_accuracy(outputs, labels):
    """The share of an item's C logits on the right side of zero, for classes (N,): (N,). All below zero gives 1 - 1/C."""
    return binary_accuracy(outputs, one_hot(outputs, labels))
