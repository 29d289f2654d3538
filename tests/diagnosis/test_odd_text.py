"""The one text whose layers give no whole part or multiple: blamed where the layers around it tell, or let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

HEATMAPS = """
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(i, 8, {}) for i in (3, 8, 8, 8))
        self.up = nn.ModuleList(nn.ConvTranspose2d(8, 8, {}) for _ in range(2))
        self.head = nn.Conv2d(8, 5, 1)

    def forward(self, x):
        for layer in (*self.down, *self.up):
            x = F.relu(layer(x))
        return self.head(x)
"""

DETECTOR = """
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d({}), nn.Conv2d(8, 8, 3, padding=1), nn.MaxPool2d(2, 2),
            nn.Conv2d(8, 8, 3, padding=1), nn.MaxPool2d(2, 2), nn.Conv2d(8, 8, 3, padding={}, dilation=6))
        self.next, self.last = nn.Conv2d(8, 8, 3, stride=2, padding={}), nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.end = nn.Conv2d(8, 8, 3)
        self.box = nn.ModuleList(nn.Conv2d(8, 4, 3, padding=1) for _ in range(4))

    def forward(self, x):
        maps = [self.stem(x)]
        for layer in (self.next, self.last, self.end):
            maps.append(F.relu(layer(maps[-1])))
        rows = [box(each).permute(0, 2, 3, 1).reshape(x.size(0), -1, 4) for box, each in zip(self.box, maps)]
        return torch.cat(rows, 1)
"""

LATENT = """
    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 4, 2, 1), nn.ReLU())
        self.into, self.out = nn.Linear(8 * 16 * 16, 8), nn.Linear(8, 8 * 16 * 16)
        self.d = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3, {}),
            nn.Upsample(scale_factor=2), nn.ReflectionPad2d({}), nn.Conv2d(8, 3, 3))

    def forward(self, x):
        z = self.into(self.e(x).view(-1, 8 * 16 * 16))
        return self.d(self.out(z).view(-1, 8, 16, 16))
"""

STYLE = """
    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(
            nn.ReflectionPad2d({}), nn.Conv2d(3, 8, 3), nn.MaxPool2d({}), nn.Conv2d(8, 8, 3, padding=1),
            nn.MaxPool2d(2, 2))
        self.d = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, 3, padding=1), nn.Upsample(scale_factor=2),
            nn.Conv2d(8, 3, {}))

    def forward(self, x):
        return self.d(self.e(x))
"""

GRID = HEATMAPS.format("3, 2, 1", "3, 2, 1")


@pytest.mark.parametrize(
    ("down", "up", "change"),
    [
        ("4, 2, 1", "4, 2, 0", "`padding=1` instead of 0 in `up.0`"),
        ("4, 2, 1", "4, 1, 1", "`stride=2` instead of 1 in `up.0`"),
        ("3, 2, 1", "3, 2, 1", "`output_padding=1` instead of 0 in `up.0`"),
        ("4, 2, 2", "4, 2, 1", "`padding=1` instead of 2 in `down.0`"),
        ("5, 2, 1", "4, 2, 1", "`kernel_size=4` instead of 5 in `down.0`"),
    ],
)
def test_a_decoder_and_an_encoder_of_one_text_are_told_by_each_other(
    tmp_path: Path, down: str, up: str, change: str
) -> None:
    (finding,) = report(tmp_path, HEATMAPS.format(down, up), "1,3,128,128").findings
    assert finding.code == "SL106"
    assert finding.fix is not None
    assert finding.fix.title.startswith(change)
    assert fixed(finding, (1, 3, 128, 128)) == (1, 5, 32, 32)


def test_grids_with_both_corners_go_down_and_up_by_one_less_than_double(tmp_path: Path) -> None:
    assert not report(tmp_path, GRID, "1,3,513,513").findings


@pytest.mark.parametrize(
    ("numbers", "change"),
    [
        (("2, 3", 6, 1), "`stride=2` instead of 3 in `stem.1`"),
        (("2, 1", 6, 1), "`stride=2` instead of 1 in `stem.1`"),
        (("2, 2", 5, 1), "`padding=6` instead of 5 in `stem.6`"),
        (("2, 2", 6, 2), "`padding=1` instead of 2 in `next`"),
        (("2, 2", 6, 0), "`padding=1` instead of 0 in `next`"),
    ],
)
def test_the_layer_with_which_all_levels_have_other_rows_is_blamed(
    tmp_path: Path, numbers: tuple[str, int, int], change: str
) -> None:
    finding, *_ = report(tmp_path, DETECTOR.format(*numbers), "1,3,128,128").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.title.startswith(change)) == ("SL106", True)
    assert fixed(finding, (1, 3, 128, 128)) == (1, 16 * 16 + 8 * 8 + 4 * 4 + 2 * 2, 4)


def test_a_detector_ends_on_a_layer_without_padding(tmp_path: Path) -> None:
    assert not report(tmp_path, DETECTOR.format("2, 2", 6, 1), "1,3,128,128").findings


@pytest.mark.parametrize(
    ("stride", "pad", "change"),
    [(2, 1, "`stride=1` instead of 2 in `d.2`"), (1, 0, "`padding=1` instead of 0 in `d.4`")],
)
def test_what_is_made_of_a_latent_vector_is_meant_as_large_as_the_input_where_samples_stay_apart(
    tmp_path: Path, stride: int, pad: int, change: str
) -> None:
    """`view(-1, 2048)` runs for other sizes too, with other rows: these do not tell what is meant."""
    (finding,) = report(tmp_path, LATENT.format(stride, pad), "2,3,64,64").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.title.startswith(change)) == ("SL106", True)
    assert fixed(finding, (2, 3, 64, 64)) == (2, 3, 64, 64)


@pytest.mark.parametrize(
    ("numbers", "module", "change"),
    [
        (("1", "2, (1, 2)", "3, padding=1"), "e.2", "`stride=2` instead of (1, 2)"),
        (("(1, 5, 1, 1)", "2, 2", "3, padding=1"), "e.0", "`padding=1` instead of (1, 5, 1, 1)"),
        (("1", "2, 2", "3"), "d.3", "`padding=1` instead of 0"),
        (("1", "2, 2", "2"), "d.3", "`kernel_size=1` instead of 2"),
    ],
)
def test_one_axis_one_side_and_a_last_layer_that_takes_rows_off(
    tmp_path: Path, numbers: tuple[str, ...], module: str, change: str
) -> None:
    (finding,) = report(tmp_path, STYLE.format(*numbers), "1,3,64,64").findings
    assert finding.fix is not None
    assert (finding.module, finding.fix.title.startswith(change)) == (module, True)
    assert fixed(finding, (1, 3, 64, 64)) == (1, 3, 64, 64)


def test_a_stem_that_cuts_patches_leaves_a_map_of_its_own_size(tmp_path: Path) -> None:
    source = HEATMAPS.replace("self.down = nn.ModuleList(nn.Conv2d(i, 8, {}) for i in (3, 8, 8, 8))",
                              "self.down = nn.ModuleList([nn.Conv2d(3, 8, 14, 14)])").format("4, 2, 1")  # fmt: skip
    assert not report(tmp_path, source, "1,3,224,224").findings  # 64x64
