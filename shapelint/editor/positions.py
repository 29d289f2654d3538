"""Places of a checked source in the text that the editor has now, counted as the editor counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lsprotocol.types import Position, Range
from pygls.workspace import PositionCodec

from shapelint.source.span import Span

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the lines of the text that was checked are in the text that is there now.

    Lines before the first changed one stay, those behind the last one move with it; the others are nowhere: the first
    `before` and the last `behind` lines are the same in both. `newline` ends the lines of now.
    """

    checked: tuple[str, ...]
    now: tuple[str, ...]
    codec: PositionCodec
    before: int
    behind: int
    newline: str = "\n"

    @classmethod
    def between(cls, checked: Sequence[str], text: str, codec: PositionCodec) -> Moved:
        """From the lines that were checked to the text of now."""
        old, now, end = tuple(checked), split_lines(text), _LINE_END.search(text)
        before, behind = _alike(old, now), _alike(old[::-1], now[::-1])
        return cls(old, now, codec, before, behind, "\n" if end is None else end[0])

    def line(self, number: int) -> int | None:
        """The number, from 0, of the line that had a number from 1; None where it was changed."""
        old = number - 1
        if old >= len(self.checked):
            return None
        if old < self.before:
            return old
        left = len(self.checked) - old
        return len(self.now) - left if left <= self.behind else None

    def range(self, span: Span) -> Range | None:
        """The range of a span; None where a line of it was changed."""
        start, end = self.line(span.line), self.line(span.end_line)
        if start is None and span.line == len(self.checked) + 1:
            start = len(self.now)
        if end is None and span.end_line == len(self.checked) + 1:
            end = len(self.now)
        if start is None or end is None or end - start != span.end_line - span.line:
            return None
        whole = Range(Position(start, span.column - 1), Position(end, span.end_column - 1))
        return self.codec.range_to_client_units(list(self.now), whole)

    def text_of(self, number: int) -> Range | None:
        """The range of the text of a line, without the blanks around it; None where it was changed."""
        line = self.line(number)
        if line is None:
            return None
        text = self.now[line]
        start, end = Position(line, len(text) - len(text.lstrip())), Position(line, len(text.rstrip()))
        return self.codec.range_to_client_units(list(self.now), Range(start, end))

    def end_of(self, number: int) -> Position | None:
        """The end of the text of a line; None where it was changed."""
        line = self.line(number)
        if line is None:
            return None
        return self.codec.position_to_client_units(list(self.now), Position(line, len(self.now[line].rstrip())))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines at the start are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))


def split_lines(text: str) -> tuple[str, ...]:
    """The lines of a text without their ends, as Python's tokenizer and the protocol count: a form feed ends none."""
    lines = _LINE_END.split(text)
    return tuple(lines[:-1] if lines[-1] == "" else lines)
