"""Warnings of a model: each is told once, at the user's line, however often the model is run.

Those of torch and of packages in a run are told to nobody: a run has sizes that nobody gave, and such a warning says so
of them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO

from shapelint.source.fault import call_foreign
from shapelint.source.ownership import installed, is_own

_told: list[set[tuple[type[Warning], str, int]]] = []


def tell_each_once() -> None:
    """From now on, a warning with the same words is told once in this process.

    One that would name a line of shapelint, through which the model's calls go, names the caller's.
    """
    told: set[tuple[type[Warning], str]] = set()
    show = warnings.showwarning

    def showwarning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        key = (category, str(message))
        if key in told:
            return
        told.add(key)
        place = _caller(sys._getframe(1)) if is_own(filename) else None
        show(message, category, *((filename, lineno) if place is None else place), file, line)

    warnings.showwarning = showwarning


@contextmanager
def one_warning_a_line() -> Iterator[None]:
    """While it is open, what a line of the user's warns of in runs is told of one run."""
    _told.append(set())
    try:
        yield
    finally:
        _told.pop()


@contextmanager
def users_warnings() -> Iterator[None]:
    """Around a run of a model: what the user's own code warns of is told after it, and no warning becomes an error."""
    heard: list[tuple[Warning | str, type[Warning], FrameType, int]] = []

    def hear(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        frame = _warning_user(sys._getframe(1))
        if frame is not None:
            heard.append((message, category, frame, frame.f_lineno))

    with warnings.catch_warnings():
        filters: list[Any] = warnings.filters  # type: ignore[assignment]  # a copy that may be changed
        filters[:] = [("default" if each[0] == "error" else each[0], *each[1:]) for each in filters]
        warnings.showwarning = hear
        yield
    for message, category, frame, line in heard:
        file, told = frame.f_code.co_filename, _told[-1] if _told else set()
        if (category, file, line) not in told:
            told.add((category, file, line))
            names = frame.f_globals
            registry = names.setdefault("__warningregistry__", {})
            with suppress(category):  # where the user has made errors of warnings
                warnings.warn_explicit(message, category, file, line, names.get("__name__"), registry)


def _warning_user(frame: FrameType | None) -> FrameType | None:
    """The frame of the user's code that calls `warnings.warn`; None where torch or a package warns."""
    while frame is not None and frame.f_globals.get("__name__") == "warnings":
        frame = frame.f_back
    if frame is not None and is_own(frame.f_code.co_filename) and not _calls_warn(frame):
        return None
    while frame is not None and is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None or installed(frame.f_code.co_filename) else frame


def _calls_warn(frame: FrameType) -> bool:
    """Whether a frame of ours calls `warnings.warn` for the user's code."""
    function = frame.f_locals.get("function") if frame.f_code is call_foreign.__code__ else None
    return function is warnings.warn or function is warnings.warn_explicit


def _caller(frame: FrameType | None) -> tuple[str, int] | None:
    """The file and line of the innermost frame that is neither ours nor of `warnings`; None where there is none."""
    while frame is not None and (is_own(frame.f_code.co_filename) or frame.f_globals.get("__name__") == "warnings"):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
