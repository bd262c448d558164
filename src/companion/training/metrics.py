"""Metrics: how well a network does on each item, for `fit(..., metrics={"accuracy": accuracy})`.

A metric is any function (outputs, targets) → (N,), one truth value or float for each item. `fit` and `evaluate` add the values
up over the items, so that the sizes of the batches do not matter, and truth values as whole numbers, so that an accuracy is
exact.
"""


def accuracy(outputs, labels):
    """Whether the largest of an item's outputs is that of its class: (N, C) and whole numbers (N,) → (N,)."""
    if labels.dim() != 1 or labels.is_floating_point():
        raise ValueError(
            "accuracy compares the largest output with a class, a whole number, but these targets are floats of the outputs' "
            'shape: choose other metrics, such as metrics={"absolute_error": absolute_error}, or metrics={} for the loss alone'
        )
    return outputs.argmax(1) == labels


def binary_accuracy(outputs, targets):
    """The share of an item's logits that lie on the right side of zero: targets of 0 and 1 in the outputs' shape → (N,)."""
    return _mean_of_each(((outputs > 0) == (targets > 0.5)).float())


def absolute_error(outputs, targets):
    """The mean absolute error of an item's outputs, (N, ...) → (N,); its mean over the items is the MAE."""
    return _mean_of_each((outputs - targets).abs())


def squared_error(outputs, targets):
    """The mean squared error of an item's outputs, (N, ...) → (N,); its mean over the items is the MSE."""
    return _mean_of_each((outputs - targets).square())


def _mean_of_each(values):
    """The mean over everything but the items: (N, ...) → (N,)."""
    return values.reshape(len(values), -1).mean(1)


CLASSIFICATION = {"accuracy": accuracy}  # what `fit` and `evaluate` measure unless told otherwise
