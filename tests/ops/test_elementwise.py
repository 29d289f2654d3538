"""Element-wise functions against eager PyTorch."""

from __future__ import annotations

import random

import pytest
import torch

import shapelint
from tests.calls import check, check_drawn, points

_DIMS = ("1", "1", "2", "3", "H", "W", "H", "W", "H//2", "2*W", "H+1")
_BINARY = (
    "x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y", "x == y", "x != y", "x < y", "x >= y",
    "torch.add(x, y, alpha=2)", "x.add(y)", "torch.maximum(x, y)", "torch.min(x, y)", "torch.atan2(x, y)",
    "torch.fmod(x, y)", "torch.remainder(x, y)", "torch.pow(x, y)", "torch.logical_and(x, y)", "(x > 0) & (y > 0)",
    "(x > 0) | (y > 0)", "x.add_(y)", "x.mul_(y)", "x.sub_(y)", "x.div_(y)", "x.__iadd__(y)", "x.__imul__(y)",
    "torch.where(x > 0, y, z)", "torch.where(x > 0, y, 0.0)", "x.where(y > 0, z)", "torch.lerp(x, y, 0.5)",
    "torch.lerp(x, y, z)", "torch.addcmul(x, y, z)", "x.addcmul_(y, z)", "torch.addcdiv(x, y, z, value=2)",
    "torch.clamp(x, min=y)", "torch.clamp(x, y, z)", "x.clamp_(y)", "x.masked_fill(y > 0, 0.0)",
    "x.masked_fill_(y > 0, 1)", "x.copy_(y)", "torch.broadcast_tensors(x, y)", "F.cosine_similarity(x, y, dim=-1)",
    "torch.logaddexp(x, y)", "torch.isclose(x, y)", "torch.hypot(x, y)", "x.float_power(y)", "torch.floor_divide(x, y)",
)  # fmt: skip
_UNARY = (
    "-x", "abs(x)", "~(x > 0)", "1 - x", "2 / x", "2 ** x", "x ** 2", "2 % x", "5 // x", "x > 1", "1 <= x", "x.exp()",
    "torch.sqrt(x)", "x.sigmoid_()", "F.relu(x, True)", "F.relu(x)", "F.gelu(x)", "F.silu(x, inplace=True)",
    "F.leaky_relu(x, 0.1, True)", "F.elu(x)", "F.hardtanh(x, 0.0, 6.0)", "F.softplus(x)", "F.mish(x)", "F.hardswish(x)",
    "F.relu6(x)", "F.logsigmoid(x)", "F.threshold(x, 0.0, 1.0)", "F.dropout(x)", "F.dropout(x, 0.3, False)",
    "F.dropout(x, 1.5)", "F.alpha_dropout(x, 0.2, True)", "F.softmax(x, 1)", "x.softmax(-1)", "F.softmax(x, 7)",
    "F.log_softmax(x, dim=-1)", "F.softmin(x, 0)", "torch.cumsum(x, 1)", "x.cumsum(4)", "x.cumprod(dim=-1)",
    "F.normalize(x, dim=-1)", "F.normalize(x, dim=3)", "F.glu(x, -1)", "F.glu(x, 0)", "F.glu(x, 1)", "x.clone()",
    "x.contiguous()", "x.to(torch.float64)", "x.half()", "x.type_as(x.double())", "x.to(x)", "x.detach()", "x.data",
    "torch.zeros_like(x)", "torch.randn_like(x)", "torch.ones_like(x, dtype=torch.bool)", "torch.nan_to_num(x)",
    "x.clamp(0, 1)", "x.clamp(min=0.0)", "x.float()", "x.zero_()", "x.fill_(1.0)", "x.isnan()", "torch.sign(x)",
    "x.tril()", "x.round().long()", "F.prelu(x, torch.ones(1))", "F.prelu(x, torch.ones(3))", "x.to('cpu')",
    "x.bernoulli_(0.5)", "F.gumbel_softmax(x, dim=-1)", "x.square().rsqrt_()", "torch.nn.GELU()(x)", "x.cos().add(1)",
)  # fmt: skip


def _shape(drawn: random.Random) -> str:
    return ",".join(drawn.choice(_DIMS) for _ in range(drawn.choice((1, 2, 3, 4))))


def _other(drawn: random.Random, shape: str) -> str:
    """A shape that often broadcasts with the given one."""
    dims = [each if drawn.random() < 0.75 else drawn.choice(("1", *_DIMS)) for each in shape.split(",")]
    return ",".join(dims[drawn.randrange(len(dims)) if drawn.random() < 0.2 else 0 :])


def _draw_binary(drawn: random.Random) -> tuple[str, list[str]]:
    shape = _shape(drawn)
    return drawn.choice(_BINARY), [shape, _other(drawn, shape), _other(drawn, shape)]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_binary_functions(seed: int) -> None:
    check_drawn(seed, _draw_binary)


@pytest.mark.parametrize("text", _UNARY)
def test_unary_functions(text: str) -> None:
    drawn = random.Random(text)
    for spec in (_shape(drawn), "2,3,H,W", "H", "2,W,H//2+1"):
        claims = check(text, [spec], points(drawn))
        assert not claims.reasons, (text, spec, claims.reasons)


@pytest.mark.parametrize("text", [text for text in _BINARY if "float_power" not in text])
def test_binary_functions_need_no_fallback(text: str) -> None:
    drawn = random.Random(text)
    claims = check(text, ["2,3,H,W", "2,1,H,W", "H,1"], points(drawn))
    assert not claims.reasons, claims.reasons


def test_an_operand_of_size_one_broadcasts_on_a_path_of_its_own() -> None:
    claims = check("x + y", ["1,2,H", "1,2,W"], points(random.Random(3), 20))
    assert claims.runs
    assert claims.raises
    assert not claims.reasons


def test_data_dependent_sizes_are_not_analysed() -> None:
    claims = check("torch.where(x > 0)", ["2,H"], [])
    assert not claims.runs


def test_a_region_may_end_at_a_call_that_gives_no_tensor() -> None:
    class Compared(torch.nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> bool:
            return torch.allclose(x, y, rtol=0.1)

    contract = shapelint.check(Compared(), ["5", "A"]).contract
    assert contract.proved
    assert [contract.outcome(A=size).ok for size in (1, 4, 5, 6)] == [True, False, True, False]
