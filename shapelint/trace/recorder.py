"""Records one run of a model: every torch call with symbolic shapes, and the conditions on the path it took.

A `Recorder` is a mode of `torch.overrides`: torch hands it each call of its functions, from wherever the model's
own code makes them. Operations with a size rule need no kernel; the others run on meta tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import CodeType
from typing import Any, Final, NoReturn

import torch
from torch.overrides import TorchFunctionMode

from shapelint.errors import InternalError
from shapelint.instrument.frames import calling_place, may_catch
from shapelint.instrument.only_shown import is_only_shown
from shapelint.size.condition import TRUE, Condition, negate, symbols_of
from shapelint.size.number import tracked_size
from shapelint.size.tracking import settle, settled, tracker
from shapelint.source.fault import call_foreign
from shapelint.source.span import CallSite
from shapelint.trace.budget import Budget
from shapelint.trace.fitting.fallback import Ready, declared, needs_data
from shapelint.trace.fitting.real import kernel_result
from shapelint.trace.memory.layout import layout_conditions
from shapelint.trace.recording.answers import Answers
from shapelint.trace.recording.arguments import built_for_what_arrives
from shapelint.trace.recording.autocast import called_as_cast, casts
from shapelint.trace.recording.constants import constancy_of, mark_constants
from shapelint.trace.recording.errors import Failure, Kind, OutOfTime, SizeError, Unanalysable, refuse_nested
from shapelint.trace.recording.operation import (
    Fresh,
    Kernel,
    Operation,
    Plain,
    Result,
    Same,
    created,
    fresh_parts,
    is_fresh_contiguous,
    is_on_meta,
    refuse_other_shapes,
    without_numbers,
)  # fmt: skip
from shapelint.trace.recording.overrides import given_to
from shapelint.trace.recording.record import Event, KnownTensor, Leak, Overrides, Record, Shape
from shapelint.trace.recording.size_floats import plain_arguments
from shapelint.trace.recording.trees import flat_tensors, is_all_on_meta, on_meta, plain_tree, tensors_in
from shapelint.trace.recording.unforeseen import bug_in
from shapelint.trace.turns.loops import Loops
from shapelint.trace.turns.plans import Plans

_NO_CALL: Final[tuple[Any, Any]] = ((), {})


class Recorder(TorchFunctionMode):
    """The mode under which a model runs once; `overrides` gives layers other arguments (module, argument, value)."""

    def __init__(
        self, names: Mapping[int, str], sizes: Mapping[str, int], *, overrides: Overrides, answers: Answers,
        stop: CodeType, budget: Budget, with_places: bool = True, plans: Plans | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.names, self.overrides, self.answers, self._stop, self._budget = names, overrides, answers, stop, budget
        self.known: dict[int, KnownTensor] = {}
        self.records: list[Record] = []
        self.events: list[Event] = []
        self.leaks: list[Leak] = []
        self.layers: list[tuple[str, int]] = [("", 1)]
        self._calls: dict[str, int] = {}
        self._seen: dict[Condition, bool] = {}  # whether only the model's own code asked for it
        self._inside = self.valued = self.thrown = self.closed = False
        self._current: tuple[Any, Any] = _NO_CALL
        self.kernel_error: BaseException | None = None
        self.observed: BaseException | None = None
        self.internal_error: InternalError | None = None  # the first one, whatever the model's code did with it
        self.sizes, self.with_places, self.loops = sizes, with_places, Loops(self, plans)
        self.calls, self.sure = 0, sys.maxsize  # all calls; those recorded before the first size was lost

    # -- what size rules ask ------------------------------------------------------------------------------------

    def shape(self, tensor: torch.Tensor) -> Shape:
        """See Recording."""
        return (self.known.get(id(tensor)) or self.adopt(tensor)).dims

    def adopt(self, tensor: torch.Tensor) -> KnownTensor:
        """Takes in a tensor that no seen function made: its size may depend on anything, so nothing is proved."""
        self.leak(f"a tensor of shape {tuple(tensor.shape)} of unknown origin")
        return self.learn(tensor, tuple(tensor.shape), -1)

    def learn(
        self, tensor: torch.Tensor, dims: Shape, node: int, values: Any = None, layout: tuple[Condition, ...] = ()
    ) -> KnownTensor:
        """See Recording."""
        self.valued = self.valued or values is not None
        known = self.known[id(tensor)] = KnownTensor(tensor, dims, node, "", values, layout)
        return known

    def has_met(self, condition: Condition) -> bool:
        """See Recording."""
        return condition == TRUE or self._seen.get(condition) is False

    def require(self, condition: Condition, failure: Failure, operation: Operation) -> None:
        """See Recording; raises SizeError."""
        if failure.kind is Kind.CHANNELS:
            condition = built_for_what_arrives(self.overrides.get(self.layers[-1][0], {}), condition, failure)
        if self.has_met(condition):
            return
        if not condition.holds(self.sizes):
            self._take(negate(condition), None)
            self._end(operation)
            raise SizeError(failure, failure.at(self.sizes))
        self._take(condition, None if may_catch(sys._getframe(1), self._stop) else failure)

    def _end(self, operation: Operation) -> None:
        """Records the call with which the run ends."""
        operation.given = operation.given or flat_tensors(self._current)
        self._record(operation, *self._current, (), None)

    def give_up(self, failure: Failure, operation: Operation) -> NoReturn:
        """Ends the run at a call of which no size tells whether it raises. Raises Unanalysable."""
        self._end(operation)
        raise Unanalysable(failure.at(self.sizes), failure)

    def decide(self, condition: Condition) -> bool:
        """See Recording."""
        holds = condition.holds(self.sizes)
        self._take(condition if holds else negate(condition), None)
        return holds

    # -- the tracker of sizes (see size.number) -------------------------------------------------------------------

    def assume(self, condition: Condition) -> None:
        """Notes a condition that the model's own code found to hold."""
        if condition not in self._seen:
            self._take(condition, None, calling_place(sys._getframe(1)))

    def takes(self, condition: Condition, holds: bool) -> bool:
        """How the model's own code takes a comparison; one that is left open may come out either way."""
        of_data = self.loops.numbers.answer(condition, self.choose) if self._current is _NO_CALL else None
        if of_data is not None:
            return of_data
        met, place = condition if holds else negate(condition), None
        if self.answers.places and self._current is _NO_CALL and met not in self._seen:
            place = calling_place(sys._getframe(1))
        if not self.answers.leaves_open(condition, place):
            self.assume(met)
        elif self._current is not _NO_CALL:
            self._take(met, None)  # a size rule asks, which has no other way
        elif self.answers.of(condition, holds, len(self.events), calling_place(sys._getframe(1))) is holds:
            self.assume(met)
        else:
            return not holds
        return holds

    def leak(self, reason: str, *, unseen: bool = False, made_up: bool = False) -> None:
        """See Recording."""
        if not self._inside:
            self.loops.spoiled(reason)
            self.sure = min(self.sure, len(self.records))
            self.leaks.append(Leak(reason, calling_place(sys._getframe(1)), unseen, made_up))

    def text(self, chance: str = "") -> None:
        """Notes that a size, or what `chance` decides, was made a text: a leak, unless the text is only shown."""
        if not self._inside and not is_only_shown(sys._getframe(1)):
            self.leak(chance or "the text of a size")

    def choose(self, chance: str = "") -> bool:
        """The answer to a question that the data or `chance` decide: as prescribed, else no."""
        self.loops.spoiled("the data decide in it")
        if chance and self.answers.are_many:
            self.leak(chance)
            return self.answers.drawn()
        self.sure = min(self.sure, len(self.records))
        return self.answers.next(False, len(self.events), calling_place(sys._getframe(1)), chance)

    def of_data(self, value: int, why: str, *, least: int = 0, most: int | None = None) -> int:
        """See Recording."""
        if tracker() is self:
            return self.loops.numbers.of_data(value, why, least=least, most=most)
        self.leak(why, unseen=True, made_up=True)
        return value

    def unknown(self, reason: str) -> NoReturn:
        """Ends the run; raises Unanalysable."""
        raise Unanalysable(reason)

    def _take(self, condition: Condition, failure: Failure | None, place: CallSite | None = None) -> None:
        met = self._seen.get(condition) is False or settled(symbols_of(condition))
        if met or self.loops.numbers.settles(condition):
            return
        self._seen[condition] = place is not None
        settle(condition)
        self.events.append(Event(condition, failure, len(self.records), place))

    def enter(self, module: torch.nn.Module, _: Any) -> None:
        """A forward pre-hook: the calls that follow belong to this module."""
        name = self.names.get(id(module), self.layers[-1][0])
        self._calls[name] = self._calls.get(name, 0) + 1
        self.layers.append((name, self._calls[name]))

    def leave(self, module: torch.nn.Module, _: Any, output: Any) -> None:
        """A forward hook, called also where the forward raised."""
        self.layers.pop()

    # -- calls ----------------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._inside:
            return call_foreign(func, *args, **kwargs)
        if casts(func):
            return called_as_cast(self, func, args, kwargs)
        self.calls += 1
        if not self.calls % 16 and (spent := self._budget.spent(calls=self.calls)):
            raise OutOfTime(spent)
        refuse_nested(types)
        operation, before = Operation(self, func), self._current
        try:
            args, kwargs = plain_arguments(operation, *self.loops.joined(operation, args, kwargs))
            self._current, operation.given = (args, kwargs), tensors_in(args, kwargs)
            self.calls += len(operation.given) // 128 * 16  # of a list of thousands each takes a part of a call's time
            result = declared(operation, args, kwargs)
            if isinstance(result, Plain):
                if any(event.failure and event.node == len(self.records) for event in self.events[-1:]):
                    self._end(operation)  # a region ends at it
                return result.value
            return self.perform(operation, result, args, kwargs)
        except Exception as error:  # any class: whether torch raises too tells whose it is
            bug = bug_in(self, operation, args, kwargs, error)
            self.internal_error = self.internal_error or bug
            if bug is None:
                raise
            raise bug from error
        finally:
            self._current = before

    def perform(self, operation: Operation, result: Result, args: Any, kwargs: Any) -> Any:
        """Makes the declared result and records the call."""
        given, number = operation.given, len(self.records)
        if isinstance(result, (Fresh, Same)) and not is_on_meta(result):
            result = without_numbers(result) or Kernel((result.shape,))
        if isinstance(result, Kernel):
            value = result.value if isinstance(result, Ready) else kernel_result(self, operation.function, args, kwargs)
            tensors = flat_tensors(value)
            shapes = result.shapes or (None,) * len(tensors)
            dims = tuple(tuple(made.shape) if dim is None else dim for made, dim in zip(tensors, shapes, strict=False))
            refuse_other_shapes(operation.name, tensors, dims)
        elif isinstance(result, Fresh):
            value = created(result)
            tensors, dims = [value], (result.shape,)
        else:
            value = created(result)
            tensors, dims = flat_tensors(value), tuple(each.shape for each in fresh_parts(result))
        origin = constancy_of(self.known, operation.name, (args, kwargs), given)
        layout = () if is_fresh_contiguous(result) else layout_conditions(operation, result)
        self._record(operation, args, kwargs, dims, value)
        for index, (tensor, shape) in enumerate(zip(tensors, dims, strict=False)):
            values = None if operation.values is None else operation.values[index]
            self.learn(tensor, shape, number, values, layout)
        if not (is_all_on_meta(given) and is_all_on_meta(tensors)):
            mark_constants(self.known, operation.name, (args, kwargs), tensors, origin)
        if operation.writes is not None:
            known = self.known[id(operation.writes)]
            self.learn(known.tensor, known.dims, number, layout=known.layout)
        return value

    def kernel(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Runs torch's own function on plain numbers, unseen; tensors of two devices meet on meta."""
        self._inside = True
        if len({tensor.is_meta for tensor in flat_tensors((args, kwargs))}) == 2:
            args, kwargs = on_meta(args), on_meta(kwargs)
        try:
            return call_foreign(func, *plain_tree(args), **plain_tree(kwargs))
        except Exception as error:  # torch's; it is raised again
            self.kernel_error = error
            unable = needs_data(func, error)
            if unable is not None:
                raise unable from error
            raise
        finally:
            self._inside = False

    def _record(self, operation: Operation, args: Any, kwargs: Any, dims: Any, value: Any) -> None:
        module, call = self.layers[-1]
        known = [self.known[id(each)] for each in operation.given if id(each) in self.known] if self.with_places else ()
        inputs, taken = tuple([k.node for k in known if k.node >= 0]), tuple([k.name for k in known if k.name])
        place = calling_place(sys._getframe(1)) if self.with_places else None
        called = operation.name, operation.function, args, kwargs
        made = Record(*called, module, call, inputs, taken, place, dims, value)
        made.spatial, made.factor, made.parameters = operation.spatial, operation.factor, operation.parameters
        self.records.append(made)

    def override(self, parameter: str, function: str = "") -> tuple[int, ...] | None:
        """The value, per axis, that a repair gives to an argument of the layer that is running; None for none."""
        found = given_to(self.overrides, self.layers[-1][0], function).get(parameter)
        return None if found is None else tuple(tracked_size(each.value(self.sizes), each) for each in found)
