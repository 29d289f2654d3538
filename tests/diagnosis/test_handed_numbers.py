"""Layers that a helper builds with what it is handed: what is offered leaves the numbers of its calls alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.facts.finding import Safety
from tests.diagnosis.test_at_fault import fixed, report

FACES = """
    def __init__(self):
        super().__init__()
        def step(i, o, stride):
            return nn.Sequential(nn.Conv2d(i, i, 3, stride, 1, groups=i), nn.ReLU(), nn.Conv2d(i, o, 1, 1, {}))
        self.low = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), step(8, 8, 1), step(8, 8, 2), step(8, 8, 2))
        self.middle, self.high = nn.Sequential(step(8, 8, 2), step(8, 8, 1)), step(8, 8, 2)
        self.merge = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
        self.box = nn.ModuleList(nn.Conv2d(8, 4, 1) for _ in range(3))

    def forward(self, x):
        low = self.low(x)
        middle = self.middle(low)
        high = self.high(middle)
        middle = self.merge[0](middle + F.interpolate(high, size=middle.shape[2:]))
        low = self.merge[1](low + F.interpolate(middle, size=low.shape[2:]))
        rows = [box(y).permute(0, 2, 3, 1).reshape(len(x), -1, 4) for box, y in zip(self.box, (low, middle, high))]
        return torch.cat(rows, dim={})
"""

BLOCKS = """
    def __init__(self):
        super().__init__()
        class Block(nn.Module):
            def __init__(self, i, o, stride=1):
                super().__init__()
                self.one, self.two = nn.Conv2d(i, o, 3{}, padding=1), nn.Conv2d(o, o, 3, padding=1)
                self.down = nn.Conv2d(i, o, 1, stride) if stride != 1 else nn.Identity()

            def forward(self, x):
                return F.relu(self.two(F.relu(self.one(x))) + self.down(x))
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.Sequential(Block(8, 8), Block(8, 16, 2), Block(16, 16, 2), Block(16, 32, 2))

    def forward(self, x):
        return self.blocks(self.stem(x))
"""

LATENT = """
    def __init__(self):
        super().__init__()
        class Down(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(8, 8, 3, stride=2)

            def forward(self, x):
                return self.conv(F.pad(x, (0, 1, 0, 1)))
        same = dict(kernel_size=3, stride=1, padding=1)
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, **same), Down(), nn.Conv2d(8, 8, **same), Down())
        self.mean = nn.Conv2d(8, 4, kernel_size=3, stride={}, padding=1)
        self.decoder = nn.Sequential(
            nn.Conv2d(4, 8, **same), nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, **same),
            nn.Upsample(scale_factor=2), nn.Conv2d(8, 3, **same))

    def forward(self, x):
        return self.decoder(self.mean(self.encoder(x)))
"""


def test_kernels_of_1_that_a_helper_pads_are_at_fault_behind_any_joins(tmp_path: Path) -> None:
    rows = (1, 16 * 16 + 8 * 8 + 4 * 4, 4)
    assert not report(tmp_path, FACES.format(0, 1), "1,3,128,128").findings
    finding, *_ = report(tmp_path, FACES.format(2, 1), "1,3,128,128").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.title.startswith("`padding=0` instead of 2 in")) == ("SL106", True)
    assert fixed(finding, (1, 3, 128, 128)) == rows


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        (FACES.format(0, 2), "SL201", "`cat` joins 64x4 from"),
        (BLOCKS.format(""), "SL208", "`add` joins strides 1 and 2"),
    ],
)
def test_the_strides_that_several_calls_hand_a_helper_are_not_all_made_1(
    tmp_path: Path, text: str, code: str, told: str
) -> None:
    (finding,) = report(tmp_path, text, "1,3,128,128").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.safety, finding.fix.edits) == (code, Safety.ADVICE, ())
    assert finding.message.startswith(told)


def test_a_block_that_hands_on_its_stride_is_right(tmp_path: Path) -> None:
    assert not report(tmp_path, BLOCKS.format(", stride"), "1,3,128,128").findings


def test_a_stride_of_3_among_several_of_1_that_are_like_it_becomes_1(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, LATENT.format(3), "1,3,64,64").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.title.startswith("`stride=1` instead of 3 in `mean`")) == ("SL106", True)
    assert fixed(finding, (1, 3, 64, 64)) == (1, 3, 64, 64)
