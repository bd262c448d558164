"""A kernel that hangs, prints without end or dies: one sentence, within seconds, and no kernel is left."""

import os
import subprocess
import time

import pytest
from tiny_book import TINY

from companion.publish import UserError
from companion.publish.notebooks import clients, execution, kernels, pairs

WAYS = {"run": execution.execute_chapter, "refresh": pairs.refresh}
WORDS = "while True:\n    try:\n        {0}\n    except BaseException:\n        pass"  # an interrupt does not end it
BAD = {
    "hangs": (WORDS.format("time.sleep(1)"), r"tiny: cell \[2\] took more than 2 seconds and was stopped"),
    "prints": (WORDS.format("print('x' * 1000)"), r"tiny: cell \[2\] prints without end: it was stopped after"),
    "shows": (WORDS.format("display('x' * 1000)"), r"tiny: cell \[2\] prints without end"),
    "dies": ("import os\nos.kill(os.getpid(), 9)", "tiny: its kernel died"),
    "leaves": ("import os\nos._exit(0)", "tiny: its kernel died"),
}


def kernels_of_mine():
    done = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "ipykernel"], capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BAD)
def test_a_bad_kernel_is_one_sentence_and_is_ended(name, way, book, monkeypatch):
    code, words = BAD[name]
    monkeypatch.setattr(clients, "MOST", 2_000_000)
    monkeypatch.setenv("COMPANION_LIMIT", "2" if name == "hangs" else "60")
    (book / "book" / "tiny.md").write_text(TINY.replace("time.sleep(wait)", code))
    before, start = kernels_of_mine(), time.monotonic()
    with pytest.raises(UserError, match=words):
        WAYS[way](book, "tiny")
    assert time.monotonic() - start < 50
    assert kernels_of_mine() <= before
    assert not list((book / "_build").rglob("*.ipynb")) and not list((book / "book").glob("*.ipynb"))


def test_the_limit_of_a_cell_is_half_an_hour_or_what_is_asked_for(monkeypatch):
    monkeypatch.delenv("COMPANION_LIMIT", raising=False)
    assert kernels.cell_limit() == 1800
    for given, limit in (("7", 7), ("0", None), ("", 1800)):
        monkeypatch.setenv("COMPANION_LIMIT", given)
        assert kernels.cell_limit() == limit
    for given in ("-1", "soon", "1.5"):
        monkeypatch.setenv("COMPANION_LIMIT", given)
        with pytest.raises(UserError, match="it is a whole number of seconds"):
            kernels.cell_limit()
