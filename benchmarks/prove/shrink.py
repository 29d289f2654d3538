"""Makes a failing model small: lines are taken out, most at a time first, as long as it still fails."""

from __future__ import annotations

import time
from collections.abc import Callable


def shrunk(source: str, fails: Callable[[str], bool], *, seconds: float = 60.0) -> str:
    """The source with as few lines as was found in that time and for which `fails` is still true.

    This is the minimising delta debugging of Zeller and Hildebrandt (2002), on the lines of a file.
    """
    end = time.process_time() + seconds
    lines = source.splitlines()
    size = max(1, len(lines) // 2)
    while size and time.process_time() < end:
        rest = _without_some(lines, size, fails, end)
        size = size if len(rest) < len(lines) else size // 2
        lines = rest
    return "\n".join(lines) + "\n"


def _without_some(lines: list[str], size: int, fails: Callable[[str], bool], end: float) -> list[str]:
    start = 0
    while start < len(lines) and time.process_time() < end:
        fewer = lines[:start] + lines[start + size :]
        if fails("\n".join(fewer) + "\n"):
            lines = fewer
        else:
            start += size
    return lines
