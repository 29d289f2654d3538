"""Models of which one layer does not keep its size: what is expected, which layer is blamed, and what is let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

SUPER_RESOLUTION = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, {}), nn.Conv2d(8, 8, {})
        self.c, self.shuffle = nn.Conv2d(8, 12, {}), nn.PixelShuffle(2)

    def forward(self, x):
        return self.shuffle(self.c(F.relu(self.b(F.relu(self.a(x))))))
"""

VOCODER = """
    def __init__(self):
        super().__init__()
        self.pre, self.post = nn.Conv1d(8, 8, {}), nn.Conv1d(8, 1, 7, padding=3)
        self.up1, self.up2 = nn.ConvTranspose1d(8, 8, 16, 8, 4), nn.ConvTranspose1d(8, 8, {})
        self.up3 = nn.ConvTranspose1d(8, 8, 8, 4, 2)

    def forward(self, mel):
        return self.post(self.up3(self.up2(self.up1(self.pre(mel)))))
"""

PYRAMID = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2, self.e3 = (nn.Conv2d(i, 8, 3, stride=2, padding=1) for i in (3, 8, 8))
        self.lateral = nn.ModuleList([nn.Conv2d(8, 8, 1) for _ in range(2)])
        self.smooth = nn.ModuleList([nn.Conv2d(8, 8, {}) for _ in range(2)])

    def forward(self, x):
        fine = self.e2(self.e1(x))
        coarse = self.lateral[1](self.e3(fine))
        fine = self.lateral[0](fine) + F.interpolate(coarse, size=fine.shape[-2:])
        return [self.smooth[0](fine), self.smooth[1](coarse)]
"""

PATCHES = """
    def __init__(self):
        super().__init__()
        self.embed, self.unpatch = nn.Conv2d(3, 8, 16{}), nn.ConvTranspose2d(8, 3, 16{})

    def forward(self, x):
        return self.unpatch(F.gelu(self.embed(x)))
"""

POOLED = """
    def __init__(self):
        super().__init__()
        self.pool, self.up = nn.AvgPool2d((1, 4)), nn.ConvTranspose2d(1, 1, ({}, 4), stride=({}, 4))

    def forward(self, x):
        return self.up(self.pool(x))
"""

SAME, SAME5 = "3, padding=1", "5, padding=2"


@pytest.mark.parametrize(
    ("layers", "module", "change"),
    [
        (("5, padding=1", SAME, SAME), "a", "kernel_size=3"),
        (("6, padding=2", SAME, SAME5), "a", "kernel_size=5"),
        ((SAME5, "3", SAME), "b", "padding=1"),
        ((SAME, SAME, "3, padding=2"), "c", "padding=1"),
    ],
)
def test_a_multiple_of_the_input_is_expected_where_one_layer_misses_it(
    tmp_path: Path, layers: tuple[str, ...], module: str, change: str
) -> None:
    (finding,) = report(tmp_path, SUPER_RESOLUTION.format(*layers), "2,3,30,41").findings
    assert (finding.code, finding.module) == ("SL106", module)
    assert finding.message.endswith("where 2 times the input is 60x82")
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (2, 3, 30, 41)) == (2, 3, 60, 82)
    assert fixed(finding, (1, 3, 64, 8)) == (1, 3, 128, 16)


@pytest.mark.parametrize(
    ("pre", "up", "module"), [("7, padding=2", "4, 2, 1", "pre"), ("7, padding=3", "5, 2, 1", "up2")]
)
def test_samples_for_each_frame_are_counted(tmp_path: Path, pre: str, up: str, module: str) -> None:
    (finding,) = report(tmp_path, VOCODER.format(pre, up), "1,8,17").findings
    assert finding.module == module
    assert "64 times the input is 1088" in finding.message
    assert fixed(finding, (1, 8, 17)) == (1, 1, 1088)


def test_a_level_of_a_pyramid_has_the_size_of_its_features(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, PYRAMID.format("3, padding=2"), "1,3,101,64").findings
    assert finding.message == "the output is 28x18 where 1/4 of the input is 26x16"
    assert finding.fix is not None
    assert "`smooth.0` and the 1 built with it" in finding.fix.title


@pytest.mark.parametrize(("stride", "change"), [("2, stride=2, padding=1", "kernel_size=3"), ("3, 2, 2", "padding=1")])
def test_a_strided_layer_is_padded_by_half_of_its_reach(tmp_path: Path, stride: str, change: str) -> None:
    source = PYRAMID.format(SAME).replace("3, stride=2, padding=1", stride)
    (finding,) = report(tmp_path, source, "1,3,101,64").findings
    assert finding.fix is not None
    assert change in finding.fix.title
    assert finding.message.endswith("where 1/4 of the input is 26x16")


@pytest.mark.parametrize(("embed", "unpatch"), [("", ", stride=16"), (", stride=16", "")])
def test_a_stride_of_the_layer_that_is_undone_is_missed(tmp_path: Path, embed: str, unpatch: str) -> None:
    (finding,) = report(tmp_path, PATCHES.format(embed, unpatch), "2,3,48,64").findings
    assert finding.module == ("unpatch" if embed else "embed")
    assert finding.notes[-1].startswith("with `stride=16`")
    assert fixed(finding, (2, 3, 48, 64)) == (2, 3, 48, 64)


def test_a_layer_that_undoes_a_pool_has_the_stride_of_the_pool(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, POOLED.format(1, 2), "1,1,22,1124").findings
    assert (finding.module, finding.message) == ("up", "the output is 43x1124 where the input is 22x1124")
    assert fixed(finding, (1, 1, 22, 1124)) == (1, 1, 22, 1124)


def test_no_other_layer_makes_up_for_an_uneven_one(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)
        self.d2, self.d1 = (nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1) for _ in range(2))
        self.between = nn.Conv2d(4, 4, 2, padding=1)

    def forward(self, x):
        return self.d1(self.between(self.d2(self.e2(self.e1(x)))))
"""
    (finding,) = report(tmp_path, source, "1,3,64,32").findings
    assert finding.module == "between"
    assert fixed(finding, (1, 3, 64, 32)) == (1, 4, 64, 32)


