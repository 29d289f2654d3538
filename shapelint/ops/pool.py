"""Max, average and power-average pools.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html, section "Shape"; the clipping of
`ceil_mode` and the requirements are those of aten/src/ATen/native/Pool.h.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from shapelint.size.condition import equal, negate
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_format, in_format_of_images
from shapelint.trace.recording.arguments import floating, per_axis
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def _max_pool(
    op: Operation,
    input: torch.Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    axes: int,
    indices: bool = False,
) -> Result:
    """floor((n + 2p - d(k-1) - 1)/s) + 1; with `ceil_mode` no window begins behind the left padding and the input."""
    floating(op, input, also=() if axes == 1 and not indices else INTEGERS)
    shape = _pooled(op, input, (kernel_size, stride, padding, dilation, ceil_mode), axes)
    if axes == 1 and not indices:
        return in_format(op, shape, input, torch.contiguous_format, input)
    values = in_format_of_images(op, shape, input, axes)
    return (values, replace(values, dtype=torch.int64)) if indices else values


def _avg_pool(
    op: Operation,
    input: torch.Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    axes: int,
) -> Result:
    """floor((n + 2p - k)/s) + 1; in 3-D the kernel must fit into the input without its padding."""
    floating(op, input, also=(torch.int64,), half=axes < 3)
    if divisor_override is not None and axes > 1 and (symbolic(divisor_override) or divisor_override == 0):
        op.require(negate(equal(function_of(divisor_override), constant(0))), Kind.ARGUMENT, "divisor must be not zero")
    shape = _pooled(op, input, (kernel_size, stride, padding, 1, ceil_mode), axes)
    if axes == 3:
        kernel = op.recorder.override("kernel_size", op.name) or per_axis(kernel_size, 3)
        for n, k in zip(op.shape(input)[-3:], kernel, strict=True):
            op.require_at_least(n, k, Kind.KERNEL, "input image ({left}) smaller than kernel size ({right})")
    if axes == 3:
        return in_format(op, shape, input, torch.contiguous_format, input)
    return in_format_of_images(op, shape, input, axes)


def _lp_pool(
    op: Operation,
    input: torch.Tensor,
    norm_type: float,
    kernel_size: Any,
    stride: Any = None,
    ceil_mode: bool = False,
    *,
    axes: int,
) -> Result:
    """An average pool of powers, or a max pool where the power is infinite."""
    if not isinstance(norm_type, (int, float)) or not input.is_floating_point():
        raise NoRule
    several = isinstance(kernel_size, (tuple, list))
    if several and (not math.isinf(norm_type) if axes == 1 else len(kernel_size) != axes):
        op.refuse(Kind.ARGUMENT, f"{op.name} does not take a kernel_size of {len(kernel_size)} numbers")
    if norm_type == 0:
        op.refuse(Kind.ARGUMENT, "float division by zero")
    if math.isinf(norm_type):
        return _max_pool(op, input, kernel_size, stride, 0, 1, ceil_mode, axes=axes)
    return _avg_pool(op, input, kernel_size, stride, 0, ceil_mode, axes=axes)


def _pooled(op: Operation, input: torch.Tensor, window: tuple[Any, ...], axes: int) -> Shape:
    """The shape of a pool's output; states what a pool asks of its input."""
    shape, rounding = op.shape(input), op.recorder.override("ceil_mode", op.name)
    ceil_mode = bool(window[4] if rounding is None else rounding[0])
    kernel, stride, padding, dilation = _window(op, (*window[:4], ceil_mode), axes)
    checked_lead(op, shape, axes)
    op.resamples(axes, (Fraction(1, plain(each)) for each in stride))
    parameters = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    op.parameters = {name: tuple(map(plain, values)) for name, values in parameters.items()}
    op.parameters["ceil_mode"] = (int(ceil_mode),) * axes
    spatial = []
    for n, k, s, p, d in zip(shape[-axes:], kernel, stride, padding, dilation, strict=True):
        reach = d * (k - 1) + 1
        extra = plain(min(2 * p - reach + s - 1, p - 1)) if ceil_mode else 2 * p - reach
        text = f"kernel of reach {plain(reach)} does not fit: the pool's output size {{left}} is too small"
        out = (n + extra) // s + 1
        op.require_at_least(out, 1, Kind.KERNEL, text)
        spatial.append(out)
    return (*shape[:-axes], *spatial)


def _window(op: Operation, window: tuple[Any, ...], axes: int) -> tuple[Shape, Shape, Shape, Shape]:
    """Kernel, stride, padding and dilation of each axis, checked."""
    given = per_axis(window[0], axes)
    stride = given if window[1] is None or window[1] in ((), []) else per_axis(window[1], axes)
    changed = {name: op.recorder.override(name, op.name) for name in ("kernel_size", "stride", "padding")}
    kernel = changed["kernel_size"] or given
    stride = changed["stride"] or (kernel if tuple(map(plain, stride)) == tuple(map(plain, given)) else stride)
    padding, dilation = changed["padding"] or per_axis(window[2], axes), per_axis(window[3], axes)
    if window[4] and any(map(symbolic, (*kernel, *stride))):
        raise NoRule
    for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True):
        op.require_at_least(k, 1, Kind.ARGUMENT, "kernel size should be greater than zero")
        op.require_at_least(s, 1, Kind.ARGUMENT, "stride should be greater than zero")
        op.require_at_least(d, 1, Kind.ARGUMENT, "dilation should be greater than zero")
        op.require_at_least(p, 0, Kind.ARGUMENT, "pad must be non-negative, but got {left}")
        op.require_at_least(k // 2, p, Kind.ARGUMENT, "pad should be at most half of the kernel size: {right}")
    return kernel, stride, padding, dilation


def checked_lead(op: Operation, shape: Shape, axes: int, *, first: int | None = None) -> None:
    """Raises for a rank other than axes + 1 or + 2, and where an axis from `first` on is empty.

    By default that is every axis but the batch.
    """
    if len(shape) not in (axes + 1, axes + 2):
        op.refuse(Kind.AXES, f"Expected {axes + 1}D (unbatched) or {axes + 2}D input, but got {len(shape)}D")
    for n in shape[len(shape) - axes - 1 if first is None else first :]:
        op.require_at_least(n, 1, Kind.EMPTY, f"`{op.name}` of an empty input: only its batch can be empty")


for _axes in (1, 2, 3):
    _pool = f"max_pool{_axes}d"
    size_rule(getattr(functional, _pool), getattr(torch, _pool))(partial(_max_pool, axes=_axes))
    _home = torch if _axes == 1 else torch._C._nn
    size_rule(getattr(functional, _pool + "_with_indices"), getattr(_home, _pool + "_with_indices"))(
        partial(_max_pool, axes=_axes, indices=True)
    )
    size_rule(getattr(functional, f"avg_pool{_axes}d"))(partial(_avg_pool, axes=_axes))
    size_rule(getattr(functional, f"lp_pool{_axes}d"))(partial(_lp_pool, axes=_axes))
