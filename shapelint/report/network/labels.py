"""What is written in the hourglass: sizes, formulas, names of layers, and the signs at what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shapelint.facts.finding import Repair
from shapelint.facts.picture import Mark, Picture, Role, Scene, Step
from shapelint.report.network.layout import NOTCH, Box, Column, Layout
from shapelint.size.words import sized

_LINE, _CHARACTER, _BOLD, _FORMULA, _LONGEST, _ABOVE = 13.0, 7.6, 9.2, 15, 24, 15.0


@dataclass(frozen=True, slots=True)
class Text:
    """A label, centred at a place."""

    x: float
    y: float
    text: str
    kind: str


def output_of(scene: Scene, picture: Picture) -> int:
    """The call whose size is compared; -1 where there is none."""
    return scene.outputs[picture.output] if picture.output < len(scene.outputs) else -1


def badges(found: Layout, numbers: Sequence[Text]) -> Iterator[Text]:
    """Signs at the marked calls: how many rows stay behind, above the `numbers` in their way; where the run ends."""
    reached, end = found.scene.reached, found.boxes.get(found.scene.reached)
    if reached < len(found.scene.steps) and end is not None and not found.marked(Role.RAISES):
        yield Text(end.x0, -end.left / 2, "raises", "cross")
    for mark in found.marks.values():
        box = found.boxes.get(mark.step)
        if box is None:
            continue
        if mark.role is Role.RAISES:
            yield Text(box.middle, -box.left / 2, "raises", "cross")
        elif mark.role is Role.DROPS:
            text = f"\u2212{mark.rows} row{'' if mark.rows == 1 else 's'}"
            start, y = box.x0 + 4, -box.left / 2 - NOTCH / 2 - 5
            for number in numbers:
                left, right = number.x - _half(number.text), number.x + _half(number.text)
                apart = right < start or start + len(text) * _CHARACTER < left
                y = y if apart or abs(number.y - y) >= _ABOVE else number.y - _ABOVE
            yield Text(start, y, text, "drops")


def names(found: Layout, changed: AbstractSet[int], told: AbstractSet[str]) -> Iterator[Text]:
    """The name of each call that changes the size, is marked or `told` of, in it, upright where it is narrow.

    Where there is no room it stands below its call, or is left out where nothing speaks of the call.
    """
    end, low = 0.0, 0.0  # of the last name that stands below its call
    spoken_of = _spoken_of(found, told)
    for box in _named(found, spoken_of):
        index = next((index for index in box.steps if index in found.marks or index in spoken_of), box.steps[0])
        step, mark = found.scene.steps[index], found.marks.get(index)
        name = _shortened(step.name)
        kind = f"name {mark.role}" if mark else "name changed" if index in changed else "name"
        kind += " told" * (mark is None and index in spoken_of)
        long = len(name) * _CHARACTER
        if long < box.x1 - box.x0:
            yield Text(box.middle, 4, name, kind)
        elif long < min(box.left, box.right) - 6 and box.x1 - box.x0 > 14:
            yield Text(box.middle, 0, name, f"{kind} upright")
        elif mark is not None or index in changed or index in spoken_of:
            y = max(box.left, box.right) / 2 + NOTCH / 2 + 13
            low = max(y, low + 14) if box.middle - long / 2 < end else y
            end = box.middle + long / 2
            yield Text(box.middle, low, name, f"{kind} outside")


def _spoken_of(found: Layout, told: AbstractSet[str]) -> set[int]:
    """The calls of the layers that are told of, and those that gave a raising join its sizes; not the marked ones."""
    steps = found.scene.steps
    sources = {_source(steps, index) for mark in found.marked(Role.RAISES) for index in steps[mark.step].inputs}
    marked = {steps[index].module for index in found.marks}
    layers = {index for index, step in enumerate(steps) if step.module in told - marked}
    return {index for index in sources | layers if index in found.boxes} - set(found.marks)


def _source(steps: Sequence[Step], index: int) -> int:
    """The call that gave a tensor its size: the last spatial one on its way."""
    while not steps[index].spatial and steps[index].inputs and steps[index].operation != "cat":
        index = steps[index].inputs[0]
    return index


def _named(found: Layout, spoken_of: AbstractSet[int]) -> Iterator[Box]:
    """The calls that may have a name in the drawing, from left to right."""
    for column in found.columns:
        boxes = () if column.entry is None else (column.entry,)
        if column.reached:
            yield from boxes
        others = column.parts if column.reached else (*boxes, *column.parts)
        yield from (box for box in others if any(index in found.marks or index in spoken_of for index in box.steps))


def _shortened(name: str) -> str:
    """The end of a long path, from a dot on."""
    parts = name.split(".")
    while len(parts) > 1 and len(".".join(parts)) > _LONGEST:
        parts = parts[1:]
    short = ".".join(parts)
    return short if short == name else f"…{short}"


def numbers(found: Layout, picture: Picture) -> Iterator[Text]:
    """The size of each station above it; what is marked comes first where there is no room for all."""
    wanted = {found.homes[mark.step]: mark for mark in found.marked(Role.MISSES)}
    columns = [column for column in found.columns if column.reached]
    last = found.homes.get(output_of(found.scene, picture), -1)
    order = sorted(columns, key=lambda each: (each.number not in wanted, each.number not in (0, last), each.number))
    placed: list[tuple[float, float]] = []
    for column in order:
        joined = _joined(found, column)
        text, kind = joined or _number(column, wanted.get(column.number), picture, last=column.number == last)
        texts = [each for each in (text, text.rpartition(" → ")[2]) if _free(column.middle, _half(each), placed)]
        if texts:
            text = texts[0]
            half = len(text) * _BOLD / 2 if kind == "number wrong" else _half(text)
            placed.append((column.middle, half))
            raising = column.number == columns[-1].number and found.scene.reached < len(found.scene.steps)
            room = NOTCH / 2 if kind != "number" or raising else 0
            top = -max(column.body.left, column.body.right) / 2 - 7 - room
            middle = _beside(found, column, half) if raising else column.middle
            yield Text(min(max(middle, half - 2), found.width - half + 2), top, text, kind)
            if column.number in (0, last):
                yield Text(column.middle, top - 17, "input" if column.number == 0 else "output", "end")


def _joined(found: Layout, column: Column) -> tuple[str, str] | None:
    """The sizes that a join of the station does not fit, where one of them comes from no part of the drawing."""
    steps = found.scene.steps
    for mark in found.marked(Role.RAISES):
        sizes = {index: sized(steps[index].size) for index in steps[mark.step].inputs}
        here = {size for index, size in sizes.items() if index in found.boxes}
        away = [index for index, size in sizes.items() if index not in found.boxes and size not in here]
        if found.homes.get(mark.step) == column.number and len(here) == 1 and away:
            source = _shortened(steps[_source(steps, away[0])].name)
            return f"{here.pop()} ≠ {sizes[away[0]]} of {source}", "number wrong"
    return None


def _beside(found: Layout, column: Column, half: float) -> float:
    """Where the size of the last station stands: beside the arc that ends there."""
    ends = [found.boxes[mark.step].middle for mark in found.marked(Role.RAISES) if mark.step in found.boxes]
    near = [end for end in ends if abs(end - column.middle) < half]
    return max([column.middle, *(end + half + 6 for end in near)])


def _half(text: str) -> float:
    return len(text) * _CHARACTER / 2 + 3


def _free(x: float, half: float, placed: list[tuple[float, float]]) -> bool:
    return all(abs(x - other) > half + room for other, room in placed)


def _number(column: Column, mark: Mark | None, picture: Picture, *, last: bool) -> tuple[str, str]:
    station = column.station
    text = sized(station.size) or "no size"
    if mark is not None:
        return f"{text} ≠ {sized(mark.wanted)}", "number wrong"
    if last and picture.wanted:
        right = station.size == picture.wanted
        return text if right else f"{text} ≠ {sized(picture.wanted)}", "number right" if right else "number wrong"
    moved = station.first != station.size and len(station.first) == len(station.size)
    return f"{sized(station.first)} → {text}" if moved else text, "number"


def formulas(found: Layout, below: float) -> Iterator[Text]:
    """The size of each station as a formula below it, in one line where it is short, else one for each axis."""
    end = 0.0
    for column in found.columns:
        joined = " x ".join(column.station.formula)
        lines = [joined] if len(joined) <= _FORMULA else list(column.station.formula)
        lines = [line if len(line) <= 2 * _FORMULA else line[: 2 * _FORMULA - 1] + "…" for line in lines]
        half = max(map(len, lines), default=0) * 6.4 / 2 + 4
        if not column.reached or column.middle - half < end:
            continue
        end = column.middle + half
        for number, line in enumerate(lines):
            yield Text(min(column.middle, found.width - half + 3), below + 12 + number * _LINE, line, "formula")


def loose_changes(found: Layout, picture: Picture, base: float, *, repaired: bool) -> Iterator[Text]:
    """The changes of layers that belong to no pair, in one line."""
    ups = (found.scene.steps[index] for pair in found.scene.pairs for index in pair.up_nodes)
    told = {picture.said(name) for name in map(picture.changed, ups) if name is not None}
    words = [each for each in dict.fromkeys(map(picture.said, picture.changes)) if each not in told]
    built = all(change.repair is Repair.CHANNELS for change in picture.changes.values())
    verb = "" if built else "with " if repaired else "write "
    if words:
        yield Text(found.width / 2, base + 14, verb + ", ".join(words), "change")