VALID = """
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, {}), nn.ConvTranspose2d(4, 3, {})

    def forward(self, x):
        return self.up(F.relu(self.down(x)))
"""


@pytest.mark.parametrize(("down", "up", "given"), [("10", "3, dilation=3, output_padding=2", 29), ("9", "7", 28)])
def test_what_one_layer_takes_off_the_transposed_one_puts_on(tmp_path: Path, down: str, up: str, given: int) -> None:
    found = report(tmp_path, VALID.format(down, up), "1,3,30,31").findings
    finding = next(each for each in found if each.code != "SL104")
    assert finding.module == "down"
    assert finding.message == f"the output is {given}x{given + 1} where the input is 30x31"
    assert fixed(finding, (1, 3, 30, 31)) == (1, 3, 30, 31)


TWO_LEVELS = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 4, 3, {}, 1), nn.Conv2d(4, 4, 3, 2, 1)
        self.d2, self.d1 = nn.ConvTranspose2d(4, 4, 3, {}, 1), nn.ConvTranspose2d(4, 3, 3, 2, {})

    def forward(self, x):
        return self.d1(self.d2(self.e2(self.e1(x))))
"""


@pytest.mark.parametrize(
    ("values", "module", "change"),
    [
        ((1, 2, 1), "e1", "stride=2"),
        ((2, 1, 1), "d2", "stride=2"),
        ((2, 2, 0), "d1", "padding=1"),
    ],
)
def test_what_scales_no_more_is_made_to_scale_again(
    tmp_path: Path, values: tuple[int, ...], module: str, change: str
) -> None:
    (finding,) = report(tmp_path, TWO_LEVELS.format(*values), "1,3,45,45").findings
    assert finding.module == module
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (1, 3, 45, 45)) == (1, 3, 45, 45)


@pytest.mark.parametrize(("pad", "kernel", "module"), [(3, 8, "conv"), (2, 7, "pad")])
def test_a_layer_of_padding_is_there_for_the_layer_after_it(
    tmp_path: Path, pad: int, kernel: int, module: str
) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.pad, self.conv, self.out = nn.ReflectionPad2d({}), nn.Conv2d(3, 4, {}), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        return self.out(self.conv(self.pad(x)))
"""
    (finding,) = report(tmp_path, source.format(pad, kernel), "1,3,32,9").findings
    assert finding.module == module
    assert fixed(finding, (1, 3, 32, 9)) == (1, 3, 32, 9)
    assert report(tmp_path, source.format(3, 7), "1,3,32,9").ok


