"""Attention, the layers built on it, and einsum against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from tests.calls import check, check_drawn, points
from tests.operations import Claims, agree, grid


def _draw_einsum(draw: random.Random) -> tuple[str, list[str]]:
    dims = ("1", "2", "3", "H", "W", "H", "H-1")
    terms, specs = [], []
    sizes = {letter: draw.choice(dims) for letter in "abcdZ"}
    for _ in range(draw.choice((1, 2, 2, 2, 3))):
        letters = [draw.choice("aabbccdZ") for _ in range(draw.choice((0, 1, 2, 2, 3)))]
        spec = [sizes[letter] if draw.random() < 0.9 else draw.choice(dims) for letter in letters]
        if draw.random() < 0.4:
            place, others = draw.randint(0, len(letters)), [draw.choice(("1", "H")) for _ in range(draw.randint(0, 2))]
            letters, spec = [*letters[:place], "...", *letters[place:]], [*spec[:place], *others, *spec[place:]]
        terms.append("".join(letters))
        specs.append(",".join(spec) or "1")
    used = sorted({letter for term in terms for letter in term if letter != "."})
    output = "".join(draw.sample(used, draw.randint(0, len(used)))) + draw.choice(("", "..."))
    arrow = draw.choice(("", "->" + output, "->" + output, " -> " + output, "->e"))
    return f"torch.einsum('{','.join(terms)}{arrow}', {', '.join('xyz'[: len(terms)])})", specs


def _draw_attention(draw: random.Random) -> tuple[str, list[str]]:
    heads, groups = draw.choice(((4, 4), (4, 2), (4, 1), (6, 4)))
    lead, other = draw.choice((("2,", "2,"), ("2,", "2,"), ("H,", "H,"), ("1,", "2,"), ("", ""), ("2,2,", "2,2,")))
    keys = draw.choice(("H", "W", "5"))
    specs = [f"{lead}{heads},{draw.choice(('H', 'W'))},4", f"{other}{groups},{keys},{draw.choice(('4', '4', 'W'))}",
             f"{other}{groups},{keys},{draw.choice(('4', '3'))}"]  # fmt: skip
    options = draw.choice(("", "", ", enable_gqa=True", ", enable_gqa=True", ", is_causal=True"))
    mask = draw.choice(("L, S", f"{heads}, L, S", "2, 1, L, 1", "5, 5", "L, 1", "1, S", "3, 1, 1, 1, 1", "S"))
    mask = mask.replace("L", "x.shape[-2]").replace("S", "y.shape[-2]")
    if draw.random() < 0.7:
        dtype = draw.choice(("", "", ", dtype=torch.bool", ", dtype=torch.int64"))
        options += f", attn_mask=torch.zeros({mask}{dtype})"
    query = draw.choice(("x", "x", "x.transpose(-2, -3).contiguous().transpose(-2, -3)"))
    after = draw.choice(("", "", ".transpose(-2, -3).view(1, -1)", ".view(1, -1)"))
    return f"F.scaled_dot_product_attention({query}, y, z{options}){after}", specs


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("draw", [_draw_einsum, _draw_attention])
def test_drawn_calls(seed: int, draw: Any) -> None:
    check_drawn(seed, draw)


@pytest.mark.parametrize("text", [
    "torch.einsum('bchw,bcij->bhwij', x, x)",
    "torch.einsum('b...,b...->b', x, x)",
    "torch.einsum('...ij,...kj->...ik', x, x)",
    "torch.einsum(x, [0, ..., 1], x, [0, ..., 1], [0, ...])",
    "torch.einsum('bcii->bci', x)",
    "torch.einsum('bchw->bcwh', x).reshape(2, -1)",
    "torch.einsum('bchw,bcHw', [x, x])",
    "torch.einsum('bc..hw', x)",
    "torch.einsum('bchw,bchw->bb', x, x)",
    "F.scaled_dot_product_attention(x, x, x, torch.ones(x.shape[2], x.shape[2]).tril().bool())",
    "F.scaled_dot_product_attention(x, x[:, :2], x[:, :2], is_causal=True, enable_gqa=True)",
    "F.scaled_dot_product_attention(x, x[:, :3], x[:, :3], enable_gqa=True)",
])  # fmt: skip
def test_known_calls(text: str) -> None:
    claims = check(text, ["2,4,H,W"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons


def _mask(draw: random.Random, heads: int) -> str:
    float_or_bool = draw.choice(("", ", dtype=torch.bool"))
    shape = draw.choice(("L, S", "L, S", "L, S", "5, 5", f"N * {heads}, L, S", "N, L, S", "L", f"{heads}, L, S"))
    return f"torch.zeros({shape}{float_or_bool})"


class _Calls(nn.Module):
    """A layer, and how it is called with x and y."""

    def __init__(self, layer: nn.Module, text: str) -> None:
        super().__init__()
        self.layer, self.call = layer, eval(f"lambda self, x, y: {text}", {"torch": torch, "nn": nn})

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        return self.call(self, x, y)


def drawn_module(seed: int) -> Claims:
    """`nn.MultiheadAttention` in evaluation without gradients, with its fast path where it has one, or in training."""
    draw = random.Random(seed)
    heads, first, batched = draw.choice((1, 2, 2, 4)), draw.random() < 0.6, draw.random() < 0.8
    train, crossed = draw.random() < 0.4, draw.random() < 0.4
    options: dict[str, Any] = {"batch_first": first, "bias": draw.random() < 0.8}
    options |= {name: True for name in ("add_bias_kv", "add_zero_attn") if draw.random() < 0.15}
    options |= {"kdim": 3, "vdim": 3} if crossed and draw.random() < 0.3 else {}
    call = [f"need_weights={draw.random() < 0.5}", f"average_attn_weights={draw.random() < 0.5}"]
    call += [f"attn_mask={_mask(draw, heads)}"] if draw.random() < 0.5 else []
    padding = draw.choice(("N, S", "N, S", "S", "N, 5")) if batched else draw.choice(("S", "S", "1, S"))
    call += [f"key_padding_mask=torch.zeros({padding}, dtype=torch.bool)"] if draw.random() < 0.4 else []
    call += ["is_causal=True"] if draw.random() < 0.15 else []
    width = options.get("kdim", 4)
    sizes = [draw.choice(("2", "W")), draw.choice(("H", "5"))]
    keys = [draw.choice((sizes[0], sizes[0], "2")), draw.choice(("H", "W", "5"))]
    shapes = [",".join([*((group if first else group[::-1]) if batched else group[1:]), str(size)])
              for group, size in ((sizes, draw.choice((4, 4, 4, 3))), (keys, width))]  # fmt: skip
    batch, length = (0, 1) if first else (1, 0)
    names = f"N={f'x.shape[{batch}]' if batched else 1}, L=x.shape[{length if batched else 0}]"
    names += f", S=y.shape[{length if batched else 0}]"
    given, names = ("y, y", names) if crossed else ("x, x", names.replace("y.", "x."))
    text = f"(lambda N, L, S: self.layer(x, {given}, {', '.join(call)}))({names})"
    after = draw.choice(("", "[0].view(2, -1)", "[0].flatten(0, 1)"))
    calls = _Calls(nn.MultiheadAttention(4, heads, **options), text + after)
    try:
        return agree(calls, shapes, grid(H=(1, 2, 5), W=(1, 2, 3)), train=train)
    except AssertionError as error:
        raise AssertionError(f"{options}, heads={heads}, {train=}: {text}{after} of {shapes}: {error}") from None


def test_drawn_modules() -> None:
    claims = [drawn_module(seed) for seed in range(150)]
    assert sum(each.runs for each in claims) > 1_000
    assert sum(each.raises for each in claims) > 1_000


def _encoder(**options: Any) -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, **options), 2)


_SQUARE = "nn.Transformer.generate_square_subsequent_mask"


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize(("make", "text", "specs"), [
    (lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), "x, torch.zeros(5, 5)", ["2,H,4", "1"]),
    (lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), "x, torch.zeros(5, 5) > 1", ["W,H,4", "1"]),
    (lambda: nn.TransformerEncoderLayer(4, 2, 8, norm_first=True), "x", ["H,2,W", "1"]),
    (lambda: _encoder(batch_first=True), "x", ["H,4", "1"]),
    (lambda: _encoder(batch_first=True), "x, src_key_padding_mask=torch.zeros(2, x.shape[1]) > 0", ["2,H,4", "1"]),
    (lambda: _encoder(batch_first=True), "x, src_key_padding_mask=torch.zeros(2, 5) > 0", ["2,H,4", "1"]),
    (lambda: _encoder(), f"x, {_SQUARE}(x.shape[0])", ["H,2,4", "1"]),
    (lambda: _encoder(), f"x, {_SQUARE}(5), is_causal=True", ["H,2,4", "1"]),
    (lambda: nn.TransformerDecoderLayer(4, 2, 8, batch_first=True), "x, y", ["2,H,4", "W,H,4"]),
    (lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 1), f"x, y, {_SQUARE}(x.shape[0])",
     ["H,2,4", "W,2,4"]),
    (lambda: nn.Transformer(4, 2, 1, 1, 8), "x, y, memory_mask=torch.zeros(y.shape[0], x.shape[0])",
     ["H,2,4", "W,2,4"]),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_transformer_layers(make: Any, text: str, specs: list[str], train: bool) -> None:
    calls = _Calls(make(), f"self.layer({text}).reshape(2, -1)")
    claims = agree(calls, specs, grid(H=(1, 2, 5), W=(1, 2, 4)), train=train)
    assert not claims.reasons
    assert claims.silent <= 36


class _TokenAttention(nn.Module):
    """Attention over all pixels, as in the middle of a diffusion U-Net, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.down(x)
        batch, channels, height, width = inner.shape
        tokens = inner.view(batch, channels, height * width).transpose(1, 2)
        tokens = tokens + self.mix(tokens, tokens, tokens, need_weights=False)[0]
        again: torch.Tensor = self.up(tokens.transpose(1, 2).reshape(batch, channels, height, width))
        return again + x


