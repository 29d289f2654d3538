"""Warnings of a model: each is told once, at the user's line, however often the model is run."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import TextIO

from shapelint.source.ownership import is_own


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


def _caller(frame: FrameType | None) -> tuple[str, int] | None:
    """The file and line of the innermost frame that is neither ours nor of `warnings`; None where there is none."""
    while frame is not None and (is_own(frame.f_code.co_filename) or frame.f_globals.get("__name__") == "warnings"):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
