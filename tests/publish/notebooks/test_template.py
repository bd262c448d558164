"""New chapters: each kind runs as it is, stands in its place, and either all of its files are written or none."""

import random
import re
import shutil

import pytest
import yaml

import companion
from companion.evidence.ledger import load_claims
from companion.publish import UserError, cli, project
from companion.publish.notebooks import chapters, checks, execution, form, pairs, template
from companion.publish.pages import questions

ROOT = project.project_root(__file__ + "/..")
KINDS = [(data, task) for data in template.DATA for task in template.TASKS]
NEW = ["book/{0}.md", "book/questions/{0}.yml", "src/companion/evidence/profiles/{0}.yml", "tests/chapters/test_{1}.py"]


FIRST = [
    "vgg-parameters",
    "depth",
    "mlp-vs-cnn",
    "gap-head",
    "dropout",
    "augmentation",
    "rnn-vs-cnn",
    "transfer-learning",
]


@pytest.fixture
def book(tmp_path):
    """The root of a book with the real contents, as long as only eight chapters stand, README, and their titles."""
    root = tmp_path / "a book é"
    (root / "book").mkdir(parents=True)
    for name in ("_config.yml", "README.md"):
        shutil.copy(ROOT / name, root)
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    planned = {name for _, found in template.plan() for name in found}
    for part in contents["parts"]:
        stands = [page for page in part["chapters"] if chapters.name_of(page["file"]) not in planned - set(FIRST)]
        part["chapters"] = stands if len(stands) > 1 else []  # a part's own page does not stand alone
    contents["parts"] = [part for part in contents["parts"] if part["chapters"]]
    (root / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")
    for name in FIRST:
        (root / "book" / f"{name}.md").write_text(f"---\nkernelspec: {{}}\n---\n\n# The title of {name}\n")
    return root


def files_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def new_files(name):
    return {path.format(name, name.replace("-", "_")) for path in NEW}


# ------------------------------------------------------------------------------------------------------ what is written


def test_a_new_chapter_gets_every_file_that_it_needs_and_its_lines_in_the_contents_and_in_readme(book):
    before = files_of(book)
    written = template.new_chapter(book, "linear-regression")
    after = files_of(book)
    part = {"book/parts/gradients.md"}  # it is the first chapter of its part
    assert set(after) - set(before) == new_files("linear-regression") | part
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"_toc.yml", "README.md"}
    assert {path.relative_to(book).as_posix() for path in written} == new_files("linear-regression") | part | changed
    assert "/blob/main/book/linear-regression.ipynb)" in (book / "README.md").read_text(encoding="utf-8")
    assert chapters.title(book, "linear-regression") == "Linear regression"


def test_the_questions_of_a_new_chapter_are_valid_and_count_as_unfinished(book):
    template.new_chapter(book, "linear-regression")
    assert len(questions.load_questions(book, "linear-regression")) == 3
    assert questions.PLACEHOLDER in questions.questions_path(book, "linear-regression").read_text(encoding="utf-8")


def test_a_chapter_that_trains_nothing_has_no_profile_and_no_record(book):
    template.new_chapter(book, "linear-regression", task="none")
    assert not (book / NEW[2].format("linear-regression")).exists()
    text = (book / "book" / "linear-regression.md").read_text(encoding="utf-8")
    assert "load_record" not in text and "seeds" not in text and "use_full_profile" not in text


def test_the_kinds_are_those_of_the_plan_unless_they_are_given():
    assert template.kinds("linear-regression") == ("table", "regression")
    assert template.kinds("denoising-autoencoder") == ("images", "reconstruction")
    assert template.kinds("linear-regression", task="binary") == ("table", "binary")


def test_the_plan_holds_every_chapter_of_the_ledger_once_and_only_kinds_that_there_are():
    planned = [(name, kinds) for _, found in template.plan() for name, kinds in found.items()]
    assert sorted(name for name, _ in planned) == sorted({claim.chapter for claim in load_claims().values()})
    assert {(kinds["data"], kinds["task"]) for _, kinds in planned} <= set(KINDS)


