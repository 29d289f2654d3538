"""Products beyond `matmul`: with a third tensor added, over chosen axes, outer and between pairs of points.

https://docs.pytorch.org/docs/stable/torch.html#blas-and-lapack-operations; requirements:
aten/src/ATen/native/LinearAlgebra.cpp and Distance.cpp.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch

from shapelint.ops.elementwise import fits, forget_values
from shapelint.size.condition import any_of, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import dimension, dimensions
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule, spellings
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _ranks(op: Operation, wanted: tuple[int, ...], *shapes: Shape) -> None:
    for shape, rank in zip(shapes, wanted, strict=True):
        if len(shape) != rank:
            op.refuse(Kind.ARGUMENT, f"{op.name}: expected a tensor of {rank} dimensions, got {len(shape)}")


def _inner(op: Operation, left: int, right: int) -> None:
    op.require_equal(left, right, Kind.CHANNELS, f"{op.name}: sizes do not fit: {{left}} and {{right}}")


def _added(op: Operation, input: Tensor, result: Shape) -> Result:
    """The input broadcasts to the result; where it is written to, it has its size."""
    if not op.name.endswith("_"):
        fits(op, op.shape(input), result)
        return Kernel((result,))
    shape = op.shape(input)
    _ranks(op, (len(result),), shape)
    for left, right in zip(shape, result, strict=True):
        op.require_equal(left, right, Kind.JOIN, f"{op.name}: a result of {{right}} does not fit {{left}}")
    forget_values(op, input)
    op.writes = input
    return Kernel((result,))


@size_rule(*spellings("addmv"))
def _addmv(op: Operation, input: Tensor, mat: Tensor, vec: Tensor, **options: Any) -> Result:
    one, two = op.shape(mat), op.shape(vec)
    _ranks(op, (2, 1), one, two)
    _inner(op, one[1], two[0])
    return _added(op, input, (one[0],))


@size_rule(*spellings("addr"))
def _addr(op: Operation, input: Tensor, vec1: Tensor, vec2: Tensor, **options: Any) -> Result:
    one, two = op.shape(vec1), op.shape(vec2)
    _ranks(op, (1, 1), one, two)
    return _added(op, input, (one[0], two[0]))


@size_rule(*spellings("addbmm"))
def _addbmm(op: Operation, input: Tensor, batch1: Tensor, batch2: Tensor, **options: Any) -> Result:
    """The products of all pairs of matrices, added up."""
    one, two = op.shape(batch1), op.shape(batch2)
    _ranks(op, (3, 3), one, two)
    op.require_equal(one[0], two[0], Kind.JOIN, "addbmm: {left} matrices and {right}")
    _inner(op, one[2], two[1])
    result = (one[1], two[2])
    if op.name == "addbmm_" and not (input.dim() == 2 and all(map(op.settled, op.shape(input), result))):
        raise NoRule  # it makes a smaller input as large as the result
    return _added(op, input, result)


@size_rule(Tensor.addmm_, Tensor.baddbmm_)
def _addmm_(op: Operation, input: Tensor, mat1: Tensor, mat2: Tensor, **options: Any) -> Result:
    one, two = op.shape(mat1), op.shape(mat2)
    rank = 2 if op.name == "addmm_" else 3
    _ranks(op, (rank, rank), one, two)
    for left, right in zip(one[:-2], two[:-2], strict=True):
        op.require_equal(left, right, Kind.JOIN, "baddbmm_: {left} matrices and {right}")
    _inner(op, one[-1], two[-2])
    return _added(op, input, (*one[:-1], two[-1]))


@size_rule(torch.inner, Tensor.inner)
def _inner_product(op: Operation, input: Tensor, other: Tensor) -> Result:
    """Over the last axis of both; a tensor without dimensions scales the other."""
    one, two = op.shape(input), op.shape(other)
    if not one or not two:
        return Kernel((one or two,))
    _inner(op, one[-1], two[-1])
    return Kernel(((*one[:-1], *two[:-1]),))


@size_rule(Tensor.ger, Tensor.vdot)
def _vectors(op: Operation, input: Tensor, vec2: Tensor) -> Result:
    one, two = op.shape(input), op.shape(vec2)
    _ranks(op, (1, 1), one, two)
    if op.name == "ger":
        return Kernel(((one[0], two[0]),))
    _inner(op, one[0], two[0])
    return Kernel(((),))


@size_rule(*{torch.tensordot, torch.functional.tensordot})
def _tensordot(op: Operation, a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Result:
    """Over the last axes of the first and the first ones of the second, or over the axes named."""
    if out is not None:
        raise NoRule
    one, two = op.shape(a), op.shape(b)
    if isinstance(dims, Tensor):
        raise NoRule
    if isinstance(dims, int):
        if not 0 <= dims <= min(len(one), len(two)):
            op.refuse(Kind.ARGUMENT, f"tensordot expects 0 <= dims <= the dimensions of both tensors, but got {dims}")
        left, right = tuple(range(len(one) - dims, len(one))), tuple(range(dims))
    else:
        left, right = (_listed(op, axes, len(shape)) for axes, shape in zip(dims, (one, two), strict=True))
    if len(left) != len(right):
        op.refuse(Kind.ARGUMENT, f"both dimension lists should have same length, got {len(left)} and {len(right)}")
    for first, second in zip(left, right, strict=True):
        if function_of(one[first]).constant != 1 and function_of(two[second]).constant != 1:
            _unit_or_same(op, one[first], two[second])
    rest = [dim for axis, dim in enumerate(one) if axis not in left]
    return Kernel(((*rest, *(dim for axis, dim in enumerate(two) if axis not in right)),))


def _listed(op: Operation, axes: Any, rank: int) -> tuple[int, ...]:
    if isinstance(axes, int):
        axes = (axes,)
    return dimensions(op, axes, rank) if axes else ()


def _unit_or_same(op: Operation, left: int, right: int) -> None:
    """An axis of size 1 is broadcast."""
    one, two, unit = function_of(left), function_of(right), constant(1)
    fit = any_of([equal(one, two), equal(one, unit), equal(two, unit)])
    op.require(fit, Kind.CHANNELS, "contracted dimensions need to match, but first has size {left}, second {right}",
               between=(left, right))  # fmt: skip


@size_rule(torch.kron, Tensor.kron)
def _kron(op: Operation, input: Tensor, other: Tensor) -> Result:
    one, two = op.shape(input), op.shape(other)
    rank = max(len(one), len(two))
    one, two = (1,) * (rank - len(one)) + tuple(one), (1,) * (rank - len(two)) + tuple(two)
    return Kernel((tuple(left * right for left, right in zip(one, two, strict=True)),))


@size_rule(*{torch.cdist, torch.functional.cdist})
def _cdist(op: Operation, x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "") -> Result:
    """(..., P, M) and (..., R, M) give (..., P, R)."""
    one, two = op.shape(x1), op.shape(x2)
    for number, shape in ((1, one), (2, two)):
        if len(shape) < 2:
            op.refuse(Kind.ARGUMENT, f"cdist only supports at least 2D tensors, X{number} got: {len(shape)}D")
    text = "X1 and X2 must have the same number of columns. X1: {left} X2: {right}"
    op.require_equal(one[-1], two[-1], Kind.CHANNELS, text)
    return Kernel(((*op.broadcast(one[:-2], two[:-2]), one[-2], two[-2]),))


@size_rule(*spellings("pdist", inplace=False))
def _pdist(op: Operation, input: Tensor, p: float = 2) -> Result:
    """One distance for each pair of rows."""
    shape = op.shape(input)
    _ranks(op, (2,), shape)
    return Fresh(((shape[0] - 1) * shape[0] // 2,), input)


@size_rule(*{torch.functional.chain_matmul, torch.chain_matmul}, torch.linalg.multi_dot)
def _chain(op: Operation, *matrices: Any, out: Any = None) -> Result:
    """A product of matrices; the first and the last may be vectors for `multi_dot`."""
    given = list(matrices[0]) if len(matrices) == 1 and isinstance(matrices[0], (tuple, list)) else list(matrices)
    shapes = [op.shape(each) for each in given]
    vectors = op.name.endswith("multi_dot")
    if out is not None or len(shapes) < 2:
        raise NoRule
    for place, shape in enumerate(shapes):
        if len(shape) != 2 and not (vectors and len(shape) == 1 and place in (0, len(shapes) - 1)):
            op.refuse(Kind.ARGUMENT, f"{op.name}: tensor {place} must be 2D but got {len(shape)}D")
    for left, right in pairwise(shapes):
        _inner(op, left[-1], right[0])
    return Kernel(((*shapes[0][:-1], *shapes[-1][1:]),))


@size_rule(torch.cross, Tensor.cross, torch.linalg.cross)
def _cross(op: Operation, input: Tensor, other: Tensor, dim: Any = None) -> Result:
    """Along an axis of size 3; without a name, `torch.cross` takes the first that has it."""
    one, two = op.shape(input), op.shape(other)
    if dim is None and "linalg" not in op.name:
        dim = next((axis for axis, size in enumerate(one) if op.decide(equal(function_of(size), function_of(3)))), None)
        if dim is None:
            op.refuse(Kind.ARGUMENT, "no dimension of size 3 in input")
    if len(one) != len(two):
        op.refuse(Kind.ARGUMENT, f"linalg.cross: inputs of {len(one)} and {len(two)} dimensions")
    axis = dimension(op, -1 if dim is None else dim, len(one))
    text = f"linalg.cross: inputs dimension {axis} must have length 3. Got {{left}}"
    for size in (one[axis], two[axis]):
        op.require_equal(size, 3, Kind.CHANNELS, text)
    return Kernel((op.broadcast(one, two),))


@size_rule(torch._grouped_mm)
def _grouped(op: Operation, input: Tensor, mat2: Tensor, *, offs: Any = None, **options: Any) -> Result:
    """(S, K) rows and (E, K, N) matrices give (S, N), whatever `offs` says of which rows meet which matrix.

    Covers single precision where all rows (or columns) of the factors and the result are whole times 16 bytes.
    """
    one, two = op.shape(input), op.shape(mat2)
    if (len(one), len(two)) != (2, 3) or not isinstance(offs, Tensor) or set(options.values()) - {None}:
        raise NoRule
    if any(map(symbolic, two)) or {input.dtype, mat2.dtype} != {torch.float32}:
        raise NoRule
    _inner(op, one[1], two[1])
    for condition in (*op.recorder.known[id(input)].layout, *op.recorder.known[id(mat2)].layout):
        op.decide(condition)
    columns, rows = two[1:]
    whole = all(width and width % 4 == 0 for width in (columns, rows))
    if not whole or input.stride() != (columns, 1) or mat2.stride()[1:] not in ((rows, 1), (1, columns)):
        raise NoRule
    if offs.dtype is not torch.int32 or op.shape(offs) != (two[0],):
        raise NoRule
    return Fresh((one[0], rows), input)


@size_rule(torch.dist, Tensor.dist)
def _dist(op: Operation, input: Tensor, other: Tensor, p: Any = 2) -> Result:
    op.broadcast(op.shape(input), op.shape(other))
    return Kernel(((),))


@size_rule(*spellings("pairwise_distance", inplace=False))
def _pairwise_distance(op: Operation, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6,
                       keepdim: bool = False) -> Result:  # fmt: skip
    """The distance along the last axis of the two when broadcast."""
    one, two = op.shape(x1), op.shape(x2)
    shape = op.broadcast(one, two)
    if not shape:
        raise NoRule
    return Kernel(((*shape[:-1], 1) if keepdim else shape[:-1],))


@size_rule(torch.linalg.vecdot)
def _vecdot(op: Operation, x: Tensor, y: Tensor, *, dim: int = -1) -> Result:
    shape = op.broadcast(op.shape(x), op.shape(y))
    axis = dimension(op, dim, len(shape))
    return Kernel(((*shape[:axis], *shape[axis + 1 :]),))


@size_rule(torch.functional.cartesian_prod)
def _cartesian_prod(op: Operation, *tensors: Tensor) -> Result:
    """One row for each choice of one element of every tensor."""
    shapes = [op.shape(tensor) for tensor in tensors]
    _ranks(op, (1,) * len(shapes), *shapes)
    count = 1
    for shape in shapes:
        count = shape[0] * count
    return Kernel(((count, len(shapes)) if len(shapes) > 1 else (count,),))
