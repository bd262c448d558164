"""The lines under each title: when, where and with what the page was computed."""

import copy

import pytest
from markdown_it import MarkdownIt
from reading import soup

from companion.evidence import records
from companion.publish.pages import provenance


@pytest.fixture
def notebook(written):
    found = copy.deepcopy(written["dropout"])
    about = {"profile": "quick", "seconds": 60, "device": "cpu", "versions": {"PyTorch": "2.13.0"}}
    found.metadata["companion"] = {**about, "commit": "abcdef", "date": "2026-11-21"}
    return found


def test_the_lines_under_a_title_keep_every_fact_and_fold_the_long_ones(notebook):
    record = records.load_record("dropout")
    page = soup(provenance.provenance_html(notebook, "dropout", record))
    folded = page.details.extract().text
    assert "60 s on CPU, 2026-11-21" in page.text and f"{len(record.runs)} on " in page.text and "hours on" in page.text
    assert "abcdef" in folded and "PyTorch 2.13.0" in folded and record.runs[0].provenance["commit"] in folded
    assert record.runs[0].provenance["machine"] in folded and "abcdef" not in page.text
    links = [link["href"] for link in page.select("a[download]")]
    assert [link.rpartition(".")[2] for link in links] == ["ipynb", "md", "json", "csv"]


def test_a_chapter_without_recorded_runs_offers_none(notebook):
    page = soup(provenance.provenance_html(notebook, "vgg-parameters", records.load_record("vgg-parameters")))
    assert "Live run: 60 s on CPU" in page.text and "Recorded" not in page.text
    assert [link["href"].rpartition(".")[2] for link in page.select("a[download]")] == ["ipynb", "md"]


def test_the_lines_stay_html_in_a_cell_of_markdown_and_leave_the_rest_of_the_cell_alone(notebook):
    before = [cell.source for cell in notebook.cells]
    provenance.add_provenance(notebook, "dropout", records.load_record("dropout"))
    (lines,) = (cell.source for cell in notebook.cells if 'class="provenance"' in cell.source)
    assert MarkdownIt().render(lines).strip() == lines, "an empty line ends HTML"
    rest = [cell.source for cell in notebook.cells if cell.source != lines]
    words = lambda sources: "".join("".join(sources).split())  # noqa: E731
    assert rest[0] == before[0].partition("\n")[0] and words(rest) == words(before)
