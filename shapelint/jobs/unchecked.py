"""A model without a report: the line that says why, and where in the user's files that came about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from traceback import walk_tb

from shapelint.errors import ShapelintError
from shapelint.source.ownership import installed

Line = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Why a model has no report, in one line, and whether that is a failure: of one that nobody named it is none.

    `lines` are the files and lines of the user's that led to it, the innermost first.
    """

    line: str
    failed: bool = True
    target: str = ""
    lines: tuple[Line, ...] = ()

    def data(self) -> bytes:
        """For `read`, as one object of JSON."""
        return json.dumps([self.line, self.failed, self.target, self.lines]).encode()

    @classmethod
    def read(cls, data: bytes | str) -> Unchecked:
        """What `data` wrote; ValueError for anything else."""
        try:
            line, failed, target, lines = json.loads(data)
            places = tuple((str(file), int(number)) for file, number in lines)
        except TypeError as error:
            raise ValueError("it has another form") from error
        return cls(str(line), bool(failed), str(target), places)


def users_lines(error: BaseException) -> tuple[Line, ...]:
    """The files and lines of the user's that led to an exception, or to what caused it, the innermost first."""
    return tuple(dict.fromkeys(_lines(error)))


def _lines(error: BaseException) -> Iterator[Line]:
    if error.__cause__ is not None:
        yield from _lines(error.__cause__)
    if isinstance(error, ShapelintError) and error.place is not None:
        yield error.place
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        yield error.filename, error.lineno
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    yield from (each for each in reversed(frames) if not installed(each[0]))
