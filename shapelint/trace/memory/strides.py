"""The strides that PyTorch gives to the result of an operation element by element.

torch's kernels for meta tensors compute them too, but import sympy or torch._dynamo for it, up to a second and a half.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from shapelint.size.number import plain
from shapelint.trace.memory.layout import CHANNELS_LAST


def like_operands(shape: Sequence[int], tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """A meta tensor with the strides of what the operands make together (aten/src/ATen/TensorIterator.cpp)."""
    sizes = [plain(each) for each in shape]
    given = [each for each in tensors if each.dim()]
    if given and all(list(each.shape) == sizes for each in given):
        for layout in (torch.contiguous_format, CHANNELS_LAST.get(len(sizes))):
            if layout is not None and all(each.is_contiguous(memory_format=layout) for each in given):
                return torch.empty(sizes, device="meta", memory_format=layout)
    order = _from_inner(sizes, [_strides(each, sizes) for each in given])
    strides, block = [0] * len(sizes), 1
    for axis in order:
        strides[axis], block = block, block * sizes[axis]
    return torch.empty_strided(sizes, strides, device="meta")


def _strides(tensor: torch.Tensor, sizes: Sequence[int]) -> list[int]:
    """The strides of an operand over the axes of the result, 0 where it is broadcast."""
    own = zip(tensor.shape, tensor.stride(), sizes[len(sizes) - tensor.dim() :], strict=True)
    return [0] * (len(sizes) - tensor.dim()) + [0 if size == 1 != whole else stride for size, stride, whole in own]


def _from_inner(sizes: Sequence[int], strides: Sequence[Sequence[int]]) -> list[int]:
    """The axes in the order in which they lie in memory, the one of neighbours first."""
    order = list(range(len(sizes)))[::-1]
    for start in range(1, len(order)):
        place = start
        for before in range(start - 1, -1, -1):
            turn = _compared(order[before], order[place], sizes, strides)
            if turn > 0:
                order[before], order[place] = order[place], order[before]
                place = before
            elif turn < 0:
                break
    return order


def _compared(one: int, two: int, sizes: Sequence[int], strides: Sequence[Sequence[int]]) -> int:
    """Whether an axis lies inside (-1) or outside (1) of another, as the first operand says that can tell; else 0."""
    for each in strides:
        if not each[one] or not each[two]:
            continue
        if each[one] != each[two]:
            return -1 if each[one] < each[two] else 1
        if sizes[one] > sizes[two]:
            return 1
    return 0
