"""The book without solutions: notebooks to hand out, and a site in which none of the solutions is left."""

import base64
import json
import re

import nbformat
import pytest
import snowballstemmer
from books import NAMES, ROOT
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from reading import markdown, source

from companion.publish import UserError, cli
from companion.publish.notebooks import chapters, execution
from companion.publish.pages import handout
from companion.publish.site import building

every_chapter = pytest.mark.parametrize("name", NAMES)


def solved_notebook():
    solution = {"tags": ["solution", "hide-cell"]}
    return new_notebook(
        cells=[
            new_markdown_cell("# One"),
            new_code_cell("work = 1", execution_count=1),
            new_markdown_cell("## Exercises\n\nCount.\n\nSolution (open the cell below). Its digits\nvary.\n\nA hint."),
            new_code_cell("print('secret')", metadata=solution, execution_count=2),
            new_markdown_cell("The secret reason.", metadata={"tags": ["solution"]}),
            new_markdown_cell("## References\n\nA book."),
        ]
    )


def test_solutions_and_what_announces_them_are_left_out_and_the_original_is_untouched():
    notebook = solved_notebook()
    result = handout.without_solutions(notebook, "one")
    assert [cell.source for cell in result.cells] == [
        "# One",
        "work = 1",
        "## Exercises\n\nCount.\n\nA hint.",
        "## References\n\nA book.",
    ]
    assert len(notebook.cells) == 6 and "Solution" in notebook.cells[2].source
    places = handout.without_solutions(notebook, "one", place="# here")
    assert [cell.source for cell in places.cells[3:]] == ["# here", "## References\n\nA book."], "one place for both"


def test_a_solution_without_its_tag_is_refused():
    notebook = solved_notebook()
    notebook.cells[3].metadata = {}
    with pytest.raises(UserError, match=r"one: a code cell under its exercises has neither the tag .*secret"):
        handout.without_solutions(notebook, "one")
    notebook.cells[3].metadata = {"tags": ["exercise"]}
    assert "secret')" in markdown(notebook) + handout.without_solutions(notebook, "one").cells[3].source
    notebook.cells = notebook.cells[:3]
    with pytest.raises(UserError, match="one: no cell has the tag 'solution'"):
        handout.without_solutions(notebook, "one")


def solution_cells(notebook):
    return [cell for cell in notebook.cells if "solution" in chapters.tags(cell)]


