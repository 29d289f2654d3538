"""Models with nothing to compare their output with, of which one layer is unlike the others: blamed, or let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

GENERATOR = """
    def __init__(self):
        super().__init__()
        self.project = nn.ConvTranspose2d(8, 8, {}, 1, 0)
        self.up1, self.up2 = nn.ConvTranspose2d(8, 8, {}), nn.ConvTranspose2d(8, 8, {})
        self.up3, self.up4 = nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(8, 3, {})

    def forward(self, z):
        return self.up4(self.up3(self.up2(self.up1(self.project(z)))))
"""

WAVE = """
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 64)
        self.up1 = nn.ConvTranspose1d(8, 8, kernel_size=25, stride=4, padding=11, output_padding=1)
        self.up2 = nn.ConvTranspose1d(8, 8, kernel_size=25, stride={}, padding=11, output_padding={})
        self.up3 = nn.ConvTranspose1d(8, 1, kernel_size=25, stride=4, padding=11, output_padding=1)

    def forward(self, z):
        return self.up3(self.up2(self.up1(self.fc(z).view(-1, 8, 8))))
"""

LOOPED = """
    def __init__(self):
        super().__init__()
        self.ups = nn.ModuleList([nn.ConvTranspose2d(8, 8, {}, 2, 1) for _ in range(3)])
        self.last = nn.ConvTranspose2d(8, 3, {}, 2, 1)

    def forward(self, z):
        for up in self.ups:
            z = up(z)
        return self.last(z)
"""

BLOCKS = """
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, {})
        self.a, self.b = nn.Conv2d(8, 8, 3, {}, 1), nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.Upsample(scale_factor=3)

    def forward(self, x):
        return self.last(self.b(self.a(self.up(self.first(x))))){}
