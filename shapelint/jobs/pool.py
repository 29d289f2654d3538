"""Runs jobs, in this process or in several others at once, and takes in what they give, whatever the models do.

Workers take the number of the next job from one pipe, so that a slow model holds up nobody else. Where a worker ends in
the middle of a job, that is the job's error, and another worker does what is left.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from shapelint.errors import ShapelintError
from shapelint.jobs import serialized
from shapelint.jobs.child import End, EndKind, GarbledError, can_fork
from shapelint.jobs.crew import Working, crew, finish
from shapelint.jobs.imports import Importing
from shapelint.jobs.job import Job
from shapelint.jobs.ready import Numbers, ReadyChild
from shapelint.jobs.unchecked import Unchecked
from shapelint.jobs.watchdog import run_here
from shapelint.jobs.worker import BEGIN, DONE, FAILED, FATAL, IMPORTS, KEEP, REPORT, CheckingTask
from shapelint.report.report import Report
from shapelint.request.options import TIMEOUT
from shapelint.source.ownership import dumped_frames, installed, place_in
from shapelint.terminal.progress import Bar

_STOPPED: Final = 2
_RECORD: Final = 4
_NOBODY: Final = -1  # the number of a job where what happens is no job's own

Missed = Callable[[Unchecked], object]


def processes(wanted: int) -> int:
    """How many processes are meant; 0 stands for the number of processors."""
    if wanted:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(slots=True)
class Running:
    """Jobs at work: their `reports` by number, and why told to `fail` for each one that has none.

    A process that is `warm` has imported torch and never run a line of it, so that it may fork; it has the reports only
    as they are `written`, for a process that is asked for them, and what was `imported`. It is `told` that all is known
    as soon as it is, while processes still end.
    """

    jobs: Sequence[Job]
    fail: Missed
    provider: str | None = None
    traceback: bool = False
    texts: Mapping[str, bytes] = field(default_factory=dict)
    keep: Callable[[Job, bytes], None] | None = None
    warm: bool = False
    reports: dict[int, Report] = field(default_factory=dict)
    written: dict[int, bytes] = field(default_factory=dict)
    imported: bytes | None = None
    told: Callable[[], None] | None = None
    _lines: dict[int, Unchecked] = field(default_factory=dict)
    _current: dict[int, int] = field(default_factory=dict)
    _begun: int = 0
    _unproven: bool = False
    _over: bool = False
    _bar: Bar = field(init=False)

    def __post_init__(self) -> None:
        self._bar = Bar(len(self.jobs))

    def run(self, workers: int, ready: ReadyChild | None = None) -> None:
        """Does the jobs in so many processes, or in this one where `workers` is 0 or there is no fork.

        One that stands `ready` is the first of them.
        """
        if workers and (can_fork() or (self.warm and hasattr(os, "fork"))):
            finish(self.working(workers, ready), lambda: self._bar.show_one(self.jobs[0].target))
            return
        work = self._work(lambda: iter(range(len(self.jobs))), apart=False)
        run_here(work, partial(self._hear, 0), partial(self._seconds, 0), self._expired)
        self._close()

    def working(self, workers: int, ready: ReadyChild | None = None) -> Working:
        """Does the jobs in so many processes, a step at a time; closed, it ends them, and nothing more is told."""
        numbers, self._unproven = range(len(self.jobs)), ready is not None
        with _numbers(numbers, None if ready is None else ready.numbers) as take:
            count = min(workers, len(self.jobs))
            first = None if ready is None else ready.given(self.jobs, keeping=self.keep is not None)
            yield from crew(count, self._work(take, apart=True), self._hear, self._seconds, self._ended, first)
        self._close()

    @property
    def is_told(self) -> bool:
        """Whether all that is known was told, though processes may still end."""
        return self._over

    def _close(self) -> None:
        self._bar.finish()
        self._tell()

    def _work(self, numbers: Callable[[], Iterator[int]], *, apart: bool) -> CheckingTask:
        keeping = apart and self.keep is not None and not self.texts
        importing = Importing() if self.warm else None
        return CheckingTask(self.jobs, numbers, self.provider, self.traceback, apart, self.texts, keeping, importing)

    def _seconds(self, worker: int) -> float:
        """The time up to the next word; what is not the model's, such as importing torch, is not limited so tightly."""
        if worker in self._current:
            return self.jobs[self._current[worker]].timeout or float("inf")
        return max(TIMEOUT, *(job.timeout or float("inf") for job in self.jobs))

    def _hear(self, worker: int, kind: str, payload: bytes) -> None:
        """Takes in what a worker tells; GarbledError where that is no word of its own."""
        if kind == BEGIN:
            if not payload.isdigit() or int(payload) >= len(self.jobs):
                raise GarbledError(payload)
            self._current[worker] = int(payload)
            self._begun += 1
        elif kind == KEEP and self.keep is not None:
            if worker not in self._current:
                raise GarbledError(kind)
            self.keep(self.jobs[self._current[worker]], payload)
        elif kind == IMPORTS:
            self.imported = payload
        else:
            self._finish(worker, kind, payload)
            if kind == DONE and self.told is not None and len(self._done()) == len(self.jobs):
                self._tell()

    def _finish(self, worker: int, kind: str, payload: bytes) -> None:
        number = self._current.pop(worker, _NOBODY)
        if kind in (FAILED, FATAL):
            try:
                self._lines[number] = Unchecked.read(payload)
            except ValueError as error:
                raise GarbledError(payload) from error
        elif kind == REPORT and number != _NOBODY and self.warm:
            self.written[number] = payload
        elif kind == REPORT and number != _NOBODY:
            try:
                self.reports[number] = serialized.loads(payload)
            except serialized.UnreadableError as error:
                self._lines[number] = Unchecked(f"{self.jobs[number].target}: {error}")
        self._progress()

    def _ended(self, worker: int, end: End) -> bool:
        """Takes in how a worker ended; whether another one is to take its place."""
        if end.how is EndKind.DONE:
            return False
        if self._unproven and not self._begun:  # the one that stood ready could not get ready
            self._unproven = False
            return True
        number = self._current.get(worker, _NOBODY)
        self._lines[number] = self._told(end, worker)
        self._current.pop(worker, None)
        self._progress()
        return number != _NOBODY and self._begun < len(self.jobs)

    def _progress(self) -> None:
        self._bar.show(len(self._done() - {_NOBODY}), [self.jobs[number].target for number in self._current.values()])

    def _expired(self, stack: str) -> None:
        """Ends the only process there is, in which a model hangs."""
        self._lines[self._current.get(0, _NOBODY)] = self._told(End(EndKind.TIMEOUT, stack=stack), 0)
        self._tell()
        os._exit(_STOPPED)

    def _done(self) -> set[int]:
        return {*self.reports, *self.written, *self._lines}

    def _tell(self) -> None:
        """Tells the lines and that all is known, once."""
        if self._over:
            return
        done, self._over = self._done(), True
        for number, job in enumerate(self.jobs if _NOBODY not in done else ()):
            if number not in done:
                self._lines[number] = Unchecked(f"{job.target}: the process that took it ended; nothing was checked")
        for number in sorted(self._lines):
            self.fail(self._lines[number])
        if self.told is not None:
            self.told()

    def _told(self, end: End, worker: int) -> Unchecked:
        """How a process ended, which is no failure of a model that nobody named."""
        job = self.jobs[self._current[worker]] if worker in self._current else None
        frames = dumped_frames(end.stack)
        lines = tuple((file, line) for file, line, _ in frames if not installed(file))
        told = self._said(end, worker, "the check" if job is None else job.target, place_in(frames))
        return Unchecked(told) if job is None else Unchecked(told, not job.found, job.target, lines)

    def _said(self, end: End, worker: int, subject: str, place: str) -> str:
        if end.how is EndKind.TIMEOUT:
            where = place or ", in no line of the model's code" * bool(end.stack)
            return f"{subject}: does not end; it was stopped after {self._seconds(worker):g} s (--timeout){where}"
        if end.how is EndKind.EXIT:
            return f"{subject}: the model's code ended the process (exit code {end.number}); nothing was checked"
        if end.how is EndKind.GARBLED:
            return f"{subject}: the model's code closes or writes to file descriptors that are not its own"
        name = {each.value: each.name for each in signal.Signals}.get(end.number, f"signal {end.number}")
        hint = "; the system does that when memory runs out" if name == "SIGKILL" else ""
        how = "was ended by" if name in ("SIGKILL", "SIGTERM") else "crashed with"
        return f"{subject}: the process {how} {name} ({signal.strsignal(end.number)}){place}{hint}"


def taken(pipe: int) -> Iterator[int]:
    """The numbers that come out of a pipe; reads of whole records do not mix, so each process takes others."""
    while record := os.read(pipe, _RECORD):
        yield int.from_bytes(record, "big")


@contextmanager
def _numbers(numbers: Sequence[int], pipe: Numbers | None = None) -> Iterator[Callable[[], Iterator[int]]]:
    """Numbers that several processes take from one pipe, each number once."""
    out, into = os.pipe() if pipe is None else pipe
    waiting = b"".join(number.to_bytes(_RECORD, "big") for number in numbers)
    try:
        os.set_blocking(into, False)
        if os.write(into, waiting) != len(waiting):
            raise ShapelintError(f"{len(numbers)} models are more than one run takes; name fewer")
        os.close(into)
        yield partial(taken, out)
    finally:
        os.close(out)
