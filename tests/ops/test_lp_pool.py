"""Power-average and fractional pools against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.operations import Claims, agree, grid, per_axis, small_grid, spec

LP: dict[int, Any] = {axes: getattr(functional, f"lp_pool{axes}d") for axes in (1, 2, 3)}
FRACTIONAL: dict[int, Any] = {2: functional.fractional_max_pool2d, 3: functional.fractional_max_pool3d}


def _spec(draw: random.Random, axes: int) -> str:
    return spec(axes, "2", offset=draw.choice(("", "", "-1")), batch=draw.choice(("1,", "2,", "")))


def drawn_lp(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 2, 2, 3))
    norm = draw.choice((1, 2, 2.5, float("inf"), -float("inf"))) if draw.random() < 0.95 else 0
    kernel = per_axis(draw, axes, [1, 2, 3, 4] if draw.random() < 0.95 else [0])
    stride = draw.choice((None, (), per_axis(draw, axes, [1, 2, 3])))
    ceil_mode, turned = draw.random() < 0.4, draw.random() < 0.2

    def pooled(x: torch.Tensor) -> Any:
        return LP[axes](x.transpose(-1, -2) if turned else x, norm, kernel, stride, ceil_mode)

    text = _spec(draw, axes)
    try:
        return agree(pooled, [text], small_grid(draw, axes))
    except AssertionError as error:
        raise AssertionError(f"{axes=} {norm=} {kernel=} {stride=} {ceil_mode=} {turned=} {text}: {error}") from None


def drawn_fractional(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((2, 2, 3))
    options: dict[str, Any] = {"return_indices": draw.random() < 0.4}
    if draw.random() < 0.5:
        options["output_size"] = per_axis(draw, axes, [1, 2, 3, 4] if draw.random() < 0.9 else [0, -1])
    elif draw.random() < 0.95:
        ratios = (0.5, 0.75, 0.25, 0.875)
        options["output_ratio"] = tuple(draw.choice(ratios) for _ in range(axes)) if draw.random() < 0.8 else 0.5
    kernel = per_axis(draw, axes, [1, 2, 3] if draw.random() < 0.95 else [0, 2])
    return agree(lambda x: FRACTIONAL[axes](x, kernel, **options), [_spec(draw, axes)], small_grid(draw, axes))


@pytest.mark.parametrize(("drawn", "count"), [(drawn_lp, 120), (drawn_fractional, 120)])
def test_drawn_arguments(drawn: Any, count: int) -> None:
    claims = [drawn(seed) for seed in range(count)]
    assert sum(each.runs for each in claims) > 20 * count
    assert sum(each.raises for each in claims) > 15 * count
    assert not [each.reasons for each in claims if each.reasons]


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int64", "uint8", "bool"])
def test_dtypes(dtype: str) -> None:
    for axes in (1, 2, 3):
        agree(lambda x, axes=axes: LP[axes](x, 2, 2), [spec(axes, "1")], small_grid(random.Random(1), axes), [dtype])
    for axes in (2, 3):
        points = grid(D=[4], H=[5], W=[1, 6])
        agree(lambda x, axes=axes: FRACTIONAL[axes](x, 2, 3), [spec(axes, "1")], points, [dtype])
