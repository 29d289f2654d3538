"""A process that has torch loaded and waits for files to check: what it imports, no check has to import again.

It reads one JSON object a line and answers with one. The user's code runs in children that it forks, each of which ends
after its file; neither this process nor the server ever imports it. After each answer one child is forked that stands
ready for the next save of that file: it has the installed packages that the file imports, and a check behind it.
"""

from __future__ import annotations

import base64
import json
import linecache
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shapelint.caches import forget
from shapelint.errors import NoModelError, ShapelintError
from shapelint.jobs.child import Tell, die_with
from shapelint.jobs.imports import Imports
from shapelint.jobs.pool import Running, taken
from shapelint.jobs.ready import ReadyChild
from shapelint.jobs.targets import TargetReader
from shapelint.request.options import CheckOptions
from shapelint.terminal.error_lines import subject_line


@dataclass(slots=True)
class Warm:
    """The child that stands ready, for which file, and what it has imported for it."""

    _ready: ReadyChild | None = None
    _file: str = ""
    _imports: Imports = field(default_factory=Imports)

    def answer(self, request: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        """Tells the reports on the models of a file, serialized, and a line for each that could not be checked."""
        file, failures = request["file"], list[str]()
        linecache.checkcache()
        forget(0)
        options = CheckOptions(calls=True, cache=False, timeout=request["timeout"], usual_confirm=())

        def told() -> None:
            written = (base64.b64encode(data).decode() for _, data in sorted(running.written.items()))
            tell({"reports": [*written], "failures": failures})

        try:
            jobs = TargetReader(options).of_target(file)
            running = Running(jobs, lambda text, failed: failures.append(text), warm=True, told=told)
            running.run(1, self._taken(file))
        except ShapelintError as error:
            silent = isinstance(error, NoModelError)  # most of the files that somebody opens have none
            tell({"reports": [], "failures": [] if silent else [subject_line(file, error)]})
            return
        self._file, self._imports = file, Imports.told(running.imported)

    def _taken(self, file: str) -> ReadyChild | None:
        """The child that stands ready, where what it has imported is what the file would import."""
        ready, self._ready = self._ready, None
        if ready is not None and self._imports.modules and not (self._file == file and self._imports.stand()):
            ready.end()
            return None
        return ready

    def get_ready(self) -> None:
        """Forks the child that waits for the next save."""
        if self._ready is None and hasattr(os, "fork"):
            self._ready = ReadyChild.started(self._prepare, lambda pipe: taken(pipe[0]))

    def _prepare(self, tell: Tell) -> None:
        """In the child: pages that are copied when they are first written to are so now."""
        from shapelint.editor.warm_up import warm_up

        self._imports.bring()
        warm_up()


def main() -> None:
    """Answers until standard input ends, or the server does; what anybody prints goes to standard error."""
    die_with(os.getppid())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from shapelint.editor.warm_up import warm_up  # torch, once

    warm_up()
    warm = Warm()

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    for line in sys.stdin:
        warm.answer(json.loads(line), tell)
        warm.get_ready()


if __name__ == "__main__":
    main()
