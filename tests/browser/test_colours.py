"""The figures for everyone: one palette that all eyes can tell apart, read in both themes, and kept to by every chapter; sharp pixels."""

import ast
import base64
import io
import re
from itertools import combinations

import matplotlib
import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb
from nbclient import NotebookClient
from PIL import Image

from companion import use_style
from companion.plotting import PALETTE
from companion.publish import project
from companion.publish.notebooks import chapters
from companion.publish.site import accessible

ROOT = project.project_root(__file__ + "/..")
NAMES = chapters.chapter_names(ROOT)
HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
MAPS = {
    "gray": "one way",
    "Greys": "one way",
    "Blues": "one way",
    "magma": "one way",
    "RdBu_r": "two ways",
}  # what a chapter may colour pictures with
# How the colours of the screen (linear RGB) look to readers without one kind of cone: Machado, Oliveira, Fernandes, "A physiologically-
# based model for simulation of color vision deficiency", IEEE TVCG 15 (2009), severity 1.
EYES = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
APART = 25  # in CIE Lab (1976); about 2 can just be told apart side by side, 25 at a glance in thin lines


def linear(colour):
    """A colour as linear RGB."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return linear(colour) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """The contrast ratio of WCAG."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def lab(colour, eyes):
    """A colour as those eyes see it, in CIE Lab."""
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = matrix @ np.clip(EYES[eyes] @ linear(colour), 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def dimmed(colour):
    """A colour of a figure on the dark theme, which filters pictures: brightness(0.8) contrast(1.2)."""
    return tuple(np.clip((np.array(to_rgb(colour)) * 0.8 - 0.5) * 1.2 + 0.5, 0, 1))


def test_the_measures_of_colour_agree_with_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert lab("#ff0000", "all cones") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    for eyes in EYES:
        assert lab("#ffffff", eyes) == pytest.approx([100, 0, 0], abs=0.05), "white stays white"
    seen = [np.linalg.norm(lab("#2a7f62", eyes) - lab("#777777", eyes)) for eyes in EYES]
    assert seen[0] > 30 and seen[2] < 10, "this green and this grey are one colour without green cones"


def test_every_colour_of_the_book_can_be_read_as_text_in_both_themes():
    assert [c for c in PALETTE if contrast(c, "#ffffff") < 4.5] == []
    assert [c for c in PALETTE if contrast(dimmed(c), dimmed("#ffffff")) < 4.5] == []


@pytest.mark.parametrize("eyes", EYES)
def test_any_two_colours_of_the_book_can_be_told_apart(eyes):
    pairs = {pair: np.linalg.norm(lab(pair[0], eyes) - lab(pair[1], eyes)) for pair in combinations(PALETTE, 2)}
    assert {pair: round(distance) for pair, distance in pairs.items() if distance < APART} == {}


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("name", MAPS)
def test_the_colours_of_pictures_grow_steadily_lighter_or_darker_for_all_eyes(name, eyes):
    shades = [lab(shade[:3], eyes) for shade in matplotlib.colormaps[name](np.linspace(0, 1, 33))]
    steps = np.diff([shade[0] for shade in shades])
    if MAPS[name] == "two ways":
        assert (steps[:16] > -0.5).all() and (steps[16:] < 0.5).all()
        assert np.linalg.norm(shades[3] - shades[-4]) > APART
    else:
        assert (steps > -0.5).all() or (steps < 0.5).all()


def code(name):
    """The code cells of a chapter, parsed."""
    cells = chapters.code_cells(chapters.read_source(ROOT, name))
    return ast.parse("\n".join(cell.source for cell in cells if "%pip" not in cell.source))


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_draws_in_the_book_s_colours_and_its_marks_are_opaque(name):
    texts = [
        node.value for node in ast.walk(code(name)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert {colour for text in texts for colour in HEX.findall(text)} <= set(PALETTE)
    for call in (node for node in ast.walk(code(name)) if isinstance(node, ast.Call)):
        words = {word.arg: word.value for word in call.keywords}
        if isinstance(words.get("cmap"), ast.Constant):
            assert words["cmap"].value in MAPS, words["cmap"].value
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("plot", "scatter", "bar", "barh", "semilogy"):
            assert "alpha" not in words, f"{ast.unparse(call)}: pale marks are hard to see"


def test_colours_without_a_name_come_from_the_palette_too():
    use_style()
    assert tuple(map(to_hex, plt.rcParams["axes.prop_cycle"].by_key()["color"])) == PALETTE


@pytest.mark.slow
def test_a_figure_in_a_notebook_has_twice_the_pixels_that_it_is_shown_at():
    cells = ["from companion import use_style\nuse_style()", "import matplotlib.pyplot as plt\nax = plt.subplots()[1]"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3").execute()
    (figure,) = notebook.cells[1].outputs
    picture = Image.open(io.BytesIO(base64.b64decode(figure.data["image/png"])))
    shown = figure.metadata["image/png"]
    assert picture.size[0] == pytest.approx(2 * shown["width"], abs=1)
    assert picture.info["dpi"][0] > accessible.SHARP, "so that the build shows it at half its size"
