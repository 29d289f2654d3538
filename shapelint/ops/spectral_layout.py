"""How the result of a Fourier transform lies in memory on the CPU, which torch's kernels on meta do not tell.

The transformed axes are innermost, the others keep their order by stride (aten/src/ATen/native/mkl/SpectralOps.cpp).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

Tensor = torch.Tensor


def laid_out(input: Tensor, shape: Sequence[int], axes: Mapping[int, int | None], steps: str) -> Tensor:
    """A meta tensor of `shape` with the strides that a transform of the input gives.

    `axes` are the transformed ones with the size to which each is cut or padded before; `steps` tells their order:
    "together", "last then others" or "others then last", and "last inside" where only the others are sorted.
    """
    strides = _resized(input, axes).stride()
    *others, last = axes
    if steps == "together":
        order = _order(strides, _sorted(strides, [*others, last]))
    elif steps == "last inside":
        order = _order(strides, [*_sorted(strides, others), last])
    else:
        order = list(range(len(shape)))
        for part in ([last], others) if steps == "last then others" else (others, [last]):
            if part:
                order = _order(strides, _sorted(strides, part))
                strides = _dense(shape, order).stride()
    return _dense(shape, order)


def _resized(input: Tensor, axes: Mapping[int, int | None]) -> Tensor:
    """The input, cut where it is too long, and copied where it is too short."""
    signal, pads = input, [0] * (2 * input.dim())
    for axis, size in axes.items():
        if size is not None and signal.shape[axis] > size:
            signal = signal.narrow(axis, 0, size)
        elif size is not None and signal.shape[axis] < size:
            pads[2 * (signal.dim() - axis) - 1] = size - signal.shape[axis]
    return torch.constant_pad_nd(signal, pads) if any(pads) else signal


def _sorted(strides: Sequence[int], axes: Sequence[int]) -> list[int]:
    return sorted(axes, key=lambda axis: -strides[axis])


def _order(strides: Sequence[int], transformed: Sequence[int]) -> list[int]:
    """All axes from the outermost in memory to the innermost."""
    rest = [axis for axis in range(len(strides)) if axis not in transformed]
    return [*_sorted(strides, rest), *transformed]


def _dense(shape: Sequence[int], order: Sequence[int]) -> Tensor:
    places = [order.index(axis) for axis in range(len(order))]
    return torch.empty([shape[axis] for axis in order], device="meta").permute(places)
