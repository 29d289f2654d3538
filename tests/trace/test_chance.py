"""Random numbers of Python, numpy and torch: as the data, they do not matter where all that they decide ends alike."""

from __future__ import annotations

import pickle
import random
import statistics
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


def shared_out(x: Tensor) -> Tensor:
    """Of a number of the data too: `divmod` gives two of these."""
    whole, rest = divmod(random.random() + 1, x.mean().item())
    return x * whole + rest


@pytest.mark.parametrize("function", [left_out, mixed, chosen, shared_out])
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


def shown(x: Tensor) -> Tensor:
    return x[..., : 1 + int(f"{random.random():.1f}"[2])]


def shown_in_percent(x: Tensor) -> Tensor:
    return x[..., : 1 + int(("%.1f" % random.random())[2])]  # noqa: UP031


def divided(x: Tensor) -> Tensor:
    return x[..., : 1 + (divmod(random.random(), 0.3)[0] == 2.0)] * (1 / (random.random() // 0.5))


def rooted(x: Tensor) -> Tensor:
    return x[..., : 1 + isinstance((random.random() - 0.9) ** 0.5, complex)]


def made_complex(x: Tensor) -> Tensor:
    return x[..., : 1 + (complex(random.random(), 1.0).real < 0.5)]


def made_plain(x: Tensor) -> Tensor:
    return x[..., : 1 + (random.random().__float__() < 0.5)]


def multiplied(x: Tensor) -> Tensor:
    return x[..., : 1 + ((1j * random.random()).imag < 0.5)]


def added(x: Tensor) -> Tensor:
    return x[..., : 1 + ((random.random() + 1j).real < 0.5)]


def added_in_place(x: Tensor) -> Tensor:
    number = 1j
    number += random.random()
    return x[..., : 1 + (number.real < 0.5)]


def shown_in_place(x: Tensor) -> Tensor:
    text = "%.1f"
    text %= random.random()
    return x[..., : 1 + int(text[2])]


def stored(x: Tensor) -> Tensor:
    return x[..., : 1 + (pickle.loads(pickle.dumps(random.random())) < 0.5)]


def averaged(x: Tensor) -> Tensor:
    return x[..., : 1 + (statistics.mean([random.random(), random.random()]) < 0.5)]


MADE = [shown, shown_in_percent, divided, rooted, made_complex, made_plain, multiplied, added, added_in_place,
        shown_in_place, stored, averaged]  # fmt: skip


@pytest.mark.parametrize("function", MADE)
def test_what_is_made_of_a_drawn_number_is_true_of_the_draw(function: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(net(function), "2,3,H,W").contract
    assert {(region.how, region.why) for region in contract.regions} == {
        (How.SAMPLED, "a random number (`random.random`)")
    }


@pytest.mark.parametrize("part", ["real", "conjugate"])
def test_a_part_of_a_drawn_number_is_of_chance_too(part: str) -> None:
    def halved(x: Tensor) -> Tensor:
        number = getattr(random.random(), part)
        return x[..., :1] if (number if part == "real" else number()) < 0.5 else x

    (region,) = shapelint.check(net(halved), "2,3,H,W").contract.regions
    assert (region.how, region.why) == (How.UNKNOWN, "a random number (`random.random`) decides which sizes come out")


def until_drawn(x: Tensor) -> Tensor:
    while True:
        if 0.25 < random.random() < 0.75:
            return x * random.betavariate(1.0, 0.5 + random.random())


def test_a_loop_that_waits_for_a_draw_ends() -> None:
    contract = shapelint.check(net(until_drawn), "2,3,H,W").contract
    assert {region.how for region in contract.regions} == {How.SAMPLED}
    assert contract.outcome(H=4, W=5).outputs == ((2, 3, 4, 5),)


def by_a_drawn_share(x: Tensor) -> Tensor:
    return x * (random.random() / (x.shape[2] - 3))


def by_a_mean(x: Tensor) -> Tensor:
    return x * (x.mean().item() % (x.shape[2] - 3))


def by_a_product(x: Tensor) -> Tensor:
    return x * (1 / (random.random() * (x.shape[2] - 3)))


@pytest.mark.parametrize("function", [by_a_drawn_share, by_a_mean, by_a_product])
def test_a_number_that_nobody_knows_cannot_be_divided_by_a_size_that_is_0(function: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(net(function), "2,3,H,W").contract
    assert contract.outcome(H=3, W=4).ok is not True
    assert (contract.outcome(H=4, W=4).ok, contract.outcome(H=4, W=4).how) == (True, How.PROVED)


@pytest.mark.parametrize("part", ["real", "conjugate()", "__float__()", "__divmod__(2.0)[1]", "__complex__()"])
def test_a_part_of_a_number_of_the_data_is_not_known(part: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def part_of(number):\n    return number.{part}\n", namespace)
    part_of = namespace["part_of"]

    def halved(x: Tensor) -> Tensor:
        return x[..., :1] if abs(part_of(x.mean().item())) < 0.5 else x

    contract = shapelint.check(net(halved), "2,3,H,W").contract
    assert {region.how for region in contract.regions} == {How.UNKNOWN}


def test_random_numbers_may_be_written_into_a_tensor() -> None:
    def shuffled(x: Tensor) -> Tensor:
        order = torch.empty(3, dtype=torch.int64)
        torch.randperm(3, out=order)
        return x[:, order]

    assert shapelint.check(net(shuffled), "2,3,H,W").contract.outcome(H=4, W=5).outputs == ((2, 3, 4, 5),)
