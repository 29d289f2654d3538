"""Transforms and their inverses: where the size is lost, what to write, and that eager PyTorch then gives it back."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import pytest
import torch
from torch import nn

import shapelint
from tests.rules.test_built_for import edited

HEAD = "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
STFT = "torch.stft(x, 64, 16, window=torch.hann_window(64), return_complex=True)"
ISTFT = "torch.istft({}, 64, 16, window=torch.hann_window(64))"
ZEROS = """\
        y = torch.fft.rfft(x)
        z = torch.zeros_like(y)
        z[..., :9] = y[..., :9]
        return torch.fft.irfft(z)
"""
BODIES = {
    "irfft": ("        return torch.fft.irfft(torch.fft.rfft(x) * 2)\n", (1, 2, 33)),
    "irfft2": ("        y = torch.fft.rfft2(torch.relu(x))\n        return torch.fft.irfft2(y)\n", (1, 2, 8, 33)),
    "along an axis": ("        return torch.fft.irfft(torch.fft.rfft(x, dim=2), dim=2)\n", (1, 2, 33, 8)),
    "written into zeros": (ZEROS, (1, 2, 33)),
    "istft": (f"        return {ISTFT.format(STFT)}\n", (2, 1000)),
    "one name": (f"        x = {STFT}\n        x = x * 2\n        return {ISTFT.format('x')}\n", (2, 1000)),
}


@pytest.mark.parametrize("which", BODIES)
def test_the_size_that_is_told_comes_back_in_eager_pytorch(tmp_path: Path, which: str) -> None:
    body, shape = BODIES[which]
    path = tmp_path / "net.py"
    path.write_text(HEAD + body)
    assert tuple(run_path(str(path))["Net"]()(torch.ones(shape)).shape) != shape
    (found,) = shapelint.check(f"{path}:Net", shape, confirm=()).findings
    assert (found.code, found.severity) == ("SL107", "error")
    assert found.fix is not None
    assert found.fix.safety == "safe"
    path.write_text(edited(found, HEAD + body))
    net = run_path(str(path))["Net"]()
    for more in range(3):
        longer = (*shape[:-1], shape[-1] + more)
        assert tuple(net(torch.ones(longer)).shape) == longer


class Weighted(nn.Module):
    """A weight for each frequency of 64 samples fits 65 samples too."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(33))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft(torch.fft.rfft(x) * self.weight)


def test_a_weight_of_fixed_length_hides_no_lost_sample() -> None:
    assert Weighted()(torch.ones(1, 2, 65)).shape == (1, 2, 64)
    assert shapelint.check(Weighted, (1, 2, 64)).ok
    (found,) = shapelint.check(Weighted, (1, 2, 65)).findings
    assert (found.code, found.message) == ("SL107", "`irfft` gives back 64 where `rfft` took 65")


def test_a_tail_that_no_frame_holds_is_not_made_of_zeros(tmp_path: Path) -> None:
    body = ISTFT.format(STFT).replace("window=", "center=False, window=").replace("hann", "hamming")
    (tmp_path / "net.py").write_text(f"{HEAD}        return {body}\n")
    found = shapelint.check(f"{tmp_path / 'net.py'}:Net", (2, 1000), confirm=()).findings[0]
    assert found.message == "`istft` gives back 992 where `stft` took 1000"
    assert found.fix is not None
    assert (found.fix.safety, found.fix.edits) == ("advice", ())
    assert found.fix.title.startswith("pad the input to multiples of 16: ")


def test_with_symbols_alone_the_rest_that_comes_back_is_told(tmp_path: Path) -> None:
    body = "        return torch.istft(torch.stft(x, 33, 8, return_complex=True), 33, 8)\n"
    (tmp_path / "net.py").write_text(HEAD + body)
    found = next(each for each in shapelint.check(f"{tmp_path / 'net.py'}:Net", "2,T").findings if each.code == "SL107")
    assert (found.severity, found.message) == ("note", "`istft` has no `length=`: only sizes of 1 mod 8 come back")


def test_a_join_behind_an_inverse_is_mended_at_the_inverse(tmp_path: Path) -> None:
    body = "        y = torch.fft.irfft2(torch.fft.rfft2(x) * 2)\n        return (x + y).mean((2, 3))\n"
    (tmp_path / "net.py").write_text(HEAD + body)
    report = shapelint.check(f"{tmp_path / 'net.py'}:Net", (1, 3, 33, 33), confirm=())
    (found,) = report.findings
    assert found.message == "`irfft2` gives back 32 where `rfft2` took 33"
    assert found.fix is not None
    assert found.fix.title == "write `torch.fft.irfft2(torch.fft.rfft2(x) * 2, s=x.shape[-2:])`"
    assert any(note.endswith("at non-singleton dimension 3") for note in found.notes)


def test_a_convolution_by_padded_transforms_is_no_round_trip(tmp_path: Path) -> None:
    body = (
        "        n = x.shape[-1]\n"
        "        k = torch.fft.rfft(torch.ones(5), n=2 * n)\n"
        "        return torch.fft.irfft(torch.fft.rfft(x, n=2 * n) * k)[..., :n]\n"
    )
    (tmp_path / "net.py").write_text(HEAD + body)
    report = shapelint.check(f"{tmp_path / 'net.py'}:Net", (1, 2, 33), confirm=())
    assert report.ok
    assert report.findings == ()


def test_a_spectrogram_alone_is_not_meant_to_come_back(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HEAD + f"        return {STFT}.abs()\n")
    assert shapelint.check(f"{tmp_path / 'net.py'}:Net", (2, 1000), confirm=()).findings == ()
