"""Differences, areas and correlations along an axis.

https://docs.pytorch.org/docs/stable/generated/torch.diff.html and the pages of its relatives.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.join import joined_shape
from shapelint.ops.view import ones
from shapelint.size.condition import equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, larger, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


def _with(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


@size_rule(torch.diff, Tensor.diff)
def _diff(op: Operation, input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None,
          append: Tensor | None = None) -> Result:  # fmt: skip
    """Each difference shortens the axis by one."""
    shape = op.shape(input)
    if not shape:
        op.refuse(Kind.ARGUMENT, "diff expects input to be at least one-dimensional")
    axis = dimension(op, dim, len(shape))
    for each, order in ((prepend, -1), (append, 1)):
        if each is not None:
            if each.dim() != len(shape):
                op.refuse(Kind.JOIN, "diff expects prepend or append to be the same dimension as input")
            shape = joined_shape(op, [shape, op.shape(each)][::order], axis)
    if symbolic(n) or plain(n) < 0:
        raise NoRule
    made = _with(shape, axis, larger(shape[axis] - plain(n), 0))
    op.layout = ones(made)
    return Kernel((made,))


@size_rule(torch.trapezoid, torch.trapz, torch.cumulative_trapezoid)
def _trapezoid(op: Operation, y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Result:
    """The area below, or all the areas on the way."""
    shape = op.shape(y)
    if x is not None or not shape:
        raise NoRule
    axis = dimension(op, dim, len(shape))
    if op.name == "cumulative_trapezoid":
        return Kernel((_with(shape, axis, larger(shape[axis] - 1, 0)),))
    return Kernel(((*shape[:axis], *shape[axis + 1 :]),))


@size_rule(torch.cov, Tensor.cov, torch.corrcoef, Tensor.corrcoef)
def _cov(op: Operation, input: Tensor, *, correction: int = 1, **weights: Any) -> Result:
    """A matrix of the rows; of a single one a number."""
    shape = op.shape(input)
    if weights or not input.is_floating_point():
        raise NoRule
    if len(shape) > 2:
        op.refuse(Kind.ARGUMENT, f"cov(): expected input to have two or fewer dimensions but got {len(shape)}")
    alone = len(shape) < 2 or op.decide(equal(function_of(shape[0]), constant(1)))
    return Fresh(() if alone else (shape[0], shape[0]), input)


@size_rule(torch.renorm, Tensor.renorm, Tensor.renorm_)
def _renorm(op: Operation, input: Tensor, p: Any, dim: int, maxnorm: Any) -> Result:
    shape = op.shape(input)
    dimension(op, dim, len(shape))
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, "renorm: input needs at least 2 dimensions")
    if op.name.endswith("_"):
        op.writes = input
        return Kernel((shape,))
    return Fresh(shape, input)


@size_rule(torch.gradient)
def _gradient(op: Operation, input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Result:
    """One tensor of the input's shape for each axis."""
    shape = op.shape(input)
    if isinstance(spacing, (tuple, list, Tensor)):
        raise NoRule
    given = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    axes = [dimension(op, axis, len(shape)) for axis in given]
    for axis in axes:
        text = "torch.gradient expected each dimension size to be at least edge_order+1, got {left}"
        op.require_at_least(shape[axis], edge_order + 1, Kind.EMPTY, text)
    return Kernel((shape,) * len(axes))
