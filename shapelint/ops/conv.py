"""Convolutions and transposed convolutions.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html and
https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html, section "Shape".
Requirements: `check_shape_forward` of aten/src/ATen/native/Convolution.cpp.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import torch

from shapelint.size.condition import at_least, product
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_format, in_order, suggested_format
from shapelint.trace.recording.arguments import outside_autocast, per_axis
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

_Settings = tuple[Shape, Shape, Shape, int]  # kernel, stride, dilation, groups


def _conv(
    op: Operation,
    input: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    axes: int,
) -> Result:
    """floor((n + 2p - d(k-1) - 1)/s) + 1 for each spatial axis."""
    if not outside_autocast(input, weight, bias):
        op.refuse(Kind.ARGUMENT, "Input type, weight type and bias type should be the same")
    shape, filters = op.shape(input), _filters(op, weight, axes, groups)
    change = partial(op.recorder.override, function=op.name)
    stride = change("stride") or per_axis(stride, axes)
    dilation = change("dilation") or per_axis(dilation, axes)
    kernel, padding = change("kernel_size") or filters[2:], change("padding") or padding
    lead = _checked_lead(op, shape, axes, filters[1] * groups)
    _check_arguments(op, input, stride, dilation)
    _check_bias(op, bias, filters[0])
    padding = 0 if padding == "valid" else padding
    total = _total_padding(op, padding, kernel, stride, dilation)
    op.resamples(axes, (Fraction(1, plain(each)) for each in stride))
    _remember(op, kernel_size=kernel, stride=stride, dilation=dilation, padding_total=total)
    if not isinstance(padding, str):
        _remember(op, padding=per_axis(padding, axes))
    spatial = []
    for n, k, s, p, d in zip(shape[-axes:], kernel, stride, total, dilation, strict=True):
        reach = d * (k - 1) + 1
        op.require_at_least(n + p, reach, Kind.KERNEL, f"Kernel size {reach} can't be greater than {{left}}")
        op.require_at_least(n, 1, Kind.EMPTY, "only the batch of a convolution's input can be empty")
        spatial.append((n + p - reach) // s + 1)
    return _output(op, (*lead, filters[0], *spatial), input, weight, (kernel, stride, dilation, groups))


def _conv_transpose(
    op: Operation,
    input: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
    *,
    axes: int,
) -> Result:
    """(n-1)s - 2p + d(k-1) + output_padding + 1 for each spatial axis."""
    if not outside_autocast(input, weight):
        op.refuse(Kind.ARGUMENT, "Input type and weight type should be the same")
    shape, filters = op.shape(input), _filters(op, weight, axes, groups)
    change = partial(op.recorder.override, function=op.name)
    stride = change("stride") or per_axis(stride, axes)
    dilation = change("dilation") or per_axis(dilation, axes)
    kernel, padding = change("kernel_size") or filters[2:], change("padding") or per_axis(padding, axes)
    padding = _not_negative(op, padding, "padding")
    extra = _not_negative(op, _own_padding(op, output_padding) or per_axis(output_padding, axes), "output_padding")
    lead = _checked_lead(op, shape, axes, filters[0])
    _check_arguments(op, input, stride, dilation)
    _check_bias(op, bias, filters[1] * groups)
    op.resamples(axes, map(plain, stride))
    _remember(op, kernel_size=kernel, stride=stride, dilation=dilation, padding=padding, output_padding=extra)
    spatial = []
    for n, k, s, p, d, e in zip(shape[-axes:], kernel, stride, padding, dilation, extra, strict=True):
        text = f"output padding must be smaller than either stride or dilation, but got {{right}}, {s} and {d}"
        op.require_at_least(max(s, d) - 1, e, Kind.OUTPUT_PADDING, text)
        op.require_at_least(n, 1, Kind.EMPTY, "only the batch of a convolution's input can be empty")
        out = (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        _check_not_empty(op, out)
        spatial.append(out)
    wanted = _stretched(op, spatial, stride, with_places=isinstance(output_padding, list))
    return _output(op, (*lead, filters[1] * groups, *wanted), input, weight, (kernel, stride, dilation, groups))


def _own_padding(op: Operation, output_padding: Any) -> Shape | None:
    """What a repair gives a layer, unless the layer was told its size: then it hands over what it computed, a list."""
    return None if isinstance(output_padding, list) else op.recorder.override("output_padding")


def _stretched(op: Operation, spatial: list[int], stride: Shape, *, with_places: bool) -> list[int]:
    """The size that a repair asks for by `output_size=`, which must lie within one stride of the smallest one."""
    wanted = op.recorder.override("output_size")
    if wanted is None:
        if with_places:
            _remember(op, output_size=tuple(spatial))
        return spatial
    text = "requested an output size of {right}, but valid sizes begin at or end before {left}"
    for least, size, step in zip(spatial, wanted, stride, strict=True):
        op.require_at_least(size, least, Kind.ARGUMENT, text)
        op.require_at_least(least + step - 1, size, Kind.ARGUMENT, text)
    return list(wanted)


def _check_not_empty(op: Operation, out: int) -> None:
    """A negative size raises; for 0 some of PyTorch's backends raise and others give an empty tensor."""
    text = "output size {left} is too small"
    op.require_at_least(out, 0, Kind.EMPTY, text)
    if not op.decide(at_least(function_of(out), function_of(1))):
        op.recorder.leak("an empty output of a transposed convolution depends on the backend")
        op.require_at_least(out, 1, Kind.EMPTY, text)


