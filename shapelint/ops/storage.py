"""What a tensor looks at: other sizes, strides or memory given to a tensor that is there already."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.elementwise import fits, forget_values
from shapelint.ops.same_memory import check_alone
from shapelint.ops.view import _t, _transpose, listed, ones
from shapelint.size.condition import at_least
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import settled_layout
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Plain, Result, size_rule
from shapelint.trace.recording.record import elements

Tensor = torch.Tensor


@size_rule(Tensor.stride)
def _stride(op: Operation, input: Tensor, dim: Any = None) -> Plain:
    """Products of the sizes where the tensor is contiguous at every size."""
    shape = op.shape(input)
    if not settled_layout(op, input):
        raise NoRule
    strides = tuple(elements(shape[axis + 1 :]) for axis in range(len(shape)))
    return Plain(strides if dim is None else strides[dimension(op, dim, len(shape))])


@size_rule(Tensor.nbytes.__get__)  # type: ignore[attr-defined]
def _nbytes(op: Operation, input: Tensor) -> Plain:
    return Plain(elements(op.shape(input)) * input.element_size())


@size_rule(Tensor.storage_offset)
def _storage_offset(op: Operation, input: Tensor) -> Plain:
    op.recorder.leak("the offset of a tensor in its memory")
    return Plain(input.storage_offset())


@size_rule(Tensor.data_ptr, Tensor._version.__get__, Tensor.untyped_storage, Tensor.storage, Tensor._is_view,  # type: ignore[attr-defined]
           Tensor.is_set_to)  # fmt: skip
def _memory(op: Operation, *tensors: Tensor) -> Plain:
    """No run without memory tells its address, how often it was written to, and who shares it."""
    raise Unanalysable("where a tensor lies in memory, or how often it was written to")


@size_rule(Tensor.is_contiguous)
def _is_contiguous(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Plain:
    """An answer that can depend on which axes have the size 1."""
    shape = op.shape(input)
    layout = op.recorder.known[id(input)].layout
    for condition in (*layout, *(ones(shape) if rest or named else ())):
        op.decide(condition)
    return Plain(input.is_contiguous(*rest, **named))


@size_rule(Tensor.resize_)
def _resize(op: Operation, input: Tensor, *sizes: Any, **options: Any) -> Result:
    shape = listed(sizes)
    check_alone(op, input)
    for size in shape:
        op.require_at_least(size, 0, Kind.ARGUMENT, "Trying to create tensor with negative dimension {left}")
    forget_values(op, input)
    return Kernel((shape,))


@size_rule(Tensor.resize_as_)
def _resize_as(op: Operation, input: Tensor, other: Tensor, **options: Any) -> Result:
    check_alone(op, input)
    forget_values(op, input)
    return Kernel((op.shape(other),))


@size_rule(torch.as_strided, Tensor.as_strided, Tensor.as_strided_, torch.as_strided_)
def _as_strided(op: Operation, input: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Result:
    """Must stay within the memory, which is known to be as large as a tensor that is contiguous."""
    sizes, strides = listed((size,)), listed((stride,))
    if len(sizes) != len(strides):
        op.refuse(Kind.ARGUMENT, f"mismatch in length of strides and shape: {len(strides)} and {len(sizes)}")
    for each in sizes:
        op.require_at_least(each, 0, Kind.ARGUMENT, "as_strided: a size of {left}")
    last = storage_offset or 0
    for count, step in zip(sizes, strides, strict=True):
        last = (count - 1) * step + last
    count = elements(op.shape(input))
    whole = settled_layout(op, input) and not input.storage_offset()
    inside = whole and op.decide(at_least(function_of(count), function_of(last + 1)))
    if not inside and any(symbolic(each) for each in (*sizes, *strides, last, count)):
        op.recorder.leak("whether what `as_strided` asks for lies within the memory")
    if not inside and plain(last) >= input.untyped_storage().nbytes() // input.element_size():
        op.refuse(Kind.ARGUMENT, f"as_strided: element {plain(last)} is out of bounds for the storage")
    return Kernel((sizes,))


@size_rule(Tensor.cumsum_, Tensor.cumprod_, Tensor.tril_, Tensor.triu_, Tensor.logical_not_)
def _written(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    shape = op.shape(input)
    if op.name.startswith("cum"):
        dimension(op, named.get("dim", rest[0] if rest else None), len(shape))
    elif op.name.startswith("tri") and len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"{op.name}: input tensor must have at least 2 dimensions")
    forget_values(op, input)
    op.writes = input
    return Kernel((shape,))


@size_rule(Tensor.sum_to_size)
def _sum_to_size(op: Operation, input: Tensor, *size: Any) -> Result:
    """The size must be one that broadcasts to the input's."""
    wanted, shape = listed(size), op.shape(input)
    fits(op, wanted, shape, "size {left} is not expandable to size {right}")
    return Kernel((wanted,))


size_rule(Tensor.transpose_, Tensor.swapaxes_, Tensor.swapdims_)(_transpose)
size_rule(Tensor.t_)(_t)
