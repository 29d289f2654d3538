"""A process that has torch loaded and waits for files or jobs to check: what it imports, no check has to import again.

It reads one JSON object a line, a request with a number or the number of one to be dropped, and answers with one. The
user's code runs in children that it forks, each of which ends after its checks; neither this process nor the one that
asks ever imports it. After each answer one child is forked that stands ready for the next save of those files: it has
the installed packages that they import, and a check behind it.
"""

from __future__ import annotations

import base64
import json
import linecache
import os
import pickle
import select
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shapelint.caches import forget
from shapelint.errors import NoModelError, ShapelintError
from shapelint.jobs.child import Child, Tell, die_with
from shapelint.jobs.crew import Awaited, Working, step
from shapelint.jobs.imports import Imports
from shapelint.jobs.job import Job
from shapelint.jobs.pool import Running, taken
from shapelint.jobs.ready import ReadyChild
from shapelint.jobs.targets import TargetReader
from shapelint.jobs.unchecked import Unchecked, users_lines
from shapelint.request.options import CheckOptions
from shapelint.terminal.error_lines import subject_line

_PIECE: Final = 1 << 16
_NEVER: Final = float("inf")


@dataclass(slots=True)
class Request:
    """One request at work: its checks, the files that they are of, and what they wait for.

    A child that has told everything has a moment to end in, which the next request waits for.
    """

    number: int
    running: Running
    files: frozenset[str]
    working: Working
    awaited: Awaited | None = None


@dataclass(slots=True)
class Warm:
    """The requests at work, and the child that stands ready: for which files, and what it has imported for them."""

    _tell: Callable[[dict[str, Any]], None]
    _working: dict[int, Request] = field(default_factory=dict)
    _idle: bool = False
    _ready: ReadyChild | None = None
    _files: frozenset[str] = frozenset()
    _imports: Imports = field(default_factory=Imports)

    def serve(self, asked: int) -> None:
        """Answers what comes through a pipe until it ends; a check that hangs or is slow holds up no other one.

        Where there is no fork, one is done after the other.
        """
        if not hasattr(os, "fork"):
            with os.fdopen(asked, "rb") as pipe:
                for line in pipe:
                    self._take(json.loads(line))
            return
        pending = b""
        while True:
            waiting: list[int | Child] = [] if any(each.running.is_told for each in self._working.values()) else [asked]
            waiting += [child for each in self._working.values() if each.awaited for child in each.awaited.children]
            ready = select.select(waiting, [], [], 0 if self._idle else self._left())[0]
            if self._idle and not ready:
                self._get_ready()
            if asked in ready:
                if not (data := os.read(asked, _PIECE)):
                    break
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
            for request in list(self._working.values()):
                self._step(request, ready)
        for request in self._working.values():
            request.working.close()

    def _left(self) -> float | None:
        """The seconds up to the first time at which a child is late."""
        ends = [each.awaited.deadline for each in self._working.values() if each.awaited]
        return None if min(ends, default=_NEVER) == _NEVER else max(0.0, min(ends) - time.monotonic())

    def _step(self, request: Request, ready: Sequence[int | Child]) -> None:
        """Goes on with a request where a child of it was heard, or is late."""
        assert request.awaited is not None
        heard = [child for child in request.awaited.children if child in ready]
        if heard or request.awaited.deadline <= time.monotonic():
            request.awaited = step(request.working, heard)
            if request.awaited is None:
                self._finish(request)

    def _finish(self, request: Request) -> None:
        """Notes what the files imported; of a check that did not come to its end, what they imported before."""
        del self._working[request.number]
        if request.running.imported is not None or request.files != self._files:
            self._files, self._imports = request.files, Imports.told(request.running.imported or b"")
        self._get_ready()

    def _get_ready(self) -> None:
        """Forks the child that waits for the next save."""
        self._idle = False
        if self._ready is None:
            self._ready = ReadyChild.started(self._prepare, lambda pipe: taken(pipe[0]))

    def _take(self, asked: dict[str, Any]) -> None:
        """Begins with the reports on the models of a file, or on jobs, or drops a request that nobody waits for.

        A request is answered once all of its reports, by number, are known, with a line for each model that has none.
        Reports, and what a cache keeps of them where `keeping` is asked for, are serialized.
        """
        if "drop" in asked:
            dropped = self._working.pop(asked["drop"], None)
            if dropped is not None:
                dropped.working.close()
                self._idle = True
            return
        linecache.checkcache()
        forget(0)
        try:
            jobs = _jobs(asked)
        except ShapelintError as error:
            silent = isinstance(error, NoModelError)  # most of the files that somebody opens have none
            told = Unchecked(subject_line(asked["file"], error), lines=users_lines(error))
            self._tell(_told(asked, {}, {}, [] if silent else [_from_here(told)]))
            return
        self._begin(asked, jobs)

    def _begin(self, asked: dict[str, Any], jobs: Sequence[Job]) -> None:
        failures, kept = list[Unchecked](), dict[Job, bytes]()

        def told() -> None:
            numbered = {number: kept[job] for number, job in enumerate(jobs) if job in kept}
            self._tell(_told(asked, running.written, numbered, failures))

        running = Running(
            jobs,
            lambda failure: failures.append(_from_here(failure)),
            traceback=asked.get("traceback", False),
            keep=kept.__setitem__ if asked.get("keeping") else None,
            warm=True,
            told=told,
        )
        if not hasattr(os, "fork"):
            running.run(asked.get("workers", 1))
            return
        files = frozenset(job.target.rpartition(":")[0] or job.target for job in jobs)
        working = running.working(asked.get("workers", 1), self._taken(files, running))
        request = Request(asked["number"], running, files, working)
        self._working[request.number] = request
        request.awaited = next(working, None)
        if request.awaited is None:
            self._finish(request)

    def _taken(self, files: frozenset[str], running: Running) -> ReadyChild | None:
        """The child that stands ready, where what it has imported is what the files would import."""
        ready, self._ready = self._ready, None
        fresh = not self._imports.modules or (self._files == files and self._imports.stand())
        if ready is not None and (not fresh or running.traceback):
            ready.end()
            return None
        return ready

    def _prepare(self, tell: Tell) -> None:
        """In the child: pages that are copied when they are first written to are so now."""
        from shapelint.editor.warm_up import warm_up

        self._imports.bring()
        warm_up()


