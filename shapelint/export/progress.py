"""How far a long confirmation is, on a terminal: one line on standard error, gone at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO, TypeVar

import click

Item = TypeVar("Item")

_wanted: ContextVar[bool] = ContextVar("_wanted", default=False)
_ERASE = "\r\x1b[2K"


@contextmanager
def shown() -> Iterator[None]:
    """Within, progress is shown where standard error is a terminal; the command line wants that, the library not."""
    token = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(token)


@contextmanager
def terminal() -> Iterator[TextIO | None]:
    """The terminal to write to, though standard error may be silenced later; None where nothing is to be shown."""
    if not _wanted.get() or os.environ.get("TERM") == "dumb" or not _is_terminal():
        yield None
        return
    with open(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace") as stream:
        yield stream


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and os.isatty(sys.stderr.fileno())
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
