"""Convolutions as onnxruntime computes their sizes (conv_attributes.h, conv_transpose_attributes.h of its CPU).

Other than PyTorch it refuses an `output_padding` that reaches the stride, and an empty output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch.overrides import handle_torch_function

from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.graph import GraphStep
from shapelint.size.condition import divisible
from shapelint.size.number import function_of, larger, plain, smaller
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Failure
from shapelint.trace.recording.operation import Fresh, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

_META = torch.empty(0, device="meta")
_BLOCK, _FILLED = 16, 4
SAME = ("SAME_UPPER", "SAME_LOWER")
CONVOLUTIONS = frozenset({"Conv", "ConvTranspose", "FusedConv", "NhwcFusedConv", "ConvInteger", "QLinearConv"})


@dataclass(frozen=True, slots=True)
class KernelWindow:
    """The arguments of a convolution per axis; `pads` are those of both sides, which auto_pad overrides."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    auto_pad: str
    output_padding: tuple[int, ...]
    output_shape: tuple[int, ...] | None
    groups: int
    transposed: bool

    @property
    def symmetric(self) -> bool:
        """Whether the padding is one number per axis, as PyTorch has it."""
        return self.before == self.after and self.auto_pad not in SAME


def window(call: OperatorCall, axes: int, kernel: Sequence[int]) -> KernelWindow:
    """The arguments of a convolution with `axes` spatial axes.

    Raises ValueError where attributes do not fit each other.
    """
    auto_pad = call.text("auto_pad", "NOTSET") or "NOTSET"
    if auto_pad not in ("NOTSET", "VALID", *SAME):
        raise ValueError(f"auto_pad is {auto_pad!r}, which is no way of padding")
    pads = call.integers("pads") if auto_pad == "NOTSET" else None
    pads = (0,) * (2 * axes) if pads is None else pads
    output_shape = call.integers("output_shape")
    found = KernelWindow(
        kernel=tuple(kernel),
        stride=call.integers("strides") or (1,) * axes,
        dilation=call.integers("dilations") or (1,) * axes,
        before=pads[:axes],
        after=pads[axes:],
        auto_pad=auto_pad,
        output_padding=call.integers("output_padding") or (0,) * axes,
        output_shape=None if output_shape is None else output_shape[-axes:],
        groups=call.integer("group", 1),
        transposed=call.step.operator == "ConvTranspose",
    )
    rows = (found.kernel, found.stride, found.dilation, found.before, found.after, found.output_padding)
    if any(len(row) != axes for row in rows) or len(found.output_shape or found.kernel) != axes:
        raise ValueError(f"an attribute does not have one number for each of {axes} axes")
    if any(each < 1 for row in rows[:3] for each in row) or any(each < 0 for row in rows[3:] for each in row):
        raise ValueError("a kernel, stride or dilation is below 1, or a pad is negative")
    return found


def convolution_arguments(step: GraphStep) -> Mapping[str, tuple[int, ...]] | None:
    """Kernel, stride, dilation and output_padding of a convolution, as far as its step tells them; None else."""
    kernel = step.attributes.get("kernel_shape")
    if not isinstance(kernel, tuple) or not kernel or not all(isinstance(each, int) for each in kernel):
        return None
    ones, zeros = (1,) * len(kernel), (0,) * len(kernel)
    found = {"kernel_size": kernel}
    for name, attribute, default in (("stride", "strides", ones), ("dilation", "dilations", ones),
                                     ("output_padding", "output_padding", zeros)):  # fmt: skip
        value = step.attributes.get(attribute, default)
        found[name] = value if isinstance(value, tuple) and len(value) == len(kernel) else default
    return found


@operator("Conv", "ConvTranspose")
def _convolution(call: OperatorCall) -> Any:
    return convolution(call, *call.tensors())


def convolution(call: OperatorCall, *arguments: torch.Tensor) -> torch.Tensor:
    """The convolution of an input by a weight, with a bias or not.

    Raises ValueError where axes or attributes do not fit each other.
    """
    axes, weight = arguments[0].dim() - 2, arguments[1].shape
    if axes < 1 or len(weight) != axes + 2:
        raise ValueError(f"input of {axes + 2} axes, but a weight of {len(weight)}")
    kernel = call.integers("kernel_shape") or tuple(map(plain, weight[2:]))
    if len(kernel) != axes or any(each != size for each, size in zip(kernel, weight[2:], strict=True)):
        raise ValueError(f"kernel_shape {kernel} is not that of the weight, {tuple(map(plain, weight[2:]))}")
    setting = window(call, axes, kernel)
    result: torch.Tensor = handle_torch_function(convolved, arguments, setting, *arguments)
    return result


def convolved(setting: KernelWindow, input: torch.Tensor, *rest: torch.Tensor) -> Any:
    """A convolution; only a run under the recorder calls this, which has the rule below.

    Raises NotImplementedError for what onnxruntime does not implement.
    """
    raise NotImplementedError


