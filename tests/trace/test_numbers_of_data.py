"""Whole numbers that chance or the data choose: what comes out alike for all of them is proved, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import Contract, How


def _contract(function: Callable[[Tensor], Any]) -> Contract:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return function(x)

    return shapelint.check(Net(), "1,3,H,W").contract


def _cropped(x: Tensor) -> Tensor:
    top, left = random.randint(0, x.shape[2] - 8), random.randrange(x.shape[3] - 7)
    return x[:, :, top : top + 8, left : left + 8]


def _cut_out(x: Tensor) -> Tensor:
    middle, made = np.random.randint(x.shape[2]), x.clone()
    made[:, :, max(0, middle - 2) : min(x.shape[2], middle + 2)] = 0
    return made


def _shorter(x: Tensor) -> Tensor:
    start = random.randint(0, max(0, x.shape[2] - 8))
    return x[:, :, start : start + 8]


def _drawn_by_torch(x: Tensor) -> Tensor:
    top = torch.randint(0, x.shape[2] - 7, (1,)).item()
    return x[:, :, top : top + 8]


def _resized(x: Tensor) -> Tensor:
    return F.interpolate(F.interpolate(x, size=random.randint(4, 9)), size=x.shape[2:])


def _chosen(x: Tensor) -> Tensor:
    return [torch.relu, torch.tanh, torch.exp][random.randint(0, 2)](x)


def _swapped(x: Tensor) -> Tensor:
    place = x[0, 0, :, 0].argmax().item()
    return torch.cat([x[:, :, place:], x[:, :, :place]], 2)


def _scaled(x: Tensor) -> Tensor:
    return x / max((x > 0).sum(3)[0, 0, 0].item(), 1)


@pytest.mark.parametrize("function", [
    _cropped, _cut_out, _shorter, _drawn_by_torch, _resized, _chosen, _swapped, _scaled,
])  # fmt: skip
def test_what_such_a_number_does_not_decide_is_proved(function: Callable[[Tensor], Tensor]) -> None:
    contract = _contract(function)
    assert contract.proved, [(str(region.sizes), region.why) for region in contract.regions]
    for height, width in ((3, 9), (8, 8), (13, 10)):
        outcome = contract.outcome(H=height, W=width)
        for seed in range(4):
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            try:
                seen = (tuple(function(torch.randn(1, 3, height, width)).shape),)
            except (ValueError, RuntimeError):
                seen = ()
            assert outcome.outputs == seen


def _at_an_end(x: Tensor) -> Tensor:
    return x[:, :, random.randint(0, x.shape[2])]


def _one_beyond(x: Tensor) -> Tensor:
    return x[:, :, x[0, 0, :, 0].argmax().item() + 1]


def _of_chance(x: Tensor) -> Tensor:
    return F.interpolate(x, size=random.randint(4, 9))


def _nearly_cropped(x: Tensor) -> Tensor:
    top = random.randint(0, x.shape[2] - 8)
    return x[:, :, top : top + 9]


@pytest.mark.parametrize("function", [_at_an_end, _one_beyond, _of_chance, _nearly_cropped])
def test_what_such_a_number_decides_is_not_known(function: Callable[[Tensor], Tensor]) -> None:
    contract = _contract(function)
    assert contract.outcome(H=12, W=12).ok is None
    assert How.UNKNOWN in {region.how for region in contract.regions}
