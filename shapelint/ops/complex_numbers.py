"""Complex tensors: how they are made of real ones, and taken apart.

https://docs.pytorch.org/docs/stable/complex_numbers.html
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.view import ones
from shapelint.trace.memory.layout import settled_layout
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule, spellings

Tensor = torch.Tensor
_PARTS = (torch.float16, torch.float32, torch.float64)


@size_rule(torch.complex, torch.polar)
def _made(op: Operation, real: Tensor, imag: Tensor, *, out: Any = None) -> Result:
    """Of two real tensors of one dtype, element by element."""
    if out is not None:
        raise NoRule
    kinds = _PARTS if op.name == "complex" else _PARTS[1:]
    if real.dtype not in kinds or imag.dtype is not real.dtype:
        text = f"{op.name}: expected two tensors of one floating dtype, but got {real.dtype} and {imag.dtype}"
        op.refuse(Kind.ARGUMENT, text)
    return Kernel((op.broadcast(op.shape(real), op.shape(imag)),))


@size_rule(torch.view_as_real)
def _view_as_real(op: Operation, input: Tensor) -> Result:
    """The real and the imaginary part as a last axis of size 2."""
    if not input.is_complex():
        op.refuse(Kind.ARGUMENT, f"view_as_real is only supported for complex tensors, not for {input.dtype}")
    if input.is_conj():
        op.refuse(Kind.ARGUMENT, "view_as_real doesn't work on unresolved conjugated tensors")
    return Kernel(((*op.shape(input), 2),))


@size_rule(torch.view_as_complex)
def _view_as_complex(op: Operation, input: Tensor) -> Result:
    """The last axis, of size 2, becomes the parts of one number; they must be neighbours in memory."""
    shape = op.shape(input)
    if input.dtype not in _PARTS:
        op.refuse(Kind.ARGUMENT, f"view_as_complex is only supported for floats, not for {input.dtype}")
    if not shape:
        op.refuse(Kind.ARGUMENT, "Input tensor must have one or more dimensions")
    op.require_equal(shape[-1], 2, Kind.CHANNELS, "Tensor must have a last dimension of size 2, got {left}")
    if not settled_layout(op, input):
        _check_strides(op, input)
    return Kernel((shape[:-1],))


def _check_strides(op: Operation, input: Tensor) -> None:
    """The last stride must be 1, the others even: so they are where all axes lie in memory one around the other."""
    for condition in op.recorder.known[id(input)].layout:
        op.decide(condition)
    *outer, last = input.stride()
    if last != 1:
        op.refuse(Kind.RESHAPE, "Tensor must have a last dimension with stride 1")
    axes = sorted(zip(outer, input.shape[:-1], strict=True))
    reach = 2
    for stride, size in axes:
        if size != 1 and stride != reach:
            op.recorder.leak("the strides of what `view_as_complex` views")
            break
        reach *= size
    if any(stride % 2 for stride in outer):
        op.refuse(Kind.RESHAPE, "Tensor must have a stride divisible by 2 for all but last dimension")


@size_rule(torch.real, torch.imag, Tensor.real.__get__, Tensor.imag.__get__)  # type: ignore[attr-defined]
def _part(op: Operation, input: Tensor) -> Result:
    shape = op.shape(input)
    if not input.is_complex() and op.function in (torch.imag, Tensor.imag.__get__):  # type: ignore[attr-defined]
        op.refuse(Kind.ARGUMENT, f"imag is not implemented for tensors with non-complex dtypes, such as {input.dtype}")
    op.layout = ones(shape)
    return Kernel((shape,))


_KEPT = ("angle", "conj", "conj_physical", "resolve_conj", "resolve_neg", "cfloat", "cdouble", "chalf")


@size_rule(*dict.fromkeys(function for name in _KEPT for function in spellings(name)))
def _kept(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    if rest or named:
        raise NoRule
    return Kernel((op.shape(input),))
