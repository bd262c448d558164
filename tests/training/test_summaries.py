"""Learning curves made shorter or averaged."""

import pytest

from companion.training.history import History
from companion.training.summaries import mean_history, thin_history


def history(start=0.0, epochs=6):
    curves = {name: [start + k for k in range(epochs)] for name in ("running_loss", "train_loss", "val_loss")}
    return History(curves, [0.5] * epochs)


def test_a_thinned_history_keeps_the_last_epoch_and_all_of_the_time():
    thin = thin_history(history(), 3)
    assert thin.val_loss == (2, 5) and thin.epochs == 2
    assert thin.seconds == (1.5, 1.5) and thin.metrics == ("loss",)
    assert thin_history(history(), 1) == history()


@pytest.mark.parametrize("every", [4, 0, 7])
def test_a_history_that_would_lose_its_last_epoch_is_refused(every):
    with pytest.raises(ValueError, match=f"6 epochs cannot be thinned to every {every}"):
        thin_history(history(), every)


def test_the_mean_of_histories_is_taken_epoch_by_epoch():
    mean = mean_history([history(0.0), history(1.0)])
    assert mean.train_loss == tuple(k + 0.5 for k in range(6)) and mean.seconds == (1.0,) * 6


def test_histories_that_do_not_fit_together_have_no_mean():
    with pytest.raises(ValueError, match="no histories"):
        mean_history([])
    with pytest.raises(ValueError, match="different lengths or curves"):
        mean_history([history(), history(epochs=5)])
