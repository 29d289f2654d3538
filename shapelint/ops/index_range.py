"""What is known of the numbers in an index tensor: between which two they lie.

The bounds of a tensor follow from those of what it was made of (interval arithmetic), asked for where it is used as an
index and not before; where no size has a symbol, its numbers are computed. A tensor that anything was written into has
none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import torch

from shapelint.ops.bounds import Bounds, between, divided, extremes
from shapelint.ops.chains import is_long
from shapelint.ops.index_buckets import bucket_bounds
from shapelint.ops.index_drawn import DRAWN_OR_SOUGHT, Rule, place_of_one
from shapelint.ops.index_origin import PLACES, computed, node_of, places_below, written_everywhere, written_to
from shapelint.size.bound import never_negative
from shapelint.size.condition import all_of, at_least
from shapelint.size.function import constant
from shapelint.size.number import function_of, larger, smaller
from shapelint.size.ratio import as_integer
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record, elements
from shapelint.trace.recording.trees import flat_tensors

Tensor = torch.Tensor
_PRODUCTS = frozenset({"mul", "__mul__", "__rmul__", "multiply"})
_WIDE = frozenset({torch.int16, torch.int32, torch.int64})
_WHOLE_TOO = frozenset({torch.float32, torch.float64})
"""Floats that were computed from whole numbers by whole numbers are whole, as far as a matrix of places fits memory."""


def bounds_of(op: Operation, index: Tensor) -> Bounds | None:
    """The bounds of the numbers in an integer tensor that is not empty; None where they are not known."""
    known = op.recorder.known.get(id(index))
    if known is None or (known.node >= 0 and is_long(op.recorder, known.node, _FOLLOWED)):
        return None
    if known.node >= 0 and written_to(op.recorder, known.node):
        numbers = written_everywhere(op, index)
        found = None if numbers is None else _bounds(op, *numbers)
        return _of_buckets(op, index) if found is None else replace(found, attained=False)
    if any(symbolic(dim) for record in op.recorder.records if record.function is None for dim in record.outputs[0]):
        return _bounds(op, index) or _of_buckets(op, index)
    values = computed(op, index, known.node, {})
    return _bounds(op, index) if values is None else extremes(values)


def _of_buckets(op: Operation, index: Tensor) -> Bounds | None:
    """Where each number is a function of one integer, whatever that is."""

    def is_bounded(base: Tensor, node: int) -> bool:
        return not written_to(op.recorder, node) and _bounds(op, base, node) is not None

    found = bucket_bounds(op, index, is_bounded)
    return None if found is None else Bounds(*found, attained=False)


def _bounds(op: Operation, tensor: Any, node: int | None = None) -> Bounds | None:
    """Of a tensor, as made by the call `node` if not by the last one that gave it, or a plain number as an operand."""
    number = as_integer(tensor)
    if number is not None:
        return Bounds(number, number)
    known = op.recorder.known.get(id(tensor)) if isinstance(tensor, Tensor) else None
    if known is None or tensor.dtype not in _WIDE | _WHOLE_TOO:
        return Bounds(0, 1, attained=False) if known is not None and tensor.dtype is torch.bool else None
    if known.values is not None:
        return between(known.values)
    if known.constant and not known.stale and not tensor.is_meta:
        return extremes(tensor) if tensor.dtype in _WIDE else None
    node = known.node if node is None else node
    record = op.recorder.records[node] if node >= 0 else None
    rule = None if record is None else _RULES.get(record.name)
    found = None if rule is None or record is None else rule(op, record, tensor)
    return found if found is None or tensor.dtype is not torch.int16 or _fit_16_bits(op, found) else None


def _fit_16_bits(op: Operation, found: Bounds) -> bool:
    """Whether numbers do not wrap in 16 bits; those of 32 bits would need more memory than there is."""
    low, high = function_of(found.low), function_of(found.high)
    return op.decide(all_of([at_least(low, constant(-(2**15))), at_least(constant(2**15 - 1), high)]))


def _same(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """All numbers of the first argument, moved or repeated."""
    given = record.arguments[0] if record.arguments else None
    return _bounds(op, given, node_of(op, record, given)) if isinstance(given, Tensor) else None


def _some(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Some numbers of the first argument."""
    found = _same(op, record, made)
    return None if found is None else replace(found, attained=False)


