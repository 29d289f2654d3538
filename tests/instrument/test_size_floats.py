"""Floats made of sizes in a model's code: scale factors, aspect ratios and roots, and all that may read them."""

from __future__ import annotations

import array
import bisect
import decimal
import json
import math
import statistics
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given

SIDES = [(1, 1), (2, 1), (3, 2), (4, 5), (5, 5), (7, 8), (9, 6), (10, 7), (3, 9), (31, 32), (64, 128), (150, 99)]
LIMIT = 1.5


def module(forward: Callable[[Tensor], Any]) -> type[nn.Module]:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return forward(x)

    return Net


def agrees(forward: Callable[[Tensor], Any], *, proved: bool) -> None:
    found = shapelint.check(module(forward), "1,3,H,W").contract
    assert found.proved is proved, [region.why for region in found.regions]
    for height, width in SIDES:
        seen = attempt(module(forward)(), torch.zeros(1, 3, height, width))
        outcome = found.outcome(H=height, W=width)
        assert outcome.ok is None or (outcome.outputs if outcome.ok else None) == given(seen), (height, width)


def scaled_up(x: Tensor) -> Tensor:
    """As diffusers' Upsample2D, which asks for one layout or another of a large tensor."""
    y = F.max_pool2d(x, 3, 2, 1)
    scale = max([full / half for full, half in zip(x.shape[-2:], y.shape[-2:], strict=True)])
    if y.numel() * scale > pow(2, 31):
        y = y.contiguous()
    return F.interpolate(y, size=x.shape[-2:], mode="nearest")


def scaled_attention(x: Tensor) -> Tensor:
    tokens = x.flatten(2)
    scale = 1 / math.sqrt(x.shape[2] * x.shape[3])
    return (tokens.transpose(1, 2) @ tokens) * scale / (x.shape[3] ** 0.5) if scale > 0.01 else tokens.mT @ tokens


def portrait(x: Tensor) -> Tensor:
    return x.transpose(2, 3) if x.shape[2] / x.shape[3] > LIMIT else x


def logarithm(x: Tensor) -> Tensor:
    return x * math.log2(x.shape[2] - 2)


@pytest.mark.parametrize("forward", [scaled_up, scaled_attention, portrait, logarithm])
def test_a_float_that_only_comparisons_and_data_meet_leaves_the_proof(forward: Callable[[Tensor], Tensor]) -> None:
    agrees(forward, proved=True)


STEPS: dict[str, Callable[[int], int]] = {
    "a base": lambda n: int(math.log(n, 4)),
    "two logarithms": lambda n: math.floor(math.log(n) / math.log(2)),
    "a factor": lambda n: round(1.3 * math.log(n)),
    "on a known path": lambda n: int(math.log2(n)) if n == 16 else 1,
}


@pytest.mark.parametrize("name", STEPS)
def test_a_logarithm_that_is_rounded_is_followed_step_by_step(name: str) -> None:
    def forward(x: Tensor) -> Tensor:
        return F.pad(x, (0, STEPS[name](x.shape[3])))

    net = module(forward)
    contract = shapelint.check(net, "1,1,1,W").contract
    assert contract.proved, [region.why for region in contract.regions]
    for width in (1, 2, 3, 4, 7, 15, 16, 17, 63, 64, 65, 255, 257):
        assert contract.outcome(W=width).outputs == (tuple(net()(torch.zeros(1, 1, 1, width)).shape),)


@pytest.mark.parametrize("steps", [
    lambda n: int(5 - math.log(n)), lambda n: int(math.log(n) * math.log(n)), lambda n: int(math.log(n + 1) * -2),
])  # fmt: skip
def test_a_float_that_falls_or_has_two_sizes_in_it_is_not_proved(steps: Callable[[int], int]) -> None:
    contract = shapelint.check(module(lambda x: F.pad(x, (0, abs(steps(x.shape[3]))))), "1,1,1,W").contract
    assert not contract.proved


ROOTS: dict[str, Callable[[int], int]] = {
    "int(n ** 0.5)": lambda n: int(n**0.5),
    "math.sqrt": lambda n: int(math.sqrt(n)),
    "math.isqrt": lambda n: math.isqrt(n),
    "np.sqrt": lambda n: int(np.sqrt(n)),
}


@pytest.mark.parametrize("name", ROOTS)
def test_the_side_of_a_square_of_tokens_is_known(name: str) -> None:
    def forward(x: Tensor) -> Tensor:
        tokens = F.max_pool2d(x, 2).flatten(2)
        side = ROOTS[name](tokens.shape[2])
        return tokens.reshape(x.shape[0], -1, side, side)

    found = shapelint.check(module(forward), "1,3,H,H").contract
    assert found.proved
    for side in (1, 2, 3, 8, 97, 100):
        seen = given(attempt(module(forward)(), torch.zeros(1, 3, side, side)))
        assert found.outcome(H=side).ok is (seen is not None)
        assert seen is None or found.outcome(H=side).outputs == seen


def test_a_comparison_of_floats_that_decides_the_size_is_not_proved() -> None:
    agrees(lambda x: x[:, 1:] if x.shape[2] * 0.7 > x.shape[3] * 0.3 else x, proved=False)


READ: dict[str, Callable[[Any], Any]] = {
    "int": lambda r: int(r * 3) % 2,
    "round": lambda r: round(r) == 2,
    "math.floor": lambda r: math.floor(r) == 1,
    "a text": lambda r: len(str(r)) > 4,
    "a format": lambda r: "%.1f" % r > "1.2",  # noqa: UP031
    "a key": lambda r: {1.0: 1, 0.5: 1}.get(r, 0),
    "json": lambda r: len(json.dumps([r])) > 5,
    "struct": lambda r: struct.pack("d", r)[-2] % 2,
    "statistics": lambda r: statistics.mean([r, 1.0]) > 1.1,
    "a Decimal": lambda r: decimal.Decimal(r) > 1,
    "an array of Python": lambda r: array.array("d", [r])[0] > 1.1,
    "an array of numpy": lambda r: np.array([r])[0] > 1.1,
    "numpy's ceil": lambda r: np.ceil(r) > 1,
    "math.exp": lambda r: math.exp(min(r, 9.0)) > 3,
    "math.isclose": lambda r: math.isclose(r, 0.5),
    "math.fsum": lambda r: math.fsum([r, 0.1]) > 1.2,
    "a key function": lambda r: max([r, 1.3], key=lambda number: -number) == 1.3,
    "an index": lambda r: [0, 1, 0, 1, 1, 0][min(int(r), 5)],
    "torch.tensor": lambda r: torch.tensor([r]).item() > 1.1,
    "torch.full": lambda r: bool((torch.full((1,), r) > 1.1).all()),
    "real data": lambda r: (torch.ones(1) * r).item() > 1.1,
    "torch.arange": lambda r: torch.arange(0, r + 0.1, 0.5).shape[0] > 3,
    "interpolate": lambda r: F.interpolate(torch.zeros(1, 1, 8), scale_factor=r + 0.5).shape[2] % 2,
    "bisect": lambda r: bisect.bisect([0.5, 1, 2, 3], r) == 2,
}


@pytest.mark.parametrize("name", READ)
def test_a_float_that_something_else_reads_takes_the_proof(name: str) -> None:
    agrees(lambda x: x[:, 1:] if READ[name](x.shape[2] / x.shape[3]) else x, proved=False)


def test_it_decides_which_sizes_come_out_where_it_scales_a_table_of_numbers() -> None:
    agrees(lambda x: x[..., : int((torch.arange(3) * (x.shape[2] / x.shape[3]))[2].item()) + 1], proved=False)
