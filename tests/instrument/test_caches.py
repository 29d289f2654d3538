"""What the user's caches and globals keep: each run of a model begins with what they held before the check."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor, nn

import shapelint

CALLS = 0
SEEN: dict[str, int] = {}


@functools.cache
def counter(start: int = 0) -> dict[str, int]:
    return {"calls": start}


@functools.lru_cache(maxsize=4)
def half_of(number: int) -> int:
    return number // 2


@functools.cache
def computed(number: float, factor: float = 1) -> float:
    SEEN["computed"] += 1
    return number * factor


@functools.cache
def counted(shape: tuple[int, ...], mask: Tensor) -> dict[str, int]:
    return {"calls": 0}


@functools.cache
def configuration() -> dict[str, int]:
    return {"rows": 1}


class CountsInACache(nn.Module):
    """The second call of the cached function gives the dict that was changed after the first."""

    def forward(self, x: Tensor) -> Tensor:
        counter()["calls"] += 1
        return x[..., counter()["calls"] :]


class CountsInItsOwnCache(nn.Module):
    """A cache that no global and no class holds."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = functools.lru_cache(lambda: [0])

    def forward(self, x: Tensor) -> Tensor:
        self.counter()[0] += 1
        return x[..., self.counter()[0] :]


class CountsBySizes(nn.Module):
    """The same function of the symbols is the same key."""

    def forward(self, x: Tensor) -> Tensor:
        counter(x.shape[-1] - 4)["calls"] += 1
        return x[..., counter(x.shape[-1] // 2 * 2 - 4 + x.shape[-1] % 2)["calls"] - x.shape[-1] + 4 :]


class CountsByAMask(nn.Module):
    """A mask is found by its identity, as the position embeddings of detectors are kept."""

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.ones(1, 2)
        for key in (mask, mask.clone(), mask):
            counted(x.shape[2:], key)["calls"] += 1
        return x[..., counted(x.shape[2:], mask)["calls"] :]


class KeepsByTwoSizes(nn.Module):
    """Where H is W or 20, the same dict is given for both."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        counter(height)["calls"] += 2
        counter(20)["calls"] += 3
        return x.new_zeros(counter(width)["calls"] + (counter(width) is counter(height)))


class CountsWhatItComputes(nn.Module):
    """A cache computes nothing again; 20 and 20.0 alone are two keys of it, beside another argument they are one."""

    def forward(self, x: Tensor) -> Tensor:
        SEEN["computed"] = 0
        computed.cache_clear()
        for argument in (x.shape[2], x.shape[3], 20, 20.0, x.shape[2]):
            computed(argument)
            computed(argument, 1)
        return x.new_zeros(SEEN["computed"], computed.cache_info().misses)


class CountsInGlobals(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        global CALLS
        CALLS += 1
        SEEN["calls"] = SEEN.get("calls", 0) + 1
        return x[..., CALLS + SEEN["calls"] :]


class FillsACacheFirst(nn.Module):
    """What the constructor writes into a cached dict, its forward reads."""

    def __init__(self) -> None:
        super().__init__()
        configuration()["rows"] = 3

    def forward(self, x: Tensor) -> Tensor:
        configuration()["rows"] += 1
        return x[..., configuration()["rows"] :]


class CachedMethods(nn.Module):
    @functools.lru_cache  # noqa: B019 - as people write it
    def half(self, number: int) -> int:
        return number // 2

    @staticmethod
    @functools.lru_cache(maxsize=2)
    def third(number: int) -> int:
        return number // 3

    @classmethod
    @functools.cache
    def quarter(cls, number: int) -> int:
        return number // 4

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        return x[..., self.half(width) - self.third(width) + self.quarter(width) + self.quarter(width) :]


class LoopsOverACache(nn.Module):
    """Each turn changes what the cache keeps, so no turn stands for all."""

    def forward(self, x: Tensor) -> Tensor:
        rows = []
        for row in range(x.shape[2]):
            counter()["calls"] += 1
            rows.append(x[:, :, row : row + 1])
        return torch.cat(rows, 2)[..., counter()["calls"] :]


def fresh() -> None:
    """As if the module had just been imported."""
    global CALLS
    CALLS = 0
    SEEN.clear()
    for cached in (counter, counted, configuration):
        cached.cache_clear()


def first_call(kind: type[nn.Module], height: int, width: int) -> tuple[int, ...]:
    fresh()
    return tuple(kind()(torch.zeros(1, 3, height, width)).shape)


KINDS = [
    CountsInACache,
    CountsInItsOwnCache,
    CountsBySizes,
    CountsByAMask,
    KeepsByTwoSizes,
    CountsWhatItComputes,
    CountsInGlobals,
    FillsACacheFirst,
    CachedMethods,
    LoopsOverACache,
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_run_begins_with_what_caches_and_globals_held(kind: type[nn.Module]) -> None:
    want = {size: first_call(kind, *size) for size in [(4, 9), (20, 24), (33, 100), (20, 20), (9, 9)]}
    fresh()
    found = shapelint.check(kind, "1,3,H,W").contract
    assert found.proved == (kind is not LoopsOverACache)
    for (height, width), shape in want.items():
        assert found.outcome(H=height, W=width).outputs == (shape,)


def test_a_cache_is_asked_and_emptied_as_a_cache() -> None:
    class Cached(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            half_of.cache_clear()
            return x[..., : half_of(x.shape[-1]) + (half_of.cache_info().maxsize or 0)]

    half_of(7)
    found = shapelint.check(Cached, "1,3,H,W").contract
    assert found.proved
    assert found.outcome(H=5, W=20).outputs == ((1, 3, 5, 14),)
    assert half_of.cache_info().currsize == 1
