"""What cells have shown, set for reading in the finished pages."""

import pytest
from bs4 import BeautifulSoup

from companion.publish.site import results

TWO_ROWS = """<table class="dataframe"><thead><tr><th></th><th></th><th>test</th><th>verdict</th></tr>
<tr><th>data</th><th>network</th><th></th><th></th></tr></thead>
<tbody><tr><th rowspan="2">names</th><th>LSTM</th><td>−0.1 (undecided)</td><td>holds</td></tr>
<tr><th>3 layers</th><td>no run yet</td><td></td></tr></tbody></table>"""


def soup_of(html):
    return BeautifulSoup(html, "html.parser")


def test_columns_of_words_are_marked_from_the_heading_down_and_columns_with_a_number_are_not():
    soup = soup_of(TWO_ROWS)
    results.mend(soup)
    marked = [cell.get_text() for cell in soup.select(".text")]
    assert marked == ["data", "network", "verdict", "names", "LSTM", "holds", "3 layers", ""]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Conv2d", True),
        ("not recorded yet", True),
        ("(3·3 + 1)·64", False),
        ("≈ 3", False),
        ("+0.1 ± 0.2", False),
        ("", False),
    ],
)
def test_a_cell_that_begins_with_a_number_makes_a_column_of_numbers(cell, text):
    soup = soup_of(f'<table class="dataframe"><tbody><tr><th>a</th><td>{cell}</td></tr></tbody></table>')
    results.mend(soup)
    assert ("text" in soup.td.get("class", ())) is text


def test_the_names_of_the_rows_join_the_row_of_headings_and_no_name_is_lost():
    soup = soup_of(TWO_ROWS)
    results.join_headings(soup.table)
    assert [[cell.get_text() for cell in row.find_all("th")] for row in soup.thead.find_all("tr")] == [
        ["data", "network", "test", "verdict"]
    ]
    two = TWO_ROWS.replace("<th></th><th></th><th>test</th>", '<th></th><th></th><th colspan="2">test</th>', 1)
    both = TWO_ROWS.replace("<th>network</th><th></th>", "<th>network</th><th>unit</th>", 1)
    for html in (two, both):
        soup = soup_of(html)
        results.join_headings(soup.table)
        assert str(soup) == str(soup_of(html)), "headings that say something in both rows stay"


def test_printed_lines_break_where_they_hold_no_columns():
    shown = "<div class='cell_output'><div class='output'><pre>%s</pre></div></div>"
    for text, breaks in (("a: 1, b: 2\n  c: 3", True), ("layer   ours\nconv1  1,792", False), ("a\tb", False)):
        soup = soup_of(shown % text)
        results.mend(soup)
        assert ("breaks" in soup.pre.get("class", ())) is breaks, text


def test_sizes_and_percentages_stay_in_one_line_and_code_and_formulas_as_they_are():
    soup = soup_of(
        "<article><p>a 2 × 2 <b>95 % of</b> 3 times <code>2 × 2</code><span class='math'>2 · 2</span></p></article>"
    )
    results.mend(soup)
    assert soup.get_text() == "a 2\xa0×\xa02 95\xa0% of 3 times 2 × 22 · 2"


def test_a_card_leaves_out_what_its_parts_show_and_keeps_the_rest():
    card = """<div class="claim-card"><p class="claim-numbers claim-evidence"><span>ahead in 1 of 2</span> <span>loss smaller:
difference −0.1 (−0.2 to 0.0), in 5 of 5 seeds: holds</span></p>%s</div>"""
    soup = soup_of(card % '<details class="claim-parts">parts</details>')
    results.mend(soup)
    assert [span.get_text() for span in soup.find_all("span")] == ["ahead in 1 of 2"]
    soup = soup_of(card % "")
    results.mend(soup)
    assert len(soup.find_all("span")) == 2, "nothing else would say it"
