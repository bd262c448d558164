"""Learning curves of one training; needs no torch."""

from dataclasses import dataclass, fields


class TrainingDiverged(ArithmeticError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class History:
    """Learning curves of one run: one number per epoch, losses as means per image, accuracies as fractions.

    `train_*` and `val_*` are measured after the epoch in evaluation mode. `train_*` uses a fixed subset of 10,000 training
    images, and the whole training set after the last epoch. `running_*` are the averages over the epoch's own batches,
    in training mode and with the weights still moving. `seconds` is the wall time of each epoch, evaluation included.
    """

    running_loss: tuple
    running_accuracy: tuple
    train_loss: tuple
    train_accuracy: tuple
    val_loss: tuple
    val_accuracy: tuple
    seconds: tuple
    device: str = "cpu"

    @property
    def epochs(self):
        return len(self.val_loss)


def join_histories(histories):
    """The history of a training in stages: the curves of several `fit`s of one model, one after the other."""
    if not histories:
        raise ValueError("no histories to join")
    curves = [field.name for field in fields(History) if field.name != "device"]
    joined = {name: sum((getattr(history, name) for history in histories), ()) for name in curves}
    return History(**joined, device=histories[0].device)
