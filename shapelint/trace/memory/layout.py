"""How the elements of a new tensor lie in memory, as eager PyTorch on the CPU lays them.

What a `view` allows depends on it. PyTorch's kernels for meta tensors mostly say contiguous where eager PyTorch keeps
channels-last, so what cannot be left to them is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import torch

from shapelint.size.condition import Condition
from shapelint.size.number import plain
from shapelint.trace.recording.operation import Fresh, Operation, Result, unit_sizes
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
Format = torch.memory_format
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


def layout_conditions(operation: Operation, result: Result) -> tuple[Condition, ...]:
    """The conditions on which the strides of the arguments, and so of the result, depend."""
    known = operation.recorder.known
    own = (*operation.layout, *unit_sizes(result))
    taken = (known[id(tensor)].layout for tensor in operation.given if id(tensor) in known)
    parts = {id(each): each for each in (own, *taken) if each}
    return tuple(dict.fromkeys(chain(*parts.values()))) if len(parts) > 1 else next(iter(parts.values()), ())


def is_plain_layout(*tensors: Tensor | None) -> bool:
    """Whether all tensors are contiguous, so that a new one is contiguous too."""
    return all(tensor is None or tensor.is_contiguous() for tensor in tensors)


def settled_layout(op: Operation, *tensors: Tensor | None) -> bool:
    """Whether all tensors are contiguous at every size, not only where their axes happen to be of size 1."""
    known, settled = op.recorder.known, True
    for tensor in tensors:
        if tensor is not None:
            op.shape(tensor)
            settled = settled and tensor.is_contiguous() and not known[id(tensor)].layout
    return settled


def is_like_channels_last(tensor: Tensor) -> bool:
    """Whether PyTorch takes the tensor for channels-last, as it does with one channel that was permuted to the front.

    It need not be dense: a part of one counts too (is_channels_last_strides_2d in c10/core/MemoryFormat.h).
    """
    sizes, strides, rank = tensor.shape, tensor.stride(), tensor.dim()
    if rank not in (4, 5) or strides[1] == 0 or strides[-1] < strides[1] * sizes[1]:
        return False
    least = 0
    for axis in (1, *range(rank - 1, 1, -1), 0):
        if sizes[axis] == 0 or strides[axis] < least or (axis == 0 and least == strides[1]):
            return False
        least = strides[axis] * max(sizes[axis], 1)
    return True


def suggested_format(tensor: Tensor) -> Format:
    """Channels-last or contiguous, as `suggest_memory_format` in PyTorch's C++ says."""
    return CHANNELS_LAST[tensor.dim()] if is_like_channels_last(tensor) else torch.contiguous_format


def in_format(op: Operation, shape: Shape, like: Tensor, layout: Format, *sources: Tensor | None) -> Fresh:
    """A new tensor in the given format, which the layout of the sources has decided."""
    if layout is torch.contiguous_format and settled_layout(op, *sources):
        return Fresh(shape, like)
    return Fresh(shape, like, layout=layout)


def in_suggested_format(op: Operation, shape: Shape, input: Tensor) -> Fresh:
    """A new tensor that is channels-last where the input is."""
    return in_format(op, shape, input, suggested_format(input), input)


def in_format_of_images(op: Operation, shape: Shape, input: Tensor, axes: int) -> Fresh:
    """As PyTorch pools: a signal is an image of one row, and a volume alone a batch of one."""
    if axes == 1 and input.dim() == 3 and is_like_channels_last(input.unsqueeze(2)):
        return Fresh(shape, input, layout=in_order(shape, (0, 2, 1)))
    if axes == 3 and input.dim() == 4:
        if is_like_channels_last(input.unsqueeze(0)):
            return Fresh(shape, input, layout=in_order(shape, (1, 2, 3, 0)))
        return in_format(op, shape, input, torch.contiguous_format, input)
    if input.dim() != axes + 2:
        return in_format(op, shape, input, torch.contiguous_format, input)
    return in_suggested_format(op, shape, input)


def in_order(shape: Sequence[int], axes: Sequence[int]) -> Tensor:
    """A tensor whose axes lie in this order in memory, as a layout to keep."""
    sizes = [plain(shape[axis]) for axis in axes]
    return torch.empty(sizes, device="meta").permute([axes.index(axis) for axis in range(len(axes))])