def telling_lines(cells, others):
    """Lines of these cells, and of their outputs, that are long enough to be told apart and stand nowhere else."""
    lines = set()
    for cell in cells:
        lines |= {line.strip() for line in cell.source.splitlines()}
        for output in cell.get("outputs", []):
            texts = [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
            lines |= {line.strip() for text in texts for line in text.splitlines()}
    return {line for line in lines if len(line) >= 15 and line not in others}


@every_chapter
def test_the_notebook_to_hand_out_has_every_exercise_a_place_for_answers_and_no_solution(name):
    whole, student = source(name), handout.notebook_to_hand_out(ROOT, name)
    nbformat.validate(student)
    text = "\n".join(cell.source for cell in student.cells)
    lines = telling_lines(solution_cells(whole), text)
    assert len(lines) > 5 and not [line for line in lines if line in text]
    assert "Solution" not in text and not any(cell.get("outputs") for cell in student.cells)
    asked = r"^(?:### Exercise \d+|\*\*\d\. )"
    assert re.findall(asked, text, re.M) == re.findall(asked, markdown(whole), re.M) != []
    groups = re.findall("s+", "".join("s" if "solution" in chapters.tags(c) else "-" for c in whole.cells))
    assert sum(cell.source == handout.PLACE for cell in student.cells) == len(groups)
    assert len({cell.id for cell in student.cells}) == len(student.cells)


def test_the_command_writes_the_notebooks_and_refuses_what_is_no_chapter(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["handout", "dropout", "--folder", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["dropout.ipynb"]
    assert cli.main(["handout", "dropout", "soup", "--folder", str(tmp_path / "none")]) == 1
    assert "no chapter 'soup'" in capsys.readouterr().err and not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    assert cli.main(["handout", "dropout", "--folder", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_option_builds_the_other_site_after_executing(monkeypatch, capsys):
    called = []

    class Doit:
        def __init__(self, loader):
            pass

        def run(self, words):
            called.append(words[0] if len(words) == 1 else (words[0], words[-1]))
            return 0

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("doit.doit_cmd.DoitMain", Doit)
    monkeypatch.setattr(
        "companion.publish.site.building.build_site", lambda root, solutions: called.append(solutions) or "index"
    )
    assert cli.main(["build", "--workers", "1", "--without-solutions"]) == 0
    assert called == [("run", "execute"), False]
    assert "without solutions: index" in capsys.readouterr().out


@pytest.fixture(scope="module")
def edition():
    """The site without solutions, built from the executed chapters."""
    missing = [name for name in NAMES if not execution.executed_path(ROOT, name).is_file()]
    if missing:
        pytest.skip(f"not executed yet: {', '.join(missing)} (make book)")
    return building.build_site(ROOT, solutions=False).parent


@pytest.fixture(scope="module")
def executed():
    return {name: nbformat.read(execution.executed_path(ROOT, name), as_version=4) for name in NAMES}


@pytest.mark.slow
def test_no_solution_is_left_anywhere_in_the_site_without_them(edition, executed):
    others = "\n".join(
        json.dumps([c for c in nb.cells if "solution" not in chapters.tags(c)]) for nb in executed.values()
    )
    others += "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md") if path.stem not in NAMES
    )
    hidden = [cell for notebook in executed.values() for cell in solution_cells(notebook)]
    lines = {line for line in telling_lines(hidden, others) if json.dumps(line)[1:-1] not in others}
    assert len(lines) > 100
    forms = {
        form for line in lines for form in (line, json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1])
    }
    found, pages = [], []
    for path in edition.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".js", ".json", ".md", ".txt"):
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".html":
                pages.append(path)
                text += BeautifulSoup(text, "html.parser").get_text()
            found += [(path.name, form) for form in forms if form in text]
            assert "tag_solution" not in text and "Solution (open" not in text, path.name
    assert found == [] and len(pages) > len(NAMES)


@pytest.mark.slow
def test_neither_its_search_index_nor_its_pictures_hold_a_solution(edition, executed):
    """Words and pictures that only solutions have are in neither; those of the rest are."""
    stem = snowballstemmer.stemmer("porter").stemWord

    def stems(text, shortest=1):
        return {stem(word) for word in re.findall(r"[a-z]+", text.lower()) if len(word) >= shortest}

    visible = " ".join(
        BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text(" ") for path in edition.rglob("*.html")
    )
    hidden = [cell for notebook in executed.values() for cell in solution_cells(notebook)]
    only = stems(" ".join(cell.source for cell in hidden), shortest=4) - stems(visible)
    assert len(only) > 10
    index = (edition / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index[index.index("(") + 1 : index.rindex(")")])["terms"]
    assert "dropout" in terms and sorted(only & set(terms)) == []

    def pictures(cells):
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return {"".join(o["data"]["image/png"].split()) for o in outputs if "image/png" in o.get("data", {})}

    shown = {base64.b64encode(path.read_bytes()).decode() for path in (edition / "_images").glob("*.png")}
    assert pictures(hidden) and not pictures(hidden) & shown
    assert pictures([cell for cell in executed["dropout"].cells if cell not in hidden]) <= shown


@pytest.mark.slow
def test_no_button_of_that_site_leads_to_the_solutions(edition):
    for path in (edition / "book").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "colab.research.google.com/github" not in text and handout.BANNER in text, path.name
    index = (edition / "book" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="../handout/{name}.ipynb"' in index for name in NAMES)
    for name in NAMES:
        assert nbformat.read(edition / "handout" / f"{name}.ipynb", as_version=4).cells


@pytest.mark.slow
@every_chapter
def test_a_built_chapter_has_its_questions_its_box_and_a_clean_notebook_to_download(edition, name):
    soup = BeautifulSoup((edition / "book" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    headings = [h.get_text().rstrip("#") for h in soup.select("article h2")]
    assert headings[headings.index("Check yourself") + 1] == "Exercises"
    assert len(soup.select("form.question")) == 3 and len(soup.select("div.predict-first")) == 1
    assert not soup.select("div.predict-first h2, div.predict-first div.cell")
    (script,) = soup.select('script[src$="questions.js"]')
    assert (edition / "book" / script["src"]).is_file()
    notebook = (edition / "_sources" / "book" / f"{name}.ipynb").read_text(encoding="utf-8")
    assert not re.search(r"```\{|:::|question-option", notebook), "what staging added is for the site alone"
