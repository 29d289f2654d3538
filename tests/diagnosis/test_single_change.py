"""The one argument that is changed where a join raises, and what eager PyTorch then gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

BRANCHES = """
    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 8, 3, {}, padding=1), {}

    def forward(self, x):
        return torch.cat([self.one(x), self.other(x)], 1)
"""

POOLED = """
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(1 if not k else 4, 4, 3, padding=1) for k in range(3))
        self.pools = nn.ModuleList([nn.MaxPool2d(2), nn.MaxPool2d(3, 2), nn.MaxPool2d(2)])
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        skips = []
        for conv, pool in zip(self.convs, self.pools):
            skips.append(conv(x))
            x = pool(skips[-1])
        for skip in reversed(skips):
            x = self.up(x) + skip
        return x
"""

LEVELS = """
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)

    def forward(self, x):
        a = self.c1(x)
        b = self.c2(a)
        c = self.c3(b)
        return a + F.interpolate(c, scale_factor=2), b + F.interpolate(c, scale_factor=2)
"""


@pytest.mark.parametrize(
    ("stride", "other", "change", "size"),
    [
        (2, "nn.MaxPool2d(3, stride=2)", {"other.padding": (1, 1)}, (16, 17)),
        (1, "nn.MaxPool2d(3, padding=1)", {"other.stride": (1, 1)}, (32, 33)),
        (2, "nn.AvgPool2d(kernel_size=2, stride=2, padding=1)", {"other.padding": (0, 0)}, (16, 16)),
        (2, "nn.Conv2d(3, 8, 5, stride=2, padding=1)", {"other.padding": (2, 2)}, (16, 17)),
        (1, "nn.Conv2d(3, 8, (3, 4), padding=1)", {"other.kernel_size": (3, 3)}, (32, 33)),
        (1, "nn.Conv2d(3, 8, 3, padding=2, dilation=4)", {"other.padding": (4, 4)}, (32, 33)),
    ],
)
def test_the_layer_that_gives_no_whole_part_is_changed(
    tmp_path: Path, stride: int, other: str, change: dict[str, tuple[int, ...]], size: tuple[int, ...]
) -> None:
    width = 33 if size[0] != size[1] else 32
    (finding,) = report(tmp_path, BRANCHES.format(stride, other), f"2,3,32,{width}").findings
    assert finding.fix is not None
    assert finding.fix.assignments == change
    assert fixed(finding, (2, 3, 32, width)) == (2, 11 if "Pool" in other else 16, *size)


def test_the_pool_unlike_the_others_is_changed_and_no_convolution(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, POOLED, "2,1,64,64").findings
    assert finding.fix is not None
    assert finding.fix.assignments == {"pools.1.kernel_size": (2, 2)}
    assert fixed(finding, (2, 1, 64, 64)) == (2, 4, 64, 64)


def test_layers_that_are_alike_stay_so_where_a_map_of_another_level_was_joined(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, LEVELS, "1,3,128,128").findings
    assert finding.code == "SL208"
    assert finding.fix is not None
    assert not finding.fix.assignments
    assert "such as that of `c2`" in finding.fix.title


GATED = """
    def __init__(self, k=4):
        super().__init__()
        self.half, self.conv = (k - 1) // 2, nn.Conv2d(4, 4, k)

    def forward(self, x):
        half = self.half
        return x * torch.sigmoid(self.conv(F.pad(x, (half, half, half, half), mode="reflect")))
