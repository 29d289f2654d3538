"""Matrix products and embeddings."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.elementwise import fits
from shapelint.ops.index import check_tensor
from shapelint.size.condition import at_least
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.trace.fitting.dtypes import check_dtypes
from shapelint.trace.memory.layout import is_plain_layout
from shapelint.trace.recording.arguments import one_dtype, same_dtype
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_F = torch.nn.functional


def _made(op: Operation, shape: Shape, *tensors: Tensor | None, contiguous: bool = True) -> Result:
    """The product; `contiguous` where PyTorch makes it so whatever the strides of the factors."""
    given = [tensor for tensor in tensors if tensor is not None]
    one_dtype(op, *given)
    usual = same_dtype(*given) and (contiguous or is_plain_layout(*given))
    like = next((tensor for tensor in given if tensor.is_meta), given[0])
    if usual or op.recorder.override("channels") is not None:
        return Fresh(shape, like)
    return Kernel((shape,))


def _inner(op: Operation, left: int, right: int, other: int | str = "n") -> None:
    text = f"mat1 and mat2 shapes cannot be multiplied (...x{{left}} and {{right}}x{other})"
    op.require_equal(left, right, Kind.CHANNELS, text)


@size_rule(_F.linear)
def _linear(op: Operation, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Result:
    """The last size must be the weight's in_features; it becomes out_features."""
    shape, matrix = op.shape(input), op.shape(weight)
    if not shape:
        op.refuse(Kind.ARGUMENT, "both arguments to linear need to be at least 1D, but they are 0D and 2D")
    if not 1 <= len(matrix) <= 2:
        op.refuse(Kind.ARGUMENT, f"linear(): a weight of one or two dimensions is expected, got {len(matrix)}")
    _inner(op, shape[-1], matrix[-1], plain(matrix[0]))
    if len(matrix) == 1:
        if bias is not None:
            raise NoRule
        return _made(op, tuple(shape[:-1]), input, weight)
    result = (*shape[:-1], matrix[0])
    if bias is not None:
        fits(op, op.shape(bias), result)
    return _made(op, result, input, weight, bias)


