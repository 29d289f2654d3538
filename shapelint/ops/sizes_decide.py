"""Whether sizes decide on the numbers in a tensor, of which no run on meta tells what they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from shapelint.ops.index_origin import MOVED, above, is_of_size, makers_of, numbers_of
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.constants import DRAWN
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record
from shapelint.trace.recording.trees import flat_tensors

Tensor = torch.Tensor
_FILLED = frozenset({  # of what they get they take the shape alone
    "zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full",
})  # fmt: skip
_PICKING = frozenset({"__getitem__", "select", "narrow", "roll"})  # their plain numbers say which come out
_AS_THEY_ARE = MOVED | _FILLED | frozenset({
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "eq", "ne", "lt", "le", "gt", "ge", "__and__", "__or__",
    "__invert__", "logical_and", "logical_or", "logical_not", "all", "any", "max", "min", "amax", "amin", "isnan",
    "isinf", "isfinite", "float", "double", "half", "bool", "add", "sub", "mul", "div", "neg", "abs", "exp", "log",
    "sqrt", "square", "broadcast_tensors", "type_as", "mean", "_is_all_true", "_is_any_true",
})  # fmt: skip
"""Functions of which equal numbers make equal numbers, however many they are."""


def sizes_decide(op: Operation, tensor: Tensor) -> bool:
    """Whether the numbers in a tensor depend on sizes, and neither on the data nor on chance."""
    if any(_is_of_others(record) for record in above(op, tensor, _FILLED)):
        return False
    makers, _ = makers_of(op, tensor, _FILLED)
    return not any(map(_is_of_others, makers)) and any(_takes_sizes(op, record) for record in makers)


def _is_of_others(record: Record) -> bool:
    return record.function is None or record.name in DRAWN


def _takes_sizes(op: Operation, record: Record) -> bool:
    """Whether a call makes other numbers at other sizes of equal ones."""
    if record.name in _FILLED:
        return any(map(is_of_size, _fill(record)))
    moved = record.name in MOVED and record.name not in _PICKING
    if not moved and any(map(is_of_size, _numbers(op, record))):
        return True
    equal_ones = record.name in _AS_THEY_ARE and not record.taken
    return not equal_ones and any(symbolic(dim) for each in _tensors(record) for dim in op.shape(each))


def _numbers(op: Operation, record: Record) -> Iterator[Any]:
    """The plain numbers that a call takes, those of slices too."""
    for each in numbers_of(op, record):
        yield from (each.start, each.stop, each.step) if isinstance(each, slice) else (each,)


def _tensors(record: Record) -> list[Tensor]:
    return flat_tensors((record.arguments, dict(record.keywords), record.result))


def _fill(record: Record) -> tuple[Any, ...]:
    place = {"full": 1, "full_like": 1, "new_full": 2}.get(record.name)
    return () if place is None else (*record.arguments[place : place + 1], record.keywords.get("fill_value"))
