"""Random numbers of Python, numpy and torch: as the data, they do not matter where all that they decide ends alike."""

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
from shapelint.facts.contract import How


def net(function: Callable[[Tensor], Any]) -> nn.Module:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return function(x)

    return Net()


def left_out(x: Tensor) -> Tensor:
    if random.random() < 0.5:
        x = x * 2
    if torch.rand(1) < 0.5 or torch.rand(()).item() > 0.9:
        x = x + 1
    return F.max_pool2d(x, 2)


def mixed(x: Tensor) -> Tensor:
    share = np.random.beta(1.0, 1.0)
    return share * x + (1 - share) * x[torch.randperm(x.shape[0])] * random.uniform(0.5, 1.5)


def chosen(x: Tensor) -> Tensor:
    kernel = random.choice([1, 3, 5])
    return random.choice((torch.relu, torch.tanh))(F.avg_pool2d(x, kernel, 1, kernel // 2))


@pytest.mark.parametrize("function", [left_out, mixed, chosen])
def test_chance_decides_nothing_where_sizes_come_out_alike(function: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(net(function), "2,3,H,W").contract
    assert contract.proved, [(str(region.sizes), region.why) for region in contract.regions]
    for height, width in ((1, 1), (2, 5), (7, 8)):
        outcome = contract.outcome(H=height, W=width)
        for seed in range(4):
            random.seed(seed)
            x = torch.rand(2, 3, height, width)
            assert outcome.ok is (function is not left_out or min(height, width) > 1)
            assert not outcome.ok or outcome.outputs == (tuple(function(x).shape),)


def resized(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=random.choice([0.5, 2.0]))


def cropped(x: Tensor) -> Tensor:
    return x[..., : int(random.uniform(2, 9))]


def turned(x: Tensor) -> Tensor:
    return x[..., : 4 + round(np.cos(np.random.rand()))]


def kept(x: Tensor) -> Tensor:
    return x[..., : int((torch.tensor([2.0]) * random.random() + 3).item())]


def given_to_a_kernel(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=0.5 + random.random()) + torch.normal(0.0, random.random(), (1,))


DRAWS = ("random.uniform", "numpy.random.rand", "random.random")


def test_sizes_that_chance_decides_are_not_known() -> None:
    (region,) = shapelint.check(net(resized), "2,3,H,W").contract.regions
    assert (region.how, region.why) == (How.UNKNOWN, "a random number (`random.choice`) decides which sizes come out")


@pytest.mark.parametrize("function", [cropped, turned, kept, given_to_a_kernel])
def test_what_takes_the_drawn_number_itself_is_true_of_the_draw(function: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(net(function), "2,3,H,W").contract
    assert {region.how for region in contract.regions} == {How.SAMPLED}
    assert {region.why for region in contract.regions} <= {f"a random number (`{name}`)" for name in DRAWS}
    assert contract.outcome(H=12, W=12).ok


def test_of_many_layers_that_chance_leaves_out_some_are_tried() -> None:
    def deep(x: Tensor) -> Tensor:
        for _ in range(24):
            if random.random() < 0.5:
                x = F.relu(x)
        return x

    contract = shapelint.check(net(deep), "2,3,H,W").contract
    assert {region.how for region in contract.regions} == {How.SAMPLED}
    assert contract.outcome(H=4, W=5).outputs == ((2, 3, 4, 5),)
