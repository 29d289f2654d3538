"""Saves below some folders, and the checks after each in a warm process, for `shapelint watch`."""

from __future__ import annotations

import asyncio
import base64
import pickle
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from watchfiles import Change, DefaultFilter, awatch

from shapelint.editor.process import Answer, WarmProcess
from shapelint.errors import ShapelintError, foreseen
from shapelint.jobs import serialized
from shapelint.jobs.cache import Cache, unpacked
from shapelint.jobs.job import Job
from shapelint.jobs.pool import Missed, processes
from shapelint.jobs.present import Present
from shapelint.report.report import Report
from shapelint.request.config import FILE, SAVED
from shapelint.request.options import CheckOptions
from shapelint.source.notebook import SOURCES
from shapelint.terminal.progress import LONG, Bar

_TOGETHER: Final = 100  # milliseconds in which several saves count as one
_QUIET: Final = 20  # milliseconds without a save after which no more of them are waited for
_HURRY: Final = 2.0


@foreseen
class OutdatedError(Exception):
    """A check was ended because it took long and a file was saved again."""


class _Concerned(DefaultFilter):
    """The files that a check may depend on, without environments, caches and what version control keeps."""

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith((*SOURCES, *SAVED, FILE)) and super().__call__(change, path)


@dataclass(slots=True)
class Saves:
    """Waits for saves below folders, and does checks in a warm process: a place for them.

    What was checked is kept in memory: what the warm process imported before a check was seen by no check, so that
    nothing of it may answer another command.
    """

    folders: Sequence[str]
    options: CheckOptions
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _process: WarmProcess = field(default_factory=lambda: WarmProcess("."))
    _kept: dict[Job, bytes] = field(default_factory=dict)
    _next: asyncio.Task[Any] | None = None
    _heard: Any = None

    def listen(self) -> None:
        """Begins to hear of saves; ShapelintError where the system does not tell of them."""
        self._heard = awatch(*self.folders, watch_filter=_Concerned(), debounce=_TOGETHER, step=_QUIET)
        self._runner.run(self._expect())

    def wait(self) -> None:
        """Waits for a save; one that was heard since the last time is one."""
        self._runner.run(self._saved())

    def stop(self) -> None:
        """Ends the warm process."""
        self._process.stop()

    def find(self, job: Job) -> Report | None:
        """The report on a job that nothing has changed about, from here or else from the disk; None without one."""
        if not self.options.cache:
            return None
        if job not in self._kept:
            return Cache().find(job)
        seen, report = unpacked(self._kept[job])
        return serialized.loads(report) if Present.fresh().agrees(seen) else None

    def run(self, jobs: Sequence[Job], missed: Missed) -> Mapping[int, Report]:
        """The reports on jobs; OutdatedError where they take more than two seconds and a file is saved meanwhile."""
        request = {
            "jobs": base64.b64encode(pickle.dumps(tuple(jobs))).decode(),
            "workers": processes(self.options.jobs),
            "traceback": self.options.traceback,
            "keeping": self.options.cache,
        }
        bar, subject = Bar(len(jobs)), jobs[0].target if len(jobs) == 1 else "the check"
        try:
            answer = self._runner.run(self._answer(request, subject, bar))
        finally:
            bar.finish()
        for failure in answer.failures:
            missed(failure)
        self._kept |= {jobs[number]: body for number, body in answer.kept.items()}
        return answer.reports

    async def _answer(self, request: Mapping[str, Any], subject: str, bar: Bar) -> Answer:
        begun, asked = time.monotonic(), asyncio.ensure_future(self._process.ask(request, subject))
        assert self._next is not None
        await asyncio.wait({asked}, timeout=LONG)
        if not asked.done():
            bar.show_one(subject)
        await asyncio.wait({asked, self._next}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({asked}, timeout=max(0.0, begun + _HURRY - time.monotonic()))
        if not asked.done():
            asked.cancel()
            await asyncio.wait({asked})
            raise OutdatedError
        return asked.result()

    async def _expect(self) -> None:
        self._next = asyncio.ensure_future(anext(self._heard))
        await asyncio.sleep(0)  # from here on it is heard

    async def _saved(self) -> None:
        assert self._next is not None
        try:
            await self._next
        except OSError as error:
            raise ShapelintError(f"cannot hear of saves: {error}") from error
        await self._expect()
