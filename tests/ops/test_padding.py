"""Padding against eager PyTorch, with valid and invalid arguments."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.operations import Claims, agree, grid, small_grid, spec

MODES = ("constant", "reflect", "replicate", "circular")


def drawn_padding(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 2, 2, 3))
    mode = draw.choice(MODES)
    count = axes if draw.random() < 0.85 else draw.choice((0, 1, 2, 3, 4))
    values = [0, 0, 1, 2, 3] if draw.random() < 0.6 else [0, 0, 1, 2, -1, -2, -4]
    pad = [draw.choice(values) for _ in range(2 * count)]
    if draw.random() < 0.05:
        pad.append(1)
    fill = draw.choice((None, None, 0, 1)) if mode == "constant" or draw.random() < 0.2 else None
    specs = [spec(axes, "2", offset=draw.choice(("", "", "-1")), batch=draw.choice(("1,", "1,", "2,", "")))]
    return agree(lambda value: functional.pad(value, pad, mode, fill), specs, small_grid(draw, axes))


def test_drawn_arguments() -> None:
    claims = [drawn_padding(seed) for seed in range(400)]
    assert sum(each.runs for each in claims) > 10000
    assert sum(each.raises for each in claims) > 5000
    assert all("circular" in reason for each in claims for reason in each.reasons)
    assert sum(bool(each.reasons) for each in claims) < 40


@pytest.mark.parametrize("mode", MODES)
def test_padding_to_the_size_of_another(mode: str) -> None:
    def padded(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        rows, columns = other.size(2) - value.size(2), other.size(3) - value.size(3)
        pad = [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]
        return functional.pad(value, pad, mode=mode)

    claims = agree(padded, ["1,1,H,4", "1,1,K,W"], grid(H=[1, 2, 5], K=[1, 4, 7], W=[2, 4, 9]))
    assert claims.runs > 30
    assert mode == "circular" or not claims.reasons


def test_entries_that_are_tensors() -> None:
    def padded(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        rows = torch.tensor([other.size(2) - value.size(2)])
        columns = torch.tensor(other.size(3) - value.size(3))
        pad: Any = [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]
        return functional.pad(value, pad)

    claims = agree(padded, ["1,1,H,4", "1,1,K,W"], grid(H=[1, 2, 5], K=[1, 4, 7], W=[2, 4, 9]))
    assert claims.runs > 30
    assert not claims.reasons


def test_padding_to_a_multiple() -> None:
    def padded(value: torch.Tensor) -> torch.Tensor:
        return functional.pad(value, (0, -value.shape[-1] % 8), mode="reflect")

    claims = agree(padded, ["1,2,W"], grid(W=[1, 2, 3, 4, 5, 8, 9, 15, 16, 100]))
    assert not claims.reasons
    assert claims.raises > 20


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rank", ["H", "2,H", "1,1,1,2,H,9"])
def test_other_ranks(mode: str, rank: str) -> None:
    for pad in ((1, 1), (1, 0, 0, 1), (0, 1, 1, 0, 0, 1)):
        agree(lambda value, pad=pad: functional.pad(value, pad, mode=mode), [rank], grid(H=range(1, 6)))


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool", "complex64"])
def test_dtypes(dtype: str) -> None:
    for mode in MODES:
        agree(lambda value, mode=mode: functional.pad(value, (1, 1), mode), ["1,2,H"], grid(H=range(1, 4)), [dtype])


def test_layers_lead_here() -> None:
    layers: tuple[Any, ...] = (
        torch.nn.ReflectionPad2d(2),
        torch.nn.ReplicationPad2d(1),
        torch.nn.ZeroPad2d((1, 2, 0, -1)),
        torch.nn.CircularPad2d(2),
        torch.nn.ConstantPad2d(1, 0.5),
    )
    for layer in layers:
        assert agree(layer, ["1,2,H,W"], grid(H=[1, 2, 3, 5], W=[1, 2, 4])).silent < 90


def test_an_unknown_mode_raises() -> None:
    assert agree(lambda value: functional.pad(value, (1, 1), "mirror"), ["1,2,H"], grid(H=range(1, 4))).raises == 9
