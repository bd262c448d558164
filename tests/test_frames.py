"""Tables of pandas on a page: no column that only numbers the rows."""

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from reading import soup

from companion import frames, use_style


def cells(frame):
    return [[cell.text for cell in row.select("th, td")] for row in soup(frames.frame_html(frame)).select("tr")]


def test_rows_that_are_only_numbered_show_no_numbers():
    frame = pd.DataFrame({"network": ["a<b>", "c"], "loss": [0.5, 1.25]})
    assert cells(frame) == [["network", "loss"], ["a<b>", "0.50"], ["c", "1.25"]]
    assert soup(frames.frame_html(frame)).table["class"] == ["dataframe"]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"loss": [0.5]}, index=["dropout"]),
        pd.DataFrame({"loss": [0.5]}).rename_axis("epoch"),
        pd.DataFrame({"loss": [0.5, 1.0]}).iloc[1:],
        pd.DataFrame({"loss": [0.5]}, index=pd.RangeIndex(1, 2)),
    ],
)
def test_rows_with_names_or_numbers_of_their_own_keep_them(frame):
    assert frames.frame_html(frame) == frame._repr_html_()
    assert len(cells(frame)[-1]) == 2


def test_a_long_table_is_cut_as_pandas_cuts_it():
    assert len(cells(pd.DataFrame({"n": range(500)}))) < 50


def test_the_style_of_the_book_shows_such_tables_in_a_notebook(monkeypatch):
    shell = InteractiveShell.instance()
    try:
        use_style()
        shown = shell.display_formatter.format(pd.DataFrame({"network": ["a"], "loss": [0.5]}))[0]["text/html"]
        assert [cell.text for cell in soup(shown).select("tbody td")] == ["a", "0.5"] and not soup(shown).select(
            "tbody th"
        )
    finally:
        InteractiveShell.clear_instance()
