"""Fourier transforms, windows and mel filters, as onnxruntime computes their sizes (core/providers/cpu/signal)."""

from __future__ import annotations

from typing import Any

from shapelint.saved.dtypes import dtype_of
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic


@operator("DFT")
def _dft(call: OperatorCall) -> Any:
    shape = list(call.shape(0))
    parts = _parts(call, shape[-1])
    axis = call.axis(_axis(call), len(shape))
    if len(shape) < 2 or axis == len(shape) - 1:
        raise ValueError("a Fourier transform along the last axis, which holds the two parts of a number")
    n, given = shape[axis], _length(call, 1)
    if call.integer("onesided") and call.integer("inverse"):
        if parts != 2:
            raise ValueError("the inverse of half a spectrum is of complex numbers")
        shape[axis], shape[-1] = (2 * (n - 1) if given is None else given), 1
    else:
        if call.integer("onesided") and parts != 1:
            raise ValueError("half a spectrum is of real numbers")
        size = n if given is None else given
        shape[axis], shape[-1] = (size // 2 + 1 if call.integer("onesided") else size), 2
    needs = (Need(shape[axis], 0, Kind.EMPTY, "a Fourier transform of {left} values"),)
    return call.made(tuple(shape), name="fft", needs=needs, of=(0,))


def _parts(call: OperatorCall, size: int) -> int:
    """How many numbers make one: a real one, or the two parts of a complex one."""
    if symbolic(size):
        raise call.unsupported("an open size where real or complex numbers are told apart")
    if plain(size) not in (1, 2):
        raise ValueError(f"{plain(size)} parts of a number, and 1 or 2 are wanted")
    return plain(size)


def _axis(call: OperatorCall) -> Any:
    if call.opset < 20:
        return call.integer("axis", 1)
    return call.numbers(2, "its axis").items[0] if call.has(2) else -2


def _length(call: OperatorCall, index: int) -> Any:
    return call.numbers(index, "its length").items[0] if call.has(index) else None


@operator("STFT")
def _stft(call: OperatorCall) -> Any:
    shape, step = call.shape(0), call.numbers(1, "its step").items[0]
    if len(shape) not in (2, 3):
        raise ValueError(f"a signal of {len(shape)} axes")
    if len(shape) == 3:
        _parts(call, shape[2])
    window = call.shape(2)[0] if call.has(2) else None
    length = _length(call, 3) if call.has(3) else window
    if symbolic(step) or plain(step) < 1 or length is None:
        raise call.unsupported("a step that is no number above 0, or a frame without a length,")
    needs = [Need(shape[1], length, Kind.KERNEL, "a signal of {left} values for frames of {right}")]
    if window is not None:
        needs.append(Need(window, length, Kind.ARGUMENT, "a window of {left} values for frames of {right}", True))
    bins = length // 2 + 1 if call.integer("onesided", 1) else length
    made = (shape[0], (shape[1] - length) // step + 1, bins, 2)
    return call.made(made, name="stft", needs=tuple(needs), of=(0,))


@operator("HannWindow", "HammingWindow", "BlackmanWindow")
def _window(call: OperatorCall) -> Any:
    size = call.numbers(0, "its size").items[0]
    needs = (Need(size, 0, Kind.EMPTY, "a window of {left} values"),)
    return call.made((size,), dtype_of(call.integer("output_datatype", 1)), needs=needs, of=())


@operator("MelWeightMatrix")
def _mel(call: OperatorCall) -> Any:
    bands, length = (call.numbers(index, "its size").items[0] for index in (0, 1))
    return call.made((length // 2 + 1, bands), dtype_of(call.integer("output_datatype", 1)), of=())
