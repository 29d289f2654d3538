"""Sliding windows, cut out and put together, against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.nn import functional

import shapelint
from tests.calls import check, points
from tests.operations import Claims, agree, grid, small_grid, spec


def _option(draw: random.Random, valid: list[int], wrong: list[int]) -> Any:
    values = valid if draw.random() < 0.96 else wrong
    return draw.choice(values) if draw.random() < 0.5 else tuple(draw.choice(values) for _ in range(2))


def _windows(draw: random.Random) -> dict[str, Any]:
    return {
        "kernel_size": _option(draw, [1, 2, 3, 4], [0, 2]),
        "dilation": _option(draw, [1, 1, 2], [0, 1]),
        "padding": _option(draw, [0, 0, 1, 2], [-1, 0]),
        "stride": _option(draw, [1, 2, 3], [0, 1]),
    }


def drawn_unfold(seed: int) -> Claims:
    draw = random.Random(seed)
    arguments = _windows(draw)
    first = 0 if draw.random() < 0.1 else 2
    text = spec(2, "2", offset=draw.choice(("", "-1")), batch=draw.choice(("1,", "2,", "")))
    return agree(lambda x: functional.unfold(x[:first], **arguments), [text], small_grid(draw, 2))


def drawn_fold(seed: int) -> Claims:
    """Windows of one image put together to another, or to the same."""
    draw = random.Random(seed)
    arguments = _windows(draw)
    size: Any = draw.choice(((4, 5), 6, "same", "same", "same", "rows"))
    other = _windows(draw) if draw.random() < 0.15 else arguments

    def there_and_back(x: torch.Tensor) -> torch.Tensor:
        wanted = {"same": x.shape[-2:], "rows": (x.shape[-2], 5)}.get(size, size)
        return functional.fold(functional.unfold(x, **arguments), wanted, **other)

    text = spec(2, "2", offset=draw.choice(("", "-1")), batch=draw.choice(("1,", "2,", "")))
    return agree(there_and_back, [text], small_grid(draw, 2))


def drawn_windows(seed: int) -> Claims:
    draw = random.Random(seed)
    sizes, steps = (0, 1, 2, 3, 5), (0, 1, 1, 2, 3)
    first, second = ((draw.randint(-3, 3), draw.choice(sizes), draw.choice(steps)) for _ in range(2))
    before: Any = draw.choice((lambda x: x, lambda x: x.transpose(0, 1), lambda x: x.transpose(-1, -2)))
    after: Any = draw.choice((lambda x: x, lambda x: x.unfold(*second), lambda x: x.flatten(1)))
    text = draw.choice(("2,H,W", "H,W", "H-1,W-1", "2,H"))
    return agree(lambda x: after(before(x).unfold(*first)), [text], small_grid(draw, 2))


@pytest.mark.parametrize(("drawn", "count"), [(drawn_unfold, 80), (drawn_fold, 120), (drawn_windows, 120)])
def test_drawn_arguments(drawn: Any, count: int) -> None:
    claims = [drawn(seed) for seed in range(count)]
    assert sum(each.runs for each in claims) > 15 * count
    assert sum(each.raises for each in claims) > 15 * count
    assert not [each.reasons for each in claims if each.reasons]


@pytest.mark.parametrize("text", [
    "x.unfold(-1, 4, 4).view(2, 3, -1)",
    "x.unfold(-1, 2, 2).view(2, -1)",
    "x.unfold(-1, 4, 2).view(2, 3, -1)",
    "x.unfold(1, 2, 2).view(2, -1)",
    "x.unfold(1, 3, 1).view(2, 1, 9, -1)",
    "x.unfold(1, 2, 1).unfold(2, 4, 4).view(2, 2, -1, 2, 4)",
    "x.unfold(2, 4, 4).unfold(1, 3, 3).contiguous().view(2, -1, 12)",
    "x.unfold(2, 4, 4).unfold(1, 3, 3).view(2, -1, 12)",
    "x.unfold(2, 2, 1).unfold(2, 4, 3).view(2, 3, -1, 8)",
    "x.transpose(1, 2).unfold(1, 2, 2).view(2, -1, 6)",
    "x.mT.unfold(1, 3, 3).view(2, -1, 9)",
    "x.unfold(2, x.shape[2] // 2, 2).reshape(6, -1)",
    "x.unfold(dimension=2, size=2, step=3)",
    "x[0, 0, 0].unfold(0, 1, 1)",
    "F.unfold(x[None], (3, x.shape[2]))",
    "F.fold(x.reshape(12, -1), (2 * x.shape[2] // 4, 2), 2)",
    "F.unfold(x[None], (2,))",
    "F.fold(x, (6,), 2)",
])  # fmt: skip
def test_known_windows(text: str) -> None:
    claims = check(text, ["2,3,H"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int64", "uint8", "bool", "complex64"])
def test_dtypes(dtype: str) -> None:
    agree(lambda x: functional.unfold(x, 2), ["1,2,H,W"], grid(H=[1, 4], W=[3]), [dtype])
    agree(lambda x: functional.fold(x, (3, 4), 2), ["1,8,H"], grid(H=[5, 6]), [dtype])


@pytest.mark.parametrize("rank", ["H", "2,H", "1,2,2,H,9"])
def test_a_wrong_rank_raises_at_every_size(rank: str) -> None:
    assert agree(lambda x: functional.unfold(x, 2), [rank], grid(H=range(1, 6))).raises == 25


class _Windows(torch.nn.Module):
    """Overlapping windows, each changed by itself, then put together and normalised."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride, self.mix = stride, torch.nn.Conv1d(3 * 16, 3 * 16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = x.shape[-2:]
        windows = functional.unfold(x, 4, stride=self.stride)
        count = functional.fold(torch.ones_like(windows), size, 4, stride=self.stride)
        return functional.fold(self.mix(windows), size, 4, stride=self.stride) / count


def test_windows_of_a_model_are_proved() -> None:
    report = shapelint.check(_Windows(2), "1,3,H,W")
    assert report.contract.proved
    assert str(report.contract.runs) == "H and W at least 4"
