"""Autoencoders of which one layer steps otherwise than all others: a part or a multiple comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

POOLED = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.p1, self.p2, self.u2 = nn.MaxPool2d({}), nn.AvgPool2d(2), nn.Upsample(scale_factor={})
        self.u1, self.head = nn.Upsample(scale_factor={}, mode="bilinear"), nn.Conv2d(8, {}, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.e2(self.p1(F.relu(self.e1(x)))))
        return self.head(self.u1(self.u2(self.p2(x))))
"""

STRIDED = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(1, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.d2, self.d1 = nn.ConvTranspose2d(8, 8, 3, {}, 1), nn.ConvTranspose2d(8, 1, 3, 2, 1)

    def forward(self, x):
        return self.d1(self.d2(self.e2(self.e1(x))))
"""


@pytest.mark.parametrize(
    ("steps", "module", "change", "given"),
    [
        ((2, 2, 1), "u1", "scale_factor=2", 20),
        ((2, 2, 3), "u1", "scale_factor=2", 60),
        ((1, 2, 2), "p1", "kernel_size=2", 80),
    ],
)
def test_a_resize_or_a_pool_that_steps_otherwise_is_blamed(
    tmp_path: Path, steps: tuple[int, ...], module: str, change: str, given: int
) -> None:
    (finding,) = report(tmp_path, POOLED.format(*steps, 3), "1,3,40,40").findings
    assert (finding.code, finding.module) == ("SL106", module)
    assert finding.message == f"the output is {given}x{given} where the input is 40x40"
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (1, 3, 40, 40)) == (1, 3, 40, 40)


def test_a_transposed_layer_that_keeps_its_size_is_to_double(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, STRIDED.format(1), "1,1,25,25").findings
    assert (finding.module, finding.message) == ("d2", "the output is 13x13 where the input is 25x25")
    assert fixed(finding, (1, 1, 25, 25)) == (1, 1, 25, 25)


def test_a_resize_that_does_nothing_is_to_step_also_beside_a_skip(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.stem, self.enc = nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.pool, self.up, self.last = nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=1)
        self.head = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x):
        skip = self.stem(x)
        y = self.up(self.enc(self.pool(skip)))
        return self.last(self.head(torch.cat([skip, y], 1)))
"""
    (finding,) = report(tmp_path, source, "1,1,40,24").findings
    assert (finding.module, finding.message) == ("last", "the output is 20x12 where the input is 40x24")
    assert fixed(finding, (1, 1, 40, 24)) == (1, 1, 40, 24)
    assert not report(tmp_path, source.replace("self.last(self.head", "(self.head"), "1,1,40,24").findings


@pytest.mark.parametrize(
    ("steps", "channels"),
    [
        ((2, 2, 1), 5),  # five classes at half the size
        ((2, 4, 4), 3),  # four times the size
        ((4, 2, 1), 3),  # a part by no one layer
        ((2, 4, 2), 3),  # twice the size, by one step of four
        ((4, 2, 2), 3),  # half the size
    ],
)
def test_another_size_may_be_meant(tmp_path: Path, steps: tuple[int, ...], channels: int) -> None:
    assert not report(tmp_path, POOLED.format(*steps, channels), "1,3,40,40").findings


def test_a_resize_by_a_factor_that_is_configured_may_do_nothing(tmp_path: Path) -> None:
    """What is written as 1 is a slip, and what a setting makes 1 is none."""
    source = POOLED.format(2, 2, 1, 3)
    configured = source.replace("__init__(self):", "__init__(self, scale=1):").replace("factor=1", "factor=scale")
    assert report(tmp_path, source, "1,3,40,40").findings
    assert not report(tmp_path, configured, "1,3,40,40").findings


def test_holes_between_rows_are_found_though_a_crop_ends_the_model(tmp_path: Path) -> None:
    """The padded size may be a whole step more than the one that the crop leaves."""
    source = """
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(i, 4, 2, 2) for i in (3, 4, 4))
        self.up = nn.ModuleList(nn.ConvTranspose2d(4, o, 2, {}) for o in (4, 4, 3))

    def forward(self, x):
        h, w = -x.shape[2] % 8, -x.shape[3] % 8
        y = F.pad(x, (0, w, 0, h))
        for layer in (*self.down, *self.up):
            y = layer(y)
        return y[:, :, :-h, :-w]
"""
    (finding,) = report(tmp_path, source.format(4), "1,3,75,41").findings
    assert finding.fix is not None
    assert "`stride=2` instead of 4" in finding.fix.title
    assert not [each for each in report(tmp_path, source.format(2), "1,3,75,41").findings if each.severity == "error"]
