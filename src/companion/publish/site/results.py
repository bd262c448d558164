"""Sets pages and what their cells have shown for reading: text columns to the left, one row of headings, long printed lines broken,
nothing said twice, numbers in one piece.

pandas writes tables as raw HTML, with every column to the right and the names of the rows' levels in a row of headings of their own;
what is printed has the width that it has. Notebooks keep that; the finished pages are mended here, and `book/static/tables.css` does
the rest.
"""

import re

NUMBER = re.compile(r"[^\w]*\d")  # "0.9", "−0.1 (−0.2 to 0.0)", "≈ 3", "(3·3 + 1)·64"; not "Conv2d"
ALIGNED = re.compile(r"\S {2,}\S|\t")  # columns that spaces make, which a broken line would spoil
JOINED = re.compile(r"(?<=\d) ([×·]) (?=\d)|(?<=\d) (?=%)")  # "3 × 3", "95 %"
COUNTED = re.compile(r"\bdifference [+−-]?\d")  # of a comparison, which its part in the fold says with a picture


def mend(soup, name=""):
    """Mend the tables, the printed lines and the cards of a page's soup."""
    for table in soup.select("table.dataframe"):
        join_headings(table)
        mark_text_columns(table)
    mark_lines_that_break(soup)
    drop_what_the_parts_say(soup)
    keep_numbers_whole(soup)


def join_headings(table):
    """Where the names of the rows' levels stand in a row of their own, below the empty corner, put both rows into one."""
    rows = table.thead.find_all("tr") if table.thead else []
    if len(rows) != 2:
        return
    above, below = (row.find_all(["th", "td"]) for row in rows)
    pairs = list(zip(above, below, strict=False))
    wide = any(cell.has_attr("colspan") or cell.has_attr("rowspan") for cell in above + below)
    if wide or len(above) != len(below) or any(_text(first) and _text(second) for first, second in pairs):
        return
    for first, second in pairs:
        if _text(second):
            first.replace_with(second.extract())
    rows[1].decompose()


def mark_text_columns(table):
    """Give the class `text` to the cells of every column that names the rows, or holds words and no number."""
    body = grid(table.tbody.find_all("tr", recursive=False)) if table.tbody else []
    head = grid(table.thead.find_all("tr", recursive=False)) if table.thead else []
    for column in range(max(map(len, body), default=0)):
        cells = [row[column] for row in body if column < len(row)]
        words = [_text(cell) for cell in cells if _text(cell)]
        names = all(cell.name == "th" for cell in cells)
        if words and (names or not any(NUMBER.match(text) for text in words)):
            above = [row[column] for row in head if column < len(row)]
            for cell in [*cells, *(cell for cell in above if not cell.has_attr("colspan"))]:
                cell["class"] = sorted({*cell.get("class", ()), "text"})


def grid(rows):
    """The cells of these rows of a table by row and column; one that spans several stands in each of them."""
    found = [[] for _ in rows]
    for at, row in enumerate(rows):
        column = 0
        for cell in row.find_all(["th", "td"], recursive=False):
            while column < len(found[at]) and found[at][column] is not None:
                column += 1
            across, down = (int(cell.get(name, 1)) for name in ("colspan", "rowspan"))
            for line in found[at : at + down]:
                line += [None] * (column + across - len(line))
                line[column : column + across] = [cell] * across
            column += across
    return found


def mark_lines_that_break(soup):
    """Give the class `breaks` to printed text without columns: it is read whole, where a line that scrolls hides its end."""
    for pre in soup.select(".cell_output .output pre"):
        if not ALIGNED.search(pre.get_text().strip("\n")):
            pre["class"] = [*pre.get("class", ()), "breaks"]


def drop_what_the_parts_say(soup):
    """Of a card whose parts are folded below it, leave out the comparisons that the fold shows one by one."""
    for parts in soup.select(".claim-card .claim-parts"):
        evidence = parts.find_previous_sibling(class_="claim-evidence")
        for phrase in evidence.find_all("span", recursive=False) if evidence else ():
            if COUNTED.search(phrase.get_text()):
                phrase.decompose()
        if evidence and not evidence.get_text(strip=True):
            evidence.decompose()


def keep_numbers_whole(soup):
    """A line does not end within a size or before a per cent sign."""
    for string in soup.article.find_all(string=JOINED) if soup.article else ():
        if not string.find_parent(["pre", "code", "script", "style"]) and not string.find_parent(class_="math"):
            string.replace_with(JOINED.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), string))


def _text(cell):
    return cell.get_text(" ", strip=True) if cell else ""
