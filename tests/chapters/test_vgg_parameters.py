"""What the VGG-16 chapter writes out on its page stays equal to what the package does."""

import ast
import re
import xml.etree.ElementTree as ElementTree

import jupytext
import pytest
from books import ROOT
from reading import counted, source, works_cited

from companion import conv_parameters, linear_parameters, load_claims
from companion.publish.notebooks import chapters

CHAPTER = ROOT / "book" / "vgg-parameters.md"


@pytest.fixture(scope="module")
def page():
    """The formulas of the page, taken from its own cells."""
    names = {}
    for cell in jupytext.read(CHAPTER).cells:
        if cell.cell_type == "code":
            code = re.sub("^%.*|^    %.*", "", cell.source, flags=re.M) if "%pip" not in cell.source else ""
            functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
            exec(compile(ast.Module(functions, []), str(CHAPTER), "exec"), names)
    return names


@pytest.mark.parametrize("inputs, outputs", [(1, 1), (2, 3), (3, 64), (512, 4096)])
def test_the_formulas_on_the_page_equal_the_package(page, inputs, outputs):
    assert page["conv"](inputs, outputs) == conv_parameters(inputs, outputs, 3)
    assert page["fc"](inputs, outputs) == linear_parameters(inputs, outputs)


def test_the_report_s_formula_gives_its_printed_rows(page):
    claims = load_claims(chapter="vgg-parameters")
    assert page["report_conv"](3, 64) == claims["A-vgg-conv1-1"].reported
    assert page["report_conv"](512, 512) == claims["A-vgg-conv4-2"].reported


@pytest.mark.slow
@pytest.mark.parametrize("changed", [{"num_classes": 10}, {"image_size": 112}])
def test_the_page_runs_through_with_the_values_that_its_exercises_invite(changed, capsys):
    names = {}
    for cell in chapters.code_cells(source("vgg-parameters")):
        if "%pip" not in cell.source:
            exec(compile(cell.source, str(CHAPTER), "exec"), names)
        if "parameters" in chapters.tags(cell):
            names.update(changed)
    printed = capsys.readouterr().out
    assert "same total: True" in printed and "same in every layer: True" in printed
    assert names["num_classes"] == changed.get("num_classes", 1000) and len(names["verdicts"]) == 15
    names["plt"].close("all")


def test_the_picture_of_the_blocks_is_drawn_to_scale():
    picture = ElementTree.parse(ROOT / "book" / "static" / "ideas" / "vgg-blocks.svg").getroot()
    boxes = [box.attrib for box in picture if box.tag.endswith("rect") and "second" in box.get("fill")]
    sides, channels = [224, 112, 56, 28, 14], [64, 128, 256, 512, 512]
    assert [float(box["height"]) / float(boxes[0]["height"]) for box in boxes] == pytest.approx(
        [s / 224 for s in sides]
    )
    assert [float(box["width"]) / float(boxes[0]["width"]) for box in boxes] == pytest.approx(
        [c / 64 for c in channels]
    )


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("vgg-parameters") == [conv_parameters(16, 8, 3)]


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "simonyan2015very" in works_cited("vgg-parameters")


WORDS = ["parameters", "batch norm", "flops"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/vgg-parameters" in search(words)
