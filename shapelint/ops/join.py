"""Joins: `cat`, `stack` and their relatives.

https://docs.pytorch.org/docs/stable/generated/torch.cat.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from shapelint.size.bound import lower_bound
from shapelint.size.condition import equal
from shapelint.size.function import constant
from shapelint.size.number import function_of
from shapelint.trace.memory.layout import in_format, in_order, suggested_format
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _listed(op: Operation, tensors: Any) -> list[Tensor]:
    if not isinstance(tensors, (tuple, list)) or not all(isinstance(each, Tensor) for each in tensors):
        raise NoRule
    if not tensors:
        op.refuse(Kind.ARGUMENT, f"{op.name}(): expected a non-empty list of Tensors")
    return list(tensors)


@size_rule(torch.cat, torch.concat, torch.concatenate)
def _cat(op: Operation, tensors: Any, dim: Any = 0, *, axis: Any = None, out: Any = None) -> Result:
    """The sizes along `dim` add up; the others must agree."""
    if out is not None:
        raise NoRule
    parts = _listed(op, tensors)
    shapes = [op.shape(tensor) for tensor in parts]
    return _made(op, parts, joined_shape(op, shapes, dim if axis is None else axis, op.times))


def joined_shape(op: Operation, shapes: Sequence[Shape], dim: Any, times: Sequence[int] = ()) -> Shape:
    """The shape of tensors joined along `dim`, each one time or so many `times`.

    Empty tensors of one dimension are skipped, as they always were.
    """
    kept = [(number, shape) for number, shape in enumerate(shapes) if not _legacy_empty(op, shape)]
    if not kept:
        return shapes[0]
    first = kept[0][1]
    if not first:
        op.refuse(Kind.ARGUMENT, "zero-dimensional tensor (at position 0) cannot be concatenated")
    along = dimension(op, dim, len(first))
    total = first[along] * times[kept[0][0]] if times else first[along]
    for number, shape in kept[1:]:
        _check_operand(op, first, shape, along, number)
        total = total + (shape[along] * times[number] if times else shape[along])
    return (*first[:along], total, *first[along + 1 :])


def _legacy_empty(op: Operation, shape: Shape) -> bool:
    if len(shape) != 1 or (lower_bound(function_of(shape[0])) or 0) > 0:
        return False
    return op.decide(equal(function_of(shape[0]), constant(0)))


def _check_operand(op: Operation, first: Shape, shape: Shape, along: int, number: int) -> None:
    if len(shape) != len(first):
        text = f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        op.refuse(Kind.JOIN, text)
    text = (
        f"Sizes of tensors must match except in dimension {along}. Expected size {{left}} but got size {{right}} "
        f"for tensor number {number} in the list."
    )
    for axis, (one, two) in enumerate(zip(first, shape, strict=True)):
        if axis != along:
            op.require_equal(one, two, Kind.JOIN, text)


def _made(op: Operation, parts: list[Tensor], shape: Shape) -> Result:
    """Channels-last where all parts are (`cat_compute_output_memory_format`)."""
    like = next((tensor for tensor in parts if tensor.is_meta), parts[0])
    if len({tensor.dtype for tensor in parts}) > 1:
        return Kernel((shape,))
    formats = {suggested_format(tensor) for tensor in parts}
    return in_format(op, shape, like, formats.pop() if len(formats) == 1 else torch.contiguous_format, *parts)


@size_rule(torch.stack)
def _stack(op: Operation, tensors: Any, dim: Any = 0, *, out: Any = None) -> Result:
    """A new axis; all sizes must agree."""
    if out is not None:
        raise NoRule
    parts = _listed(op, tensors)
    first = op.shape(parts[0])
    axis = dimension(op, dim, len(first) + 1)
    for number, tensor in enumerate(parts):
        _check_equal(op, first, op.shape(tensor), number)
    count = sum(op.times[1:], op.times[0]) if op.times else len(parts)
    return _cut(op, parts, (*first[:axis], count, *first[axis:]), axis)


def _cut(op: Operation, parts: list[Tensor], shape: Shape, axis: int) -> Result:
    """As PyTorch makes it: joined along an axis that is there already, which is then cut in two."""
    made = _made(op, parts, shape)
    if not isinstance(made, Fresh) or made.layout in (None, torch.contiguous_format):
        return made
    if axis == len(shape) - 1:
        return replace(made, layout=torch.contiguous_format)
    order: list[int] = []
    for each in (0, *range(2, len(shape) - 1), 1):
        order += (each, each + 1) if each == axis else (each + (each > axis),)
    return replace(made, layout=in_order(shape, order))


def _check_equal(op: Operation, first: Shape, shape: Shape, number: int) -> None:
    text = "stack expects each tensor to be equal size, but got "
    if len(first) != len(shape):
        op.refuse(Kind.JOIN, f"{text}{len(first)} dimensions at entry 0 and {len(shape)} at entry {number}")
    for one, two in zip(first, shape, strict=True):
        op.require_equal(one, two, Kind.JOIN, f"{text}{{left}} at entry 0 and {{right}} at entry {number}")


def _stacked(op: Operation, tensors: Any, *, rank: int) -> Result:
    """hstack, vstack and dstack: each tensor is given `rank` axes, then they are joined along the last of those."""
    parts = _listed(op, tensors)
    shapes = [_at_least(op.shape(tensor), rank) for tensor in parts]
    along = {1: 0 if len(shapes[0]) == 1 else 1, 2: 0, 3: 2}[rank]
    return _made(op, parts, joined_shape(op, shapes, along))


def _at_least(shape: Shape, rank: int) -> Shape:
    """The shape as `atleast_1d`, `atleast_2d` or `atleast_3d` give it."""
    if len(shape) == 0:
        return (1,) * rank
    if len(shape) == 1 and rank > 1:
        return (1, *shape) if rank == 2 else (1, *shape, 1)
    return (*shape, 1) if len(shape) == 2 and rank == 3 else shape


@size_rule(torch.atleast_1d, torch.atleast_2d, torch.atleast_3d)
def _atleast(op: Operation, *tensors: Any) -> Result:
    parts = _listed(op, tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors)
    return Kernel(tuple(_at_least(op.shape(tensor), int(op.name[8])) for tensor in parts))


for _rank, _functions in ((1, (torch.hstack,)), (2, (torch.vstack, torch.row_stack)), (3, (torch.dstack,))):
    size_rule(*dict.fromkeys(_functions))(partial(_stacked, rank=_rank))
