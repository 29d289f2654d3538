"""Matrix products, attention and embeddings against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from shapelint.request.inputs import Inputs
from shapelint.request.spec import parse_tensor
from shapelint.trace.meta_state import MetaState
from shapelint.trace.run import Subject, run_once
from tests.calls import check, check_drawn, points

_DIMS = ("1", "2", "3", "H", "W", "H", "2*W")


def _matrix(drawn: random.Random, rank: int) -> list[str]:
    return [drawn.choice(_DIMS) for _ in range(rank)]


def _draw(drawn: random.Random) -> tuple[str, list[str]]:
    one = _matrix(drawn, drawn.choice((1, 2, 2, 3, 4)))
    two = _matrix(drawn, drawn.choice((1, 2, 2, 3, 4)))
    if len(one) > 1 and len(two) > 1 and drawn.random() < 0.8:
        two[-2] = one[-1]
        two[:-2] = one[-len(two) : -2] if len(one) >= len(two) and drawn.random() < 0.7 else two[:-2]
    elif drawn.random() < 0.7:
        two[0] = one[-1]
    text = drawn.choice((
        "x @ y", "torch.matmul(x, y)", "torch.mm(x, y)", "torch.bmm(x, y)", "x.bmm(y)", "x @ x.mT", "torch.mv(x, y)",
        "torch.dot(x, y)", "torch.outer(x, y)", "torch.addmm(z, x, y)", "torch.baddbmm(z, x, y)", "F.linear(x, y)",
        "z.baddbmm(batch1=x, batch2=y, beta=0.5)",
        "F.linear(x, y, z)", "torch.einsum('ij,jk->ik', x, y)", "torch.einsum('bij,bjk->bik', x, y)",
        "torch.einsum('ij,ij->', x, y)", "torch.einsum('ij,kj', x, y)", "torch.einsum('bhij,bhjk->bhik', x, y)",
    ))  # fmt: skip
    return text, [",".join(one), ",".join(two), ",".join(_matrix(drawn, drawn.choice((1, 2))))]


def _draw_attention(drawn: random.Random) -> tuple[str, list[str]]:
    lead, embed = drawn.choice(("", "2,", "2,3,", "2,3,")), drawn.choice(("4", "H"))
    keys, values = drawn.choice(("H", "W", "5")), drawn.choice(("4", "W"))
    query = f"{lead}{drawn.choice(('H', 'W', '5'))},{embed}"
    given = f"{lead}{keys},{drawn.choice((embed, embed, '4'))}"
    held = f"{drawn.choice((lead, lead, '2,1,'))}{drawn.choice((keys, keys, 'W'))},{values}"
    options = drawn.choice(("", ", is_causal=True", ", attn_mask=torch.zeros(x.shape[-2], y.shape[-2])",
                            ", attn_mask=torch.zeros(1, 5)"))  # fmt: skip
    return f"F.scaled_dot_product_attention(x, y, z{options})", [query, given, held]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_products(seed: int) -> None:
    check_drawn(seed, _draw)


@pytest.mark.parametrize("seed", range(10))
def test_drawn_attention(seed: int) -> None:
    check_drawn(seed, _draw_attention)


@pytest.mark.parametrize("text", [
    "F.linear(x.flatten(1), torch.zeros(5, 48))",
    "F.linear(x, torch.zeros(5, 3), torch.zeros(5))",
    "F.linear(x, torch.zeros(5, 3), torch.zeros(4))",
    "F.linear(x.permute(0, 2, 3, 1), torch.zeros(5, 4)).view(2, -1)",
    "F.scaled_dot_product_attention(*[x.transpose(1, 2)] * 3).transpose(1, 2).view(2, 4, -1)",
    "F.scaled_dot_product_attention(x, x, x).transpose(1, 2).view(2, -1)",
    "(x @ x.mT).softmax(-1) @ x",
    "F.embedding(torch.arange(x.shape[2]), torch.zeros(7, 3))",
    "torch.bilinear(x, x, torch.zeros(5, 3, 3), None)",
])  # fmt: skip
def test_known_products(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 20))
    assert not claims.reasons, claims.reasons


class _Wrapped(torch.nn.Module):
    def __init__(self, layer: torch.nn.Module, *, attention: bool = False) -> None:
        super().__init__()
        self.layer, self.attention = layer, attention

    def forward(self, x: torch.Tensor) -> Any:
        x = x.flatten(2).transpose(1, 2)
        return self.layer(x, x, x) if self.attention else self.layer(x)


@pytest.mark.parametrize("make", [
    lambda: _Wrapped(torch.nn.LSTM(4, 5, batch_first=True, bidirectional=True)),
    lambda: _Wrapped(torch.nn.LSTM(4, 5, 2)),
    lambda: _Wrapped(torch.nn.LSTM(3, 5)),
    lambda: _Wrapped(torch.nn.GRU(4, 6, batch_first=True)),
    lambda: _Wrapped(torch.nn.RNN(4, 6)),
    lambda: _Wrapped(torch.nn.MultiheadAttention(4, 2, batch_first=True), attention=True),
    lambda: _Wrapped(torch.nn.MultiheadAttention(6, 2, batch_first=True), attention=True),
    lambda: _Wrapped(torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)),
])  # fmt: skip
def test_layers_with_their_own_weights(make: Any) -> None:
    """One symbolic run at one size predicts all others."""
    eager, model = make(), make().to("meta")
    spec = parse_tensor("2,4,H,W")
    subject = Subject(model, model, Inputs((spec,)), ("H", "W"), {id(model): ""}, MetaState(model, train=True))
    run = run_once(subject, {"H": 6, "W": 5}, symbolic=True)
    assert not run.leaks
    for height, width in ((1, 1), (2, 3), (4, 7)):
        sizes = {"H": height, "W": width}
        try:
            with torch.no_grad():
                outputs = _flat(eager(torch.ones(2, 4, height, width)))
        except (RuntimeError, AssertionError):
            assert run.failure is not None
            continue
        assert [tuple(each.shape) for each in outputs] == [_at(shape, sizes) for shape in run.outputs]


def _flat(value: Any) -> list[torch.Tensor]:
    return [value] if isinstance(value, torch.Tensor) else [each for part in value for each in _flat(part)]


def _at(shape: Any, sizes: dict[str, int]) -> tuple[int, ...]:
    return tuple(dim._function.value(sizes) if hasattr(dim, "_function") else int(dim) for dim in shape)
