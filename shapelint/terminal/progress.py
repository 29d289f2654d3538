"""How far the work is, on a terminal: one line on standard error, gone at the end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final, TextIO, TypeVar

import click

from shapelint.errors import escaped

Item = TypeVar("Item")

_wanted: ContextVar[bool] = ContextVar("_wanted", default=False)
_ERASE: Final = "\r\x1b[2K"
_WIDTH: Final = 24
LONG: Final = 1.0  # seconds


@contextmanager
def progress_shown() -> Iterator[None]:
    """Within, progress is shown where standard error is a terminal; the command line wants that, the library not."""
    token = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(token)


@contextmanager
def terminal() -> Iterator[TextIO | None]:
    """The terminal to write to, though standard error may be silenced later; None where nothing is to be shown."""
    if not (_wanted.get() and _draws()):
        yield None
        return
    with open(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace") as stream:
        yield stream


def _draws() -> bool:
    """Whether standard error is a terminal that can take a line away again."""
    try:
        return os.environ.get("TERM") != "dumb" and sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError, AttributeError):
        return False


def counted(items: Iterable[Item], length: int, stream: TextIO | None) -> Iterator[Item]:
    """The items, with a bar, never coloured, of how many have come where there is a terminal."""
    if stream is None:
        yield from items
        return
    try:
        with click.progressbar(items, length=length, label="onnxruntime", file=stream, show_eta=False) as bar:
            yield from bar
    finally:
        stream.write(_ERASE)
        stream.flush()


class Bar:
    """A progress bar; silent where standard error is no terminal, and of one model only where that takes `LONG`."""

    def __init__(self, total: int) -> None:
        self._total, self._on, self._drawn = total, _draws(), False

    def show(self, done: int, working: Sequence[str]) -> None:
        """Draws how many are done, and which are being checked."""
        if self._total > 1:
            full = _WIDTH * done // self._total
            self._draw(f"{'#' * full}{'-' * (_WIDTH - full)} {done}/{self._total} {', '.join(working)}")

    def show_one(self, working: str) -> None:
        """Draws which model is being checked, where there is one only."""
        if self._total == 1:
            self._draw(f"checking {working}")

    def _draw(self, line: str) -> None:
        if self._on:
            self._drawn = True
            self._write(_ERASE + escaped(line)[: shutil.get_terminal_size().columns - 1])

    def finish(self) -> None:
        """Takes the bar away."""
        if self._drawn:
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
