"""Learning curves made shorter or averaged, for records of many short runs."""

from companion.training.history import History


def thin_history(history, every):
    """The history with every n-th epoch only, up to the last one; `seconds` are those of all epochs since the one before.

    Raises ValueError unless the number of epochs is a multiple of `every`: the last epoch must stay.
    """
    if every < 1 or history.epochs % every:
        raise ValueError(f"{history.epochs} epochs cannot be thinned to every {every}: it must divide them")
    curves = {name: curve[every - 1 :: every] for name, curve in history.curves.items()}
    seconds = [sum(history.seconds[start : start + every]) for start in range(0, len(history.seconds), every)]
    return History(curves, seconds, history.device)


def mean_history(histories):
    """One history with the means of several of equal length, epoch by epoch; `seconds` are added up.

    Raises ValueError where they have other curves or lengths.
    """
    if not histories:
        raise ValueError("no histories to average")
    first = histories[0]
    for other in histories:
        if (other.epochs, list(other.curves)) != (first.epochs, list(first.curves)):
            raise ValueError("histories of different lengths or curves have no mean")
    curves = {
        name: [sum(values) / len(values) for values in zip(*(h.curves[name] for h in histories), strict=True)]
        for name in first.curves
    }
    seconds = [sum(values) for values in zip(*(h.seconds for h in histories), strict=True)]
    return History(curves, seconds, first.device)
