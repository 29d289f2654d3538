"""The warm process of a folder, as those who ask see it: asked for one thing at a time, ended where it hangs."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.jobs import serialized
from shapelint.jobs.cache import installed_packages
from shapelint.report.report import Report

_LONGEST: Final = 1 << 28
_HURRY: Final = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What checks gave: reports by number, and lines on the models that have none, with whether that is a failure.

    `kept` is what a cache keeps of the reports, where that was asked for.
    """

    reports: Mapping[int, Report]
    failures: tuple[tuple[str, bool], ...]
    kept: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class WarmProcess:
    """A process that is started when it is first needed, and again where it has ended."""

    folder: str
    _process: asyncio.subprocess.Process | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _file: str = ""
    _begun: float = 0.0
    _packages: list[tuple[str, int]] = field(default_factory=list)

    async def check(self, file: str, timeout: float, wanted: Callable[[], bool]) -> Answer | None:
        """The answer about a file; files wait for each other. None where it is no longer wanted at its turn or its end.

        A check of the same file that has taken two seconds is ended for this one, a shorter one is waited for.
        """
        if self._file == file and time.monotonic() - self._begun > _HURRY:
            self.stop()
        async with self._turn:
            if not wanted():
                return None
            self._file, self._begun = file, time.monotonic()
            try:
                answer = await self._asked(file, timeout)
            finally:
                self._file = ""
            return answer if wanted() else None

    async def _asked(self, file: str, timeout: float) -> Answer:
        return await self.ask({"file": file, "timeout": timeout}, file)

    async def ask(self, request: Mapping[str, Any], subject: str) -> Answer:
        """The answer to one request, which no other is asked beside; where the process ends, a line on the subject."""
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            await process.stdin.drain()
            found = json.loads(await process.stdout.readline())
            reports = {int(n): serialized.loads(base64.b64decode(data)) for n, data in found["reports"].items()}
        except (OSError, ValueError, serialized.UnreadableError):
            self.stop()
            return Answer({}, ((f"{subject}: the process that checks ended; nothing was checked", True),))
        kept = {int(n): base64.b64decode(data) for n, data in found["kept"].items()}
        return Answer(reports, tuple((line, failed) for line, failed in found["failures"]), kept)

    def stop(self) -> None:
        """Ends the process, and with it the check that it is at."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        self._process = None

    async def close(self) -> None:
        """Ends the process and waits until it is gone."""
        process = self._process
        self.stop()
        if process is not None:
            await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        """The process, another one where packages came or went since: what it imported may be of before."""
        packages = installed_packages()
        if self._packages != packages:
            self.stop()
            self._packages = packages
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "shapelint.editor.warm"),
                cwd=self.folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST,
                start_new_session=True,  # Ctrl-C is for who asks
            )
        return self._process
