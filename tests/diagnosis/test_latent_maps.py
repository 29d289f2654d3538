"""A picture that is made of a latent vector by as many steps as one was taken down by: the view between is blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import report

VAE = """
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d({}, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 4, 2, 1), nn.ReLU())
        self.mu, self.fc = nn.Linear(8 * {} * {}, 20), nn.Linear(20, 8 * {} * {})
        self.dec = nn.Sequential(nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1))

    def forward(self, x):
        return self.dec(self.fc(self.mu(self.enc(x).flatten(1))).view(-1, 8, {}, {}))
"""

FORECAST = """
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv1d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv1d(8, 8, 4, 2, 1), nn.ReLU())
        self.fc = nn.Linear(8 * 8, 8 * 7)
        self.dec = nn.Sequential(nn.ConvTranspose1d(8, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(8, 3, 4, 2, 1))

    def forward(self, x):
        return self.dec(self.fc(self.enc(x).flatten(1)).view(-1, 8, 7))
"""


@pytest.mark.parametrize("side", [7, 9])
def test_the_view_that_makes_the_latent_map_is_blamed(tmp_path: Path, side: int) -> None:
    (finding,) = report(tmp_path, VAE.format(1, 8, 8, *[side] * 4), "4,1,32,32").findings
    assert (finding.code, finding.message) == ("SL106", f"the output is {4 * side}x{4 * side} where the input is 32x32")
    assert finding.notes[0] == f"`view` gives {side}x{side}, and nothing after it makes up for that"
    assert finding.location is not None
    assert finding.location.content().endswith(f".view(-1, 8, {side}, {side})")
    assert finding.fix is not None
    assert finding.fix.title == "let `view` make 8x8 of 8x8x8 = 512 features"


@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        (VAE.format(1, 8, 8, 8, 8, 8, 8), "4,1,32,32"),
        (VAE.format(3, 8, 8, 7, 7, 7, 7), "4,3,32,32"),  # numbers of houses to handwritten ones
        (VAE.format(1, 8, 8, 4, 4, 4, 4), "4,1,32,32"),  # half the size
        (FORECAST, "4,3,32"),  # 28 steps of the future
    ],
)
def test_another_size_than_the_inputs_may_be_meant(tmp_path: Path, source: str, inputs: str) -> None:
    assert not report(tmp_path, source, inputs).findings
