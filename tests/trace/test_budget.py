"""What a search may cost is counted, so that a busy or slow machine gives the same report."""

from __future__ import annotations

import itertools
import json
import math
import time
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.trace import branch, explore
from shapelint.trace.budget import Budget
from tests.oracle import eager, given


class Guarded(nn.Module):
    """Refuses sizes that would do, which is found out by exploring the model without the guard."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 4, 2, 1), nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] % 8 or image.shape[-2] % 8:
            raise ValueError("multiples of 8 only")
        return self.up(self.down(image))  # type: ignore[no-any-return]


class Padded(nn.Module):
    """One row too many, which another kernel of one layer would take away."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(4)), nn.Conv2d(3, 3, 2, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        whole = F.interpolate(F.max_pool2d(image, 2), scale_factor=2)
        return self.layers(whole)  # type: ignore[no-any-return]


class Branching(nn.Module):
    """Another size for each way through."""

    def forward(self, image: Tensor) -> Tensor:
        for limit in range(10, 60, 10):
            if image.shape[-1] > limit:
                image = F.pad(image, (0, 1))
        return image


class Skipping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(3, 3, 3, 2, 1) for _ in range(2))
        self.up = nn.ModuleList(nn.ConvTranspose2d(3, 3, 3, 2, 1) for _ in range(2))

    def forward(self, image: Tensor) -> Tensor:
        skips = []
        for down in self.down:
            skips.append(image)
            image = down(image)
        for up in self.up:
            image = up(image) + skips.pop()
        return image


CASES: list[tuple[type[nn.Module], Any]] = [
    (Guarded, (1, 3, 30, 30)), (Padded, (1, 3, 32, 32)), (Branching, "1,3,H,W"), (Skipping, (1, 3, 37, 38)),
]  # fmt: skip


@pytest.mark.parametrize(("model", "spec"), CASES, ids=lambda each: getattr(each, "__name__", ""))
def test_a_clock_that_runs_fast_changes_no_report(
    model: type[nn.Module], spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine on which others take nearly all of the time."""
    alone = shapelint.check(model(), spec).to_json()
    assert json.loads(alone)["targets"][0]["findings"] or model is Branching
    ticks = itertools.count(0, 3)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    assert shapelint.check(model(), spec).to_json() == alone


@pytest.mark.parametrize(("name", "limit", "words"), [("_CALLS", 40, "40 calls"), ("_RUNS", 4, "4 runs")])
def test_an_exploration_ends_where_its_budget_is_counted_down(
    name: str, limit: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, name, limit)
    reports = [shapelint.check(Branching(), "1,3,H,W") for _ in range(2)]
    assert reports[0].to_json() == reports[1].to_json()
    whys = {region.why for region in reports[0].contract.regions}
    assert f"the budget of {words} is used up" in whys


class Divided(nn.Module):
    """Pools by the largest divisor below 9: each divisor that there is not is one more remainder to tell sizes by."""

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        return F.max_pool1d(x, max(k for k in range(1, length + 1) if length % k == 0 and k < 9))


class Repeated(nn.Module):
    """A list of more and more tensors, all of them one."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x] * 2 ** (x.shape[-1].bit_length() - 1))


class Square(nn.Module):
    """Tokens as a square again: no set says which products of unequal sides are squares."""

    def forward(self, image: Tensor) -> Tensor:
        tokens = image.flatten(2)
        side = int(math.sqrt(tokens.shape[2]))
        return tokens.reshape(1, 3, side, side)


@pytest.mark.parametrize(
    ("model", "spec", "where", "limit", "why"),
    [
        (Divided, "1,3,L", (branch, "_MOST_DIVISIONS"), 8, "the solver failed: sizes that are told by more than 8 rem"),
        (Repeated, "1,3,L", (explore, "_CALLS"), 1000, "the budget of 1,000 calls is used up"),
        (Square, "1,3,H,W", (branch, "_MOST_MEETINGS"), 0, "the solver failed: sets of 1 and of"),
        (Square, "1,3,H,W", (explore, "_MOST_PIECES"), 2, "the solver failed: a set of"),
    ],
)
def test_what_would_keep_the_solver_long_is_left_undecided(
    model: type[nn.Module], spec: str, where: tuple[Any, str], limit: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*where, limit)
    contract = shapelint.check(model(), spec).contract
    assert any(region.why.startswith(why) for region in contract.regions)
    for sizes in itertools.product(*[(1, 2, 4, 6, 7, 8, 9, 12, 16, 25, 36, 40, 64)] * len(contract.symbols)):
        point = dict(zip(contract.symbols, sizes, strict=True))
        told, seen = contract.outcome(**point), given(eager(model, (1, 3, *sizes)))
        assert told.ok is None or told.ok is (seen is not None), point


def test_many_pieces_without_a_proof_are_one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "_MOST_OPEN", 4)
    regions = shapelint.check(Square(), "1,3,H,W").contract.regions
    assert [(region.how.value, str(region.sizes)) for region in regions if not region.why] == [("proved", "W = H")]
    (other,) = [region for region in regions if region.why]
    assert other.outcome.ok is None
    assert str(other.sizes) == "every size but W = H"
    assert other.why == "sqrt() of a size"


def test_what_is_spent_within_a_budget_is_spent_of_it() -> None:
    whole = Budget(calls=10)
    part = Budget(runs=2, within=whole)
    part.spend(runs=1, calls=6)
    assert not part.spent(runs=1)
    assert part.spent(runs=2) == "2 runs"
    other = Budget(runs=2, within=whole)
    assert not other.spent()
    other.spend(calls=5)
    assert other.spent() == part.spent() == whole.spent() == "10 calls"
    assert Budget(calls=1000).spent(calls=1001) == "1,000 calls"


def test_processor_time_is_that_of_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other threads do is not counted, nor what other processes do."""
    now = [0.0, 0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "thread_time", lambda: now[1])
    budget = Budget(seconds=10.0, waiting=100.0)
    now[:] = [99.0, 9.0]
    assert not budget.spent()
    now[1] = 10.5
    assert budget.spent() == "10 s"
    now[:] = [101.0, 0.0]
    assert budget.spent() == "100 s"
