# mypy: disable-error-code="no-any-return"
"""Contracts of small models: a partition of all sizes that agrees with eager PyTorch and answers without torch."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from itertools import product as grid
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import SpecError
from shapelint.facts.contract import Contract, How, union
from shapelint.size import SizeSet
from tests.oracle import eager


class Autoencoder(nn.Module):
    def __init__(self, output_padding: int = 1) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 2, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(2, 1, 3, stride=2, padding=1, output_padding=output_padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 4, 3, padding=1)
        self.pool, self.up = nn.MaxPool2d(2), nn.ConvTranspose2d(4, 2, 2, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.one(x)
        return torch.cat([skip, self.up(self.two(self.pool(skip)))], 1)


class Flattened(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.head = nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.Linear(2 * 12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.down(x).flatten(1))


class Guarded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 2, 2, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] % 4:
            raise ValueError("the width must be a multiple of 4")
        return self.down(x)


class TwoWays(nn.Module):
    """Another layer for tall inputs, and a crop of even heights."""

    def __init__(self) -> None:
        super().__init__()
        self.tall, self.wide = nn.Conv2d(1, 1, (5, 3)), nn.Conv2d(1, 1, (3, 3), padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, w = x.shape[-2:]
        y = self.tall(x) if h > w else self.wide(x)
        return y[..., 1:, :] if h % 2 == 0 else y


class Asserting(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[2] == x.shape[3], "square inputs only"
        return x.transpose(2, 3) + x


class Windows(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, c, h, w = x.shape
        return x.view(b, c, h // 4, 4, w // 2, 2).permute(0, 1, 2, 4, 3, 5).reshape(b, -1, 8)


class Shrinking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 1, 5), nn.MaxPool2d(3, 2), nn.Conv2d(1, 1, (3, 2)))

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        y = self.layers(x)
        return {"last": y, "rest": [x.mean((2, 3)), (y, x)]}


class PoolsWhileLarge(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(3):
            if x.shape[-1] > 6:
                x = nn.functional.max_pool2d(x, 2, ceil_mode=True)
        return x


class Crops(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 1, 4, stride=3), nn.ConvTranspose2d(1, 1, 5, stride=3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.up(self.down(x))
        h, w = min(x.shape[2], y.shape[2]), min(x.shape[3], y.shape[3])
        return x[:, :, :h, :w] + y[:, :, :h, :w]


MODELS = [
    Autoencoder, UNet, Flattened, Guarded, TwoWays, Asserting, Windows, Shrinking, PoolsWhileLarge, Crops
]  # fmt: skip
SIDE = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16, 17, 24)


@lru_cache
def contract_of(model: Callable[[], nn.Module]) -> Contract:
    return shapelint.check(model, "1,1,H,W").contract


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_outcomes_agree_with_eager_at_every_size(model: Callable[[], nn.Module]) -> None:
    contract = contract_of(model)
    assert contract.proved
    for h, w in grid(SIDE, SIDE):
        outcome, answer = contract.outcome(H=h, W=w), eager(model, (1, 1, h, w))
        assert outcome.how is How.PROVED
        if isinstance(answer, str):
            assert outcome.ok is False, (h, w, answer)
            assert outcome.error
            assert outcome.at
            assert outcome.outputs == ()
        else:
            assert outcome.ok, (h, w, answer)
            assert outcome.outputs == answer
            assert (outcome.error, outcome.at) == ("", "")
        assert ((h, w) in contract.runs) is outcome.ok
        assert ((h, w) in contract.restores) is (outcome.ok and outcome.outputs[0][2:] == (h, w))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_regions_are_a_partition_of_the_domain(model: Callable[[], nn.Module]) -> None:
    contract = contract_of(model)
    sets = [region.sizes for region in contract.regions]
    assert union(contract.symbols, sets) == contract.domain
    assert all(sets)
    for index, one in enumerate(sets):
        assert not any(one & other for other in sets[index + 1 :])
    assert contract.restores <= contract.runs <= contract.domain
    assert len(sets) == len({(region.outcome, region.how, region.why) for region in contract.regions})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_nearest_sizes_are_the_nearest(model: Callable[[], nn.Module]) -> None:
    contract = contract_of(model)
    wanted = contract.restores if contract.meant else contract.runs
    good = [point for point in grid(range(1, 30), repeat=2) if point in wanted]
    for h, w in ((6, 5), (9, 9), (1, 1)):
        below, above = contract.nearest(H=h, W=w)
        distances = [h + w - a - b for a, b in good if a <= h and b <= w]
        assert (None if below is None else h + w - sum(below.values())) == min(distances, default=None)
        if above is not None:
            assert tuple(above.values()) in wanted
            assert sum(above.values()) == min(a + b for a, b in good if a >= h and b >= w)


@pytest.mark.parametrize(
    ("model", "runs"),
    [
        (Autoencoder, "every size"),
        (UNet, "H and W even"),
        (Guarded, "H at least 2, W multiples of 4"),
        (Asserting, "W = H"),
        (Windows, "H multiples of 4, W even"),
        (Crops, "H and W at least 4"),
    ],
)
def test_the_sizes_that_run_read_well(model: Callable[[], nn.Module], runs: str) -> None:
    assert str(contract_of(model).runs) == runs


def test_an_error_names_the_call_and_the_sizes_of_the_question() -> None:
    outcome = contract_of(UNet).outcome(H=65, W=70)
    assert "65" in outcome.error
    assert "64" in outcome.error
    assert __file__ in outcome.at
    guarded = contract_of(Guarded).outcome(H=8, W=9)
    assert "the width must be a multiple of 4" in guarded.error
    flat = contract_of(Flattened)
    assert {(h, w) for h, w in grid(range(1, 30), repeat=2) if (h, w) in flat.runs} == {
        (h, w) for h, w in grid(range(1, 30), repeat=2) if ((h + 1) // 2) * ((w + 1) // 2) == 12
    }
    assert flat.outcome(H=6, W=8).outputs == ((1, 5),)
    assert flat.outcome(H=6, W=9).at.startswith("head")


NO_SIZES = [{}, {"H": 4}, {"H": 4, "W": 4, "D": 1}, {"h": 4, "W": 4}, {"H": 0, "W": 4}, {"H": 4, "W": -1}]


@pytest.mark.parametrize("sizes", NO_SIZES)
def test_a_size_that_no_input_has_is_refused(sizes: dict[str, int]) -> None:
    contract = contract_of(UNet)
    for ask in (contract.outcome, contract.nearest):
        with pytest.raises(SpecError) as raised:
            ask(**sizes)
        assert "\n" not in str(raised.value)


def test_restores_compares_with_what_is_expected() -> None:
    doubled = shapelint.check(nn.Upsample(scale_factor=2), "1,3,H,W", expect="...,2*H,2*W")
    assert str(doubled.contract.restores) == "every size"
    fixed = shapelint.check(Autoencoder, "1,1,H,W", expect="1,1,16,16")
    assert str(fixed.contract.restores) == "H and W only 15 or 16"
    wrong_rank = shapelint.check(Autoencoder, "1,1,H,W", expect="1,16,16")
    assert not wrong_rank.contract.restores


def test_a_meant_contract_asks_for_restoring_sizes() -> None:
    contract = contract_of(Autoencoder)
    assert contract.meant
    assert contract.nearest(H=7, W=8) == ({"H": 6, "W": 8}, {"H": 8, "W": 8})
    assert not contract_of(Shrinking).meant


def test_expressions_and_shared_symbols_stay_symbols() -> None:
    contract = shapelint.check(UNet, "1,1,2*K,K").contract
    assert contract.symbols == ("K",)
    assert 6 in contract.runs
    assert 7 not in contract.runs
    assert contract.outcome(K=6).outputs == ((1, 4, 12, 6),)


def test_a_pickled_contract_answers_without_torch(tmp_path: Path) -> None:
    path = tmp_path / "contract.pickle"
    path.write_bytes(pickle.dumps((contract_of(UNet), contract_of(TwoWays))))
    program = (
        "import sys, pickle\n"
        "sys.modules['torch'] = None\n"
        f"unet, ways = pickle.load(open({str(path)!r}, 'rb'))\n"
        "print((65, 70) in unet.runs, unet.outcome(H=64, W=70).outputs, unet.outcome(H=65, W=70).ok)\n"
        "print(unet.runs, '|', unet.nearest(H=65, W=70), unet.proved)\n"
        "print(ways.outcome(H=9, W=5).outputs, len(ways.regions))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == "False ((1, 4, 64, 70),) False"
    assert second == "H and W even | ({'H': 64, 'W': 70}, {'H': 66, 'W': 70}) True"
    assert third == f"((1, 1, 5, 3),) {len(contract_of(TwoWays).regions)}"


def test_a_pickled_contract_is_equal() -> None:
    contract = contract_of(TwoWays)
    again = pickle.loads(pickle.dumps(contract))
    assert again == contract
    assert again.runs == contract.runs
    assert isinstance(again.runs, SizeSet)
