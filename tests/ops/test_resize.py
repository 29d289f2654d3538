"""Resizing against eager PyTorch, with valid and invalid arguments."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy
import pytest
import torch
from torch.nn import functional

from shapelint.ops.resize import exact_scale
from tests.operations import Claims, agree, grid, small_grid, spec

MODES = {
    1: ("nearest", "nearest-exact", "area", "linear"),
    2: ("nearest", "nearest-exact", "area", "bilinear", "bicubic", "lanczos"),
    3: ("nearest", "nearest-exact", "area", "trilinear"),
}
SCALES = [2, 3, 0.5, 0.25, 1.5, 1.0, 2.5, 1 / 3, 2 / 3, 0.2, 1.25, 0.1, 4.0]


def drawn_resize(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 2, 2, 3))
    mode = draw.choice(MODES[axes if draw.random() < 0.92 else draw.choice((1, 2, 3))])
    arguments: dict[str, Any] = {"mode": mode}
    values: list[Any] = SCALES if draw.random() < 0.95 else [0, -1, 1]
    scaled = draw.random() < 0.6
    if not scaled:
        values = [1, 2, 5, 7, 16] if draw.random() < 0.9 else [0, -1, 2]
    count = axes if draw.random() < 0.95 else axes + 1
    value = tuple(draw.choice(values) for _ in range(count)) if draw.random() < 0.5 else draw.choice(values)
    arguments["scale_factor" if scaled else "size"] = value
    if draw.random() < 0.05:
        arguments["size"], arguments["scale_factor"] = draw.choice(((None, None), (3, 2.0)))
    if draw.random() < 0.3:
        arguments["recompute_scale_factor"] = draw.random() < 0.7
    if draw.random() < 0.3:
        arguments["align_corners"] = draw.random() < 0.5
    if mode == "lanczos" or draw.random() < 0.1:
        arguments["antialias"] = True
    specs = [spec(axes, "2", offset=draw.choice(("", "", "-1")), batch=draw.choice(("1,", "1,", "2,", "")))]
    return agree(lambda value: functional.interpolate(value, **arguments), specs, small_grid(draw, axes))


def test_drawn_arguments() -> None:
    claims = [drawn_resize(seed) for seed in range(250)]
    assert sum(each.runs for each in claims) > 5000
    assert sum(each.raises for each in claims) > 2000
    assert sum(bool(each.reasons) for each in claims) < 12


@pytest.mark.parametrize("scale", [0.7, 1.4, 2.3, 0.1, 1.1, 1 / 3, 2 / 3, 0.3, 1.7, 0.6, 1.05, math.pi, 0.35])
def test_a_scale_is_exact_or_said_not_to_be(scale: float) -> None:
    sizes = numpy.arange(1, 1 << 17)
    wanted = numpy.floor(sizes * scale).astype(numpy.int64)
    fraction, exact = exact_scale(scale)
    same = (sizes * fraction.numerator // fraction.denominator == wanted).all() if exact else None
    assert same is None or same
    claims = agree(
        lambda value: functional.interpolate(value, scale_factor=scale), ["1,1,T"], grid(T=[1, 2, 10, 45, 90, 180])
    )
    assert exact is (not claims.reasons)


def test_the_sizes_at_which_a_scale_rounds_otherwise() -> None:
    assert math.floor(90 * 0.7) == 62
    assert not exact_scale(0.7)[1]
    assert exact_scale(2 / 3)[1] is bool(numpy.all(numpy.floor(numpy.arange(0, 1 << 16, 3) * (2 / 3)) % 2 == 0))
    assert exact_scale(0.5)[1]
    assert not exact_scale(math.pi)[1]
    claims = agree(lambda value: functional.interpolate(value, scale_factor=0.7), ["1,1,T"], grid(T=[90, 10, 45]))
    assert "0.7" in claims.reasons[0]


def test_the_size_of_another_tensor() -> None:
    def resized(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(value, size=other.shape[-2:], mode="bilinear")

    claims = agree(resized, ["1,2,H,W", "1,1,W,H//2"], grid(H=[1, 2, 5], W=[1, 3]))
    assert not claims.reasons
    assert claims.raises > 0


def test_a_scale_that_is_a_size() -> None:
    def resized(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(value, scale_factor=other.shape[-1])

    assert agree(resized, ["1,2,5", "1,K"], grid(K=[1, 2, 3])).runs == 9


def test_layers_lead_here() -> None:
    layers = (
        torch.nn.Upsample(scale_factor=2),
        torch.nn.Upsample((3, 5), mode="bilinear", align_corners=True),
        torch.nn.UpsamplingNearest2d(scale_factor=3),
        lambda value: functional.upsample(value, scale_factor=1.5),
    )
    for layer in layers:
        assert agree(layer, ["1,2,H,W"], grid(H=[1, 2, 5], W=[3, 4])).runs == 36


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "uint8", "bool", "complex64"])
def test_dtypes(dtype: str) -> None:
    for axes, modes in MODES.items():
        for mode in modes:
            options = {"mode": mode, "antialias": mode == "lanczos"}
            resize = lambda value, given=options: functional.interpolate(value, 3, **given)  # noqa: E731
            agree(resize, [spec(axes, "1")], small_grid(random.Random(1), axes)[:3], [dtype])


def test_inputs_of_another_layout() -> None:
    def resized(value: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(value.permute(0, 3, 1, 2), scale_factor=2)

    assert agree(resized, ["1,H,W,2"], grid(H=[1, 2, 3, 5], W=[1, 2, 4])).runs > 10
