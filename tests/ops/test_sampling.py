"""Sampling at places against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import shapelint
from tests.calls import check_drawn
from tests.operations import agree, grid, small_grid

_SIZES = ("H", "W", "H-1", "W//2", "3", "2*H")


def _draw_sample(draw: random.Random) -> tuple[str, list[str]]:
    axes = draw.choice((2, 2, 3))
    batch = draw.choice(("1", "2", "H"))
    image = [batch, draw.choice(("2", "H-1")), *(draw.choice(_SIZES) for _ in range(axes))]
    places = [draw.choice((batch, batch, batch, "2", "W")), *(draw.choice(_SIZES) for _ in range(axes)),
              str(axes) if draw.random() < 0.8 else draw.choice(("3", "W", "2"))]  # fmt: skip
    if draw.random() < 0.07:
        places.pop(1)
    modes = ("bilinear", "nearest", "bicubic", "lanczos") if axes == 2 else ("bilinear", "bilinear", "bicubic")
    mode = draw.choice(modes)
    padding = draw.choice(("zeros", "border", "reflection", "reflection", "circular"))
    text = f"F.grid_sample(x, y, '{mode}', '{padding}')"
    if draw.random() < 0.2:
        text = f"torch.grid_sampler(x, y, {draw.choice((0, 1, 2))}, 0, True)"
    return draw.choice((text, text, f"{text}.view(x.shape[0], -1)")), [",".join(image), ",".join(places)]


def _draw_places(draw: random.Random) -> tuple[str, list[str]]:
    axes = draw.choice((2, 2, 3))
    batch, corners = draw.choice(("1", "2", "H", "H-1")), draw.choice((True, False))
    image = [draw.choice((batch, batch, "H")), draw.choice(("2", "W-1")), *(draw.choice(_SIZES) for _ in range(axes))]
    theta = [batch, str(axes), str(axes + 1)] if draw.random() < 0.8 else [batch, draw.choice(("H", "2")), "3"]
    if draw.random() < 0.07:
        theta.pop()
    size = draw.choice(("x.shape", "x.shape", "list(x.shape)", "(1, 2, 1, 4)", "x.shape[1:]"))
    text = f"F.affine_grid(y, {size}, align_corners={corners})"
    sampled = f"F.grid_sample(x, {text}, align_corners={corners})"
    return draw.choice((text, sampled, f"{text}.view(-1, {axes})")), [",".join(image), ",".join(theta)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("draw", [_draw_sample, _draw_places])
def test_drawn_arguments(seed: int, draw: Any) -> None:
    check_drawn(seed, draw)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int64", "complex64"])
def test_dtypes(dtype: str) -> None:
    for other in (dtype, "float32"):
        points = grid(H=[1, 3], W=[2])
        claims = agree(functional.grid_sample, ["1,2,H,W", "1,W,H,2"], points, [dtype, other])
        assert not claims.reasons
        agree(functional.grid_sample, ["1,2,H,W,2", "1,W,H,2,3"], points, [dtype, other])
    agree(lambda x: functional.affine_grid(x, [2, 1, 3, 4]), ["H,2,3"], grid(H=[1, 2]), [dtype])


def test_inputs_of_another_layout() -> None:
    def sampled(x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return functional.grid_sample(x.mT, places.permute(0, 2, 3, 1), align_corners=True).view(2, -1)

    assert agree(sampled, ["2,3,H,W", "2,2,H,W"], small_grid(random.Random(0), 2)).runs > 100


class _SpatialTransformer(nn.Module):
    """Jaderberg et al. 2015: the image is turned by a matrix that a network of its own finds."""

    def __init__(self) -> None:
        super().__init__()
        self.find = nn.Sequential(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(3))
        self.matrix = nn.Linear(8 * 3 * 3, 6)
        self.classify = nn.Conv2d(1, 4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        theta = self.matrix(self.find(x).flatten(1)).view(-1, 2, 3)
        places = functional.affine_grid(theta, list(x.shape), align_corners=False)
        turned = functional.grid_sample(x, places, align_corners=False)
        result: torch.Tensor = self.classify(turned) + x[..., 2:-2, 2:-2]
        return result


def test_a_spatial_transformer_is_proved() -> None:
    contract = shapelint.check(_SpatialTransformer(), "B,1,H,W").contract
    assert contract.proved
    assert str(contract.runs) == "any B, H and W at least 8"
    assert contract.outcome(B=2, H=9, W=30).outputs == ((2, 4, 5, 26),)
