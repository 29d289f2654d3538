"""Parts of a tensor along one axis: `chunk`, `split`, `unbind`, `narrow`, `select`.

How many parts there are can depend on the size; that is a real case split.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.slices import check_index, split_before
from shapelint.ops.view import cut_layout, listed, ones
from shapelint.size.bound import never_negative
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _with(op: Operation, shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _cut(op: Operation, shape: Shape, axis: int, sizes: list[int]) -> Result:
    op.layout = (*ones(shape), *(cut_layout(shape[axis], sizes) if axis else ones(sizes)))
    return Kernel(tuple(_with(op, shape, axis, size) for size in sizes))


def _pieces(op: Operation, shape: Shape, axis: int, step: int) -> Result:
    """Pieces of the size `step`, the last of what is left; their number is decided."""
    size = shape[axis]
    none = all_of(equal(function_of(each), constant(0)) for each in (step, size))
    if not never_negative(function_of(size).plus(-1)) and op.decide(none):
        raise NoRule
    op.require_at_least(step, 1, Kind.ARGUMENT, "split expects split_size be positive, but got split_size={left}")
    count = max(1, -(-plain(size) // plain(step)))
    whole = step * (count - 1)
    n, before, after = function_of(size), function_of(whole), function_of(step * count)
    lower = at_least(n, before.plus(1)) if count > 1 else at_least(n, constant(0))
    op.decide(all_of([lower, at_least(after, n)]))
    return _cut(op, shape, axis, [step] * (count - 1) + [size - whole])


@size_rule(Tensor.chunk, torch.chunk, Tensor.unsafe_chunk, torch.unsafe_chunk)
def _chunk(op: Operation, input: Tensor, chunks: int, dim: int = 0) -> Result:
    """Pieces of ceil(n / chunks)."""
    shape = op.shape(input)
    if not shape:
        op.refuse(Kind.ARGUMENT, "chunk expects at least a 1-dimensional tensor")
    axis = dimension(op, dim, len(shape))
    op.require_at_least(chunks, 1, Kind.ARGUMENT, "chunk expects `chunks` to be greater than 0, got: {left}")
    if op.decide(equal(function_of(shape[axis]), constant(0))):
        return _cut(op, shape, axis, [0] * plain(chunks))
    return _pieces(op, shape, axis, (shape[axis] + chunks - 1) // chunks)


@size_rule(Tensor.split, torch.split, Tensor.unsafe_split, torch.unsafe_split, Tensor.split_with_sizes,
           torch.split_with_sizes)  # fmt: skip
def _split(op: Operation, tensor: Tensor, split_size_or_sections: Any = None, dim: int = 0, **named: Any) -> Result:
    wanted = split_size_or_sections if split_size_or_sections is not None else next(iter(named.values()))
    shape = op.shape(tensor)
    if not shape:
        op.refuse(Kind.ARGUMENT, "split expects at least a 1-dimensional tensor")
    axis = dimension(op, dim, len(shape))
    if isinstance(wanted, int):
        return _pieces(op, shape, axis, wanted)
    sizes = list(listed((wanted,)))
    for size in sizes:
        op.require_at_least(size, 0, Kind.ARGUMENT, "split_with_sizes expects split_sizes to be non-negative")
    total = sizes[0] if sizes else 0
    for size in sizes[1:]:
        total = total + size
    text = f"split_with_sizes expects split_sizes to sum exactly to {{left}} (input tensor's size at dimension {axis})"
    op.require_equal(shape[axis], total, Kind.RESHAPE, f"{text}, but they sum to {{right}}")
    return _cut(op, shape, axis, sizes)


@size_rule(Tensor.tensor_split, torch.tensor_split)
def _tensor_split(op: Operation, input: Tensor, indices_or_sections: Any, dim: int = 0) -> Result:
    """As many parts as asked for, the first ones larger by one."""
    shape = op.shape(input)
    sections = indices_or_sections
    axis = dimension(op, dim, len(shape))
    if not shape or isinstance(sections, Tensor):
        raise NoRule
    if not isinstance(sections, int):
        return split_before(op, shape, sections, axis)
    op.require_at_least(sections, 1, Kind.ARGUMENT, "number of sections must be larger than 0, got {left}")
    count = plain(sections)
    return _cut(op, shape, axis, [(shape[axis] + count - 1 - index) // count for index in range(count)])


@size_rule(Tensor.unbind, torch.unbind)
def _unbind(op: Operation, input: Tensor, dim: int = 0) -> Result:
    shape = op.shape(input)
    if not shape:
        op.refuse(Kind.ARGUMENT, "Dimension specified as 0 but tensor has no dimensions")
    axis = dimension(op, dim, len(shape))
    count = plain(shape[axis])
    op.decide(equal(function_of(shape[axis]), constant(count)))
    op.layout = ones(shape)
    return Kernel(((*shape[:axis], *shape[axis + 1 :]),) * count)


@size_rule(Tensor.narrow, torch.narrow)
def _narrow(op: Operation, input: Tensor, dim: int, start: Any, length: int) -> Result:
    shape = op.shape(input)
    if not isinstance(start, int):
        raise NoRule
    axis = dimension(op, dim, len(shape))
    size = shape[axis]
    op.require_at_least(length, 0, Kind.INDEX, "narrow(): length must be non-negative.")
    op.require_at_least(size, start, Kind.INDEX, "start out of range: {right} in a dimension of size {left}")
    if not op.decide(at_least(function_of(start), constant(0))):
        text = "start out of range: {left} in a dimension of size {right}"
        op.require_at_least(start, -size, Kind.INDEX, text)
        start = start + size
    text = "start + length ({right}) exceeds dimension size ({left})."
    op.require_at_least(size, start + length, Kind.INDEX, text)
    return _cut(op, shape, axis, [length])


@size_rule(Tensor.select, torch.select)
def _select(op: Operation, input: Tensor, dim: int, index: Any) -> Result:
    shape = op.shape(input)
    if not isinstance(index, int):
        raise NoRule
    if not shape:
        op.refuse(Kind.ARGUMENT, "select() cannot be applied to a 0-dim tensor.")
    axis = dimension(op, dim, len(shape))
    check_index(op, shape[axis], index, axis)
    op.layout = ones(shape)
    return Kernel(((*shape[:axis], *shape[axis + 1 :]),))
