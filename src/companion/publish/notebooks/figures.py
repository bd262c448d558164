"""Other renderings of each figure for the site: dark, narrow, and both. Drawn from copies, in the kernel that draws the figure.

The student's figure and its PNG stay as they are. Each variant is drawn from a pickled copy: for the dark page every colour is
exchanged for one of the same hue and the same contrast, for a phone the panels are laid out in fewer columns at the same size of
letters. What shows measured colours (images, heat maps, and what is drawn upon them) is left alone.
"""

import base64
import colorsys
import functools
import io
import pickle
import textwrap
import time
import warnings

import numpy as np

spent = 0.0  # seconds of this kernel's work that went into other renderings, which a reader's own run does not make

KEY = "companion_figures"  # in the metadata of the output, beside its width and height
PAPER = "#121212"  # the page of the dark theme
WIDTH = 3.9  # inches of a narrow figure: 358 px on a phone show letters of 8 points 10 px high
SMALLEST = 8.2  # points
TALLEST = 2.8  # inches of one of several panels
DPI = 200
START = "from companion.publish.notebooks import figures; figures.watch()"  # what a kernel runs before its first cell


def watch():
    """Let this kernel add to every figure's PNG its other renderings, as metadata under `KEY`."""
    from IPython import get_ipython

    formatter = get_ipython().display_formatter
    plain = formatter.format

    def format_with_variants(shown, include=None, exclude=None):
        data, about = plain(shown, include=include, exclude=exclude)
        if "image/png" in data and hasattr(shown, "savefig"):
            global spent
            before = time.process_time()
            about.setdefault("image/png", {})[KEY] = variants(shown)
            spent += time.process_time() - before
        return data, about

    formatter.format = format_with_variants


def variants(figure):
    """{"dark": PNG, "narrow": PNG, "narrow-dark": PNG} of a figure, as base64 text; {} for one that cannot be copied."""
    try:
        state = _pickled(figure)
    except (pickle.PicklingError, AttributeError, TypeError):  # a function without a name, such as a lambda for ticks
        return {}
    wide, small = pickle.loads(state), pickle.loads(state)
    with warnings.catch_warnings():  # a warning would stand below the reader's cell, which is not its cause
        warnings.simplefilter("ignore")
        wide.set_layout_engine("none")  # it was laid out when the figure itself was drawn
        narrow(small)
        shown = _box(small)
        drawn = {"narrow": _png(small, shown)}
        for copy in (wide, small):
            darken(copy)
        return {"dark": _png(wide, _box(wide)), **drawn, "narrow-dark": _png(small, shown)}


def _pickled(figure):
    """The figure as bytes, for copies that pyplot knows nothing of."""
    from matplotlib._pylab_helpers import Gcf

    managers = dict(Gcf.figs)
    Gcf.figs.clear()  # else a copy would open itself as a figure of pyplot, and be shown
    try:
        return pickle.dumps(figure)
    finally:
        Gcf.figs.update(managers)


def _box(figure):
    """What a laid out figure fills, in inches, as `bbox_inches="tight"` finds it: measured once for its light and its dark rendering."""
    from matplotlib import rcParams

    return figure.get_tightbbox().padded(rcParams["savefig.pad_inches"])


def _png(figure, box):
    """The part of a laid out figure that lies in the box. Cut from one drawing: `savefig` would draw twice, once to lay out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    file = io.BytesIO()
    whole = figure.bbox_inches
    if box.x0 < whole.x0 or box.y0 < whole.y0 or box.x1 > whole.x1 or box.y1 > whole.y1:  # something stands out
        figure.savefig(file, format="png", dpi=DPI, bbox_inches=box)
    else:
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        height = canvas.get_width_height()[1]
        edges = [round(DPI * inch) for inch in (box.x0, box.x1, box.y0, box.y1)]
        left, right, bottom, top = edges
        Image.fromarray(np.asarray(canvas.buffer_rgba())[height - top : height - bottom, left:right]).save(file, "png")
    return base64.b64encode(file.getvalue()).decode("ascii")


# Dark --------------------------------------------------------------------------------------------------------------------


def dark_colour(colour, paper=PAPER):
    """The colour of the same hue, saturation and opacity that stands out from the dark page as this one does from white."""
    from matplotlib.colors import to_rgba

    return _dark_rgba(to_rgba(colour), paper)


@functools.cache
def _dark_rgba(rgba, paper):
    from matplotlib.colors import to_rgba

    *rgb, alpha = rgba
    wanted = contrast(rgb, "white")
    hue, lightness, saturation = colorsys.rgb_to_hls(*rgb)
    if wanted < 1.01:
        return (*to_rgba(paper)[:3], alpha)
    low, high = 0.0, 1.0
    for _ in range(20):
        lightness = (low + high) / 2
        bright = colorsys.hls_to_rgb(hue, lightness, saturation)
        if luminance(bright) < luminance(paper) or contrast(bright, paper) < wanted:
            low = lightness
        else:
            high = lightness
    return (*colorsys.hls_to_rgb(hue, min(high, 0.93), saturation), alpha)


def luminance(colour):
    """The relative luminance of WCAG 2."""
    from matplotlib.colors import to_rgba

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(colour)[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    """The contrast of two colours as WCAG 2 counts it, 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def darken(figure):
    """Give everything in a figure that has been drawn its colour for the dark page; images and what lies upon them keep theirs."""
    kept = set()
    for ax in figure.axes:
        if _measured(ax):
            kept |= {id(artist) for child in ax.get_children() if _upon(child, ax) for artist in child.findobj()}
    for artist in figure.findobj():
        if id(artist) not in kept:
            _recolour(artist)


