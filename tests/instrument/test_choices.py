"""An `if` that only sets a number in a list is no way of its own where one size decides it; else it is what it was."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given


class Padded(nn.Module):
    """A U-Net of three levels on volumes, each skip met by padding axis by axis: 512 ways, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.ups = nn.ModuleList(nn.ConvTranspose3d(2, 2, 2, 2) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for _ in self.ups:
            skips.append(x)
            x = F.max_pool3d(x, 2)
        for up in self.ups:
            x, skip = up(x), skips.pop()
            pads = [0] * 6
            for axis in range(3):
                if skip.shape[-axis - 1] != x.shape[-axis - 1]:
                    pads[axis * 2 + 1] = 1
            x = skip + F.pad(x, pads)
        return x


class Parities(nn.Module):
    """Each kind of test, with other numbers and a number that was set before."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        even, pads = height % 2 == 0, [0, 3, 0, 0]
        if height % 2:
            pads[-1] = 5
        if width % 2 > 0:
            pads[0] = 2
        if width % 2 > 0:
            pads[1] = 1
        if height // 2 * 2 == height:
            pads[2] = 4
        if width % 2 < 1:
            pads[1] = pads[1]
        if even:
            pads[0] = 7
        return F.pad(x, pads)


class Plain(nn.Module):
    """What is no such choice: sizes that differ by more, a dict, a missing place, numbers that are no sizes."""

    def forward(self, x: Tensor) -> Tensor:
        seen, pads, step = {"left": 0}, [0, 0], 0.5
        if x.shape[3] != 8:
            pads[0] = 1
        if x.shape[2] > 5:
            seen["left"] = 2
        if step > 0:
            pads[1] = 3
        if x.shape[3] % 2:
            seen["new"] = 1
        return F.pad(x, (seen["left"] + seen.get("new", 0), 0, *pads))


class Same(nn.Conv2d):
    """TensorFlow's padding, as ports write it: one number where the stride divides the size, another elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        kernel, stride = self.kernel_size[0], self.stride[0]
        if height % stride == 0:  # noqa: SIM108 - as the ports have it
            above = max(kernel - stride, 0)
        else:
            above = max(kernel - height % stride, 0)
        left = max(kernel - stride, 0) if width % stride == 0 else max(kernel - width % stride, 0)
        x = F.pad(x, (left // 2, left - left // 2, above // 2, above - above // 2))
        return super().forward(x)


class Scoped(nn.Module):
    """Choices where a name means something else a step further in, and one of which only the half that runs can."""

    odd = 3
    pad = odd if odd % 2 else 2

    def forward(self, x: Tensor, more: int = 1 if pad % 2 else 2) -> Tensor:
        height, width = x.shape[2:]
        grown = lambda size: size + 1 if size % 2 else size  # noqa: E731
        pads = [1 if height % 2 == index else 2 for index in range(2)]
        half = height // 2 if width > 4 else 2
        seen = nowhere if height % 2 > 1 else more  # type: ignore[name-defined] # noqa: F821
        return F.pad(x, (*pads, half + seen, grown(width) - width))


@pytest.mark.parametrize(
    ("model", "spec", "proved_in"),
    [
        (Padded(), "1,2,D,H,W", 10),
        (Parities(), "1,1,H,W", 3),
        (Plain(), "1,1,H,W", 12),
        (nn.Sequential(*(Same(1, 1, 3, 2) for _ in range(5))), "1,1,H,W", 2),
        (Same(1, 1, 5, 3), "1,1,H,W", 4),
        (Scoped(), "1,1,H,W", 8),
    ],
)
def test_every_size_is_as_eager_has_it(model: nn.Module, spec: str, proved_in: int) -> None:
    contract = shapelint.check(model, spec).contract
    assert contract.proved
    assert len(contract.regions) <= proved_in
    rank = len(contract.symbols)
    for number in range(40):
        sizes = [(number * 7 + axis * (number + 3)) % 21 + 1 for axis in range(rank)]
        outcome = contract.outcome(**dict(zip(contract.symbols, sizes, strict=True)))
        shape = (1, 2 if rank == 3 else 1, *sizes)
        assert (outcome.outputs if outcome.ok else None) == given(attempt(model, torch.zeros(shape))), sizes
