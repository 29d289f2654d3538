"""Views: another shape or order of axes over the same elements.

https://docs.pytorch.org/docs/stable/tensor_view.html. Their kernels are quick, so they always run: strides stay
PyTorch's own. Which strides a view allows can depend on the size (an axis of size 1 has any stride), so each rule
that makes strides depend on sizes says so in `op.layout`, and `view` decides those conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from shapelint.ops.elementwise import fits
from shapelint.ops.reshape import reshaped
from shapelint.ops.same_memory import check_alone
from shapelint.size.condition import FALSE, Condition, all_of, any_of, divisible, equal, product
from shapelint.size.function import Function, constant
from shapelint.size.number import function_of
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import settled_layout
from shapelint.trace.recording.arguments import dimension, dimensions
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def listed(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Integers given one by one or as one list. Raises NoRule for what is no list of integers."""
    found = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    if not all(isinstance(each, int) for each in found):
        raise NoRule
    return tuple(found)


def ones(shape: Sequence[int]) -> tuple[Condition, ...]:
    """For each symbolic size the condition that it is 1."""
    return tuple(equal(function_of(dim), constant(1)) for dim in shape if symbolic(dim))


def cut_layout(whole: int, sizes: Iterable[int]) -> Iterator[Condition]:
    """The conditions on which the strides of parts of an axis depend: whether one is all of it, or of size 1."""
    for size in sizes:
        yield equal(function_of(size), function_of(whole))
        yield from ones((size,))


@size_rule(Tensor.view)
def _view(op: Operation, input: Tensor, *shape: Any, **named: Any) -> Result:
    dtype = named.get("dtype", shape[0] if shape else None)
    if isinstance(dtype, torch.dtype):
        return _as_dtype(op, input, dtype)
    return _viewed(op, input, reshaped(op, op.shape(input), listed(shape or tuple(named.values()))))