@pytest.mark.parametrize(("name", "words"), [("GAP head", "no chapter name"), ("soup", "no row"), ("depth", "exists")])
def test_a_chapter_that_cannot_be_made_is_refused_and_nothing_is_written(book, name, words):
    before = files_of(book)
    with pytest.raises(UserError, match=words):
        template.new_chapter(book, name)
    assert files_of(book) == before


@pytest.mark.parametrize("there", NEW)
def test_no_file_is_overwritten(book, there):
    path = book / there.format("linear-regression", "linear_regression")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    before = files_of(book)
    with pytest.raises(UserError, match=re.escape(path.relative_to(book).as_posix())):
        template.new_chapter(book, "linear-regression")
    assert files_of(book) == before


def test_where_one_file_cannot_be_written_none_stays(book):
    (book / "tests").write_text("a file where the folder of the tests should be")
    before = files_of(book)
    with pytest.raises(OSError):
        template.new_chapter(book, "linear-regression")
    assert files_of(book) == before
    assert not (book / "book" / "questions").exists() and not (book / "src").exists()


def test_the_command_says_what_was_written_and_what_is_left_to_do(book, monkeypatch, capsys):
    monkeypatch.chdir(book)
    assert cli.main(["new", "cross-validation"]) == 0
    said = capsys.readouterr().out
    assert "data: table, task: binary" in said and said.count("[ ]") >= 6
    assert all(name in said for name in new_files("cross-validation"))
    for place in ("references.bib", "glossary.md", "notation.md", "make record CH=cross-validation", "CHANGELOG.md"):
        assert place in said


# --------------------------------------------------------------------------------------------- its place in the contents


def parts(root):
    return {part.caption: [chapters.name_of(page) for page in part.pages] for part in project.contents(root)[1]}


def test_a_chapter_stands_beside_its_neighbours_of_the_plan(book):
    before = set(parts(book))
    template.new_chapter(book, "simple-cnn")
    template.new_chapter(book, "denoising-autoencoder")
    names = chapters.chapter_names(book)
    assert names.index("simple-cnn") == names.index("depth") - 1
    assert names.index("denoising-autoencoder") == names.index("transfer-learning") + 1
    assert set(parts(book)) == before, "no part is new"


def test_a_chapter_whose_neighbours_are_all_to_come_opens_their_part_and_writes_its_page(book):
    template.new_chapter(book, "linear-regression")
    assert list(parts(book).items())[1] == ("Learning by gradients", ["gradients", "linear-regression"])
    page = book / "book" / "parts" / "gradients.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Learning by gradients\n") and "% chapters-of-this-part\n" in text and "<<" not in text
    page.write_text("# Mine\n")
    template.new_chapter(book, "logistic-map")
    assert parts(book)["Learning by gradients"] == ["gradients", "linear-regression", "logistic-map"]
    assert page.read_text() == "# Mine\n"


def test_the_contents_have_the_parts_of_the_plan_in_its_order_each_opened_by_its_page():
    planned = {part["part"]: template.part_page(part) for part in template.parts()}
    listed = [(part.caption, part.pages) for part in project.contents(ROOT)[1] if part.caption in planned]
    assert [caption for caption, _ in listed] == [caption for caption in planned if caption in dict(listed)]
    for caption, pages in listed:
        assert pages[0] == planned[caption] and (ROOT / f"{pages[0]}.md").is_file()
    found = [name for _, pages in listed for name in map(chapters.name_of, pages[1:])]
    assert found == chapters.chapter_names(ROOT), "every chapter stands in a part of the plan"


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_the_chapters_are_made_the_book_has_the_order_of_the_plan(book, seed):
    order = [name for _, found in template.plan() for name in found]
    missing = [name for name in order if name not in chapters.chapter_names(book)]
    random.Random(seed).shuffle(missing)
    for name in missing:
        (book / "_toc.yml").write_text(template.listed(book, name), encoding="utf-8")
    assert chapters.chapter_names(book) == order


