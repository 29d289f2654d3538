"""Pools, resizes and convolutions called as functions: their numbers are at fault as a layer's arguments are."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapelint
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

WEIGHTS = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Parameter(torch.zeros(8, i, 3, 3)) for i in (3, 8, 8))
        self.d, self.out = nn.Parameter(torch.zeros(8, 3, 4, 4)), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        y = F.conv2d(x, self.a, None, {})
        y = F.conv2d(y, self.b, stride=1, padding={})
        z = F.conv2d(y, self.c, dilation={}, padding=1)
        return self.out(F.conv_transpose2d(y + z, self.d, None, {}, 1)) + x
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


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        (("3, 1", 1, 1, 2), "`stride=2` instead of 3 in `conv2d on line 13`"),
        (("2, 1", 2, 1, 2), "`padding=1` instead of 2 in `conv2d on line 14`"),
        (("2, 1", 0, 1, 2), "`padding=1` instead of 0 in `conv2d on line 14`"),
        (("2, 1", 1, 2, 2), "`dilation=1` instead of 2 in `conv2d on line 15`"),
        (("2, 1", 1, 1, 3), "`stride=2` instead of 3 in `conv_transpose2d on line 16`"),
    ],
)
def test_the_number_of_a_convolution_with_a_weight_of_its_own_is_written(
    tmp_path: Path, numbers: tuple[object, ...], written: str
) -> None:
    (finding,) = report(tmp_path, WEIGHTS.format(*numbers), "2,3,32,32").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith(written)
    assert fixed(finding, (3, 3, 36, 32)) == (3, 3, 36, 32)
    assert not report(tmp_path, WEIGHTS.format("2, 1", 1, 1, 2), "2,3,32,32").findings


def test_a_convolution_that_its_module_hands_attributes_is_no_call_with_numbers(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = Equal(3, 8, 1), Equal(8, 8, 2), Equal(8, 3, 1)

    def forward(self, x):
        return self.c(self.b(self.a(x))) + x


class Equal(nn.Module):
    def __init__(self, i, o, padding):
        super().__init__()
        self.weight, self.padding = nn.Parameter(torch.zeros(o, i, 3, 3)), padding

    def forward(self, x):
        return F.conv2d(x, self.weight, padding=self.padding)
"""
    (finding,) = report(tmp_path, source, "2,3,32,32").findings
    assert finding.fix is not None
    assert not finding.fix.edits
    (finding,) = report(tmp_path, source.replace("=self.padding)", "=2)"), "2,3,32,32").findings
    assert fixed(finding, (2, 3, 32, 32)) == (2, 3, 32, 32)


def test_a_call_is_told_from_a_layer_by_what_is_called_and_not_by_the_name_of_a_class(tmp_path: Path) -> None:
    source = UNET.format(3, 2, 2, 2) + "\n\nclass MaxPoolNet(Net):\n    pass\n"
    report(tmp_path, source, "1,3,48,48")
    (finding,) = shapelint.check(f"{tmp_path / 'net.py'}:MaxPoolNet", "1,3,48,48").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith("`kernel_size=2` instead of 3 in `max_pool2d on line 14`")
