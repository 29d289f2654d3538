"""Pixel shuffles, which trade channels for space.

https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html; requirements:
aten/src/ATen/native/PixelShuffle.cpp and ChanelShuffle.cpp.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch

from shapelint.size.condition import all_of, at_least, divisible
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_suggested_format, settled_layout
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape


@size_rule(torch.pixel_shuffle)
def _pixel_shuffle(op: Operation, input: torch.Tensor, upscale_factor: int) -> Result:
    """(C, H, W) becomes (C / r^2, H r, W r)."""
    shape, factor = op.shape(input), _positive(op, upscale_factor, "upscale_factor")
    _check_rank(op, shape)
    channels, height, width = shape[-3:]
    _require_divisible(op, channels, factor * factor, Kind.MULTIPLE, "the channels")
    op.resamples(2, (factor, factor))
    op.parameters = {"upscale_factor": (factor,)}
    return _result(op, input, (*shape[:-3], channels // (factor * factor), height * factor, width * factor))


@size_rule(torch.pixel_unshuffle)
def _pixel_unshuffle(op: Operation, input: torch.Tensor, downscale_factor: int) -> Result:
    """(C, H, W) becomes (C r^2, H / r, W / r); the CPU leaves the shape of an empty input as it is."""
    shape, factor = op.shape(input), _positive(op, downscale_factor, "downscale_factor")
    _check_rank(op, shape)
    channels, height, width = shape[-3:]
    _require_divisible(op, height, factor, Kind.RESHAPE, "the height")
    _require_divisible(op, width, factor, Kind.RESHAPE, "the width")
    if not op.decide(all_of(at_least(function_of(n), function_of(1)) for n in shape)):
        op.recorder.leak("what becomes of an empty input of `pixel_unshuffle` depends on the device")
        return Fresh(shape, input)
    op.resamples(2, (Fraction(1, factor),) * 2)
    op.parameters = {"downscale_factor": (factor,)}
    return _result(op, input, (*shape[:-3], channels * (factor * factor), height // factor, width // factor))


@size_rule(torch.channel_shuffle, torch.native_channel_shuffle)
def _channel_shuffle(op: Operation, input: torch.Tensor, groups: int) -> Result:
    """The shape stays; the groups must divide the channels."""
    shape, groups = op.shape(input), _positive(op, groups, "groups")
    if len(shape) < 3:
        op.refuse(Kind.ARGUMENT, f"channel_shuffle expects input with > 2 dims, but got {len(shape)}")
    _require_divisible(op, shape[1], groups, Kind.MULTIPLE, "the channels")
    return _result(op, input, shape)


def _positive(op: Operation, factor: Any, name: str) -> int:
    if not isinstance(factor, int) or isinstance(factor, bool) or symbolic(factor):
        raise NoRule
    if factor < 1:
        op.refuse(Kind.ARGUMENT, f"{name} must be positive, but got {factor}")
    return plain(factor)


def _check_rank(op: Operation, shape: Shape) -> None:
    if len(shape) < 3:
        op.refuse(Kind.ARGUMENT, f"{op.name} expects input to have at least 3 dimensions, but got {len(shape)}")


def _require_divisible(op: Operation, size: int, factor: int, kind: Kind, name: str) -> None:
    text = f"{op.name} expects {name}, {{left}}, to be divisible by {{right}}"
    op.require(divisible(function_of(size), factor), kind, text, between=(size, factor))


def _result(op: Operation, input: torch.Tensor, shape: Shape) -> Result:
    """Channels-last stays so on the CPU, which the kernel on meta does not tell."""
    if settled_layout(op, input):
        return Fresh(shape, input)
    return in_suggested_format(op, shape, input) if len(shape) == 4 else Kernel((shape,))
