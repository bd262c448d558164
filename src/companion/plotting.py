"""Histories, spreads, images and confusion matrices, drawn on the axes that are given; each function returns its axes.

One colour for training and one for validation, in every chapter; other things are told apart by three more. All five can be read
on white as text, and told apart by readers who do not see red or green.
"""

import sys
from collections import namedtuple

import matplotlib.pyplot as plt
import numpy as np

from companion.frames import show_without_row_numbers

TRAIN, VAL = "#3b6fb6", "#c2560c"
GREEN, PLUM, INK = "#2a7f62", "#6b1a6b", "#333333"
PALETTE = (TRAIN, VAL, GREEN, PLUM, INK)


def use_style():
    """The look of every figure in the book: white background, light grid, readable type, sharp on a dense screen.

    In a notebook, tables whose rows have no names are shown without row numbers.
    """
    import seaborn as sns

    sns.set_theme(
        style="whitegrid",
        palette=PALETTE,
        rc={
            "figure.figsize": (8, 3.6),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.edgecolor": "#555555",
            "axes.titlesize": 12,
            "axes.labelsize": 11,
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": "#e3e3e3",
            "legend.frameon": False,
            "legend.fontsize": 10,
            "lines.linewidth": 2,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "image.cmap": "gray",
        },
    )
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell:  # in a notebook: twice the pixels, shown at the same size
        from matplotlib_inline.config import InlineBackend

        InlineBackend.instance(parent=shell).figure_formats = {"retina"}
        show_without_row_numbers(shell)


def plot_history(history, axes=None):
    """The metrics of one run against the epoch, training and validation, on axes side by side: the loss comes last."""
    loss, *others = history.metrics
    metrics = [*others, loss]
    axes = np.atleast_1d(plt.subplots(1, len(metrics))[1] if axes is None else axes)
    if len(axes) != len(metrics):
        raise ValueError(f"this history has {', '.join(metrics)}: give {len(metrics)} axes, not {len(axes)}")
    for ax, metric in zip(axes, metrics, strict=True):
        plot_spread([history], metric, ax)
    return axes


def plot_spread(histories, metric, ax=None, label=None):
    """The mean over several runs against the epoch, with a band from the lowest to the highest run.

    `histories` are `History` objects of equal length; `metric` is "loss" or the name of a metric that they have. `label` stands
    at the axis, by default the metric's name. The loss of runs that measured the accuracy alone is called cross-entropy there,
    which it is on the pages about classes: a page with another loss gives its label.
    """
    ax = plt.subplots()[1] if ax is None else ax
    if not histories:
        ax.text(0.5, 0.5, "no recorded runs yet", ha="center", va="center", transform=ax.transAxes)
        return ax
    lengths = sorted({history.epochs for history in histories})
    if len(lengths) > 1:
        raise ValueError(f"runs of {' and '.join(map(str, lengths))} epochs have no common mean: draw them apart")
    for split, name, colour in (("train", "training", TRAIN), ("val", "validation", VAL)):
        curves = np.array([getattr(history, f"{split}_{metric}") for history in histories])
        epochs = np.arange(1, curves.shape[1] + 1)
        ax.plot(epochs, curves.mean(0), color=colour, label=name)
        if len(curves) > 1:
            ax.fill_between(epochs, curves.min(0), curves.max(0), color=colour, alpha=0.2, linewidth=0)
    if label is None:
        classes = metric == "loss" and histories[0].metrics == ("loss", "accuracy")
        label = "loss (cross-entropy)" if classes else metric.replace("_", " ")
    ax.set(xlabel="epoch", ylabel="" if _named_at_the_left(ax) else label)
    ax.xaxis.get_major_locator().set_params(integer=True)
    _legend_once(ax)
    return ax


def _named_at_the_left(ax):
    """Whether these axes share their y axis with the panel to the left, whose label and numbers serve both."""
    spec = ax.get_subplotspec()
    if spec is None or spec.colspan.start == 0:
        return False
    left = [other for other in ax.get_shared_y_axes().get_siblings(ax) if other is not ax and other.get_subplotspec()]
    place = spec.rowspan.start, spec.colspan.start - 1
    return any((o.get_subplotspec().rowspan.start, o.get_subplotspec().colspan.start) == place for o in left)


def _legend_once(ax):
    """Give these axes a legend, hidden where other axes of the figure show one with the same words already."""
    legend = ax.legend()
    words = _words(legend)
    others = [other.get_legend() for other in ax.figure.axes if other is not ax]
    legend.set_visible(not any(other and other.get_visible() and _words(other) >= words for other in others))


def _words(legend):
    return {text.get_text() for text in legend.get_texts()}


