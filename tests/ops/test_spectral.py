"""Fourier transforms against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from tests.calls import check, points
from tests.operations import Claims, agree, grid, small_grid

_NAMES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")


def _size(draw: random.Random) -> str:
    return draw.choice(("1", "2", "4", "7", "x.shape[-1]", "x.shape[0] - 1", "2 * x.shape[-1]", "0", "-1"))


def _arguments(draw: random.Random, form: str) -> str:
    if form == "":
        size, axis = _size(draw), draw.randint(-3, 3)
        return draw.choice(("", f", n={size}", f", dim={axis}", f", {size}, {axis}"))
    count = 2 if form == "2" else draw.randint(0, 3)
    sizes = f"({''.join(_size(draw) + ', ' for _ in range(count))})"
    axes = f"({''.join(str(draw.randint(-3, 2)) + ', ' for _ in range(count))})"
    both = f", {sizes}, {axes}"
    return draw.choice(("", f", s={sizes}", f", dim={axes}", both, both, ", dim=(0, 1)", ", dim=(-1,)", ", dim=(2, 1)"))


def drawn_transform(seed: int) -> Claims:
    draw = random.Random(seed)
    form = draw.choice(("", "", "2", "n"))
    norm = draw.choice((", norm='ortho'", ", norm='max'")) if draw.random() < 0.1 else ""
    text = f"torch.fft.{draw.choice(_NAMES)}{form}({{}}{_arguments(draw, form)}{norm})"
    text = text.format(draw.choice(("x", "x", "x", "x.transpose(0, -1)", "torch.complex(x, x)")))
    text += draw.choice(("", "", ".abs().view(2, -1)", ".flatten(0, 1).abs().view(-1, 2)"))
    spec = draw.choice(("2,H,W", "H,3,W", "3,H,2", "H,W", "H-1,W", "2,H-1,W-1"))
    return check(text, [spec], small_grid(draw, 2))


def test_drawn_transforms() -> None:
    claims = [drawn_transform(seed) for seed in range(250)]
    assert sum(each.runs for each in claims) > 10_000
    assert sum(each.raises for each in claims) > 10_000
    reasons = {reason for each in claims for reason in each.reasons}
    assert all("empty" in reason for reason in reasons), reasons


@pytest.mark.parametrize("text", [
    "torch.fft.fftshift(x)",
    "torch.fft.fftshift(x, 1).view(6, -1)",
    "torch.fft.ifftshift(x.mT, (0, 2)).view(6, -1)",
    "torch.fft.fftshift(x, 3)",
    "torch.fft.fftshift(x, ())",
    "torch.fft.fftshift(x[0, 0, 0])",
    "torch.fft.fftfreq(x.shape[-1])",
    "torch.fft.rfftfreq(x.shape[-1], 0.5)",
    "torch.fft.fftfreq(x.shape[-1] - 3)",
    "torch.fft.fftfreq(x.shape[-1], dtype=torch.int64)",
    "torch.fft.irfft(torch.fft.rfft(x), n=x.shape[-1]) + x",
    "torch.fft.irfft(torch.fft.rfft(x)) + x",
    "torch.fft.irfft2(torch.fft.rfft2(x), s=x.shape[-2:]) + x",
    "torch.fft.irfftn(torch.fft.rfftn(x, dim=(1, 2)), dim=(1, 2)) + x",
    "torch.fft.ihfft2(x).abs().view(2, -1)",
    "torch.fft.fft(x, dim=1).real.view(2, -1)",
    "torch.fft.fft(x[:, :, ::2]).abs().view(6, -1)",
    "torch.fft.fft2(x.transpose(0, 2)).abs().view(-1, 6)",
    "torch.fft.fftn(x[0, 0, 0])",
    "torch.fft.rfftn(x[0, 0, 0])",
    "torch.fft.fft(x[0, 0, 0])",
])  # fmt: skip
def test_known_transforms(text: str) -> None:
    claims = check(text, ["2,3,H"], points(random.Random(text), 16))
    assert not claims.reasons, claims.reasons


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16", "int64", "bool", "complex64", "complex128"])
@pytest.mark.parametrize("name", _NAMES)
def test_dtypes(name: str, dtype: str) -> None:
    """The dtype is checked where the next call refuses another one."""
    transform: Any = getattr(torch.fft, name)
    for other in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        agree(lambda x, other=other: torch.bmm(transform(x), torch.ones(1, 4, 2, dtype=other)), ["1,3,H"],
              grid(H=[3, 4, 6]), [dtype])  # fmt: skip


class _FourierUnit(nn.Module):
    """The spectral block of fast Fourier convolutions (Chi et al. 2020) and of LaMa."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 1), nn.BatchNorm2d(2 * channels), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, _, *sizes = x.shape
        spectrum = torch.fft.rfftn(x, dim=(-2, -1), norm="ortho")
        parts = torch.stack((spectrum.real, spectrum.imag), dim=-1).permute(0, 1, 4, 2, 3).contiguous()
        parts = self.mix(parts.view(batch, -1, *parts.size()[3:]))
        parts = parts.view(batch, -1, 2, *parts.size()[2:]).permute(0, 1, 3, 4, 2).contiguous()
        spectrum = torch.complex(parts[..., 0], parts[..., 1])
        result: torch.Tensor = torch.fft.irfftn(spectrum, s=sizes, dim=(-2, -1), norm="ortho")
        return result


class _SpectralConv(nn.Module):
    """The layer of Fourier neural operators (Li et al. 2020): weights for the lowest modes only."""

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        self.weight = nn.Parameter(torch.rand(channels, channels, modes, modes, dtype=torch.cfloat))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spectrum, modes = torch.fft.rfft2(x), self.modes
        out = torch.zeros(*x.shape[:2], x.size(-2), x.size(-1) // 2 + 1, dtype=torch.cfloat)
        low = spectrum[:, :, :modes, :modes]
        out[:, :, :modes, :modes] = torch.einsum("bixy,ioxy->boxy", low, self.weight)
        result: torch.Tensor = torch.fft.irfft2(out, s=(x.size(-2), x.size(-1)))
        return result


def test_fourier_blocks_are_proved() -> None:
    contract = shapelint.check(_FourierUnit(4), "1,4,H,W").contract
    assert contract.proved
    assert contract.outcome(H=9, W=14).outputs == ((1, 4, 9, 14),)
    contract = shapelint.check(_SpectralConv(2, 5), "1,2,H,W").contract
    assert contract.proved
    assert str(contract.runs) == "H at least 5, W at least 8"
