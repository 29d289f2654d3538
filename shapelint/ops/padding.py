"""Padding by `F.pad`, to which the padding layers lead too.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html; requirements:
aten/src/ATen/native/PadNd.cpp, ReflectionPad.cpp and ReplicationPadding.cpp.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from shapelint.size.condition import all_of, any_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain, smaller
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_format, in_suggested_format, settled_layout
from shapelint.trace.recording.arguments import number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Pads = list[tuple[int, int]]


@size_rule(functional.pad)
def _pad(op: Operation, input: torch.Tensor, pad: Any, mode: str = "constant", value: Any = None) -> Result:
    """n + before + after for each axis that `pad` names, the last one first; negative entries crop."""
    if not isinstance(pad, (tuple, list)):
        raise NoRule
    changed = op.recorder.override("padding", op.name) or ()  # of a convolution with a padding mode it is its own
    entries = [number(op, each) for each in (changed if len(changed) == len(pad) else pad)]
    shape, axes = op.shape(input), len(entries) // 2
    if len(entries) % 2:
        op.refuse(Kind.ARGUMENT, "Padding length must be divisible by 2")
    if axes > len(shape):
        op.refuse(Kind.ARGUMENT, f"Padding length {len(entries)} is too much for an input of {len(shape)} dimensions")
    pads = list(zip(entries[0::2], entries[1::2], strict=True))[::-1]
    sizes = shape[len(shape) - axes :]
    _check_mode(op, input, axes, mode, value)
    padded = (n + before + after for n, (before, after) in zip(sizes, pads, strict=True))
    result = (*shape[: len(shape) - axes], *padded)
    op.parameters = {"pad": tuple(map(plain, entries))}
    _LIMITS[mode](op, sizes, pads)
    if mode == "constant" and any(map(symbolic, entries)):  # where nothing is added it is a copy with the same strides
        op.layout = (all_of(equal(function_of(each), constant(0)) for each in entries),)
    return _padded(op, result, input, mode)


def _padded(op: Operation, shape: Shape, input: torch.Tensor, mode: str) -> Result:
    """Channels-last stays so, but where it wraps around."""
    if mode == "constant":
        return Fresh(shape, input) if settled_layout(op, input) else Kernel((shape,))
    if mode == "circular":
        return in_format(op, shape, input, torch.contiguous_format, input)
    return in_suggested_format(op, shape, input)


def _check_mode(op: Operation, input: torch.Tensor, axes: int, mode: str, value: Any) -> None:
    """Modes other than `constant` pad one to three axes, behind the channels."""
    if mode not in _LIMITS:
        op.refuse(Kind.ARGUMENT, f"Unrecognised padding mode {mode}")
    if mode == "constant":
        return
    shape = op.shape(input)
    if value is not None and value != 0:
        op.refuse(Kind.ARGUMENT, f'Padding mode "{mode}" doesn\'t take in value argument')
    if axes not in (1, 2, 3) or len(shape) not in (axes + 1, axes + 2):
        op.refuse(Kind.ARGUMENT, f"Padding size {2 * axes} is not supported for {len(shape)}D input tensor")
    if mode == "circular":
        return
    if input.dtype is torch.bool:
        op.refuse(Kind.ARGUMENT, f"{mode} padding is not implemented for bool")
    for n in shape[len(shape) - axes - 1 :]:
        op.require_at_least(n, 1, Kind.EMPTY, f"{mode} padding of an empty input: only its batch can be empty")


def _constant(op: Operation, sizes: Shape, pads: Pads) -> None:
    """Negative entries are cut off first, from what is there."""
    for n, (before, after) in zip(sizes, pads, strict=True):
        _require_size(op, n + _cut(before) + _cut(after))


def _reflect(op: Operation, sizes: Shape, pads: Pads) -> None:
    """Each side must be less than the size; that the result is not empty is asked of one axis only."""
    for n, pair in zip(sizes, pads, strict=True):
        for side in pair:
            text = "Padding size should be less than the corresponding input dimension {left}, but got {right}"
            op.require_at_least(n, side + 1, Kind.PAD, text)
    _replicate(op, sizes, pads)


def _replicate(op: Operation, sizes: Shape, pads: Pads) -> None:
    results = [n + before + after for n, (before, after) in zip(sizes, pads, strict=True)]
    for size in results:
        _require_size(op, size)
    some = any_of([at_least(function_of(size), function_of(1)) for size in results])
    op.require(some, Kind.EMPTY, "the padded size {left} is too small", between=(results[0], 1))


def _circular(op: Operation, sizes: Shape, pads: Pads) -> None:
    """Each side must be at most the size.

    Where one side crops and the other wraps around more than what is left, PyTorch copies memory onto itself.
    """
    for n, (before, after) in zip(sizes, pads, strict=True):
        for side in (before, after):
            op.require_at_least(n, side, Kind.WRAP, "Padding value {right} wraps around {left} more than once")
        _require_size(op, n + before + after)
        apart = [at_least(function_of(n + _cut(after)), function_of(before)),
                 at_least(function_of(n + _cut(before)), function_of(after))]  # fmt: skip
        if (_may_cut(before) or _may_cut(after)) and not op.decide(all_of(apart)):
            op.recorder.leak("circular padding that wraps around more than what its other side leaves")


def _require_size(op: Operation, size: int) -> None:
    op.require_at_least(size, 0, Kind.EMPTY, "the padded size {left} must not be negative")


def _cut(side: int) -> int:
    """min(side, 0): what a negative entry removes."""
    return smaller(side, 0)


def _may_cut(side: int) -> bool:
    return symbolic(side) or plain(side) < 0


_LIMITS = {"constant": _constant, "reflect": _reflect, "replicate": _replicate, "circular": _circular}
