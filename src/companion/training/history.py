"""Learning curves of one training, by name; needs no torch."""

from dataclasses import dataclass

PARTS = ("running", "train", "val")  # what a curve's name begins with


class TrainingDiverged(ArithmeticError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class History:
    """Learning curves of one run by name, with one number per epoch: means over the items, of the loss and of each metric.

    `train_*` and `val_*` are measured after the epoch in evaluation mode. `train_*` uses a fixed subset of 10,000 training
    items, and the whole training set after the last epoch. `running_*` are the averages over the epoch's own batches,
    in training mode and with the weights still moving. `seconds` is the wall time of each epoch, evaluation included.
    Each curve can be read by its name, as in `history.val_loss`. They are always in the same order: running, train, val,
    and in each of these the loss, then the metrics by the alphabet, since notebooks keep a record in alphabetical order.
    """

    curves: dict
    seconds: tuple = ()
    device: str = "cpu"

    def __post_init__(self):
        curves = {name: tuple(self.curves[name]) for name in sorted(self.curves, key=_place)}
        lengths = {name: len(curve) for name, curve in curves.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the curves of one run have one number for each epoch, not {lengths}")
        object.__setattr__(self, "curves", curves)
        object.__setattr__(self, "seconds", tuple(self.seconds))

    def __getattr__(self, name):
        curves = self.__dict__.get("curves", {})  # none yet while copy or pickle make a new History
        if name in curves:
            return curves[name]
        raise AttributeError(f"this run has no curve {name!r}; it has {', '.join(curves) or 'none'}")

    def __dir__(self):
        return [*super().__dir__(), *self.curves]

    @property
    def metrics(self):
        """What was measured, by name, the loss first: ("loss", "accuracy")."""
        return tuple(name.removeprefix("val_") for name in self.curves if name.startswith("val_"))

    @property
    def epochs(self):
        return len(next(iter(self.curves.values()), ()))

    def to_row(self):
        """The history as one flat dictionary, the way records keep it."""
        return {**self.curves, "seconds": self.seconds, "device": self.device}

    @classmethod
    def from_row(cls, row):
        """The history that `to_row` made this of, whatever the order of its keys."""
        curves = dict(row)
        return cls(seconds=curves.pop("seconds", ()), device=curves.pop("device", "cpu"), curves=curves)


def _place(name):
    """Where a curve stands among the others."""
    part, _, metric = name.partition("_")
    return PARTS.index(part) if part in PARTS else len(PARTS), metric != "loss", metric


def join_histories(histories):
    """The history of a training in stages: the curves of several `fit`s of one model, one after the other."""
    if not histories:
        raise ValueError("no histories to join")
    first = histories[0]
    for other in histories:
        if other.metrics != first.metrics:
            raise ValueError(f"histories of different metrics do not join: {first.metrics} and {other.metrics}")
    curves = {name: sum((history.curves[name] for history in histories), ()) for name in first.curves}
    return History(curves, sum((history.seconds for history in histories), ()), first.device)
