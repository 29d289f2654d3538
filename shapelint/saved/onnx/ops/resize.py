"""Resize and its older form Upsample, as onnxruntime computes their sizes (core/providers/cpu/tensor/upsamplebase.h).

A size is floor(n * scale) in float32, where PyTorch takes float64: 45 * 1.4 is 63 here, and 62 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy

from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.numbers import as_plain, is_tracked
from shapelint.size.condition import equal
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.size.tracking import tracker as listening
from shapelint.trace.recording.record import Shape

_LARGEST = 1 << 22


@operator("Upsample")
def _upsample(call: OperatorCall) -> Any:
    scales: Any = call.step.attributes.get("scales") if call.opset < 9 else call.numbers(1, "the scale").items
    sizes = scaled_by(call, scales)
    if any(each < 1 for each in scales):
        raise ValueError("a scale of Upsample is below 1")
    return _resized(call, call.shape(0), sizes, scales, ())


@operator("Resize")
def _resize(call: OperatorCall) -> Any:
    shape = call.shape(0)
    if call.opset < 11:
        scales = call.numbers(1, "the scale").items
        return _resized(call, shape, scaled_by(call, scales), scales, ())
    axes = call.integers("axes")
    chosen = tuple(range(len(shape))) if axes is None else tuple(call.axis(each, len(shape)) for each in axes)
    sizes = call.numbers(3, "the size").items if call.has(3) and call.shape(3) != (0,) else None
    if sizes is not None:
        return _to_sizes(call, chosen, sizes)
    scales = call.numbers(2, "the scale").items if call.has(2) else []
    if not scales:
        raise ValueError("a Resize with neither scales nor sizes")
    if len(scales) != len(chosen):
        raise ValueError(f"{len(scales)} scales for {len(chosen)} axes")
    if call.text("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise call.unsupported("coordinate_transformation_mode=tf_crop_and_resize with scales")
    every: list[Any] = [1.0] * len(shape)
    for axis, scale in zip(chosen, scales, strict=True):
        every[axis] = scale
    return _resized(call, shape, scaled_by(call, every), every, ())


def _to_sizes(call: OperatorCall, chosen: tuple[int, ...], sizes: Sequence[int]) -> Any:
    needs: tuple[Need, ...] = ()
    shape = call.shape(0)
    if len(sizes) != len(chosen):
        raise ValueError(f"{len(sizes)} sizes for {len(chosen)} axes")
    policy = call.text("keep_aspect_ratio_policy", "stretch")
    if policy not in ("stretch", ""):
        raise call.unsupported(f"keep_aspect_ratio_policy={policy}")
    result: list[int] = list(shape)
    for axis, size in zip(chosen, sizes, strict=True):
        result[axis] = size
        needs = (*needs, Need(size, 1, Kind.EMPTY, "Resize to {left} rows"))
    return _resized(call, shape, tuple(result), None, needs)


def scaled_by(call: OperatorCall, scales: Any) -> Shape:
    """floor(n * scale) in float32, of every axis. Raises ValueError for scales that the operator refuses."""
    shape = call.shape(0)
    if not isinstance(scales, (tuple, list)) or len(scales) != len(shape):
        raise ValueError(f"the scales are not one for each of {len(shape)} axes")
    return tuple(scaled(n, scale) for n, scale in zip(shape, scales, strict=True))


def scaled(n: int, scale: Any) -> int:
    """floor(n * scale) as onnxruntime computes it. Raises ValueError for scales that the operator refuses."""
    if is_tracked(scale):
        return _by_a_size(n, scale)
    if not scale > 0:
        raise ValueError("a scale is not above 0")
    value = int(numpy.float32(plain(n)) * numpy.float32(scale))
    if not symbolic(n):
        return value
    fraction, largest = exact_scale(float(numpy.float32(scale)))
    found = n * fraction.numerator // fraction.denominator
    if plain(found) == value and largest >= _LARGEST:
        return found
    listener = listening()
    if listener is not None and plain(n) < largest and n < largest:
        return found
    if listener is not None:
        listener.assume(equal(function_of(n), function_of(plain(n))))
    return value


def _by_a_size(n: int, scale: Any) -> int:
    """A scale that is itself made of a size: the plain number of this run."""
    return int(numpy.float32(plain(n)) * numpy.float32(as_plain(scale)))


@lru_cache(maxsize=256)
def exact_scale(scale: float) -> tuple[Fraction, int]:
    """A fraction p/q, and below which n floor(n * scale) in float32 is floor(n p / q): at most 2**22.

    A scale of few binary digits is exact; else every n is tried. Larger sizes are not looked at, and are none that an
    axis of a tensor has.
    """
    binary = Fraction(scale)
    if binary.denominator <= 4 and binary.numerator <= 16:
        return binary, _LARGEST
    near = binary.limit_denominator(10000)
    if float(numpy.float32(float(near))) != scale or near.numerator > 1 << 24:
        near = binary
    if near.numerator > 1 << 32 or near.denominator > 1 << 32:
        return near, 0
    n = numpy.arange(_LARGEST, dtype=numpy.int64)
    rounded = (n.astype(numpy.float32) * numpy.float32(scale)).astype(numpy.int64)
    wrong = numpy.nonzero(rounded != n * near.numerator // near.denominator)[0]
    return near, int(wrong[0]) if len(wrong) else _LARGEST


def _resized(call: OperatorCall, shape: Shape, sizes: Shape, scales: Any, needs: tuple[Need, ...]) -> Any:
    """The result, whose last axes are spatial: those after batch and channel."""
    axes = max(len(shape) - 2, 0)
    plain_shape, plain_sizes = tuple(map(plain, shape)), tuple(map(plain, sizes))
    if scales is None:
        factor = [Fraction(new, max(old, 1)) for old, new in zip(plain_shape, plain_sizes, strict=True)]
    else:
        factor = [Fraction(float.__float__(float(each))).limit_denominator(1000) for each in scales]
    chosen = tuple(each if each > 0 else Fraction(1) for each in factor[len(shape) - axes :])
    needs = (*needs, *_interpolated(call, shape, sizes, scales))
    return call.made(sizes, name="interpolate", needs=needs, spatial=axes, factor=chosen, of=(0,))


def _interpolated(call: OperatorCall, shape: Shape, sizes: Shape, scales: Any) -> tuple[Need, ...]:
    """What the modes `linear` and `cubic` ask: tensors of some axes only, and which of them stay as they are.

    Raises ValueError for a number of axes, or scales, that they do not take.
    """
    mode, rank = call.text("mode", "nearest") or "nearest", len(shape)
    if mode not in ("nearest", "linear", "cubic"):
        raise ValueError(f"mode is {mode!r}, which is no way of resizing")
    if mode == "nearest" or rank == 2 or (mode == "linear" and rank == 3):
        return ()
    if rank not in ((4, 5) if mode == "linear" else (4,)):
        raise ValueError(f"mode={mode} of a tensor of {rank} axes")
    if rank == 5 or _stays(shape, sizes, scales, 1):
        return _kept(mode, shape, sizes, scales, (0, 1))
    needs = _kept(mode, shape, sizes, scales, (0, 3))
    if mode == "linear" or call.integer("antialias"):
        return needs
    text = "mode=cubic makes {left} of {right} rows, and of channels in the last axis none less"
    return (*needs, *(Need(sizes[axis], shape[axis], Kind.ARGUMENT, text) for axis in (1, 2)))


def _stays(shape: Shape, sizes: Shape, scales: Any, axis: int) -> bool:
    """Whether the scale of an axis is 1; without scales it is the quotient of the sizes."""
    return bool(sizes[axis] == shape[axis]) if scales is None else bool(scales[axis] == 1)


def _kept(mode: str, shape: Shape, sizes: Shape, scales: Any, axes: tuple[int, ...]) -> tuple[Need, ...]:
    text = f"mode={mode} cannot resize the axes {axes}, but makes {{left}} of {{right}}"
    if scales is None:
        return tuple(Need(sizes[axis], shape[axis], Kind.ARGUMENT, text, True) for axis in axes)
    for axis in axes:
        if not scales[axis] == 1:
            raise ValueError(f"mode={mode} cannot resize the axes {axes}, but axis {axis} has the scale {scales[axis]}")
    return ()
