"""The dark and narrow renderings of a figure: what they change, and what they leave alone."""

import base64
import io
import itertools

import matplotlib
import nbformat
import numpy as np
import pytest

from companion.publish.notebooks import chapters, execution, figures

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from companion.plotting import PALETTE, TRAIN, VAL, plot_readings, plot_spread, use_style
from companion.training.history import History

SHOWN = 358  # pixels of the page that a figure has on a phone


@pytest.fixture(autouse=True)
def style():
    use_style()
    yield
    plt.close("all")


def history():
    curves = {"accuracy": (0.1, 0.5, 0.6), "loss": (2.0, 1.0, 0.5)}
    return History({f"{part}_{name}": curves[name] for part in ("running", "train", "val") for name in curves})


def panels(rows=1, columns=3, **settings):
    figure, axes = plt.subplots(rows, columns, squeeze=False, **settings)
    for number, ax in enumerate(axes.flat):
        plot_spread([history()], "accuracy", ax)
        ax.set_title(f"panel {number}")
    return figure


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, dpi=50)
    return file.getvalue()


def narrowed(figure):
    figure.draw_without_rendering()
    figures.narrow(figure)
    return figure


def pixels(text):
    return plt.imread(io.BytesIO(base64.b64decode(text)))


# ------------------------------------------------------------------------------------------------------------ colours


@pytest.mark.parametrize("colour", [*PALETTE, "#555555", "#e3e3e3", "tab:red", "gold", "0.9"])
def test_a_dark_colour_stands_out_from_its_page_as_the_light_one_from_white(colour):
    wanted = min(figures.contrast(colour, "white"), 13)  # hardly anything is brighter than what black becomes
    assert figures.contrast(figures.dark_colour(colour), figures.PAPER) == pytest.approx(wanted, rel=0.12)


def test_white_becomes_the_page_black_becomes_nearly_white_and_opacity_stays():
    page = matplotlib.colors.to_rgb(figures.PAPER)
    assert figures.dark_colour("white")[:3] == page
    assert figures.contrast(figures.dark_colour("black"), page) > 12
    assert figures.dark_colour((0, 0, 1, 0.25))[3] == 0.25


def as_seen(colour, kind):
    """The colour as seen without the receptors for red or for green, in linear light (Viénot, Brettel and Mollon 1999)."""
    matrices = {
        "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
        "all": np.eye(3),
    }
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return lab(np.clip(np.array(matrices[kind]) @ linear, 0, 1))


