"""Functions of `torch` under those of `torch.nn.functional`: the same rules, the arguments in another order."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.index import check_tensor
from shapelint.ops.linear import check_padding
from shapelint.ops.norm import _per_channel as per_channel
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import floating
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import RULES, Fresh, Kernel, NoRule, Operation, Result, size_rule

Tensor = torch.Tensor
_F = torch.nn.functional


@size_rule(torch.batch_norm, torch.instance_norm)
def _batch_norm(op: Operation, input: Tensor, weight: Any, bias: Any, mean: Any, var: Any, statistics: bool,
                *rest: Any) -> Result:  # fmt: skip
    """Unlike those of `torch.nn.functional`, these take one value per channel."""
    shape = op.shape(input)
    if len(shape) < 2 or (not statistics and (mean is None or var is None)):
        raise NoRule
    per_channel(op, shape, shape[1], running_mean=mean, running_var=var, weight=weight, bias=bias)
    return Kernel((shape,))


@size_rule(torch.group_norm)
def _group_norm(op: Operation, input: Tensor, num_groups: int, weight: Any = None, bias: Any = None,
                *rest: Any) -> Result:  # fmt: skip
    return RULES[_F.group_norm](op, input, num_groups, weight, bias)


@size_rule(torch.constant_pad_nd)
def _constant_pad_nd(op: Operation, input: Tensor, pad: Any, value: Any = 0) -> Result:
    return RULES[_F.pad](op, input, pad, "constant", value)


@size_rule(torch.embedding)
def _embedding(op: Operation, weight: Tensor, indices: Tensor, *rest: Any) -> Result:
    return RULES[_F.embedding](op, indices, weight)  # it does not look at the row for padding


@size_rule(_F.embedding_bag)
def _embedding_bag(op: Operation, input: Tensor, weight: Tensor, offsets: Tensor | None = None, *rest: Any,
                   per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
                   **named: Any) -> Result:  # fmt: skip
    """One row for each bag: a row of the input, or what begins at an offset."""
    shape, table = op.shape(input), op.shape(weight)
    if rest or input.is_floating_point():
        raise NoRule
    if len(table) != 2:
        op.refuse(Kind.ARGUMENT, f"weight has to be a 2D Tensor, but got Tensor of dimension {len(table)}")
    floating(op, weight)
    if len(shape) not in (1, 2) or (len(shape) == 2) != (offsets is None):
        op.refuse(Kind.ARGUMENT, "input has to be 2D without offsets, or 1D with them")
    if per_sample_weights is not None:
        _check_weights(op, input, per_sample_weights)
    check_padding(op, named.get("padding_idx"), table[0])
    check_tensor(op, input, table[0])
    if offsets is None:
        op.require_at_least(shape[1], 1, Kind.EMPTY, "embedding_bag: bags of {left} elements")
        return Fresh((shape[0], table[1]), weight)
    op.recorder.leak("the offsets of `embedding_bag` must lie within the input", unseen=True)
    bags = op.shape(offsets)[0]
    return Fresh((bags - 1 if include_last_offset else bags, table[1]), weight)


def _check_weights(op: Operation, input: Tensor, weights: Tensor) -> None:
    one, two = op.shape(input), op.shape(weights)
    if len(one) != len(two):
        op.refuse(Kind.JOIN, "embedding_bag: per_sample_weights must have the same shape as the input")
    for left, right in zip(one, two, strict=True):
        text = "embedding_bag: per_sample_weights must have the same shape as the input: {left}, {right}"
        op.require_equal(left, right, Kind.JOIN, text)


@size_rule(torch._weight_norm)
def _weight_norm(op: Operation, v: Tensor, g: Tensor, dim: int = 0) -> Result:
    """A weight of a direction and a length: both are parameters, so that nothing is asked of the input."""
    shape = op.shape(v)
    if any(map(symbolic, (*shape, *op.shape(g)))) or v.shape[dim] != g.numel():
        raise NoRule
    return Fresh(shape, v, None, v)
