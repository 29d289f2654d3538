"""What joins the parts of the hourglass: skips as arcs above it, mirrored pairs as brackets below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapelint.facts.graph import Pair
from shapelint.facts.picture import Picture, Role
from shapelint.report.network.layout import Layout
from shapelint.size.words import sized

_SHOWN, _LABEL, _CAPTION, _CHARACTER = 7, 24.0, 14.0, 7.6
_WORDS, _LONG = 60, 36


@dataclass(frozen=True, slots=True)
class Arc:
    """A skip: from a station to a call in a later one, with the two sizes where they do not fit."""

    start: tuple[float, float]
    end: tuple[float, float]
    top: float
    bad: bool
    reached: bool
    text: str

    @property
    def path(self) -> str:
        """The arc as the path of an SVG element."""
        (x0, y0), (x1, y1) = self.start, self.end
        return f"M{x0:.1f} {y0:.1f}C{x0:.1f} {self.top:.1f} {x1:.1f} {self.top:.1f} {x1:.1f} {y1:.1f}"

    @property
    def apex(self) -> tuple[float, float]:
        """The highest point of the arc."""
        return (self.start[0] + self.end[0]) / 2, (self.start[1] + self.end[1]) / 8 + self.top * 0.75


@dataclass(frozen=True, slots=True)
class Bracket:
    """A mirrored pair: where it begins and ends, in which row it stands, and what is said of it."""

    x0: float
    x1: float
    row: int
    state: str
    text: str
    change: str = ""

    def centre(self, width: float) -> float:
        """Where its text stands: in the middle, or as near to it as keeps the text in the drawing."""
        half = (len(self.text) + len(self.change) + 10 * bool(self.change)) * _CHARACTER / 2
        return max(half, min((self.x0 + self.x1) / 2, width - half))


def arcs(layout: Layout) -> tuple[Arc, ...]:
    """The tensors that skip at least one station, once for each pair of stations."""
    found: dict[tuple[int, int], Arc] = {}
    steps = layout.scene.steps
    raising = {mark.step for mark in layout.marked(Role.RAISES)}
    for index, home in layout.homes.items():
        for source in steps[index].inputs:
            start = layout.homes.get(source, home)
            fits = len({steps[each].size for each in steps[index].inputs if each in layout.homes}) < 2
            bad = index in raising and not fits and len(steps[index].inputs) > 1
            if start < home - 1 and (bad or (start, home) not in found):
                found[start, home] = _arc(layout, start, index, bad)
    return tuple(found.values())


def _arc(layout: Layout, start: int, index: int, bad: bool) -> Arc:
    column, box = layout.columns[start], layout.boxes[index]
    begin = (column.middle, -column.body.right / 2 - _LABEL - (0 if start else _CAPTION))
    end = (box.middle, -box.left / 2 - (0 if bad else _LABEL))
    top = min(begin[1], end[1]) - 20 - 0.11 * abs(end[0] - begin[0])
    sizes = dict.fromkeys(sized(layout.scene.steps[each].size) for each in layout.scene.steps[index].inputs)
    text = f"{' and '.join(sizes)} do not fit" if bad else ""
    return Arc(begin, end, top, bad, layout.ran(index), text)


def brackets(layout: Layout, picture: Picture, *, repaired: bool) -> tuple[Bracket, ...]:
    """The mirrored pairs, inner ones above outer ones; where there are many, those that miss come first."""
    ends = [(pair, _ends(layout, pair)) for pair in layout.scene.pairs]
    known = [(pair, x) for pair, x in ends if x is not None]
    blamed = {mark.step for mark in layout.marked(Role.MISSES)}
    important = [pair for pair, _ in known if blamed & set(pair.up_nodes) or _changes(layout, picture, pair)]
    if len(known) > _SHOWN:
        missing = [each for each in known if each[0] in important or each[0].size_in != each[0].size_out]
        known = (missing or known)[-_SHOWN:]
    rows: list[list[tuple[float, float]]] = []
    return tuple(
        Bracket(*x, _row(rows, x), *_said(layout, picture, pair, repaired=repaired))
        for pair, x in sorted(known, key=lambda each: each[1][1] - each[1][0])
    )


def _changes(layout: Layout, picture: Picture, pair: Pair) -> list[str]:
    """What is changed of the up-sampling calls of a pair, in words."""
    names = (picture.changed(layout.scene.steps[index]) for index in pair.up_nodes)
    return [picture.changes[name].text for name in dict.fromkeys(names) if name is not None]


def _ends(layout: Layout, pair: Pair) -> tuple[float, float] | None:
    down, up = layout.boxes.get(pair.down_nodes[0]), layout.boxes.get(pair.up_nodes[-1])
    if down is None or up is None or up.middle <= down.middle:
        return None
    return down.middle, up.middle


def _row(rows: list[list[tuple[float, float]]], x: tuple[float, float]) -> int:
    """The first row in which a bracket meets no other; its text is given some room."""
    wide = (min(x[0], sum(x) / 2 - 190), max(x[1], sum(x) / 2 + 190))
    for number, row in enumerate(rows):
        if all(wide[1] < low or high < wide[0] for low, high in row):
            row.append(wide)
            return number
    rows.append([wide])
    return len(rows) - 1


def _said(layout: Layout, picture: Picture, pair: Pair, *, repaired: bool) -> Iterator[str]:
    """The state of a pair, the sentence, and the change of a layer that mends it.

    Of long names the ends are told, where the drawing has no room for all.
    """
    down, up = pair.down[0], pair.up[-1]
    change = ", ".join(_changes(layout, picture, pair))
    if (len(down) + len(up) + len(change) + _WORDS) * _CHARACTER > layout.width:
        down, up = (name if len(name) <= _LONG else f"…{name[1 - _LONG :].lstrip('.')}" for name in (down, up))
    if pair.size_in == pair.size_out:
        change = change if repaired else ""
        yield "mended" if change else "fits"
        yield f"{up} gives back the {sized(pair.size_in)} that {down} took"
    elif repaired and change:
        yield "mended"
        yield f"{up} gives back {sized(pair.size_out)}, made the {sized(pair.size_in)} that {down} took"
    else:
        blamed = any(layout.marks.get(index) for index in pair.up_nodes)
        yield "misses" if blamed else "follows"
        yield f"{up} gives back {sized(pair.size_out)} where {down} took {sized(pair.size_in)}"
    yield change