def _filters(op: Operation, weight: torch.Tensor, axes: int, groups: Any) -> Shape:
    """The shape of the weight, whose first dimension the groups must divide."""
    filters = op.shape(weight)
    if len(filters) != axes + 2 or not isinstance(groups, int):
        raise NoRule
    if groups < 1:
        op.refuse(Kind.ARGUMENT, "non-positive groups is not supported")
    empty = [_is_empty(op, each) for each in filters]
    if empty[0] and not op.name.startswith("conv_transpose"):
        op.refuse(Kind.ARGUMENT, f"expected weight to be at least {groups} at dimension 0, but it has none")
    if any(empty[2:]) and not any(empty[:2]):
        op.refuse(Kind.ARGUMENT, "kernel size should be greater than zero")
    if any(empty):
        raise NoRule
    if filters[0] % groups:
        op.refuse(Kind.ARGUMENT, f"expected weight to be divisible by {groups} at dimension 0, got {filters[0]}")
    return filters


def _is_empty(op: Operation, size: int) -> bool:
    return not op.decide(at_least(function_of(size), constant(1))) if symbolic(size) else size == 0


def _total_padding(op: Operation, padding: Any, kernel: Shape, stride: Shape, dilation: Shape) -> tuple[int, ...]:
    """The padding of both sides together."""
    if padding == "same":
        if any(each != 1 for each in stride):
            op.refuse(Kind.ARGUMENT, "padding='same' is not supported for strided convolutions")
        return tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    if padding == "valid":
        return (0,) * len(kernel)
    if isinstance(padding, str):
        op.refuse(Kind.ARGUMENT, f"Invalid padding string: '{padding}'")
    return tuple(2 * each for each in _not_negative(op, per_axis(padding, len(kernel)), "padding"))


def _not_negative(op: Operation, values: tuple[int, ...], name: str) -> tuple[int, ...]:
    for value in values:
        op.require_at_least(value, 0, Kind.ARGUMENT, f"negative {name} is not supported")
    return values


def _check_arguments(op: Operation, input: torch.Tensor, stride: Shape, dilation: Shape) -> None:
    for value in stride:
        op.require_at_least(value, 1, Kind.ARGUMENT, "non-positive stride is not supported")
    for value in dilation:
        op.require_at_least(value, 1, Kind.ARGUMENT, "dilation should be greater than zero")
    if input.dtype is torch.bool:
        op.refuse(Kind.ARGUMENT, "a convolution is not implemented for bool")
    if not (input.is_floating_point() or input.is_complex()):
        op.recorder.leak(f"`{op.name}` of integers depends on the device")


