"""Clients of kernels that stop a cell which hangs or prints without end, for papermill and for nbclient."""

import asyncio

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

MOST = 50_000_000  # characters that one cell may send: no chapter sends a fiftieth of it
ENGINE = "companion"


class CellStopped(RuntimeError):
    """A cell that was stopped; the message says which one, why, and what to do."""


class _Bounded:
    """What both clients do: count what a cell sends, and end its kernel where it is too much or takes too long."""

    async def async_execute_cell(self, cell, cell_index, *arguments, **options):
        self.sent = 0
        try:
            return await super().async_execute_cell(cell, cell_index, *arguments, **options)
        except CellTimeoutError:
            await self._end_kernel()
            raise CellStopped(
                f"{self._name(cell_index)} took more than {self.timeout:,} seconds and was stopped: mend it, or allow more "
                "seconds by COMPANION_LIMIT, 0 for no limit."
            ) from None
        except DeadKernelError:
            if self.sent <= MOST:
                raise
            raise CellStopped(
                f"{self._name(cell_index)} prints without end: it was stopped after {MOST // 1_000_000} million characters. "
                "Print less there."
            ) from None

    execute_cell = run_sync(async_execute_cell)

    def process_message(self, msg, cell, cell_index):
        if self.sent > MOST:  # what was still on its way
            return None
        self.sent += _size(msg["content"])
        if self.sent > MOST:
            self.ending = asyncio.ensure_future(self._end_kernel())
            return None
        return super().process_message(msg, cell, cell_index)

    async def _end_kernel(self):
        """End the kernel at once; a cell may catch an interrupt."""
        await ensure_async(self.km.shutdown_kernel(now=True))

    def _name(self, cell_index):
        """The cell as messages name it: by its number among the code cells."""
        return f"cell [{sum(cell.cell_type == 'code' for cell in self.nb.cells[: cell_index + 1])}]"


def _size(content):
    """How many characters a message holds: the text of a print, or the texts and pictures of an output."""
    data = content.get("data") or {}
    return len(content.get("text") or "") + sum(len(value) for value in data.values() if isinstance(value, str))


class Client(_Bounded, NotebookClient):
    """nbclient's client, with bounds."""


class PapermillClient(_Bounded, PapermillNotebookClient):
    """papermill's client, with bounds."""


class Engine(NBClientEngine):
    """papermill's engine, with a client that has bounds."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, start_timeout=60, execution_timeout=None, **options):
        options.pop("input_path", None)
        names = ("log_output", "stdout_file", "stderr_file")
        options = {name: value for name, value in options.items() if name not in names}
        return PapermillClient(
            nb_man, kernel_name=kernel_name, timeout=execution_timeout, startup_timeout=start_timeout, **options
        ).execute()


def register():
    """Make the engine known to papermill; returns its name there."""
    papermill_engines.register(ENGINE, Engine)
    return ENGINE