"""

DECOMPOSED = """
    def __init__(self):
        super().__init__()
        self.windows = nn.ModuleList(nn.AvgPool1d(k, 1) for k in (9, 12))

    def forward(self, x):
        return torch.cat([self.trend(x, window) - x for window in self.windows], -1)

    def trend(self, x, window):
        k = window.kernel_size[0]
        ends = x[:, :1].expand(-1, (k - 1) // 2, -1), x[:, -1:].expand(-1, (k - 1) // 2, -1)
        return window(torch.cat([ends[0], x, ends[1]], 1).transpose(1, 2)).transpose(1, 2)
"""


def test_a_pad_alike_on_both_sides_of_an_even_kernel_gets_one_row_more(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, GATED, "2,4,40,41").findings
    assert finding.code == "SL204"
    assert finding.message == "`pad` gives 42x43 where 43x44 is needed: it adds the same on both sides"
    assert fixed(finding, (2, 4, 7, 8)) == (2, 4, 7, 8)


def test_rows_repeated_around_windows_of_several_kernels_are_right_for_all_of_them(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, DECOMPOSED, "2,96,7").findings
    assert finding.message == "`cat` gives 106 where 107 is needed: it adds the same on both sides"
    assert finding.fix is not None
    assert finding.fix.title == "write `x[:, -1:].expand(-1, k // 2, -1)`"
    assert fixed(finding, (2, 31, 7)) == (2, 31, 14)


STRETCHED = """
    def __init__(self):
        super().__init__()
        self.d1, self.d2, self.d3 = nn.Conv1d(1, 4, 4, 3), nn.Conv1d(4, 4, 3, 2, 1), nn.Conv1d(4, 4, 3, 2, 1)
        self.u3, self.u2 = nn.ConvTranspose1d(4, 4, 3, 2, 1), nn.ConvTranspose1d(4, 4, 3, 2, 1)
        self.u1 = nn.ConvTranspose1d(4, 1, 4, 3)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(a)
        c = self.d3(b)
        y = self.u3(c, output_size=b.shape[-1:])
        return self.u1(self.u2(y, b.shape), output_size=x.shape)
"""


def test_a_size_that_a_layer_cannot_give_is_the_one_that_its_mirror_took(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, STRETCHED, "2,1,102").findings
    assert finding.message == "`u2` is asked for 17, and can give 33 to 34"
    assert "`d2` took 33" in finding.notes
    assert fixed(finding, (2, 1, 102)) == (2, 1, 102)


HEADS = """
    def __init__(self, features):
        super().__init__()
        self.conv, self.gru = nn.Conv1d(1, 8, 5, stride=2), nn.GRU(8, 16, batch_first=True)
        self.fc = nn.Linear(features, 4)

    def forward(self, x):
        y = self.conv(x{})
        return self.fc({}.flatten(1))
"""


@pytest.mark.parametrize(
    ("size", "given", "taken", "pooled"),
    [
        ((2, 100), ".unsqueeze(1)", "y", True),
        ((2, 1, 100), "", "self.gru(y.transpose(1, 2))[0]", False),  # steps are not the last axis
    ],
)
def test_a_head_is_built_for_what_arrives_and_pooled_only_where_that_is_a_map(
    tmp_path: Path, size: tuple[int, ...], given: str, taken: str, pooled: bool
) -> None:
    body = HEADS.replace("self, features", "self").replace("features, 4", "400, 4" if pooled else "800, 4")
    (finding,) = report(tmp_path, body.format(given, taken), ",".join(map(str, size))).findings
    assert finding.code == "SL304"
    assert any("AdaptiveAvgPool1d(50)" in note for note in finding.notes) is pooled
    assert fixed(finding, size) == (2, 4)


HIDDEN = """
    def __init__(self):
        super().__init__()
        self.pool, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)

    def forward(self, x):
        return self.up(self.pool(x))[..., :73, :144]
"""


def test_a_pool_that_rounds_the_other_way_makes_odd_sizes_fit(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, BRANCHES.format(2, "nn.MaxPool2d(2)"), "2,3,33,32").findings
    assert finding.fix is not None
    assert finding.fix.title == "`ceil_mode=True` instead of False in `other` makes the sizes fit"
    assert fixed(finding, (2, 3, 33, 32)) == (2, 11, 17, 16)


def test_a_crop_that_hides_a_row_is_no_reason_to_resize(tmp_path: Path) -> None:
    (hidden,) = report(tmp_path, HIDDEN, "1,1,73,144").findings
    assert fixed(hidden, (1, 1, 73, 144)) == (1, 1, 73, 144)
    assert "nearest to 73x144 that restore: 72x144" in hidden.notes


CAUSAL = """
    def __init__(self, k=3):
        super().__init__()
        self.k, self.conv = k, nn.Conv1d(4, 4, k)

    def forward(self, x):
        return x + self.conv(F.pad(x, (self.k - 2, 0)))
"""


def test_a_number_that_other_code_reads_is_not_written(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CAUSAL, "1,4,64").findings
    assert finding.fix is not None
    assert not finding.fix.edits
    assert "no edit: the text that sets it is read elsewhere too, and the model then raises there" in finding.notes


@pytest.mark.parametrize("kernel", [2, 3])
def test_a_kernel_is_stepped_along_the_one_axis_that_is_wrong(tmp_path: Path, kernel: int) -> None:
    source = f"""
    def __init__(self):
        super().__init__()
        self.time, self.space = nn.Conv2d(1, 4, (1, 9), (1, 4), (0, 4)), nn.Conv2d(4, 8, (22, 1))
        self.back, self.up = nn.ConvTranspose2d(8, 4, (22, {kernel})), nn.ConvTranspose2d(4, 1, (1, 4), (1, 4))

    def forward(self, x):
        return self.up(self.back(self.space(self.time(x))))
"""
    (finding,) = report(tmp_path, source, "2,1,22,256").findings
    assert finding.module == "back"
    assert fixed(finding, (2, 1, 22, 256)) == (2, 1, 22, 256)


def test_a_word_for_no_padding_becomes_the_padding_that_the_join_asks_for(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.a, self.res = nn.Conv1d(6, 16, 3, padding="same"), nn.Conv1d(6, 32, 1)
        self.b = nn.Conv1d(16, 32, 3, padding="valid")

    def forward(self, x):
        return self.b(self.a(x)) + self.res(x)
"""
    (finding,) = report(tmp_path, source, "2,6,40").findings
    assert finding.fix is not None
    assert finding.fix.assignments == {"b.padding": (1,)}
    assert fixed(finding, (2, 6, 40)) == (2, 32, 40)


BLOCK = """
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(2))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.pad, self.a = nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3)
        self.b, self.short = nn.Conv2d(8, 8, {}), nn.Conv2d(8, 8, 1)

    def forward(self, x):
        y = self.b(self.a(self.pad(F.interpolate(x, scale_factor=2))))
        return y + self.short(F.interpolate(x, scale_factor={}))
"""


@pytest.mark.parametrize(
    ("numbers", "title"),
    [
        ((1, 1), "`scale_factor=2` instead of 1 in `interpolate on line 25`"),
        ((2, 2), "`kernel_size=1` instead of 2 in `blocks.0.b` and the 1 built with it"),
    ],
)
def test_a_resize_that_does_nothing_and_a_kernel_that_takes_one_row_are_at_fault_beside_a_shortcut(
    tmp_path: Path, numbers: tuple[int, int], title: str
) -> None:
    (finding,) = report(tmp_path, BLOCK.format(*numbers), "2,8,8,8").findings
    assert finding.fix is not None
    assert finding.fix.title == f"{title} makes the sizes fit"
    assert fixed(finding, (2, 8, 8, 8)) == (2, 8, 32, 32)


def test_of_layers_that_a_helper_is_handed_their_stride_for_the_one_with_the_odd_one_is_changed(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = Conv(3, 8, 3, 2), Conv(8, 8, 3, 2), Conv(8, 8, 3, 4)
        self.mix, self.up, self.down = Conv(8, 8, 1, 1), nn.Upsample(scale_factor=2), Conv(16, 8, 3, 2)

    def forward(self, x):
        p = self.b(self.a(x))
        r = self.mix(self.c(p))
        return torch.cat([self.down(torch.cat([self.up(r), p], 1)), r], 1)


class Conv(nn.Module):
    def __init__(self, i, o, k, s):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, s, k // 2)

    def forward(self, x):
        return F.relu(self.conv(x))
"""
    (finding,) = report(tmp_path, source, "2,3,64,64").findings
    assert finding.fix is not None
    assert finding.fix.title == "`stride=2` instead of 4 in `c.conv` makes the sizes fit"
    assert fixed(finding, (2, 3, 64, 64)) == (2, 16, 8, 8)
