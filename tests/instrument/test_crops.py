"""An `if` that crops what was padded is no way of its own where the crop takes nothing else; else it is what it was."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given


class Windows(nn.Module):
    """A block of Swin for pictures of any size: padded to whole windows, cut into them, joined and cropped."""

    def __init__(self, *, named: bool) -> None:
        super().__init__()
        self.named = named

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        right, below = (4 - width % 4) % 4, (4 - height % 4) % 4
        whole = F.pad(x.view(1, height, width, 3), (0, 0, 0, right, 0, below))
        _, rows, columns, _ = whole.shape
        windows = whole.view(1, rows // 4, 4, columns // 4, 4, 3).permute(0, 1, 3, 2, 4, 5).contiguous()
        whole = windows.permute(0, 1, 3, 2, 4, 5).contiguous().view(1, rows, columns, 3)
        if self.named:
            was_padded = right > 0 or below > 0
            if was_padded:
                whole = whole[:, :height, :width, :].contiguous()
        elif right > 0 or below > 0:
            whole = whole[:, :height, :width].contiguous()
        return x + whole.view(1, height * width, 3)


class Swin(nn.Module):
    """Four levels of two blocks, each merged into half of its rows and columns."""

    def __init__(self, *, named: bool) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.ModuleList(Windows(named=named) for _ in range(2)) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = x.flatten(2).mT
        for level in self.levels:
            for block in level:
                x = block(x, height, width)
            x = x.view(1, height, width, 3)[:, ::2, ::2].reshape(1, -1, 3)
            height, width = (height + 1) // 2, (width + 1) // 2
        return x


class OtherCrops(nn.Module):
    """Crops that take more, or that a comparison with another number leaves out."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        below, right = -height % 4, -width % 4
        x = F.pad(x, (0, right, 0, below))
        if right > 1:
            x = x[:, :, :, :width].contiguous()
        if below > 0:
            x = x[:, :, : height - 1].contiguous()
        if height > 8 or width > 8:
            x = x[:, :, :8, :8].contiguous()
        return x


class Unreached(nn.Module):
    """Tests whose second half cannot be computed, and need not be."""

    def forward(self, x: Tensor) -> Tensor:
        height = x.shape[2]
        known = {"below": -height % 2}
        x = F.pad(x, (0, 0, 0, known["below"]))
        if known["below"] > -1 or known["right"] > 0:
            x = x[:, :, :height].contiguous()
        if known["below"] > -1 or nowhere > 0:  # type: ignore[name-defined] # noqa: F821
            x = x[:, :, :height].contiguous()
        return x


@pytest.mark.parametrize(
    ("model", "proved_in"), [(Swin(named=False), 1), (Swin(named=True), 1), (OtherCrops(), 12), (Unreached(), 3)]
)
def test_every_size_is_as_eager_has_it(model: nn.Module, proved_in: int) -> None:
    contract = shapelint.check(model, "1,3,H,W").contract
    assert contract.proved, [region.why for region in contract.regions]
    assert len(contract.regions) <= proved_in
    for height in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64):
        for width in (1, 2, 3, 4, 5, 8, 9, 17, 32):
            seen = given(attempt(model, torch.zeros(1, 3, height, width)))
            assert contract.outcome(H=height, W=width).outputs == (seen or ()), (height, width)
