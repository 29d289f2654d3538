"""Diagonals: taken out, put in, and matrices built of them.

https://docs.pytorch.org/docs/stable/generated/torch.diagonal.html and the pages of its relatives.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.elementwise import forget_values
from shapelint.ops.view import ones
from shapelint.size.condition import equal
from shapelint.size.number import function_of, larger, plain, smaller
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _length(rows: int, columns: int, offset: int) -> int:
    """How many elements the diagonal has that starts `offset` columns to the right, or rows below."""
    if not isinstance(offset, int) or symbolic(offset):
        raise NoRule
    offset = plain(offset)
    length = smaller(rows, columns - offset) if offset >= 0 else smaller(rows + offset, columns)
    return larger(length, 0)


def _planes(op: Operation, rank: int, dim1: int, dim2: int) -> tuple[int, int]:
    first, second = dimension(op, dim1, rank), dimension(op, dim2, rank)
    if first == second:
        op.refuse(Kind.ARGUMENT, f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def _diagonal_shape(op: Operation, shape: Shape, offset: int, dim1: int, dim2: int) -> Shape:
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"diagonal: at least two dimensions are wanted, got {len(shape)}")
    first, second = _planes(op, len(shape), dim1, dim2)
    rest = tuple(dim for axis, dim in enumerate(shape) if axis not in (first, second))
    return (*rest, _length(shape[first], shape[second], offset))


@size_rule(torch.diagonal, torch.Tensor.diagonal)
def _diagonal(op: Operation, input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Result:
    op.layout = ones(op.shape(input))
    return Kernel((_diagonal_shape(op, op.shape(input), offset, dim1, dim2),))


@size_rule(torch.linalg.diagonal)
def _linalg_diagonal(op: Operation, input: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Result:
    return _diagonal(op, input, offset, dim1, dim2)


@size_rule(torch.diagonal_scatter, Tensor.diagonal_scatter)
def _diagonal_scatter(op: Operation, input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0,
                      dim2: int = 1) -> Result:  # fmt: skip
    shape, given = op.shape(input), op.shape(src)
    wanted = _diagonal_shape(op, shape, offset, dim1, dim2)
    if len(given) != len(wanted):
        op.refuse(Kind.JOIN, f"expected src to have {len(wanted)} dimensions, got {len(given)}")
    for left, right in zip(given, wanted, strict=True):
        text = "expected src to have a size equal to the diagonal of self: src {left}, diagonal {right}"
        op.require_equal(left, right, Kind.JOIN, text)
    return Kernel((shape,))


@size_rule(torch.diag, Tensor.diag)
def _diag(op: Operation, input: Tensor, diagonal: int = 0) -> Result:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    shape = op.shape(input)
    if len(shape) == 1:
        size = shape[0] + abs(plain(diagonal))
        return Kernel(((size, size),))
    if len(shape) != 2:
        op.refuse(Kind.ARGUMENT, f"diag(): Supports 1D or 2D tensors. Got {len(shape)}D")
    return Kernel(((_length(shape[0], shape[1], diagonal),),))


@size_rule(torch.diagflat, Tensor.diagflat)
def _diagflat(op: Operation, input: Tensor, offset: int = 0) -> Result:
    count = 1
    for dim in op.shape(input):
        count = dim * count
    size = count + abs(plain(offset))
    return Kernel(((size, size),))


@size_rule(torch.diag_embed, Tensor.diag_embed)
def _diag_embed(op: Operation, input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Result:
    """The last axis becomes the diagonal of two new ones."""
    shape = op.shape(input)
    if not shape:
        raise NoRule
    first, second = _planes(op, len(shape) + 1, dim1, dim2)
    result = list(shape[:-1])
    size = shape[-1] + abs(plain(offset))
    for axis in sorted((first, second)):
        result.insert(axis, size)
    return Kernel((tuple(result),))


@size_rule(torch.trace, Tensor.trace)
def _trace(op: Operation, input: Tensor) -> Result:
    if input.dim() != 2:
        op.refuse(Kind.ARGUMENT, f"trace: expected a matrix, but got tensor with dim {input.dim()}")
    return Fresh((), input) if input.is_floating_point() else Kernel(((),))


@size_rule(Tensor.fill_diagonal_)
def _fill_diagonal(op: Operation, input: Tensor, fill_value: Any, wrap: bool = False) -> Result:
    """Above two dimensions all must be the same."""
    shape = op.shape(input)
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, "dimensions must larger than 1")
    for size in shape[1:] if len(shape) > 2 else ():
        op.require_equal(shape[0], size, Kind.ARGUMENT, "all dimensions of input must be of equal length")
    forget_values(op, input)
    op.writes = input
    return Kernel((shape,))


@size_rule(torch.tril_indices, torch.triu_indices)
def _tril_indices(op: Operation, row: int, col: int, offset: int = 0, **options: Any) -> Result:
    """Of a square matrix with a diagonal that starts in its corner, n (n + 1)/2 places; of others no formula."""
    if any(symbolic(each) for each in (row, col, offset)):
        square = op.decide(equal(function_of(row), function_of(col)))
        shift = plain(offset) if op.name == "tril_indices" else -plain(offset)
        if not square or symbolic(offset) or shift not in (0, -1):
            raise NoRule
        return Fresh((2, row * (row + 1 + 2 * shift) // 2), torch.empty(0, dtype=torch.int64, device="meta"))
    return Kernel((None,))


@size_rule(torch.block_diag)
def _block_diag(op: Operation, *tensors: Tensor) -> Result:
    """The rows add up, and the columns; a vector is one row."""
    rows, columns = 0, 0
    for tensor in tensors:
        shape = op.shape(tensor)
        if len(shape) > 2:
            op.refuse(Kind.ARGUMENT, f"torch.block_diag: a tensor of {len(shape)} dimensions, not of 2 or fewer")
        height, width = (1,) * (2 - len(shape)) + shape
        rows, columns = rows + height, columns + width
    return Kernel(((rows, columns),))
