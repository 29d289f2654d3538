"""Calls that refuse some numbers: where sizes decide on these, nothing is proved that eager PyTorch denies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shapelint
from shapelint.facts.contract import How


class Net(nn.Module):
    """A function of a map as a model."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _gram(x: Tensor) -> Tensor:
    rows = x.flatten(2)
    return torch.linalg.cholesky(rows @ rows.transpose(1, 2))


def _written(x: Tensor) -> Tensor:
    rates = torch.ones(3)
    rates[:2].fill_(x.shape[2] - 5)
    return torch.poisson(rates)


def _diagonal(x: Tensor) -> Tensor:
    diagonal = torch.zeros(8)
    diagonal[: x.shape[2]] = 1
    return torch.linalg.inv(torch.diag(diagonal))


def _spread(x: Tensor) -> Tensor:
    return F.binary_cross_entropy(torch.sigmoid(x), (torch.arange(x.shape[3]) + x.shape[2] / 8).expand_as(x))


def _guarded(x: Tensor) -> Tensor:
    if (torch.arange(x.shape[2]) > 5).any():
        raise ValueError("too many rows")
    return x


def _asserted(x: Tensor) -> Tensor:
    assert torch.arange(x.shape[2]).max() < 6
    return x


def _checked(x: Tensor) -> Tensor:
    return F.gaussian_nll_loss(torch.zeros(3), torch.zeros(3), torch.ones(3) * (x.shape[2] - 5))


@pytest.mark.parametrize(("function", "rows"), [
    (lambda x: F.multi_margin_loss(x.mean((2, 3)), torch.zeros(2, dtype=torch.long) + x.shape[2] // 8), 24),
    (lambda x: F.multilabel_margin_loss(x.mean((2, 3)), torch.zeros(2, 3, dtype=torch.long) + x.shape[2] // 8), 24),
    (lambda x: torch.poisson(torch.ones(3) * (x.shape[2] - 5)), 4),
    (lambda x: torch.bernoulli(torch.ones(3) * (x.shape[2] / 8)), 9),
    (lambda x: torch.linalg.inv(torch.eye(3) * (x.shape[2] - 5)), 5),
    (lambda x: torch.rand(3).normal_(0, x.shape[2] - 4), 2),
    (lambda x: F.hardtanh(x, 5.0, x.shape[2] * 1.0), 3),
    (lambda x: torch.zeros(3, dtype=torch.int8).fill_(x.shape[2]), 200),
    (lambda x: torch.poisson(torch.linspace(-1, 1, 10)[x.shape[2] % 10]), 2),
    (lambda x: torch.poisson(torch.arange(40.0).sub(20).narrow(0, x.shape[2] % 30, 3)), 2),
    (lambda x: torch.linalg.matrix_power(torch.zeros(3, 3), x.shape[2] - 8), 6),
    (lambda x: torch.full_like(x, x.shape[2], dtype=torch.uint8), 300),
    (lambda x: x.new_full((1,), x.shape[2], dtype=torch.uint8), 300),
    (lambda x: torch.histc(x, 4, 8, x.shape[2]), 5),
    (_gram, 1), (_written, 4), (_diagonal, 4), (_spread, 9), (_guarded, 7), (_asserted, 7), (_checked, 3),
])  # fmt: skip
def test_numbers_that_sizes_decide_on_are_not_taken_to_be_right(
    function: Callable[[Tensor], Tensor], rows: int
) -> None:
    with pytest.raises((RuntimeError, ValueError, AssertionError)):
        function(torch.rand(2, 3, rows, 1))
    assert shapelint.check(Net(function), "2,3,H,W").contract.outcome(H=rows, W=1).how is not How.PROVED


@pytest.mark.parametrize("function", [
    lambda x: torch.arange(9) // (x.shape[2] // 4),
    lambda x: torch.arange(x.shape[3]) % (x.shape[2] // 4),
    lambda x: torch.arange(9) ** (x.shape[2] - 4),
])  # fmt: skip
def test_integers_are_divided_by_no_zero_and_have_no_negative_powers(function: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(Net(function), "2,3,H,W").contract
    assert contract.proved
    assert [contract.outcome(H=rows, W=2).ok for rows in (3, 4)] == [False, True]
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError|negative integer powers"):
        function(torch.rand(2, 3, 3, 2))


def _extended(x: Tensor) -> Tensor:
    places = torch.arange(x.shape[2])
    if places.max() >= 64:
        places = places.clamp(max=63)
    return x + places[:, None]


@pytest.mark.parametrize("function", [
    lambda x: F.binary_cross_entropy(torch.sigmoid(x), torch.zeros_like(x)),
    lambda x: torch.linalg.inv(x.mean((2, 3)).repeat(1, 3).view(-1, 3, 3)),
    lambda x: torch.distributions.Normal(torch.zeros(x.shape[2]), torch.ones(x.shape[2])).log_prob(x[..., 0]),
    lambda x: torch.arange(x.shape[2] * x.shape[3]) // x.shape[3],
    _extended,
])  # fmt: skip
def test_numbers_of_the_data_and_equal_ones_are_right_at_all_sizes(function: Callable[[Tensor], Tensor]) -> None:
    assert shapelint.check(Net(function), "2,3,H,W").contract.proved


def test_the_index_of_take_along_dim_may_lie_beyond_an_axis_that_has_something() -> None:
    def taken(x: Tensor) -> Tensor:
        return torch.take_along_dim(torch.rand(8), torch.arange(3) + x.shape[2], 0)

    assert taken(torch.rand(2, 3, 20, 1)).shape == (3,)
    contract = shapelint.check(Net(taken), "2,3,H,W").contract
    assert contract.proved
    assert contract.outcome(H=20, W=1).ok
