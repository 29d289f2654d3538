"""Sliding windows: `F.unfold`, `F.fold` and `Tensor.unfold`.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html and
https://docs.pytorch.org/docs/stable/generated/torch.Tensor.unfold.html; the requirements are those of
aten/src/ATen/native/im2col_shape_check.h.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.reshape import require_count
from shapelint.ops.view import ones
from shapelint.size.condition import divisible, equal, factors
from shapelint.size.number import function_of, plain, size
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import dimension as axis_index
from shapelint.trace.recording.arguments import number
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_MORE = (torch.bool, torch.complex64, torch.complex128)


@size_rule(torch.nn.functional.unfold, torch._C._nn.im2col)
def _unfold(
    op: Operation, input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Result:
    """(C, H, W) becomes (C kh kw, L) with L = the number of places of the window."""
    kernel, *rest = _window(op, kernel_size, dilation, padding, stride)
    shape = op.shape(input)
    _check_rank(op, shape, 3)
    _check_dtype(op, input)
    rows, columns = _places(op, shape[-2:], kernel, *rest)
    return Fresh((*shape[:-3], shape[-3] * kernel[0] * kernel[1], rows * columns), input)


@size_rule(torch.nn.functional.fold, torch._C._nn.col2im)
def _fold(
    op: Operation,
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Result:
    """(C kh kw, L) becomes (C, H, W); L must be the number of places of the window in the output."""
    kernel, *rest = _window(op, kernel_size, dilation, padding, stride)
    if any(map(symbolic, kernel)):
        raise NoRule
    wanted, shape, area = _pair(op, output_size, "output_size"), op.shape(input), plain(kernel[0] * kernel[1])
    _check_rank(op, shape, 2)
    _check_dtype(op, input)
    text = "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got {left}"
    op.require(divisible(function_of(shape[-2]), area), Kind.CHANNELS, text, between=(shape[-2], area))
    for each in wanted:
        op.require_at_least(each, 1, Kind.EMPTY, "Expected output spatial size to be positive, but got {left}")
    text = "fold expects as many windows as fit into the output, {right}, but got {left}"
    windows = tuple(size(each.value(op.recorder.sizes), each) for each in factors(function_of(shape[-1])))
    require_count(op, windows, _places(op, wanted, kernel, *rest), text)
    return Fresh((*shape[:-2], shape[-2] // area, *wanted), input)


def _window(op: Operation, *given: Any) -> tuple[Shape, Shape, Shape, Shape]:
    """Kernel, dilation, padding and stride of both axes, checked."""
    names = ("kernel_size", "dilation", "padding", "stride")
    found = tuple(_pair(op, value, name) for value, name in zip(given, names, strict=True))
    for values, name in zip(found, names, strict=True):
        for value in values:
            least = 0 if name == "padding" else 1
            op.require_at_least(value, least, Kind.ARGUMENT, f"{name} should be at least {least}, but got {{left}}")
    return found[0], found[1], found[2], found[3]


def _pair(op: Operation, value: Any, name: str) -> Shape:
    """A number for both axes, or two; one in a tuple does not stand for both here."""
    if not isinstance(value, (tuple, list)):
        return (number(op, value),) * 2
    if len(value) != 2:
        op.refuse(Kind.ARGUMENT, f"It is expected {name} equals to 2, but got size {len(value)}")
    return tuple(number(op, each) for each in value)


def _check_rank(op: Operation, shape: Shape, rank: int) -> None:
    """Unbatched or with a batch, which alone may be empty."""
    if len(shape) not in (rank, rank + 1):
        op.refuse(Kind.ARGUMENT, f"Expected {rank}D or {rank + 1}D (batch mode) tensor, but got {len(shape)}D")
    for each in shape[-rank:]:
        op.require_at_least(each, 1, Kind.EMPTY, f"`{op.name}` of an empty input: only its batch can be empty")


def _check_dtype(op: Operation, input: Tensor) -> None:
    if not input.is_floating_point() and input.dtype not in _MORE:
        op.refuse(Kind.ARGUMENT, f'"{op.name}" not implemented for {input.dtype}')


def _places(op: Operation, sizes: Shape, kernel: Shape, dilation: Shape, padding: Shape, stride: Shape) -> Shape:
    """How many places the window has along each axis: floor((n + 2p - d(k-1) - 1)/s) + 1."""
    text = "the sliding blocks do not fit: their number, {left}, must be at least one"
    found = []
    for n, k, d, p, s in zip(sizes, kernel, dilation, padding, stride, strict=True):
        count = (n + 2 * p - d * (k - 1) - 1) // s + 1
        op.require_at_least(count, 1, Kind.KERNEL, text)
        found.append(count)
    return tuple(found)


@size_rule(Tensor.unfold)
def _windows(op: Operation, input: Tensor, dimension: Any, size: Any, step: Any) -> Result:
    """The axis becomes floor((n - size)/step) + 1 windows of `size`, which is a new last axis."""
    shape = op.shape(input)
    axis = axis_index(op, dimension, len(shape))
    length, width, pace = shape[axis] if shape else 1, number(op, size), number(op, step)
    op.require_at_least(width, 0, Kind.ARGUMENT, "size is {left} but must be >= 0")
    op.require_at_least(pace, 1, Kind.ARGUMENT, "step is {left} but must be > 0")
    text = f"maximum size for tensor at dimension {axis} is {{left}} but size is {{right}}"
    op.require_at_least(length, width, Kind.KERNEL, text)
    count = (length - width) // pace + 1
    result = (*shape[:axis], count, *shape[axis + 1 :], width) if shape else (width,)
    pairs = [(count * pace, length), (width, pace), (count, 1), (width, 1), *((each, width) for each in shape)]
    op.layout = (*ones(shape), *(equal(function_of(one), function_of(two)) for one, two in pairs))
    return Kernel((result,))
