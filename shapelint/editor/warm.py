"""A process that has torch loaded and waits for files or jobs to check: what it imports, no check has to import again.

It reads one JSON object a line and answers with one. The user's code runs in children that it forks, each of which ends
after its checks; neither this process nor the one that asks ever imports it. After each answer one child is forked that
stands ready for the next save of those files: it has the installed packages that they import, and a check behind it.
"""

from __future__ import annotations

import base64
import json
import linecache
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shapelint.caches import forget
from shapelint.errors import NoModelError, ShapelintError
from shapelint.jobs.child import Tell, die_with
from shapelint.jobs.imports import Imports
from shapelint.jobs.job import Job
from shapelint.jobs.pool import Running, taken
from shapelint.jobs.ready import ReadyChild
from shapelint.jobs.targets import TargetReader
from shapelint.request.options import CheckOptions
from shapelint.terminal.error_lines import subject_line


@dataclass(slots=True)
class Warm:
    """The child that stands ready, for which files, and what it has imported for them."""

    _ready: ReadyChild | None = None
    _files: frozenset[str] = frozenset()
    _imports: Imports = field(default_factory=Imports)

    def answer(self, request: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        """Tells the reports on the models of a file, or on jobs, by number, and a line for each that has none.

        Reports, and what a cache keeps of them where `keeping` is asked for, are serialized.
        """
        linecache.checkcache()
        forget(0)
        try:
            jobs = _jobs(request)
        except ShapelintError as error:
            silent = isinstance(error, NoModelError)  # most of the files that somebody opens have none
            tell(_told({}, {}, [] if silent else [(subject_line(request["file"], error), True)]))
            return
        lines, kept = list[tuple[str, bool]](), dict[Job, bytes]()

        def told() -> None:
            numbered = {number: kept[job] for number, job in enumerate(jobs) if job in kept}
            tell(_told(running.written, numbered, lines))

        running = Running(
            jobs,
            lambda line, failed: lines.append((line, failed)),
            traceback=request.get("traceback", False),
            keep=kept.__setitem__ if request.get("keeping") else None,
            warm=True,
            told=told,
        )
        files = frozenset(job.target.rpartition(":")[0] or job.target for job in jobs)
        running.run(request.get("workers", 1), self._taken(files, running))
        self._files, self._imports = files, Imports.told(running.imported)

    def _taken(self, files: frozenset[str], running: Running) -> ReadyChild | None:
        """The child that stands ready, where what it has imported is what the files would import."""
        ready, self._ready = self._ready, None
        fresh = not self._imports.modules or (self._files == files and self._imports.stand())
        if ready is not None and (not fresh or running.traceback):
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


def _jobs(request: dict[str, Any]) -> tuple[Job, ...]:
    """The checks that are asked for: of the models of a file, or those that are named."""
    if "jobs" in request:
        return tuple(pickle.loads(base64.b64decode(request["jobs"])))
    options = CheckOptions(calls=True, cache=False, timeout=request["timeout"], usual_confirm=())
    return TargetReader(options).of_target(request["file"])


def _told(reports: Mapping[int, bytes], kept: Mapping[int, bytes], lines: Iterable[tuple[str, bool]]) -> dict[str, Any]:
    """The answer as what JSON has."""
    coded = [{n: base64.b64encode(data).decode() for n, data in sorted(each.items())} for each in (reports, kept)]
    return {"reports": coded[0], "kept": coded[1], "failures": [*lines]}


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
