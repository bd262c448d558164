"""The table of verdicts as HTML: text is escaped, HTML goes through."""

from bs4 import BeautifulSoup

from companion.evidence import table, verdicts
from companion.evidence.ledger import Claim


def test_a_row_of_verdicts_reads_on_the_page_as_it_was_written():
    claim = Claim("x", "A", "c", "text", statement='a < b & "c"')
    row = table.table_row(claim, verdicts.Verdict("x", "not supported", evidence="p < <i>0.1</i>; it's so"))
    page = BeautifulSoup(table.table_html([row]), "html.parser")
    assert [cell.text for cell in page.select("th")] == list(table.HEADINGS)
    text, reported, measured, badge, evidence = page.select("tbody td")
    assert (text.text, reported.text, measured.text) == (claim.text, "", "")
    assert badge.text == "✗ not supported" and badge.span["class"] == ["verdict", "verdict-not-supported"]
    assert [str(part) for part in evidence.stripped_strings] == ["p < <i>0.1</i>", "it's so"]
    assert page.find("i") is None and len(evidence.find_all("br")) == 1


def test_cells_and_headings_of_plain_text_are_escaped():
    page = BeautifulSoup(table.table_html([("<b>",)], ["a & <script>"]), "html.parser")
    assert (page.td.text, page.th.text) == ("<b>", "a & <script>")
    assert page.find("b") is None and page.find("script") is None