def _as_dtype(op: Operation, input: Tensor, dtype: torch.dtype) -> Result:
    """The same memory as other numbers: the last axis grows or shrinks as their size does."""
    old, new, shape = input.element_size(), dtype.itemsize, op.shape(input)
    if old == new:
        return Kernel((shape,))
    if not shape or not settled_layout(op, input):
        raise NoRule
    text = f"self.size(-1) must be divisible by {new // old or 1} to view as {dtype}, but got {{left}}"
    op.require(divisible(function_of(shape[-1]), max(new // old, 1)), Kind.RESHAPE, text, between=(shape[-1], 0))
    return Kernel(((*shape[:-1], shape[-1] * old // new),))


@size_rule(Tensor.view_as)
def _view_as(op: Operation, input: Tensor, other: Tensor) -> Result:
    return _viewed(op, input, reshaped(op, op.shape(input), op.shape(other)))


def _viewed(op: Operation, input: Tensor, shape: Shape) -> Result:
    """Raises where the strides do not allow the view."""
    old = op.shape(input)
    if not _only_cuts(old, shape):
        for condition in op.recorder.known[id(input)].layout:
            op.decide(condition)
        blocks = _blocks(input, old)
        fills = _fills(blocks, list(map(function_of, shape)))
        nothing = [equal(function_of(dim), constant(0)) for dim in old]
        if len(blocks) > 1 and input.numel() and not op.decide(any_of([fills, *nothing])):
            op.refuse(Kind.RESHAPE, "view size is not compatible with input tensor's size and stride")
    return Kernel((shape,))


def _blocks(input: Tensor, shape: Shape) -> list[Function]:
    """The number of elements of each run of axes that lie side by side in memory, so that they can be one axis."""
    blocks: list[Function] = []
    before = 0
    for dim, size, stride in zip(shape, input.shape, input.stride(), strict=True):
        if size == 1:
            continue
        if blocks and before == stride * size:
            blocks[-1] = product(blocks[-1], function_of(dim))
        else:
            blocks.append(function_of(dim))
        before = stride
    return blocks


def _fills(blocks: list[Function], new: list[Function]) -> Condition:
    """Whether the new sizes, in order, make up one block after the other."""
    if not blocks:
        return all_of(equal(each, constant(1)) for each in new)
    ways = []
    part = constant(1)
    for taken in range(len(new) + 1):
        part = product(part, new[taken - 1]) if taken else part
        fits = equal(blocks[0], part)
        if fits != FALSE:
            ways.append(all_of([fits, _fills(blocks[1:], new[taken:])]))
    return any_of(ways)


def _only_cuts(old: Shape, new: Shape) -> bool:
    """Whether each old size is cut into new ones, in order, so that any strides allow the view."""
    known = all(type(each) is int for each in (*old, *new))
    rest: list[Any] = list(new) if known else list(map(function_of, new))
    one: Any = 1 if known else constant(1)
    for dim in old if known else map(function_of, old):
        part = one
        while part != dim and rest:
            part = part * rest.pop(0)
        if part != dim:
            return False
    return all(each == one for each in rest)


@size_rule(Tensor.reshape, torch.reshape)
def _reshape(op: Operation, input: Tensor, *shape: Any, **named: Any) -> Result:
    return Kernel((reshaped(op, op.shape(input), listed(shape or tuple(named.values()))),))


@size_rule(Tensor.reshape_as)
def _reshape_as(op: Operation, input: Tensor, other: Tensor) -> Result:
    return Kernel((reshaped(op, op.shape(input), op.shape(other)),))


@size_rule(Tensor.flatten, torch.flatten)
def _flatten(op: Operation, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Result:
    shape = op.shape(input)
    if not shape:
        return Kernel(((1,),))
    start, end = dimension(op, start_dim, len(shape)), dimension(op, end_dim, len(shape))
    if start > end:
        op.refuse(Kind.ARGUMENT, "flatten() has invalid args: start_dim cannot come after end_dim")
    count = 1
    for dim in shape[start : end + 1]:
        count = dim * count
    return Kernel(((*shape[:start], count, *shape[end + 1 :]),))


@size_rule(Tensor.unflatten, torch.unflatten)
def _unflatten(op: Operation, input: Tensor, dim: int, sizes: Any) -> Result:
    shape = op.shape(input)
    axis = dimension(op, dim, len(shape))
    wanted = listed((sizes,))
    if not wanted:
        op.refuse(Kind.ARGUMENT, "unflatten: sizes must be non-empty")
    return Kernel(((*shape[:axis], *reshaped(op, (shape[axis],), wanted), *shape[axis + 1 :]),))


def _ordered(op: Operation, shape: Shape, order: Sequence[int]) -> Result:
    op.layout = ones(shape)
    return Kernel((tuple(shape[axis] for axis in order),))


@size_rule(Tensor.permute, torch.permute)
def _permute(op: Operation, input: Tensor, *dims: Any, **named: Any) -> Result:
    shape = op.shape(input)
    given: Any = dims or tuple(named.values())
    given = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
    order = [dimension(op, axis, len(shape)) for axis in given]
    if len(order) != len(shape):
        op.refuse(Kind.ARGUMENT, f"permute(sparse_coo): {len(order)} dims for a tensor of {len(shape)}")
    if len(set(order)) < len(order):
        op.refuse(Kind.ARGUMENT, "permute(): duplicate dims are not allowed.")
    return _ordered(op, shape, order)


@size_rule(Tensor.transpose, torch.transpose, Tensor.swapaxes, torch.swapaxes, Tensor.swapdims, torch.swapdims)
def _transpose(op: Operation, input: Tensor, dim0: int, dim1: int) -> Result:
    shape = op.shape(input)
    check_alone(op, input)
    first, second = dimension(op, dim0, len(shape)), dimension(op, dim1, len(shape))
    order = list(range(len(shape)))
    if shape:
        order[first], order[second] = second, first
    return _ordered(op, shape, order)


@size_rule(Tensor.movedim, torch.movedim, Tensor.moveaxis, torch.moveaxis)
def _movedim(op: Operation, input: Tensor, source: Any, destination: Any) -> Result:
    shape = op.shape(input)
    start, end = _axes(op, source, len(shape)), _axes(op, destination, len(shape))
    if len(start) != len(end):
        op.refuse(Kind.ARGUMENT, "movedim: source and destination must have the same number of dims")
    order: list[int] = [-1] * len(shape)
    for one, two in zip(start, end, strict=True):
        order[two] = one
    rest = iter(axis for axis in range(len(shape)) if axis not in start)
    return _ordered(op, shape, [next(rest) if axis < 0 else axis for axis in order])


def _axes(op: Operation, axes: Any, rank: int) -> tuple[int, ...]:
    return dimensions(op, axes if isinstance(axes, (tuple, list)) else (axes,), rank)


@size_rule(Tensor.t, torch.t)
def _t(op: Operation, input: Tensor) -> Result:
    shape = op.shape(input)
    check_alone(op, input)
    if len(shape) > 2:
        op.refuse(Kind.ARGUMENT, f"t() expects a tensor with <= 2 dimensions, but self is {len(shape)}D")
    return _ordered(op, shape, range(len(shape))[::-1])


@size_rule(Tensor.T.__get__, Tensor.mT.__get__, Tensor.H.__get__, Tensor.mH.__get__, Tensor.adjoint, torch.adjoint)  # type: ignore[attr-defined]
def _property(op: Operation, input: Tensor) -> Result:
    """`.T` turns all axes round, `.mT` the last two."""
    shape = op.shape(input)
    if op.function == Tensor.T.__get__:  # type: ignore[attr-defined]
        return _ordered(op, shape, range(len(shape))[::-1])
    if len(shape) < 2 or (op.function == Tensor.H.__get__ and len(shape) > 2):  # type: ignore[attr-defined]
        op.refuse(Kind.ARGUMENT, f"only supported on matrices, got {len(shape)}-D tensor")
    return _ordered(op, shape, [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2])


@size_rule(Tensor.squeeze, torch.squeeze, Tensor.squeeze_)
def _squeeze(op: Operation, input: Tensor, *dims: Any, **named: Any) -> Result:
    """Drops axes of size 1; one whose size is symbolic is a case split."""
    shape = op.shape(input)
    check_alone(op, input)
    given = dims or tuple(named.values())
    chosen = _axes(op, given[0], len(shape)) if given else tuple(range(len(shape)))
    if given and given[0] in ((), []):
        chosen = ()
    unit = constant(1)
    dropped = {axis for axis in chosen if shape and op.decide(equal(function_of(shape[axis]), unit))}
    return Kernel((tuple(dim for axis, dim in enumerate(shape) if axis not in dropped),))


@size_rule(Tensor.unsqueeze, torch.unsqueeze, Tensor.unsqueeze_)
def _unsqueeze(op: Operation, input: Tensor, dim: int) -> Result:
    shape = op.shape(input)
    check_alone(op, input)
    axis = dimension(op, dim, len(shape) + 1)
    return Kernel(((*shape[:axis], 1, *shape[axis:]),))


@size_rule(Tensor.expand, Tensor.broadcast_to, torch.broadcast_to)
def _expand(op: Operation, input: Tensor, *sizes: Any, **named: Any) -> Result:
    wanted = listed(sizes or tuple(value for name, value in named.items() if name != "implicit"))
    return _expanded(op, op.shape(input), wanted)


@size_rule(Tensor.expand_as)
def _expand_as(op: Operation, input: Tensor, other: Tensor) -> Result:
    return _expanded(op, op.shape(input), op.shape(other))


def _expanded(op: Operation, shape: Shape, wanted: Sequence[int]) -> Result:
    lead = len(wanted) - len(shape)
    if lead < 0:
        op.refuse(Kind.JOIN, f"expand: the number of sizes provided ({len(wanted)}) must be at least {len(shape)}")
    result = [*wanted[:lead]]
    for dim, size in zip(shape, wanted[lead:], strict=True):
        result.append(dim if op.decide(equal(function_of(size), constant(-1))) else size)
    text = "The expanded size of the tensor ({right}) must match the existing size ({left}) at non-singleton dimension"
    fits(op, shape, tuple(result), text)
    for size in result:
        op.require_at_least(size, 0, Kind.ARGUMENT, "expand: a size of {left} is not allowed")
    op.layout = ones(result)
    return Kernel((tuple(result),))


@size_rule(Tensor.repeat, Tensor.tile, torch.tile)
def _repeat(op: Operation, input: Tensor, *repeats: Any, **named: Any) -> Result:
    shape, times = op.shape(input), listed(repeats or tuple(named.values()))
    if op.name == "tile":
        times = (1,) * (len(shape) - len(times)) + times
    if len(times) < len(shape):
        text = "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        op.refuse(Kind.ARGUMENT, text)
    for each in times:
        op.require_at_least(each, 0, Kind.ARGUMENT, "Trying to create tensor with negative dimension {left}")
    padded = (1,) * (len(times) - len(shape)) + tuple(shape)
    return Fresh(tuple(dim * count for dim, count in zip(padded, times, strict=True)), input)