def lab(linear):
    """CIELAB of linear sRGB."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["all", "protan", "deutan"])
def test_the_public_colours_are_told_apart_by_everybody_in_both_themes(kind, theme):
    colours = [figures.dark_colour(colour)[:3] if theme == "dark" else colour for colour in PALETTE]
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(as_seen(one, kind) - as_seen(other, kind)) > 12, (one, other)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_public_colours_can_be_read_as_text_in_both_themes(theme):
    for colour in PALETTE:
        shown, page = (colour, "white") if theme == "light" else (figures.dark_colour(colour), figures.PAPER)
        assert figures.contrast(shown, page) >= 4.5


# --------------------------------------------------------------------------------------------- the student's own figure


def test_the_figure_in_hand_and_pyplot_are_left_as_they_were():
    figure, other = panels(), plt.figure()
    before = drawn(figure)
    found = figures.variants(figure)
    assert list(found) == ["dark", "narrow", "narrow-dark"]
    assert drawn(figure) == before
    assert plt.get_fignums() == [figure.number, other.number] and plt.gcf() is other


def test_the_same_figure_gives_the_same_bytes():
    first, second = panels(), panels()
    drawn(first), drawn(second)
    assert figures.variants(first) == figures.variants(second)


def test_a_figure_that_cannot_be_copied_has_no_variants():
    figure = panels()
    figure.axes[0].xaxis.set_major_formatter(lambda x, place: f"{x}!")
    assert figures.variants(figure) == {}


def test_a_bare_figure_and_one_with_a_colour_bar_have_variants():
    figure, ax = plt.subplots()
    figure.colorbar(ax.scatter([1, 2], [3, 4], c=[5, 6]), ax=ax)
    for shown in (plt.figure(), figure):
        drawn(shown)
        assert len(figures.variants(shown)) == 3


# --------------------------------------------------------------------------------------------------------------- dark


def test_the_dark_figure_has_the_page_behind_it_and_the_same_curves():
    figure = panels()
    drawn(figure)
    figures.darken(figure)
    ax = figure.axes[0]
    train, val = ax.lines
    assert (train.get_color(), val.get_color()) == (figures.dark_colour(TRAIN), figures.dark_colour(VAL))
    np.testing.assert_allclose(train.get_ydata(), history().train_accuracy)
    np.testing.assert_allclose(pixels(figures.variants(panels())["dark"])[0, 0, :3], 0x12 / 255, atol=0.01)


def test_everything_that_is_read_has_contrast_on_the_dark_page():
    figure = panels()
    figure.suptitle("all of them")
    figure.axes[0].annotate("here", (1, 0.5), (2, 0.5), arrowprops={"arrowstyle": "->", "color": "black"})
    drawn(figure)
    figures.darken(figure)
    texts = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert len(texts) > 20
    for text in texts:
        assert figures.contrast(text.get_color(), figures.PAPER) >= 4.5, text.get_text()
    assert figures.contrast(figure.axes[0].texts[0].arrow_patch.get_edgecolor(), figures.PAPER) > 4.5


def test_a_picture_and_what_lies_upon_it_keep_their_colours():
    figure, (left, right) = plt.subplots(1, 2)
    left.imshow(np.eye(3), cmap="Blues")
    word = left.text(1, 1, "7", color="white")
    ring = left.add_patch(plt.Rectangle((0, 0), 1, 1, edgecolor="black", facecolor="none"))
    left.set_title("a digit")
    dots = right.scatter([1, 2], [1, 2], c=[0.2, 0.8])
    drawn(figure)
    before = left.images[0].make_image(figure.canvas.get_renderer())[0].copy()
    figures.darken(figure)
    np.testing.assert_array_equal(left.images[0].make_image(figure.canvas.get_renderer())[0], before)
    assert word.get_color() == "white" and ring.get_edgecolor() == (0, 0, 0, 1)
    assert figures.contrast(left.title.get_color(), figures.PAPER) > 4.5
    assert dots.get_array().tolist() == [0.2, 0.8]


# ------------------------------------------------------------------------------------------------------------- narrow


def width(text):
    return pixels(text).shape[1] / figures.DPI


def test_a_narrow_figure_fits_a_phone_and_its_letters_can_be_read_there():
    runs = [type("Run", (), {"history": history()})]
    shown = [panels(), panels(4, 2), panels(2, 3, sharex=True), plot_readings({"a long name of a group": runs}).figure]
    for figure in shown:
        drawn(figure)
        inches = width(figures.variants(figure)["narrow"])
        assert inches <= figures.WIDTH + 0.3
        narrowed(figure)  # and the layout succeeds: warnings are errors here
        for text in figure.findobj(matplotlib.text.Text):
            if text.get_text():
                assert text.get_fontsize() / 72 * SHOWN / inches >= 10


def places(figure):
    return [(ax.get_subplotspec().rowspan.start, ax.get_subplotspec().colspan.start) for ax in figure.axes]


def test_panels_that_stood_side_by_side_stand_one_below_the_other_each_with_its_numbers_and_label():
    figure = narrowed(panels(1, 3, sharey=True))
    assert places(figure) == [(0, 0), (1, 0), (2, 0)]
    for ax in figure.axes:
        assert ax.get_ylabel() == "accuracy"
        assert any(tick.label1.get_visible() for tick in ax.yaxis.get_major_ticks())


def test_many_panels_of_two_columns_stay_in_two():
    assert places(narrowed(panels(4, 2)))[:3] == [(0, 0), (0, 1), (1, 0)]


def test_two_rows_of_many_become_two_columns():
    figure = narrowed(panels(2, 3, sharex=True, sharey="row"))
    assert places(figure) == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "epoch"] * 2  # once, at the bottom


def test_pictures_keep_their_rows_together_in_fewer_columns():
    figure, axes = plt.subplots(2, 6, figsize=(8, 3))
    for ax in axes.flat:
        ax.imshow(np.eye(3))
        ax.axis("off")
    top = places(narrowed(figure))[:6]
    assert top == [(0, 0), (0, 1), (0, 2), (0, 3), (2, 0), (2, 1)]


def test_panels_of_one_narrow_figure_share_one_legend_above_them():
    figure = narrowed(panels())
    assert not any(ax.get_legend() and ax.get_legend().get_visible() for ax in figure.axes)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_a_legend_of_one_panel_alone_stays_in_it():
    figure, (left, right) = plt.subplots(1, 2)
    left.plot([1, 2], label="only here")
    right.plot([2, 1])
    left.legend()
    narrowed(figure)
    assert left.get_legend() and not figure.legends


def test_a_layout_that_is_no_plain_grid_keeps_its_form():
    figure, _ = plt.subplot_mosaic("AAB;CCB")
    before = places(figure)
    assert places(narrowed(figure)) == before and figure.get_size_inches()[0] == figures.WIDTH


def test_panels_that_list_many_things_keep_the_height_for_their_names():
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(8, 7))
    for ax in axes:
        ax.barh([f"layer {number}" for number in range(20)], range(20))
    assert narrowed(figure).get_size_inches()[1] > 2 * 20 * 10 / 72  # ten points for each name


def test_a_long_title_is_broken_into_lines():
    figure = panels()
    figure.axes[0].set_title("a title that says far more than there is room for above one panel")
    assert "\n" in narrowed(figure).axes[0].get_title()


# ---------------------------------------------------------------------------------------------------------- in a kernel

DRAW = """from companion import use_style
import matplotlib.pyplot as plt
use_style()
fig, axes = plt.subplots(1, 2)
axes[0].plot([1, 2])
plt.show()
print(plt.get_fignums())"""


@pytest.mark.slow
def test_a_kernel_adds_the_variants_and_draws_the_figure_itself_as_before():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DRAW)])
    outputs = []
    for start in (None, figures.START):
        executed = nbformat.reads(execution.execute(nbformat.writes(notebook), {}, start=start), as_version=4)
        outputs.append(next(cell.outputs for cell in chapters.code_cells(executed) if "subplots" in cell.source))
    plain, rich = outputs
    assert [output.output_type for output in plain] == [output.output_type for output in rich]
    (one,), (other,) = ([o for o in outputs if o.output_type == "display_data"] for outputs in (plain, rich))
    assert one.data == other.data
    assert list(other.metadata["image/png"].pop(figures.KEY)) == ["dark", "narrow", "narrow-dark"]
    assert one.metadata == other.metadata
