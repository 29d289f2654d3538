"""Which check of a file is waited for, which is ended, and which is not begun; with checks that only wait."""

from __future__ import annotations

import asyncio

import pytest

from shapelint.editor import process
from shapelint.editor.process import Answer, WarmProcess
from shapelint.jobs.unchecked import Unchecked


def test_a_check_that_takes_long_holds_up_no_other_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def ask(self: WarmProcess, file: str, timeout: float) -> Answer:
        asked.append(f"{file} begins")
        try:
            await asyncio.sleep(0.3 if file == "a.py" else 0.02)
        finally:
            asked.append(f"{file} ends")
        return Answer({}, (Unchecked(file),))

    monkeypatch.setattr(WarmProcess, "_asked", ask)
    monkeypatch.setattr(process, "_HURRY", 0.1)
    outdated = set[str]()

    async def session() -> list[Answer | None]:
        warm = WarmProcess(".")
        first = asyncio.ensure_future(warm.check("a.py", 60, lambda: "first" not in outdated))
        await asyncio.sleep(0)
        other = asyncio.ensure_future(warm.check("b.py", 60, lambda: True))
        dropped = asyncio.ensure_future(warm.check("c.py", 60, lambda: False))
        await asyncio.sleep(0.2)
        outdated.add("first")
        newer = asyncio.ensure_future(warm.check("a.py", 60, lambda: True))
        return list(await asyncio.gather(first, other, dropped, newer))

    assert asyncio.run(session()) == [None, Answer({}, (Unchecked("b.py"),)), None, Answer({}, (Unchecked("a.py"),))]
    assert asked == ["a.py begins", "b.py begins", "b.py ends", "a.py ends", "a.py begins", "a.py ends"]
