"""The built site: strict, incremental, and looked at in a real browser on desktop and phone, in light and dark."""

import csv
import io
import json
import re
import runpy

import nbformat
import pytest
from books import NAMES, PAGES, ROOT
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from visits import Visit

from companion import load_claims
from companion.evidence import profiles, records
from companion.publish import UserError, project
from companion.publish.notebooks import chapters, execution, verdicts
from companion.publish.site import building

# ------------------------------------------------------------------------------------------------ incremental builds


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """dodo.py over two chapters and one package module, with an execution that only writes down what it was asked for."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_build").mkdir()
    listing = "".join(f"  - file: book/{name}.ipynb\n" for name in ("one", "two"))
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nparts:\n- chapters:\n{listing}")
    for name in ("one.md", "two.md", "module.py"):
        (tmp_path / "book" / name).write_text(name)
    executed = []

    def fake(root, name):
        executed.append(name)
        target = execution.executed_path(root, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("companion.publish.notebooks.execution.task", fake)
    monkeypatch.setattr(
        "companion.publish.notebooks.chapters.dependencies", lambda notebook: [tmp_path / "book" / "module.py"]
    )

    def run():
        executed.clear()
        names = runpy.run_path(str(ROOT / "dodo.py"))
        assert DoitMain(ModuleTaskLoader(names)).run(["run", "execute"]) == 0
        return sorted(executed)

    return tmp_path, run


def test_only_what_changed_is_executed_again(recipe):
    root, run = recipe
    assert run() == ["one", "two"]
    assert run() == []
    (root / "book" / "one.md").write_text("edited")
    assert run() == ["one"]
    (root / "book" / "two.md").touch()
    assert run() == [], "the same content with a new date is not a change"
    (root / "book" / "module.py").write_text("edited")
    assert run() == ["one", "two"]


def test_a_chapter_depends_on_the_package_and_the_records_it_loads_but_not_on_the_builder_or_other_records():
    def names(chapter):
        paths = chapters.dependencies(chapters.read_source(ROOT, chapter))
        return {path.relative_to(project.PACKAGE).as_posix() for path in paths}

    assert {
        "training/engine.py",
        "data/digits.py",
        "models/images.py",
        "evidence/claims/A.yml",
        "evidence/records/dropout.json",
    } <= names("dropout")
    assert not any(name.startswith("publish/") for name in names("dropout"))
    assert {"evidence/records/depth.json", "evidence/records/dropout.json"} <= names("depth"), (
        "the two-block runs are dropout's"
    )
    assert not any(name.startswith("evidence/records/") for name in names("vgg-parameters"))


# ---------------------------------------------------------------------------------------------------- strict builds


@pytest.mark.slow
def test_a_clean_book_builds_and_a_warning_refuses_it_without_touching_the_old_site(small_book, monkeypatch):
    monkeypatch.setattr("companion.publish.site.page_checks.tracked_files", lambda root: None)
    index = building.build_site(small_book)
    assert index == small_book / "_build" / "html" / "index.html"
    page = (small_book / "_build" / "html" / "book" / "dropout.html").read_text(encoding="utf-8")
    assert "Live run:" in page and "commit abc" in page
    (small_book / "book" / "index.md").write_text("# Index\n\n% chapters-table\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(UserError, match=r"Jupyter Book refuses the sources[\s\S]*nowhere"):
        building.build_site(small_book)
    assert index.is_file()


def test_a_page_without_its_marker_is_refused(small_book):
    (small_book / "book" / "index.md").write_text("# Index\n")
    with pytest.raises(UserError, match=r"index.md needs exactly one line"):
        building.build_site(small_book)


def test_a_bad_executed_notebook_stops_the_build(small_book):
    path = execution.executed_path(small_book, "dropout")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", name="stderr", text="oops")]
    nbformat.write(notebook, path)
    with pytest.raises(UserError, match=r"gate refuses the executed notebooks[\s\S]*stderr"):
        building.build_site(small_book)


# ------------------------------------------------------------------------------------------------------- the real one


@pytest.mark.slow
def test_every_page_is_there(html):
    assert [page for page in PAGES if not (html / page).is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if profiles.profile(n).get("grid")])
def test_records_can_be_downloaded_as_json_and_csv(html, name):
    page = (html / "book" / f"{name}.html").read_text(encoding="utf-8")
    assert f'href="../records/{name}.json"' in page and f'href="../records/{name}.csv"' in page
    runs = json.loads((html / "records" / f"{name}.json").read_text(encoding="utf-8"))["runs"]
    rows = list(csv.DictReader(io.StringIO((html / "records" / f"{name}.csv").read_text(encoding="utf-8"))))
    assert len(rows) == sum(run.history.epochs for run in records.load_record(name).runs)
    assert float(rows[0]["val_loss"]) == runs[0]["history"]["val_loss"][0]


@pytest.mark.slow
def test_the_ledger_page_shows_n_and_an_interval_or_the_evidence_of_every_judged_row(html):
    page = (html / "book" / "ledger.html").read_text(encoding="utf-8")
    judged = verdicts.committed_verdicts(ROOT)
    for claim in load_claims().values():
        row = re.search(rf'<tr [^>]*id="{claim.id}"[^>]*>.*?</tr>', page, re.S).group()
        *_, n, interval = re.findall(r"<td>(.*?)</td>", row, re.S)
        verdict = judged.get(claim.id)
        if verdict is None:
            assert "not yet tested" in row and not n and not interval
        elif claim.kind == "metric":
            assert int(n) == verdict.n >= 2
            if verdict.interval:
                assert interval == "{:.3f} to {:.3f}".format(*verdict.interval)
            else:  # a number in several parts
                assert "by part" in interval and interval.count("one further run") == verdict.evidence.count(";") + 1
        elif claim.kind == "order":
            assert int(n) == verdict.n >= 2 and interval.count("difference") == verdict.evidence.count("difference") > 0
        elif claim.kind == "text":
            assert "<details>" in interval


@pytest.mark.slow
def test_the_ledger_page_has_every_row_and_links_the_chapters(html):
    page = (html / "book" / "ledger.html").read_text(encoding="utf-8")
    assert all(f"<code>{claim}</code>" in page for claim in load_claims())
    assert all(f'href="{name}.html"' in page for name in NAMES)


@pytest.mark.slow
def test_the_front_page_opens_each_chapter_and_says_how_long_its_full_run_took_in_the_records(html):
    page = (html / "book" / "index.html").read_text(encoding="utf-8")
    for name in NAMES:
        row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.S) if f'href="{name}.html"' in row)
        assert all(
            f'href="{start}book/{name}.ipynb"' in row for start in project.launchers(project.repository(ROOT)).values()
        )
        assert bool(re.search(r">\d+(\.\d h| min) on CPU<", row)) == bool(profiles.profile(name).get("grid")), name


@pytest.mark.slow
def test_the_site_is_light(html):
    sizes = {path: path.stat().st_size for path in html.rglob("*") if path.is_file()}
    for name in NAMES:
        page = html / "book" / f"{name}.html"
        figures = set(re.findall(r'src="\.\./(_images/[^"]+)"', page.read_text(encoding="utf-8")))
        assert figures or name == "vgg-parameters"
        assert sizes[page] + sum(sizes[html / figure] for figure in figures) < 1_500_000
    assert sum(sizes[p] for p in sizes if "mathjax" in p.parts) < 2_000_000


# -------------------------------------------------------------------------------------------------------- the browser


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_in_the_browser(browser, address, name, width, theme):
    visit = Visit(browser, f"{address}/{name}", width, theme)
    page = visit.page
    assert visit.outside == [] and visit.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, "nothing sticks out sideways"
    assert page.locator("article h1").count() == 1
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert (sum(paper) < 200) == (theme == "dark"), f"the {theme} page is {paper}"
    images = page.evaluate(
        "[...document.querySelectorAll('article img')].map(i => [i.complete && i.naturalWidth > 0, i.alt.length])"
    )
    assert all(loaded and alt >= 20 for loaded, alt in images)
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_every_formula_is_rendered_also_from_the_file_system(browser, html, name):
    visit = Visit(browser, (html / name).as_uri())
    sources = visit.page.locator(".math").count()
    rendered = visit.page.locator(".math mjx-container").count()
    assert rendered >= sources, f"{sources} formulas, {rendered} rendered"
    assert visit.page.locator("mjx-merror").count() == 0
    assert visit.outside == []
    if name.endswith("dropout.html"):
        assert sources > 0
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_folded_solution_opens_on_a_click(browser, address):
    visit = Visit(browser, f"{address}/book/dropout.html")
    solution = visit.page.locator(".tag_solution details").first
    output = solution.locator(".highlight").first
    assert not output.is_visible()
    solution.locator("summary").first.click()
    assert output.is_visible()
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_search_finds_a_word_of_a_chapter(browser, address):
    visit = Visit(browser, f"{address}/search.html?q=dropout")
    visit.page.wait_for_selector("#search-results li a")
    links = visit.page.eval_on_selector_all("#search-results li a", "links => links.map(link => link.href)")
    assert any("dropout" in link for link in links)
    assert visit.outside == []
    visit.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_wide_table_scrolls_inside_its_box_on_a_phone(browser, address):
    visit = Visit(browser, f"{address}/book/dropout.html", width=390)
    box = visit.page.locator(".claims-table").first
    assert box.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto'")
    visit.close()
