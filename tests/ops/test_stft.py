"""Short-time Fourier transforms against eager PyTorch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import shapelint
from tests.calls import check
from tests.operations import Claims, agree, grid

_LENGTHS = [{"H": size, "W": 1 + size % 3} for size in (1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 23)]
_WINDOWS = ("None", "torch.hann_window({})", "torch.ones({})", "torch.hamming_window({}, dtype=torch.float64)",
            "torch.hann_window(5)", "torch.ones({}, dtype=torch.complex64)", "torch.ones(1, {})")  # fmt: skip


def _frames(draw: random.Random) -> str:
    length = draw.choice((1, 2, 3, 4, 5, 8, 8, 8, 0))
    span = draw.choice((length, length, length, length // 2, length + 1))
    window = draw.choice(_WINDOWS if draw.random() < 0.3 else _WINDOWS[:3]).format(span)
    spans = "" if span == length else f", win_length={span}"
    hop = draw.choice(("", ", hop_length=1", ", hop_length=2", ", hop_length=3", ", 4"))
    return f"{length}{hop}{spans}, window={window}"


def drawn_stft(seed: int) -> Claims:
    draw = random.Random(seed)
    options = [_frames(draw), draw.choice(("return_complex=True",) * 6 + ("return_complex=False", "normalized=True"))]
    options += [f"center={draw.choice((True, False))}"] if draw.random() < 0.5 else []
    mode = draw.choice(("constant", "replicate", "circular", "reflect", "edge"))
    options += [f"pad_mode='{mode}'"] if draw.random() < 0.5 else []
    options += [f"onesided={draw.choice((True, False))}"] if draw.random() < 0.3 else []
    signal = draw.choice(("x", "x", "x", "x[0]", "x[None]", "torch.complex(x, x)", "x[:, ::2]", "x.mT"))
    text = f"torch.stft({signal}, {', '.join(options)})" + draw.choice(("", ".abs().view(2, -1)", ".flatten(1)"))
    return check(text, [draw.choice(("2,H", "W,H", "2,H-1", "1,4*H", "W-1,H"))], _LENGTHS)


def drawn_istft(seed: int) -> Claims:
    """Of a spectrogram that was made with the same frames, or of any one."""
    draw = random.Random(seed)
    frames = _frames(draw)
    length = draw.choice(("", "", ", length=x.shape[-1]", ", length=9", ", length=x.shape[-1] + 2", ", length=0"))
    options = draw.choice(("", "", ", center=False", ", onesided=False", ", onesided=True", ", return_complex=True"))
    if draw.random() < 0.5:
        flags = draw.choice(("", ", onesided=False", ", center=False"))
        spectrogram = f"torch.stft(x, {frames}, return_complex=True{flags})"
        return check(f"torch.istft({spectrogram}, {frames}{length}{options})", ["W,H"], _LENGTHS)
    text = f"torch.istft(torch.complex(x, x), {frames}{length}{options}){draw.choice(('', '.view(1, -1)'))}"
    return check(text, [draw.choice(("2,5,H", "5,H", "2,H,3", "2,3,H-1", "W-1,5,H", "1,2,5,H", "8,H"))], _LENGTHS)


@pytest.mark.parametrize(("drawn", "runs"), [(drawn_stft, 4_000), (drawn_istft, 2_000)])
def test_drawn_arguments(drawn: Any, runs: int) -> None:
    claims = [drawn(seed) for seed in range(200)]
    assert sum(each.runs for each in claims) > runs
    assert sum(each.raises for each in claims) > runs
    reasons = {reason for each in claims for reason in each.reasons}
    assert all("empty" in reason or "window's values" in reason for reason in reasons), reasons


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int64", "complex64"])
def test_dtypes(dtype: str) -> None:
    for result in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        taken = torch.ones(1, 9, 2, dtype=result)
        agree(lambda x, taken=taken: torch.bmm(torch.stft(x, 16, return_complex=True).mT, taken), ["1,H"],
              grid(H=[4, 20]), [dtype])  # fmt: skip


class _SpectrogramNet(nn.Module):
    """A mask on the spectrogram, as in Spleeter and Open-Unmix, with the window in a buffer."""

    window: torch.Tensor

    def __init__(self, n_fft: int, hop: int, *, crop: bool) -> None:
        super().__init__()
        self.n_fft, self.hop, self.crop = n_fft, hop, crop
        self.register_buffer("window", torch.hann_window(n_fft))
        self.down = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(x, self.n_fft, self.hop, window=self.window, return_complex=True)
        mask = torch.sigmoid(self.up(functional.relu(self.down(spectrum.abs().unsqueeze(1)))))
        length = x.shape[-1] if self.crop else None
        masked = torch.polar(spectrum.abs() * mask.squeeze(1), spectrum.angle())
        return torch.istft(masked, self.n_fft, self.hop, window=self.window, length=length)


def test_a_spectrogram_network_is_proved() -> None:
    contract = shapelint.check(_SpectrogramNet(64, 16, crop=True), "2,L").contract
    assert contract.proved
    assert str(contract.runs) == "L 0 to 15 mod 32 from 33"
    assert contract.outcome(L=1000).outputs == ((2, 1000),)
    short = shapelint.check(_SpectrogramNet(64, 16, crop=False), "2,L").contract
    assert short.outcome(L=1000).outputs == ((2, 992),)


def test_a_window_of_unknown_values_is_not_proved_where_they_decide() -> None:
    class Inverse(nn.Module):
        window: torch.Tensor

        def __init__(self, center: bool) -> None:
            super().__init__()
            self.center = center
            self.register_buffer("window", torch.hann_window(128))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.istft(torch.complex(x, x), 128, window=self.window, center=self.center)

    assert shapelint.check(Inverse(True), "1,65,T").contract.proved
    report = shapelint.check(Inverse(False), "1,65,T")
    assert not report.contract.proved
    assert "the window's values" in report.contract.regions[0].why