@size_rule(torch.bilinear)
def _bilinear(op: Operation, input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Result:
    one, two, filters = op.shape(input1), op.shape(input2), op.shape(weight)
    if len(one) != len(two):
        op.refuse(Kind.ARGUMENT, f"bilinear(): input dimensions do not match: got {len(one)} and {len(two)}")
    for left, right in zip(one[:-1], two[:-1], strict=True):
        op.require_equal(
            left, right, Kind.JOIN, "bilinear(): input batch dimensions do not match: got {left} and {right}"
        )
    op.require_equal(one[-1], filters[1], Kind.CHANNELS, "bilinear(): input1 size does not match weight: got {left}")
    op.require_equal(two[-1], filters[2], Kind.CHANNELS, "bilinear(): input2 size does not match weight: got {left}")
    for features in (one[-1], two[-1]):
        op.require_at_least(features, 1, Kind.EMPTY, "bilinear(): cannot reshape tensor of 0 elements")
    if bias is not None:
        op.require_equal(
            op.shape(bias)[0], filters[0], Kind.CHANNELS, "bilinear(): bias size does not match weight size"
        )
    return Kernel(((*one[:-1], filters[0]),))


@size_rule(torch.matmul, Tensor.matmul, Tensor.__matmul__, Tensor.__rmatmul__, torch.linalg.matmul)
def _matmul(op: Operation, input: Tensor, other: Tensor, *, out: Any = None) -> Result:
    """https://docs.pytorch.org/docs/stable/generated/torch.matmul.html"""
    if out is not None:
        raise NoRule
    one, two = op.shape(input), op.shape(other)
    if op.name == "__rmatmul__":
        one, two = two, one
    if not one or not two:
        op.refuse(
            Kind.ARGUMENT, f"both arguments to matmul need to be at least 1D, but they are {len(one)}D and {len(two)}D"
        )
    check_dtypes(op, input, other)
    _inner(op, one[-1], two[-2] if len(two) > 1 else two[0], plain(two[-1]))
    rows = one[-2:-1] if len(one) > 1 else ()
    columns = two[-1:] if len(two) > 1 else ()
    shape = (*op.broadcast(one[:-2], two[:-2]), *rows, *columns)
    return _made(op, shape, input, other, contiguous=len(one) >= len(two))  # else it may compute the transpose


def _matrices(op: Operation, rank: int, *tensors: Tensor) -> list[Shape]:
    shapes = [op.shape(tensor) for tensor in tensors]
    for shape in shapes:
        if len(shape) != rank:
            op.refuse(Kind.ARGUMENT, f"{op.name} expects tensors of {rank} dimensions, got one of {len(shape)}")
    return shapes


@size_rule(torch.mm, Tensor.mm)
def _mm(op: Operation, input: Tensor, mat2: Tensor) -> Result:
    one, two = _matrices(op, 2, input, mat2)
    _inner(op, one[1], two[0], plain(two[1]))
    return _made(op, (one[0], two[1]), input, mat2)


@size_rule(torch.bmm, Tensor.bmm)
def _bmm(op: Operation, input: Tensor, mat2: Tensor) -> Result:
    one, two = _matrices(op, 3, input, mat2)
    text = "batch1 and batch2 must have same number of batches, got {left} and {right}"
    op.require_equal(one[0], two[0], Kind.JOIN, text)
    _inner(op, one[2], two[1], plain(two[2]))
    return _made(op, (one[0], one[1], two[2]), input, mat2)


@size_rule(torch.baddbmm, Tensor.baddbmm)
def _baddbmm(op: Operation, input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Result:
    one, two = _matrices(op, 3, batch1, batch2)
    text = "batch1 and batch2 must have same number of batches, got {left} and {right}"
    op.require_equal(one[0], two[0], Kind.JOIN, text)
    return _added_to(op, input, batch1, batch2)


@size_rule(torch.addmm, Tensor.addmm)
def _addmm(op: Operation, input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Result:
    _matrices(op, 2, mat1, mat2)
    return _added_to(op, input, mat1, mat2)


def _added_to(op: Operation, input: Tensor, mat1: Tensor, mat2: Tensor) -> Result:
    one, two = op.shape(mat1), op.shape(mat2)
    _inner(op, one[-1], two[-2], plain(two[-1]))
    result = (*one[:-1], two[-1])
    fits(op, op.shape(input), result)
    return _made(op, result, mat1, mat2, input)


@size_rule(torch.mv, Tensor.mv, torch.dot, Tensor.dot, torch.vdot, torch.outer, Tensor.outer, torch.ger)
def _vectors(op: Operation, input: Tensor, other: Tensor) -> Result:
    one, two = op.shape(input), op.shape(other)
    if op.name in ("outer", "ger"):
        _matrices(op, 1, input, other)
        outer = (one[0], two[0])
        return _made(op, outer, input, other) if input.dtype is other.dtype else Kernel((outer,))
    _matrices(op, 1, other)
    _matrices(op, 2 if op.name == "mv" else 1, input)
    _inner(op, one[-1], two[0], 1)
    return _made(op, tuple(one[:-1]), input, other)


@size_rule(_F.embedding)
def _embedding(op: Operation, input: Tensor, weight: Tensor, *rest: Any, **named: Any) -> Result:
    """A row of the table for each index."""
    table = op.shape(weight)
    if len(table) != 2:
        op.refuse(Kind.ARGUMENT, "'weight' must be 2-D")
    if input.dtype not in (torch.int64, torch.int32):
        op.refuse(Kind.ARGUMENT, f"embedding wants indices of int64 or int32, but got {str(input.dtype)[6:]}")
    check_padding(op, named.get("padding_idx", rest[0] if rest else None), table[0])
    check_tensor(op, input, table[0])
    return Fresh((*op.shape(input), table[1]), weight)


def check_padding(op: Operation, index: int | None, rows: int) -> None:
    """The row for padding is one of the table; it may count from the end."""
    if index is not None:
        least = constant(index + 1 if index >= 0 else -index)
        text = "padding_idx must be within the {left} embeddings, but got {right}"
        op.require(at_least(function_of(rows), least), Kind.INDEX, text, between=(rows, index))
