"""Convolutions and transposed convolutions against eager PyTorch, with valid and invalid arguments."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.operations import Claims, agree, grid, per_axis, small_grid, spec

CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}


def drawn_conv(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 1, 2, 2, 3))
    groups, inputs = draw.choice(((1, 3), (1, 2), (2, 4), (3, 3)))
    channels = inputs // groups if draw.random() < 0.93 else draw.choice((1, 2, 3))
    outputs = groups * 2 if draw.random() < 0.93 else 3
    kernel = tuple(draw.choice((1, 2, 3, 4, 5)) for _ in range(axes))
    arguments: dict[str, Any] = {
        "stride": per_axis(draw, axes, [1, 2, 3]),
        "padding": per_axis(draw, axes, [0, 1, 2, 3] if draw.random() < 0.9 else [0, -1]),
        "dilation": per_axis(draw, axes, [1, 1, 2, 3] if draw.random() < 0.95 else [1, 0]),
        "groups": groups,
    }
    if draw.random() < 0.2:
        arguments["padding"] = draw.choice(("same", "valid", "other") if draw.random() < 0.2 else ("same", "valid"))
    specs = [spec(axes, str(inputs), offset=draw.choice(("", "-1")), batch=draw.choice(("1,", "2,", "")))]
    specs.append(",".join(map(str, (outputs, channels, *kernel))))
    if draw.random() < 0.5:
        specs.append(str(outputs if draw.random() < 0.9 else outputs + 1))
    return agree(lambda *tensors: CONV[axes](*tensors, **arguments), specs, small_grid(draw, axes))


def drawn_transposed(seed: int) -> Claims:
    draw = random.Random(seed)
    axes = draw.choice((1, 1, 2, 2, 3))
    groups, inputs = draw.choice(((1, 3), (2, 4)))
    weights = inputs if draw.random() < 0.93 else inputs + 2
    kernel = tuple(draw.choice((1, 2, 3, 4)) for _ in range(axes))
    arguments: dict[str, Any] = {
        "stride": per_axis(draw, axes, [1, 2, 3]),
        "padding": per_axis(draw, axes, [0, 1, 2, 3] if draw.random() < 0.9 else [0, -1]),
        "output_padding": per_axis(draw, axes, [0, 0, 1, 2] if draw.random() < 0.9 else [0, -1]),
        "dilation": per_axis(draw, axes, [1, 1, 2, 3] if draw.random() < 0.95 else [1, 0]),
        "groups": groups,
    }
    specs = [spec(axes, str(inputs), offset=draw.choice(("", "-1")), batch=draw.choice(("1,", "2,", "")))]
    specs.append(",".join(map(str, (weights, 2, *kernel))))
    if draw.random() < 0.5:
        specs.append(str(2 * groups if draw.random() < 0.9 else 5))
    return agree(lambda *tensors: TRANSPOSED[axes](*tensors, **arguments), specs, small_grid(draw, axes))


@pytest.mark.parametrize("drawn", [drawn_conv, drawn_transposed])
def test_drawn_arguments(drawn: Any) -> None:
    claims = [drawn(seed) for seed in range(130)]
    assert sum(each.runs for each in claims) > 4000
    assert sum(each.raises for each in claims) > 1000
    assert all("backend" in reason for each in claims for reason in each.reasons)


@pytest.mark.parametrize("rank", ["H", "2,H", "1,1,2,H,9,9"])
def test_a_wrong_rank_raises_at_every_size(rank: str) -> None:
    for convolution, weight in ((functional.conv2d, "4,2,3,3"), (functional.conv_transpose2d, "2,4,3,3")):
        claims = agree(convolution, [rank, weight], grid(H=range(1, 6)))
        assert claims.silent == 0
        assert not claims.reasons


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("int64", "float32"), ("bool", "bool")])
def test_mixed_and_missing_dtypes_raise(dtypes: tuple[str, str]) -> None:
    for convolution in (functional.conv1d, functional.conv_transpose1d):
        claims = agree(convolution, ["1,2,H", "2,2,2"], grid(H=range(1, 6)), dtypes)
        assert claims.runs == 0
        assert claims.silent == 0


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "complex64"])
def test_other_dtypes_run(dtype: str) -> None:
    claims = agree(functional.conv1d, ["1,2,H", "2,2,2"], grid(H=range(2, 6)), (dtype, dtype))
    assert claims.runs == 16


def test_inputs_of_another_layout() -> None:
    def transposed(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.conv1d(value.transpose(1, 2), weight, stride=2)

    assert agree(transposed, ["1,H,2", "2,2,3"], grid(H=range(1, 9))).runs > 30


def test_a_kernel_that_depends_on_the_size() -> None:
    def correlation(value: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
        return functional.conv1d(value, template, dilation=2)

    assert agree(correlation, ["1,2,H", "3,2,K"], grid(H=[1, 2, 5, 9], K=[1, 2, 3])).raises > 10


@pytest.mark.parametrize("size", [5, 6, 24, 72])
def test_the_founding_example(size: int) -> None:
    def there_and_back(value: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        return functional.conv_transpose1d(functional.conv1d(value, down, stride=2, padding=1), up, None, 2, 1)

    claims = agree(there_and_back, ["1,3,H", "8,3,3", "8,3,3"], [{"H": size}, {"H": 5}, {"H": 6}])
    assert claims.silent == 0


def test_an_audio_codec() -> None:
    def codec(value: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        strides = (2, 4, 5, 8)
        for stride, weight in zip(strides, weights[:4], strict=True):
            value = functional.conv1d(value, weight, stride=stride, padding=-(-stride // 2))
        for stride, weight in zip(strides[::-1], weights[4:], strict=True):
            value = functional.conv_transpose1d(value, weight, stride=stride, padding=-(-stride // 2))
        return value

    weights = [f"1,1,{2 * stride}" for stride in (2, 4, 5, 8, 8, 5, 4, 2)]
    claims = agree(codec, ["1,1,T", *weights], grid(T=[1, 2, 300, 312, 319, 320, 632, 640, 32000]))
    assert claims.runs + claims.raises > 40


def test_output_size_of_a_layer() -> None:
    layer = torch.nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    parameters = [",".join(map(str, each.shape)) for each in layer.parameters()]

    def restored(value: torch.Tensor, like: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        names = [name for name, _ in layer.named_parameters()]
        options = {"output_size": like.shape[-2:]}
        result: torch.Tensor = torch.func.functional_call(
            layer, dict(zip(names, given, strict=True)), (value,), options
        )
        return result

    claims = agree(restored, ["1,2,H,5", "1,1,K,9", *parameters], grid(H=[1, 2, 3, 5], K=[1, 2, 3, 4, 5, 6, 9, 10]))
    assert claims.runs > 10
