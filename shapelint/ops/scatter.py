"""Writing into a tensor at places that an index tensor, a mask or a slice tells, and reading at such places.

https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html and the pages of its relatives;
requirements: aten/src/ATen/native/ScatterGatherChecks.h and TensorAdvancedIndexing.cpp.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.elementwise import fits, forget_values
from shapelint.ops.index import indexed_shape, tensor_values
from shapelint.ops.masks import is_constant_row, is_mask
from shapelint.ops.slices import check_index, sliced
from shapelint.size.condition import Condition, any_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule, spellings
from shapelint.trace.recording.record import Shape, elements

Tensor = torch.Tensor


def written(op: Operation, target: Tensor) -> Result:
    """A tensor of the target's shape; the target itself where the function's name says that it is written to."""
    if op.name.endswith("_"):
        forget_values(op, target)
        op.writes = target
    return Kernel((op.shape(target),))


def _line(shape: Shape) -> Shape:
    """A tensor without dimensions counts as one of a single element."""
    return shape or (1,)


def _none(shape: Shape) -> Condition:
    """The tensor has no elements."""
    return any_of(equal(function_of(dim), constant(0)) for dim in shape)


def _check_values(op: Operation, index: Tensor, size: int, axis: int, *, negative: bool = False) -> None:
    empty = _none(op.shape(index))
    for value in tensor_values(op, index, size, negative=negative):
        check_index(op, size, value, axis, unless=[empty], negative=negative)


@size_rule(*(each for name in ("scatter", "scatter_add", "scatter_reduce") for each in spellings(name)))
def _scatter(op: Operation, input: Tensor, dim: int, index: Tensor, *rest: Any, **named: Any) -> Result:
    """The index may nowhere be larger than the source, nor than the input beside the axis."""
    shape, chosen = op.shape(input), op.shape(index)
    axis = dimension(op, dim, len(shape))
    source = rest[0] if rest else named.get("src", named.get("value"))
    empty = _none(chosen)
    if not op.decide(empty):
        _check_ranks(op, _line(chosen), _line(shape))
        for place, (count, size) in enumerate(zip(_line(chosen), _line(shape), strict=True)):
            if place != axis:
                _check_count(op, size, count, place, "self")
        if isinstance(source, Tensor):
            given = _line(op.shape(source))
            _check_ranks(op, _line(chosen), given)
            for place, (count, size) in enumerate(zip(_line(chosen), given, strict=True)):
                _check_count(op, size, count, place, "src")
        _check_values(op, index, _line(shape)[axis], axis)
    return written(op, input)


def _check_ranks(op: Operation, index: Shape, other: Shape) -> None:
    if len(index) != len(other):
        text = "Index tensor must have the same number of dimensions as the others"
        op.refuse(Kind.ARGUMENT, f"{text}: {len(index)} against {len(other)}")


def _check_count(op: Operation, size: int, count: int, place: int, name: str) -> None:
    text = f"Expected index to be smaller than {name} at dimension {place}, but got {{right}} against {{left}}"
    op.require_at_least(size, count, Kind.INDEX, text)


@size_rule(*(each for name in ("index_add", "index_copy", "index_reduce") for each in spellings(name)))
def _index_add(op: Operation, input: Tensor, dim: int, index: Tensor, source: Tensor, *rest: Any,
               **named: Any) -> Result:  # fmt: skip
    """The source has the input's sizes, but along the axis one for each index."""
    shape, chosen, given = op.shape(input), op.shape(index), op.shape(source)
    axis = dimension(op, dim, len(shape))
    if len(chosen) > 1:
        op.refuse(Kind.ARGUMENT, f"{op.name}(): Index should have dimension 1 or 0 (got {len(chosen)})")
    if not shape or not given:
        raise NoRule
    if len(shape) != len(given):
        op.refuse(Kind.JOIN, f"{op.name}(): source of {len(given)} dimensions for a tensor of {len(shape)}")
    for place, (size, there) in enumerate(zip(shape, given, strict=True)):
        if place != axis:
            text = f"{op.name}(): source and self differ at dimension {place}: {{left}} and {{right}}"
            op.require_equal(there, size, Kind.JOIN, text)
    text = f"{op.name}(): Number of indices ({{left}}) should be equal to source.size(dim): ({{right}})"
    op.require_equal(_line(chosen)[0], given[axis], Kind.JOIN, text)
    _check_values(op, index, shape[axis], axis)
    return written(op, input)


@size_rule(*spellings("index_fill"))
def _index_fill(op: Operation, input: Tensor, dim: int, index: Tensor, value: Any) -> Result:
    shape, chosen = op.shape(input), op.shape(index)
    axis = dimension(op, dim, len(shape))
    if len(chosen) > 1:
        op.refuse(Kind.ARGUMENT, "Index has to be a vector/scalar")
    if isinstance(value, Tensor) and value.dim():
        op.refuse(Kind.ARGUMENT, f"index_fill_ only supports a 0-dimensional value tensor, got {value.dim()}-D")
    _check_values(op, index, _line(shape)[axis], axis, negative=True)
    return written(op, input)


