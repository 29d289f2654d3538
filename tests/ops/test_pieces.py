"""Splits and joins by name, against eager PyTorch."""

from __future__ import annotations

import random

import pytest

from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "torch.hsplit(x, 2)",
    "torch.vsplit(x, 2)",
    "torch.dsplit(x, 3)",
    "x.dsplit([2, 3])",
    "torch.dsplit(x[0, 0], 2)",
    "torch.tensor_split(x, (1, 3), dim=2)",
    "x.tensor_split([x.shape[3] // 2], -1)",
    "torch.column_stack((x[0, 0, 0], y[0, 0, :, 0]))",
    "torch.column_stack((x, y))",
    "torch.rot90(x, 1, (2, 3))",
    "x.rot90(2, [0, 2])",
    "x.rot90(1, [2, 2])",
    "x if torch.is_same_size(x, y) else y",
    "torch.narrow_copy(x, 2, 1, x.shape[2] - 1)",
    "torch.unsafe_split_with_sizes(x, [1, 2], 3)",
    "x.ravel()",
    "x.repeat_interleave(torch.tensor([1, 2, 1, 3]), 1)",
    "x.repeat_interleave(torch.tensor([1, 2]), dim=2)",
    "torch.repeat_interleave(x, torch.tensor(x.shape[3]), 0)",
    "torch.repeat_interleave(torch.tensor(x.shape[2:]))",
    "x.view(torch.int32)",
    "x.double().view(torch.float32)",
    "x.view(torch.complex64)",
    "torch.nn.utils.rnn.pad_sequence([x[0, 0], y[0, 0].T], batch_first=True)",
    "torch.nn.utils.rnn.pad_sequence([x[0, 0], y[0, 0]])",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2+1"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("text", ["torch.combinations(x)", "x.argwhere()", "x.long().bincount()"])
def test_what_depends_on_values_is_not_claimed(text: str) -> None:
    assert check(text, ["H"], points(random.Random(1), 3), open_ended=True).runs == 0
