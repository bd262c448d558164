"""The committed notebooks: what `check_pair` refuses, and that `refresh` mends what is damaged."""

import base64
import io

import nbformat
import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images
from sources import chapter_start

from companion.publish import UserError
from companion.publish.notebooks import chapters, pairs

SOURCE = (
    chapter_start("Title", "epochs = 1")
    + """
```{code-cell} ipython3
print(epochs)
```
"""
)


@pytest.fixture
def pair(tmp_path):
    """A book of one chapter with a fresh pair; returns (root, function that rewrites the notebook)."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n- chapters:\n  - file: book/one.ipynb\n"
    )
    (tmp_path / "book" / "one.md").write_text(SOURCE)
    notebook = chapters.read_source(tmp_path, "one")
    for number, cell in enumerate(chapters.code_cells(notebook), 1):
        cell.execution_count = number
    uses = {"modules": ["__init__"], "records": [], "claims": [], "profiles": []}
    notebook.metadata["companion"] = {"hash": chapters.code_hash(notebook, uses), "uses": uses}

    def write():
        nbformat.write(notebook, tmp_path / "book" / "one.ipynb")

    write()
    return tmp_path, notebook, write


def test_a_fresh_pair_passes(pair):
    assert pairs.check_pair(pair[0], "one") == []


def test_a_pair_whose_code_changed_is_refused(pair):
    root, _, _ = pair
    source = root / "book" / "one.md"
    source.write_text(SOURCE.replace("print(epochs)", "print(epochs + 1)"))
    assert "differs from one.md" in pairs.check_pair(root, "one")[0]


def test_a_pair_with_outputs_of_other_code_is_refused(pair):
    root, notebook, write = pair
    for changed in ("print(epochs + 1)", "epochs = 2"):  # code, then parameters: both halves changed, outputs not
        old = notebook.cells[2].source if "print" in changed else notebook.cells[1].source
        source = (root / "book" / "one.md").read_text().replace(old, changed)
        (root / "book" / "one.md").write_text(source)
        next(cell for cell in notebook.cells if cell.source == old).source = changed
        write()
        assert any("outputs of other code" in problem for problem in pairs.check_pair(root, "one"))


def test_a_pair_made_by_another_package_is_refused(pair, tmp_path, monkeypatch):
    root, _, _ = pair
    module = tmp_path / "training.py"
    module.write_text("TRAIN_SUBSET = 1\n")
    monkeypatch.setattr(chapters, "used_files", lambda uses: [module])
    assert any("outputs of other code" in problem for problem in pairs.check_pair(root, "one"))


def test_a_pair_without_execution_counts_is_refused(pair):
    root, notebook, write = pair
    for cell in chapters.code_cells(notebook):
        cell.execution_count = None
    write()
    assert any("was not executed" in problem for problem in pairs.check_pair(root, "one"))


def test_a_missing_pair_is_named(pair):
    root, _, _ = pair
    (root / "book" / "one.ipynb").unlink()
    (problem,) = pairs.check_pair(root, "one")
    assert problem.startswith("book/one.ipynb is missing: run `make refresh`")


DAMAGES = {
    "conflict markers": lambda text: "<<<<<<< HEAD\n" + text,
    "half a file": lambda text: text[: len(text) // 2],
    "an empty file": lambda text: "",
    "no notebook": lambda text: '{"a": 1}',
    "a list": lambda text: "[]",
    "a cell without outputs": lambda text: text.replace('"outputs"', '"output"'),
    "another version": lambda text: text.replace('"nbformat": 4', '"nbformat": 99'),
    "bytes that are no text": lambda text: "\udcff" + text,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_pair_is_a_sentence_that_says_what_to_do_and_counts_as_stale(pair, damage):
    path = pair[0] / "book" / "one.ipynb"
    path.write_bytes(DAMAGES[damage](path.read_text(encoding="utf-8")).encode("utf-8", "surrogateescape"))
    (problem,) = pairs.check_pair(pair[0], "one")
    assert problem.startswith("book/one.ipynb is damaged (") and "run `make refresh`" in problem
    assert pairs.stale(pair[0], "one")


def test_a_pair_with_a_byte_order_mark_is_read_as_without(pair):
    path = pair[0] / "book" / "one.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert pairs.check_pair(pair[0], "one") == []


def test_an_executed_notebook_that_is_missing_or_damaged_is_made_anew_by_make_book(tmp_path):
    path = tmp_path / "_build" / "executed" / "quick" / "one.ipynb"
    with pytest.raises(UserError, match=r"quick/one.ipynb is missing: run `make book`"):
        chapters.read_notebook(path)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(UserError, match=r"is damaged .* run `make book`"):
        chapters.read_notebook(path)


@pytest.mark.slow
def test_refresh_mends_a_damaged_pair_for_it_is_derived(pair):
    root = pair[0]
    (root / "book" / "one.ipynb").write_text("<<<<<<< HEAD\n")
    pairs.refresh(root, "one")
    assert pairs.check_pair(root, "one") == []


# ------------------------------------------------------------------------------------------------------- the Markdown


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_line_endings_of_windows_change_nothing(pair, change):
    root = pair[0]
    source = root / "book" / "one.md"
    before = chapters.read_source(root, "one")
    source.write_bytes(change(SOURCE).encode())
    assert chapters.read_source(root, "one") == before
    assert pairs.check_pair(root, "one") == []
    assert chapters.title(root, "one") == "Title"


def test_conflict_markers_in_a_chapter_are_named_with_their_line(pair):
    root = pair[0]
    text = SOURCE.replace("# Title\n", "# Title\n\n<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> other\n")
    (root / "book" / "one.md").write_text(text)
    line = text.splitlines().index("<<<<<<< HEAD") + 1
    with pytest.raises(UserError, match=rf"book/one.md, line {line}, holds a conflict marker"):
        chapters.read_source(root, "one")


def test_a_heading_underlined_by_equals_signs_is_no_conflict(pair):
    root = pair[0]
    (root / "book" / "one.md").write_text(SOURCE + "\nUnderlined\n==========\n")
    assert chapters.read_source(root, "one")


def as_text(picture):
    written = io.BytesIO()
    picture.save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode("ascii")


def pixels(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"), int)


def test_committed_curves_take_less_room_and_look_the_same():
    drawn = Image.new("RGB", (600, 400), "white")
    for number in range(12):  # many shades, as smooth lines have
        ImageDraw.Draw(drawn).line(
            [(0, 30 * number), (600, 400 - 31 * number)], fill=(20 * number, 90, 255 - 20 * number), width=3
        )
    drawn = drawn.resize((900, 600), Image.Resampling.BICUBIC)
    text = as_text(drawn)
    light = pairs.lighter(text)
    assert len(light) < 0.7 * len(text) and pixels(light).shape == pixels(text).shape
    assert np.sqrt(((pixels(light) - pixels(text)) ** 2).mean()) < 2
    assert pairs.lighter(text) == light


def test_a_committed_photograph_stays_as_it_is():
    text = as_text(Image.fromarray(load_sample_images().images[0][:300, :300]))
    assert pairs.lighter(text) == text
