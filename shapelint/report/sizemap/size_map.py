"""The contract as a map: a window of sizes, each cell with what happens there, exactly as the regions say.

One symbol gives a line, two a map of rows and columns, more the map with the others held at one size.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from shapelint.facts.contract import How, Region
from shapelint.facts.picture import Step
from shapelint.facts.result import CheckResult
from shapelint.report.place import short_place
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import constant, symbol
from shapelint.size.sets import SizeSet

_CALLS, _LARGE, _FEW = 4, 256, 2


class Fit(enum.StrEnum):
    """What happens at a size."""

    RESTORES = "restores"
    RUNS = "runs"
    RAISES = "raises"
    UNKNOWN = "unknown"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class CellKind:
    """One colour of the map: what happens, at which call it raises, and whether that is proved."""

    fit: Fit
    text: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class MapWindow:
    """The sizes that are shown: ranges of the symbols down (absent for a line) and across, the others at one size."""

    down: tuple[str, range] | None
    across: tuple[str, range]
    others: Mapping[str, int]

    def box(self, symbols: Sequence[str]) -> SizeSet:
        """The shown sizes as a set."""
        shown = [each for each in (self.down, self.across) if each is not None]
        limits = [equal(symbol(name), constant(value)) for name, value in self.others.items()]
        for name, values in shown:
            limits += [at_least(symbol(name), constant(values[0])), at_least(constant(values[-1]), symbol(name))]
        return SizeSet.where(symbols, all_of(limits))

    def cell(self, size: Mapping[str, int]) -> tuple[int, int]:
        """The row and column of a size."""
        row = 0 if self.down is None else size[self.down[0]] - self.down[1][0]
        return row, size[self.across[0]] - self.across[1][0]


@dataclass(frozen=True, slots=True)
class SizeMap:
    """A window with the kind of each of its cells; `asked` are the cells that somebody asked for."""

    window: MapWindow
    kinds: tuple[CellKind, ...]
    rows: tuple[tuple[CellKind, ...], ...]
    asked: tuple[tuple[int, int], ...]
    title: str = ""


def windows(
    report: CheckResult, most: tuple[int, int], *, alone: int, slices: int = 1, reach: int = 0
) -> tuple[MapWindow, ...]:
    """The windows to show of a contract: at most `most` rows and columns, or `alone` cells of one symbol.

    Where none of them would be right, the nearest size that is comes in, with up to `reach` rows and columns for it.
    """
    symbols = report.contract.symbols
    if not symbols:
        return ()
    focus = _focus(report)
    if len(symbols) == 1:
        name = symbols[0]
        line = MapWindow(None, (name, _range(focus[name], _span(report, alone))), {})
        return (_with_right(report, focus, line, (alone, alone)),)
    down, across = ("H", "W") if {"H", "W"} <= set(symbols) else symbols[-2:]
    span = _span(report, max(most))
    shown = (
        (down, _range(focus[down], min(span, most[0]))),
        (across, _range(focus[across], min(span, most[1]))),
    )
    others = {name: focus[name] for name in symbols if name not in (down, across)}
    limits = (max(most[0], reach), max(most[1], reach))
    main = _with_right(report, focus, MapWindow(*shown, others), limits)
    if main.others != others:
        return (main,)
    found = sorted(_slices(report, focus, others, slices), key=lambda each: tuple(each.values()))
    return tuple(replace(main, others=each) for each in found)


def _with_right(
    report: CheckResult, focus: Mapping[str, int], window: MapWindow, limits: tuple[int, int]
) -> MapWindow:
    """The window; where it holds no size that is right, grown to the nearest one within the limits.

    Where there is no story of a size that was asked, it is moved to one that is farther off.
    """
    contract = report.contract
    if focus not in contract.domain or (contract.restores or contract.runs) & window.box(contract.symbols):
        return window
    axes = [each for each in (window.down, window.across) if each is not None]
    for near in sorted(filter(None, contract.nearest(**focus)), key=lambda each: _apart(each, focus, axes)):
        ends = [sorted((focus[name], near[name])) for name, _ in axes]
        need = max(high - low for low, high in ends) + 9
        length = max(need, *(len(values) for _, values in axes))
        if length <= min(limits) and all(near[name] == size for name, size in window.others.items()):
            lows = (max(1, (low + high - length) // 2) for low, high in ends)
            grown = [(name, range(low, low + length)) for (name, _), low in zip(axes, lows, strict=True)]
            return MapWindow(None if window.down is None else grown[0], grown[-1], window.others)
    goal = next(filter(None, contract.nearest(**focus)), None)
    if goal is None or report.picture is not None or report.asked != contract.domain:
        return window
    moved = [(name, range(low := max(1, goal[name] - len(sizes) // 2), low + len(sizes))) for name, sizes in axes]
    others = {name: goal[name] for name in window.others}
    return MapWindow(None if window.down is None else moved[0], moved[-1], others)


def _apart(near: Mapping[str, int], focus: Mapping[str, int], axes: Sequence[tuple[str, range]]) -> int:
    return max(abs(near[name] - focus[name]) for name, _ in axes)


def _slices(
    report: CheckResult, focus: Mapping[str, int], others: dict[str, int], slices: int
) -> Iterator[dict[str, int]]:
    """The sizes at which the other symbols are held: those of the story, and near ones that fit."""
    yield others
    if not others or slices < 2:
        return
    near = report.contract.nearest(**focus)
    known = [others]
    for each in near:
        held = None if each is None else {name: each[name] for name in others}
        if held is not None and held not in known and len(known) < slices:
            known.append(held)
            yield held


def _focus(report: CheckResult) -> dict[str, int]:
    """The size where the story is told: that of the picture, or a small asked one."""
    if report.picture is not None and set(report.picture.sizes) == set(report.contract.symbols):
        return dict(report.picture.sizes)
    return report.asked.sample() or dict.fromkeys(report.contract.symbols, 1)


def _span(report: CheckResult, most: int) -> int:
    """Three periods of what fits, within what can be shown."""
    contract = report.contract
    periods = [period for period in (contract.restores or contract.runs).periods() if period <= most]
    return max(32, min(most, 3 * reduce(math.lcm, periods, 1)))


def _range(focus: int, span: int) -> range:
    """A stretch of sizes with the focus in it, from 1 where that is near."""
    low = 1 if focus <= span - span // 8 else focus - span // 2
    return range(low, low + span)


def size_map(report: CheckResult, window: MapWindow) -> SizeMap:
    """The map of the contract as it is."""
    contract = report.contract
    box = window.box(contract.symbols)
    cells: dict[tuple[int, int], CellKind] = {}
    restoring = _cells(contract.restores & box, window)
    ranks = _ranks(report)
    for region in contract.regions:
        place = _place(report, region) if region.outcome.ok is False else ""
        for cell in _cells(region.sizes & box, window):
            right = cell in restoring if contract.meant else None
            cells.setdefault(cell, _kind(region, (place, ranks.get(place, 0)), restores=right))
    asked = () if report.asked == contract.domain else tuple(sorted(_cells(report.asked & box, window)))
    return _drawn(window, cells, asked)


def repaired_map(report: CheckResult, window: MapWindow) -> SizeMap | None:
    """The map of the repaired model; None where there is none whose sizes are known."""
    picture, contract = report.picture, report.contract
    if picture is None or picture.runs is None or picture.restores is None:
        return None
    box = window.box(contract.symbols)
    restores, runs = _cells(picture.restores & box, window), _cells(picture.runs & box, window)
    good = CellKind(Fit.RESTORES, "restores its size") if contract.meant else CellKind(Fit.RUNS, "runs")
    cells = {cell: CellKind(Fit.RAISES, "raises", _CALLS) for cell in _cells(contract.domain & box, window)}
    cells |= dict.fromkeys(runs, CellKind(Fit.RUNS, "runs, gives another size" if contract.meant else "runs"))
    cells |= dict.fromkeys(restores, good)
    asked = () if report.asked == contract.domain else tuple(sorted(_cells(report.asked & box, window)))
    return _drawn(window, cells, asked)


def _cells(sizes: SizeSet, window: MapWindow) -> set[tuple[int, int]]:
    return {window.cell(size) for size in sizes.members()} if sizes else set()


def _ranks(report: CheckResult) -> dict[str, int]:
    """The calls that raise: those that do so at an asked or large size first, then those of many regions."""
    raising = [region for region in report.contract.regions if region.outcome.ok is False]
    places = Counter(_place(report, region) for region in raising)
    large = {_place(report, each) for each in raising if each.sizes.at_least(dict.fromkeys(each.sizes.symbols, _LARGE))}
    order = sorted(places, key=lambda place: (place not in large, -places[place], place))
    return {place: number for number, place in enumerate(order)}


def _place(report: CheckResult, region: Region) -> str:
    """The call that fails in a region: a join by the layer whose size it gets, where the picture knows it."""
    outcome = region.outcome
    line = f" ({short_place(outcome.place)})" if outcome.place else ""
    steps = () if report.picture is None else report.picture.now.steps
    step = steps[region.node] if 0 <= region.node < len(steps) else None
    if step is not None and (step.module, step.place) == (outcome.module, outcome.place) and len(step.inputs) > 1:
        sources = [_source(steps, index) for index in dict.fromkeys(step.inputs)]
        up = next((each.name for each in sources if each.factor > 1), sources[-1].name)
        return f"`{step.name}` with `{up}`{line}"
    return f"`{outcome.module or 'forward'}`{line}"


def _source(steps: Sequence[Step], index: int) -> Step:
    """The call that gave a tensor its size: the last spatial one on its way."""
    step = steps[index]
    while not step.spatial and step.inputs and step.operation != "cat":
        step = steps[step.inputs[0]]
    return step


def _kind(region: Region, place: tuple[str, int], *, restores: bool | None) -> CellKind:
    """The kind of a cell; `restores` is None where nothing is meant to be restored, `place` the call that fails."""
    known = "" if region.how is How.PROVED else f", {region.how}"
    if region.outcome.ok is None:
        return CellKind(Fit.UNKNOWN, "unknown")
    if region.outcome.ok:
        if restores:
            return CellKind(Fit.RESTORES, f"restores its size{known}")
        return CellKind(Fit.RUNS, f"runs{', gives another size' if restores is not None else ''}{known}")
    rank = min(place[1], _CALLS)
    return CellKind(Fit.RAISES, f"raises {'elsewhere' if rank == _CALLS else 'in ' + place[0]}{known}", rank)


def _drawn(window: MapWindow, cells: Mapping[tuple[int, int], CellKind], asked: tuple[tuple[int, int], ...]) -> SizeMap:
    outside = CellKind(Fit.OUTSIDE, "no input size")
    height = 1 if window.down is None else len(window.down[1])
    rows = tuple(
        tuple(cells.get((row, column), outside) for column in range(len(window.across[1]))) for row in range(height)
    )
    kinds = ordered(kind for row in rows for kind in row)
    title = ", ".join(f"{name} = {value}" for name, value in window.others.items())
    return SizeMap(window, kinds, rows, asked, title)


def ordered(kinds: Iterable[CellKind]) -> tuple[CellKind, ...]:
    """Kinds as a legend lists them, each once: from what is right to what is not known."""
    order = list(Fit)
    return tuple(sorted(set(kinds), key=lambda kind: (order.index(kind.fit), kind.rank, kind.text)))


def ticks(values: range, period: int = 0, most: int = 8) -> tuple[int, ...]:
    """Round numbers of a range to write beside it."""
    steps = [period] if period > 1 and len(values) / period <= most else []
    steps += [factor * 10**power for power in range(9) for factor in (1, 2, 4, 5)]
    steps += [8, 16, 32, 64, 128, 256]
    fitting = [step for step in steps if len(values) / step <= most]
    step = fitting[0] if steps and steps[0] in fitting and period > 1 else min(fitting)
    found = tuple(value for value in values if value % step == 0)
    return ticks(values, 0, most) if period > 1 and len(found) < _FEW else found
