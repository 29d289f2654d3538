"""Pools and unpools against eager PyTorch, with valid and invalid arguments."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.nn import functional

from shapelint.facts.graph import Dimension
from shapelint.request.inputs import parse_inputs
from shapelint.size.number import plain
from shapelint.trace.meta_state import MetaState
from shapelint.trace.run import Subject, run_once
from tests.operations import Claims, agree, grid, per_axis, small_grid, spec

MAX = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
ADAPTIVE = {
    axes: tuple(getattr(functional, f"adaptive_{kind}_pool{axes}d") for kind in ("max", "avg")) for axes in (1, 2, 3)
}
UNPOOL: dict[int, Any] = {1: functional.max_unpool1d, 2: functional.max_unpool2d, 3: functional.max_unpool3d}


def _spec(draw: random.Random, axes: int) -> str:
    return spec(axes, "2", offset=draw.choice(("", "", "-1")), batch=draw.choice(("1,", "2,", "")))


def drawn_pool(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 1, 2, 2, 3))
    arguments: dict[str, Any] = {
        "kernel_size": per_axis(draw, axes, [1, 2, 3, 4, 5] if draw.random() < 0.95 else [0, 2]),
        "padding": per_axis(draw, axes, [0, 0, 0, 1, 2] if draw.random() < 0.9 else [-1, 0]),
        "ceil_mode": draw.random() < 0.5,
    }
    if draw.random() < 0.7:
        arguments["stride"] = per_axis(draw, axes, [1, 2, 3, 4] if draw.random() < 0.95 else [0, 1])
    pool: Any = AVERAGE[axes]
    if draw.random() < 0.6:
        pool = MAX[axes]
        arguments["dilation"] = per_axis(draw, axes, [1, 1, 2, 3] if draw.random() < 0.95 else [1, 0])
        arguments["return_indices"] = draw.random() < 0.3
    return agree(lambda value: pool(value, **arguments), [_spec(draw, axes)], small_grid(draw, axes))


def drawn_adaptive(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 2, 2, 3))
    largest, average = ADAPTIVE[axes]
    values: list[Any] = [1, 2, 3, 7, None] if axes > 1 else [1, 2, 3, 7]
    values = values if draw.random() < 0.9 else [0, -1, 1]
    size = tuple(draw.choice(values) for _ in range(axes)) if draw.random() < 0.6 else draw.choice([1, 2, 5])
    if draw.random() < 0.5:
        return agree(lambda value: average(value, size), [_spec(draw, axes)], small_grid(draw, axes))
    both = draw.random() < 0.3
    return agree(lambda value: largest(value, size, both), [_spec(draw, axes)], small_grid(draw, axes))


def drawn_unpool(seed: int, *, rising: bool = False) -> Claims:
    """A pool and its unpool: with the right size or another one, and sometimes with another input."""
    draw = random.Random(seed)
    axes = draw.choice((1, 1, 2, 2, 3))
    kernel = per_axis(draw, axes, [1, 2, 3])
    stride = draw.choice((None, per_axis(draw, axes, [1, 2, 3])))
    padding = draw.choice((0, 0, 1))
    ceil_mode, given, cropped = draw.random() < 0.3, draw.random(), draw.random() < 0.2

    def there_and_back(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        pooled, indices = MAX[axes](value, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True)
        size = (
            None if given < 0.4 else value.shape if given < 0.7 else value.shape[-axes:] if given < 0.9 else [7] * axes
        )
        taken = other if cropped else pooled
        restored: torch.Tensor = UNPOOL[axes](taken, indices, kernel, stride, padding, output_size=size)
        return restored

    specs = [spec(axes, "2"), ",".join(["1", "2", *(f"{name}//2" for name in "DHW"[-axes:])])]
    sizes = [{name: size + 1 for name, size in point.items()} for point in small_grid(draw, axes)]
    return agree(there_and_back, specs, sizes, rising=rising, open_ended=True)


@pytest.mark.parametrize(("drawn", "count"), [(drawn_pool, 240), (drawn_adaptive, 100)])
def test_drawn_arguments(drawn: Any, count: int) -> None:
    claims = [drawn(seed) for seed in range(count)]
    assert sum(each.runs for each in claims) > 20 * count
    assert sum(each.raises for each in claims) > 5 * count
    assert not [each.reasons for each in claims if each.reasons]


@pytest.mark.parametrize("rising", [False, True])
def test_drawn_unpools(rising: bool) -> None:
    """The indices are the smallest that there can be for equal values, and the largest for rising ones."""
    claims = [drawn_unpool(seed, rising=rising) for seed in range(120)]
    assert sum(each.runs for each in claims) > 1500
    assert sum(each.raises for each in claims) > 150
    assert all("indices" in reason for each in claims for reason in each.reasons)


@pytest.mark.parametrize("pool", [functional.max_pool2d, functional.avg_pool2d, *ADAPTIVE[2]])
@pytest.mark.parametrize("rank", ["H", "2,H", "1,1,2,H,9"])
def test_a_wrong_rank_raises_at_every_size(pool: Any, rank: str) -> None:
    claims = agree(lambda value: pool(value, 2), [rank], grid(H=range(1, 6)))
    assert claims.raises == 25
    assert not claims.reasons


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int64", "uint8", "bool", "complex64"])
def test_dtypes(dtype: str) -> None:
    for axes in (1, 2, 3):
        for pool in (MAX[axes], AVERAGE[axes], *ADAPTIVE[axes]):
            agree(
                lambda value, pool=pool: pool(value, 2), [spec(axes, "1")], small_grid(random.Random(1), axes), [dtype]
            )
        indices = MAX[axes]
        agree(
            lambda value, pool=indices: pool(value, 2, return_indices=True),
            [spec(axes, "1")],
            grid(D=[4], H=[5], W=[6]),
            [dtype],
        )


def test_a_small_input_of_avg_pool3d_raises_although_its_padding_would_fit() -> None:
    claims = agree(lambda value: functional.avg_pool3d(value, 3, 2, 1), ["1,2,D,5,5"], grid(D=[1, 2, 3, 4]))
    assert claims.raises > 0
    assert agree(lambda value: functional.avg_pool2d(value, 3, 2, 1), ["1,2,D,5"], grid(D=[1, 2, 3, 4])).raises == 0


def test_a_pool_over_the_whole_input() -> None:
    claims = agree(
        lambda value: functional.avg_pool2d(value, value.shape[2:]), ["1,2,H,W"], grid(H=[1, 2, 5], W=[1, 3])
    )
    assert claims.runs == 36


def test_an_adaptive_pool_to_the_size_of_another() -> None:
    def pooled(value: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        resized: torch.Tensor = ADAPTIVE[2][1](value, other.shape[-2:])
        return resized

    assert agree(pooled, ["1,2,H,W", "1,1,W,H//2"], grid(H=[1, 2, 5], W=[1, 3])).silent == 0


def test_an_empty_input_has_a_mean_where_the_size_that_is_asked_comes_out_as_1() -> None:
    def pooled(value: torch.Tensor) -> torch.Tensor:
        height = value.shape[2]
        return functional.adaptive_avg_pool2d(value[:, :, : height % 3], (height // 5 + 1, 1))

    claims = agree(pooled, ["1,2,H,W"], grid(H=[2, 3, 4, 5, 6, 7], W=[1, 2]))  # H 3 gives an empty one and asks for 1
    assert claims.raises > 0


def test_inputs_of_another_layout() -> None:
    def pooled(value: torch.Tensor) -> torch.Tensor:
        return functional.max_pool2d(value.transpose(2, 3), (2, 3))

    assert agree(pooled, ["1,2,H,W"], grid(H=[1, 2, 3, 5], W=[1, 2, 4])).runs > 10


def test_three_unpools_on_540_rows() -> None:
    def there_and_back(value: torch.Tensor) -> torch.Tensor:
        found = []
        for _ in range(3):
            value, indices = functional.max_pool2d(value, 2, return_indices=True)
            found.append(indices)
        for indices in reversed(found):
            value = UNPOOL[2](value, indices, 2)
        return value

    sizes = [{"H": height, "W": 16} for height in (8, 12, 16, 20, 540, 544)] + [{"H": 16, "W": 24}]
    claims = agree(there_and_back, ["1,1,H,W"], sizes)
    assert claims.raises > 10
    assert not claims.reasons


def test_an_unpool_of_short_rows_is_not_proved() -> None:
    def there_and_back(value: torch.Tensor) -> torch.Tensor:
        pooled, indices = functional.max_pool2d(value, 2, return_indices=True)
        restored: torch.Tensor = UNPOOL[2](pooled, indices, 2)
        return restored

    claims = agree(there_and_back, ["1,1,H,W"], grid(H=[2, 3, 4, 5], W=[2, 4, 6]))
    assert claims.runs == 144
    odd = agree(there_and_back, ["1,1,H,W"], grid(H=[2, 3, 9], W=[3, 5]), open_ended=True)
    assert odd.runs == 0
    assert "depends on their values" in odd.reasons[0]


def test_what_is_told_of_a_pool() -> None:
    model = torch.nn.MaxPool2d(3, 2, 1, ceil_mode=True)
    inputs = parse_inputs("1,1,H,W")
    subject = Subject(model, model, inputs, ("H", "W"), {id(model): "pool"}, MetaState(model, train=False))
    run = run_once(subject, {"H": 7, "W": 8}, symbolic=True)
    record = run.records[-1]
    assert (record.spatial, list(map(str, record.factor))) == (2, ["1/2", "1/2"])
    assert record.parameters["kernel_size"] == (3, 3)
    assert record.parameters["ceil_mode"] == (1, 1)
    dims: list[Dimension] = [getattr(dim, "_function", plain(dim)) for dim in run.outputs[0]]
    assert list(map(str, dims)) == ["1", "1", "H//2 + 1", "W//2 + 1"]
