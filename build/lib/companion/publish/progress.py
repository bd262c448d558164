"""What `companion build` shows while doit works: a bar over the chapters, with their names and times."""

import sys
import time

from doit.reporter import ZeroReporter
from tqdm import tqdm


def reporter(chapters):
    """A doit reporter class whose bar counts this many chapters."""

    class ProgressReporter(ZeroReporter):
        desc = "a progress bar over the chapters"

        def initialize(self, tasks, selected_tasks):
            self.started, self.failures = {}, []
            self.bar = tqdm(total=chapters, desc="chapters", unit="chapter", file=sys.stderr)

        def execute_task(self, task):
            self.started[task.name] = time.perf_counter()
            if task.name == "site":
                self._close()
                print("building the site …", file=sys.stderr)

        def _done(self, task, symbol, words):
            _, _, chapter = task.name.partition(":")
            if chapter:
                self.bar.write(f"{symbol} {chapter}  {words}", file=sys.stderr)
                self.bar.update()

        def add_success(self, task):
            if task.name in self.started:
                self._done(task, "✓", f"{time.perf_counter() - self.started[task.name]:.0f} s")

        def skip_uptodate(self, task):
            self._done(task, "·", "unchanged")

        def add_failure(self, task, fail_info):
            self._done(task, "✗", "failed")
            self.failures.append(fail_info)

        def runtime_error(self, msg):
            self._close()
            print(msg, file=sys.stderr)

        def complete_run(self):
            self._close()
            for failure in self.failures:
                print(failure.get_msg(), file=sys.stderr)

        def _close(self):
            if not self.bar.disable:
                self.bar.close()

    return ProgressReporter
