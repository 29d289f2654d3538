"""Tensors that are given other sizes, strides or memory, against eager PyTorch."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from torch import nn

import shapelint
from tests.calls import check, points


@pytest.mark.parametrize("text", [
    "x.new_empty(0).resize_(x.shape[2], 3)",
    "x.new_empty(0).resize_(-1)",
    "x.new_empty(0).resize_as_(y)",
    "torch.as_strided(x, (2, x.shape[3]), (x.shape[3], 1))",
    "x.as_strided((x.shape[2], x.shape[3]), (x.shape[3], 1), 0)",
    "x.as_strided((2, 2), (1,))",
    "x.clone().cumsum_(2)",
    "x.clone().cumprod_(4)",
    "x[0, 0].clone().tril_()",
    "x[0, 0, 0].clone().triu_()",
    "x.sum_to_size(1, 4, 1, x.shape[3])",
    "x.sum_to_size(2, 1, y.shape[2], 1)",
    "x.clone().transpose_(2, 3)",
    "x[0, 0].clone().t_()",
    "x.clone().t_()",
    "x[..., : x.stride(2)]",
    "x.new_zeros(x.stride()[0])",
    "x.new_zeros(x.nbytes // 4)",
    "x if x.transpose(2, 3).is_contiguous() else x[..., :1]",
    "x if x.is_contiguous(memory_format=torch.channels_last) else x[..., :1]",
    "torch.group_norm(x, 2)",
    "torch.group_norm(x[..., :1, :1], 2)",
    "torch.batch_norm(x, None, None, torch.zeros(4), torch.ones(4), False, 0.1, 1e-5, False)",
    "torch.batch_norm(x[:1, ..., :1], None, None, None, None, True, 0.1, 1e-5, False)",
    "torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, False)",
    "torch.constant_pad_nd(x, (1, 2, -1, 0))",
    "torch.embedding(torch.zeros(9, 5), torch.arange(y.shape[3]))",
    "F.embedding_bag(torch.zeros(3, x.shape[2], dtype=torch.long), torch.zeros(6, 5))",
    "F.embedding_bag(torch.zeros(3, 2, 2, dtype=torch.long), torch.zeros(6, 5))",
    "torch.special.i0e(x)",
    "torch.special.zeta(x, y)",
    "torch.polygamma(1, x + 1)",
    "torch.igamma(x, y[..., :1])",
    "(x + 1).arccosh()",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W", "2,4,W,H//2+1"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("text", [
    "x.contiguous()",
    "x.transpose(2, 3).contiguous()",
    "x.to('cpu', x.dtype, True)",
    "x.to('cpu', x.dtype, False, True)",
    "F.dropout(x, 0.5, False)",
    "F.dropout(x, 0.5, True)",
    "F.feature_alpha_dropout(x, 0.5, False)",
    "torch.positive(x)",
    "torch.as_tensor(x)",
    "torch.as_tensor(x, dtype=torch.float64)",
    "torch.asarray(x, copy=True)",
    "x.float()",
    "x.flatten(1, 1)",
])  # fmt: skip
def test_what_gives_back_its_argument_gives_the_very_tensor(text: str) -> None:
    """Its shape, given in place, is then that of both."""
    for asked in (f"x if {text} is x else x[..., :1]", f"({text}.squeeze_(0), x)[1]"):
        claims = check(asked, ["1,4,H,W"], [{"H": h, "W": w} for h in (2, 3, 5) for w in (2, 4)])
        assert not claims.reasons, (asked, claims.reasons)


@pytest.mark.parametrize("made", [
    "2 ** y", "torch.pow(2, y)", "torch.float_power(2, y)", "2.5 ** y.int()", "y ** 2", "F.rrelu(y)",
    "torch.poisson(y)", "torch.normal(0.0, y)", "torch.normal(y, y)", "y.diff()", "y.diff(dim=1)", "y + 1",
])  # fmt: skip
def test_what_lies_in_order_whatever_it_was_made_of_can_be_viewed(made: str) -> None:
    """PyTorch's kernels for meta tensors keep the order of the axes here, those for the CPU do not."""
    claims = check(f"(lambda y: ({made}).view(-1))(x.transpose(1, 2))", ["2,H,W"], points(random.Random(made), 12))
    assert not claims.reasons, claims.reasons


def test_a_cast_into_another_memory_format_has_its_strides() -> None:
    for text in (
        "x.permute(0, 2, 3, 1).to(torch.float64, memory_format=torch.contiguous_format).view(-1)",
        "x.to(memory_format=torch.channels_last).to(memory_format=torch.contiguous_format).view(-1)",
        "x.to('cpu', torch.float64, False, True, memory_format=torch.channels_last).view(-1)",
    ):
        claims = check(text, ["2,4,H,W"], points(random.Random(text), 12))
        assert not claims.reasons, claims.reasons


class Asking(nn.Module):
    def __init__(self, asked: Callable[[torch.Tensor], bool]) -> None:
        super().__init__()
        self.asked = asked

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if self.asked(x) else x[..., :1]


def test_what_only_real_memory_tells_is_not_known() -> None:
    """No run on meta tensors knows their addresses, nor how often they were written to."""
    for asked in (
        lambda x: x.data_ptr() == 0,
        lambda x: x.add_(1)._version == 0,
        lambda x: x.untyped_storage().data_ptr() == 0,
        lambda x: x.is_set_to(x),
    ):
        (region,) = shapelint.check(Asking(asked), "1,2,H").contract.regions
        assert (region.how, region.why) == ("unknown", "where a tensor lies in memory, or how often it was written to")
    contract = shapelint.check(Asking(lambda x: x[:, 1].storage_offset() > 0), "1,2,H").contract
    assert {region.why for region in contract.regions} == {"the offset of a tensor in its memory"}
    assert contract.outcome(H=7).outputs == ((1, 2, 7),)


def test_memory_that_is_not_known_to_be_large_enough_is_not_proved() -> None:
    claims = check("x[:, :1].as_strided((x.shape[2], 4), (4, 1))", ["1,2,H"], points(random.Random(1), 6))
    assert "whether what `as_strided` asks for lies within the memory" in claims.reasons


@pytest.mark.parametrize("text", [
    "torch.lstm_cell(x, (y, y), torch.zeros(12, 5), torch.zeros(12, 3), None, None)",
    "torch.gru_cell(x, y, torch.zeros(9, 5), torch.zeros(9, 3))",
    "torch.rnn_relu_cell(x, y, torch.zeros(3, 5), torch.zeros(3, 3), torch.zeros(3), torch.zeros(3))",
])  # fmt: skip
@pytest.mark.parametrize("specs", [["H,W", "H,3"], ["W,5", "H,3"], ["H,5", "H,W//2"], ["H,5", "H,3"]])
def test_cells(text: str, specs: list[str]) -> None:
    claims = check(text, specs, points(random.Random(text), 8))
    assert not claims.reasons, claims.reasons
