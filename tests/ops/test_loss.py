"""Losses against eager PyTorch."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

import shapelint
from shapelint.facts.contract import How
from tests.calls import check, points
from tests.operations import grid

_REDUCTIONS = ("mean", "none", "sum")


@pytest.mark.parametrize("text", [
    "F.mse_loss(x, y, {})",
    "F.mse_loss(x, y, weight=x, {})",
    "F.l1_loss(x, y[..., :1], {})",
    "F.smooth_l1_loss(x, y, {}, beta=0.5)",
    "F.huber_loss(x, y, {}, delta=0.5)",
    "F.huber_loss(x, y, {}, weight=y)",
    "F.kl_div(x, y, {})",
    "F.kl_div(x, y, reduction='batchmean', log_target=True)",
    "F.poisson_nll_loss(x, y, {})",
    "F.hinge_embedding_loss(x, y, {})",
    "F.soft_margin_loss(x, y, {})",
    "F.binary_cross_entropy(x * 0 + 0.5, y, {})",
    "F.binary_cross_entropy(x * 0 + 0.5, x * 0, weight=y, {})",
    "F.binary_cross_entropy_with_logits(x, y, {})",
    "F.binary_cross_entropy_with_logits(x, x * 0, weight=y[..., :1], {})",
    "F.binary_cross_entropy_with_logits(x, x * 0, pos_weight=y[:1, :, :1], {})",
    "F.multilabel_soft_margin_loss(x, y, {})",
    "F.margin_ranking_loss(x, y, x, {})",
    "F.margin_ranking_loss(x, y, x[0], {})",
    "F.cosine_embedding_loss(x[0, 0], y[0, 0], x[0, 0, :, 0], {})",
    "F.cosine_embedding_loss(x, y, x[..., 0], {})",
    "F.triplet_margin_loss(x, y, x, {})",
    "F.triplet_margin_loss(x, x[..., :1, :], y, {}, swap=True)",
    "F.cross_entropy(x, y[:, 0].long(), {})",
    "F.cross_entropy(x, y, {}, label_smoothing=0.1)",
    "F.cross_entropy(x, x.softmax(1), weight=torch.ones(4), {})",
    "F.cross_entropy(x, x.argmax(1), weight=torch.ones(5), {})",
    "F.cross_entropy(x.flatten(2), y[:, 0].flatten(1).long(), {})",
    "F.cross_entropy(x[:, :, 0, 0], torch.tensor([1, 3]), {})",
    "F.cross_entropy(x[:, :, 0, 0], torch.tensor([1, 3, 0]), {})",
    "F.cross_entropy(x[0, :, 0, 0], torch.tensor(2), {})",
    "F.cross_entropy(x.unsqueeze(2), y[:, :1].long() * 0, {})",
    "F.nll_loss(x, y[:, 0].long(), {})",
    "F.nll_loss(x, y[:, :2].long(), {})",
    "F.cross_entropy(x, y[:, 0].long(), reduction='median')",
])  # fmt: skip
def test_known_losses(text: str) -> None:
    for number, reduction in enumerate(_REDUCTIONS if "{}" in text else ("",)):
        drawn = points(random.Random(text), 14)
        full = text.format(f"reduction='{reduction}'")
        claims = check(full, ["2,4,H,W", "2,4,H,W//2+1" if number else "2,4,W,H//2+1"], drawn)
        assert not claims.reasons, claims.reasons


def test_targets_of_a_symbolic_number_of_classes_are_not_proved() -> None:
    claims = check("F.cross_entropy(x, y[:, 0].long())", ["2,H,W", "2,1,W"], grid(H=[2, 5], W=[1, 4]))
    assert claims.reasons == ("targets, whose values must lie below the number of classes",)


@pytest.mark.parametrize(("targets", "options", "outcome"), [
    (lambda x: torch.arange(x.shape[1]), {}, False),
    (lambda x: torch.arange(x.shape[1]), {"ignore_index": 3}, False),
    (lambda x: torch.arange(x.shape[1]), {"ignore_index": 4}, None),
    (lambda x: torch.full((x.shape[1],), -100), {}, True),
    (lambda x: torch.arange(x.shape[1]) % 4, {}, True),
    (lambda x: (x[0, :, 0] > 0).long() * 4, {}, None),
    (lambda x: (x[0, :, 0] * 9).long(), {}, None),
    (lambda x: x[0, :, 0].long(), {}, True),
])  # fmt: skip
def test_targets_that_are_made_lie_below_the_number_of_classes(
    targets: Callable[[torch.Tensor], torch.Tensor], options: dict[str, int], outcome: bool | None
) -> None:
    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(x[0, :, :4], targets(x), **options)

    assert shapelint.check(Net(), "1,T,4").contract.outcome(T=5).ok is outcome


def test_each_pair_of_a_batch_is_a_class_of_its_own() -> None:
    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(x @ x.T, torch.arange(len(x)))

    assert shapelint.check(Net(), "B,8").contract.proved


def test_targets_of_an_input_that_a_size_moves_are_not_taken_to_be_classes() -> None:
    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(x, target * x.shape[2])

    with pytest.raises(IndexError):
        Net()(torch.zeros(2, 4, 5), torch.ones(2, 5, dtype=torch.int64))
    assert shapelint.check(Net(), ["2,4,T", "2,T:int64"]).contract.outcome(T=5).how is not How.PROVED
