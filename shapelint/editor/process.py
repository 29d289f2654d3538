"""The warm process of a folder, as those who ask see it: what hangs there is ended alone."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import select
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.jobs import serialized
from shapelint.jobs.cache import installed_packages
from shapelint.jobs.unchecked import Unchecked
from shapelint.report.report import Report

_LONGEST: Final = 1 << 28
_HURRY: Final = 2.0
_PIECE: Final = 4096  # what a pipe takes at once where it takes anything
_PRINTED: Final = 1 << 14
_AT_ONCE: Final = 4  # checks that hang, each on a processor, before others have to wait for their end


@dataclass(frozen=True, slots=True)
class Answer:
    """What checks gave: reports by number, and why the other models have none.

    `kept` is what a cache keeps of the reports, where that was asked for.
    """

    reports: Mapping[int, Report]
    failures: tuple[Unchecked, ...]
    kept: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Printed:
    """What models print, passed on to standard error: the beginning of it for each check, where somebody reads that.

    A client that does not read it would hold up the model that prints, and one that keeps it all would fill the disk.
    """

    _left: int = 0

    def begin(self) -> None:
        """A new check may print."""
        self._left = _PRINTED

    async def hear(self, stream: asyncio.StreamReader) -> None:
        """Reads all that is printed, until the process ends."""
        while data := await stream.read(_PIECE):
            piece, self._left = data[: self._left], self._left - len(data[: self._left])
            if piece and (os.name == "nt" or select.select([], [2], [], 0)[1]):
                with suppress(OSError):
                    os.write(2, piece)


@dataclass(slots=True)
class _Talk:
    """A process, and the requests that it has not answered yet: None is their answer where it ends before."""

    process: asyncio.subprocess.Process
    open: dict[int, asyncio.Future[Answer | None]] = field(default_factory=dict)
    over: bool = False

    def write(self, request: Mapping[str, Any]) -> None:
        """Asks the process; one that has ended is not heard of here."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")

    async def listen(self) -> None:
        """Hands out the answers until the process ends."""
        assert self.process.stdout is not None
        try:
            while line := await self.process.stdout.readline():
                found = json.loads(line)
                waiting = self.open.get(found["number"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(_answer(found))
        except (OSError, ValueError, serialized.UnreadableError):
            self.stop()
        finally:
            self.over = True
            for waiting in self.open.values():
                if not waiting.done():
                    waiting.set_result(None)

    def drop(self, number: int) -> None:
        """Ends the check of a request; where there is no fork, the process that does it."""
        if hasattr(os, "fork"):
            self.write({"drop": number})
        else:
            self.stop()

    def stop(self) -> None:
        """Ends the process."""
        if self.process.returncode is None:
            self.process.kill()


@dataclass(slots=True)
class WarmProcess:
    """A process that is started when it is first needed, and again where it has ended.

    What models print goes to standard error, or where it is `printed`.
    """

    folder: str
    printed: Printed | None = None
    _talk: _Talk | None = None
    _starting: asyncio.Task[_Talk] | None = None
    _listening: set[asyncio.Task[None]] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _checks: dict[str, asyncio.Task[Answer]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _packages: list[tuple[str, int]] = field(default_factory=list)

    async def check(self, file: str, timeout: float, wanted: Callable[[], bool]) -> Answer | None:
        """The answer about a file; None where it is no longer wanted at its turn or its end.

        Files wait for each other, but for none that takes more than two seconds. An older check of the same file is
        ended.
        """
        self.drop(file)
        async with self._room:
            async with self._turn:
                if not wanted():
                    return None
                asked = asyncio.ensure_future(self._asked(file, timeout))
                self._checks[file] = asked
                await asyncio.wait({asked}, timeout=_HURRY)
            await asyncio.wait({asked})
        if self._checks.get(file) is asked:
            del self._checks[file]
        return asked.result() if not asked.cancelled() and wanted() else None

    def drop(self, file: str) -> None:
        """Ends the check of a file, where there is one."""
        if file in self._checks:
            self._checks.pop(file).cancel()

    async def _asked(self, file: str, timeout: float) -> Answer:
        return await self.ask({"file": file, "timeout": timeout}, file)

    async def ask(self, request: Mapping[str, Any], subject: str) -> Answer:
        """The answer to one request, dropped where this is cancelled; where the process ends, a line on the subject."""
        if self._starting is None or self._starting.done():
            self._starting = asyncio.ensure_future(self._started())
        talk, number = await asyncio.shield(self._starting), next(self._numbers)
        talk.open[number] = asyncio.get_running_loop().create_future()
        try:
            if self.printed is not None:
                self.printed.begin()
            talk.write({"number": number, **request})
            answer = None if talk.over else await talk.open[number]
        except asyncio.CancelledError:
            talk.drop(number)
            raise
        finally:
            del talk.open[number]
        return answer or Answer({}, (Unchecked(f"{subject}: the process that checks ended; nothing was checked"),))

    def stop(self) -> None:
        """Ends the process, and with it the checks that it is at."""
        if self._talk is not None:
            self._talk.stop()
        self._talk = None

    async def close(self) -> None:
        """Ends the process and waits until it is gone."""
        talk = self._talk
        self.stop()
        if talk is not None:
            await talk.process.wait()

    async def _started(self) -> _Talk:
        """The process, another one where packages came or went since: what it imported may be of before."""
        packages = installed_packages()
        if self._packages != packages:
            self.stop()
            self._packages = packages
        if self._talk is None or self._talk.over:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "shapelint.editor.warm"),
                cwd=self.folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=None if self.printed is None else asyncio.subprocess.PIPE,
                limit=_LONGEST,
                start_new_session=True,  # Ctrl-C is for who asks
            )
            self._talk = _Talk(process)
            self._keep(self._talk.listen())
            if self.printed is not None and process.stderr is not None:
                self._keep(self.printed.hear(process.stderr))
        return self._talk

    def _keep(self, listening: Coroutine[Any, Any, None]) -> None:
        """Begins to listen; a task that nobody holds may vanish."""
        task = asyncio.ensure_future(listening)
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)


def _answer(found: Mapping[str, Any]) -> Answer:
    reports = {int(n): serialized.loads(base64.b64decode(data)) for n, data in found["reports"].items()}
    kept = {int(n): base64.b64decode(data) for n, data in found["kept"].items()}
    return Answer(reports, tuple(map(Unchecked.read, found["failures"])), kept)
