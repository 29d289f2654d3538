"""Reductions over axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

from shapelint.ops.elementwise import _binary
from shapelint.trace.recording.arguments import dimension, dimensions
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import (
    RULES,
    Fresh,
    Kernel,
    NoRule,
    Operation,
    Result,
    size_rule,
    spellings,
)
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def reduced(shape: Shape, axes: tuple[int, ...], keepdim: bool) -> Shape:
    """The shape without the axes, or with 1 in their place."""
    if keepdim:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


def _check_some(op: Operation, shape: Shape, axes: tuple[int, ...]) -> None:
    """A largest element needs elements."""
    for axis in axes if shape else ():
        text = f"{op.name}(): Expected reduction dim {axis} to have non-zero size."
        op.require_at_least(shape[axis], 1, Kind.EMPTY, text)


def _made(shape: Shape, input: Tensor, dtype: Any = None) -> Result:
    known = input.is_floating_point() or input.is_complex()
    return Fresh(shape, input, dtype) if known else Kernel((shape,))


def _sum(op: Operation, input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Result:
    """sum, mean and the like: (input, dim, keepdim)."""
    if isinstance(dim, torch.dtype):
        raise NoRule
    shape = op.shape(input)
    made = input.dtype if dtype is None else dtype
    if op.name != "mean" or made.is_floating_point or made.is_complex:
        return _made(reduced(shape, dimensions(op, dim, len(shape)), keepdim), input, dtype)
    op.refuse(
        Kind.ARGUMENT, "mean(): could not infer output dtype. Input dtype must be a floating point or complex dtype"
    )
    raise AssertionError


def _named(dim: Any, axis: Any, keepdim: bool, keepdims: Any) -> tuple[Any, bool]:
    return dim if axis is None else axis, keepdim if keepdims is None else keepdims


def _reduction(op: Operation, input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None,
               keepdims: Any = None, dtype: Any = None) -> Result:  # fmt: skip
    dim, keepdim = _named(dim, axis, keepdim, keepdims)
    return _sum(op, input, dim, keepdim, dtype=dtype)


def _extreme(op: Operation, input: Tensor, dim: Any = (), keepdim: bool = False) -> Result:
    """amax, amin, aminmax: (input, dim, keepdim) over axes that are not empty."""
    shape = op.shape(input)
    axes = dimensions(op, dim, len(shape))
    _check_some(op, shape, axes)
    return _made(reduced(shape, axes, keepdim), input)


def _one_axis(op: Operation, input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Result:
    """all, any, prod, argmax, argmin: over one axis or all; no axes at all are none for `all` and `any`."""
    shape = op.shape(input)
    axes = () if dim in ((), []) else dimensions(op, dim, len(shape))
    if op.name.startswith("arg"):
        _check_some(op, shape, axes)
        return Fresh(reduced(shape, axes, keepdim), input, torch.int64)
    if op.name == "prod":
        return _made(reduced(shape, axes, keepdim), input, dtype)
    return (
        Fresh(reduced(shape, axes, keepdim), input, torch.bool)
        if input.dtype is not torch.uint8
        else Kernel((reduced(shape, axes, keepdim),))
    )


def _log_sum(op: Operation, input: Tensor, dim: Any, keepdim: bool = False) -> Result:
    if dim in ((), []):
        raise NoRule
    shape = op.shape(input)
    return _made(reduced(shape, dimensions(op, dim, len(shape)), keepdim), input)


def _spread(op: Operation, input: Tensor, dim: Any = None, *rest: Any, keepdim: bool = False, **named: Any) -> Result:
    """var and std: (input, dim, unbiased, keepdim) or (input, unbiased)."""
    if isinstance(dim, bool) or set(named) - {"correction", "unbiased"}:
        raise NoRule
    keepdim = rest[1] if len(rest) > 1 else keepdim
    shape = op.shape(input)
    result = reduced(shape, dimensions(op, dim, len(shape)), keepdim)
    if not (input.is_floating_point() or input.is_complex()):
        op.refuse(Kind.ARGUMENT, f"{op.name} only support floating point and complex dtypes")
    spread = Fresh(result, input, input.dtype.to_real())
    return (spread, Fresh(result, input)) if "_" in op.name else spread


def _norm(op: Operation, input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *rest: Any,
          dtype: Any = None, out: Any = None) -> Result:  # fmt: skip
    """norm and vector_norm: (input, p, dim, keepdim); the largest or smallest of no numbers is none."""
    if out is not None:
        raise NoRule
    shape = op.shape(input)
    axes = dimensions(op, dim, len(shape))
    if isinstance(p, int | float) and (p < 0 or p == math.inf):
        _check_some(op, shape, axes)
    result = reduced(shape, axes, keepdim)
    return Fresh(result, input, (dtype or input.dtype).to_real()) if input.is_complex() else _made(result, input, dtype)


def _vector_norm(
    op: Operation, x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Result:
    return _norm(op, x, ord, dim, keepdim, dtype=dtype)


def _pair(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    """max, min, median, mode: all, one axis with its indices, or two tensors."""
    other = named.get("other", rest[0] if rest else None)
    if isinstance(other, Tensor):
        return _binary(op, input, other, kind="arithmetic")
    shape = op.shape(input)
    if not rest and not named:
        if op.name == "mode":
            return _indices(op, shape, -1, False)
        _check_some(op, shape, tuple(range(len(shape))) if op.name in ("max", "min") else ())
        return Kernel(((),))
    dim = named.get("dim", rest[0] if rest else -1)
    return _indices(op, shape, dim, named.get("keepdim", rest[1] if len(rest) > 1 else False))


def _indices(op: Operation, shape: Shape, dim: int, keepdim: bool) -> Result:
    axis = dimension(op, dim, len(shape))
    _check_some(op, shape, (axis,))
    return Kernel((reduced(shape, (axis,), keepdim),) * 2)


def _ordered(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    """sort, cummax, cummin: the input's shape, twice."""
    shape = op.shape(input)
    dim = named.get("dim", rest[0] if rest and not isinstance(rest[0], bool) else -1)
    dimension(op, dim, len(shape))
    return Kernel((shape,) if op.name == "argsort" else (shape, shape))


