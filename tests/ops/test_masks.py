"""Masks of the data: how many elements they keep is not known, and what does not depend on it is proved."""

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


def _rows(x: Tensor) -> Tensor:
    return x[x[..., 0] > 0]


def _loss(x: Tensor, mask: Tensor) -> Tensor:
    return F.mse_loss(x[mask], (x * 2)[mask])


def _written(x: Tensor) -> Tensor:
    mask, made = x[..., 0] > 0, torch.zeros_like(x)
    made[mask] = x[mask] * 2
    return made


def _guarded(x: Tensor) -> Tensor:
    rows = _rows(x)
    return rows.max(0)[0] if len(rows) else x.mean((0, 1))


def _filled(x: Tensor) -> Tensor:
    rows, made = _rows(x), torch.zeros(4, 6)
    count = min(4, len(rows))
    made[:count] = rows[:count]
    return made


def _per_sample(x: Tensor) -> Tensor:
    return torch.stack([sample[sample[:, 0] > 0].sum(0) for sample in x])


def _placed(x: Tensor) -> Tensor:
    row, column = torch.where(x[..., 0] > 0)
    return x[row, column].sum(0)


@pytest.mark.parametrize("function", [
    lambda x: x[x > 0].mean(),
    lambda x: _loss(x, x[..., 0] > 0),
    lambda x: torch.masked_select(x, x[..., :1] > 0).sum(),
    _written, _guarded, _filled, _per_sample, _placed,
])  # fmt: skip
def test_what_a_mask_does_not_decide_is_proved(function: Callable[[Tensor], Tensor]) -> None:
    contract = shapelint.check(Net(function), "B,T,6").contract
    assert contract.proved, [region.why for region in contract.regions]
    for batch, steps in ((1, 1), (3, 4), (5, 2)):
        for data in (torch.randn, torch.ones, torch.zeros):
            assert contract.outcome(B=batch, T=steps).outputs == (tuple(function(data(batch, steps, 6)).shape),)


def _changed(x: Tensor) -> Tensor:
    mask = x[..., 0] > 0
    before = x[mask]
    mask[0] = True
    return (before + x[mask]).sum()


def _halves(x: Tensor) -> Tensor:
    first, second = torch.stack([x[0] > 0, x[0] < 0]).unbind()
    return (x[0][first] + x[0][second]).sum()


@pytest.mark.parametrize("function", [
    _rows,
    _halves,
    lambda x: _rows(x).max(),
    lambda x: _rows(x)[0],
    lambda x: x if len(_rows(x)) > 3 else x[0],
    lambda x: x[x[..., 0] > 0] * x[x[..., 0] < 0],
    _changed,
])  # fmt: skip
def test_what_a_mask_decides_is_not_known(function: Callable[[Tensor], Tensor]) -> None:
    outcome = shapelint.check(Net(function), "B,T,6").contract.outcome(B=3, T=4)
    assert outcome.ok is None


def test_a_mask_of_another_size_is_refused() -> None:
    def written(x: Tensor) -> Tensor:
        made = torch.zeros(len(x), x.shape[1] // 2 * 2, 6)
        made[x[..., 0] > 0] = 0
        return made

    contract = shapelint.check(Net(written), "B,T,6").contract
    assert [contract.outcome(B=2, T=steps).ok for steps in (4, 5)] == [True, False]
    assert {region.how for region in contract.regions} == {How.PROVED}
    with pytest.raises(IndexError, match="shape of the mask"):
        written(torch.ones(2, 5, 6))


@pytest.mark.parametrize(("few", "steps"), [
    (lambda x: _rows(x).shape[0] <= 1, 1),
    (lambda x: int((x[0, :, 0] > 0).sum()) < 3, 2),
])  # fmt: skip
def test_a_guard_that_no_data_passes_at_a_size_raises_there(few: Callable[[Tensor], bool], steps: int) -> None:
    def guarded(x: Tensor) -> Tensor:
        if few(x):
            raise ValueError("too few of them")
        return x

    with pytest.raises(ValueError, match="too few"):
        guarded(torch.ones(1, steps, 6))
    assert shapelint.check(Net(guarded), "B,T,6").contract.outcome(B=1, T=steps).how is not How.PROVED


def test_a_guard_that_some_data_pass_at_each_size_decides_nothing() -> None:
    def guarded(x: Tensor) -> Tensor:
        if _rows(x).shape[0] == 0:
            raise ValueError("none of them")
        return x

    assert shapelint.check(Net(guarded), "B,T,6").contract.proved
