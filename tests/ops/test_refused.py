"""Calls that eager PyTorch refuses at every size, for a dtype or a setting, or that it takes though they look odd."""

from __future__ import annotations

import random

import pytest
import torch

from shapelint.trace.fitting import blame, fallback
from tests.calls import check, points
from tests.operations import Contradiction

REFUSED = [
    "F.glu(x.long(), 1)", "torch.msort(x.to(torch.complex64))", "torch.mm(x[0, 0] > 0, y[0, 0] > 0)",
    "F.linear(x > 0, torch.ones(3, x.shape[3], dtype=torch.bool))", "torch.histc(x.long(), 4)",
    "torch.renorm(x.long(), 1, 0, 5)", "torch.quantile(x.long(), 0.5, -1)", "torch.topk(x > 0, 1)",
    "x.clone().float_power_(2)", "x.mean(dtype=torch.int64)",
    "torch.add(x, 1, out=torch.empty(0, dtype=torch.long))", "torch.isin(x, x, out=torch.empty(0))",
    "torch.softmax(x, 1, dtype=torch.float64, out=torch.empty(0))", "torch.multinomial(x[0, 0].long(), 1)",
    "F.softshrink(x, -1.0)", "F.hardtanh(x, 2.0, 1.0)", "F.rrelu(x, 0.3, 0.1)", "torch.isclose(x, x, rtol=-0.5)",
    "x.clone().uniform_(3, 1)", "x.clone().exponential_(0.0)", "x.clone().normal_(0, -1)", "x.clone().geometric_(2.0)",
    "F.gelu(x, approximate='none or so')", "x.roll(())", "F.batch_norm(x, None, None, training=True, eps=0.0)",
    "F.embedding(x.long(), torch.zeros(3, 4), padding_idx=3)", "x.long().masked_fill(x > 0, 1j)",
    "F.conv2d(x, x.new_zeros(0, 2, 1, 1))", "F.conv2d(x, x.new_zeros(0, 1, 1, 1), groups=2)",
    "x.half().masked_fill(x > 0, -1e9)", "torch.amax(x[(None,) * 61], 0)",
]  # fmt: skip

TAKEN = [
    "F.glu(x.double(), 1)", "torch.isin(x, x, out=torch.empty(0, dtype=torch.bool))", "torch.argmax(x.long(), 1)",
    "torch.nansum(x > 0, -1)", "torch.linalg.matrix_power(x[..., :1, :1].long(), 0)", "F.hardtanh(x, 1.0, 2.0)",
    "torch.normal(x.to(torch.complex64), 1.1)", "x.half().masked_fill(x > 0, -1e4)", "torch.linalg.inv_ex(x)",
    "F.embedding(torch.zeros(3, dtype=torch.long), x[0, 0], padding_idx=-1)", "x.clone().uniform_(0, x.shape[2])",
    "torch.lu(x)[0]",
    "torch.quantile(x.sum(), 0.5, dim=0)", "torch.nanquantile(x.sum(), 0.5, dim=0)", "torch.mode(x.sum())[1]",
    "x.sum().gather(0, torch.zeros(3, dtype=torch.long))", "x.gather(0, torch.zeros(2, 0, dtype=torch.long))",
    "x.clone().as_strided_((1,), (1,))", "F.prelu(x, x[0, :, 0, 0])", "F.prelu(x, x[0, 0, 0])",
    "torch.linalg.lu_factor_ex(x)", "torch.linalg.lu(x)",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_eager_refuses_at_every_size_is_refused(text: str) -> None:
    claims = check(text, ["2,2,H,W", "2,2,W,H"], points(random.Random(text), 6))
    assert claims.raises
    assert not claims.runs
    assert not claims.reasons


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", TAKEN)
def test_what_eager_takes_is_taken(text: str) -> None:
    claims = check(text, ["2,2,H,W", "2,2,W,H"], [{"H": 3, "W": 3}, *points(random.Random(text), 6)])
    assert claims.runs
    assert not claims.reasons


@pytest.mark.parametrize(("text", "specs"), [
    ("torch.tensor_split(x, y.long())", ["H,8", "2"]),
    ("torch.repeat_interleave(x, y.long(), dim=1).transpose(1, 2)", ["1,H,8", "H"]),
    ("torch.lu_unpack(x, y.int())", ["H,H", "H"]),
    ("F.ctc_loss(x, y.long(), z.long(), z.long())", ["H,2,5", "8", "2"]),
])  # fmt: skip
def test_what_numbers_decide_is_left_open(text: str, specs: list[str]) -> None:
    sizes = points(random.Random(text), 3)
    claims = check(text, specs, sizes, open_ended=True)
    assert (claims.runs, claims.raises) == (0, 0)
    assert claims.reasons


def test_an_attention_with_open_biases_is_followed() -> None:
    text = (
        "F.multi_head_attention_forward(x, x, x, 4, 2, torch.ones(12, 4), y, None, None, False, 0.0, torch.ones(4, 4),"
        " None)[0]"
    )
    claims = check(text, ["H,1,4", "W"], [{"H": h, "W": w} for h in (1, 2, 5) for w in (1, 4, 11, 12, 13)])
    assert claims.runs
    assert claims.raises
    assert not claims.reasons


def test_dtypes_are_to_blame_only_where_others_run() -> None:
    """A rule that forgets dtypes is wrong without the question; sizes that do not fit blame no dtype."""
    assert "not implemented for 'Long'" in str(_blamed(torch.nn.functional.glu, torch.ones(2, 4, dtype=torch.long)))
    assert _blamed(torch.nn.functional.glu, torch.ones(2, 4, dtype=torch.float64)) == ""
    assert _blamed(torch.pixel_shuffle, torch.ones(1, 3, 4, 4, dtype=torch.long), 2) is None


def _blamed(function: object, *args: object) -> str | None:
    return blame._asked(function, args, {}, 2)  # type: ignore[arg-type]


def test_without_the_question_the_rules_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "check_kinds", lambda *_: None)
    with pytest.raises(Contradiction, match="PyTorch an error") as found:
        check("F.glu(x.long(), 1)", ["1,2,H,W"], [{"H": 2, "W": 3}])
    assert found.value.kind == "error called ok"