def _measured(ax):
    """Whether the axes show colours that mean numbers: a picture or a heat map."""
    from matplotlib.collections import QuadMesh

    return bool(ax.images) or any(isinstance(artist, QuadMesh) for artist in ax.collections)


def _upon(child, ax):
    """Whether a part of axes with a picture lies on it: anything but the frame, the ticks, the titles and a legend."""
    own = [
        *ax.spines.values(),
        ax.xaxis,
        ax.yaxis,
        ax.patch,
        ax.title,
        ax._left_title,
        ax._right_title,
        ax.get_legend(),
    ]
    return not any(child is part for part in own)


def _recolour(artist):
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    if isinstance(artist, Text):
        artist.set_color(dark_colour(artist.get_color()))
        for part in (artist.get_bbox_patch(), getattr(artist, "arrow_patch", None)):
            if part is not None:
                _recolour(part)
    elif isinstance(artist, Line2D):
        face, edge = artist.get_markerfacecolor(), artist.get_markeredgecolor()
        artist.set_color(_exchanged(artist.get_color()))
        artist.set(markerfacecolor=_exchanged(face), markeredgecolor=_exchanged(edge))
    elif isinstance(artist, Patch):
        face, edge = artist.get_facecolor(), artist.get_edgecolor()
        artist.set(facecolor=dark_colour(face), edgecolor=dark_colour(edge))
    elif isinstance(artist, Collection) and artist.get_array() is None:
        faces, edges = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor([dark_colour(face) for face in faces])
        artist.set_edgecolor([dark_colour(edge) for edge in edges])


def _exchanged(colour):
    return colour if isinstance(colour, str) and colour == "none" else dark_colour(colour)


# Narrow ------------------------------------------------------------------------------------------------------------------


def narrow(figure):
    """Lay out a figure that has been drawn for a phone: `WIDTH` inches, its panels in fewer columns, letters as large as before."""
    from matplotlib.text import Text

    cells, shape = _grid(figure)
    if shape and shape[1] > 1:
        _lay_out(figure, cells, *shape)
    else:
        width, height = figure.get_size_inches()
        equal = any(ax.get_aspect() != "auto" for ax in figure.axes)
        figure.set_size_inches(WIDTH, height * WIDTH / width if equal else height)
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))
    _share_legend(figure)
    _fit_legends(figure)
    for ax in figure.axes:  # a name wider than the figure would leave no room for the panel
        words = ax.xaxis.label
        _wrap(words, words.get_window_extent().width, figure.bbox.width * 0.55)
    figure.draw_without_rendering()
    if _fit_words(figure):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _grid(figure):
    """({(row, column): [axes]}, (rows, columns)) of a figure whose panels fill one grid, a cell each; ({}, None) of others."""
    cells, grids = {}, {}
    for ax in figure.axes:
        spec = ax.get_subplotspec()
        if spec is None:  # of a colour bar, which follows its axes
            continue
        if len(spec.rowspan) != 1 or len(spec.colspan) != 1 or spec.get_topmost_subplotspec() is not spec:
            return {}, None
        grid = spec.get_gridspec()
        grids[id(grid)] = (grid.nrows, grid.ncols)
        cells.setdefault((spec.rowspan.start, spec.colspan.start), []).append(ax)
    return (cells, next(iter(grids.values()))) if len(grids) == 1 and not figure.subfigs else ({}, None)


