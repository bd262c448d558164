"""`companion audit`: what it writes, and what it says of mistakes."""

import csv
import runpy

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from books import ROOT

from companion.evidence import audit
from companion.publish import cli
from companion.publish.carry import audited


def test_the_command_writes_an_example_and_never_over_something(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["audit", "--template"]) == 0
    assert (tmp_path / "report.yml").read_text(encoding="utf-8") == audit.TEMPLATE
    (tmp_path / "report.yml").write_text("mine", encoding="utf-8")
    assert cli.main(["audit", "--template"]) == 1
    assert (tmp_path / "report.yml").read_text(encoding="utf-8") == "mine"
    assert "stays as it is" in capsys.readouterr().err


def test_a_mistake_is_a_sentence_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "r.yml").write_text("claims: [{claim: c, kind: count, reported: 1}]", encoding="utf-8")
    assert cli.main(["audit", str(tmp_path / "r.yml")]) == 1
    assert "claim 1: it lacks counted." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["r.yml"]
    assert cli.main(["audit"]) == 1


@pytest.mark.slow
def test_the_notebook_judges_the_report_again_without_any_file(tmp_path):
    (tmp_path / "r.yml").write_text(audit.TEMPLATE.replace("somebody", "<b>me</b> '''"), encoding="utf-8")
    found, written = audited.write(tmp_path / "r.yml", tmp_path / "out")
    assert [path.name for path in written] == ["r.html", "r.ipynb"]
    notebook = nbformat.read(written[1], as_version=4)
    (code,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = code.outputs[0]["data"]["text/html"]
    assert shown == found._repr_html_()
    assert str(tmp_path) not in nbformat.writes(notebook)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_stands_alone_fits_a_phone_and_axe_finds_nothing(browser, tmp_path, scheme):
    page_file = tmp_path / "r.html"
    page_file.write_text(audited.page_html(audit.audit_text(audit.TEMPLATE)), encoding="utf-8")
    assert "http" not in page_file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page).response["violations"] == []
    context.close()


def test_the_worked_example_counts_as_it_says_and_its_runs_are_ten():
    """784 inputs, 64 hidden units, 10 classes; the report forgot the biases."""
    found = audit.audit(ROOT / "book" / "static" / "homework" / "report.yml")
    assert [verdict.status for _, verdict, _ in found.judged] == ["agrees", "undecided", "undecided", "differs"]
    claim, verdict, _ = found.judged[-1]
    assert (claim.reported, verdict.measured) == (784 * 64 + 64 * 10, 784 * 64 + 64 + 64 * 10 + 10)
    first = found.judged[1][1].parts[0].values[0]
    assert first < 0, "in the first seed dropout does narrow the gap, as the page says"
    assert found.judged[2][1].parts[0].measured < 0, "the accuracy is lower in the mean"


@pytest.mark.slow
def test_the_runs_of_the_worked_example_are_those_of_its_script(tmp_path, monkeypatch):
    """On another processor the last digits are others: within a hundredth they are the same runs."""
    script = runpy.run_path(str(ROOT / "tools" / "homework.py"))
    script["main"].__globals__["TARGET"] = tmp_path / "runs.csv"
    script["main"]()
    ours = csv.reader((ROOT / "book" / "static" / "homework" / "runs.csv").open(encoding="utf-8"))
    again = csv.reader((tmp_path / "runs.csv").open(encoding="utf-8"))
    names, *rows = ours
    assert next(again) == names
    for row, other in zip(rows, again, strict=True):
        assert [float(value) for value in row] == pytest.approx([float(value) for value in other], abs=0.02)
