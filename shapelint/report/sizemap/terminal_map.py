"""The map of sizes for a terminal of 80 columns: one character for each size, right without colour too."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import click

from shapelint.facts.result import CheckResult
from shapelint.report.sizemap.size_map import CellKind, Fit, MapWindow, SizeMap, ordered, size_map, ticks, windows

_COLUMNS, _ROWS, _WIDTH = 64, 20, 80


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a map: for sizes that restore, run, raise (at which call) and are unknown, and asked ones."""

    right: str
    runs: str
    raises: str
    unknown: str
    asked_right: str
    asked_wrong: str


BLOCKS = Signs("█", "░", "·-+x~", "?", "◆", "◇")
ASCII = Signs("#", "-", ".,+x~", "?", "@", "O")
_COLOURS = {Fit.RESTORES: "green", Fit.RUNS: "cyan", Fit.RAISES: "red", Fit.UNKNOWN: "yellow"}


def map_lines(report: CheckResult, *, signs: Signs = BLOCKS) -> Iterator[str]:
    """The lines of the map of a contract, its legend below it; coloured, and right with the colours taken out."""
    maps = [_folded(size_map(report, window)) for window in windows(report, (_ROWS, _COLUMNS), alone=5 * _COLUMNS)]
    meant = report.contract.meant
    for found in maps:
        yield ""
        yield from _lines(found, signs, meant=meant)
    kinds = ordered(kind for found in maps for kind in found.kinds if kind.fit is not Fit.OUTSIDE)
    if kinds:
        yield ""
    for kind in kinds:
        sign = _painted(kind, _sign(kind, signs, meant=meant, asked=False))
        first, *rest = textwrap.wrap(kind.text, _WIDTH - 4) or [""]
        yield f"  {sign} {first}"
        yield from (f"    {line}" for line in rest)
    if any(found.asked for found in maps):
        yield f"  {signs.asked_right} {signs.asked_wrong} asked: right, wrong"


def _folded(found: SizeMap) -> SizeMap:
    """A line in rows of one width, as text is."""
    name, values = found.window.across
    if found.window.down is not None or len(values) <= _COLUMNS:
        return found
    row = found.rows[0]
    rows = [row[start : start + _COLUMNS] for start in range(0, len(row), _COLUMNS)]
    starts = MapWindow((name, range(values[0], values[-1] + 1, _COLUMNS)), (name, range(_COLUMNS)), found.window.others)
    asked = tuple(divmod(column, _COLUMNS) for _, column in found.asked)
    return SizeMap(starts, found.kinds, tuple(rows), asked, found.title)


def _lines(found: SizeMap, signs: Signs, *, meant: bool) -> Iterator[str]:
    down, (name, across) = found.window.down, found.window.across
    labels = [str(value) for value in down[1]] if down else [""]
    if down is not None and down[0] != name:
        shown = set(ticks(down[1], most=_ROWS // 3))
        labels = [str(value) if value in shown else "" for value in down[1]]
    width = max(map(len, [*labels, down[0] if down else name]))
    heading = "" if down is None or down[0] == name else down[0]
    if heading or found.title:
        yield f"  {heading:>{width}}  {found.title}".rstrip()
    for number, (label, row) in enumerate(zip(labels, found.rows, strict=True)):
        cells = (_cell(found, signs, (number, column), meant=meant) for column in range(len(row)))
        yield f"  {label:>{width}} {''.join(cells)}"
    if down is None or down[0] != name:
        yield f"  {name:>{width}} {_axis(across)}".rstrip()


def _cell(found: SizeMap, signs: Signs, cell: tuple[int, int], *, meant: bool) -> str:
    kind = found.rows[cell[0]][cell[1]]
    return _painted(kind, _sign(kind, signs, meant=meant, asked=cell in found.asked))


def _sign(kind: CellKind, signs: Signs, *, meant: bool, asked: bool) -> str:
    right = kind.fit is Fit.RESTORES or (kind.fit is Fit.RUNS and not meant)
    if asked:
        return signs.asked_right if right else signs.asked_wrong
    if right:
        return signs.right
    if kind.fit is Fit.RAISES:
        return signs.raises[kind.rank]
    return {Fit.RUNS: signs.runs, Fit.UNKNOWN: signs.unknown}.get(kind.fit, " ")


def _painted(kind: CellKind, sign: str) -> str:
    colour = _COLOURS.get(kind.fit)
    return click.style(sign, fg=colour) if colour else sign


def _axis(values: range) -> str:
    """Numbers below the columns that they belong to, as many as there is room for."""
    line = ""
    for value in ticks(values):
        at = value - values[0]
        if at >= len(line) + bool(line):
            line = line.ljust(at) + str(value)
    return line
