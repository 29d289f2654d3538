"""Scattering and gathering against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points

_ZEROS = "torch.zeros({}, dtype=torch.long)"


@pytest.mark.parametrize("text", [
    "x.scatter(2, torch.zeros_like(y, dtype=torch.long), y)",
    "x.scatter(1, torch.zeros(2, 1, x.shape[2], x.shape[3], dtype=torch.long), 1.0)",
    "torch.zeros_like(x).scatter_(-1, x.argmax(-1, keepdim=True), 1.0)",
    "torch.zeros_like(x).scatter_add_(3, torch.zeros_like(x, dtype=torch.long), y)",
    "x.scatter_add(0, torch.zeros(1, 4, 2, 2, dtype=torch.long), y)",
    "x.scatter_reduce(2, torch.zeros(2, 4, x.shape[2], 1, dtype=torch.long), y, 'sum')",
    "x.scatter(1, torch.zeros(2, 3, dtype=torch.long), y)",
    "torch.scatter(x, 4, torch.zeros_like(x, dtype=torch.long), y)",
    "x.index_add(2, torch.zeros(y.shape[2], dtype=torch.long), y)",
    "x.clone().index_add_(1, torch.tensor([0, 1, 0, 3]), y, alpha=2)",
    "x.index_add(1, torch.tensor([0, 1]), y)",
    "x.index_copy(3, torch.arange(y.shape[3]), y)",
    "torch.index_copy(x, 0, torch.tensor([1, 0]), y)",
    "x.index_add(0, torch.zeros(1, 2, dtype=torch.long), y)",
    "x.index_fill(1, torch.tensor([0, 2]), 0.5)",
    "x.index_fill(1, torch.tensor([0, 7]), 0.5)",
    "x.index_reduce(1, torch.tensor([0, 1, 2, 3]), y, 'amax')",
    "x.take(torch.tensor([[0, 5]]))",
    "x.put(torch.arange(8).reshape(2, 4), y[..., 0, 0])",
    "x.put(torch.tensor([0]), y)",
    "torch.take_along_dim(x, x.argmax(2, keepdim=True), 2)",
    "x.gather(1, x.topk(2, 1)[1])",
    "x.flatten(2).gather(2, x.flatten(2).argsort(-1, descending=True)[..., :1])",
    "x[:, x.mean((0, 2, 3)).sort().indices]",
    "torch.take_along_dim(x, torch.zeros(1, 1, 1, 3, dtype=torch.long), dim=-1)",
    "torch.take_along_dim(x, torch.zeros(2, 3, dtype=torch.long))",
    "torch.take_along_dim(x, torch.zeros(2, 3, dtype=torch.long), 0)",
    "x.index_put((torch.tensor([0, 1]), torch.tensor([2, 0])), y[0, 0])",
    "x.index_put((torch.tensor([0, 3]),), torch.zeros(()))",
    "torch.select_scatter(x, y[:, 0], 1, 2)",
    "torch.select_scatter(x, y[..., 0], 3, -2)",
    "torch.slice_scatter(x, y, 2, x.shape[2] - y.shape[2])",
    "x.slice_scatter(y[..., :2], dim=3, start=1, end=3)",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2+1"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons


def test_what_depends_on_a_mask_is_not_proved() -> None:
    claims = check("x.masked_scatter(x > 0, y)", ["2,4,H,W", "2,4,H,W"], points(random.Random(1), 4))
    assert claims.reasons == ("`masked_scatter`: how many elements it takes depends on values",)
    assert claims.silent
