"""Factorizations, norms, differences and correlations against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points

_EYE = "(torch.eye(x.shape[2], x.shape[3]) + x * 0)"


@pytest.mark.parametrize("text", [
    "torch.linalg.inv({})",
    "torch.inverse({}[0, 0])",
    "torch.linalg.cholesky({})",
    "torch.linalg.det({})",
    "{}.logdet()",
    "torch.linalg.slogdet({})[1]",
    "torch.linalg.eigh({})",
    "torch.linalg.eigvalsh({}[0])",
    "torch.linalg.svd({})",
    "torch.linalg.svd({}, full_matrices=False)",
    "torch.svd({}, some=False)",
    "torch.linalg.svdvals({})",
    "torch.linalg.qr({})",
    "torch.linalg.qr({}, mode='complete')",
    "torch.qr({}, some=False)",
    "torch.linalg.pinv({})",
    "torch.matrix_power({}, 2)",
    "torch.matrix_exp({})",
    "torch.linalg.solve({}, y)",
    "torch.linalg.solve({}, y[..., 0])",
    "torch.linalg.solve({}[0, 0], x[0, 0, :, 0])",
    "torch.linalg.solve_ex({}, y)",
    "torch.linalg.solve_ex({}[0], y[..., 0])",
    "torch.triangular_solve(y, {} + 1)",
    "torch.triangular_solve(y[0, :1], {} + 1, upper=False)",
    "torch.triangular_solve(x[0, 0, 0], {})",
    "torch.linalg.solve_triangular({}, y, upper=False)",
    "torch.linalg.solve_triangular({}[0], x[:1] * 1, upper=True, unitriangular=True)",
    "torch.linalg.solve_triangular({}, y, upper=True, left=False)",
    "torch.linalg.solve_triangular({}[0, 0], x[:, 0], upper=True, left=False)",
    "torch.linalg.solve_triangular({}, x[0, 0, 0], upper=True)",
    "torch.linalg.solve_triangular(x[0, 0, 0], y, upper=True)",
    "torch.linalg.householder_product(x, y[..., 0])",
    "torch.orgqr(x[0, 0], x[0, 0, :, 0])",
    "torch.orgqr(x, x[0, 0, 0])",
    "torch.linalg.matrix_norm(x)",
    "torch.linalg.matrix_norm(x, dim=(1, 2), keepdim=True)",
    "torch.linalg.norm(x, dim=1)",
    "torch.linalg.norm(x)",
    "torch.linalg.norm(x, 2)",
    "torch.linalg.norm(x, 2, dim=(2, 3), keepdim=True)",
    "torch.linalg.inv(x.long())",
    "torch.linalg.svd(x[0, 0, 0])",
    "torch.diff(x)",
    "x.diff(2, dim=2)",
    "torch.diff(x, dim=-2, prepend=x[:, :, :1])",
    "torch.diff(x, dim=-1, append=y)",
    "torch.trapezoid(x, dim=1)",
    "torch.cumulative_trapezoid(x, dim=2)",
    "torch.cov(x[0, 0])",
    "torch.corrcoef(x[0, 0, 0])",
    "torch.cov(x)",
    "torch.renorm(x, 2, 0, 1.0)",
    "torch.renorm(x[0, 0, 0], 2, 0, 1.0)",
    "torch.gradient(x, dim=(2, 3))",
    "torch.gradient(x, dim=1, edge_order=2)[0]",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    drawn = points(random.Random(text), 14) + [{"H": size, "W": size} for size in (1, 3, 6)]
    claims = check(text.format(_EYE), ["2,4,H,W", "2,4,W,H//2+1"], drawn)
    assert not claims.reasons, claims.reasons