@size_rule(torch.topk, Tensor.topk)
def _topk(op: Operation, input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Result:
    shape = op.shape(input)
    axis = dimension(op, dim, len(shape))
    if not shape:
        raise NoRule
    op.require_at_least(k, 0, Kind.INDEX, "selected index k out of range")
    op.require_at_least(shape[axis], k, Kind.INDEX, "selected index k out of range")
    return Kernel(((*shape[:axis], k, *shape[axis + 1 :]),) * 2)


def _register(rule: Any, names: Iterable[str], *more: Any) -> None:
    functions = dict.fromkeys([*(each for name in names for each in spellings(name, inplace=False)), *more])
    size_rule(*(function for function in functions if function not in RULES))(rule)


@size_rule(torch._is_all_true, torch._is_any_true)
def _truth(op: Operation, input: Tensor) -> Result:
    """Whether all or any of a boolean tensor's elements hold, as `torch.distributions` asks of its arguments."""
    if input.dtype is not torch.bool:
        raise NoRule
    return Fresh((), input)



_register(_reduction, ("sum", "mean", "nansum", "nanmean"))
_register(_extreme, ("amax", "amin"))
_register(_one_axis, ("all", "any", "argmax", "argmin", "prod"))
_register(_log_sum, ("logsumexp",))
_register(_spread, ("var", "std", "var_mean", "std_mean"))
_register(_norm, ("norm",))
_register(_vector_norm, (), torch.linalg.vector_norm)
_register(_pair, ("max", "min", "median", "nanmedian", "mode"))
_register(_ordered, ("sort", "argsort", "cummax", "cummin"))
