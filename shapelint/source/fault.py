"""Whose bug an exception is: shapelint's own, or that of the code that it runs for the user.

The user's code, and libraries with the user's arguments, are called by `call_foreign` alone: what comes through it is
no bug of ours. Else the innermost frame decides, those of libraries left aside: where it is shapelint's, the exception
is a bug of shapelint and says nothing about the model.
"""

from __future__ import annotations

import enum
import importlib.util
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from traceback import walk_tb
from types import TracebackType
from typing import Any, Final, TypeVar

from shapelint.errors import InternalError, ShapelintError, is_foreseen, printable, words_of
from shapelint.source.ownership import OWN_FOLDER, installed

Result = TypeVar("Result")

# The rooms that compute for the model's code, as Python's numbers and sequences or onnxruntime do for it, and what
# these raise for a wrong argument. Whatever else comes from there is a bug.
_COMPUTING: Final[Mapping[str, tuple[type[Exception], ...]]] = {
    "size": (ArithmeticError, TypeError, ValueError),
    "instrument": (ArithmeticError, IndexError, TypeError, ValueError),
    "saved": (ArithmeticError, AssertionError, RuntimeError, ValueError),
}
_ANYWHERE: Final = (MemoryError, RecursionError)  # raised in whichever line uses the last of it


def call_foreign(function: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Result:
    """Calls code that is not shapelint's, on behalf of the user: what it raises is no bug of shapelint."""
    return function(*args, **kwargs)


def is_own(error: BaseException) -> bool:
    """Whether an exception is a bug of shapelint."""
    frames = _frames(error.__traceback__)
    if not isinstance(error, Exception) or not frames or came_through(error) or is_a_signals(error):
        return False
    if isinstance(error, _ANYWHERE):
        return all(frame.owner is _Owner.SHAPELINT for frame in frames)
    return frames[-1].owner is _Owner.SHAPELINT and not _computes(frames, error)


def came_through(error: BaseException) -> bool:
    """Whether an exception came out of `call_foreign`, with no other frame of shapelint's inside of that call."""
    own = [frame.owner for frame in _frames(error.__traceback__) if frame.owner is not _Owner.USER]
    return own[-1:] == [_Owner.BOUNDARY]


def let_out(error: BaseException) -> None:
    """Raises InternalError where an exception that was caught around foreign code is a bug of ours; else does nothing.

    What shapelint raises on purpose (see `errors.foreseen`) is no bug. What a signal's handler raised, such as the time
    limit of a test, is nobody's answer and goes on its way.
    """
    if is_foreseen(error):
        return
    if isinstance(error, InternalError) or is_a_signals(error):
        raise error
    if is_own(error):
        raise internal_error(error) from error


def is_a_signals(error: BaseException) -> bool:
    """Whether a handler of a signal raised an exception, which may come in the middle of any line."""
    found = (signal.getsignal(number) for number in signal.valid_signals())
    codes = {getattr(getattr(each, "__func__", each), "__code__", None) for each in found if callable(each)}
    return any(frame.f_code in codes for frame, _ in walk_tb(error.__traceback__))


@contextmanager
def internal_errors() -> Iterator[None]:
    """Within it, or in a function that it decorates, every bug of ours becomes an InternalError.

    What the system refuses, such as a file, is none, nor is a call of that function that its arguments do not fit.
    """
    try:
        yield
    except (ShapelintError, OSError):
        raise
    except Exception as error:  # any class: only the frames tell whose it is
        begun = len(_frames(error.__traceback__)) > 1  # the first is the line above
        if begun and is_own(error) and not isinstance(error, InternalError):
            raise internal_error(error) from error
        raise


def internal_error(error: BaseException) -> InternalError:
    """What is raised for a bug of ours: the exception in one line, and the innermost line of ours."""
    what = f"{type(error).__name__}: {printable(words_of(error))}".removesuffix(": ")
    own = [frame for frame in _frames(error.__traceback__) if frame.owner is _Owner.SHAPELINT]
    where = f" ({own[-1].shown()})" if own else ""
    return InternalError(f"{what}{where}")


class _Owner(enum.Enum):
    """Whose code a frame runs; BOUNDARY is `call_foreign`."""

    SHAPELINT = "shapelint"
    BOUNDARY = "boundary"
    USER = "user"


@dataclass(frozen=True, slots=True)
class _Frame:
    """A line that was running, and whose it is."""

    owner: _Owner
    file: str
    line: int

    @property
    def room(self) -> str:
        """The folder of the package in which the file lies."""
        return self.file.removeprefix(OWN_FOLDER).partition(os.sep)[0]

    def shown(self) -> str:
        """`shapelint/ops/conv.py:123`."""
        folder = os.path.dirname(_own_folder(self.file).rstrip(os.sep))
        return f"{os.path.relpath(self.file, folder)}:{self.line}"


def _frames(trace: TracebackType | None) -> list[_Frame]:
    """The frames of a traceback, outermost first, without those of libraries."""
    found: list[_Frame] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        owner = _owner(code.co_filename) if code is not call_foreign.__code__ else _Owner.BOUNDARY
        if owner is not None:
            found.append(_Frame(owner, code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    return found


def _owner(file: str) -> _Owner | None:
    """Whose a source file is; None for a library's."""
    if _own_folder(file):
        return _Owner.SHAPELINT
    return None if installed(file) else _Owner.USER


def _computes(frames: list[_Frame], error: Exception) -> bool:
    """Whether rooms that compute for the model were called by it, and raise what such a computation may raise."""
    inside = list(takewhile(lambda frame: frame.owner is _Owner.SHAPELINT, reversed(frames)))
    rooms = [frame.room for frame in inside]
    called = len(inside) < len(frames)
    return called and set(rooms) <= _COMPUTING.keys() and isinstance(error, _COMPUTING[rooms[0]])


def _own_folder(file: str) -> str:
    """The folder of ours in which a file lies, that of the package or of the built-in rules; "" for none."""
    return next((folder for folder in _own_folders() if file.startswith(folder)), "")


@cache
def _own_folders() -> tuple[str, ...]:
    rules = importlib.util.find_spec("shapelint_rules")
    folders = [] if rules is None else rules.submodule_search_locations or []
    return (OWN_FOLDER, *(os.path.join(folder, "") for folder in folders))