CONTEXT = """
    def __init__(self):
        super().__init__()
        self.context = nn.Conv1d(8, 8, 5)
        self.a, self.b = nn.Conv1d(8, 8, 3, padding=1), nn.Conv1d(8, 8, 3, padding=1)
        self.post = nn.Conv1d(8, 1, 7, padding=3)

    def forward(self, mel):
        y = F.interpolate(self.context(mel), scale_factor=16)
        return self.post(self.b(self.a(y)))
"""

DIGITS = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.ConvTranspose2d(16, 8, 3, 2, 1), nn.ConvTranspose2d(8, 8, 4, 2, 1)
        self.c, self.smooth = nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, z):
        return self.smooth(self.c(self.b(self.a(z))))
"""

ELECTRODES = """
    def __init__(self):
        super().__init__()
        self.time, self.space = nn.Conv2d(1, 8, (1, 25), padding=(0, 12)), nn.Conv2d(8, 8, (22, 1))
        self.more, self.out = nn.Conv2d(8, 8, (1, 9), padding=(0, 4)), nn.Conv2d(8, 1, (1, 9), padding=(0, 4))

    def forward(self, x):
        return self.out(self.more(self.space(self.time(x))))
"""

CRITIC = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.out = nn.Conv2d(8, 1, 4, 1, 1)

    def forward(self, x):
        return self.out(self.c(self.b(self.a(x))))
"""

LATENT = """
    def __init__(self):
        super().__init__()
        self.start, self.up = nn.Linear(16, 8 * 16), nn.ConvTranspose2d(8, 3, 3)

    def forward(self, z):
        return self.up(self.start(z).view(-1, 8, 4, 4))
"""

CAUSAL = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(8, 8, 3, padding=2), nn.Conv1d(8, 8, 3, padding=1)
        self.c = nn.Conv1d(8, 8, 3, padding=1)

    def forward(self, x):
        return self.c(self.b(self.a(x)[..., :-2]))
"""

WORDS = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(3, 2, 5, padding=2), nn.Conv1d(2, 2, 3, padding="same")
        self.c = nn.Conv1d(2, 2, 2, padding="valid")

    def forward(self, x):
        return self.c(self.b(self.a(x)))
"""


@pytest.mark.parametrize(
    ("source", "spec"),
    [
        (SUPER_RESOLUTION.format("9", "1", "5"), "1,3,33,33"),
        (SUPER_RESOLUTION.format(SAME, "3", "3"), "1,3,33,33"),
        (SUPER_RESOLUTION.format(SAME, SAME5, SAME), "1,3,33,33"),
        (VOCODER.format("7, padding=3", "4, 2, 1"), "1,8,17"),
        (PYRAMID.format(SAME), "1,3,101,64"),
        (PATCHES.format(", stride=16", ", stride=16"), "2,3,48,64"),
        (CONTEXT, "1,8,40"),
        (DIGITS, "1,16,4,4"),
        (ELECTRODES, "1,1,22,1125"),
        (CRITIC, "1,3,64,64"),
        (CAUSAL, "1,8,100"),
        (VALID.format("9", "3"), "1,3,30,31"),
        (LATENT, "2,16"),
        (WORDS, "2,3,40"),
    ],
)
def test_what_is_made_to_take_rows_off_is_let_be(tmp_path: Path, source: str, spec: str) -> None:
    assert report(tmp_path, source, spec).ok


MIRRORED = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 4, {}), nn.Conv2d(4, 4, {})
        self.d2, self.d1 = nn.ConvTranspose2d(4, 4, {}), nn.ConvTranspose2d(4, 3, 5, 2, 2)

    def forward(self, x):
        return self.d1(F.relu(self.d2(F.relu(self.e2(F.relu(self.e1(x)))))))
"""


@pytest.mark.parametrize(
    ("layers", "module", "change"),
    [
        (("5, 2, 2", "5, 2, 2", "6, 2, 2"), "d2", "kernel_size=5"),
        (("5, 2, 2", "5, 4, 2", "5, 2, 2"), "e2", "stride=2"),
        (("5, 4, 2", "5, 2, 2", "5, 2, 2"), "e1", "stride=2"),
    ],
)
def test_the_one_layer_that_is_like_no_other_is_made_like_them(
    tmp_path: Path, layers: tuple[str, ...], module: str, change: str
) -> None:
    """Where its mirror could be changed as well: two layers have the other value."""
    (finding,) = report(tmp_path, MIRRORED.format(*layers), "1,3,45,33").findings
    assert finding.module == module
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (1, 3, 45, 33)) == (1, 3, 45, 33)
