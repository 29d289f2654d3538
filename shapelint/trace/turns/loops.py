"""Loops whose number of turns is a size: the turns in the middle run as one turn in general position.

A loop of n turns runs its first and last turns as they are. Each turn between them runs with a number that stands for
any of them, first + step * (head + t), where t is a symbol of its own with 0 <= t < n - head - tail. If a turn hands on
the very state that it was given, and every comparison in it comes out alike for each t, then all of them are such
turns: by induction, for every n. What does not fit is tried with more turns at both ends, then run turn by turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any, Final

import torch

from shapelint.instrument.filled_list import FilledList, Middle
from shapelint.instrument.frames import calling_place
from shapelint.instrument.loops import About
from shapelint.instrument.pieces import Pieces
from shapelint.size.condition import at_least, equal
from shapelint.size.function import Function, constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import SizeError, Unanalysable
from shapelint.trace.recording.module_calls import ModuleCall
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Recording
from shapelint.trace.turns.numbers import TurnNumbers
from shapelint.trace.turns.plans import Plans
from shapelint.trace.turns.turns import Turns

_MOST: Final = 256
_JOINS: Final = (torch.cat, torch.concat, torch.concatenate, torch.stack)


class Loops:
    """The loops of one run; without plans none is followed."""

    def __init__(self, recorder: Recording, plans: Plans | None) -> None:
        self.numbers = TurnNumbers(recorder, plans or Plans())
        self._recorder, self._plans, self._follows = recorder, self.numbers.plans, plans is not None
        self._running: list[Turns] = []
        self._made: list[tuple[FilledList, dict[int, Any]]] = []

    def turns(
        self, spread: tuple[int, int, int], frame: FrameType, about: About, items: list[Any] | None = None,
        through: Pieces | None = None,
    ) -> Iterable[int] | None:  # fmt: skip
        """See Follower."""
        if not self._follows:
            return None
        first, step, count = spread
        key = frame.f_code, frame.f_code.co_filename, about[2]
        here, n = plain(count), function_of(count)
        if here <= 0 and n.affine:
            self._recorder.decide(at_least(constant(0), n))
            return []
        if n.constant is not None:
            return [first + step * number for number in range(here)]
        if not n.affine:
            return None
        self.numbers.asked, ends = True, self._plans.ends(key)
        if ends is None:
            if here > _MOST:
                return None
            self._recorder.decide(equal(n, constant(here)))
            return [first + step * number for number in range(here)]
        least = (0, 0) if through is None else through.ends
        ends = max(ends[0], least[0]), max(ends[1], least[1])
        self._plans.places[key] = calling_place(frame)
        self._fewer(n, here, sum(ends) + 1)
        if not self._recorder.decide(at_least(n, constant(sum(ends) + 1))):
            self._recorder.decide(equal(n, constant(here)))
            return [first + step * number for number in range(here)]
        self._running = [each for each in self._running if not each.ended]
        self._running.append(Turns(self.numbers, key, spread, ends, frame, about, items, through))
        return self._running[-1]

    def _fewer(self, count: Function, here: int, enough: int) -> None:
        """Where a loop has more turns than need be, the run is made at sizes at which it has just enough."""
        if here > enough and not self.numbers.among(count.symbols()):
            self.numbers.move(self._plans.elsewhere(equal(count, constant(enough))))

    def counted(self, frame: FrameType, name: str, value: int) -> int:
        """See Follower."""
        running = [loop for loop in self._running if loop.frame is frame and not loop.ended]
        return running[-1].counted.pop(name, value) if running else value

    def filled(self, items: list[Any]) -> list[Any]:
        """See Follower."""
        for loop in self._running:
            for filled, middle in loop.lists if loop.ended else ():
                if filled is items:
                    return self._kept(FilledList.of(items, middle, loop.bind))
        return items

    def cut(self, pieces: Pieces) -> Any:
        """See Follower."""
        count, here = function_of(pieces.count), plain(pieces.count)
        if not self._follows or not count.affine or not 2 < here <= _MOST or count.constant is not None:
            return None
        self.numbers.asked = True
        self._fewer(count, here, 3)
        if not self._recorder.decide(at_least(count, constant(here))):
            return None
        items = [pieces.piece(number, False) for number in range(here - 1)]
        items.append(pieces.piece(pieces.count - 1, True))
        middle = Middle(1, here - 1, 1, pieces.count - 2)
        return self._kept(FilledList.of(items, middle, lambda: self._bind(count, here), tuple))

    def _kept(self, made: FilledList) -> FilledList:
        self._made.append((made, {id(item): self._form(item) for item in made.items()}))
        return made

    def _form(self, item: Any) -> Any:
        """The sizes and strides of a tensor."""
        known = self._recorder.known.get(id(item)) if isinstance(item, torch.Tensor) else None
        if known is None:
            return None
        with torch._C.DisableTorchFunction():
            return [*map(function_of, known.dims)], item.stride()

    def _bind(self, count: Function, here: int) -> None:
        self._recorder.decide(equal(count, constant(here)))

    def joined(self, operation: Operation, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments of a join, whose operation is told how many tensors each tensor stands for."""
        given = args[0] if args else kwargs.get("tensors")
        if type(given) is not FilledList or operation.function not in _JOINS:
            return args, kwargs
        for loop in self._running:
            if any(middle is given.origin for _, middle in loop.lists):
                loop.look_again()
        operation.times = given.times()
        return ((given.items(), *args[1:]), kwargs) if args else (args, {**kwargs, "tensors": given.items()})

    def proves(self, function: Function) -> bool:
        """See Follower."""
        return self.numbers.proves(function)

    def spoiled(self, why: str) -> None:
        """A turn in general position tells nothing of the others any more."""
        running = [loop for loop in self._running if loop.in_middle]
        if running:
            self.numbers.doubt(running[-1].key, why, for_good=True)

    # -- the end of a run -----------------------------------------------------------------------------------------

    def ended(
        self, error: BaseException | None, outputs: Sequence[torch.Tensor], calls: list[ModuleCall]
    ) -> tuple[BaseException | None, list[torch.Tensor]]:
        """How the run ended, and its outputs: an error where it did not go through its loops as it began them; else its
        calls tell of turns that are.

        A failure in a turn in general position is one of the first of these.
        """
        numbers, recorder, ended = self.numbers, self._recorder, None
        if any(forms.get(id(item)) != self._form(item) for made, forms in self._made for item in made.asked):
            recorder.leak("an item of a list whose shape is changed")
        for loop in self._running:
            if loop.stands_for_many and not (error is not None and _passes(error.__traceback__, loop)):
                numbers.doubt(loop.key, "it is left in the middle", for_good=True)
        known = [recorder.known[id(tensor)] for tensor in outputs if id(tensor) in recorder.known]
        try:
            for each in known:
                each.dims = tuple(numbers.told(size) if symbolic(size) else size for size in each.dims)
        except Unanalysable as unknown:
            error = ended = unknown
        if numbers.again is None and numbers.any_met:
            for index, record in enumerate(recorder.records):
                record.made_up = numbers.is_of_data(record.outputs)
                record.outputs = tuple(numbers.as_at(index, shape) for shape in record.outputs)
            for place, call in enumerate(calls):
                shapes = tuple(numbers.as_at(call.node - 1, shape) for shape in call.outputs)
                calls[place] = replace(call, outputs=shapes, made_up=numbers.is_of_data(call.outputs))
            recorder.events[:] = [replace(each, failure=numbers.first(each.failure)) for each in recorder.events]
            if isinstance(error, SizeError):
                error.failure = numbers.first(error.failure) or error.failure
        ended = numbers.again or ended
        return (error, list(outputs)) if ended is None else (ended, [])


def _passes(traceback: TracebackType | None, loop: Turns) -> bool:
    """Whether an error came out of the body of a loop."""
    while traceback is not None:
        if traceback.tb_frame is loop.frame and loop.about[2] <= traceback.tb_lineno <= loop.about[3]:
            return True
        traceback = traceback.tb_next
    return False
