"""Indices and slices of one axis, as Python has them: what others build on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapelint.ops.view import cut_layout, ones
from shapelint.size.bound import never_negative
from shapelint.size.condition import Condition, any_of, at_least
from shapelint.size.function import constant
from shapelint.size.number import function_of, larger, smaller
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result
from shapelint.trace.recording.record import Shape


def sliced(op: Operation, size: int, part: slice) -> tuple[int, int]:
    """The length of a slice of an axis, and its step; Python's clamping as one formula where it can be.

    Raises NoRule for bounds that are no integers.
    """
    step = 1 if part.step is None else part.step
    if not all(each is None or isinstance(each, int) for each in (part.start, part.stop)) or not isinstance(step, int):
        raise NoRule
    if symbolic(step):
        raise NoRule
    if step < 1:
        op.refuse(Kind.ARGUMENT, "slice step must be positive")
    start = 0 if part.start is None else _clamped(op, part.start, size)
    stop = size if part.stop is None else _clamped(op, part.stop, size)
    span = stop - start
    if not never_negative(function_of(span)):
        span = larger(span, 0)
    return (span + step - 1) // step, step


def _clamped(op: Operation, bound: int, size: int) -> int:
    """A bound of a slice, from 0 to the size."""
    function, whole = function_of(bound), function_of(size)
    if never_negative(function) or (not never_negative(function.times(-1).plus(-1)) and _not_negative(op, bound)):
        if never_negative(whole - function):
            return bound
        if not function.affine:  # of a product a minimum could be compared with nothing
            return bound if op.decide(at_least(whole, function)) else size
        return smaller(bound, size)
    moved = bound + size
    return moved if never_negative(function_of(moved)) else larger(moved, 0)


def _not_negative(op: Operation, bound: int) -> bool:
    return op.decide(at_least(function_of(bound), constant(0)))


def split_before(op: Operation, shape: Shape, indices: Any, axis: int) -> Result:
    """The parts between the indices, each clamped as a slice is."""
    bounds = [None, *indices, None]
    lengths = [sliced(op, shape[axis], slice(*bounds[place : place + 2]))[0] for place in range(len(bounds) - 1)]
    op.layout = (*ones(shape), *cut_layout(shape[axis], lengths))
    return Kernel(tuple((*shape[:axis], length, *shape[axis + 1 :]) for length in lengths))


def check_index(
    op: Operation, size: int, index: int, axis: int, unless: Sequence[Condition] = (), *, negative: bool = True
) -> None:
    """The index must lie within the size, counted from either end if `negative`, or one of the conditions hold."""
    text = f"index {{right}} is out of bounds for dimension {axis} with size {{left}}"
    n, at = function_of(size), function_of(index)
    for condition in (at_least(n, at.plus(1)), at_least(at, n.times(-1) if negative else constant(0))):
        op.require(any_of([condition, *unless]), Kind.INDEX, text, between=(size, index))