def plot_readings(groups, ax=None):
    """When is a run at its best: by accuracy or by loss? A row for each group, the epochs of its runs along it.

    `groups` is {name: [Run, ...]}. For each group a dot stands where each run's validation accuracy is highest, below it one
    where its validation loss is lowest (the earlier epoch of equal ones), larger where several runs meet, with a short upright
    line at their mean; a grey line ends the row at the last epoch. Raises ValueError for runs without an accuracy.
    """
    readings = {name: _readings(name, runs) for name, runs in groups.items()}
    if ax is None:
        ax = plt.subplots(figsize=(8, 1.3 + 0.62 * max(len(readings), 1)))[1]
    kinds = (("best by validation accuracy", GREEN, -0.17), ("best by validation loss", PLUM, 0.17))
    marks = [plt.Line2D([], [], color=colour, marker="o", linewidth=2, label=label) for label, colour, _ in kinds]
    marks.append(plt.Line2D([], [], color=INK, marker="|", markersize=13, linestyle="none", label="last epoch"))
    for row, rows in enumerate(readings.values()):
        if not rows:
            ax.text(0.5, row, "no recorded runs yet", ha="center", va="center", transform=ax.get_yaxis_transform())
            continue
        last = [reading.epochs for reading in rows]
        ax.vlines(sorted(set(last)), row - 0.32, row + 0.32, color=INK, linewidth=2)
        for place, (_, colour, shift) in enumerate(kinds):
            epochs = [reading.best[place] for reading in rows]
            y = row + shift
            ax.hlines(y, min(epochs), max(epochs), color=colour, linewidth=1.2)
            for epoch in sorted(set(epochs)):
                size = 5.5 * epochs.count(epoch) ** 0.5  # the area of a dot counts the runs that meet there
                ax.plot(epoch, y, "o", color=colour, markersize=size, markeredgewidth=0)
            ax.vlines(np.mean(epochs), y - 0.14, y + 0.14, color=colour, linewidth=2.5)
    ax.set_yticks(range(len(readings)), readings)
    ax.set_ylim(max(len(readings), 1) - 0.45, -0.55)
    longest = max((reading.epochs for rows in readings.values() for reading in rows), default=1)
    ax.set_xlim(0.2, longest + 0.8)
    ax.set_xlabel("epoch (each dot a run, larger where runs meet; upright line: their mean)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(False, axis="y")
    ax.legend(handles=marks, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, borderaxespad=0.2)
    return ax


def readings_table(groups):
    """The numbers behind `plot_readings`: one row for each group, each a mean over its runs. A pandas DataFrame.

    Groups without runs are left out. Raises ValueError for runs without an accuracy.
    """
    import pandas as pd

    rows = []
    for name, runs in groups.items():
        found = [(*reading.best, *reading.at_best, *reading.at_last) for reading in _readings(name, runs)]
        if found:
            by_accuracy, by_loss, accuracy, loss, last_accuracy, last_loss = np.mean(found, 0)
            rows.append(
                {
                    "group": name,
                    "best epoch by accuracy": round(by_accuracy, 1),
                    "its accuracy": round(accuracy, 3),
                    "best epoch by loss": round(by_loss, 1),
                    "its loss": round(loss, 3),
                    "last accuracy": round(last_accuracy, 3),
                    "last loss": round(last_loss, 3),
                    "runs": len(found),
                }
            )
    return pd.DataFrame(rows)


Reading = namedtuple("Reading", "best at_best at_last epochs")
Reading.__doc__ = (
    """When one run was at its best: (epoch by accuracy, epoch by loss), what they were then, and at the end."""
)


def _readings(name, runs):
    """The `Reading` of each run of one group, on validation data."""
    found = []
    for run in runs:
        metrics = run.history.metrics
        chosen = next((metric for metric in metrics if metric.endswith("accuracy")), None)
        if chosen is None:
            raise ValueError(
                f"the runs of {name!r} measured {', '.join(metrics)} and no accuracy, "
                "so that there is no best epoch by accuracy to set beside that by loss"
            )
        accuracy, loss = np.array(getattr(run.history, f"val_{chosen}")), np.array(run.history.val_loss)
        best = int(accuracy.argmax()), int(loss.argmin())
        values = float(accuracy[best[0]]), float(loss[best[1]])
        last = float(accuracy[-1]), float(loss[-1])
        found.append(Reading((best[0] + 1, best[1] + 1), values, last, len(loss)))
    return found


def plot_confusion(matrix, classes, ax=None):
    """A confusion matrix (true class by row, predicted by column) as a heat map with its counts."""
    import seaborn as sns

    ax = plt.subplots(figsize=(6, 5))[1] if ax is None else ax
    sns.heatmap(matrix, annot=True, fmt="d", cmap="Blues", cbar=False, square=True, ax=ax)
    ax.set_xticks(np.arange(len(classes)) + 0.5, classes, rotation=45, ha="right")
    ax.set_yticks(np.arange(len(classes)) + 0.5, classes, rotation=0)
    ax.set(xlabel="predicted", ylabel="true")
    return ax


def show_images(images, titles=None, columns=8, axes=None):
    """A grid of images (N, C, H, W), bytes or floats in 0..1, grey or RGB, with a title above each."""
    rows = -(-len(images) // columns)
    if axes is None:
        axes = plt.subplots(rows, columns, figsize=(columns, 1.2 * rows), squeeze=False)[1]
    axes = np.asarray(axes)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, title in zip(axes.flat, images, titles if titles is not None else [""] * len(images), strict=False):
        ax.imshow(
            np.asarray(image.permute(1, 2, 0)).squeeze(), vmin=0, vmax=255 if not image.is_floating_point() else 1
        )
        ax.set_title(title, fontsize=10, fontweight="normal")
    return axes
