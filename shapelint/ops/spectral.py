"""Fourier transforms of `torch.fft`, their frequencies and shifts.

Sizes: https://docs.pytorch.org/docs/stable/fft.html; requirements: aten/src/ATen/native/SpectralOps.cpp.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from shapelint.ops.spectral_layout import laid_out
from shapelint.ops.view import ones
from shapelint.size.bound import lower_bound, never_negative
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.trace.fitting.fallback import Ready
from shapelint.trace.memory.layout import settled_layout
from shapelint.trace.recording.arguments import dimension, dimensions, number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_LIKE = torch.empty(0, device="meta")
_COMPLEX = {torch.float16: torch.complex32, torch.float32: torch.complex64, torch.float64: torch.complex128}
_REAL = {value: key for key, value in _COMPLEX.items()}
_KINDS = {"fft": "complex", "ifft": "complex", "rfft": "half", "ihfft": "half", "irfft": "real", "hfft": "real"}
_STEPS = {"complex": "together", "half": "last inside", "real": "others then last", "ihfft": "last then others"}
Axes = dict[int, int | None]
"""The axes to transform, each with the size to which it is cut or padded before."""


def complex_of(dtype: torch.dtype) -> torch.dtype:
    """The complex dtype in which numbers of this dtype are transformed; whole numbers count as default floats."""
    if dtype.is_complex:
        return dtype
    return _COMPLEX[dtype if dtype in _COMPLEX else torch.get_default_dtype()]


def real_of(dtype: torch.dtype) -> torch.dtype:
    """The dtype of the real and imaginary parts."""
    return _REAL[complex_of(dtype)]


def check_precision(op: Operation, dtype: torch.dtype) -> None:
    """No transform of bfloat16 anywhere, and of float16 only on some devices."""
    if dtype is torch.bfloat16:
        op.refuse(Kind.ARGUMENT, "Unsupported dtype BFloat16")
    if dtype in (torch.float16, torch.complex32):
        op.recorder.leak(f"`{op.name}` on {dtype} depends on the device")


def check_filled(op: Operation, shape: Shape) -> None:
    """Some libraries refuse to transform no signals at all, others give as many results."""
    open_ended = [each for each in map(function_of, shape) if (lower_bound(each) or 0) < 1]
    if not op.decide(all_of(at_least(each, constant(1)) for each in open_ended)):
        op.recorder.leak(f"`{op.name}` of an empty tensor depends on the device")
        op.refuse(Kind.EMPTY, f"`{op.name}` of an empty tensor")


def _along(
    op: Operation, input: Tensor, n: Any = None, dim: int = -1, norm: Any = None, *, kind: str, out: Any = None
) -> Result:
    """fft and its kind: along one axis, which is cut or padded to n."""
    shape = op.shape(input)
    if not shape:
        op.refuse(Kind.ARGUMENT, f"Dimension specified as {dim} but tensor has no dimensions")
    axis = dimension(op, dim, len(shape))
    last = None if n is None else number(op, n)
    return _transformed(op, input, {axis: last}, (kind, norm, out))


def _over(
    op: Operation, input: Tensor, s: Any = None, dim: Any = None, norm: Any = None, *, kind: str, out: Any = None
) -> Result:
    """fftn and its kind: along several axes, by default all or as many of the last as there are sizes."""
    sizes = None if s is None else tuple(number(op, each) for each in (s if isinstance(s, (tuple, list)) else (s,)))
    axes = _axes(op, len(op.shape(input)), sizes, dim)
    if sizes is not None and len(sizes) != len(axes):
        op.refuse(Kind.ARGUMENT, "When given, dim and shape arguments must have the same length")
    wanted = (None,) * len(axes) if sizes is None else tuple(_or_default(op, each) for each in sizes)
    if kind != "complex" and not axes:
        op.refuse(Kind.ARGUMENT, f"{op.name} must transform at least one axis")
    return _transformed(op, input, dict(zip(axes, wanted, strict=True)), (kind, norm, out))


def _plane(
    op: Operation, input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, kind: str, out: Any = None
) -> Result:
    """fft2 and its kind: along two axes unless others are named."""
    return _over(op, input, s, dim, norm, kind=kind, out=out)


def _axes(op: Operation, rank: int, sizes: Shape | None, dim: Any) -> tuple[int, ...]:
    if dim is not None:
        given = dim if isinstance(dim, (tuple, list)) else (dim,)
        if given and not rank:
            op.refuse(Kind.ARGUMENT, f"Dimension specified as {given[0]} but tensor has no dimensions")
        return dimensions(op, given, rank) if given else ()
    count = rank if sizes is None else len(sizes)
    if count > rank:
        op.refuse(Kind.ARGUMENT, f"Got shape with {count} values but input tensor only has {rank} dimensions.")
    return tuple(range(rank - count, rank))


def _or_default(op: Operation, size: int) -> int | None:
    """A size for an axis; -1 stands for the axis as it is."""
    function = function_of(size)
    return None if not never_negative(function) and op.decide(equal(function, constant(-1))) else size


def _transformed(op: Operation, input: Tensor, axes: Axes, mode: tuple[str, Any, Any]) -> Result:
    kind, norm, out = mode
    if out is not None:
        raise NoRule
    if norm not in (None, "backward", "forward", "ortho"):
        op.refuse(Kind.ARGUMENT, f'Invalid normalization mode: "{norm}"')
    if kind == "half" and input.dtype.is_complex:
        op.refuse(Kind.ARGUMENT, f"{op.name} expects a real-valued input tensor, but got {input.dtype}")
    check_precision(op, input.dtype)
    result, cut = list(op.shape(input)), dict(axes)
    for place, (axis, size) in enumerate(axes.items()):
        last = place == len(axes) - 1
        mirrored = last and kind == "real"
        count = size if size is not None else 2 * (result[axis] - 1) if mirrored else result[axis]
        op.require_at_least(count, 1, Kind.EMPTY, "Invalid number of data points ({left}) specified")
        result[axis] = count // 2 + 1 if last and kind == "half" else count
        if size is not None and mirrored:
            cut[axis] = count // 2 + 1
    if axes:
        check_filled(op, tuple(result))
    dtype = real_of(input.dtype) if kind == "real" else complex_of(input.dtype)
    return _result(op, Fresh(tuple(result), input, dtype), cut, kind)


def _result(op: Operation, result: Fresh, axes: Axes, kind: str) -> Result:
    """Contiguous where the last axes of a contiguous tensor are transformed."""
    signal, shape, rank = result.like, op.shape(result.like), len(result.shape)
    trailing = tuple(axes) == tuple(range(rank - len(axes), rank)) and "ihfft" not in op.name
    if not axes or not signal.is_meta:
        return Kernel((result.shape,))
    if trailing and settled_layout(op, signal):
        return result
    if any(stride == 0 and size > 1 for stride, size in zip(signal.stride(), signal.shape, strict=True)):
        op.recorder.leak("the strides of a transform of an expanded tensor")
    resized = [(function_of(shape[axis]), function_of(size)) for axis, size in axes.items() if size is not None]
    op.layout = (*ones(shape), *ones(result.shape), *(at_least(old, new) for old, new in resized))
    steps = _STEPS["ihfft" if "ihfft" in op.name else kind]
    sizes = {axis: None if size is None else plain(size) for axis, size in axes.items()}
    value = laid_out(signal, tuple(map(plain, result.shape)), sizes, steps)
    return Ready((result.shape,), torch.empty_strided(value.shape, value.stride(), dtype=result.dtype, device="meta"))


@size_rule(torch.fft.fftshift, torch.fft.ifftshift)
def _shift(op: Operation, input: Tensor, dim: Any = None) -> Result:
    shape = op.shape(input)
    axes = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    if not shape or not axes:
        op.refuse(Kind.ARGUMENT, "`shifts` required")
    for axis in axes:
        dimension(op, axis, len(shape))
    return Fresh(shape, input)


@size_rule(torch.fft.fftfreq, torch.fft.rfftfreq)
def _frequencies(
    op: Operation, n: Any, d: Any = 1.0, *, dtype: torch.dtype | None = None, out: Any = None, **options: Any
) -> Result:
    """n frequencies, or the n // 2 + 1 of them that are not negative."""
    count = number(op, n)
    if out is not None or ("rfft" in op.name and not op.decide(at_least(function_of(count), constant(0)))):
        raise NoRule
    op.require_at_least(count, 0, Kind.ARGUMENT, "Trying to create tensor with negative dimension {left}")
    kind = dtype or torch.get_default_dtype()
    if not (kind.is_floating_point or kind.is_complex):
        op.refuse(Kind.ARGUMENT, f"{op.name} requires a floating point or complex dtype")
    return Fresh((count if "rfft" not in op.name else count // 2 + 1,), _LIKE, kind)


for _name, _kind in _KINDS.items():
    size_rule(getattr(torch.fft, _name))(partial(_along, kind=_kind))
    size_rule(getattr(torch.fft, _name + "2"))(partial(_plane, kind=_kind))
    size_rule(getattr(torch.fft, _name + "n"))(partial(_over, kind=_kind))
