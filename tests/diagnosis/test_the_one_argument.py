"""The one argument that explains the size: also where a resize, a crop or a level of its own could make up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

PADDED_BY_LAYERS = """
    def __init__(self):
        super().__init__()
        model = [nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7)]
        model += [nn.Conv2d(4, 4, 3, stride=2, padding=1) for _ in range(2)]
        for _ in range(2):
            model += [nn.ConvTranspose2d(4, 4, {}, stride=2, padding={}, output_padding=1)]
        self.model = nn.Sequential(*model, nn.ReflectionPad2d(3), nn.Conv2d(4, 3, 7))

    def forward(self, x):
        return self.model(x)
"""

RESIZED = """
    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 4, {}, stride=2{}), nn.Conv2d(4, 2, 1)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        return self.head(self.up(self.stem(x)))
"""

POOLED = """
    def __init__(self):
        super().__init__()
        self.mix, self.pool = nn.Conv1d(1, 4, {}, padding=12), nn.AvgPool1d(4)
        self.up, self.out = nn.ConvTranspose1d(4, 4, 4, 4, output_padding=1), nn.Conv1d(4, 1, 25, padding=12)

    def forward(self, x):
        return self.out(self.up(self.pool(self.mix(x))))
"""


@pytest.mark.parametrize(("kernel", "padding", "change"), [(5, 1, "kernel_size=3"), (3, 0, "padding=1")])
def test_a_pad_that_gives_the_wrong_size_by_chance_is_let_be(
    tmp_path: Path, kernel: int, padding: int, change: str
) -> None:
    (finding,) = report(tmp_path, PADDED_BY_LAYERS.format(kernel, padding), "1,3,64,64").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith(f"`{change}` instead of {kernel if padding else padding} in `model.4`")
    assert fixed(finding, (1, 3, 64, 64)) == (1, 3, 64, 64)


@pytest.mark.parametrize(("kernel", "padding", "value"), [(3, "", 1), (5, ", padding=1", 2)])
def test_the_padding_of_a_strided_layer_comes_before_a_resize(
    tmp_path: Path, kernel: int, padding: str, value: int
) -> None:
    (finding,) = report(tmp_path, RESIZED.format(kernel, padding), "1,3,54,72").findings
    assert finding.message == "`up` gives back 52x70 where `stem` took 54x72"
    assert finding.fix is not None
    assert f"`padding={value}`" in finding.fix.title
    assert fixed(finding, (1, 3, 54, 72)) == (1, 2, 54, 72)


def test_a_size_that_a_stride_cannot_hold_is_no_missing_padding(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, RESIZED.format(3, ", padding=1"), "1,3,55,72").findings
    assert finding.fix is not None
    assert "padding" not in finding.fix.title


def test_a_kernel_unlike_its_twin_comes_before_the_rounding_of_a_pool(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, POOLED.format(27), "1,1,1125").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith("`kernel_size=25` instead of 27 in `mix`")
    assert fixed(finding, (1, 1, 1125)) == (1, 1, 1125)


STEPS = """
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 8, {}), nn.Conv2d(8, 8, 4, 2, 1), nn.Conv2d(8, 1, 4, 1, 1))

    def forward(self, x):
        return self.layers(x)
"""

DOWN_AND_UP = """
    def __init__(self):
        super().__init__()
        self.d1, self.d2 = nn.Conv2d(3, 4, {}), nn.Conv2d(4, 4, 4, 2, 1)
        self.u2, self.u1 = nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, x):
        return self.u1(self.u2(self.d2(self.d1(x))))
"""

SHUFFLED = """
    def __init__(self):
        super().__init__()
        self.embed, self.mix = nn.Conv2d(3, 4, 2, {}), nn.Conv2d(4, 12, 3, padding=1)
        self.up = nn.PixelShuffle(2)

    def forward(self, x):
        return self.up(self.mix(self.embed(x)))
"""

HALF = """
    def __init__(self):
        super().__init__()
        self.d1, self.d2 = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)
        self.u, self.heat = nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.Conv2d(8, 17, {})

    def forward(self, x):
        y = self.d1(x)
        return self.heat(torch.cat([self.u(self.d2(y)), y], 1))
