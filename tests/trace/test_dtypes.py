"""Inputs whose dtype a layer refuses: a check says so wherever eager PyTorch raises, and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import ModelError

IMAGE = (1, 3, 9, 9)
ROW = (5, 9, 4)

LAYERS: tuple[tuple[Callable[[], nn.Module], tuple[int, ...]], ...] = (
    (lambda: nn.Conv2d(3, 4, 3), IMAGE),
    (lambda: nn.ConvTranspose2d(3, 4, 3), IMAGE),
    (lambda: nn.Linear(4, 4), ROW),
    (lambda: nn.BatchNorm2d(3), IMAGE),
    (lambda: nn.InstanceNorm2d(3, affine=True), IMAGE),
    (lambda: nn.GroupNorm(3, 3), IMAGE),
    (lambda: nn.LayerNorm(4), ROW),
    (lambda: nn.Embedding(5, 4), (7,)),
    (nn.PReLU, IMAGE),
    (nn.GELU, IMAGE),
    (nn.ReLU, IMAGE),
    (nn.Sigmoid, IMAGE),
    (lambda: nn.Softmax(1), IMAGE),
    (lambda: nn.MaxPool2d(2), IMAGE),
)
DTYPES = ("float32", "float64", "bfloat16", "int64", "int32", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", range(len(LAYERS)))
def test_a_dtype_is_refused_where_eager_refuses_it(index: int, dtype: str) -> None:
    build, shape = LAYERS[index]
    module = build().eval()
    try:
        module(torch.ones(shape).to(getattr(torch, dtype)))
        runs = True
    except (RuntimeError, ValueError):
        runs = False
    spec = f"{','.join(map(str, shape))}:{dtype}"
    if runs:
        assert shapelint.check(module, spec).contract.runs
    else:
        with pytest.raises(ModelError):
            shapelint.check(module, spec)


def test_an_outer_product_joins_two_dtypes_as_a_multiplication_does() -> None:
    class Positions(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.outer(torch.arange(x.shape[-1]).float(), torch.ones(5, dtype=torch.float64))[:, 0]

    assert shapelint.check(Positions, "1,3,L").contract.proved


def test_autocast_may_join_two_dtypes() -> None:
    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return self.layer(x.bfloat16())  # type: ignore[no-any-return]

    assert shapelint.check(Cast, "1,H,4").contract.runs
