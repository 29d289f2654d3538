"""Products, distances and pairs against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "torch.addmv(x[0, 0, :, 0], x[0, 0], y[0, 0, :, 0])",
    "x[0, 0, :, 0].addmv_(x[0, 0], y[0, 0, :, 0])",
    "torch.addr(torch.zeros(1, 1), x[0, 0, 0], y[0, 0, 0])",
    "torch.zeros(4, 4).addr_(x[0, 0, 0], y[0, 0, 0])",
    "torch.addbmm(x[0, 0], x[0], x[0].transpose(1, 2))",
    "torch.addbmm(torch.zeros(1), x[0], y[0])",
    "x[0, 0].clone().addmm_(x[0, 0], y[0, 0])",
    "x[0].clone().baddbmm_(x[0], x[0].transpose(1, 2))",
    "torch.inner(x, y)",
    "x.inner(x[0])",
    "x[0, 0, 0].vdot(y[0, 0, 0])",
    "torch.ger(x[0, 0, 0], y[0, 0, 0])",
    "torch.tensordot(x, y, dims=2)",
    "torch.tensordot(x, y, dims=([2, 3], [3, 2]))",
    "torch.tensordot(x, y, dims=([0, 1], [0, 1]))",
    "torch.tensordot(x, y, 5)",
    "torch.tensordot(x, y, dims=([1], [1, 2]))",
    "torch.kron(x[0, 0], y[0])",
    "torch.cdist(x, y)",
    "torch.cdist(x.flatten(2).transpose(1, 2), y.flatten(2).transpose(1, 2), p=1.0)",
    "torch.cdist(x[0, 0, 0], y)",
    "torch.pdist(x[0, 0])",
    "F.pdist(x)",
    "torch.chain_matmul(x[0, 0], x[0, 0].T, x[0, 0])",
    "torch.linalg.multi_dot([x[0, 0, 0], x[0, 0].T, y[0, 0]])",
    "torch.linalg.multi_dot([x[0, 0], x[0], x[0, 0]])",
    "torch.cross(x[:, :3], y[:, :3], dim=1)",
    "torch.cross(x[0, 0], y[1, 0])",
    "torch.linalg.cross(x, y)",
    "x.cross(x, dim=3)",
    "torch.dist(x, y)",
    "F.pairwise_distance(x, y)",
    "F.pairwise_distance(x, x[:, :1], keepdim=True)",
    "torch.linalg.vecdot(x, y, dim=1)",
    "torch.cartesian_prod(torch.arange(x.shape[2]), torch.arange(x.shape[3]), torch.arange(2))",
    "torch.cartesian_prod(x[0, 0, 0])",
    "torch.cartesian_prod(x[0, 0], x[0, 0, 0])",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2+1"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons


_ROUTED = ", offs=torch.tensor([9, 1, 30], dtype=torch.int32))"


@pytest.mark.parametrize("factors", [
    "x.flatten(0, 1), torch.zeros(3, 8, 4)",
    "x.flatten(0, 1), torch.zeros(3, 4, 8).mT",
    "x.transpose(0, 1).flatten(0, 1)[torch.arange(x.shape[0]).flip(0)], torch.zeros(3, 8, 4)",
    "x.flatten(1), torch.zeros(3, 16, 4)",
])  # fmt: skip
def test_groups_of_rows_are_proved_whatever_says_which_they_are(factors: str) -> None:
    claims = check(f"F.grouped_mm({factors}{_ROUTED}", ["H,W,8"], points(random.Random(factors), 20))
    assert claims.runs
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("factors", [
    "x[:, 0], torch.zeros(3, 8, 3)",
    "torch.zeros(x.shape[0], 9)[:, :8], torch.zeros(3, 8, 4)",
    "torch.zeros(8, x.shape[0]).t(), torch.zeros(3, 8, 4)",
    "x[0, :1].expand(x.shape[1], 8), torch.zeros(3, 8, 4)",
    "x[:, 0], torch.zeros(2, 8, 4)",
])  # fmt: skip
def test_groups_of_rows_that_begin_anywhere_in_memory_are_not_claimed_to_run(factors: str) -> None:
    assert check(f"F.grouped_mm({factors}{_ROUTED}", ["H,W,8"], points(random.Random(factors), 20)).silent
