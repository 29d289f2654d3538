"""The map of sizes as shapes for the page: one path for each kind of cell, with what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapelint.report.sizemap.size_map import CellKind, Fit, SizeMap, ticks

_WIDE, _SMALL, _LINE, _LARGEST = 380.0, 230.0, 1120.0, 12.0
_LEFT, _TOP, _STRIP, _BELOW, _THIN, _NAMED, _FRAMED = 44.0, 20.0, 46.0, 36.0, 2.0, 8, 11.0


@dataclass(frozen=True, slots=True)
class MapLayer:
    """All cells of one kind."""

    kind: str
    text: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text beside the map."""

    x: float
    y: float
    text: str
    kind: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame about a cell that was asked for."""

    x: float
    y: float
    size: float
    high: float


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """A map of sizes, ready for the page."""

    title: str
    summary: str
    width: float
    height: float
    left: float
    top: float
    columns_width: float
    rows_height: float
    layers: tuple[MapLayer, ...]
    labels: tuple[Label, ...]
    rules: tuple[str, ...]
    asked: tuple[Frame, ...]


def class_of(kind: CellKind, *, meant: bool) -> str:
    """The style of a kind of cell; where nothing is to be restored, a size that runs is as good as any."""
    if kind.fit is Fit.RAISES:
        return f"raises{kind.rank}"
    return "restores" if kind.fit is Fit.RUNS and not meant else str(kind.fit)


def drawn(found: SizeMap, *, meant: bool, period: int, heading: str, small: bool = False) -> MapDrawing:
    """The drawing of a map; a `small` one stands beside others."""
    columns, line = len(found.rows[0]), found.window.down is None
    cell = min(_LARGEST, (_LINE if line else _SMALL if small else _WIDE) / columns)
    high = _STRIP if line else cell
    left = 8.0 if line else _LEFT
    wide, tall = columns * cell, len(found.rows) * high
    summary = "; ".join(f"{sum(row.count(kind) for row in found.rows)} sizes: {kind.text}" for kind in found.kinds)
    where = found.title and f" ({found.title})"
    return MapDrawing(
        title=f"{heading}{where}: {_ranges(found)}",
        summary=summary,
        width=round(left + wide + 12),
        height=round(_TOP + tall + _BELOW),
        left=left,
        top=_TOP,
        columns_width=round(wide, 1),
        rows_height=round(tall, 1),
        layers=tuple(MapLayer(class_of(kind, meant=meant), kind.text, _path(found, kind, (left, cell, high)))
                     for kind in reversed(found.kinds) if kind.fit is not Fit.OUTSIDE),
        labels=tuple(_labels(found, (left, cell, high), period)),
        rules=tuple(_rules(found, (left, cell, high), period)),
        asked=tuple(_frames(found, (left, cell, high))),
    )  # fmt: skip


def _ranges(found: SizeMap) -> str:
    shown = [each for each in (found.window.down, found.window.across) if each is not None]
    return " and ".join(f"{name} from {values[0]} to {values[-1]}" for name, values in shown)


def _path(found: SizeMap, kind: CellKind, grid: tuple[float, float, float]) -> str:
    """The cells of a kind, neighbours in a row as one rectangle."""
    left, cell, high = grid
    pieces: list[str] = []
    for number, row in enumerate(found.rows):
        y = _TOP + number * high
        start = 0
        while start < len(row):
            end = start + 1
            if row[start] == kind:
                while end < len(row) and row[end] == kind:
                    end += 1
                wide = max((end - start) * cell, _THIN)
                pieces.append(f"M{left + start * cell:.1f} {y:.1f}h{wide:.1f}v{high:.1f}h{-wide:.1f}z")
            start = end
    return "".join(pieces)


def _labels(found: SizeMap, grid: tuple[float, float, float], period: int) -> Iterator[Label]:
    left, cell, high = grid
    name, values = found.window.across
    bottom = _TOP + len(found.rows) * high
    for value in _marks_across(found, period):
        yield Label(round(left + (value - values[0] + 0.5) * cell, 1), bottom + 16, str(value), "tick")
    yield Label(round(left + len(values) * cell / 2, 1), bottom + 31, name, "axis")
    if found.title:
        yield Label(round(left + len(values) * cell / 2, 1), 13, found.title, "axis")
    if found.window.down is not None:
        name, values = found.window.down
        for value in ticks(values, period):
            yield Label(left - 6, round(_TOP + (value - values[0] + 0.5) * high + 4, 1), str(value), "tick", "end")
        yield Label(left - 6, _TOP - 7, name, "axis", "end")


def _marks_across(found: SizeMap, period: int) -> tuple[int, ...]:
    """The numbers below the map; below a line the sizes that restore, where they are few."""
    values = found.window.across[1]
    right = [values[at] for at, kind in enumerate(found.rows[0]) if kind.fit is Fit.RESTORES]
    few = found.window.down is None and 0 < len(right) <= _NAMED < len(values) // 8
    return tuple(right) if few else ticks(values, period)


def _rules(found: SizeMap, grid: tuple[float, float, float], period: int) -> Iterator[str]:
    left, cell, high = grid
    values = found.window.across[1]
    bottom = _TOP + len(found.rows) * high
    for value in _marks_across(found, period):
        yield f"M{left + (value - values[0] + 0.5) * cell:.1f} {bottom:.1f}v4"
    if found.window.down is not None:
        values = found.window.down[1]
        for value in ticks(values, period):
            yield f"M{left:.1f} {_TOP + (value - values[0] + 0.5) * high:.1f}h-4"


def _frames(found: SizeMap, grid: tuple[float, float, float]) -> Iterator[Frame]:
    left, cell, high = grid
    grow = max(0.0, (_FRAMED - cell) / 2)
    for row, column in found.asked[:200]:
        x, y = left + column * cell - grow, _TOP + row * high - (grow if len(found.rows) > 1 else 3)
        size = cell + 2 * grow
        yield Frame(round(x, 1), round(y, 1), round(size, 1), round(size if len(found.rows) > 1 else high + 6, 1))
