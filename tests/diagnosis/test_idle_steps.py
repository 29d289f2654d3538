"""Autoencoders that go one way only, since the layers of the other way lack their strides: blamed there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import report

CODEC = """
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(*[nn.Conv1d({0}, 4, 2 * s, {1}, padding=s // 2) for s in (2, 4, 8)])
        self.mix = nn.Conv1d(4, 4, 7, padding=3)
        self.dec = nn.Sequential(*[nn.ConvTranspose1d(4, {0}, {2} * s, {3}, padding=s // 2) for s in (8, 4, 2)])
        self.enc[0], self.dec[2] = nn.Conv1d(1, 4, 4, {4}, 1), nn.ConvTranspose1d(4, {6}, {7}, {5}, 1)

    def forward(self, x):
        return self.dec(self.mix(self.enc(x)))
"""


def codec(down: str = "s", up: str = "s", *, kernel: int = 2, channels: int = 1) -> str:
    first, last = ("2" if each == "s" else "1" for each in (down, up))
    return CODEC.format(4, down, kernel, up, first, last, channels, 2 * kernel)


def test_a_decoder_without_strides_is_blamed(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, codec(up="1"), "2,1,1024").findings
    assert (finding.code, finding.module) == ("SL106", "dec.0")
    assert finding.message.endswith("where the input is 1024")
    assert "as many transposed layers as go down have stride 1" in finding.notes[-1]


def test_an_encoder_without_strides_is_blamed(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, codec(down="1"), "2,1,1024").findings
    assert finding.code == "SL106"
    assert finding.location is not None
    assert finding.location.content().startswith("nn.Conv1d(4, 4, 2 * s, 1")
    assert "layers with the kernels of those that go up have stride 1" in finding.notes[-1]


@pytest.mark.parametrize(
    "source",
    [
        codec(),
        codec(down="1", kernel=3),  # other kernels: a model that makes its input larger
        codec(up="1", channels=2),
    ],
)
def test_models_that_go_one_way_on_purpose_are_let_be(tmp_path: Path, source: str) -> None:
    assert not [each for each in report(tmp_path, source, "2,1,1024").findings if each.severity == "error"]
