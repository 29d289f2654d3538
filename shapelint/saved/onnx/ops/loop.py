"""Graphs inside of a graph: If, whose both ways are followed where the data decide, Loop and Scan.

A loop of few turns is run turn by turn. Of others one turn stands for all where it leaves every size as it was.
"""

from __future__ import annotations

from typing import Any, Final

import numpy
import torch

from shapelint.saved.declare import Declaration, answered, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, Sequence, Value, operator
from shapelint.saved.onnx.graph import Graph
from shapelint.saved.onnx.numbers import Numbers, numbers
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import Shape

_MOST: Final = 48


@operator("If")
def _if(call: OperatorCall) -> Any:
    value = call.value(0)
    chosen = value.items[0] if isinstance(value, Numbers) else answered(value)
    return call.host.run_inner(_body(call, "then_branch" if chosen else "else_branch"))


def _body(call: OperatorCall, name: str) -> Graph:
    body = call.step.attributes.get(name)
    if not isinstance(body, Graph):
        raise ValueError(f"`{call.step.operator}` without {name}")
    return body


@operator("Loop")
def _loop(call: OperatorCall) -> Any:
    body, carried = _body(call, "body"), tuple(call.values[2:])
    trips = _trips(call)
    if not _starts(call, trips):
        if len(call.step.outputs) > len(carried):
            raise call.unsupported("what a loop without a turn collects")
        return carried
    if not call.has(0) or (trips is not None and not symbolic(trips) and plain(trips) <= _MOST):
        found = _turn_by_turn(call, body, trips, carried)
        if found is not None:
            return found
    carried, collected, more = _one_for_all(call, body, trips, carried)
    if collected and (trips is None or not more):
        raise call.unsupported("how often it turns, which the data decide, and what it collects")
    if trips is None and more:
        raise call.unsupported("a loop without an end")
    return (*carried, *(_stacked(call, each, trips, 0) for each in collected))


def _trips(call: OperatorCall) -> Any:
    """How often a loop turns at most; None where nobody says so, or the data do."""
    value = call.value(0) if call.has(0) else None
    return value.items[0] if isinstance(value, Numbers) else None


def _starts(call: OperatorCall, trips: Any) -> bool:
    """Whether a loop makes a turn at all."""
    if trips is not None and trips <= 0:
        return False
    if call.has(1):
        value = call.value(1)
        if not (value.items[0] if isinstance(value, Numbers) else answered(value)):
            return False
    return not (trips is None and call.has(0)) or answered(call.tensor(0))


def _turn_by_turn(call: OperatorCall, body: Graph, trips: Any, carried: tuple[Value, ...]) -> Any:
    """What a loop of few turns gives; None where after the first turn the data decide whether it goes on."""
    collected: list[list[Value]] = []
    for turn in range(_MOST if trips is None else plain(trips)):
        handed = (numbers([turn], torch.int64, ()), numbers([True], torch.bool, ()), *carried)
        more, *found = call.host.run_inner(body, handed)
        if not isinstance(more, Numbers) and turn + 1 != trips:
            if turn:
                raise call.unsupported("how often it turns, which the data decide,")
            return None
        carried = tuple(found[: len(carried)])
        collected.append(found[len(carried) :])
        if isinstance(more, Numbers) and not more.items[0]:
            break
    else:
        if trips is None:
            raise call.unsupported(f"more than {_MOST} turns")
    return (*carried, *(_together(call, each) for each in zip(*collected, strict=True)))


def _together(call: OperatorCall, parts: tuple[Value, ...]) -> Value:
    """What the turns of a loop gave, along a new first axis."""
    if all(isinstance(each, Numbers) for each in parts):
        known = [each for each in parts if isinstance(each, Numbers)]
        if len({each.shape for each in known}) == 1:
            return Numbers(numpy.stack([each.array for each in known]), known[0].dtype)
    tensors = [_tensor(call, each) for each in parts]
    if not all(_alike(each, tensors[0]) for each in tensors):
        raise call.unsupported("turns that give different sizes")
    return _stacked(call, tensors[0], len(parts), 0)


def _tensor(call: OperatorCall, value: Value) -> torch.Tensor:
    if value is None or isinstance(value, Sequence):
        raise call.unsupported("a sequence that it hands on")
    return call.host.weight(value) if isinstance(value, Numbers) else value


def _alike(one: torch.Tensor, two: torch.Tensor) -> bool:
    """Whether two tensors have the same shape at the sizes of this run, as a part of its path."""
    return one.dim() == two.dim() and all(left == right for left, right in zip(one.shape, two.shape, strict=True))


