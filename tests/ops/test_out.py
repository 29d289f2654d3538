"""`out=` and functions that write in place, against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "torch.add(x, y, out=torch.empty(0))",
    "torch.cat([x, x], 2, out=x.new_empty(0))",
    "torch.matmul(x, x.transpose(2, 3), out=x.new_empty(0))",
    "(lambda out: (torch.relu(x), torch.exp(x[..., 1:], out=out), out)[2])(x.new_empty(0))",
    "(lambda out: (torch.sum(x, 1, out=out), out)[1])(x.new_empty(2, x.shape[3], x.shape[2]))",
    "torch.stack([x, x], out=x.new_empty(0))",
    "torch.max(x, 2, out=(x.new_empty(0), torch.empty(0, dtype=torch.long)))[1]",
    "torch.arange(x.shape[2], out=torch.empty(0, dtype=torch.long))",
    "torch.zeros(x.shape[2], 3, out=torch.empty(0))",
    "torch.index_select(x, 1, torch.tensor([0, 1]), out=x.new_empty(0))",
    "torch.bmm(x[0], y[0], out=x.new_empty(0))",
    "torch.clamp(x, 0, 1, out=x.new_empty(0))",
    "torch.sort(x, 1, out=(x.new_empty(0), torch.empty(0, dtype=torch.long)))[0]",
    "torch.cumsum(x, 1, out=x.new_empty(0))",
    "torch.where(x > 0, x, y, out=x.new_empty(0))",
    "torch.norm(x, out=x.new_empty(0))",
    "x.clone().add_(y)",
    "x.clone().mul_(y[..., :1])",
    "x.clone().copy_(y)",
    "x.clone().clamp_(0, 1).relu_().sigmoid_()",
    "x.clone().masked_fill_(y > 0, 0.0)",
    "x.clone().lerp_(y, 0.5)",
    "x.clone().addcmul_(x, y)",
    "x.clone().fill_(1.0).zero_().normal_().uniform_().bernoulli_(0.5)",
    "x.long().random_(0, 3)",
    "x.clone().squeeze_(2)",
    "x.clone().unsqueeze_(1)",
    "x.clone().pow_(2).div_(2).sub_(y)",
    "x.long().bitwise_and_(y.long())",
    "x.clone().logical_not_()",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2+1"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons
