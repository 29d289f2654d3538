"""Numbers that no size tells, each a symbol of its own, and what holds for all its values: the number of a turn that
stands for many, and how many elements the data choose.
"""

from __future__ import annotations

import sys
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final, NoReturn

from shapelint.facts.failure import Failure
from shapelint.instrument.frames import calling_place
from shapelint.size.bound import never_negative
from shapelint.size.condition import Condition, all_of, at_least, equal, negate, symbols_of
from shapelint.size.function import Function, constant, symbol
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.number import function_of, plain, tracked_size
from shapelint.size.sets import SizeSet
from shapelint.size.substitution import with_values
from shapelint.size.tracking import symbolic
from shapelint.source.span import CallSite
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import Recording, Shape
from shapelint.trace.turns.plans import Again, Key, Plans

_STEPS: Final = 1_000_000


class TurnNumbers:
    """The symbols of one run's loops; `here` are those whose loop is in such a turn, each with its value there.

    `asked` is set with the first loop, `again` where the run is worth nothing, `closed` where the data were asked for
    an answer that they may not be able to give at each size.
    """

    def __init__(self, recorder: Recording, plans: Plans) -> None:
        self.recorder, self.plans = recorder, plans
        self.here: dict[str, int] = {}
        self.again: Again | None = None
        self.asked = self.closed = False
        self._ranges: dict[str, Condition] = {}
        self._values: list[tuple[int, dict[str, int]]] = []  # from which record on which numbers hold
        self._keys: dict[str, Key] = {}
        self._why: dict[str, tuple[str, CallSite | None]] = {}  # of numbers that the data choose
        self._surely: dict[str, Condition] = {}  # what can be wherever it runs, of numbers whose end isl cannot tell
        self._proved: dict[Condition, bool] = {}
        self._path: tuple[tuple[tuple[str, ...], int], SizeSet] | None = None

    def new(self, key: Key, most: Function) -> str:
        """A symbol for the turns of a loop, from 0 to `most`."""
        name = f"turn {len(self._ranges) + 1}"
        self._ranges[name] = all_of([at_least(most, symbol(name)), at_least(symbol(name), constant(0))])
        self._keys[name] = key
        return name

    def of_data(self, value: int, why: str, *, least: int, most: int | None) -> int:
        """A Size for a number of which the data decide, `value` in this run; `why` tells that it is.

        What comes out otherwise for some of the numbers from `least` to `most` ends the run.
        """
        self.asked, name, start = True, f"number {len(self._ranges) + 1}", function_of(least)
        ends = [at_least(symbol(name), constant(0))]
        if most is not None and function_of(most).affine and start.affine:
            ends.append(at_least(function_of(most), start + symbol(name)))
        elif most is not None:
            any_more = never_negative(function_of(most) - start - constant(1))
            self._surely[name] = at_least(constant(1 if any_more else 0), symbol(name))
        self._ranges[name], self._why[name] = all_of(ends), (why, calling_place(sys._getframe(1)))
        self.set(name, value - plain(least))
        return tracked_size(value, start + symbol(name))

    def set(self, name: str, value: int | None) -> None:
        """The value of a symbol in the turn that follows; None after the last one."""
        self.here.pop(name, None)
        if value is not None:
            self.here[name] = value
        self._values.append((len(self.recorder.records), dict(self.here)))
        if value is not None:
            self.recorder.sizes = {**self.recorder.sizes, name: value}

    def among(self, symbols: frozenset[str]) -> list[str]:
        """Those of the symbols that are numbers of turns, the outermost first."""
        return [name for name in self._ranges if name in symbols] if self._ranges else []

    def settles(self, condition: Condition) -> bool:
        """Whether a condition that holds in this turn speaks of turns: then it holds in all of them. Raises Again."""
        names = self.among(symbols_of(condition)) if self._ranges else []
        if names and not self.always(condition):
            self.end_for(names)
            self.give_up(self._keys[names[-1]], "a comparison of its number comes out otherwise in other turns")
        return bool(names)

    def answer(self, condition: Condition, choose: Callable[[], bool]) -> bool | None:
        """How a comparison of the model's own code comes out that speaks of numbers of the data: the only way that is
        left, or else as these `choose`, and it is known of them from here on; None where it speaks of no such number.
        """
        name = next((each for each in self.among(symbols_of(condition)) if each in self._why), None)
        if name is None:
            return None
        for holds in (True, False):
            if self.always(condition if holds else negate(condition)):
                return holds
        self.closed = self.closed or not self._is_open(condition)
        chosen = choose()
        self._ranges[name] = all_of([self._ranges[name], condition if chosen else negate(condition)])
        self._path = None
        self._proved.clear()
        return chosen

    def _is_open(self, condition: Condition) -> bool:
        """Whether some numbers that the data may choose make it true, and others false, at every size of the path."""
        try:
            with limited(_STEPS):
                path = self._path_here()
                sizes = path.onto([name for name in path.symbols if name not in self._ranges])
                sure = all_of([self._surely[name] for name in self.here if name in self._surely])
                parts = [SizeSet.where(path.symbols, all_of([sure, each])) for each in (condition, negate(condition))]
                return all(sizes <= (path & part).onto(sizes.symbols) for part in parts)
        except (Undecidable, SolverError):
            return False

    def end_for(self, names: Iterable[str]) -> None:
        """Ends the run where one of the numbers is the data's. Raises Unanalysable."""
        for name in names:
            if name in self._why:
                why, place = self._why[name]
                raise Unanalysable(why, place=place)

    def proves(self, function: Function) -> bool:
        """Whether a function is at least 0 at all sizes of the path, where a loop was met on it."""
        return self.asked and self.always(at_least(function, constant(0)))

    def always(self, condition: Condition) -> bool:
        """Whether a condition holds in all turns, at all sizes of the path so far."""
        if condition not in self._proved:
            inside = all(name in self.here for name in self.among(symbols_of(condition)))
            self._proved[condition] = inside and self._holds(condition)
        return self._proved[condition]

    def settled(self, condition: Condition) -> bool:
        """Whether a condition comes out in all turns, at all sizes of the path so far, as it does in this run."""
        return self.always(condition if condition.holds(self.recorder.sizes) else negate(condition))

    def _holds(self, condition: Condition) -> bool:
        try:
            with limited(_STEPS):
                path = self._path_here()
                return not path & SizeSet.where(path.symbols, negate(condition))
        except (Undecidable, SolverError):
            return False

    def _path_here(self) -> SizeSet:
        """The sizes of the path so far and the numbers of the turns that run, as far as isl can tell them."""
        key = tuple(self.here), len(self.recorder.events)
        if self._path is None or self._path[0][0] != key[0]:
            sizes = [name for name in self.recorder.sizes if name not in self._ranges]
            known = [self._ranges[name] for name in self.here]
            known += [at_least(symbol(name), constant(1 if name.isidentifier() else 0)) for name in sizes]
            self._path = (key[0], 0), SizeSet.where((*sizes, *self.here), all_of(known))
        (_, done), path = self._path
        for event in self.recorder.events[done:]:
            with suppress(Undecidable):
                path = path & SizeSet.where(path.symbols, event.condition)
        self._path = key, path
        return path

    # -- what is told of the run afterwards -----------------------------------------------------------------------

    @property
    def any_used(self) -> bool:
        """Whether some loop had a turn that stands for many."""
        return bool(self._keys)

    @property
    def any_met(self) -> bool:
        """Whether shapes of the run may depend on some number."""
        return bool(self._ranges)

    def told(self, size: int) -> int:
        """A size that outlives the run; the run is doubted where it depends on the number of a turn.

        Raises Unanalysable where it depends on what the data choose.
        """
        function = function_of(size)
        names = self.among(function.symbols())
        without = with_values(function, {name: 0 for name in names if name in self._why})
        if without is not function:
            if not self.always(equal(function, without)):
                self.end_for(names)
            size, names = tracked_size(plain(size), without), self.among(without.symbols())
        for name in names:
            self.doubt(self._keys[name], "what it gives depends on the number of the turn")
        return size

    def is_of_data(self, shapes: Iterable[Shape]) -> bool:
        """Whether the data decide a size of some shapes."""
        dims = (function_of(dim) for shape in shapes for dim in shape if symbolic(dim))
        return any(not self._why.keys().isdisjoint(dim.symbols()) for dim in dims)

    def as_at(self, record: int, shape: Shape) -> Shape:
        """A shape with the numbers that the turns had when a call was recorded."""
        if not any(symbolic(dim) and self.among(function_of(dim).symbols()) for dim in shape):
            return shape
        values = self._values[bisect(self._values, record, key=lambda each: each[0]) - 1][1]
        return tuple(tracked_size(plain(dim), with_values(function_of(dim), values)) for dim in shape)

    def first(self, failure: Failure | None) -> Failure | None:
        """A failure with the number of the first turn of those that it stands for."""
        if failure is None:
            return None
        dims = (failure.left, failure.right, *failure.shape)
        left, right, *shape = (
            with_values(dim, dict.fromkeys(self._ranges, 0)) if isinstance(dim, Function) else dim for dim in dims
        )
        return replace(failure, left=left, right=right, shape=tuple(shape))

    # -- what does not fit ----------------------------------------------------------------------------------------

    def give_up(self, key: Key, why: str, *, for_good: bool = False) -> NoReturn:
        """Ends the run: the loop is to be run otherwise, or its turns one by one. Raises Again."""
        self.doubt(key, why, for_good=for_good)
        assert self.again is not None
        raise self.again

    def again_with(self, key: Key, grows: Mapping[int, int]) -> NoReturn:
        """Ends the run: these marks of the state grow from turn to turn. Raises Again."""
        self.plans.grows[key] = grows
        self.again = self.again or Again("what grows from turn to turn")
        raise self.again

    def move(self, sizes: Mapping[str, int] | None) -> None:
        """Ends the run, which is to be made at these sizes, if there are any. Raises Again."""
        if sizes is not None:
            self.again = self.again or Again("fewer turns will do", sizes)
            raise self.again

    def doubt(self, key: Key, why: str, *, for_good: bool = False) -> None:
        """Notes that the run is worth nothing; the first reason counts."""
        if self.again is None:
            self.again = Again(why)
            self.plans.give_up(key, why, for_good=for_good)
