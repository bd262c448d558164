"""Histories, spreads, images and confusion matrices, drawn on the axes that are given; each function returns its axes.

One colour for training and one for validation, in every chapter; other things are told apart by three more. All five can be read
on white as text, and told apart by readers who do not see red or green.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

TRAIN, VAL = "#3b6fb6", "#c2560c"
GREEN, PLUM, INK = "#2a7f62", "#6b1a6b", "#333333"
PALETTE = (TRAIN, VAL, GREEN, PLUM, INK)


def use_style():
    """The look of every figure in the book: white background, light grid, readable type, sharp on a dense screen."""
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
    ax.set(xlabel="epoch", ylabel=label)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


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