def _taken(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """`x[:, None]` has all numbers, another index takes some of them out."""
    parts = index if isinstance(index := record.arguments[1], tuple) else (index,)
    whole = all(part is None or part is Ellipsis or _is_all(part) for part in parts)
    return (_same if whole else _some)(op, record, made)


def _windows(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Windows that move by one hold every number, others some."""
    return (_same if record.arguments[3:] == (1,) and not record.keywords else _some)(op, record, made)


def _is_all(part: Any) -> bool:
    whole = isinstance(part, slice) and part.stop is None and part.step in (None, 1)
    return whole and (part.start is None or (type(part.start) is int and part.start == 0))


def _filled(value: int) -> Rule:
    return lambda *call: Bounds(value, value)


def _full(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    value = record.keywords.get("fill_value", record.arguments[-1] if record.arguments else None)
    return Bounds(value, value) if isinstance(value, int) else None


def _arange(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """The first and the last number, of which the result has as many as the result's own size says."""
    given = dict(zip(("start", "end", "step"), record.arguments, strict=False)) | dict(record.keywords)
    start, step = given.get("start", 0) if given.get("end") is not None else 0, given.get("step", 1)
    if not isinstance(start, int) or not isinstance(step, int) or symbolic(step):
        return None
    last = start + (op.shape(made)[0] - 1) * step
    return Bounds(start, last) if step > 0 else Bounds(last, start)


def _grid(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Each result of `meshgrid` has the numbers of its own argument."""
    place = next((number for number, each in enumerate(record.result) if each is made), None)
    return None if place is None else _bounds(op, flat_tensors(record.arguments)[place])


def _joined(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """`cat`, `stack` and `where`: from the least of all to the greatest."""
    if record.name == "where" and (record.keywords or len(record.arguments) != 3):
        return place_of_one(op, record, made) if len(record.arguments) == 1 else None
    parts = record.arguments[1:] if record.name == "where" else flat_tensors(record.arguments[:1])
    found = [each for part in parts if (each := _bounds(op, part)) is not None]
    if not found or len(found) < len(parts):
        return None
    low, high = reduce(smaller, [each.low for each in found]), reduce(larger, [each.high for each in found])
    filled = all_of(at_least(function_of(dim), constant(1)) for part in parts for dim in op.shape(part))
    every = record.name != "where" and all(each.attained for each in found) and op.decide(filled)
    return Bounds(low, high, every)


def _added(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    return _combined(op, record, lambda one, two: Bounds(one.low + two.low, one.high + two.high))


def _subtracted(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    swapped = record.name in ("__rsub__", "rsub")
    return _combined(op, record, lambda one, two: Bounds(one.low - two.high, one.high - two.low), swapped=swapped)


def _combined(
    op: Operation, record: Record, combine: Callable[[Bounds, Bounds], Bounds], *, swapped: bool = False
) -> Bounds | None:
    """A sum or difference, in which both ends occur where each pair of numbers meets."""
    if len(record.arguments) != 2 or record.keywords:
        return None
    given = record.arguments[::-1] if swapped else record.arguments
    one, two = _bounds(op, given[0]), _bounds(op, given[1])
    if one is None or two is None:
        return None
    every = one.is_one_number or two.is_one_number or _each_meets_each(op, *given)
    return replace(combine(one, two), attained=one.attained and two.attained and every)


def _each_meets_each(op: Operation, one: Any, two: Any) -> bool:
    """Whether on each axis one of the two is broadcast."""
    pairs = zip(op.shape(one)[::-1], op.shape(two)[::-1], strict=False)
    return all(any(not symbolic(dim) and dim == 1 for dim in pair) for pair in pairs)


def _scaled(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """A product with a number or a size, a quotient by a number, and of two tensors without negative numbers."""
    numbers = [number for each in record.arguments if (number := as_integer(each)) is not None]
    tensors = flat_tensors(record.arguments)
    if len(tensors) == 2 and record.name in _PRODUCTS:
        return _multiplied(op, record)
    found = _bounds(op, tensors[0]) if len(numbers) == len(tensors) == 1 and made.dtype in _WIDE | _WHOLE_TOO else None
    by = numbers[0] if numbers else 0
    found = Bounds(0, 0) if numbers and not (symbolic(by) or by) and made.dtype in _WIDE else found
    fine = not symbolic(by) or (made.dtype in _WIDE and never_negative(function_of(by)))
    if found is None or not fine or record.name.startswith("__rf"):
        return None
    if record.name in _PRODUCTS:
        ends = found.low * by, found.high * by
    elif not by or (record.name == "div" and record.keywords.get("rounding_mode") != "floor"):
        return None
    elif symbolic(by):
        return divided(found, by) if op.decide(at_least(function_of(by), constant(1))) else None
    else:
        ends = found.low // by, found.high // by
    return Bounds(*(ends if by >= 0 else ends[::-1]), found.attained)


def _multiplied(op: Operation, record: Record) -> Bounds | None:
    one, two = (_bounds(op, each) for each in record.arguments)
    plain_ends = [each for each in (one, two) if each and not (symbolic(each.low) or symbolic(each.high))]
    if one is None or two is None or not plain_ends:
        return None
    if not op.decide(all_of(at_least(function_of(each.low), constant(0)) for each in (one, two))):
        return None
    every = one.attained and two.attained and (one.is_one_number or two.is_one_number)
    return Bounds(one.low * two.low, one.high * two.high, every)


def _found(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """A place along an axis, or one of the numbers among which it was sought."""
    limit = places_below(op, record, made)
    if limit is not None:
        return Bounds(0, limit - 1, attained=False)
    is_number = isinstance(record.result, tuple) and record.result[0] is made
    spoilt = any(written_to(op.recorder, node) for node in record.inputs)
    return _some(op, record, made) if is_number and not spoilt else None


def _negated(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    found = _same(op, record, made)
    return None if found is None else Bounds(-found.high, -found.low, found.attained)


def _remainder(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Of a float that has a fraction, the remainder has it too, and may be rounded up to the divisor itself."""
    by = record.arguments[1] if len(record.arguments) == 2 else None
    if not isinstance(by, int) or (made.is_floating_point() and not _same(op, record, made)):
        return None
    return Bounds(0, by - 1, attained=False) if op.decide(at_least(function_of(by), constant(1))) else None


def _clamped(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Integers between two bounds lie there whatever they were; those of a floor above the ceiling are the ceiling."""
    given = dict(zip(("input", "min", "max"), record.arguments, strict=False)) | dict(record.keywords)
    found, least, most = _same(op, record, made), given.get("min"), given.get("max")
    if not all(each is None or isinstance(each, int) for each in (least, most)):
        return None
    if found is None:
        if least is None or most is None or made.dtype not in _WIDE:
            return None
        return Bounds(smaller(least, most), most, attained=False)
    low, high = (each if least is None else larger(each, least) for each in (found.low, found.high))
    low, high = (each if most is None else smaller(each, most) for each in (low, high))
    return Bounds(low, high, found.attained)


def _counted(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """A sum, or a running one, of numbers that are not negative, as of a mask; both ends occur where all are alike."""
    found, shape = _same(op, record, made), op.shape(record.arguments[0]) if record.arguments else ()
    axis = record.arguments[1] if len(record.arguments) > 1 else record.keywords.get("dim")
    one_axis = axis is None or (isinstance(axis, int) and shape)
    if not one_axis or "axis" in record.keywords or found is None or any(map(symbolic, (found.low, found.high))):
        return None
    count = elements(shape) if axis is None else shape[axis]
    low = found.low if record.name == "cumsum" else found.low * count
    return Bounds(low, found.high * count, found.attained and found.is_one_number) if found.low >= 0 else None


def _rules() -> dict[str, Rule]:
    rules: dict[Rule, tuple[str, ...]] = {
        _same: ("unsqueeze", "expand", "expand_as", "view", "reshape", "repeat", "flatten", "contiguous", "clone",
                "detach", "permute", "transpose", "t", "tile", "flip", "roll", "unflatten", "movedim", "swapaxes",
                "squeeze", "to", "long", "int", "type", "type_as", "broadcast_to", "view_as", "repeat_interleave",
                "ravel", "mT", "T", "cpu"),
        _some: ("narrow", "select", "index_select", "chunk", "split", "unbind", "gather"),
        _taken: ("__getitem__",),
        _windows: ("unfold",),
        _filled(0): ("zeros", "zeros_like", "new_zeros"),
        _filled(1): ("ones", "ones_like", "new_ones"),
        _full: ("full", "new_full", "full_like"),
        _arange: ("arange",),
        _grid: ("meshgrid",),
        _joined: ("cat", "concat", "stack", "where"),
        _added: ("add", "__add__", "__radd__"),
        _subtracted: ("sub", "__sub__", "__rsub__", "rsub", "subtract"),
        _scaled: ("mul", "__mul__", "__rmul__", "multiply", "floor_divide", "__floordiv__", "div"),
        _negated: ("neg", "__neg__", "negative"),
        _remainder: ("remainder", "__mod__"),
        _clamped: ("clamp", "clip"),
        _counted: ("cumsum", "sum"),
        _found: tuple(PLACES),
    }  # fmt: skip
    return {name: rule for rule, names in rules.items() for name in names} | DRAWN_OR_SOUGHT


_RULES = _rules()
_FOLLOWED = _RULES.keys() - PLACES
