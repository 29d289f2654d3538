"""Joins against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, check_drawn, points

_DIMS = ("2", "3", "H", "W", "H//2", "2*W", "1", "H+1")


def _shape(drawn: random.Random, rank: int) -> list[str]:
    return [drawn.choice(_DIMS) for _ in range(rank)]


def _like(drawn: random.Random, shape: list[str]) -> list[str]:
    """The shape with one size changed, now and then."""
    changed = list(shape)
    if shape and drawn.random() < 0.6:
        changed[drawn.randrange(len(shape))] = drawn.choice(_DIMS)
    return changed if drawn.random() < 0.95 else changed[1:]


def _draw(drawn: random.Random) -> tuple[str, list[str]]:
    rank = drawn.choice((1, 2, 3, 4))
    first = _shape(drawn, rank)
    specs = [",".join(each) or "1" for each in (first, _like(drawn, first), _like(drawn, first))]
    axis = drawn.choice((0, 1, -1, rank - 1, -rank, rank, 2))
    return drawn.choice((
        f"torch.cat([x, y, z], {axis})",
        f"torch.cat((x, y), dim={axis})",
        f"torch.concat([x, z], axis={axis})",
        f"torch.stack([x, y, z], {axis})",
        f"torch.stack((x, y), dim={axis})",
        "torch.hstack([x, y])",
        "torch.vstack([x, y])",
        "torch.dstack([x, y, z])",
    )), specs  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_drawn_joins(seed: int) -> None:
    check_drawn(seed, _draw)


@pytest.mark.parametrize("text", [
    "torch.cat([torch.zeros(0), x], 1)",
    "torch.cat([x, torch.zeros(0)], 1)",
    "torch.cat([x, torch.zeros(1, 0)], 1)",
    "torch.cat([x, x[:, :, :0]], 2)",
    "torch.cat([torch.zeros(0), torch.zeros(0)])",
    "torch.cat([])",
    "torch.stack([])",
    "torch.cat([x])",
    "torch.cat([x, x.half()], 1)",
    "torch.cat([x.permute(0, 2, 3, 1), x.permute(0, 2, 3, 1)], 1).view(1, -1)",
    "torch.cat([torch.tensor(1.0), torch.tensor(2.0)])",
    "torch.atleast_3d(x[0, 0])",
])  # fmt: skip
def test_odd_joins(text: str) -> None:
    claims = check(text, ["1,3,H,W"], points(random.Random(1)))
    assert claims.runs + claims.raises
    assert not claims.reasons


def test_everything_is_decided_without_a_fallback() -> None:
    claims = check("torch.cat([x, y], 1)", ["1,3,H,W", "1,3,W,H"], points(random.Random(2)))
    assert not claims.reasons
    assert claims.raises
    assert claims.runs
