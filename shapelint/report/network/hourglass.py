"""The hourglass as shapes for the page: the network from input to output, its resolution as height.

Coordinates are those of the SVG; the middle line is at y = 0 until the drawing is placed.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shapelint.facts.picture import Picture, Role, Step
from shapelint.report.network import labels
from shapelint.report.network.connections import Arc, Bracket, arcs, brackets
from shapelint.report.network.labels import Text
from shapelint.report.network.layout import NOTCH, Box, Column, Layout, layout
from shapelint.report.place import short_place
from shapelint.size.words import sized

_ROW = 40.0
_NAMES = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """A part of the drawing that can be pointed at: its outline, its classes, and what is told of it."""

    path: str
    kind: str
    title: str
    detail: str = ""
    focus: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the page draws of one scene; `above` and `below` are its ends about the middle line.

    `start` is where a narrow window looks first, in percent of the width.
    """

    width: float
    above: float
    below: float
    behind: tuple[Shape, ...]
    shapes: tuple[Shape, ...]
    badges: tuple[Text, ...]
    texts: tuple[Text, ...]
    names: tuple[Text, ...]
    arcs: tuple[Arc, ...]
    brackets: tuple[Bracket, ...]
    base: float
    summary: str
    start: float

    @property
    def height(self) -> float:
        """The height of the picture in pixels."""
        return self.above + self.below

    def row(self, bracket: Bracket) -> float:
        """Where the line of a bracket lies."""
        return self.base + 12 + bracket.row * _ROW


def hourglass(picture: Picture, *, repaired: bool = False, told: AbstractSet[str] = frozenset()) -> Drawing:
    """The drawing of the model as it is, or with the fix; the layers that are `told` of have their names in it."""
    scene = picture.repaired if repaired and picture.repaired else picture.now
    found = layout(picture, scene)
    changed = {index for index, step in enumerate(scene.steps) if repaired and picture.changed(step) is not None}
    numbers = tuple(labels.numbers(found, picture))
    curves, pairs = arcs(found), brackets(found, picture, repaired=repaired)
    tallest = max((max(column.body.left, column.body.right) for column in found.columns), default=0.0)
    tallest = max([tallest, *(found.height(mark.wanted) for mark in found.marked(Role.MISSES))]) + NOTCH
    names = tuple(labels.names(found, changed, told))
    low = max([tallest / 2, *(text.y + 4 for text in names)])
    formulas = tuple(labels.formulas(found, low))
    base = max([low, *(text.y for text in formulas)]) + 8
    rows = max((bracket.row + 1 for bracket in pairs), default=0)
    loose = tuple(labels.loose_changes(found, picture, base + rows * _ROW, repaired=repaired))
    above = max([tallest / 2 + 44, *(-arc.apex[1] + 22 for arc in curves)])
    below = base + 14 + rows * _ROW + (24 if loose else 0)
    return Drawing(
        width=found.width,
        above=above,
        below=below,
        behind=tuple(_gaps(found, picture)),
        shapes=tuple(_shapes(found, changed)),
        badges=tuple(labels.badges(found, numbers)),
        texts=(*numbers, *formulas, *loose),
        names=names,
        arcs=curves,
        brackets=pairs,
        base=base,
        summary=_summary(found),
        start=round(100 * _start(found, changed) / found.width),
    )


def _start(found: Layout, changed: AbstractSet[int]) -> float:
    """Where a narrow window looks first: at what raises, misses or is changed, else in the middle."""
    marked = [mark.step for role in (Role.RAISES, Role.MISSES, Role.NAMED) for mark in found.marked(role)]
    marked += [index for index in sorted(found.boxes) if index in changed]
    return found.boxes[marked[0]].middle if marked else found.width / 2


def _summary(found: Layout) -> str:
    """What the drawing shows, for those who do not see it."""
    sizes = [sized(column.station.size) or "no spatial size" for column in found.columns if column.reached]
    marks = [f"{found.scene.steps[mark.step].name}: {mark.text}" for mark in found.marks.values()]
    return ". ".join([f"The sizes from input to output: {', '.join(sizes)}", *marks]) + "."


def _outline(box: Box) -> str:
    left, right = box.left / 2, box.right / 2
    return f"M{box.x0:.1f} {-left:.1f}L{box.x1:.1f} {-right:.1f}L{box.x1:.1f} {right:.1f}L{box.x0:.1f} {left:.1f}Z"


