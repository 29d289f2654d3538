"""The one convolution of stride 1 that is padded unlike several others: blamed where a reader could tell, or let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.edit.document import texts
from tests.diagnosis.test_at_fault import fixed, report

READER = """
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 4, 3, 1, 1), nn.MaxPool2d(2, 2), nn.Conv2d(4, 4, 3, 1, 1), nn.MaxPool2d(2, 2),
            nn.Conv2d(4, 4, {}, 1, {}), nn.Conv2d(4, 4, 3, 1, 1), nn.MaxPool2d((2, 2), (2, 1), (0, 1)),
            nn.Conv2d(4, 8, {}, 1, {}), nn.AdaptiveAvgPool2d((1, None)),
        )
        self.fc = nn.Linear(8, 37)

    def forward(self, x):
        return self.fc(self.cnn(x).squeeze(2).permute(2, 0, 1))
"""

DETECTOR = """
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.mid, self.a = nn.Conv2d(8, 8, 3, padding={}), nn.Conv2d(8, 8, 3, padding=1)
        self.smooth = nn.ModuleList(nn.Conv2d(8, 8, {}, padding=1) for _ in range(2))
        self.cls, self.box = nn.Conv2d(8, 10, 3, padding={}), nn.Conv2d(8, 4, 3, padding={})
        self.b, self.up = nn.Conv2d(8, 8, 3, padding=1), nn.Upsample(scale_factor=2)

    def forward(self, x):
        n, y = x.size(0), self.c2(self.c1(x))
        z = self.b(self.c3(y))
        maps = [self.smooth[0](self.a(y) + self.up(z)), self.smooth[1](self.mid(z))]
        cls = [self.cls(each).permute(0, 2, 3, 1).reshape(n, -1, 10) for each in maps]
        box = [self.box(each).permute(0, 2, 3, 1).reshape(n, -1, 4) for each in maps]
        return torch.cat(cls, 1), torch.cat(box, 1)
"""

GENERATOR = """
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 8 * {} * {})
        self.a, self.b, self.c = (nn.Conv2d(8, 8, 3, padding=1) for _ in range(3))
        self.last, self.up = nn.Conv2d(8, 3, 3, padding={}), nn.Upsample(scale_factor=2)

    def forward(self, z):
        y = self.a(self.fc(z).view(-1, 8, {}, {}))
        return self.last(self.c(self.up(self.b(self.up(y)))))
"""


@pytest.mark.parametrize(("kernel", "padding", "rows"), [(3, 2, 28), (2, 1, 27), (3, 3, 30)])
def test_a_convolution_on_the_way_down_that_adds_rows_is_blamed(
    tmp_path: Path, kernel: int, padding: int, rows: int
) -> None:
    (finding,) = report(tmp_path, READER.format(kernel, padding, 1, 0), "2,1,32,100").findings
    assert (finding.code, finding.module) == ("SL106", "cnn.4")
    assert finding.message.startswith(f"the output is {rows} where")
    assert fixed(finding, (2, 1, 32, 100)) == (26, 2, 37)


def test_a_row_that_a_later_kernel_takes_off_at_the_same_level_is_there_for_it(tmp_path: Path) -> None:
    pool = "nn.MaxPool2d((2, 2), (2, 1), (0, 1))"
    assert report(tmp_path, READER.format(2, 1, 2, 0), "2,1,32,100").findings
    assert not report(tmp_path, READER.format(2, 1, 2, 0).replace(pool, "nn.ReLU()"), "2,1,32,100").findings


@pytest.mark.parametrize(
    ("numbers", "module", "change", "given"),
    [
        ((1, 3, 0, 1), "cls", "padding=1", "232x10"),
        ((1, 3, 1, 3), "box", "padding=1", "544x4"),
        ((1, 5, 1, 1), "smooth.0", "kernel_size=3", "232x10"),
    ],
)
def test_the_layer_with_which_a_detector_has_other_rows_is_blamed(
    tmp_path: Path, numbers: tuple[int, ...], module: str, change: str, given: str
) -> None:
    (finding,) = report(tmp_path, DETECTOR.format(*numbers), "2,3,64,64").findings
    assert (finding.code, finding.module) == ("SL106", module)
    assert finding.message == f"the output is {given} where the other layers make it 320x{given.rpartition('x')[2]}"
    assert finding.fix is not None
    assert change in finding.fix.title
    (content,) = texts(finding.fix.edits).values()
    assert not report(tmp_path, content.decode().partition("class Net(nn.Module):")[2], "2,3,64,64").findings


@pytest.mark.parametrize("numbers", [(1, 3, 1, 1), (3, 3, 1, 1), (1, 3, 0, 0)])
def test_a_detector_may_have_a_layer_of_its_own_padding(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    """Where it takes one map and all outputs have as many rows, as the `fc6` of some detectors of faces."""
    assert not report(tmp_path, DETECTOR.format(*numbers), "2,3,64,64").findings


def test_the_one_layer_of_a_generator_without_padding_is_blamed(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, GENERATOR.format(8, 8, 0, 8, 8), "2,16").findings
    assert (finding.code, finding.message) == ("SL106", "the output is 30x30 where the other layers make it 32x32")
    assert fixed(finding, (2, 16)) == (2, 3, 32, 32)


def test_a_layer_without_padding_may_make_a_size_that_people_choose(tmp_path: Path) -> None:
    source = GENERATOR.replace("self.b(self.up(y))", "self.b(self.up(y)[..., 1:, 1:])")
    assert not report(tmp_path, source.format(8, 8, 0, 8, 8), "2,16").findings  # 28
