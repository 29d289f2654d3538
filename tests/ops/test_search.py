"""Order, counts and draws against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "torch.bucketize(x, torch.arange(5.0))",
    "torch.bucketize(x, torch.zeros(1, 5))",
    "torch.searchsorted(torch.arange(4.0), x)",
    "torch.searchsorted(y, x)",
    "torch.searchsorted(y[0, 0], x)",
    "torch.searchsorted(x, y, right=True)",
    "x.kthvalue(3, 2)",
    "torch.kthvalue(x, 2, dim=3, keepdim=True)[0]",
    "torch.kthvalue(x, 0)",
    "torch.quantile(x[0, 0, 0], 0.5)",
    "torch.quantile(x, torch.tensor([0.1, 0.9]), dim=2, keepdim=True)",
    "x.nanquantile(0.25, -1)",
    "torch.quantile(x, torch.zeros(1, 2))",
    "x.msort()",
    "x.aminmax(dim=2)",
    "torch.aminmax(x[..., 2:])",
    "torch.count_nonzero(x, (1, 2))",
    "x.count_nonzero()",
    "torch.isin(x, y)",
    "torch.histc(x, bins=10)",
    "F.one_hot(x.long() * 0, 3)",
    "F.one_hot(torch.arange(4), 6)",
    "torch.multinomial(x.abs()[0, 0] + 1, 2)",
    "torch.multinomial(x[0, 0, 0] + 1, 5, replacement=True)",
    "torch.multinomial(x, 1)",
    "torch.bernoulli(x * 0 + 0.5)",
    "x.bernoulli(0.5)",
    "torch.normal(x, y.abs())",
    "torch.normal(0.0, x)",
    "torch.normal(x, 2.0)",
    "torch.bincount(torch.arange(x.shape[2] + 1))",
    "torch.bincount(x[0, 0].argmax(0), minlength=x.shape[2])",
    "torch.arange(4).bincount(x[0, :, 0, 0], minlength=9)",
    "torch.bincount(torch.arange(x.shape[2] + 1), weights=x[0, 0, 0])",
    "torch.bincount(x, minlength=3)",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,H,W//2"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize(("text", "why"), [
    ("F.one_hot(x.long())", "`one_hot` without `num_classes`"),
    ("torch.bincount(x.long()[0])", "`bincount`: how many elements it gives depends on values"),
    ("torch.bincount(x.argmax(1), minlength=3)", "`bincount`: how many elements it gives depends on values"),
    ("torch.bincount(torch.arange(x.shape[1]) - 2)", "`bincount`: how many elements it gives depends on values"),
])  # fmt: skip
def test_the_number_of_classes_depends_on_values(text: str, why: str) -> None:
    claims = check(text, ["2,H"], points(random.Random(1), 3), open_ended=True)
    assert why in claims.reasons[0]
