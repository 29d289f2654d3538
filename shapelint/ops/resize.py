"""Resizing by `F.interpolate`, to which `nn.Upsample` and `F.upsample` lead too.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html; a scale factor gives
floor(n * scale), computed in double precision (aten/src/ATen/native/UpSample.h).
"""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy
import torch
from torch.nn import functional

from shapelint.ops.adaptive import is_mean
from shapelint.size.condition import equal
from shapelint.size.number import function_of, plain
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_suggested_format
from shapelint.trace.recording.arguments import floating, number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

_AXES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
    "bicubic": (2,), "trilinear": (3,),
}  # fmt: skip
if "lanczos" in (functional.interpolate.__doc__ or ""):  # since PyTorch 2.13
    _AXES["lanczos"] = (2,)
_SMOOTH = ("linear", "bilinear", "bicubic", "trilinear", "lanczos")
_LARGEST = 1 << 22


@size_rule(functional.interpolate)
def _interpolate(
    op: Operation,
    input: torch.Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Result:
    """The size that is asked for, or floor(n * scale_factor)."""
    shape = op.shape(input)
    axes = len(shape) - 2
    _check_mode(op, axes, mode, align_corners, antialias)
    if (size is None) == (scale_factor is None):
        op.refuse(Kind.ARGUMENT, "one of size or scale_factor should be defined, and only one")
    if size is not None and recompute_scale_factor:
        op.refuse(Kind.ARGUMENT, "recompute_scale_factor is not meaningful with an explicit size")
    if scale_factor is not None:
        scale_factor = _changed(op, scale_factor)
    asked = _per_axis(op, size if scale_factor is None else scale_factor, axes)
    if scale_factor is None:
        sizes = tuple(number(op, each) for each in asked)
        op.parameters = {"size": tuple(map(plain, sizes))}
    else:
        sizes = tuple(scaled(op, n, each) for n, each in zip(shape[2:], asked, strict=True))
    _check_sizes(op, shape, sizes, mode)
    _check_dtype(op, input, sizes, mode=mode, antialias=antialias)
    if type(scale_factor) in (int, float) and float(scale_factor).is_integer():
        op.parameters = {"scale_factor": (int(scale_factor),)}
    op.resamples(axes, _factors(shape[2:], sizes, asked, scaled=scale_factor is not None))
    result = (*shape[:2], *sizes)
    return in_suggested_format(op, result, input)


def _changed(op: Operation, scale_factor: Any) -> Any:
    """The one factor that a repair gives to the resize, else its own."""
    value = op.recorder.override("scale_factor", op.name)
    return scale_factor if value is None else plain(value[0])


def _check_mode(op: Operation, axes: int, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode not in _SMOOTH and mode in _AXES and align_corners is not None:
        op.refuse(Kind.ARGUMENT, "align_corners option can only be set with the interpolating modes")
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and axes == 2):
        op.refuse(Kind.ARGUMENT, "antialias is for bilinear, bicubic and lanczos modes and a 4-D tensor")
    if mode == "lanczos" and (align_corners or not antialias):
        op.refuse(Kind.ARGUMENT, "lanczos mode wants antialias=True and no align_corners")
    if axes not in _AXES.get(mode, ()):
        op.refuse(Kind.ARGUMENT, f"Got {axes + 2}D input, which {mode} mode does not take")


def _per_axis(op: Operation, value: Any, axes: int) -> tuple[Any, ...]:
    """A size or scale for each spatial axis; unlike elsewhere, a tuple of one does not stand for all."""
    if not isinstance(value, (tuple, list)):
        return (value,) * axes
    if len(value) != axes:
        op.refuse(Kind.ARGUMENT, f"size and scale_factor must have {axes} elements here, but got {len(value)}")
    return tuple(value)


def _check_sizes(op: Operation, shape: Shape, sizes: Shape, mode: str) -> None:
    """All but the batch must not be empty; `area` is an adaptive average: it can give 0, and has a mean of nothing."""
    area = mode == "area"
    for size in sizes:
        text = "Input and output sizes should be greater than 0, but got output {left}"
        op.require_at_least(size, 0 if area else 1, Kind.EMPTY, text)
    if area:
        is_mean(op, shape, sizes)
        return
    for n in shape[1:]:
        op.require_at_least(n, 1, Kind.EMPTY, "only the batch of what is resized can be empty")


def _check_dtype(op: Operation, input: torch.Tensor, sizes: Shape, *, mode: str, antialias: bool) -> None:
    """Other dtypes than floats and bytes can be copied only: where no size changes."""
    bytes_too = input.dtype is torch.uint8 and mode not in ("area", "linear", "trilinear")
    if not input.is_floating_point() and not bytes_too:
        op.recorder.leak(f"`interpolate` of {input.dtype} runs only where no size changes, if at all")
        if mode != "area" and all(map(operator.eq, map(plain, op.shape(input)[2:]), map(plain, sizes))):
            return
    floating(op, input, also=(torch.uint8,) if bytes_too else (), half=not antialias)


def scaled(op: Operation, n: int, scale: Any) -> int:
    """floor(n * scale) as PyTorch computes it. Raises NoRule for a scale that no rule covers."""
    if isinstance(scale, bool) or not isinstance(scale, (int, float)):
        raise NoRule
    if isinstance(scale, int):
        return n * scale
    if not isinstance(scale, float) or isinstance(scale, Ratio) or not math.isfinite(scale) or scale <= 0:
        raise NoRule
    if not symbolic(n):
        return math.floor(plain(n) * scale)
    fraction, exact = exact_scale(scale)
    size = n * fraction.numerator // fraction.denominator
    if exact:
        return size
    if plain(size) != math.floor(plain(n) * scale):
        op.decide(equal(function_of(n), function_of(plain(n))))
        return math.floor(plain(n) * scale)
    op.recorder.leak(f"sizes times {scale} are rounded in double precision")
    return size


@lru_cache(maxsize=256)
def exact_scale(scale: float) -> tuple[Fraction, bool]:
    """A fraction p/q, and whether floor(n * scale) in double precision is floor(n p / q) for every size n.

    A double with few binary digits is p/q itself, and the product is exact. One that is the nearest to p/q can
    only be wrong where n p / q is an integer: elsewhere the distance to the next one, 1/q, is far above the
    rounding error. At or above p/q it is right there too. Below, all multiples of q up to 2**22 are tried; larger
    sizes are not looked at, and are none that a tensor has.
    """
    binary = Fraction(scale)
    if binary.denominator <= 1 << 20 and binary.numerator < 1 << 20:
        return binary, True
    near = binary.limit_denominator(10000)
    if float(near) != scale or near.numerator > 1 << 20:
        return binary, False
    if binary >= near:
        return near, True
    multiples = numpy.arange(0, _LARGEST + 1, near.denominator, dtype=numpy.int64)
    wanted = multiples // near.denominator * near.numerator
    return near, bool((numpy.floor(multiples * scale).astype(numpy.int64) == wanted).all())


def _factors(before: Shape, after: Shape, asked: tuple[Any, ...], *, scaled: bool) -> tuple[Fraction, ...]:
    """What each axis is multiplied by; for a given size, by how much in this run."""
    if scaled:
        factors = (Fraction(plain(each)) if isinstance(each, int) else Fraction(each) for each in asked)
        return tuple(factor.limit_denominator(10000) for factor in factors)
    return tuple(Fraction(plain(new), max(plain(old), 1)) for old, new in zip(before, after, strict=True))