"""

VALID_UNET = """
    def __init__(self):
        super().__init__()
        self.pool, self.e1, self.e2 = nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.mid = nn.Conv2d(4, 4, 3)
        self.up1, self.up2 = nn.ConvTranspose2d(4, 4, 2, 2), nn.ConvTranspose2d(4, 4, {}, 2)
        self.deep, self.up3 = nn.Conv2d(4, 4, 3), nn.ConvTranspose2d(4, 4, 2, 2)
        self.d3, self.d2, self.d1 = (nn.Conv2d(8, 4, 3) for _ in range(3))

    def join(self, skip, y):
        off = [(a - b) // 2 for a, b in zip(skip.shape[-2:], y.shape[-2:])]
        skip = skip[..., off[0]:off[0] + y.shape[-2], off[1]:off[1] + y.shape[-1]]
        return torch.cat([skip, y], 1)

    def forward(self, x):
        e1 = self.e1(x)
        e2 = self.e2(self.pool(e1))
        e3 = self.mid(self.pool(e2))
        y = self.d3(self.join(e3, self.up3(self.deep(self.pool(e3)))))
        y = self.d2(self.join(e2, self.up2(y)))
        return self.d1(self.join(e1, self.up1(y)))
"""

DOUBLES = "4, 2, 1"


@pytest.mark.parametrize(
    ("layers", "module", "change", "given"),
    [
        ((4, DOUBLES, DOUBLES, "3, 2, 1"), "up4", "kernel_size=4", 63),
        ((4, DOUBLES, "4, 3, 1", DOUBLES), "up2", "stride=2", 92),
        ((4, DOUBLES, DOUBLES, "4, 2, 2"), "up4", "padding=1", 62),
        ((4, DOUBLES, DOUBLES, "4, 4, 1"), "up4", "stride=2", 126),
        ((9, DOUBLES, "4, 1, 1", DOUBLES), "up2", "stride=2", 76),
        ((4, DOUBLES, DOUBLES, "4, 2, 0"), "up4", "padding=1", 66),
    ],
)
def test_a_layer_of_a_generator_doubles_as_the_others_do(
    tmp_path: Path, layers: tuple[object, ...], module: str, change: str, given: int
) -> None:
    whole = 16 * int(str(layers[0]))
    (finding,) = report(tmp_path, GENERATOR.format(*layers), "2,8,1,1").findings
    assert (finding.code, finding.module) == ("SL106", module)
    assert finding.message == f"the output is {given}x{given} where the other layers make it {whole}x{whole}"
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (2, 8, 1, 1)) == (2, 3, whole, whole)


@pytest.mark.parametrize(
    ("layers", "given"),
    [
        ((4, "3, 2, 1", DOUBLES, "3, 1, 1"), 28),  # 4 to 7
        ((4, DOUBLES, DOUBLES, "1, 1, 2"), 28),  # 32 to 28
        ((7, "3, 2, 1", DOUBLES, DOUBLES), 104),  # 7 to 13
        ((7, "3, 2, 0", DOUBLES, DOUBLES), 120),  # 7 to 15
    ],
)
def test_a_layer_that_makes_a_size_which_people_choose_is_let_be(
    tmp_path: Path, layers: tuple[object, ...], given: int
) -> None:
    found = report(tmp_path, GENERATOR.format(*layers), "2,8,1,1")
    assert found.contract.outcome(H=1, W=1).outputs == ((2, 3, given, given),)
    assert not found.findings


SIGNAL = """
    def __init__(self):
        super().__init__()
        self.fc, self.up = nn.Linear(16, 8 * {}), nn.Upsample(scale_factor=2)
        self.a, self.b = nn.Conv1d(8, 8, 5, padding=2), nn.Conv1d(8, 8, 5, padding=2)
        self.c = nn.Conv1d(8, 1, 4, padding=2)

    def forward(self, z):
        return self.c(self.up(self.b(self.up(self.a(self.fc(z).view(-1, 8, {}))))))
"""


@pytest.mark.parametrize(
    ("layers", "given"),
    [
        ((5, DOUBLES, DOUBLES, "8, 2, 1"), (84, 84)),  # a frame of Atari
        ((8, DOUBLES, DOUBLES, "5, 2, 1"), (129, 129)),  # a grid with both corners
        ((13, DOUBLES, "4, 2, 2", DOUBLES), (200, 200)),
        ((9, DOUBLES, DOUBLES, "(5, 4), 2, 1"), (145, 144)),  # its axes are meant apart
        ((23, DOUBLES, DOUBLES, "8, 2, 1"), (372, 372)),  # 368 would be no better
    ],
)
def test_no_more_usual_size_is_proposed_for_one_that_is_meant(
    tmp_path: Path, layers: tuple[object, ...], given: tuple[int, int]
) -> None:
    found = report(tmp_path, GENERATOR.format(*layers), "2,8,1,1")
    assert found.contract.outcome(H=1, W=1).outputs == ((2, 3, *given),)
    assert not found.findings


def test_a_convolution_may_add_a_row_for_the_bins_of_a_spectrum(tmp_path: Path) -> None:
    assert not report(tmp_path, SIGNAL.format(32, 32), "2,16").findings  # 129
    (finding,) = report(tmp_path, SIGNAL.format(48, 48), "2,16").findings
    assert finding.message == "the output is 193 where the other layers make it 192"


def test_a_picture_made_larger_and_then_a_part_of_that_is_meant(tmp_path: Path) -> None:
    source = BLOCKS.format("3, padding=1", 2, "").replace("scale_factor=3", "scale_factor=4")
    assert not report(tmp_path, source, "1,3,20,20").findings  # twice the input


@pytest.mark.parametrize(
    ("stride", "extra", "change", "given"), [(5, 1, "stride=4", 636), (4, 0, "output_padding=1", 508)]
)
def test_of_two_numbers_that_would_do_the_one_that_the_other_layers_have_is_written(
    tmp_path: Path, stride: int, extra: int, change: str, given: int
) -> None:
    (finding,) = report(tmp_path, WAVE.format(stride, extra), "2,16").findings
    assert finding.message == f"the output is {given} where the other layers make it 512"
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (2, 16)) == (2, 1, 512)


def test_layers_of_one_line_that_all_miss_a_row_are_compared_with_the_one_after_them(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, LOOPED.format(3, 4), "2,8,6,6").findings
    assert finding.message == "the output is 82x82 where 16 times the input is 96x96"
    assert fixed(finding, (2, 8, 6, 6)) == (2, 3, 96, 96)
    assert not report(tmp_path, LOOPED.format(3, 3), "2,8,6,6").findings


def test_an_output_padding_that_the_stride_forbids_is_a_sign_of_the_stride_of_the_others(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, WAVE.format(1, 1), "2,16").findings
    assert (finding.code, finding.module) == ("SL103", "up2")
    assert finding.fix is not None
    assert finding.fix.title == "`stride=4` instead of 1 in `up2` makes that legal"
    assert fixed(finding, (2, 16)) == (2, 1, 512)


@pytest.mark.parametrize(("stride", "last"), [(2, "3, padding=1"), (1, "3, 2, padding=1")])
def test_no_layer_behind_those_that_grow_shrinks(tmp_path: Path, stride: int, last: str) -> None:
    (finding,) = report(tmp_path, BLOCKS.format(last, stride, ""), "1,3,20,20").findings
    assert finding.module == ("a" if stride > 1 else "last")
    assert finding.message.endswith("where 3 times the input is 60x60")
    assert fixed(finding, (1, 3, 20, 20)) == (1, 3, 60, 60)


@pytest.mark.parametrize("kernel", [3, 4])
def test_the_doubling_layers_of_a_net_without_padding_are_compared(tmp_path: Path, kernel: int) -> None:
    (finding,) = report(tmp_path, VALID_UNET.format(kernel), "1,3,124,108").findings
    assert finding.module == "up2"
    assert finding.fix is not None
    assert "kernel_size=2" in finding.fix.title
    assert not report(tmp_path, VALID_UNET.format(2), "1,3,124,108").findings


@pytest.mark.parametrize(
    ("last", "crop"),
    [("3, padding=2", "[..., 1:-1, 1:-1]"), ("4", ""), ("5, 2, padding=2", "")],
)
def test_what_a_layer_gives_may_be_meant(tmp_path: Path, last: str, crop: str) -> None:
    """Where it is cropped, where nothing pads it, and where no other layer has its kernel."""
    assert not report(tmp_path, BLOCKS.format(last, 1, crop), "1,3,20,20").findings


def test_a_discriminator_may_take_rows_off_at_its_end(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(i, 8, 4, 2, 1) for i in (3, 8, 8))
        self.d = nn.Conv2d(8, 1, 4, 1, 1)

    def forward(self, x):
        return self.d(self.c(self.b(self.a(x))))
"""
    assert not report(tmp_path, source, "1,3,128,128").findings
