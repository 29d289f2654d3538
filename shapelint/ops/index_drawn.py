"""Between which numbers those lie that torch draws for indices, or finds as places in a row of limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch

from shapelint.ops.bounds import Bounds
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record

Tensor = torch.Tensor
Rule = Callable[[Operation, Record, Tensor], Bounds | None]
_EXACT = frozenset({torch.int32, torch.int64})


def drawn_limits(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[int, int] | None:
    """From which number on, and below which, `randint` draws; None where the arguments are no numbers."""
    numbers = [each for each in args if isinstance(each, int)]
    low, high = numbers if len(numbers) == 2 else (options.get("low", 0), options.get("high"))
    if len(numbers) == 1:
        low, high = (numbers[0], high) if high is not None else (low, numbers[0])
    return (low, high) if isinstance(low, int) and isinstance(high, int) else None


def _drawn_between(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Of `randint` and `randint_like`."""
    limits = drawn_limits(record.arguments, dict(record.keywords))
    if limits is None or made.dtype not in _EXACT or "out" in record.keywords:
        return None
    return Bounds(limits[0], limits[1] - 1, attained=False)


def _permuted(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Of `randperm`: all numbers below their count."""
    exact = made.dtype in _EXACT and "out" not in record.keywords
    return Bounds(0, op.shape(made)[0] - 1) if exact else None


def _drawn_category(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Of `multinomial`: a place among the weights, which the last axis has."""
    weights = record.arguments[0] if record.arguments else None
    if not isinstance(weights, Tensor) or "out" in record.keywords:
        return None
    return Bounds(0, op.shape(weights)[-1] - 1, attained=False)


def _sought_place(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Of `bucketize` and `searchsorted`: a place in a row of limits, or the one after it."""
    place = 1 if record.name == "bucketize" else 0
    limits = record.arguments[place] if len(record.arguments) > place else None
    if not isinstance(limits, Tensor) or "out" in record.keywords:
        return None
    return Bounds(0, op.shape(limits)[-1], attained=False)


def place_of_one(op: Operation, record: Record, made: Tensor) -> Bounds | None:
    """Of `nonzero(as_tuple=True)` and of `where` without values: a place along the axis of the result."""
    given = record.arguments[0] if record.arguments else None
    axis = next((axis for axis, each in enumerate(record.result) if each is made), None)
    if not isinstance(record.result, tuple) or not isinstance(given, Tensor) or axis is None:
        return None
    return Bounds(0, op.shape(given)[axis] - 1, attained=False)


DRAWN_OR_SOUGHT: Final[dict[str, Rule]] = {
    "randint": _drawn_between, "randint_like": _drawn_between, "randperm": _permuted, "multinomial": _drawn_category,
    "bucketize": _sought_place, "searchsorted": _sought_place,
    "nonzero": place_of_one,
}  # fmt: skip
"""By the name of what made an index tensor: between which numbers those in it lie, where that is known."""
