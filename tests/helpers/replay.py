"""Lets nbval compare what papermill has executed: a stand-in for its kernel that answers with an executed notebook's outputs.

So `make test` executes a chapter once, for the site and for the comparison; collection, options, comparison and messages are
nbval's own. Plain `pytest --nbval` (and `make nbval`, which CI runs) still executes in a kernel of its own.
"""

from pathlib import Path

import pytest

from companion.publish.notebooks import chapters, execution


def setup_from(folder):
    """A `setup` for nbval's collector of a notebook: its kernel answers from the notebook of that name in `folder`."""

    def setup(self):
        path = Path(folder) / Path(self.path).name
        root = Path(self.path).parent.parent
        if not execution.is_current(root, Path(self.path).stem, path):
            pytest.fail(f"{path.name} was not executed with the present code: run `make book`", pytrace=False)
        self.kernel = Replay(chapters.read_notebook(path))
        self.setup_sanitize_files()

    return setup


class Replay:
    """Answers to nbval as a kernel would that runs the cells of this executed notebook in order."""

    def __init__(self, notebook):
        self.cells = iter(chapters.code_cells(notebook))
        self.messages = []

    def is_alive(self):
        return True

    def stop(self):
        pass

    def execute_cell_input(self, code, allow_stdin=None):
        """Take the next cell, which has to be this one; returns the id of its messages."""
        cell = next(self.cells, None)
        if cell is None or cell.source.strip() != code.strip():
            raise RuntimeError("the executed notebook holds other cells than the committed one: run `make book`")
        parts = [message(output) for output in cell.outputs]
        self.messages = [("status", {"execution_state": "busy"}), *parts, ("status", {"execution_state": "idle"})]
        return cell.id

    def await_reply(self, msg_id, timeout=None):
        self.parent = msg_id

    def await_idle(self, msg_id, timeout=None):
        self.messages.clear()

    def get_message(self, stream, timeout=None):
        kind, content = self.messages.pop(0)
        return {"msg_type": kind, "content": content, "parent_header": {"msg_id": self.parent}}


def message(output):
    """(type, content) of the message that a kernel would have sent for this output."""
    content = {name: value for name, value in output.items() if name != "output_type"}
    return output.output_type, content
