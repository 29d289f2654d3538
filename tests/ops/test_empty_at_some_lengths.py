"""Arguments and axes that are computed from a length, and come out as 0 at some: what each call makes of that."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import shapelint
from tests.operations import agree, grid

OfLength = Callable[[Tensor, int], Tensor]
LENGTHS = [*range(1, 25), 40]

RAISING: dict[str, OfLength] = {
    "kernel": lambda x, n: functional.conv1d(x, torch.ones(3, 3, n // 8)),
    "kernel and stride": lambda x, n: functional.conv1d(x, torch.ones(3, 3, n % 4), stride=n % 2),
    "filters": lambda x, n: functional.conv1d(x, torch.ones(n % 3, 3, 1)),
    "kernel of a transposed convolution": lambda x, n: functional.conv_transpose1d(x, torch.ones(3, 3, n % 3)),
    "divisor": lambda x, n: functional.avg_pool2d(x[:, :, None].repeat(1, 1, 2, 1), 2, divisor_override=n % 3),
    "pieces": lambda x, n: torch.cat(x[:, :, : n % 3].split(n // 5, 2), 2),
    "largest": lambda x, n: x[:, :, : n // 4].norm(math.inf, 2),
    "smallest": lambda x, n: torch.linalg.vector_norm(x[:, :, : n // 4], -math.inf, 2),
    "resized by area": lambda x, n: functional.interpolate(x[:, :, : n // 6], size=n, mode="area"),
    "features of two": lambda x, n: functional.bilinear(
        x[:, :, : n // 4], x[:, :, : n // 4], torch.ones(5, n // 4, n // 4)
    ),
}


@pytest.mark.parametrize("call", RAISING.values(), ids=RAISING)
def test_it_raises_where_pytorch_does(call: OfLength) -> None:
    claims = agree(lambda x: call(x, x.shape[2]), ["2,3,L"], grid(L=LENGTHS))
    assert claims.runs > 0 < claims.raises


def test_an_order_that_adds_has_a_norm_of_nothing() -> None:
    assert agree(lambda x: x[:, :, : x.shape[2] // 4].norm(2, 2), ["2,3,L"], grid(L=LENGTHS)).raises == 0


@pytest.mark.parametrize("order", [1, -1, 2, -2, math.inf, -math.inf, "nuc"])
def test_an_empty_matrix_has_the_norms_that_pytorch_gives_it(order: Any) -> None:
    for part in (lambda x: x[:, : x.shape[2] // 4], lambda x: x[:, :, : x.shape[2] // 4]):
        agree(lambda x, part=part: torch.linalg.matrix_norm(part(x), order), ["2,3,L"], grid(L=LENGTHS))


class Grouped(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.group_norm(x.repeat(1, 2, 1), x.shape[2] // 4)


def test_as_many_groups_as_a_size_says_are_not_decided_from_one_of_its_numbers() -> None:
    contract = shapelint.check(Grouped, "2,3,L").contract
    assert {contract.outcome(L=length).ok for length in (4, 8, 12, 24)} <= {None, True}
    assert {contract.outcome(L=length).ok for length in (2, 16, 64)} <= {None, False}