@size_rule(*spellings("masked_scatter"))
def _masked_scatter(op: Operation, input: Tensor, mask: Tensor, source: Tensor) -> Result:
    """How many elements of the source it takes depends on values, so that it may raise."""
    if mask.dtype is not torch.bool:
        op.refuse(Kind.ARGUMENT, f"masked_scatter_ only supports boolean masks, but got {mask.dtype}")
    op.recorder.leak(f"`{op.name}`: how many elements it takes depends on values")
    if op.name.endswith("_"):
        fits(op, op.shape(mask), op.shape(input))
        return written(op, input)
    return Kernel((op.broadcast(op.shape(input), op.shape(mask)),))


@size_rule(torch.take, Tensor.take)
def _take(op: Operation, input: Tensor, index: Tensor) -> Result:
    """Elements by their number in the whole tensor."""
    empty = _none(op.shape(index))
    count = elements(op.shape(input))
    text = "take(): tried to take from an empty tensor"
    op.require(any_of([at_least(function_of(count), constant(1)), empty]), Kind.EMPTY, text)
    _check_values(op, index, count, 0, negative=True)
    return Kernel((op.shape(index),))


@size_rule(*spellings("put"))
def _put(op: Operation, input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Result:
    """As many elements as indices."""
    text = "put_(): Expected source and index to have the same number of elements, but got {left} and {right}"
    op.require_equal(elements(op.shape(source)), elements(op.shape(index)), Kind.JOIN, text)
    _check_values(op, index, elements(op.shape(input)), 0, negative=True)
    return written(op, input)


@size_rule(torch.take_along_dim, Tensor.take_along_dim)
def _take_along_dim(op: Operation, input: Tensor, indices: Tensor, dim: Any = None) -> Result:
    """The two broadcast, but for the axis, along which the kernel for the CPU takes the rest of any index."""
    shape, chosen = op.shape(input), op.shape(indices)
    if dim is None:
        _check_values(op, indices, elements(shape), 0, negative=True)
        return Kernel(((elements(chosen),),))
    if len(shape) != len(chosen):
        op.refuse(Kind.ARGUMENT, f"take_along_dim(): {len(shape)} and {len(chosen)} dimensions, which must be equal")
    axis = dimension(op, dim, len(shape))
    common = op.broadcast((*shape[:axis], 1, *shape[axis + 1 :]), (*chosen[:axis], 1, *chosen[axis + 1 :]))
    some = [equal(function_of(dim), constant(0)) for dim in (*common[:axis], chosen[axis], *common[axis + 1 :])]
    op.require(any_of([at_least(function_of(shape[axis]), constant(1)), *some]), Kind.INDEX, "ZeroDivisionError")
    return Kernel(((*common[:axis], chosen[axis], *common[axis + 1 :]),))


def _check_source(op: Operation, source: Shape, wanted: Shape) -> None:
    text = "expected src to have a size equal to the slice of self: src {left}, slice {right}"
    if len(source) != len(wanted):
        op.refuse(Kind.JOIN, f"expected src to have {len(wanted)} dimensions, got {len(source)}")
    for left, right in zip(source, wanted, strict=True):
        op.require_equal(left, right, Kind.JOIN, text)


@size_rule(torch.select_scatter, Tensor.select_scatter)
def _select_scatter(op: Operation, input: Tensor, src: Tensor, dim: int, index: int) -> Result:
    shape = op.shape(input)
    axis = dimension(op, dim, len(shape))
    if not shape or not isinstance(index, int):
        raise NoRule
    check_index(op, shape[axis], index, axis)
    _check_source(op, op.shape(src), (*shape[:axis], *shape[axis + 1 :]))
    return Kernel((shape,))


@size_rule(torch.slice_scatter, Tensor.slice_scatter)
def _slice_scatter(op: Operation, input: Tensor, src: Tensor, dim: int = 0, start: Any = None, end: Any = None,
                   step: int = 1) -> Result:  # fmt: skip
    shape = op.shape(input)
    axis = dimension(op, dim, len(shape))
    if not shape:
        raise NoRule
    length, _ = sliced(op, shape[axis], slice(start, end, step))
    _check_source(op, op.shape(src), (*shape[:axis], length, *shape[axis + 1 :]))
    return Kernel((shape,))


@size_rule(*spellings("index_put"))
def _index_put(op: Operation, input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Result:
    """The values broadcast to what the indices take out; None takes a whole axis."""
    parts = tuple(slice(None) if each is None else each for each in indices)
    if any(is_mask(part) and not is_constant_row(op, part) for part in parts):
        if values.dim():
            raise Unanalysable(f"`{op.name}` through a boolean mask: how many elements it takes depends on values")
    else:
        fits(op, op.shape(values), indexed_shape(op, op.shape(input), parts), "shape mismatch: {left} and {right}")
    return written(op, input)
