"""The built site: strict, incremental, and put in its place whole."""

import csv
import io
import json
import re
import runpy
import threading

import nbformat
import pytest
from books import NAMES, PAGES, ROOT
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from reading import soup

from companion import load_claims
from companion.evidence import profiles, records
from companion.evidence.digits import interval_text
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

    nothing = {"modules": [], "records": [], "claims": [], "profiles": []}

    def fake(root, name):
        executed.append(name)
        notebook = chapters.read_source(root, name)
        notebook.metadata["companion"] = {"uses": nothing, "hash": chapters.code_hash(notebook, nothing)}
        chapters.write_notebook(notebook, execution.executed_path(root, name))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("companion.publish.notebooks.execution.task", fake)
    monkeypatch.setattr(chapters, "used_files", lambda uses: [tmp_path / "book" / "module.py"])

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


@pytest.mark.parametrize(
    "path",
    ["evidence/profiles/dropout.yml", "evidence/records/dropout.json", "evidence/verdicts.py", "publish/site/new.html"],
)
def test_a_changed_grid_record_rule_or_template_makes_the_site_stale(small_book, monkeypatch, path):
    monkeypatch.setattr(project, "PACKAGE", small_book / "companion")
    changed = small_book / "companion" / path
    changed.parent.mkdir(parents=True)
    changed.write_text("")
    assert changed in building.sources(small_book)


def test_the_site_is_made_from_every_file_of_the_book_and_from_nothing_that_the_tools_leave_behind(small_book):
    (small_book / "book" / "static" / "fonts").mkdir(exist_ok=True)
    for name in ("static/fonts/text.woff2", "keywords.yml", "one.md.part"):
        (small_book / "book" / name).touch()
    (small_book / "book" / ".ipynb_checkpoints").mkdir()
    (small_book / "book" / ".ipynb_checkpoints" / "dropout.ipynb").touch()
    found = {p.relative_to(small_book).as_posix() for p in building.sources(small_book) if p.is_relative_to(small_book)}
    wanted = {"_config.yml", "_toc.yml", "_build/executed/quick/dropout.ipynb", "book/dropout.md", "book/keywords.yml"}
    assert wanted | {"book/static/fonts/text.woff2", "book/static/custom.css"} <= found
    assert not any("checkpoints" in name or name.endswith(".part") for name in found)
    assert not any(path.suffix == ".pyc" for path in building.sources(small_book))


# ------------------------------------------------------------------------------------------------- one site for another


@pytest.fixture
def two_sites(tmp_path):
    """(a new site, the place of the old one)"""
    for name in ("new", "html"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    return tmp_path / "new", tmp_path / "html"


def test_a_new_site_takes_the_place_of_the_old_one_whole(two_sites):
    new, place = two_sites
    (place / "gone.html").touch()
    left_behind = place.with_name("html.old")
    left_behind.mkdir()
    assert building.replace_site(new, place) == place
    assert [path.name for path in place.iterdir()] == ["index.html"] and (place / "index.html").read_text() == "new"
    assert [path.name for path in place.parent.iterdir()] == ["html"]


@pytest.mark.parametrize("step", [1, 2])
def test_where_the_new_site_cannot_take_its_place_the_old_one_stays_and_a_sentence_says_why(
    two_sites, monkeypatch, step
):
    new, place = two_sites
    steps, real = [], building.os.replace

    def replace(source, target):
        steps.append(source)
        if len(steps) == step:  # as on Windows, where a page of the old site is open in a server
            raise PermissionError(13, "Permission denied", str(source))
        real(source, target)

    monkeypatch.setattr(building.os, "replace", replace)
    with pytest.raises(UserError, match=r"cannot take the place of .*html \(Permission denied\): close .* still there"):
        building.replace_site(new, place)
    assert (place / "index.html").read_text() == "html" and (new / "index.html").read_text() == "new"
    assert sorted(path.name for path in place.parent.iterdir()) == ["html", "new"]


def test_a_stop_between_the_two_steps_loses_no_site(two_sites):
    new, place = two_sites
    place.rename(place.with_name("html.old"))
    building.replace_site(new, place)
    assert (place / "index.html").read_text() == "new" and not place.with_name("html.old").exists()


def test_two_commands_build_one_book_one_after_the_other(small_book, capsys):
    began, first_may_end, order, said = threading.Event(), threading.Event(), [], ""

    def first():
        with building.alone(small_book):
            began.set()
            first_may_end.wait(60)
            order.append("first")

    def second():
        with building.alone(small_book):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert began.wait(60)
    threads[1].start()
    while "Another command is building this book" not in said and threads[1].is_alive():
        said += capsys.readouterr().err
    first_may_end.set()
    for thread in threads:
        thread.join()
    assert order == ["first", "second"] and "goes on when that has ended" in said


def test_a_build_that_is_stopped_lets_the_next_one_in(small_book, capsys):
    with pytest.raises(KeyboardInterrupt), building.alone(small_book):
        raise KeyboardInterrupt
    with building.alone(small_book):
        assert capsys.readouterr().err == ""


def test_a_disk_that_cannot_be_written_is_a_sentence(small_book, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "_build/site")

    monkeypatch.setattr(building, "stage_sources", refuse)
    with pytest.raises(UserError, match=r"^The site cannot be built: Permission denied \(_build/site\)\.$"):
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
    page = soup((html / "book" / "ledger.html").read_text(encoding="utf-8"))
    judged = verdicts.committed_verdicts(ROOT)
    for claim in load_claims().values():
        *_, n, interval = page.find(id=claim.id).select("td")
        verdict = judged.get(claim.id)
        if verdict is None:
            assert "not yet tested" in page.find(id=claim.id).text and not n.text and not interval.text
        elif claim.kind == "metric":
            assert int(n.text) == verdict.n >= 2
            assert len(interval.select(".strip-report")) == len(verdict.parts)
            if len(verdict.parts) == 1:
                assert interval.select_one(".claim-numbers").text == interval_text(*verdict.interval)
        elif claim.kind == "order":
            assert (
                int(n.text) == verdict.n >= 2 and len(interval.select("details .claim-part")) == len(verdict.parts) > 0
            )
        elif claim.kind == "text":
            assert interval.details.text.strip() != "evidence"


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
        shown = soup(page.read_text(encoding="utf-8")).select(
            "article img:not(.only-dark, .only-dark *)"
        )  # a browser fetches one rendering of each figure
        figures = {image["src"].removeprefix("../") for image in shown if "_images/" in image["src"]}
        assert figures or name == "vgg-parameters"
        assert sizes[page] + sum(sizes[html / figure] for figure in figures) < 1_500_000
    assert sum(sizes[p] for p in sizes if "mathjax" in p.parts) < 2_000_000