class _WindowAttention(nn.Module):
    """Windows of a padded image attend within themselves, as in Swin, and are put together again."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.project = size, nn.Linear(8, 24)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size, (batch, channels, height, width) = self.size, x.shape
        padded = nn.functional.pad(x, (0, -width % size, 0, -height % size))
        rows, columns = padded.shape[2] // size, padded.shape[3] // size
        windows = padded.unfold(2, size, size).unfold(3, size, size).permute(0, 2, 3, 4, 5, 1)
        tokens = windows.reshape(-1, size * size, channels)
        query, key, value = self.project(tokens).view(-1, size * size, 3, 2, 4).permute(2, 0, 3, 1, 4)
        tokens = nn.functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        image = tokens.view(batch, rows, columns, size, size, channels).permute(0, 5, 1, 3, 2, 4)
        return image.reshape(batch, channels, rows * size, columns * size)[..., :height, :width] + x


def test_attention_over_pixels_is_proved() -> None:
    contract = shapelint.check(_TokenAttention(), "B,8,H,W").contract
    assert contract.proved
    assert str(contract.runs) == "any B, H and W even, or 1"
    contract = shapelint.check(_WindowAttention(7), "2,8,H,W").contract
    assert contract.proved
    assert contract.outcome(H=15, W=7).outputs == ((2, 8, 15, 7),)