@size_rule(convolved)
def _convolved(op: Operation, setting: KernelWindow, input: torch.Tensor, weight: torch.Tensor, *bias: Any) -> Result:
    axes = len(setting.kernel)
    op.name = f"conv_transpose{axes}d" if setting.transposed else f"conv{axes}d"
    shape, filters = op.shape(input), op.shape(weight)
    setting = _changed(op, setting)
    taken, given = filters[1] * setting.groups, filters[0]
    if setting.transposed:
        taken, given = filters[0], filters[1] * setting.groups
    text = f"the weight wants {plain(taken)} channels, but the input has {{left}}"
    if not setting.transposed and axes == 2 and input.dtype is torch.float32:
        _look_for_blocks(op, shape[1], taken)
    op.require_equal(shape[1], taken, Kind.CHANNELS, text)
    if setting.groups > 1:
        parted = shape[1] if setting.transposed else given
        op.require(divisible(function_of(parted), setting.groups), Kind.MULTIPLE, "{left} channels in {right} groups",
                   between=(parted, setting.groups))  # fmt: skip
    if bias:
        op.require_equal(op.shape(bias[0])[0], given, Kind.CHANNELS, "a bias of {left} for {right} channels")
    op.resamples(axes, (each if setting.transposed else Fraction(1, each) for each in map(plain, setting.stride)))
    _remember(op, setting)
    size = _stretched_size if setting.transposed else _size
    spatial = tuple(size(op, setting, axis, n) for axis, n in enumerate(shape[-axes:]))
    return Fresh((shape[0], given, *spatial), _META, input.dtype)


def _look_for_blocks(op: Operation, channels: int, taken: int) -> None:
    """Ends the run where an open number of channels is not that of the weight, but fills the same blocks of 16.

    Where the processor has the instructions, onnxruntime fills up channels that are a multiple of 4 and looks then.
    """
    first = (plain(taken) - 1) // _BLOCK * _BLOCK
    if not symbolic(channels) or plain(taken) % _FILLED or channels == taken:
        return
    if first < channels <= first + _BLOCK and channels % _FILLED == 0:
        text = "whether onnxruntime takes {left} channels for {right} depends on the processor"
        op.recorder.give_up(Failure(Kind.CHANNELS, text, plain(channels), plain(taken)), op)


def _changed(op: Operation, setting: KernelWindow) -> KernelWindow:
    """The arguments with what a repair gives in their place."""
    change = op.recorder.override
    padding = change("padding")
    return KernelWindow(
        change("kernel_size") or setting.kernel,
        change("stride") or setting.stride,
        setting.dilation,
        setting.before if padding is None else padding,
        setting.after if padding is None else padding,
        setting.auto_pad,
        change("output_padding") or setting.output_padding,
        change("output_size") or setting.output_shape,
        setting.groups,
        setting.transposed,
    )


def _remember(op: Operation, setting: KernelWindow) -> None:
    total = tuple(map(int.__add__, map(plain, setting.before), map(plain, setting.after)))
    found: dict[str, Sequence[int]] = {
        "kernel_size": setting.kernel, "stride": setting.stride, "dilation": setting.dilation
    }  # fmt: skip
    if setting.symmetric:
        found["padding"] = setting.before
    if setting.transposed:
        found["output_padding"] = setting.output_padding
    if not setting.transposed:
        found["padding_total"] = total
    op.parameters = {name: tuple(map(plain, value)) for name, value in found.items()}


def _size(op: Operation, setting: KernelWindow, axis: int, n: int) -> int:
    k, s, d = setting.kernel[axis], setting.stride[axis], setting.dilation[axis]
    op.require_at_least(n, 1, Kind.EMPTY, "only the batch of a convolution's input can be empty")
    if setting.auto_pad in SAME:
        if plain(d) != 1:
            op.refuse(Kind.ARGUMENT, f"a dilation does not go with auto_pad={setting.auto_pad}")
        return (n - 1) // s + 1
    padded, reach = n + setting.before[axis] + setting.after[axis], d * (k - 1) + 1
    op.require_at_least(padded, reach, Kind.KERNEL, f"Kernel size {plain(reach)} can't be greater than {{left}}")
    return (padded - reach) // s + 1


def _stretched_size(op: Operation, setting: KernelWindow, axis: int, n: int) -> int:
    k, s, d, extra = (row[axis] for row in (setting.kernel, setting.stride, setting.dilation, setting.output_padding))
    op.require_at_least(n, 1, Kind.EMPTY, "only the batch of a convolution's input can be empty")
    limit, text = larger(s, d), "output_padding {right} is not below the stride or dilation"
    op.require_at_least(limit - 1, extra, Kind.OUTPUT_PADDING, text)
    text = f"onnxruntime refuses an output_padding of {{right}}, which is not below the stride {plain(s)}"
    op.require_at_least(s - 1, extra, Kind.OUTPUT_PADDING, text)
    reach = d * (k - 1) + 1
    full = (n - 1) * s + reach + extra
    if setting.output_shape is not None:
        out = setting.output_shape[axis]
        text = f"output_shape is {{right}}, which a stride of {plain(s)} does not give; the largest is {{left}}"
        op.require_at_least((n - 1) * s + reach + s - 1, out, Kind.ARGUMENT, text)
    elif setting.auto_pad in SAME:
        out = smaller(full, n * s)
    else:
        out = full - setting.before[axis] - setting.after[axis]
    op.require_at_least(out, 1, Kind.EMPTY, "output size {left} is too small")
    return out


def shape_needs(shape: Shape, text: str) -> tuple[Need, ...]:
    """That no axis but the batch is empty."""
    return tuple(Need(n, 1, Kind.EMPTY, text) for n in shape[1:])
