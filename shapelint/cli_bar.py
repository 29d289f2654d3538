"""How far a run of several models has come, on a terminal: one line on standard error, gone at the end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_WIDTH: Final = 24
_CLEAR: Final = "\r\x1b[2K"


class Bar:
    """A progress bar; silent where standard error is no terminal, or there is one model only."""

    def __init__(self, total: int) -> None:
        terminal = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._total, self._on = total, terminal and total > 1

    def show(self, done: int, working: Sequence[str]) -> None:
        """Draws how many are done, and which are being checked."""
        if self._on:
            full = _WIDTH * done // self._total
            line = f"{'#' * full}{'-' * (_WIDTH - full)} {done}/{self._total} {', '.join(working)}"
            self._write(_CLEAR + line[: shutil.get_terminal_size().columns - 1])

    def finish(self) -> None:
        """Takes the bar away."""
        if self._on:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
