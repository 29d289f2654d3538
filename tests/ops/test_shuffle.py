"""Pixel shuffles against eager PyTorch, with valid and invalid arguments."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.operations import agree, grid

SPECS = ("1,4,H,W", "4,H,W", "2,18,H-1,W", "1,C,H,W", "2,2,8,H,W", "H,W", "1,8*C,H,3", "1,4,H,2*W")
SIZES = [*grid(H=[1, 2, 3, 4, 6, 9], W=[1, 2, 6]), {"H": 12, "W": 18}]


@pytest.mark.parametrize("text", SPECS)
@pytest.mark.parametrize("shuffle", [functional.pixel_shuffle, functional.pixel_unshuffle, functional.channel_shuffle])
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 0, -1])
def test_factors(text: str, shuffle: Any, factor: int) -> None:
    sizes = [point | {"C": channels} for point in SIZES[::3] for channels in (1, 4, 9)] if "C" in text else SIZES
    claims = agree(lambda value: shuffle(value, factor), [text], sizes)
    assert all("empty input" in reason for reason in claims.reasons)


def test_inputs_of_another_layout() -> None:
    def shuffled(value: torch.Tensor) -> torch.Tensor:
        return functional.pixel_shuffle(value.permute(0, 3, 1, 2), 2)

    assert agree(shuffled, ["1,H,W,4"], grid(H=[1, 2, 3], W=[1, 2])).runs > 4


def test_layers_lead_here() -> None:
    layers = (torch.nn.PixelShuffle(2), torch.nn.PixelUnshuffle(2), torch.nn.ChannelShuffle(2))
    assert sum(agree(layer, ["1,4,H,W"], grid(H=[1, 2, 4], W=[2, 6])).runs for layer in layers) == 36 + 16 + 36
