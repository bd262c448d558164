"""How a page shows tables of pandas."""


def show_without_row_numbers(shell):
    """From now on this IPython shell shows no column of row numbers for tables whose rows have no names of their own."""
    import pandas as pd

    shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, frame_html)


def frame_html(frame):
    """A DataFrame as the HTML that pandas makes of it; without its index where that only counts the rows from 0 on."""
    import pandas as pd

    index = frame.index
    if not (isinstance(index, pd.RangeIndex) and index.name is None and (index.start, index.step) == (0, 1)):
        return frame._repr_html_()
    option = {
        name: pd.get_option(f"display.{name}") for name in ("max_rows", "min_rows", "max_columns", "show_dimensions")
    }
    long = option["max_rows"] and len(frame) > option["max_rows"]
    rows = option["min_rows"] if long else option["max_rows"]
    shape = {"max_rows": rows, "max_cols": option["max_columns"], "show_dimensions": option["show_dimensions"]}
    return frame.to_html(index=False, notebook=True, **shape)