def _from_here(failure: Unchecked) -> Unchecked:
    """A line with the files of the folder named from there: an editor names each file by its whole path."""
    return replace(failure, line=failure.line.replace(os.path.join(os.getcwd(), ""), ""))


def _jobs(request: dict[str, Any]) -> tuple[Job, ...]:
    """The checks that are asked for: of the models of a file, or those that are named."""
    if "jobs" in request:
        return tuple(pickle.loads(base64.b64decode(request["jobs"])))
    options = CheckOptions(calls=True, cache=False, timeout=request["timeout"], usual_confirm=())
    return TargetReader(options).of_target(request["file"])


def _told(
    asked: Mapping[str, Any],
    reports: Mapping[int, bytes],
    kept: Mapping[int, bytes],
    failures: Iterable[Unchecked],
) -> dict[str, Any]:
    """The answer to a request as what JSON has."""
    coded = [{n: base64.b64encode(data).decode() for n, data in sorted(each.items())} for each in (reports, kept)]
    told = [each.data().decode() for each in failures]
    return {"number": asked["number"], "reports": coded[0], "kept": coded[1], "failures": told}


def main() -> None:
    """Answers until standard input ends, or the server does; what anybody prints goes to standard error."""
    die_with(os.getppid())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.register_at_fork(after_in_child=lambda: os.close(answers.fileno()))  # no model writes to it
    os.dup2(2, 1)
    from shapelint.editor.warm_up import warm_up  # torch, once

    warm_up()

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    Warm(tell).serve(0)


if __name__ == "__main__":
    main()
