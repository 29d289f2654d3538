"""Normalisations: their shapes stay, but channels must match and most want more than one value per channel.

https://docs.pytorch.org/docs/stable/nn.functional.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from shapelint.size.bound import lower_bound
from shapelint.size.condition import Condition, any_of, at_least, divisible, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import CHANNELS_LAST, in_format, in_suggested_format
from shapelint.trace.recording.arguments import norm_dtypes
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape, elements

Tensor = torch.Tensor
_F = torch.nn.functional
_FEW_VALUES = "Expected more than 1 value per channel when training, got {left}"


def _empty(sizes: Sequence[int]) -> list[Condition]:
    """The conditions on which one of the sizes is 0, where that can be."""
    found = [(function_of(size), lower_bound(function_of(size))) for size in sizes]
    return [equal(size, constant(0)) for size, bound in found if bound is None or bound <= 0]


def _more_than_one(op: Operation, sizes: Sequence[int], text: str) -> None:
    """The product of the sizes must not be 1."""
    count = elements(sizes)
    condition = any_of([at_least(function_of(count), constant(2)), *_empty(sizes)])
    op.require(condition, Kind.NORM, text, between=(count, 2))


def _per_channel(op: Operation, shape: Shape, channels: int, **parameters: Tensor | None) -> None:
    """Each parameter that is there must have one value per channel; of an empty input that is not asked."""
    for name, tensor in parameters.items():
        if tensor is not None:
            values = op.shape(tensor)
            count = values[0] if len(values) == 1 else elements(values)
            if op.settled(channels, count) and not op.recorder.overrides:
                continue
            text = f"{name} should contain {{left}} elements not {{right}}"
            fits = any_of([equal(function_of(channels), function_of(count)), *_empty(shape)])
            op.require(fits, Kind.CHANNELS, text, between=(channels, count))


def _kept(op: Operation, input: Tensor) -> Result:
    """Contiguous, or channels-last where the input is, as on the CPU; the kernels on meta give other strides."""
    layout = CHANNELS_LAST.get(input.dim())
    if layout is not None and not input.is_contiguous() and input.is_contiguous(memory_format=layout):
        return in_format(op, op.shape(input), input, layout, input)
    return in_suggested_format(op, op.shape(input), input)


@size_rule(_F.batch_norm)
def _batch_norm(
    op: Operation,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Result:
    """In training it wants more than one value per channel, in evaluation its statistics."""
    shape = op.shape(input)
    if len(shape) == 1 and not plain(shape[0]):
        raise NoRule
    norm_dtypes(op, input, weight, bias, running_mean, running_var)
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"batch_norm wants at least two dimensions, got {len(shape)}")
    if eps < 0 or (training and not eps):
        wanted = "positive during training" if training else "non-negative"
        op.refuse(Kind.ARGUMENT, f"batch_norm eps must be {wanted}, but got {eps}")
    if training:
        _more_than_one(op, (shape[0], *shape[2:]), _FEW_VALUES)
    elif running_mean is None or running_var is None:
        text = "Expected running_mean and running_var to be defined when training=False"
        op.require(any_of(_empty(shape)), Kind.ARGUMENT, text)
    _per_channel(op, shape, shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    return _kept(op, input)


@size_rule(_F.instance_norm)
def _instance_norm(
    op: Operation,
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Result:
    """With the input's own statistics it wants more than one value per channel of each image."""
    norm_dtypes(op, input, weight, bias, running_mean, running_var)
    shape = op.shape(input)
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"instance_norm wants at least two dimensions, got {len(shape)}")
    if use_input_stats:
        _more_than_one(op, shape[2:], "Expected more than 1 spatial element when training, got {left}")
    elif running_mean is None or running_var is None:
        op.refuse(Kind.ARGUMENT, "Expected running_mean and running_var to be defined when use_input_stats=False")
    _per_channel(op, shape, shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    return Fresh(shape, input)


@size_rule(_F.group_norm)
def _group_norm(
    op: Operation,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Result:
    """The groups must divide the channels; it wants more than one value per group of the whole batch, always.

    Where several of this fail, PyTorch names the groups first; that the layer was built for other channels says more.
    """
    norm_dtypes(op, input, weight, bias)
    shape = op.shape(input)
    if symbolic(num_groups):
        raise NoRule
    if len(shape) < 2:
        op.refuse(Kind.ARGUMENT, f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    op.require_at_least(num_groups, 1, Kind.ARGUMENT, "Expected num groups to be greater than 0, got {left}")
    text = (
        f"Expected number of channels in input to be divisible by num_groups, but got {{left}} and {plain(num_groups)}"
    )
    channels = shape[1]
    _per_channel(op, (), channels, weight=weight, bias=bias)
    op.require(divisible(function_of(channels), plain(num_groups)), Kind.MULTIPLE, text, between=(channels, num_groups))
    _more_than_one(op, (shape[0], channels // num_groups, *shape[2:]), _FEW_VALUES)
    return _kept(op, input)


def _trailing(op: Operation, shape: Shape, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None) -> None:
    if isinstance(normalized_shape, int):
        op.refuse(Kind.ARGUMENT, "normalized_shape must be tuple of ints, not int")
    wanted = tuple(normalized_shape)
    if not wanted or len(wanted) > len(shape):
        op.refuse(Kind.CHANNELS, f"Given normalized_shape={list(wanted)}, got an input of {len(shape)} dimensions")
    op.parameters = {"normalized_shape": tuple(map(plain, wanted))}
    text = "Given normalized_shape={right}, expected input with shape [*, {right}], but got input of size {left}"
    for size, given in zip(shape[-len(wanted) :], wanted, strict=True):
        op.require_equal(size, given, Kind.CHANNELS, text)
    for tensor in (weight, bias):
        if tensor is not None:
            _same_shape(op, op.shape(tensor), wanted)


def _same_shape(op: Operation, shape: Shape, wanted: Shape) -> None:
    text = "Expected weight and bias to be of the same shape as normalized_shape: {left} against {right}"
    if len(shape) != len(wanted):
        op.refuse(Kind.ARGUMENT, text)
    for size, given in zip(shape, wanted, strict=True):
        op.require_equal(size, given, Kind.ARGUMENT, text)


@size_rule(_F.layer_norm, torch.layer_norm)
def _layer_norm(
    op: Operation,
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *rest: Any,
    eps: float = 1e-5,
) -> Result:
    """The last sizes must be the normalized shape."""
    norm_dtypes(op, input, weight, bias)
    _trailing(op, op.shape(input), normalized_shape, weight, bias)
    return Fresh(op.shape(input), input) if input.is_floating_point() else Kernel((op.shape(input),))


@size_rule(_F.rms_norm, torch.rms_norm)
def _rms_norm(
    op: Operation, input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Result:
    _trailing(op, op.shape(input), normalized_shape, weight, None)
    return Fresh(op.shape(input), input) if input.is_floating_point() else Kernel((op.shape(input),))


@size_rule(_F.local_response_norm)
def _local_response_norm(
    op: Operation, input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Result:
    shape = op.shape(input)
    if len(shape) < 3:
        text = f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)"
        op.refuse(Kind.ARGUMENT, text)
    return Kernel((shape,))
