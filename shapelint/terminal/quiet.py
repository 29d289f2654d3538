"""Silence: the exporters and onnxruntime write to the standard streams, and a report must stay readable there."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from shapelint.terminal.output import flush
from shapelint.terminal.warned import one_warning_a_line, users_warnings


class _Nowhere(io.TextIOBase):
    """A text stream that forgets; never closed, since a log handler made meanwhile may keep it."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps warnings, log lines and prints, those of C++ included, from the standard streams."""
    disabled = logging.root.manager.disable
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(_descriptors_to_null(1, 2))
        stack.enter_context(contextlib.redirect_stdout(_Nowhere()))
        stack.enter_context(contextlib.redirect_stderr(_Nowhere()))
        warnings.simplefilter("ignore")
        stack.callback(logging.disable, disabled)
        logging.disable(logging.CRITICAL)
        yield


class _Heard:
    """Standard output, which knows whether anything was written to it."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.used = stream, False

    def write(self, text: str) -> Any:
        self.used = True
        return 0 if self.stream.closed else self.stream.write(text)  # a model may close it

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


_spoken: list[bool] = []


@contextlib.contextmanager
def one_speaks() -> Iterator[None]:
    """While it is open, what Python code prints is shown of the first run of a model that prints anything; what a line
    warns of, of the first run that comes to it.
    """
    _spoken.append(False)
    try:
        with one_warning_a_line():
            yield
    finally:
        _spoken.pop()


@contextlib.contextmanager
def in_turn() -> Iterator[None]:
    """Around a run of a model; where `one_speaks` is not open, all of them are heard."""
    with users_warnings(), _printing_in_turn():
        yield


@contextlib.contextmanager
def _printing_in_turn() -> Iterator[None]:
    if not _spoken or sys.stdout is None or isinstance(sys.stdout, _Nowhere):
        yield
        return
    stream: Any = _Nowhere() if _spoken[-1] else _Heard(sys.stdout)
    try:
        with contextlib.redirect_stdout(stream):
            yield
    finally:
        _spoken[-1] = _spoken[-1] or stream.used


@contextlib.contextmanager
def _descriptors_to_null(*descriptors: int) -> Iterator[None]:
    flush(sys.stdout, sys.stderr)
    _flush_c()
    with contextlib.ExitStack() as stack:
        null = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, null)
        for descriptor in descriptors:
            try:
                kept = os.dup(descriptor)
            except OSError:  # a process without this stream
                continue
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, descriptor)
            os.dup2(null, descriptor)
        stack.callback(_flush_c)
        yield


def _flush_c() -> None:
    """Writes out what C and C++ have printed and still hold, as they do where the stream is a pipe or a file."""
    with contextlib.suppress(OSError, TypeError, AttributeError):  # a system without such a library of all symbols
        ctypes.CDLL(None).fflush(None)
