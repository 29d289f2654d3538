"""Splits and joins along the first axes by name: `hsplit`, `column_stack`, and reorderings such as `rot90`."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from shapelint.ops.elementwise import fits
from shapelint.ops.index import counted
from shapelint.ops.join import joined_shape
from shapelint.ops.slices import sliced
from shapelint.ops.view import _flatten, cut_layout, listed, ones
from shapelint.size.condition import divisible
from shapelint.size.number import function_of, larger, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_format, in_suggested_format
from shapelint.trace.recording.arguments import dimension, dimensions
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import RULES, Kernel, NoRule, Operation, Plain, Result, size_rule

Tensor = torch.Tensor
_NO_BOUND = 2**63 - 1


def _split_along(op: Operation, input: Tensor, indices_or_sections: Any, *, rank: int) -> Result:
    """hsplit, vsplit, dsplit: into equal parts, or before each of the indices."""
    shape = op.shape(input)
    if len(shape) < rank:
        op.refuse(Kind.ARGUMENT, f"torch.{op.name} requires a tensor with at least {rank} dimensions")
    axis = {1: 0 if len(shape) == 1 else 1, 2: 0, 3: 2}[rank]
    if isinstance(indices_or_sections, int):
        op.require_at_least(indices_or_sections, 1, Kind.ARGUMENT, "number of sections must be larger than 0")
        parts = plain(indices_or_sections)
        text = f"torch.{op.name} attempted to split along dimension {axis}, but {{left}} is not divisible by {parts}"
        op.require(divisible(function_of(shape[axis]), parts), Kind.RESHAPE, text, between=(shape[axis], parts))
    return RULES[torch.tensor_split](op, input, indices_or_sections, axis)


@size_rule(torch.column_stack)
def _column_stack(op: Operation, tensors: Any, *, out: Any = None) -> Result:
    """Vectors are columns."""
    if out is not None or not all(isinstance(each, Tensor) for each in tensors):
        raise NoRule
    shapes = [op.shape(tensor) for tensor in tensors]
    return Kernel((joined_shape(op, [(*(shape or (1,)), 1) if len(shape) < 2 else shape for shape in shapes], 1),))


@size_rule(torch.nn.utils.rnn.pad_sequence, torch._C._nn.pad_sequence)
def _pad_sequence(op: Operation, sequences: Any, batch_first: bool = False, padding_value: float = 0.0,
                  padding_side: str = "right") -> Result:  # fmt: skip
    """As long as the longest of them; the other axes broadcast to those of the first."""
    if not isinstance(sequences, (tuple, list)) or not sequences:
        raise NoRule
    shapes = [op.shape(each) for each in sequences]
    longest = shapes[0][0]
    for shape in shapes[1:]:
        fits(op, shape[1:], shapes[0][1:], "pad_sequence: sequences of {left} and {right} features")
        longest = larger(longest, shape[0])
    lead = (len(shapes), longest) if batch_first else (longest, len(shapes))
    return Kernel(((*lead, *shapes[0][1:]),))


@size_rule(torch.rot90, Tensor.rot90)
def _rot90(op: Operation, input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Result:
    shape = op.shape(input)
    if len(dims) != 2 or len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"rot90: two dimensions of two or more, got {len(dims)} of {len(shape)}")
    first, second = dimensions(op, tuple(dims), len(shape))
    if symbolic(k):
        raise NoRule
    turned = list(shape)
    if plain(k) % 2:
        turned[first], turned[second] = turned[second], turned[first]
    op.layout = ones(shape)
    return Kernel((tuple(turned),))


@size_rule(torch.is_same_size, Tensor.is_same_size)
def _is_same_size(op: Operation, input: Tensor, other: Tensor) -> Plain:
    """Compared as the model's own code would, so that it may open another path."""
    return Plain(op.shape(input) == op.shape(other))


@size_rule(torch.ops.aten.slice.Tensor)
def _slice(op: Operation, input: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Result:
    """`x[start:end:step]` along one axis, as an exported program has it; its largest integer is no bound."""
    shape = op.shape(input)
    axis = dimension(op, dim, len(shape))
    stop = None if isinstance(end, int) and not symbolic(end) and plain(end) >= _NO_BOUND else end
    length, step = sliced(op, shape[axis], slice(start, stop, step))
    op.layout = (*ones(shape), *cut_layout(shape[axis], [length * step]), *ones((length,)))
    return Kernel(((*shape[:axis], length, *shape[axis + 1 :]),))


@size_rule(torch.narrow_copy, Tensor.narrow_copy)
def _narrow_copy(op: Operation, input: Tensor, dim: int, start: Any, length: int) -> Result:
    if not isinstance(start, int):
        raise NoRule
    return RULES[torch.narrow](op, input, dim, start, length)


@size_rule(torch.unsafe_split_with_sizes, Tensor.unsafe_split_with_sizes)
def _unsafe_split(op: Operation, input: Tensor, split_sizes: Any, dim: int = 0) -> Result:
    return RULES[torch.split_with_sizes](op, input, split_sizes, dim)


for _rank, _name in ((1, "hsplit"), (2, "vsplit"), (3, "dsplit")):
    size_rule(getattr(torch, _name), getattr(Tensor, _name))(partial(_split_along, rank=_rank))
size_rule(torch.ravel, Tensor.ravel)(_flatten)
size_rule(Tensor.unique_consecutive, torch.combinations)(counted)


@size_rule(Tensor.flip, torch.flip, torch.fliplr, torch.flipud, Tensor.fliplr, Tensor.flipud)
def _flip(op: Operation, input: Tensor, *dims: Any, **named: Any) -> Result:
    shape = op.shape(input)
    given = listed(dims or tuple(named.values()))
    if given:
        dimensions(op, given, len(shape))
    return Kernel((shape,))


def _stays(step: int, size: int) -> bool:
    return not symbolic(step) and not symbolic(size) and step % max(size, 1) == 0


@size_rule(Tensor.roll, torch.roll)
def _roll(op: Operation, input: Tensor, shifts: Any, dims: Any = ()) -> Result:
    shape = op.shape(input)
    axes = dims if isinstance(dims, (tuple, list)) else (dims,)
    steps = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    if not steps:
        op.refuse(Kind.ARGUMENT, "`shifts` required")
    for axis in axes:
        dimension(op, axis, len(shape))
    if len(axes) != len(steps) and not (len(axes) == 0 and len(steps) == 1):
        op.refuse(Kind.ARGUMENT, f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    if not axes or any(map(_stays, steps, (shape[axis] for axis in axes))):
        return in_format(op, shape, input, torch.contiguous_format, input)
    return in_suggested_format(op, shape, input)  # two parts that are joined again
