"""What went wrong, in one line: the user's mistake in its own words, the model's error, or ours."""

from __future__ import annotations

import sys
import traceback

import click

from shapelint.errors import InternalError, ShapelintError, printable, words_of
from shapelint.source.fault import internal_error, is_own
from shapelint.terminal.output import visible


def subject_line(subject: str, error: BaseException) -> str:
    """The error in one line that names what it is about."""
    line = one_line(error)
    shown = subject if subject.isprintable() else printable(subject)
    return line if shown in line else f"{shown}: {line}"


def one_line(error: BaseException) -> str:
    """The error in one line: its own words where it was foreseen, else its name and how to see more."""
    if isinstance(error, click.ClickException):
        return printable(error.format_message())
    text = printable(words_of(error))
    if isinstance(error, ShapelintError):
        return text
    if isinstance(error, InternalError):
        return f"{text} (--traceback shows where)"
    if isinstance(error, SystemExit):
        return f"the model's code ended the program (exit {error.code}); nothing was checked"
    if isinstance(error, OSError) and error.strerror:
        return printable(f"{error.strerror}: {error.filename}" if error.filename else error.strerror)
    what = f"{type(error).__name__}: {text}".removesuffix(": ")
    if is_own(error):
        return f"{internal_error(error)} (--traceback shows where)"
    return f"the model's code raised {what}; nothing was checked (--traceback shows where)"


def show_traceback(error: BaseException) -> None:
    """Prints where an error came from."""
    sys.stderr.write(visible("".join(traceback.format_exception(error))))
