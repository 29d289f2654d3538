"""Adaptive pools: the output size is given, and None keeps the input's.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html; requirements:
aten/src/ATen/native/AdaptiveAveragePooling.cpp and AdaptiveMaxPooling2d.cpp.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from shapelint.ops.pool import checked_lead
from shapelint.size.bound import never_negative
from shapelint.size.condition import all_of, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_format, in_format_of_images
from shapelint.trace.recording.arguments import floating, number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape


def _adaptive_avg_pool(op: Operation, input: torch.Tensor, output_size: Any, *, axes: int) -> Result:
    """The output size that is asked for."""
    shape = op.shape(input)
    checked_lead(op, shape, axes, first=len(shape))
    sizes = _asked(op, shape, output_size, axes)
    mean = is_mean(op, shape, sizes)
    floating(op, input, also=(torch.complex64, torch.complex128) if mean else ())
    return _result(op, input, sizes, indices=False)


def _adaptive_max_pool(
    op: Operation,
    input: torch.Tensor,
    output_size: Any,
    return_indices: bool = False,
    *,
    axes: int,
    indices: bool = False,
) -> Result:
    """The output size that is asked for, and the indices where they are asked for."""
    shape = op.shape(input)
    floating(op, input)
    checked_lead(op, shape, axes, first=1)
    return _result(op, input, _asked(op, shape, output_size, axes), indices=indices)


def is_mean(op: Operation, shape: Shape, sizes: Shape) -> bool:
    """Whether the output has one place, which is the mean; raises where another is asked of an empty input."""
    mean, axes = _is_one(op, sizes, shape), len(sizes)
    if not mean:
        checked_lead(op, shape, axes, first=1 if axes == 3 else len(shape) - axes)
    return mean


def _is_one(op: Operation, sizes: Shape, shape: Shape) -> bool:
    """Whether the output has one place; where that is for a size to say, it is asked only if an axis may be empty."""
    if not all(symbolic(size) or size == 1 for size in sizes):
        return False
    if not any(map(symbolic, sizes)):
        return True
    full = all(never_negative(function_of(n).plus(-1)) for n in shape)
    return not full and op.decide(all_of(equal(function_of(size), constant(1)) for size in sizes))


def _asked(op: Operation, shape: Shape, output_size: Any, axes: int) -> Shape:
    """The output size of each axis; in 1-D PyTorch takes no None."""
    asked = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    if len(asked) != axes or (axes == 1 and asked[0] is None):
        raise NoRule
    pairs = zip(asked, shape[-axes:], strict=True)
    sizes = tuple(n if each is None else number(op, each) for each, n in pairs)
    for size in sizes:
        op.require_at_least(size, 0, Kind.ARGUMENT, "output_size must be at least 0, but got {left}")
    return sizes


def _result(op: Operation, input: torch.Tensor, sizes: Shape, *, indices: bool) -> Result:
    shape, axes = op.shape(input), len(sizes)
    pairs = [(plain(size), max(plain(n), 1)) for size, n in zip(sizes, shape[-axes:], strict=True)]
    op.resamples(axes, (Fraction(*pair) for pair in pairs))
    op.parameters = {"output_size": tuple(size for size, _ in pairs)}
    result = (*shape[:-axes], *sizes)
    if axes == 3 and any(symbolic(size) or size != 1 for size in sizes):
        values = in_format(op, result, input, torch.contiguous_format, input)
    else:
        values = in_format_of_images(op, result, input, axes)
    return (values, replace(values, dtype=torch.int64)) if indices else values


for _axes in (1, 2, 3):
    _max, _avg = f"adaptive_max_pool{_axes}d", f"adaptive_avg_pool{_axes}d"
    size_rule(getattr(functional, _max))(partial(_adaptive_max_pool, axes=_axes))
    _home = torch if _axes == 1 else torch._C._nn
    size_rule(getattr(functional, _max + "_with_indices"), getattr(_home, _max))(
        partial(_adaptive_max_pool, axes=_axes, indices=True)
    )
    size_rule(*{getattr(functional, _avg), getattr(_home, _avg)})(partial(_adaptive_avg_pool, axes=_axes))