"""

VALID = """
    def __init__(self):
        super().__init__()
        self.downs = nn.ModuleList(nn.Sequential(nn.Conv2d(i, 4, {}), nn.Conv2d(4, 4, 3)) for i in (1, 4))
        self.mid, self.up = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)), nn.ConvTranspose2d(4, 4, 2, 2)
        self.dec = nn.Sequential(nn.Conv2d(8, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 2, 1))

    def forward(self, x):
        skip = self.downs[0](x)
        y = self.up(self.mid(self.downs[1](F.max_pool2d(skip, 2))))
        off = (skip.shape[2] - y.shape[2]) // 2
        return self.dec(torch.cat([skip[:, :, off:off + y.shape[2], off:off + y.shape[3]], y], 1))
"""


@pytest.mark.parametrize(
    ("source", "wrong", "right", "taken", "given"),
    [
        (STEPS, "4, 3, 1", "4, 2, 1", (1, 3, 64, 64), (1, 1, 7, 7)),
        (DOWN_AND_UP, "4, 4, 1", "4, 2, 1", (1, 3, 64, 64), (1, 3, 64, 64)),
        (SHUFFLED, "4", "2", (1, 3, 64, 64), (1, 3, 64, 64)),
        (HALF, "2", "1", (1, 3, 64, 64), (1, 17, 32, 32)),
        (VALID, "4", "3", (1, 1, 60, 60), (1, 2, 36, 36)),
        (VALID.replace("4, 2, 1", "4, 2, {}").replace("i, 4, {}", "i, 4, 3"), "2", "1", (1, 1, 60, 60), (1, 2, 36, 36)),
    ],
)
def test_the_argument_is_blamed_that_no_other_layer_has(
    tmp_path: Path, source: str, wrong: str, right: str, taken: tuple[int, ...], given: tuple[int, ...]
) -> None:
    spec = ",".join(map(str, taken))
    (finding,) = report(tmp_path, source.format(wrong), spec).findings
    assert fixed(finding, taken) == given
    assert not report(tmp_path, source.format(right), spec).findings


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        (STEPS, "3, 3, 1"),  # one kernel for one step
        (STEPS, "4, 4, 0"),
        (DOWN_AND_UP, "4, 4, 0"),  # patches
        (SHUFFLED, "1"),
        (HALF, "3, padding=1"),
        (VALID, "3, dilation=2"),
    ],
)
def test_what_may_be_meant_is_let_be(tmp_path: Path, source: str, arguments: str) -> None:
    channels, size = (1, 60) if source is VALID else (3, 64)
    assert not report(tmp_path, source.format(arguments), f"1,{channels},{size},{size}").findings


def test_a_step_of_three_that_divides_what_it_takes_may_be_meant(tmp_path: Path) -> None:
    assert report(tmp_path, STEPS.format("4, 3, 1"), "2,3,64,64").findings
    assert not report(tmp_path, STEPS.format("4, 3, 1"), "2,3,96,96").findings


PATCHES = """
    def __init__(self):
        super().__init__()
        self.proj, self.head = nn.Conv2d(3, 8, 4, stride={}), nn.ConvTranspose2d(8, 3, 4, 4)

    def forward(self, x):
        h, w = x.shape[-2:]
        return self.head(self.proj(F.pad(x, (0, -w % 4, 0, -h % 4))))[..., :h, :w]
"""


def test_no_layer_is_told_to_step_over_rows_as_the_other_one_does(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, PATCHES.format(5), "1,3,224,224").findings
    assert finding.module == "proj"
    assert fixed(finding, (2, 3, 229, 231)) == (2, 3, 229, 231)
    assert not report(tmp_path, PATCHES.format(4), "1,3,229,231").findings


CELLS = """
    def __init__(self, side=7):
        super().__init__()
        self.side, self.layers = side, nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(2), nn.Flatten())
        self.fc = nn.Linear(4 * side * side, side * side * 5)

    def forward(self, x):
        return self.fc(self.layers(x)).view(-1, self.side, self.side, 5)
"""


def test_no_fix_changes_the_cells_of_a_grid_for_the_features_that_arrive(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CELLS, "2,3,24,24").findings
    assert finding.message == "`fc` takes 196 features, and 24x24 gives it 144"
    assert finding.fix is not None
    assert not finding.fix.edits
    assert report(tmp_path, CELLS, "2,3,28,28").ok
