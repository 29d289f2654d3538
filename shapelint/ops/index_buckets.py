"""The bounds of an index tensor that is a function of one integer, element by element: T5's relative buckets.

`where(n < 8, n, 8 + log(n / 8).long())` is within bounds only since each element's `n` is one and the same number. So
the function is computed for each small integer by itself, and for all that are larger or smaller at once, with
intervals. What holds then holds for any integer, whatever the sizes are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from shapelint.ops.same_memory import by_memory, writes_into
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record
from shapelint.trace.recording.trees import flat_tensors

Tensor = torch.Tensor
_SINGLE: Final = 1024  # integers that are looked at one by one, on both sides of 0
_ROUNDING: Final = 1e-5  # more than single precision loses in one operation
_MOST_CALLS: Final = 100
_UNDERSTOOD: Final = frozenset({"min", "max", "dtype", "device"})


@dataclass(frozen=True, slots=True)
class _Interval:
    """Between which numbers an element lies, for each piece of the integers; `nan` where it may be none."""

    low: Any
    high: Any
    nan: Any


class _Unfollowed(Exception):
    """A call whose elements are not followed."""


def bucket_bounds(op: Operation, index: Tensor, is_bounded: IsBounded) -> tuple[int, int] | None:
    """The least and the greatest number that an index tensor may hold, as plain integers; None where not known.

    `is_bounded` tells of a tensor and the call that made it whether sizes bound its numbers, which then never wrap.
    """
    walk = _Calls(op, is_bounded)
    try:
        with np.errstate(all="ignore"):
            found = walk.outer(index, op.recorder.known[id(index)].node)
    except _Unfollowed:
        return None
    low, high = float(found.low.min()), float(found.high.max())
    fine = walk.base is not None and walk.is_unspoilt() and abs(low) < 2**31 and abs(high) < 2**31
    return (int(low), int(high)) if fine else None


IsBounded = Callable[[Tensor, int], bool]


class _Calls:
    """Follows the calls from the index tensor back to the one tensor of integers that it is a function of."""

    def __init__(self, op: Operation, is_bounded: IsBounded) -> None:
        self.op, self._is_bounded = op, is_bounded
        self.base: int | None = None
        self._calls = 0
        self._results: dict[int, _Interval] = {}
        self._objects: dict[int, Tensor] = {}

    def outer(self, tensor: Tensor, node: int) -> _Interval:
        """Through what moves the elements after all is computed."""
        record = self._record(node)
        while record.name in _MOVES and len(record.inputs) == 1 and isinstance(record.arguments[0], Tensor):
            self._objects[id(tensor)] = tensor
            tensor, node = record.arguments[0], record.inputs[0]
            record = self._record(node)
        return self._of(tensor, node)

    def is_unspoilt(self) -> bool:
        """Whether nothing but the calls that were followed writes into what they made, and no other name shows it."""
        written = writes_into(self.op.recorder, self._objects.values())
        return all(
            written[memory] <= self._results.keys() and len(objects) == 1
            for memory, objects in by_memory(self._objects.values()).items() if memory in written
        )  # fmt: skip

    def _record(self, node: int) -> Record:
        if node < 0:
            raise _Unfollowed
        return self.op.recorder.records[node]

    def _of(self, tensor: Tensor, node: int) -> _Interval:
        """The elements of a tensor as one call left them; what is no function of one integer is that integer itself."""
        if node not in self._results:
            before = dict(self._results), dict(self._objects), self.base
            try:
                found = self._computed(tensor, node)
            except _Unfollowed:
                self._results, self._objects, self.base = before
                found = self._of_base(tensor, node)
            self._results[node], self._objects[id(tensor)] = found, tensor
        return self._results[node]

    def _computed(self, tensor: Tensor, node: int) -> _Interval:
        record = self._record(node)
        rule = _RULES.get(record.name)
        self._calls += 1
        if rule is None or self._calls > _MOST_CALLS or record.keywords.keys() - _UNDERSTOOD:
            raise _Unfollowed
        return _within(rule(self, record, tensor), tensor.dtype)

    def _of_base(self, tensor: Tensor, node: int) -> _Interval:
        if self.base not in (None, node) or tensor.dtype not in _LIMITS:
            raise _Unfollowed
        self.base = node
        least, most = _LIMITS[tensor.dtype]
        if self._is_bounded(tensor, node):
            least, most = max(-_FAR, -most), min(_FAR, most)
        single = np.arange(-_SINGLE, _SINGLE + 1, dtype=np.float64)
        low = np.concatenate([[least], single, [_SINGLE + 1]])
        return _Interval(low, np.concatenate([[-_SINGLE - 1], single, [most]]), np.zeros(len(low), bool))

    def operands(self, record: Record, count: int) -> list[_Interval]:
        """The first arguments of a call, tensors of the one shape or plain numbers."""
        if len(record.arguments) != count:
            raise _Unfollowed
        return [self.operand(record, each) for each in record.arguments]

    def operand(self, record: Record, given: Any) -> _Interval:
        if isinstance(given, Tensor):
            tensors = flat_tensors((record.arguments, dict(record.keywords)))
            if len(tensors) != len(record.inputs):
                raise _Unfollowed
            return self._of(given, record.inputs[next(at for at, each in enumerate(tensors) if each is given)])
        if type(given) in (int, float, bool) and not abs(given) > _EXACT:
            return _number(given)
        raise _Unfollowed


def _number(value: float) -> _Interval:
    return _Interval(np.float64(value), np.float64(value), np.bool_(False))


def _within(found: _Interval, dtype: torch.dtype) -> _Interval:
    """A float is rounded, an integer wraps; a number that is none is no integer that is known."""
    if dtype is torch.bool:  # the sum of two is one of them
        return _Interval(np.minimum(found.low, 1), np.minimum(found.high, 1), found.nan)
    if dtype in (torch.float32, torch.float64):
        slack = [_ROUNDING * (1 + np.abs(each)) for each in (found.low, found.high)]
        return _Interval(found.low - slack[0], found.high + slack[1], found.nan | np.isnan(found.low + found.high))
    if dtype not in _LIMITS:
        raise _Unfollowed
    least, most = _LIMITS[dtype]
    fits = (found.low >= least) & (found.high <= most) & ~found.nan
    return _Interval(np.where(fits, found.low, least), np.where(fits, found.high, most), np.zeros_like(fits))


_Rule = Callable[[_Calls, Record, Tensor], _Interval]


def _monotone(compute: Callable[[Any], Any], *, least: float = -np.inf) -> _Rule:
    """A function that grows with its argument, and has no value below `least`."""

    def rule(walk: _Calls, record: Record, made: Tensor) -> _Interval:
        (one,) = walk.operands(record, 1)
        low, high = compute(np.maximum(one.low, least)), compute(np.maximum(one.high, least))
        return _Interval(low, high, one.nan | (one.low < least))

    return rule


def _ends(compute: Callable[[Any, Any], Any], *, swapped: bool = False) -> _Rule:
    """Arithmetic whose least and greatest results are at the ends of both operands."""

    def rule(walk: _Calls, record: Record, made: Tensor) -> _Interval:
        one, two = walk.operands(record, 2)[:: -1 if swapped else 1]
        if record.keywords:
            raise _Unfollowed
        found = [compute(left, right) for left in (one.low, one.high) for right in (two.low, two.high)]
        nan = one.nan | two.nan | np.isnan(np.sum(np.broadcast_arrays(*found), axis=0))
        low, high = np.fmin.reduce(np.broadcast_arrays(*found)), np.fmax.reduce(np.broadcast_arrays(*found))
        return _Interval(np.where(nan, -np.inf, low), np.where(nan, np.inf, high), nan)

    return rule


def _of_tensors(rule: _Rule) -> _Rule:
    """`min(x, y)` and not `min(x, 1)`, whose number is an axis."""

    def checked(walk: _Calls, record: Record, made: Tensor) -> _Interval:
        if not all(isinstance(each, Tensor) for each in record.arguments):
            raise _Unfollowed
        return rule(walk, record, made)

    return checked


def _quotient(walk: _Calls, record: Record, made: Tensor) -> _Interval:
    """By a plain number; a truncated or floored one is not followed."""
    by = record.arguments[-1]
    if isinstance(by, Tensor) or not by or not made.dtype.is_floating_point:
        raise _Unfollowed
    return _ends(np.divide)(walk, record, made)


def _compared(surely: Callable[[_Interval, _Interval], Any], never: Callable[[_Interval, _Interval], Any]) -> _Rule:
    def rule(walk: _Calls, record: Record, made: Tensor) -> _Interval:
        one, two = walk.operands(record, 2)
        nan = one.nan | two.nan
        low, high = surely(one, two) & ~nan, ~never(one, two) | nan
        return _Interval(low.astype(np.float64), high.astype(np.float64), np.zeros_like(low))

    return rule


def _either(walk: _Calls, record: Record, made: Tensor) -> _Interval:
    """`where`: one of the two where the condition is certain, else both."""
    which, one, two = walk.operands(record, 3)
    takes, leaves = which.high > 0, which.low < 1
    low = np.minimum(np.where(takes, one.low, np.inf), np.where(leaves, two.low, np.inf))
    high = np.maximum(np.where(takes, one.high, -np.inf), np.where(leaves, two.high, -np.inf))
    return _Interval(low, high, (takes & one.nan) | (leaves & two.nan))


def _absolute(walk: _Calls, record: Record, made: Tensor) -> _Interval:
    (one,) = walk.operands(record, 1)
    ends = np.abs(one.low), np.abs(one.high)
    return _Interval(np.where(one.low * one.high <= 0, 0, np.minimum(*ends)), np.maximum(*ends), one.nan)


def _negated(walk: _Calls, record: Record, made: Tensor) -> _Interval:
    (one,) = walk.operands(record, 1)
    return _Interval(-one.high, -one.low, one.nan)


def _cast(walk: _Calls, record: Record, made: Tensor) -> _Interval:
    """Of another dtype; what was a float loses its fraction."""
    given = record.arguments[0]
    if not isinstance(given, Tensor) or made.dtype is torch.bool:
        raise _Unfollowed
    one = walk.operand(record, given)
    return one if made.dtype.is_floating_point else _Interval(np.trunc(one.low), np.trunc(one.high), one.nan)


def _clamped(walk: _Calls, record: Record, made: Tensor) -> _Interval:
    given = dict(zip(("input", "min", "max"), record.arguments, strict=False)) | dict(record.keywords)
    one = walk.operand(record, given["input"])
    low = _number(-np.inf) if given.get("min") is None else walk.operand(record, given["min"])
    high = _number(np.inf) if given.get("max") is None else walk.operand(record, given["max"])
    least = np.minimum(np.maximum(one.low, low.low), high.low)
    return _Interval(least, np.minimum(np.maximum(one.high, low.high), high.high), one.nan | low.nan | high.nan)


def _filled(value: int | None) -> _Rule:
    def rule(walk: _Calls, record: Record, made: Tensor) -> _Interval:
        return _number(value) if value is not None else walk.operand(record, record.arguments[1])

    return rule


def _rules() -> dict[str, _Rule]:
    rules: dict[_Rule, tuple[str, ...]] = {
        _ends(np.add): ("add", "__add__", "__radd__", "__iadd__", "add_"),
        _ends(np.subtract): ("sub", "__sub__", "__isub__", "sub_"),
        _ends(np.subtract, swapped=True): ("__rsub__", "rsub"),
        _ends(np.multiply): ("mul", "__mul__", "__rmul__", "__imul__", "mul_"),
        _quotient: ("div", "__truediv__", "true_divide", "divide"),
        _of_tensors(_ends(np.minimum)): ("min", "minimum"),
        _of_tensors(_ends(np.maximum)): ("max", "maximum"),
        _compared(lambda one, two: one.high < two.low, lambda one, two: one.low >= two.high): ("lt", "__lt__"),
        _compared(lambda one, two: one.high <= two.low, lambda one, two: one.low > two.high): ("le", "__le__"),
        _compared(lambda one, two: one.low > two.high, lambda one, two: one.high <= two.low): ("gt", "__gt__"),
        _compared(lambda one, two: one.low >= two.high, lambda one, two: one.high < two.low): ("ge", "__ge__"),
        _either: ("where",),
        _absolute: ("abs", "__abs__", "absolute"),
        _negated: ("neg", "__neg__", "negative"),
        _cast: ("to", "long", "int", "float", "type_as", "type"),
        _clamped: ("clamp", "clip"),
        _filled(0): ("zeros_like",), _filled(1): ("ones_like",), _filled(None): ("full_like",),
        _monotone(np.log, least=0): ("log",), _monotone(np.log2, least=0): ("log2",),
        _monotone(np.log1p, least=-1): ("log1p",), _monotone(np.sqrt, least=0): ("sqrt",),
        _monotone(np.floor): ("floor",), _monotone(np.ceil): ("ceil",),
    }  # fmt: skip
    return {name: rule for rule, names in rules.items() for name in names}


_RULES: Final = _rules()
_LIMITS: Final = {torch.int32: (-(2.0**31), 2.0**31 - 1), torch.int64: (-(2.0**63), 2.0**63 - 1024)}
_FAR: Final = 2.0**62
_EXACT: Final = 2**53  # integers beyond it are not all doubles
_MOVES: Final = frozenset({"unsqueeze", "expand", "view", "reshape", "repeat", "flatten", "contiguous", "permute",
                           "transpose", "t", "squeeze", "__getitem__"})  # fmt: skip