def _stacked(call: OperatorCall, part: torch.Tensor, count: Any, axis: int) -> torch.Tensor:
    """A tensor of `count` such parts along a new axis."""
    shape: Shape = tuple(part.shape)
    place = call.axis(axis, len(shape) + 1)
    made = (*shape[:place], count, *shape[place:])
    result: torch.Tensor = declared(Declaration("stack", (made,), (part.dtype,)), part)
    return result


def _constant(shape: Shape, dtype: torch.dtype) -> torch.Tensor:
    result: torch.Tensor = declared(Declaration("constant", (shape,), (dtype,)))
    return result


def _one_for_all(
    call: OperatorCall, body: Graph, trips: Any, carried: tuple[Value, ...]
) -> tuple[tuple[torch.Tensor, ...], list[torch.Tensor], bool]:
    """What any turn gives: what is carried on, what is collected, and whether it always goes on.

    Raises Unanalysable where a turn changes a size.
    """
    tensors = tuple(_tensor(call, each) for each in carried)
    turn = _constant((), torch.int64)
    if trips is not None:
        call.count(turn, trips)
    handed: tuple[Value, ...] = (turn, numbers([True], torch.bool, ()), *tensors)
    more, *found = call.host.run_inner(body, handed)
    after = tuple(_tensor(call, each) for each in found)
    for one, two in zip(tensors, after, strict=False):
        if not _alike(one, two):
            raise Unanalysable(f"the loop `{call.step.operator}` of `{call.step.name}` changes a size with each turn")
    goes_on = isinstance(more, Numbers) and bool(more.items[0])
    return after[: len(tensors)], list(after[len(tensors) :]), goes_on


@operator("Scan")
def _scan(call: OperatorCall) -> Any:
    body, count = _body(call, "body"), call.integer("num_scan_inputs")
    states = len(call.values) - count
    if call.opset < 9 or count < 1 or states < 0:
        raise call.unsupported("a Scan of an old version, or of nothing,")
    axes = call.integers("scan_input_axes") or (0,) * count
    scanned = [call.tensor(states + index) for index in range(count)]
    places = [call.axis(axis, each.dim()) for axis, each in zip(axes, scanned, strict=True)]
    turns = [each.shape[place] for each, place in zip(scanned, places, strict=True)]
    text = "a sequence of {left} where another has {right}"
    needs = tuple(Need(turn, turns[0], Kind.JOIN, text, True) for turn in turns[1:])
    parts = tuple(
        declared(Declaration("select", ((*each.shape[:place], *each.shape[place + 1 :]),), (each.dtype,), needs), each)
        for each, place in zip(scanned, places, strict=True)
    )
    tensors = tuple(call.tensor(index) for index in range(states))
    found = [_tensor(call, each) for each in call.host.run_inner(body, (*tensors, *parts))]
    for one, two in zip(tensors, found, strict=False):
        if not _alike(one, two):
            raise Unanalysable(f"the loop `Scan` of `{call.step.name}` changes a size with each turn")
    found = [_as_told(each, dims) for each, dims in zip(found, body.told, strict=True)]
    given = call.integers("scan_output_axes") or (0,) * (len(found) - states)
    rest = zip(found[states:], given, strict=True)
    return (*found[:states], *(_stacked(call, each, turns[0], axis) for each, axis in rest))


def _as_told(tensor: torch.Tensor, dims: tuple[Any, ...] | None) -> torch.Tensor:
    """An output of a Scan's body, whose sizes the runtime takes from what the body tells.

    Raises ValueError where it tells another number of axes.
    """
    if dims is None:
        return tensor
    if len(dims) != tensor.dim():
        raise ValueError(f"the body tells {len(dims)} axes of what has {tensor.dim()}")
    text = "the body tells {right} elements of what has {left}"
    pairs = zip(tensor.shape, dims, strict=True)
    needs = tuple(Need(size, dim, Kind.ARGUMENT, text, True) for size, dim in pairs if dim is not None)
    result: torch.Tensor = declared(Declaration("given", (tuple(tensor.shape),), (tensor.dtype,), needs), tensor)
    return result


@operator("SequenceMap")
def _sequence_map(call: OperatorCall) -> Any:
    body, first = _body(call, "body"), call.sequence(0)
    others = call.values[1:]
    rows = []
    for index, item in enumerate(first.items):
        handed: list[Value] = [item]
        handed += [each.items[index] if isinstance(each, Sequence) else each for each in others]
        rows.append([_tensor(call, each) for each in call.host.run_inner(body, tuple(handed))])
    return tuple(Sequence(tuple(each)) for each in zip(*rows, strict=True))
