"""Pools and resizes that `forward` calls as functions: their numbers are at fault as a layer's arguments are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

UNET = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.d, self.e, self.f = nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(16, 8, 3, 1, 1), nn.Conv2d(16, 8, 3, 1, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, {}))
        c = self.c(F.max_pool2d(b, kernel_size={}))
        c = F.interpolate(self.d(F.avg_pool2d(c, 2)), scale_factor=2)
        y = self.e(torch.cat([F.interpolate(c, scale_factor={}), b], 1))
        return self.f(torch.cat([F.interpolate(y, None, {}, mode="bilinear"), a], 1))
"""

CHAIN = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.d, self.e, self.f = nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 3, 3, 1, 1)

    def forward(self, x):
        x = F.max_pool2d(self.a(x), {})
        x = F.max_pool2d(self.b(x), {})
        x = F.max_pool2d(self.c(x), 2)
        x = F.interpolate(self.d(x), scale_factor={})
        x = F.interpolate(self.e(x), scale_factor=2)
        return self.f(F.interpolate(x, scale_factor=2))
"""


@pytest.mark.parametrize(
    ("code", "numbers", "written"),
    [
        (UNET, (3, 2, 2, 2), "`kernel_size=2` instead of 3 in `max_pool2d on line 14`"),
        (UNET, (2, 4, 2, 2), "`kernel_size=2` instead of 4 in `max_pool2d on line 15`"),
        (UNET, (2, 2, 3, 2), "`scale_factor=2` instead of 3 in `interpolate on line 17`"),
        (UNET, (2, 2, 2, 1), "`scale_factor=2` instead of 1 in `interpolate on line 18`"),
        (CHAIN, (1, 2, 2), "`kernel_size=2` instead of 1 in `max_pool2d on line 13`"),
        (CHAIN, (2, 2, 3), "`scale_factor=2` instead of 3 in `interpolate on line 16`"),
    ],
)
def test_the_number_of_a_call_is_written(tmp_path: Path, code: str, numbers: tuple[int, ...], written: str) -> None:
    (finding,) = report(tmp_path, code.format(*numbers), "1,3,48,48").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith(written)
    assert finding.fix.assignments == {}
    assert fixed(finding, (2, 3, 96, 48))[2:] == (96, 48)


def test_a_number_that_is_computed_is_advice(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, UNET.format("a.dim() - 1", 2, 2, 2), "1,3,48,48").findings
    assert finding.fix is not None
    assert (finding.fix.safety.value, finding.fix.edits, finding.fix.assignments) == ("advice", (), {})
    assert "no edit: how the call comes by its `kernel_size` is not plain" in finding.notes


def test_a_call_of_a_layer_in_the_same_line_is_left_alone(tmp_path: Path) -> None:
    code = UNET.format(3, 2, 2, 2).replace("self.b(F.max_pool2d(a, 3))", "self.b(F.max_pool2d(F.max_pool2d(a, 3), 1))")
    (finding,) = report(tmp_path, code, "1,3,48,48").findings
    assert finding.fix is not None
    assert not finding.fix.edits


@pytest.mark.parametrize("numbers", [(4, 2, 4), (4, 2, 2), (2, 2, 4)])
def test_steps_by_a_power_of_the_others_are_let_be(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    assert report(tmp_path, CHAIN.format(*numbers), "1,3,64,64").ok
