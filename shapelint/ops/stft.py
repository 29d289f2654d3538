"""Short-time Fourier transforms and their windows.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.stft.html and .istft.html; requirements:
aten/src/ATen/native/SpectralOps.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from shapelint.ops.spectral import check_filled, check_precision, complex_of, real_of
from shapelint.ops.view import ones
from shapelint.size.condition import any_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain, smaller
from shapelint.size.tracking import symbolic
from shapelint.trace.fitting.fallback import Ready
from shapelint.trace.recording.arguments import number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_LIKE = torch.empty(0, device="meta")
_LEAST = 1e-11


@dataclass(frozen=True, slots=True)
class _Frames:
    """How long a frame is, how far the next one is from it, and how much of it the window spans, in its middle."""

    length: int
    hop: int
    span: int


def _frames(op: Operation, n_fft: Any, hop_length: Any, win_length: Any, window: Tensor | None) -> _Frames:
    length = number(op, n_fft)
    hop = length // 4 if hop_length is None else number(op, hop_length)
    span = length if win_length is None else number(op, win_length)
    if any(map(symbolic, (length, hop, span))):
        raise NoRule
    text = f"{op.name}: expected n_fft > 0, hop_length > 0 and 0 < win_length <= n_fft, but got {length}, {hop}, {span}"
    if length < 1 or hop < 1 or not 1 <= span <= length:
        op.refuse(Kind.ARGUMENT, text)
    if window is not None:
        shape = op.shape(window)
        if len(shape) != 1:
            op.refuse(Kind.ARGUMENT, f"{op.name}: expected a 1D window tensor of size equal to win_length={span}")
        text = f"{op.name}: expected a window of win_length={{right}} values, but got {{left}}"
        op.require_equal(shape[0], span, Kind.ARGUMENT, text)
    return _Frames(length, hop, span)


@size_rule(torch.stft, torch.Tensor.stft)
def _stft(
    op: Operation,
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Result:
    """(B, L) gives (B, n_fft // 2 + 1 or n_fft, 1 + (L - n_fft) // hop); `center` pads n_fft // 2 on both sides."""
    if align_to_window is not None:
        raise NoRule
    shape = op.shape(input)
    if len(shape) not in (1, 2):
        op.refuse(Kind.ARGUMENT, f"stft: expected a 1D or 2D tensor, but got {len(shape)}D")
    dtype = _dtype(op, input, window, return_complex)
    check_precision(op, dtype)
    frames = _frames(op, n_fft, hop_length, win_length, window)
    side = frames.length // 2 if center else 0
    if center:
        _check_centred(op, shape, side, pad_mode)
    text = f"stft: expected 0 < n_fft <= {{left}}, but got n_fft={frames.length}"
    length = shape[-1] + 2 * side
    op.require_at_least(length, frames.length, Kind.KERNEL, text)
    check_filled(op, shape[:-1])
    if dtype.is_complex and onesided:
        op.refuse(Kind.ARGUMENT, "Cannot have onesided output if window or input is complex")
    whole = dtype.is_complex if onesided is None else not onesided
    count = frames.length if whole else frames.length // 2 + 1
    result = (*shape[:-1], count, (length - frames.length) // frames.hop + 1)
    swapped = not center and len(shape) == 2 and input.stride(0) < frames.hop * input.stride(1)
    return _spectrogram(op, Fresh(result, input, complex_of(dtype)), parts=return_complex is False, swapped=swapped)


def _check_centred(op: Operation, shape: Shape, side: int, mode: str) -> None:
    """What `F.pad` asks of a signal that it pads on both sides, its batch taken for channels."""
    if mode not in ("constant", "reflect", "replicate", "circular"):
        op.refuse(Kind.ARGUMENT, f"Unrecognised padding mode {mode}")
    if mode in ("reflect", "replicate"):
        for dim in shape:
            op.require_at_least(dim, 1, Kind.EMPTY, f"{mode} padding of an empty input: only its batch can be empty")
    text = f"stft: the {mode} padding of {side} on both sides does not fit an input of length {{left}}"
    least = {"reflect": side + 1, "circular": side}.get(mode, 0)
    op.require_at_least(shape[-1], least, Kind.PAD, text)


def _dtype(op: Operation, input: Tensor, window: Tensor | None, return_complex: bool | None) -> torch.dtype:
    dtype = input.dtype if window is None else torch.promote_types(input.dtype, window.dtype)
    if return_complex is None and not dtype.is_complex:
        op.refuse(Kind.ARGUMENT, "stft requires the return_complex parameter be given for real inputs")
    if not (input.is_floating_point() or input.is_complex()):
        op.refuse(Kind.ARGUMENT, f"stft: expected a tensor of floating point or complex values, but got {input.dtype}")
    return dtype


def _spectrogram(op: Operation, result: Fresh, *, parts: bool, swapped: bool) -> Result:
    """The frequencies of a frame are side by side in memory, and the batch outermost unless `swapped`."""
    shape = (*result.shape, 2) if parts else result.shape
    op.layout = (*ones(op.shape(result.like)), *ones(shape))
    if not result.like.is_meta:
        return Kernel((shape,))
    *batch, count, frames = map(plain, result.shape)
    outer = (frames, *batch) if swapped else (*batch, frames)
    value = torch.empty((*outer, count), dtype=result.dtype, device="meta")
    value = (value.transpose(0, 1) if swapped else value).transpose(-1, -2)
    return Ready((shape,), torch.view_as_real(value) if parts else value)


@size_rule(torch.istft, torch.Tensor.istft)
def _istft(
    op: Operation,
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Result:
    """(B, frequencies, frames) gives (B, n_fft + hop (frames - 1)), less n_fft // 2 on both sides with `center`."""
    if not input.is_complex():
        op.refuse(Kind.ARGUMENT, "istft requires a complex-valued input tensor")
    shape, frames = op.shape(input), _frames(op, n_fft, hop_length, win_length, window)
    if len(shape) not in (2, 3):
        op.refuse(Kind.ARGUMENT, f"istft: expected a tensor with 2 or 3 dimensions, but got {len(shape)}")
    for dim in shape:
        op.require_at_least(dim, 1, Kind.EMPTY, "istft: input tensor cannot be empty")
    if frames.hop > frames.span:
        op.refuse(Kind.ARGUMENT, f"istft: expected hop_length <= win_length, but got {frames.hop} and {frames.span}")
    _check_frequencies(op, shape[-2], frames.length, onesided, complex_result=return_complex)
    if window is not None and window.is_complex() and not return_complex:
        op.refuse(Kind.ARGUMENT, "Complex windows are incompatible with return_complex=False")
    total = frames.length + frames.hop * (shape[-1] - 1)
    start = frames.length // 2 if center else 0
    end = total - start if length is None else number(op, length) + start
    if length is None and center and start == 0:
        op.refuse(Kind.EMPTY, "istft: nothing is left of frames of one value each")
    op.require_at_least(end, start + 1, Kind.EMPTY, "istft: the signal from {right} - 1 to {left} is empty")
    _check_overlap(op, frames, window, (start, smaller(end, total), shape[-1]))
    dtype = input.dtype if return_complex else real_of(input.dtype)
    dtype = dtype if window is None else torch.promote_types(dtype, window.dtype)
    check_precision(op, dtype)
    return Fresh((*shape[:-2], end - start), input, dtype)


def _check_frequencies(op: Operation, count: int, length: int, onesided: bool | None, *, complex_result: bool) -> None:
    """All n_fft of them, or the n_fft // 2 + 1 of a real signal; where it is not told which, the number tells."""
    half, allowed = length // 2 + 1, []
    if onesided is not False and (not complex_result or half == length):
        allowed.append(half)
    if not onesided:
        allowed.append(length)
    text = f"istft: expected {' or '.join(map(str, allowed))} frequencies for n_fft={length}, but got {{left}}"
    fits = any_of(equal(function_of(count), constant(each)) for each in allowed)
    op.require(fits, Kind.CHANNELS, text, between=(count, length))


def _check_overlap(op: Operation, frames: _Frames, window: Tensor | None, part: tuple[int, int, int]) -> None:
    """Every value of the part from start to end must lie under the window of some frame.

    Where the window's values are not known, it is taken to vanish nowhere in its inner half.
    """
    start, end, count = part
    support = _support(window, frames)
    left = (frames.length - frames.span) // 2
    first, last = support or (left + -(-frames.span // 4), left + 3 * frames.span // 4)
    text = "istft: window overlap add min: 1 (the window is zero on some of the values from {left} to {right})"
    reach = (count - 1) * frames.hop + last
    covered = start >= first and frames.hop <= last - first
    if support is not None:
        if not covered:
            op.refuse(Kind.ARGUMENT, text.replace("{left}", str(start)).replace("{right}", "the end"))
        op.require_at_least(reach, end, Kind.ARGUMENT, text)
    elif not covered or not op.decide(at_least(function_of(reach), function_of(end))):
        op.recorder.leak("whether `istft` accepts its window, which depends on the window's values")


def _support(window: Tensor | None, frames: _Frames) -> tuple[int, int] | None:
    """From where to where in a frame the window is not zero; None where that is not known, or there is a gap."""
    left = (frames.length - frames.span) // 2
    if window is None:
        return left, left + frames.span
    if window.is_meta:
        return None
    places = (window.abs().pow(2) > _LEAST).nonzero().flatten().tolist()
    if not places or places[-1] - places[0] + 1 != len(places):
        return None
    return left + places[0], left + places[-1] + 1


@size_rule(torch.hann_window, torch.hamming_window, torch.blackman_window, torch.bartlett_window, torch.kaiser_window)
def _window(op: Operation, window_length: Any, *rest: Any, dtype: Any = None, **options: Any) -> Result:
    """As many values as are asked for."""
    size = number(op, window_length)
    op.require_at_least(size, 0, Kind.ARGUMENT, f"{op.name} requires non-negative window_length, got {{left}}")
    if symbolic(size):
        return Fresh((size,), _LIKE, dtype or torch.get_default_dtype())
    kept = {name: value for name, value in options.items() if name not in ("device", "layout", "pin_memory")}
    return Ready(((size,),), op.recorder.kernel(op.function, (size, *rest), {**kept, "dtype": dtype}))