def _checked_lead(op: Operation, shape: Shape, axes: int, channels: int) -> Shape:
    """The batch dimension, if any, of an input that has the number of channels that the weight wants."""
    if len(shape) not in (axes + 1, axes + 2):
        op.refuse(Kind.AXES, f"Expected {axes + 1}D (unbatched) or {axes + 2}D input, but got {len(shape)}D")
    text = f"expected input to have {channels} channels, but got {{left}} channels instead"
    op.require_equal(shape[-axes - 1], channels, Kind.CHANNELS, text)
    lead = shape[: -axes - 1]
    if lead and plain(lead[0]) == 0:
        raise NoRule
    return lead


def _check_bias(op: Operation, bias: torch.Tensor | None, channels: int) -> None:
    if bias is None:
        return
    shape = op.shape(bias)
    text = f"expected bias to be 1-dimensional with {channels} elements"
    if len(shape) != 1:
        op.refuse(Kind.ARGUMENT, text)
    op.require_equal(shape[0], channels, Kind.ARGUMENT, text + ", but got {left}")


def _remember(op: Operation, **parameters: Shape) -> None:
    if op.recorder.with_places:
        op.parameters.update({name: tuple(map(plain, values)) for name, values in parameters.items()})


def _output(op: Operation, shape: Shape, input: torch.Tensor, weight: torch.Tensor, settings: _Settings) -> Result:
    """The result, channels-last where the input or the weight is (aten/src/ATen/native/ConvUtils.h).

    In one dimension the input is made contiguous first (Convolution.cpp), but a signal of one channel that was moved
    to the front is contiguous already and like channels-last all the same.
    """
    axes, lead = len(settings[0]), len(shape) - len(settings[0]) - 1
    images = input if lead else input.unsqueeze(0)
    sources = [images, weight] if axes > 1 or input.is_contiguous() else [weight]
    formats = {suggested_format(each.unsqueeze(2) if axes == 1 else each) for each in sources}
    formats.discard(torch.contiguous_format)
    if not formats or (axes == 3 and not _is_fast(op, images, settings)):
        return in_format(op, shape, input, torch.contiguous_format, weight, input)
    if lead and axes > 1:
        return Fresh(shape, input, layout=formats.pop())
    channels_last = (*range(lead), *range(lead + 1, len(shape)), lead)
    return Fresh(shape, input, layout=in_order(shape, channels_last))


def _is_fast(op: Operation, images: torch.Tensor, settings: _Settings) -> bool:
    """Whether the library is taken that alone knows channels-last in 3-D: `use_mkldnn` of Convolution.cpp."""
    kernel, stride, dilation, groups = settings
    library = torch.backends.mkldnn
    if images.dtype is not torch.float32 or not (library.is_available() and library.enabled):  # type: ignore[no-untyped-call]
        return False
    batch, *sizes = op.shape(images)[:4]
    many = op.decide(at_least(function_of(batch), constant(16)))
    if not many and torch.get_num_threads() == 1 and max(map(plain, (*kernel[1:], *stride, *dilation))) == 1:
        return False
    if plain(groups) > 1 or min(map(plain, kernel[1:])) > 3 or op.decide(at_least(function_of(batch), constant(2))):
        return True
    channels, first, second = map(function_of, sizes)  # the last axis is not counted
    return op.decide(at_least(product(product(channels, first), second), constant(20481)))


for _axes in (1, 2, 3):
    size_rule(getattr(torch, f"conv{_axes}d"))(partial(_conv, axes=_axes))
    size_rule(getattr(torch, f"conv_transpose{_axes}d"))(partial(_conv_transpose, axes=_axes))
