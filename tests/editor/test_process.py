"""Which check of a file is waited for, which is ended, and which is not begun; with a process that only waits."""

from __future__ import annotations

import asyncio

import pytest

from shapelint.editor import process
from shapelint.editor.process import Answer, WarmProcess


def test_only_a_newer_save_of_the_same_file_ends_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    stopped: list[str] = []

    async def ask(self: WarmProcess, file: str, timeout: float) -> Answer:
        asked.append(file)
        await asyncio.sleep(0.2)
        return Answer({}, ((file, True),))

    monkeypatch.setattr(WarmProcess, "_asked", ask)
    monkeypatch.setattr(WarmProcess, "stop", lambda self: stopped.append(self._file))
    monkeypatch.setattr(process, "_HURRY", 0.05)
    outdated = {"first"}

    async def session() -> list[Answer | None]:
        warm = WarmProcess(".")
        first = asyncio.ensure_future(warm.check("a.py", 60, lambda: "first" not in outdated))
        outdated.clear()
        await asyncio.sleep(0.1)
        other = asyncio.ensure_future(warm.check("b.py", 60, lambda: True))
        dropped = asyncio.ensure_future(warm.check("c.py", 60, lambda: False))
        await asyncio.sleep(0)
        assert stopped == []
        outdated.add("first")
        newer = asyncio.ensure_future(warm.check("a.py", 60, lambda: True))
        return list(await asyncio.gather(first, other, dropped, newer))

    assert asyncio.run(session()) == [None, Answer({}, (("b.py", True),)), None, Answer({}, (("a.py", True),))]
    assert stopped == ["a.py"]
    assert asked == ["a.py", "b.py", "a.py"]