def _lay_out(figure, cells, rows, columns):
    """Move the panels into a grid of fewer columns; the columns of one row of the old grid stay above those of the next."""
    width, height = figure.get_size_inches()
    first = next(iter(cells.values()))[0]
    ratios = first.get_subplotspec().get_gridspec().get_height_ratios() or [1] * rows
    heights = [height * ratio / sum(ratios) for ratio in ratios]
    pictures = all(
        not ax.axison or (_measured(ax) and ax.get_aspect() != "auto") for axes in cells.values() for ax in axes
    )
    listed = max(_listed(ax) for axes in cells.values() for ax in axes)
    few = 2 if len(cells) > 4 else 1
    kept = min(columns, 4 if width / columns < 1.6 else 2) if pictures else few
    if (
        not pictures and rows == 2 and columns > 2
    ):  # rows and columns change places: what stood side by side stands below
        places = {(row, column): (column, row) for row, column in cells}
        heights = [max(heights)] * columns
        new_rows, kept = columns, rows
    else:
        blocks = -(-columns // kept)
        places = {(row, column): (column // kept * rows + row, column % kept) for row, column in cells}
        heights = heights * blocks
        new_rows = rows * blocks
    if pictures:
        heights = [h * (WIDTH / kept) / (width / columns) for h in heights]
    else:
        heights = [min(h, max(TALLEST, 0.22 * listed)) for h in heights]
    figure.set_size_inches(WIDTH, sum(heights))
    grid = figure.add_gridspec(new_rows, kept, height_ratios=heights)
    moved = {places[cell]: axes for cell, axes in cells.items()}
    for (row, column), axes in moved.items():
        for ax in axes:
            ax.set_subplotspec(grid[row, column])
    if not pictures:
        _label(moved)


def _listed(ax):
    """How many things the axes name one below the other; 0 where the numbers stand there."""
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.ticker import FixedFormatter

    named = isinstance(ax.yaxis.get_major_formatter(), (FixedFormatter, StrCategoryFormatter))
    return len(ax.get_yticks()) if named else 0


def _label(moved):
    """Panels that share an axis are named at the left and at the bottom of the new grid, and no longer within it."""
    for (row, column), axes in moved.items():
        for ax in axes:
            for shared, neighbour, side, tick, getter, setter in (
                (ax.get_shared_x_axes(), (row + 1, column), ax.xaxis, "labelbottom", "get_xlabel", "set_xlabel"),
                (ax.get_shared_y_axes(), (row, column - 1), ax.yaxis, "labelleft", "get_ylabel", "set_ylabel"),
            ):
                siblings = shared.get_siblings(ax)
                if len(siblings) < 2 or not ax.axison:
                    continue
                inner = any(other in siblings for other in moved.get(neighbour, ()))
                words = next((getattr(other, getter)() for other in siblings if getattr(other, getter)()), "")
                side.set_tick_params(which="both", **{tick: not inner})
                ax._narrow_words = {**getattr(ax, "_narrow_words", {}), setter: "" if inner else words}
    for axes in moved.values():
        for ax in axes:
            for setter, words in getattr(ax, "_narrow_words", {}).items():
                getattr(ax, setter)(words)


def _share_legend(figure):
    """A legend above its panel, or the one of several panels, goes to the top of the figure, where there is most room.

    Not the one that names what only its own panel shows.
    """
    plots = [ax for ax in figure.axes if ax.get_subplotspec() is not None]
    shown = [ax for ax in plots if ax.get_legend() is not None and ax.get_legend().get_visible()]
    if len(shown) != 1:
        return
    legend = shown[0].get_legend()
    labels = [text.get_text() for text in legend.get_texts()]
    above = len(plots) == 1 and legend.get_window_extent().y0 >= shown[0].bbox.y1 - 5
    if above or (len(plots) > 1 and all(set(labels) <= set(ax.get_legend_handles_labels()[1]) for ax in plots)):
        handles = legend.legend_handles
        columns = len(labels) if sum(map(len, labels)) < 40 else 1
        legend.remove()
        figure.legend(handles, labels, loc="outside upper center", ncols=columns)


def _fit_words(figure):
    """Break titles and names of axes that are longer than their place; returns whether there were any."""
    full = figure.bbox.width
    places = []  # (text, what it takes, what there is for it)
    for ax in figure.axes:
        box = ax.get_window_extent()
        places.append((ax.title, ax.title.get_window_extent().width, box.width * 1.08))
        if ax.axison:
            places.append((ax.xaxis.label, ax.xaxis.label.get_window_extent().width, box.width * 1.25))
            places.append((ax.yaxis.label, ax.yaxis.label.get_window_extent().height, box.height * 1.15))
    if figure._suptitle is not None:
        places.append((figure._suptitle, figure._suptitle.get_window_extent().width, full))
    return any([_wrap(*place) for place in places])  # all of them, not only the first


def _wrap(text, taken, room):
    """Break a text into lines where it takes more room than there is; returns whether it did."""
    words = text.get_text()
    if not taken > room > 1 or "$" in words:
        return False
    text.set_text(textwrap.fill(words, max(int(len(words) * room / taken), 8), break_long_words=False))
    return True


def _fit_legends(figure):
    """Legends that are wider than the figure list one thing below the other."""
    for legend in [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend() is not None)]:
        if legend.get_visible() and legend._ncols > 1 and legend.get_window_extent().width > figure.bbox.width * 0.98:
            legend.set_ncols(1)
