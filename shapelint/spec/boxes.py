"""Sets of sizes as other tools can say them: along each symbol a fixed size, or every so many from one size on.

A tool that deploys a model knows a range and perhaps a step for each axis, not a set. `boxes` finds such products of
ranges inside of a set, the widest first, each proved by isl to lie in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from math import gcd, lcm

from shapelint.size.condition import Condition, all_of, at_least, divisible, equal
from shapelint.size.function import constant, symbol
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet

_PERIOD = 4096
_LARGE = 512
_LEAST = 8
_STEPS = 3_000_000  # of isl


@dataclass(frozen=True, slots=True)
class AxisRange:
    """The sizes of one symbol: `first`, `first + step` and so on, to `last` or without an end.

    A step of 0 is the one size `first`. With `tied` the symbol always has the size of that other symbol.
    """

    symbol: str
    first: int
    step: int = 0
    last: int | None = None
    tied: str = ""

    @property
    def open(self) -> bool:
        """Whether there is more than one size."""
        return self.step > 0

    @property
    def rest(self) -> int:
        """What is left of each size when it is divided by the step."""
        return self.first % self.step if self.step else self.first

    def at(self, number: int) -> int:
        """The size after `number` steps, or the last one before it."""
        size = self.first + number * self.step
        return size if self.last is None else min(size, self.last)

    def later(self, count: int = 1) -> AxisRange | None:
        """The same sizes without the first ones; None where fewer than two would be left."""
        first = self.first + count * self.step
        return replace(self, first=first) if self.open and (self.last is None or first < self.last) else None

    def within(self, low: int, high: int | None) -> AxisRange | None:
        """The sizes from `low` to `high`; None where there is none, and one size alone where no other is left."""
        if not self.open:
            return self
        first = self.first + max(0, -(-(low - self.first) // self.step)) * self.step
        ends = [each for each in (self.last, high) if each is not None]
        last = min(ends) - (min(ends) - first) % self.step if ends else None
        if last is not None and last <= first:
            return AxisRange(self.symbol, first) if last == first else None
        return replace(self, first=first, last=last)

    @property
    def condition(self) -> Condition:
        """That the symbol has one of the sizes."""
        size = symbol(self.symbol)
        if self.tied:
            return equal(size, symbol(self.tied))
        if not self.open:
            return equal(size, constant(self.first))
        parts = [at_least(size, constant(self.first)), divisible(size.plus(-self.first), self.step)]
        return all_of(parts if self.last is None else [*parts, at_least(constant(self.last), size)])


@dataclass(frozen=True, slots=True)
class SizeBox:
    """A product of sizes: an axis for each symbol of a contract, in their order."""

    axes: tuple[AxisRange, ...]

    @property
    def sizes(self) -> SizeSet:
        """The set of its members."""
        symbols = [axis.symbol for axis in self.axes]
        return SizeSet.where(symbols, all_of(axis.condition for axis in self.axes))

    def at(self, numbers: Mapping[str, int]) -> dict[str, int]:
        """The member so many steps along each symbol; a tied symbol goes with the other."""
        own = {axis.symbol: axis.at(numbers.get(axis.symbol, 0)) for axis in self.axes if not axis.tied}
        return {axis.symbol: own[axis.tied or axis.symbol] for axis in self.axes}

    @property
    def free(self) -> tuple[AxisRange, ...]:
        """The axes with more than one size that follow no other."""
        return tuple(axis for axis in self.axes if axis.open and not axis.tied)

    def later(self, names: Iterable[str]) -> SizeBox:
        """The box without the first size of some symbols, where these have others."""
        taken = {axis.symbol for axis in self.axes if not axis.tied} & set(names)
        return SizeBox(tuple(axis.later() or axis if axis.symbol in taken else axis for axis in self.axes))


def boxes(sizes: SizeSet, strides: Mapping[str, int]) -> Iterator[SizeBox]:
    """Boxes inside of a set, those with the smallest steps first; `strides` are steps worth trying besides.

    There is none where isl finds none within its limit.
    """
    if not sizes.symbols and sizes:
        yield SizeBox(())
    with suppress(SolverError), limited(_STEPS):
        found: list[SizeBox] = []
        for box in _boxes(sizes, strides):
            if box not in found:
                found.append(box)
                yield box


def _boxes(sizes: SizeSet, strides: Mapping[str, int]) -> Iterator[SizeBox]:
    choices = {name: list(_axes(sizes.onto([name]), strides.get(name, 1))) for name in sizes.symbols}
    if not all(choices.values()):
        return
    for number in range(max(map(len, choices.values()), default=0)):
        axes = [each[min(number, len(each) - 1)] for each in choices.values()]
        box = _inside(SizeBox(tuple(axes)), sizes)
        if box is not None:
            yield box
    yield from _tied(sizes, strides)
    yield from _held_boxes(sizes, strides)


def _inside(box: SizeBox, sizes: SizeSet) -> SizeBox | None:
    """The box, begun later where that puts it inside of the set."""
    for _ in box.axes:
        wrong = box.sizes - sizes
        if not wrong:
            return box
        for place, axis in enumerate(box.axes):
            last = _largest(wrong.onto([axis.symbol])) if axis.open else None
            later = None if last is None else axis.later((last - axis.first) // axis.step + 1)
            if later is not None:
                box = SizeBox((*box.axes[:place], later, *box.axes[place + 1 :]))
                break
        else:
            return None
    return box if box.sizes <= sizes else None


def _tied(sizes: SizeSet, strides: Mapping[str, int]) -> Iterator[SizeBox]:
    """Boxes in which two symbols are always equal."""
    for place, name in enumerate(sizes.symbols):
        for other in sizes.symbols[:place]:
            same = sizes & SizeSet.where(sizes.symbols, equal(symbol(name), symbol(other)))
            kept = [each for each in sizes.symbols if each != name]
            for box in _boxes(same.onto(kept), strides) if same else ():
                by_name = {axis.symbol: axis for axis in box.axes}
                by_name[name] = replace(by_name[other], symbol=name, tied=by_name[other].tied or other)
                yield SizeBox(tuple(by_name[each] for each in sizes.symbols))


def _held_boxes(sizes: SizeSet, strides: Mapping[str, int]) -> Iterator[SizeBox]:
    """Boxes in which one symbol has one size."""
    point = sizes.example(64)
    for name in sizes.symbols if point is not None and len(sizes.symbols) > 1 else ():
        assert point is not None
        kept = [each for each in sizes.symbols if each != name]
        for box in _boxes(sizes.fixed({name: point[name]}).onto(kept), strides):
            by_name = {axis.symbol: axis for axis in box.axes}
            yield SizeBox(tuple(by_name.get(each) or AxisRange(each, point[each]) for each in sizes.symbols))


def _axes(sizes: SizeSet, stride: int) -> Iterator[AxisRange]:
    """The sizes of one symbol that lie in a set, by growing steps; one size alone where there is no step."""
    (name,) = sizes.symbols
    point = sizes.example(_LEAST)
    if point is None:
        return
    seen: set[AxisRange] = set()
    for step in _steps(sizes, stride):
        for rest in _rests(sizes, step):
            axis = _axis(sizes, step, rest)
            if axis is not None and axis not in seen:
                seen.add(axis)
                yield axis
                break
    if not seen:
        yield AxisRange(name, point[name])


def _steps(sizes: SizeSet, stride: int) -> Sequence[int]:
    periods = [period for period in sizes.periods() if period <= _PERIOD]
    whole = reduce(lambda one, other: lcm(one, other) if lcm(one, other) <= _PERIOD else one, [*periods, stride], 1)
    if sizes.finite:
        members = [next(iter(each.values())) for each in sizes.members()] if _largest(sizes) or _PERIOD >= 0 else []
        whole = lcm(whole, gcd(*(member - members[0] for member in members)) or 1) if members else whole
    return [step for step in range(1, whole + 1) if whole % step == 0]


def _rests(sizes: SizeSet, step: int) -> Sequence[int]:
    """0, and what a large member leaves."""
    (name,) = sizes.symbols
    last = _largest(sizes)
    member = {name: last} if last is not None else sizes.at_least({name: _LARGE}).smallest()
    return list(dict.fromkeys([0, *([member[name] % step] if member is not None else [])]))


def _axis(sizes: SizeSet, step: int, rest: int) -> AxisRange | None:
    """All sizes from one on, in steps; None where that is fewer than two."""
    (name,) = sizes.symbols
    every = [at_least(symbol(name), constant(1)), divisible(symbol(name).plus(-rest), step)]
    lattice = SizeSet.where(sizes.symbols, all_of(every))
    last = _largest(sizes & lattice) if sizes.finite else None
    if sizes.finite:
        if last is None:
            return None
        lattice = lattice.at_most({name: last})
    wrong = lattice - sizes
    if wrong and not wrong.finite:
        return None
    lowest = _largest(wrong) if wrong else None
    least = (lattice if lowest is None else lattice.at_least({name: lowest + 1})).smallest()
    first = None if least is None else least[name]
    return None if first is None or (last is not None and first >= last) else AxisRange(name, first, step, last)


def _largest(sizes: SizeSet) -> int | None:
    """The largest member of a set of one symbol; None where it is empty or has no end."""
    (name,) = sizes.symbols
    low = sizes.least(symbol(name).times(-1)) if sizes.finite else None
    return None if low is None else -low
