"""Diagonals against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "torch.diagonal(x, 0, 2, 3)",
    "x.diagonal(1, dim1=-2, dim2=-1)",
    "x.diagonal(-2, 3, 2)",
    "x.diagonal(dim1=1, dim2=1)",
    "x.diagonal(0, 0, 4)",
    "torch.linalg.diagonal(x)",
    "torch.diagonal_scatter(x, y, 0, 0, 1)",
    "torch.diag(x[0, 0])",
    "torch.diag(x[0, 0, 0], 1)",
    "torch.diag(x[0, 0], -3)",
    "x.diag()",
    "torch.diagflat(x[0, 0, 0], -2)",
    "torch.diag_embed(x[0, 0])",
    "torch.diag_embed(x[0], 1, 0, 2)",
    "torch.trace(x[0, 0])",
    "x.trace()",
    "x[0, 0].fill_diagonal_(1.0)",
    "torch.zeros(x.shape[2], 3, x.shape[3]).fill_diagonal_(1.0)",
    "torch.tril_indices(x.shape[2], x.shape[2])",
    "torch.triu_indices(x.shape[2], x.shape[2], 1)",
    "torch.triu_indices(4, 3)",
    "torch.block_diag(x[0, 0], y[0, 0], x[0, 0, 0])",
    "torch.block_diag(x)",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2+1"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons
