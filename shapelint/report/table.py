"""Rows of text in columns of equal width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_GAP = "  "
_NARROWEST = 12


def aligned(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """The rows as lines, each column as wide as its widest cell; the last one ends where its text ends.

    Where that is wider than `width`, the widest columns are narrowed and their cells go on in further lines.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > width and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    lines: list[str] = []
    for row in rows:
        cells = [_folded(cell, most) for cell, most in zip(row, widths, strict=True)]
        lines += [_line(parts, widths) for parts in zip_longest(*cells, fillvalue="")]
    return lines


def _line(parts: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(part.ljust(most) for part, most in zip(parts, widths, strict=True)).rstrip()


def _folded(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` characters, broken inside of brackets only where they are longer."""
    lines = [""]
    for piece in _pieces(text):
        if len((lines[-1] + piece).rstrip()) <= width:
            lines[-1] += piece
        elif len(piece.rstrip()) <= width:
            lines.append(piece)
        else:
            end = " " * piece.endswith(" ")
            *whole, last = textwrap.wrap(lines[-1] + piece, width, break_on_hyphens=False)
            lines[-1:] = [*whole, last + end]
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces that end with a comma or a blank outside of brackets."""
    start = depth = 0
    for number, character in enumerate(text, 1):
        depth += (character == "(") - (character == ")")
        if character in ", " and depth <= 0:
            yield text[start:number]
            start = number
    yield text[start:]
