"""The turns of one loop: some at both ends as they are, those between them as one turn in general position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from shapelint.instrument.filled_list import Middle
from shapelint.instrument.loops import About
from shapelint.instrument.pieces import Pieces
from shapelint.restore.process import shared_hooks
from shapelint.size.condition import Condition, equal
from shapelint.size.function import Function, constant, symbol
from shapelint.size.number import function_of, plain, tracked_size
from shapelint.trace.turns.handed_on import HandedOn, Unseen
from shapelint.trace.turns.numbers import TurnNumbers
from shapelint.trace.turns.plans import Key
from shapelint.trace.turns.state import state_of

_DEPENDS = "what it gives depends on the number of the turn"
_CHANGES = "its turns do not hand on to each other what they were given"


class Turns:
    """Goes through the numbers of a loop; `lists` are those that it filled, with what stands for many turns in each.

    `counted` are the variables to which each turn adds a number, as they are at the beginning of the turn that runs.

    At the beginning of each turn in the middle the state must be the same, but for the sizes that grow as planned.
    """

    def __init__(
        self, numbers: TurnNumbers, key: Key, spread: tuple[int, int, int], ends: tuple[int, int], frame: FrameType,
        about: About, items: list[Any] | None = None, through: Pieces | None = None,
    ) -> None:  # fmt: skip
        self.key, self.frame, self.about = key, frame, about
        self._numbers, (self._first, self._step, self._count), (self._head, self._tail) = numbers, spread, ends
        self._read, names, _, _, self._counts = about
        found = {name: frame.f_locals.get(name) for name in names}
        if any(type(each) is not list for each in found.values()) or set(names) & set(frame.f_code.co_cellvars):
            numbers.give_up(key, "it fills what is no list of its own", for_good=True)
        self._lists: dict[str, list[Any]] = found  # type: ignore[assignment]
        if items is not None:
            self._lists[""] = items
        # A turn gets at what is in the lists that the loop goes through, and at hooks, also where it names none.
        lists = [each for each in through.of if isinstance(each, list)] if through is not None else []
        self._unnamed = [*lists, *shared_hooks()]
        self._lengths: list[list[int]] = []
        self._given: HandedOn | None = None
        self._items: HandedOn | None = None
        self._name, self._done, self.ended = "", 0, False
        self.lists: list[tuple[list[Any], Middle]] = []
        self.counted: dict[str, int] = {}

    @property
    def in_middle(self) -> bool:
        """Whether the turn that runs stands for many."""
        return self._name in self._numbers.here

    @property
    def stands_for_many(self) -> bool:
        """Whether it has run turns that stand for many, and was not yet told to be at its end."""
        return bool(self._name) and not self.ended

    def bind(self) -> None:
        """The run is bound to the number of turns that it makes."""
        count = plain(self._count)
        self._numbers.recorder.decide(equal(function_of(self._count), constant(count)))

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        number, count = self._done, plain(self._count)
        self._lengths.append([len(each) for each in self._lists.values()])
        last = count - self._tail
        if number > self._head and number <= last:
            self._end_of_middle(number)
        if self._head <= number < last:
            if number == self._head:
                self._begin()
            self._numbers.set(self._name, number - self._head)
        if number == count:
            self._end()
            raise StopIteration
        self._done += 1
        return self._first + self._step * self._index(number, last)

    def _index(self, number: int, last: int) -> int:
        if self._head <= number < last:
            return tracked_size(number, symbol(self._name).plus(self._head))
        return number if number < self._head else self._count - (plain(self._count) - number)

    # -- the state between turns ----------------------------------------------------------------------------------

    def _state(self) -> HandedOn:
        variables = self.frame.f_locals
        named = {name: variables[name] for name in self._read if name in variables}
        return self._state_of(named | {"": self._unnamed}, self.frame)

    def _state_of(self, roots: Mapping[str, Any], frame: FrameType | None = None) -> HandedOn:
        try:
            return state_of(self._numbers.recorder.known, self._numbers.settled, roots, frame)
        except Unseen as error:
            self._numbers.give_up(self.key, f"what it changes cannot be followed: {error}", for_good=True)

    def _begin(self) -> None:
        most = function_of(self._count).plus(-1 - self._head - self._tail)
        self._given = self._state()
        self._name = self._numbers.new(self.key, most)
        self._numbers.set(self._name, 0)
        self._relabel(self._given, self._given, symbol(self._name))

    @property
    def _grows(self) -> Mapping[int, int]:
        return self._numbers.plans.grows.get(self.key, {})

    def _end_of_middle(self, number: int) -> None:
        """The state after a turn in the middle is the one before it."""
        assert self._given is not None
        now, turn = self._state(), symbol(self._name)
        expected = [self._open(mark) for mark in self._given.marks]
        for index, step in self._grows.items():
            if index < len(expected) and type(expected[index]) is Function:
                expected[index] = expected[index] + turn.plus(1).times(step)
        if now.marks != expected:
            self._learn(expected, now)
        self._look_at_items(number - 1)
        inside = number < plain(self._count) - self._tail
        beyond = function_of(self._count).plus(-self._head - self._tail)
        self._numbers.set(self._name, number - self._head if inside else None)
        self._relabel(self._given, now, turn if inside else beyond)

    def _open(self, mark: Any) -> Any:
        """A mark without the conditions on strides that were decided since it was made."""
        if type(mark) is not frozenset:
            return mark
        return frozenset(
            each for each in mark if not (isinstance(each, Condition) and self._numbers.settled(each))
        )

    def _relabel(self, given: HandedOn, now: HandedOn, turn: Function) -> None:
        """What grows has the size that it has after so many turns in the middle."""
        for index, step in self._grows.items():
            value = given.marks[index] + turn.times(step)
            if index in now.names:
                number = plain(self.frame.f_locals[now.names[index]])
                self.counted[now.names[index]] = tracked_size(number, value)
                continue
            tensor, axis = now.axes[index]
            known = self._numbers.recorder.known[id(tensor)]
            size = tracked_size(plain(known.dims[axis]), value)
            known.dims = (*known.dims[:axis], size, *known.dims[axis + 1 :])

    def _learn(self, expected: list[Any], now: HandedOn) -> None:
        """What else grows by the same number in each turn is known from now on. Raises Again."""
        if self.key not in self._numbers.plans.grows and len(expected) == len(now.marks):
            unlike = [index for index, pair in enumerate(zip(expected, now.marks, strict=True)) if pair[0] != pair[1]]
            if all(self._may_grow(index, now) and self._may_grow(index, self._given) for index in unlike):
                steps = {index: (now.marks[index] - expected[index]).constant for index in unlike}
                if None not in steps.values():
                    self._numbers.again_with(self.key, steps)
        self._numbers.give_up(self.key, _CHANGES)

    def _may_grow(self, index: int, state: HandedOn | None) -> bool:
        """Whether a mark is the size of a tensor, or a variable that the loop adds to."""
        if state is None or index >= len(state.marks) or type(state.marks[index]) is not Function:
            return False
        return index in state.axes or state.names.get(index) in self._counts

    # -- after the last turn --------------------------------------------------------------------------------------

    def _per_turn(self, number: int) -> list[int]:
        """How many items each list got in one turn."""
        return [after - before for before, after in zip(*self._lengths[number : number + 2], strict=True)]

    def _end(self) -> None:
        variables = self.frame.f_locals
        left = self._state_of({name: value for name, value in variables.items() if name not in self._lists})
        if self._name in left.symbols:
            self._numbers.give_up(self.key, _DEPENDS)
        self.look_again()
        first, last = self._lengths[self._head], self._lengths[plain(self._count) - self._tail]
        for items, start, stop, each in zip(self._lists.values(), first, last, self._per_turn(self._head), strict=True):
            self.lists.append((items, Middle(start, stop, each, self._count - self._head - self._tail)))
        self.ended = True

    def _look_at_items(self, number: int) -> None:
        """What a turn in the middle put into the lists is what the others put there."""
        before, after = self._lengths[number : number + 2]
        new = [items[one:two] for items, one, two in zip(self._lists.values(), before, after, strict=True)]
        found = self._state_of({"": new})
        self._items = self._items or found
        if found.marks != self._items.marks:
            self._numbers.give_up(self.key, _CHANGES)
        if self._name in found.symbols:
            self._numbers.give_up(self.key, _DEPENDS)

    def look_again(self) -> None:
        """What they put there is what it was: a tensor may get another shape in place."""
        for number in range(self._head, plain(self._count) - self._tail) if self._lists else ():
            self._look_at_items(number)