def _shapes(found: Layout, changed: AbstractSet[int]) -> Iterator[Shape]:
    for column in found.columns:
        ghost = "" if column.reached else " ghost"
        yield Shape(_outline(column.body), f"body{ghost}", f"{_name_of(column)}: {sized(column.station.size)}")
        if column.entry is not None:
            yield _shape(found, column.entry, changed, enters=True)
        for box in column.parts:
            yield _shape(found, box, changed)


def _name_of(column: Column) -> str:
    return "input" if column.number == 0 else f"level {column.number}"


def _shape(found: Layout, box: Box, changed: AbstractSet[int], *, enters: bool = False) -> Shape:
    steps = [found.scene.steps[index] for index in box.steps]
    marks = [found.marks[index] for index in box.steps if index in found.marks]
    kind = "layer" if len(steps) > 1 else _kind(steps[0], box, enters=enters)
    kind += "".join(f" {mark.role}" for mark in marks)
    kind += " changed" if changed & set(box.steps) else ""
    kind += "" if found.ran(box.steps[0]) else " ghost"
    title = _title(steps[0]) if len(steps) == 1 else f"{len(steps)} calls: {_listed(steps)}"
    detail = _detail(steps[0], box) if len(steps) == 1 else f"all at {sized(box.after)}"
    words = "; ".join(f"{mark.text}" for mark in marks)
    focus = bool(marks) or kind.startswith(("down", "up", "join"))
    return Shape(_outline(box), kind, title, f"{words + ' · ' if words else ''}{detail}", focus)


def _kind(step: Step, box: Box, *, enters: bool) -> str:
    if enters:
        return "down" if box.right < box.left else "up"
    return "layer" if step.spatial else "join" if len(set(step.inputs)) > 1 else "plain"


def _listed(steps: list[Step]) -> str:
    names = list(dict.fromkeys(step.name for step in steps))
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")


def _title(step: Step) -> str:
    """What a call is, and its line."""
    where = step.built or step.place
    kind = step.kind if step.kind and step.kind != step.name else ""
    return " · ".join(each for each in (step.name, kind, short_place(where) if where else "") if each)


def _detail(step: Step, box: Box) -> str:
    """The parameters of a call, and what it does to the size."""
    parameters = ", ".join(f"{name}={_short(value)}" for name, value in step.parameters if name != "padding_total")
    formula = " x ".join(step.formula)
    before, after = sized(box.before), sized(box.after)
    change = f"takes {before}, gives {after} = {formula}" if before != after else f"at {after} = {formula}"
    return " · ".join(each for each in (parameters, change if after else "no spatial size") if each)


def _short(value: tuple[int, ...]) -> str:
    return str(value[0] if len(set(value)) == 1 else value)


def _gaps(found: Layout, picture: Picture) -> Iterator[Shape]:
    """Behind the shapes: the rows that are lost on the way down, and those that are missing on the way up."""
    missing = {found.homes[mark.step]: mark.wanted for mark in found.marked(Role.MISSES)}
    last = found.homes.get(labels.output_of(found.scene, picture), -1)
    if last >= 0 and picture.wanted and found.columns[last].reached:
        missing.setdefault(last, picture.wanted)
    for number, wanted in missing.items():
        column = found.columns[number]
        if len(wanted) == len(column.station.size) and wanted != column.station.size:
            yield _gap(found, column, wanted)
    for mark in found.marked(Role.DROPS):
        box = found.boxes[mark.step]
        end = box.x0 + min(14.0, box.x1 - box.x0)
        notch = Box(box.steps, box.x0, end, box.left + NOTCH, box.left + NOTCH / 4, (), ())
        yield Shape(_outline(notch), "lost", mark.text)


def _gap(found: Layout, column: Column, wanted: tuple[int, ...]) -> Shape:
    """The outline of the size that was wanted: behind a station that is too small, within one that is too large."""
    high = max(found.height(wanted), column.body.right + NOTCH)
    if found.height(wanted) < column.body.right:
        high = min(found.height(wanted), column.body.right - NOTCH)
    start = column.entry or column.body
    body = Box((), column.body.x0, column.body.x1, high, high, (), ())
    entry = Box((), start.x0, start.x1, start.left if column.entry else high, high, (), ())
    path = _outline(body) if column.entry is None else _outline(entry) + _outline(body)
    kind = "lost" if high > column.body.right else "surplus"
    return Shape(path, kind, f"{sized(column.station.size)} where {sized(wanted)} is wanted")
