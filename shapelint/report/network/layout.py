"""Where each call of a scene stands in the hourglass: from left to right as it runs, as high as its resolution."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shapelint.facts.picture import Mark, Picture, Role, Scene
from shapelint.report.network.stations import Part, Size, Station, bundled, stations

WIDTH, TALL, LOW, NOTCH = 1160.0, 190.0, 12.0, 16.0
_MARGIN, _TRANSITION, _STATION, _PART, _PARTS, _JUMP = 30.0, 54.0, 44.0, 7.0, 14, 12.0
_WIDEST, _NARROWEST, _SLICE = 2.6, 0.3, 4.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How high a size is drawn, where the input has `rank` spatial axes and the largest size is `largest`."""

    rank: int
    largest: float = 1.0

    def extent(self, size: Size) -> float:
        """The geometric mean of a size's axes; of a flattened one, of the axes that it comes from."""
        return math.prod(size) ** (1 / max(len(size), self.rank)) if size else 0.0

    def height(self, size: Size) -> float:
        """By the root, so that a hop of 16 or 320 still shows."""
        return max(LOW, TALL * math.sqrt(max(self.extent(size), 0) / self.largest))


@dataclass(frozen=True, slots=True)
class Box:
    """A call or some neighbouring ones: a trapezoid about the middle line, `left` and `right` its heights."""

    steps: tuple[int, ...]
    x0: float
    x1: float
    left: float
    right: float
    before: Size
    after: Size

    @property
    def middle(self) -> float:
        """The horizontal middle in pixels."""
        return (self.x0 + self.x1) / 2


@dataclass(frozen=True, slots=True)
class Column:
    """A station with its place: the call that enters it, if one does, and the stretch at one size behind that."""

    station: Station
    number: int
    entry: Box | None
    body: Box
    parts: tuple[Box, ...]
    reached: bool

    @property
    def middle(self) -> float:
        """The horizontal middle in pixels."""
        return (self.body.x0 + max([self.body.x1, *(part.x1 for part in self.parts)])) / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a scene, and for each call its box and its column."""

    scene: Scene
    width: float
    columns: tuple[Column, ...]
    boxes: Mapping[int, Box]
    homes: Mapping[int, int]
    marks: Mapping[int, Mark]
    scale: Scale

    def height(self, size: Size) -> float:
        """The height of all columns in pixels."""
        return self.scale.height(size)

    def ran(self, index: int) -> bool:
        """Whether a call was run, if only to raise."""
        return index < self.scene.reached or index in self.marks

    def marked(self, *roles: Role) -> list[Mark]:
        """The boxes of the calls that carry a mark."""
        return [mark for mark in self.marks.values() if mark.role in roles and mark.step in self.boxes]


def layout(picture: Picture, scene: Scene) -> Layout:
    """The place of everything in one scene; both scenes of a picture have one scale."""
    scenes = [picture.now, *([picture.repaired] if picture.repaired else [])]
    sizes = [step.size for each in scenes for step in each.steps] + [picture.wanted]
    flat = Scale(len(scene.steps[0].size) if scene.steps else 1)
    scale = Scale(flat.rank, max(map(flat.extent, sizes), default=1.0) or 1.0)
    marks = {mark.step: mark for mark in scene.marks}
    found = stations(scene)
    columns = tuple(_columns(found, scene, marks, scale))
    boxes = {index: box for column in columns for box in _boxes(column) for index in box.steps}
    homes = {index: column.number for column in columns for index in column.station.steps}
    return Layout(scene, _stretch(found)[0], columns, boxes, homes, marks, scale)


def _boxes(column: Column) -> tuple[Box, ...]:
    return column.parts if column.entry is None else (column.entry, *column.parts)


def _natural(station: Station, first: bool) -> float:
    entry = _TRANSITION if station.entered is not None else 0.0 if first else _JUMP
    return entry + _STATION + _PART * min(len(station.parts), _PARTS)


def _stretch(found: Sequence[Station]) -> tuple[float, float]:
    """The width of the drawing, and by how much natural widths are stretched to fill it."""
    natural = sum(_natural(station, index == 0) for index, station in enumerate(found)) or 1.0
    scale = min((WIDTH - 2 * _MARGIN) / natural, _WIDEST)
    if scale < _NARROWEST:
        return natural * _NARROWEST + 2 * _MARGIN, _NARROWEST
    return WIDTH, scale


def _columns(found: Sequence[Station], scene: Scene, marks: Mapping[int, Mark], scale: Scale) -> Iterator[Column]:
    width, stretch = _stretch(found)
    natural = sum(_natural(station, index == 0) for index, station in enumerate(found))
    x = (width - natural * stretch) / 2
    for number, station in enumerate(found):
        entry = None
        if station.entered is not None:
            ends = (x, x + _TRANSITION * stretch)
            entry = _box(Part((station.entered,), station.before, station.first), ends, scale)
            x = ends[1]
        elif number:
            x += _JUMP * stretch
        end = x + (_STATION + _PART * min(len(station.parts), _PARTS)) * stretch
        parts = tuple(_slices(station, (x, end), marks, scale))
        reached = not station.steps or min(station.steps) < scene.reached
        ghosts = [part.x0 for part in parts if part.steps[0] >= scene.reached and part.steps[0] not in marks]
        ghosts = ghosts if reached else []
        body = _box(Part((), station.first, station.size), (x, min([end, *ghosts])), scale)
        yield Column(station, number, entry, body, parts, reached)
        x = end


def _box(part: Part, ends: tuple[float, float], scale: Scale) -> Box:
    return Box(part.steps, *ends, scale.height(part.before), scale.height(part.after), part.before, part.after)


def _slices(station: Station, ends: tuple[float, float], marks: Mapping[int, Mark], scale: Scale) -> Iterator[Box]:
    parts = bundled(station, int((ends[1] - ends[0]) / _SLICE), marks)
    width = (ends[1] - ends[0]) / max(len(parts), 1)
    for index, part in enumerate(parts):
        x = ends[0] + index * width
        yield _box(part, (x, x + width), scale)
