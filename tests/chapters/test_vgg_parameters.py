"""What the VGG-16 chapter writes out on its page stays equal to what the package does."""

import ast
from pathlib import Path

import jupytext
import pytest
from reading import counted, works_cited

from companion import conv_parameters, linear_parameters, load_claims

CHAPTER = Path(__file__).parents[2] / "book" / "vgg-parameters.md"


@pytest.fixture(scope="module")
def page():
    """The formulas of the page, taken from its own cells."""
    names = {}
    for cell in jupytext.read(CHAPTER).cells:
        if cell.cell_type == "code" and cell.source.startswith("def "):
            functions = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
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


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("vgg-parameters") == [conv_parameters(16, 8, 3)]


def test_the_works_that_it_builds_on_lead_back_to_it():
    assert "simonyan2015very" in works_cited("vgg-parameters")


WORDS = ["parameters", "batch norm", "flops"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/vgg-parameters" in search(words)
