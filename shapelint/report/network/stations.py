"""Folds the calls of a scene into stations: stretches of one size, entered by the call that changes the size.

A network of 200 layers has a handful of them. Branches that leave for a size of their own and come back, such as a
gate from a global pool, stay in the station that they leave.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from shapelint.facts.picture import Scene, Step

Size = tuple[int, ...]
_ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring calls of a station, drawn as one; the size before the first and after the last of them."""

    steps: tuple[int, ...]
    before: Size
    after: Size


@dataclass(frozen=True, slots=True)
class Station:
    """A stretch of the network at one size; `entered` is the call that leads to it from another size, if one does."""

    entered: int | None
    before: Size
    first: Size
    size: Size
    formula: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    fixed: bool = False

    @property
    def steps(self) -> tuple[int, ...]:
        """The calls of the station, in their order."""
        inner = tuple(index for part in self.parts for index in part.steps)
        return inner if self.entered is None else (self.entered, *inner)


@dataclass(slots=True)
class _Folding:
    """The stations so far, and in which of them each call is."""

    scene: Scene
    stations: list[Station] = field(default_factory=list)
    home: dict[int, int] = field(default_factory=dict)

    def add(self, index: int, step: Step) -> None:
        sources = [each for each in step.inputs if each in self.home]
        if step.operation == "input" and not self.stations:
            self.open(index, step, None, step.size)
        elif sources:
            here = len(self.stations) - 1
            main = next((each for each in sources if self.home[each] == here), sources[0])
            self.follow(index, step, main, self.home[main] == here)

    def follow(self, index: int, step: Step, main: int, flows: bool) -> None:
        before, here = self.scene.steps[main].size, self.stations[-1]
        ends = index >= self.scene.reached and not (step.spatial and _resamples(step, before))
        if step.size == here.size or ends:
            self.extend(index, replace(step, size=here.size, formula=here.formula), here.size)
        elif _resamples(step, before):
            self.open(index, step, index, before)
        elif flows:
            self.extend(index, step, before)
        else:
            self.open(index, step, None, before)

    def open(self, index: int, step: Step, entered: int | None, before: Size) -> None:
        parts = () if entered is not None or step.operation == "input" else (Part((index,), step.size, step.size),)
        self.stations.append(Station(entered, before, step.size, step.size, step.formula, parts, step.fixed))
        self.home[index] = len(self.stations) - 1

    def extend(self, index: int, step: Step, before: Size) -> None:
        here = self.stations[-1]
        parts = (*here.parts, Part((index,), before, step.size))
        self.stations[-1] = replace(here, size=step.size, formula=step.formula, parts=parts)
        self.home[index] = len(self.stations) - 1


def _resamples(step: Step, before: Size) -> bool:
    """Whether a call leads to another station: it multiplies the size, changes it by much, or makes an end of it."""
    if len(before) != len(step.size) or not before:
        return True
    changes = [after / max(size, 1) for size, after in zip(before, step.size, strict=True)]
    return abs(step.factor - 1) > 0.01 or any(not _ALIKE <= change <= 1 / _ALIKE for change in changes)


def stations(scene: Scene) -> tuple[Station, ...]:
    """The stations of a scene, in the order in which the network runs through them."""
    folding = _Folding(scene)
    for index, step in enumerate(scene.steps):
        folding.add(index, step)
    marked = {mark.step for mark in scene.marks}
    return tuple(_without_excursions(folding.stations, scene, marked))


def _without_excursions(found: list[Station], scene: Scene, marked: set[int]) -> list[Station]:
    """Folds branches of a fixed size, such as a global pool, into the station that they leave and come back to."""
    kept: list[Station] = []
    for station in found:
        start = _left_at(kept, station, scene)
        gone = [index for each in kept[start + 1 :] for index in each.steps]
        if start >= 0 and gone and not marked & set(gone):
            inside = tuple(Part((index,), station.size, station.size) for index in gone)
            entered = () if station.entered is None else (Part((station.entered,), station.size, station.size),)
            parts = (*kept[start].parts, *inside, *entered, *station.parts)
            kept[start:] = [replace(kept[start], size=station.size, formula=station.formula, parts=parts)]
        else:
            kept.append(station)
    return kept


def _left_at(kept: list[Station], station: Station, scene: Scene) -> int:
    """The station that a branch of fixed size left, and to which `station` comes back; -1 where that is not so."""
    start = len(kept) - 1
    while start >= 0 and kept[start].fixed:
        start -= 1
    if station.fixed or start < 0 or start == len(kept) - 1 or kept[start].size != station.first:
        return -1
    own = set(kept[start].steps)
    return start if any(own & set(scene.steps[index].inputs) for index in station.steps) else -1


def bundled(station: Station, most: int, alone: Iterable[int]) -> tuple[Part, ...]:
    """The parts of a station, neighbours put together until there are about `most`; calls in `alone` stay by
    themselves.
    """
    single = set(alone)
    each = math.ceil(len(station.parts) / max(most, 1))
    found: list[Part] = []
    for part in station.parts:
        last = found[-1] if found else None
        joins = last is not None and len(last.steps) < each and not single & {*last.steps, *part.steps}
        if last is not None and joins:
            found[-1] = Part((*last.steps, *part.steps), last.before, part.after)
        else:
            found.append(part)
    return tuple(found)
