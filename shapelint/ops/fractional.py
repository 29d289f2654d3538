"""Fractional max pools, whose windows lie at random places.

https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html; requirements:
aten/src/ATen/native/FractionalMaxPooling.h.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from shapelint.ops.pool import checked_lead
from shapelint.ops.resize import scaled
from shapelint.size.number import plain
from shapelint.trace.recording.arguments import number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape


def _fractional(
    op: Operation,
    input: torch.Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    axes: int,
    indices: bool = False,
) -> Result:
    """The size that is asked for, or int(n * output_ratio)."""
    if _random_samples is not None:
        raise NoRule
    if output_size is None and output_ratio is None:
        op.refuse(Kind.ARGUMENT, f"{op.name} requires specifying either an output_size or an output_ratio")
    shape = op.shape(input)
    checked_lead(op, shape, axes)
    if not input.is_floating_point():
        op.refuse(Kind.ARGUMENT, f"{op.name} not implemented for {input.dtype}")
    sizes = _sizes(op, shape[-axes:], output_size, output_ratio)
    kernel = [number(op, each) for each in _listed(op, kernel_size, axes, "kernel_size")]
    for n, k, out in zip(shape[-axes:], kernel, sizes, strict=True):
        op.require_at_least(k, 0, Kind.ARGUMENT, "kernel size should not be negative")
        op.require_at_least(out, 0, Kind.EMPTY, "Trying to create tensor with negative dimension {left}")
        text = f"pool of {plain(k)} too large relative to input {{left}} for the output: it takes {{right}}"
        op.require_at_least(n, out + k - (1 if axes == 2 else 0), Kind.KERNEL, text)
    op.resamples(axes, (Fraction(plain(out), max(plain(n), 1)) for n, out in zip(shape[-axes:], sizes, strict=True)))
    op.parameters = {"kernel_size": tuple(map(plain, kernel))}
    result = (*shape[:-axes], *sizes)
    return (Fresh(result, input), Fresh(result, input, torch.int64)) if indices else Fresh(result, input)


def _sizes(op: Operation, spatial: Shape, output_size: Any, output_ratio: Any) -> Shape:
    axes = len(spatial)
    if output_size is not None:
        return tuple(number(op, each) for each in _listed(op, output_size, axes, "output_size"))
    if axes == 2 and not isinstance(output_ratio, (tuple, list)):
        op.refuse(Kind.ARGUMENT, "object of type 'float' has no len()")
    ratios = _listed(op, output_ratio, axes, "output_ratio")
    return tuple(scaled(op, n, ratio) for n, ratio in zip(spatial, ratios, strict=True))


def _listed(op: Operation, value: Any, axes: int, name: str) -> tuple[Any, ...]:
    """A number for each axis; unlike elsewhere, a tuple of one does not stand for all."""
    if not isinstance(value, (tuple, list)):
        return (value,) * axes
    if len(value) != axes:
        op.refuse(Kind.ARGUMENT, f"{op.name}: {name} must either be a single number or {axes}, but got {len(value)}")
    return tuple(value)


for _axes in (2, 3):
    _name = f"fractional_max_pool{_axes}d"
    size_rule(getattr(functional, _name))(partial(_fractional, axes=_axes))
    size_rule(getattr(functional, _name + "_with_indices"))(partial(_fractional, axes=_axes, indices=True))
