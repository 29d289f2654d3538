"""Matrix factorizations, inverses and norms over the last two axes, batched over the others.

https://docs.pytorch.org/docs/stable/linalg.html; requirements: aten/src/ATen/native/LinearAlgebraUtils.h.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.reduce import reduced
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, smaller
from shapelint.trace.recording.arguments import dimensions
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_L = torch.linalg


def _matrix(op: Operation, input: Tensor, *, square: bool) -> tuple[Shape, int, int]:
    """The batch, the rows and the columns."""
    shape = op.shape(input)
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"{op.name}: The input tensor A must have at least 2 dimensions.")
    if square:
        text = f"{op.name}: A must be batches of square matrices, but they are {{left}} by {{right}} matrices"
        op.require_equal(shape[-2], shape[-1], Kind.ARGUMENT, text)
    return tuple(shape[:-2]), shape[-2], shape[-1]


@size_rule(_L.inv, _L.cholesky, _L.matrix_exp, torch.cholesky, torch.inverse, torch.matrix_exp, Tensor.inverse,
           Tensor.matrix_exp, Tensor.cholesky)  # fmt: skip
def _square(op: Operation, input: Tensor, *settings: Any, upper: bool = False) -> Result:
    _matrix(op, input, square=True)
    return Kernel((op.shape(input),))


@size_rule(_L.inv_ex, _L.cholesky_ex)
def _square_and_info(op: Operation, input: Tensor, **settings: Any) -> Result:
    batch, _, _ = _matrix(op, input, square=True)
    return Kernel((op.shape(input), batch))


@size_rule(torch._lu_with_info)  # what `torch.lu` calls
def _lu_with_info(op: Operation, input: Tensor, *, pivot: bool = True, check_errors: bool = True) -> Result:
    if not pivot:
        raise NoRule
    batch, rows, columns = _matrix(op, input, square=False)
    return Kernel((op.shape(input), (*batch, smaller(rows, columns)), batch))


@size_rule(_L.lu_factor, _L.lu_factor_ex, _L.ldl_factor, _L.ldl_factor_ex)
def _factor(op: Operation, input: Tensor, *, pivot: bool = True, **settings: Any) -> Result:
    """The factors in one matrix, the pivots, and for `_ex` one number for each matrix."""
    batch, rows, columns = _matrix(op, input, square="ldl" in op.name)
    if not pivot:
        raise NoRule
    shapes = (op.shape(input), (*batch, smaller(rows, columns)))
    return Kernel((*shapes, batch) if op.name.endswith("_ex") else shapes)


@size_rule(_L.lu)
def _lu(op: Operation, input: Tensor, *, pivot: bool = True) -> Result:
    batch, rows, columns = _matrix(op, input, square=False)
    if not pivot:
        raise NoRule
    least = smaller(rows, columns)
    return Kernel(((*batch, rows, rows), (*batch, rows, least), (*batch, least, columns)))


@size_rule(_L.det, torch.det, Tensor.det, torch.logdet, Tensor.logdet)
def _det(op: Operation, input: Tensor) -> Result:
    return Kernel((_matrix(op, input, square=True)[0],))


@size_rule(_L.slogdet, torch.slogdet, Tensor.slogdet)
def _slogdet(op: Operation, input: Tensor) -> Result:
    return Kernel((_matrix(op, input, square=True)[0],) * 2)


@size_rule(_L.eigh, _L.eig)
def _eig(op: Operation, input: Tensor, *settings: Any, **named: Any) -> Result:
    batch, rows, _ = _matrix(op, input, square=True)
    return Kernel(((*batch, rows), (*batch, rows, rows)))


@size_rule(_L.eigvalsh, _L.eigvals)
def _eigenvalues(op: Operation, input: Tensor, *settings: Any, **named: Any) -> Result:
    batch, rows, _ = _matrix(op, input, square=True)
    return Kernel(((*batch, rows),))


@size_rule(_L.svd)
def _svd(op: Operation, input: Tensor, full_matrices: bool = True, *, driver: Any = None) -> Result:
    batch, rows, columns = _matrix(op, input, square=False)
    least = smaller(rows, columns)
    left, right = (rows, columns) if full_matrices else (least, least)
    return Kernel(((*batch, rows, left), (*batch, least), (*batch, right, columns)))


@size_rule(torch.svd, Tensor.svd)
def _old_svd(op: Operation, input: Tensor, some: bool = True, compute_uv: bool = True) -> Result:
    batch, rows, columns = _matrix(op, input, square=False)
    least = smaller(rows, columns)
    if not compute_uv:
        raise NoRule
    left, right = (least, least) if some else (rows, columns)
    return Kernel(((*batch, rows, left), (*batch, least), (*batch, columns, right)))


@size_rule(_L.svdvals)
def _svdvals(op: Operation, input: Tensor, *, driver: Any = None) -> Result:
    batch, rows, columns = _matrix(op, input, square=False)
    return Kernel(((*batch, smaller(rows, columns)),))


@size_rule(_L.qr, torch.qr, Tensor.qr)
def _qr(op: Operation, input: Tensor, mode: Any = None, *, some: bool = True) -> Result:
    """`mode` of `linalg.qr` is "reduced", "complete" or "r"; of `torch.qr` whether it is reduced."""
    batch, rows, columns = _matrix(op, input, square=False)
    least = smaller(rows, columns)
    complete = mode == "complete" or mode is False or not some
    if mode == "r":
        return Kernel(((0,), (*batch, least, columns)))
    middle = rows if complete else least
    return Kernel(((*batch, rows, middle), (*batch, middle, columns)))


@size_rule(_L.pinv, torch.pinverse, Tensor.pinverse)
def _pinv(op: Operation, input: Tensor, *settings: Any, **named: Any) -> Result:
    if any(isinstance(each, Tensor) for each in (*settings, *named.values())) or named.get("hermitian"):
        raise NoRule
    batch, rows, columns = _matrix(op, input, square=False)
    return Kernel(((*batch, columns, rows),))


@size_rule(_L.matrix_power, torch.matrix_power, Tensor.matrix_power)
def _matrix_power(op: Operation, input: Tensor, n: int) -> Result:
    _matrix(op, input, square=True)
    return Kernel((op.shape(input),))


@size_rule(_L.solve, _L.solve_ex)
def _solve(op: Operation, input: Tensor, other: Tensor, *, left: bool = True, check_errors: bool = False) -> Result:
    """A vector for each matrix where the shapes say so, else matrices that broadcast; `_ex`: a number for each too."""
    batch, rows, _ = _matrix(op, input, square=True)
    shape = op.shape(other)
    if not left or not shape:
        raise NoRule
    info = (batch,) if op.name.endswith("_ex") else ()
    if len(shape) == 1 or _is_vectors(op, batch, rows, shape):
        op.require_equal(shape[-1], rows, Kind.CHANNELS, "linalg.solve: {right} equations for {left} values")
        return Kernel(((*op.broadcast(batch, tuple(shape[:-1])), rows), *info))
    return Kernel((_solution(op, batch, rows, shape), *info))


def _solution(op: Operation, batch: Shape, rows: int, shape: Shape) -> Shape:
    """The shape of what solves the equations of a batch of matrices for right sides that are matrices too."""
    op.require_equal(shape[-2], rows, Kind.CHANNELS, op.name + ": {right} equations for {left} values")
    return (*op.broadcast(batch, tuple(shape[:-2])), rows, shape[-1])


@size_rule(torch.triangular_solve, Tensor.triangular_solve)
def _triangular_solve(op: Operation, input: Tensor, A: Tensor, *settings: Any, **named: Any) -> Result:  # noqa: N803
    """The solution, and the matrices as they are broadcast."""
    shape = op.shape(input)
    batch, rows, columns = _matrix(op, A, square=True)
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, "torch.triangular_solve: Expected b to have at least 2 dimensions")
    solution = _solution(op, batch, rows, shape)
    return Kernel((solution, (*solution[:-2], rows, columns)))


@size_rule(_L.solve_triangular)
def _solve_triangular(op: Operation, input: Tensor, B: Tensor, *, left: bool = True, **settings: Any) -> Result:  # noqa: N803
    """The solution of AX = B, or of XA = B; a triangle that is singular gives infinities."""
    shape = op.shape(B)
    batch, rows, _ = _matrix(op, input, square=True)
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"{op.name}: The input tensor B must have at least 2 dimensions.")
    if left:
        return Kernel((_solution(op, batch, rows, shape),))
    op.require_equal(shape[-1], rows, Kind.CHANNELS, op.name + ": {right} equations for {left} values")
    return Kernel(((*op.broadcast(batch, tuple(shape[:-2])), shape[-2], rows),))


@size_rule(_L.householder_product, torch.orgqr, Tensor.orgqr)
def _householder_product(op: Operation, input: Tensor, tau: Tensor) -> Result:
    batch, rows, columns = _matrix(op, input, square=False)
    reflectors = op.shape(tau)
    if len(reflectors) != len(batch) + 1:
        op.refuse(Kind.ARGUMENT, f"{op.name}: tau of {len(reflectors)} dimensions for {len(batch) + 2} of input")
    op.require_at_least(rows, columns, Kind.ARGUMENT, op.name + ": {left} rows, but {right} columns")
    op.require_at_least(columns, reflectors[-1], Kind.ARGUMENT, op.name + ": {left} columns, but {right} reflectors")
    for size, wanted in zip(reflectors, batch, strict=False):
        op.require_equal(size, wanted, Kind.ARGUMENT, op.name + ": a batch of {left} of tau, of {right} of input")
    return Kernel((op.shape(input),))


def _is_vectors(op: Operation, batch: Shape, rows: int, shape: Shape) -> bool:
    """Whether the right side is one vector for each matrix: it has their shape without the last axis."""
    wanted = (*batch, rows)
    if len(shape) != len(wanted):
        return False
    return all(op.decide(equal(function_of(one), function_of(two))) for one, two in zip(shape, wanted, strict=True))


@size_rule(_L.matrix_norm)
def _matrix_norm(op: Operation, input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,
                 dtype: Any = None) -> Result:  # fmt: skip
    shape = op.shape(input)
    if len(dim) != 2 or len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"linalg.matrix_norm: two dimensions of two or more, got {len(dim)} of {len(shape)}")
    axes = dimensions(op, tuple(dim), len(shape))
    filled = all_of(at_least(function_of(shape[axis]), constant(1)) for axis in axes)
    if ord not in ("fro", "nuc") and not op.decide(filled):
        raise NoRule  # which of these an empty matrix has differs with the order and the version
    return Kernel((reduced(shape, axes, keepdim),))


@size_rule(_L.norm)
def _norm(op: Operation, input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
          dtype: Any = None) -> Result:  # fmt: skip
    """Without an order, the 2-norm of all that is named; with one, that of a vector or of a matrix."""
    shape = op.shape(input)
    if dim is None and ord is not None and len(shape) > 2:
        op.refuse(Kind.ARGUMENT, f"linalg.norm: the tensor must be 1D or 2D with an order, got {len(shape)}D")
    axes = dimensions(op, dim, len(shape))
    if ord not in (None, 2, 1, "fro") or (ord == "fro" and len(axes) != 2) or (len(axes) > 2 and ord is not None):
        raise NoRule
    return Kernel((reduced(shape, axes, keepdim),))
