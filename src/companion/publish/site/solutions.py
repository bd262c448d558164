"""Folds each solution of the built pages: its words, code, output and figures in one fold, however many cells it has."""

SUMMARY = "Solution"


def fold(soup):
    """Put every run of neighbouring parts of a solution into one `<details class="solution">`."""
    for first in soup.select("article :is(div.solution-part, div.cell.tag_solution)"):
        if first.find_parent("details", class_="solution"):
            continue
        parts = [first, *_following(first)]
        details = soup.new_tag("details", attrs={"class": "solution"})
        first.insert_before(details)
        summary = soup.new_tag("summary")
        summary.string = SUMMARY
        details.extend([summary, *(part.extract() for part in parts)])
        for part in parts:
            _open(part)


def _following(part):
    """The parts that stand directly after this one."""
    while (part := part.find_next_sibling()) and {"solution-part", "tag_solution"} & set(part.get("class", ())):
        yield part


def _open(cell):
    """Take a cell's own fold away, for the solution's is enough; a fold with another name stays."""
    for inner in cell.select("details.hide"):
        name = inner.select_one("summary .collapsed")
        words = name.get_text(strip=True) if name else SUMMARY
        if words == SUMMARY or words.startswith("Show code cell"):
            inner.summary.decompose()
            inner.unwrap()
    cell["class"] = [name for name in cell["class"] if name not in ("tag_hide-cell", "tag_hide-input")]