def test_in_a_book_without_parts_the_chapter_comes_last(book):
    (book / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: book/tiny.ipynb\n- file: book/end\n"
    )
    (book / "_toc.yml").write_text(template.listed(book, "gap-head"))
    assert project.toc_pages(book) == ["book/index", "book/tiny.ipynb", "book/gap-head.ipynb", "book/end"]


# --------------------------------------------------------------------------------------------------------- what it holds


@pytest.mark.parametrize(("data", "task"), KINDS)
def test_the_page_keeps_the_rules_of_a_chapter(book, data, task):
    template.new_chapter(book, "linear-regression", data, task)
    text = (book / "book" / "linear-regression.md").read_text(encoding="utf-8")
    assert "<<" not in text and "<%" not in text and "{{" not in text and "\n\n\n\n" not in text
    notebook = chapters.read_source(book, "linear-regression")
    cells = chapters.code_cells(notebook)
    assert cells[0].source == template.first_cell(book)
    assert chapters.parameters(notebook)
    assert form.problems(notebook, "linear-regression") == []
    for cell in cells:
        assert len(cell.source.splitlines()) <= 30
        assert max(map(len, cell.source.splitlines())) <= 88, cell.source
    assert sum("record" in chapters.tags(cell) for cell in cells) == (task != "none")
    if task != "none":
        profile = yaml.safe_load((book / NEW[2].format("linear-regression")).read_text(encoding="utf-8"))
        defaults = chapters.parameters(notebook)
        chapters.check_parameters("linear-regression", defaults, {**profile["parameters"], **profile["grid"][0]})


def test_the_test_of_a_new_chapter_fails_until_everything_is_filled_in(book):
    template.new_chapter(book, "linear-regression")
    path = book / NEW[3].format("", "linear_regression")
    names = {"__file__": str(path)}
    exec(path.read_text(encoding="utf-8"), names)
    for name in names["FILES"]:
        with pytest.raises(AssertionError, match="line"):
            names["test_nothing_is_left_to_be_replaced"](name)
        (book / name).write_text("written by hand")
        names["test_nothing_is_left_to_be_replaced"](name)
    with pytest.raises(pytest.fail.Exception, match="to be written"):
        names["test_a_second_witness_confirms_the_page"]()


metrics_by_name = pytest.mark.skipif(
    "absolute_error" not in companion.__all__, reason="the engine knows no metrics by name"
)


@pytest.mark.slow
@metrics_by_name
@pytest.mark.parametrize(("data", "task"), KINDS)
def test_a_page_of_each_kind_runs_as_it_is_written(book, data, task, monkeypatch):
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    template.new_chapter(book, "linear-regression", data, task)
    names = {}
    for number, cell in enumerate(chapters.code_cells(chapters.read_source(book, "linear-regression"))[1:], start=2):
        exec(compile(cell.source, f"code cell {number}", "exec"), names)
    plt.close("all")
    if task == "none":
        assert names["total"] == sum(parameter.numel() for parameter in names["model"].parameters())
        return
    (run,) = names["runs"]
    losses = run.history.val_loss
    assert len(losses) == names["epochs"] and losses[-1] < losses[0], "it learns"
    assert names["splits"].fingerprint and len(names["splits"].train) > len(names["splits"].val) > 50


@pytest.mark.slow
@metrics_by_name
def test_a_new_chapter_passes_refresh_and_the_gate(book):
    (book / "book" / "gap-head.md").write_text(
        template.page(book, "gap-head", list(load_claims("gap-head").values()), "images", "classes"), encoding="utf-8"
    )
    pairs.refresh(book, "gap-head")
    assert not pairs.stale(book, "gap-head")
    executed = chapters.read_notebook(execution.execute_chapter(book, "gap-head"))
    assert checks.check_executed(executed, "gap-head") == []
