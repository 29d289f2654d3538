"""Tensors that hold sizes, and factories, against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "x[:, :, : (torch.tensor(x.shape[2:]) // 2)[0].item()]",
    "x.view(2, 4, *torch.tensor(x.shape)[2:].tolist())",
    "x[:, :, : torch.tensor([x.shape[2] / 2]).floor().int().item()]",
    "x[:, :, : torch.tensor(x.shape[2]).div(2, rounding_mode='floor').item()]",
    "x + 1 if bool(torch.tensor(x.shape[2]) > 4) else x.mean(2)",
    "x + 1 if torch.tensor(x.shape[2]) % 2 == 0 else x.mean(2)",
    "torch.zeros(torch.tensor(x.shape).max().item())",
    "torch.zeros(torch.stack([torch.tensor(x.shape[2]), torch.tensor(x.shape[3])]).sum().item())",
    "torch.zeros([each.item() for each in torch.tensor(x.shape).unbind()])",
    "torch.zeros((torch.tensor([x.shape[2], 3]) * torch.tensor([2, x.shape[3]]))[1].item())",
    "torch.zeros((7 - -torch.tensor([1, 2]) + torch.tensor(x.shape[2:])).flip(0).tolist())",
    "torch.zeros(torch.as_tensor(x.shape)[-1].long().item())",
    "torch.zeros((torch.tensor([0.5, 2.0]) * x.shape[2]).int().tolist())",
    "x[:, torch.tensor([0, 2])]",
    "x[torch.tensor(1)]",
    "x[:, :, : torch.tensor(x.shape[2]) // 2]",
    "(x > torch.tensor(x.shape[2])).all(-1, keepdim=True)",
    "(torch.tensor(x.shape[2]) + x).round(decimals=1)",
    "x[..., torch.ceil(torch.as_tensor(x.shape[3] / 2)).long() :]",
    "x[:, :, : x.shape[2] // int(torch.as_tensor(__import__('numpy').array([3, 2]))[1])]",
])  # fmt: skip
def test_numbers_in_tensors_stay_functions(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons
    assert claims.runs


@pytest.mark.parametrize("text", [
    "torch.zeros(int(torch.tensor(x.shape[2])))",
    "torch.zeros(torch.tensor(x.shape[2]).float().sqrt().int().item())",
    "torch.zeros(list(range(torch.tensor(x.shape[2]))).__len__())",
    "torch.zeros(int((torch.arange(9) * 7 // x.shape[2])[8]))",
    "torch.zeros([int(each) for each in torch.tensor([8.0, 16.0]) / x.shape[2]])",
    "torch.zeros((torch.tensor([8.0, 16.0]) / x.shape[2] > 1).sum().item())",
    "torch.zeros(int((torch.arange(9.0) * (x.shape[2] / x.shape[3])).max()))",
    "torch.zeros(torch.tensor([x.shape[2] / 3]).round().int().item())",
    "torch.zeros((lambda t: (t.add_(1), t.item())[1])(torch.tensor(x.shape[2])))",
])  # fmt: skip
def test_numbers_that_are_lost_are_leaks(text: str) -> None:
    assert check(text, ["2,4,H,W"], points(random.Random(text), 8)).reasons


@pytest.mark.parametrize("text", [
    "x.mean() + torch.arange(9) * 7 // x.shape[2]",
])  # fmt: skip
def test_numbers_that_nobody_takes_out_are_no_leaks(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 8))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("text", ["torch.zeros(int(x.sum()) % 3)", "x.tolist()"])
def test_values_of_the_input_are_not_analysed(text: str) -> None:
    drawn = points(random.Random(text), 3)
    with pytest.raises(AssertionError, match="gives an error"):
        check(text, ["2,H"], drawn)


@pytest.mark.parametrize("text", [
    "torch.cat([x, torch.zeros(2, 4, 1, x.shape[3], device=x.device)], 2)",
    "x + torch.ones(x.shape[2:])",
    "x * torch.full((x.shape[2], 1), 0.5).to(x.device)",
    "x + torch.empty(x.shape, dtype=x.dtype, device=x.device).normal_()",
    "x + torch.randn(1, 1, *x.shape[2:]).to(x)",
    "x.new_zeros(x.shape[2], 3)",
    "x.new_full((x.shape[2] - 2, 3), 1.0)",
    "torch.zeros(x.shape[2] - 3)",
    "torch.arange(x.shape[2] - 2)",
    "torch.arange(2, x.shape[2], 2)",
    "torch.arange(x.shape[2], 0, -2)",
    "torch.arange(0, x.shape[2] / 2)",
    "torch.arange(0.5, x.shape[2])",
    "torch.arange(1, x.shape[2] / 2)",
    "torch.arange(-1.25, x.shape[2] / 2, 0.75)",
    "torch.arange(x.shape[2], 1.5, -2.5)",
    "torch.arange(0, x.shape[2] + 0.5, 2, dtype=torch.int64)",
    "torch.arange(0.75, x.shape[2] / 2, 1.5, dtype=torch.int64)",
    "torch.arange(0.75, x.shape[2] / 2, 1.5, dtype=torch.int32)",
    "torch.arange(5)[:3].float()",
    "torch.linspace(-1, 1, x.shape[3] - 1)",
    "torch.eye(x.shape[2], 3)",
    "torch.randint(0, 5, (x.shape[2],))",
    "torch.randperm(x.shape[3])",
    "torch.meshgrid(torch.arange(x.shape[2]), torch.arange(x.shape[3] + 1), indexing='xy')",
    "torch.meshgrid([torch.arange(x.shape[2]), torch.arange(3)], indexing='ij')",
    "x[..., 0] + torch.cat([torch.arange(x.shape[2] - 1).float().sin(), torch.ones(1).cos()])",
    "x + torch.arange(x.shape[3]).float().unsqueeze(0)[:, : x.shape[3]] * torch.linspace(0, 1, x.shape[2])[:, None]",
    "F.mse_loss(x, torch.zeros_like(x))",
    "torch.tril(torch.ones(x.shape[2], x.shape[2])).view(1, 1, x.shape[2], x.shape[2])",
    "torch.ones(3, 3, dtype=torch.bool).triu(1)",
    "x.masked_fill(torch.ones(x.shape[2], x.shape[3]).tril() == 0, float('-inf'))",
])  # fmt: skip
def test_factories(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons
