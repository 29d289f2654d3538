"""The functions that the graph of an exported program may call: torch's own operators, and arithmetic on sizes.

A name that is none of these is not looked up anywhere.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch.nn import functional

from shapelint.size.number import larger, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Unanalysable

_ATEN: Final = re.compile(r"torch\.ops\.aten\.([a-z0-9_]+)\.([A-Za-z0-9_]+)", re.ASCII)
_NOTHING: Final = re.compile(r"torch\.ops\.aten\.(sym_constrain_range\w*|_assert_tensor_metadata)\.\w+", re.ASCII)


def function_of(target: str) -> Callable[..., Any]:
    """The function that a target names; Unanalysable for one that is not known here."""
    known = _KNOWN.get(target)
    if known is not None:
        return known
    if _NOTHING.fullmatch(target):
        return _nothing
    match = _ATEN.fullmatch(target)
    if match is not None:
        special = _SPECIAL.get(match[1])
        if special is not None:
            return special
        packet = getattr(torch.ops.aten, match[1], None)
        found = getattr(packet, match[2], None) if isinstance(packet, torch._ops.OpOverloadPacket) else None
        if isinstance(found, torch._ops.OpOverload):
            return found
    shown = target if target.isprintable() else repr(target)
    raise Unanalysable(f"the function `{shown}` is not known here")


def _nothing(*args: Any, **kwargs: Any) -> None:
    """What tells the compiler about numbers, and does nothing to sizes."""


def _size_at(tensor: torch.Tensor, axis: int) -> Any:
    return tensor.shape[axis]


def _element_count(tensor: torch.Tensor) -> Any:
    return tensor.numel()


def _asserted(condition: Any, text: str = "") -> None:
    if not condition:
        raise RuntimeError(f"an assertion of the graph failed: {str(text)[:100]}")


def _as_float(number: Any) -> Any:
    return Ratio(number, 1) if symbolic(number) else float(number)


def _cut(number: Any) -> Any:
    return math.floor(number) if number >= 0 else math.ceil(number)


def _negated(condition: Any) -> bool:
    return not condition


_KNOWN: Final[Mapping[str, Callable[..., Any]]] = {
    **{f"_operator.{name}": getattr(operator, name) for name in
       ("add", "sub", "mul", "floordiv", "mod", "truediv", "neg", "eq", "ne", "lt", "le", "gt", "ge", "pow", "getitem",
        "and_", "or_")},
    "torch.ops.aten.sym_size.int": _size_at,
    "torch.ops.aten.sym_numel.default": _element_count,
    "torch.ops.aten._assert_scalar.default": _asserted,
    "torch.sym_max": larger, "torch.sym_min": smaller, "torch.sym_float": _as_float, "torch.sym_int": _cut,
    "torch.sym_not": _negated, "math.trunc": _cut, "math.floor": math.floor, "math.ceil": math.ceil,
    "math.round": round,
}  # fmt: skip


def _convolution(
    input: torch.Tensor, weight: torch.Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Any:  # fmt: skip
    if transposed:
        return _stretched(input, weight, bias, stride, padding, output_padding, groups, dilation)
    convolve: Any = getattr(functional, f"conv{len(weight.shape) - 2}d")
    return convolve(input, weight, bias, stride, padding, dilation, groups)


def _stretched(
    input: torch.Tensor, weight: torch.Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """A transposed convolution whose `output_padding` is one of the layer, as the repair takes it: a tuple."""
    axes = len(weight.shape) - 2
    own = tuple(output_padding) if isinstance(output_padding, (tuple, list)) else (output_padding,)
    stretch: Any = getattr(functional, f"conv_transpose{axes}d")
    return stretch(input, weight, bias, stride, padding, own * axes if len(own) == 1 else own, groups, dilation)


def _upsampled(mode: str, *, smooth: bool) -> Callable[..., Any]:
    def resize(input: torch.Tensor, output_size: Any, *rest: Any) -> Any:
        corners, scales = (rest[0], rest[1] if len(rest) > 1 else None) if smooth else (None, rest[0] if rest else None)
        if output_size is not None:
            return functional.interpolate(input, size=tuple(output_size), mode=mode, align_corners=corners)
        if scales is None or not isinstance(scales, (list, tuple)):
            raise Unanalysable("a resize with neither a size nor scale factors")
        return functional.interpolate(input, scale_factor=tuple(scales), mode=mode, align_corners=corners)

    return resize


_SPECIAL: Final[Mapping[str, Callable[..., Any]]] = {
    "convolution": _convolution, "pad": functional.pad, "conv_transpose1d": _stretched, "conv_transpose2d": _stretched,
    "conv_transpose3d": _stretched,
    "upsample_nearest1d": _upsampled("nearest", smooth=False),
    "upsample_nearest2d": _upsampled("nearest", smooth=False),
    "upsample_nearest3d": _upsampled("nearest", smooth=False),
    "upsample_linear1d": _upsampled("linear", smooth=True),
    "upsample_bilinear2d": _upsampled("bilinear", smooth=True),
    "upsample_bicubic2d": _upsampled("bicubic", smooth=True),
    "upsample_trilinear3d": _upsampled("trilinear", smooth=True),
}  # fmt: skip
