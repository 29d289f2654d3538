"""One layer that no other is like: of a discriminator, a codec, a U-Net, a head; and what is nearly so, but right."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.errors import ModelError
from tests.diagnosis.test_at_fault import fixed, report

DISCRIMINATOR = """
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 8, {}), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 8, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, {}))

    def forward(self, x):
        return self.layers(x){}
"""

CODEC = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2, self.e3 = nn.Conv1d(1, 4, 4, 2, 1), nn.Conv1d(4, 4, {}), nn.Conv1d(4, 4, 10, 5, 3)
        self.d3, self.d2 = nn.ConvTranspose1d(4, 4, 10, 5, 3, 1), nn.ConvTranspose1d(4, 4, 8, 4, 2)
        self.d1 = nn.ConvTranspose1d(4, 1, {})

    def forward(self, x):
        return self.d1(self.d2(self.d3(self.e3(self.e2(self.e1(x))))))
"""

VALID = """
    def __init__(self):
        super().__init__()
        self.a1, self.a2, self.b1 = nn.Conv2d(1, 4, {}), nn.Conv2d(4, 4, {}), nn.Conv2d(4, 4, 3)
        self.b2, self.c1, self.c2 = nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
        self.u2, self.u1 = nn.ConvTranspose2d(4, 4, 2, 2), nn.ConvTranspose2d(4, 4, {})
        self.d1, self.d2, self.head = nn.Conv2d(8, 4, 3), nn.Conv2d(8, 4, 3), nn.Conv2d(4, 2, 1)

    def join(self, skip, y):
        off = (skip.shape[2] - y.shape[2]) // 2
        return torch.cat([skip[:, :, off:off + y.shape[2], off:off + y.shape[3]], y], 1)

    def forward(self, x):
        a = self.a2(self.a1(x))
        b = self.b2(self.b1(F.max_pool2d(a, 2)))
        y = self.u2(self.c2(self.c1(F.max_pool2d(b, 2))))
        return self.head(self.d2(self.join(a, self.u1(self.d1(self.join(b, y))))))
"""

CAUSAL = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 8, 3, padding=2), nn.Conv1d(8, 8, 3, padding=4, dilation=2)
        self.res, self.out = nn.Conv1d(8, 8, {}), nn.Conv1d(8, {}, {})

    def forward(self, x):
        x = F.relu(self.a(x)[..., :-2])
        y = self.b(x)[..., :-4]
        return self.out(F.relu(y + self.res(x)))
"""

GENERATOR = """
    def __init__(self):
        super().__init__()
        self.first, self.up1 = nn.ConvTranspose2d(8, 8, 4), nn.ConvTranspose2d(8, 8, {})
        self.up2, self.up3 = nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(8, 8, 4, 2, 1)
        self.up4 = nn.ConvTranspose2d(8, 3, {})

    def forward(self, z):
        return self.up4(self.up3(self.up2(self.up1(self.first(z)))))
"""

NECK = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.up, self.mix = nn.Upsample(scale_factor={}), nn.Conv2d(16, 8, 3, padding=1)
        self.fine, self.coarse = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 4, {})

    def forward(self, x):
        x = self.b(F.relu(self.a(x)))
        y = self.c(F.relu(x))
        return self.fine(self.mix(torch.cat([x, self.up(y)], 1))), self.coarse(y)
"""

VIDEO = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv3d(3, 4, (3, 4, 4), {}, 1), nn.Conv3d(4, 8, 4, {}, 1)
        self.d2, self.d1 = nn.ConvTranspose3d(8, 4, 4, {}, 1), nn.ConvTranspose3d(4, 3, (3, 4, 4), (1, 2, 2), 1)

    def forward(self, x):
        return self.d1(self.d2(self.e2(self.e1(x))))
"""

WHOLE, ONE = "4, 2, 1", "4, 1, 0"


@pytest.mark.parametrize(
    ("source", "spec", "message", "right"),
    [
        (DISCRIMINATOR.format("6, 2, 1", ONE, ""), "1,3,128,128", "12x12 where 1/8 of the input is 13x13", 13),
        (DISCRIMINATOR.format("4, 2, 0", ONE, ""), "1,3,128,128", "12x12 where 1/8 of the input is 13x13", 13),
        (CODEC.format("8, 2, 2", WHOLE), "1,1,800", "1600 where the input is 800", 800),
        (CODEC.format("8, 4, 2", "4, 4, 1"), "1,1,800", "1598 where the input is 800", 800),
        (VIDEO.format("(2, 2, 2)", 2, 2), "1,3,16,32,32", "8x32x32 where the input is 16x32x32", 16),
        (VALID.format(3, 4, "2, 2"), "1,1,100,100", "62x62 where the other layers make it 66x66", 66),
        (VALID.format(3, 3, "2, 1"), "1,1,100,100", "33x33 where the other layers make it 66x66", 66),
        (CAUSAL.format(1, 2, 2), "2,1,100", "99 where the input is 100", 100),
        (CAUSAL.format(1, 2, 3), "2,1,100", "98 where the input is 100", 100),
        (GENERATOR.format("4, 2, 3", WHOLE), "2,8,1,1", "32x32 where the other layers make it 64x64", 64),
        (GENERATOR.format(WHOLE, "4, 1, 1"), "2,8,1,1", "33x33 where the other layers make it 64x64", 64),
    ],
)
def test_the_layer_that_no_other_is_like_is_made_like_them(
    tmp_path: Path, source: str, spec: str, message: str, right: int
) -> None:
    (finding,) = report(tmp_path, source, spec).findings
    assert (finding.code, finding.message.split(" is ", 1)[1]) == ("SL106", message)
    assert fixed(finding, tuple(map(int, spec.split(","))))[2] == right


@pytest.mark.parametrize(
    ("source", "spec"),
    [
        (DISCRIMINATOR.format(WHOLE, ONE, ""), "1,3,128,128"),
        (DISCRIMINATOR.format(WHOLE, "4, 2, 0", ""), "1,3,128,128"),
        (DISCRIMINATOR.format("5, 2, 2", ONE, ""), "1,3,128,128"),
        (CODEC.format("4, 2, 1", WHOLE), "1,1,800"),  # twice the rate comes back
        (CODEC.format("16, 8, 4", WHOLE), "1,1,800"),
        (VALID.format(5, 3, "2, 2"), "1,1,102,102"),  # the first layer may reach further
        (VALID.format(5, 5, "2, 2"), "1,1,104,104"),
        (CAUSAL.format(3, 2, 1).replace("self.res(x)", "F.pad(self.res(x), (2, 0))"), "2,1,100"),
        (CAUSAL.format(1, 2, 1), "2,1,100"),
        (GENERATOR.format(WHOLE, "2, 1, 0"), "2,8,1,1"),  # the corners of a grid of 32
    ],
)
def test_a_layer_may_be_the_only_one_of_its_kind(tmp_path: Path, source: str, spec: str) -> None:
    assert not report(tmp_path, source, spec).findings


@pytest.mark.parametrize(("down", "up", "module"), [("(1, 2, 2)", 2, "e2"), (2, "(1, 2, 2)", "d2")])
def test_of_two_layers_that_mirror_each_other_the_one_that_gives_no_whole_part_is_blamed(
    tmp_path: Path, down: object, up: object, module: str
) -> None:
    (finding,) = report(tmp_path, VIDEO.format("(1, 2, 2)", down, up), "1,3,16,32,32").findings
    assert finding.module == module
    assert fixed(finding, (1, 3, 16, 32, 32)) == (1, 3, 16, 32, 32)


def test_a_kernel_of_no_rows_raises_at_every_size(tmp_path: Path) -> None:
    source = NECK.format(2, 0)
    with pytest.raises(ModelError, match="kernel size should be greater than zero"):
        report(tmp_path, source, "1,3,160,160")


def test_each_output_has_the_size_of_its_features(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, NECK.format(2, 3), "1,3,160,160").findings
    assert (finding.module, finding.message) == ("coarse", "the output is 18x18 where 1/8 of the input is 20x20")
    assert not report(tmp_path, NECK.format(2, "3, padding=1"), "1,3,160,160").findings


@pytest.mark.parametrize("factor", [1, 4])
def test_a_resize_by_another_step_than_all_others_have_is_blamed_for_a_join(tmp_path: Path, factor: int) -> None:
    (finding,) = report(tmp_path, NECK.format(factor, 1), "1,3,160,160").findings
    assert finding.code == "SL208"
    assert finding.fix is not None
    assert finding.fix.title == f"`scale_factor=2` instead of {factor} in `up` makes the sizes fit"


def test_no_resize_is_written_where_no_size_fits(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(4, 1), Block(8, 2))

    def forward(self, x):
        return self.blocks(x)


class Block(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.conv, self.res = nn.Conv1d(channels, 8, 3, dilation=dilation), nn.Conv1d(channels, 8, 1)

    def forward(self, x):
        y = self.conv(x)[..., :-2]
        return F.relu(y + self.res(x))
"""
    (finding,) = report(tmp_path, source, "2,4,100").findings
    assert finding.message == "`add` joins 100 from `blocks.0.res` with 96 from `blocks.0.conv`"
    assert finding.fix is not None
    assert not finding.fix.edits


@pytest.mark.parametrize(
    ("middle", "last", "rows", "change"),
    [("4, 2, 3", ONE, 8, "padding=1"), (WHOLE, "4, 1, 2", 50, "padding=0")],
)
def test_a_layer_for_which_a_sample_has_several_scores_is_blamed(
    tmp_path: Path, middle: str, last: str, rows: int, change: str
) -> None:
    source = DISCRIMINATOR.format(middle, last, ".view(-1, 1)")
    (finding,) = report(tmp_path, source, "2,3,32,32").findings
    assert finding.message == f"`view` makes {rows} rows of 2 samples at 32x32"
    assert finding.fix is not None
    assert change in finding.fix.title
    assert fixed(finding, (2, 3, 32, 32)) == (2, 1)


def test_a_last_layer_that_makes_one_score_of_a_map_is_not_built_for_larger_pictures(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, DISCRIMINATOR.format(WHOLE, ONE, ".view(-1, 1)"), "2,3,64,64").findings
    assert (finding.code, finding.message) == ("SL402", "`view` makes 50 rows of 2 samples at 64x64")
    assert "a row is a sample for: H and W from 32 to 39" in finding.notes
    assert fixed(finding, (2, 3, 64, 64)) == (2, 1)


@pytest.mark.parametrize("last", [ONE, "4, 1, 1", "3, 1, 0", "3, 1, 1"])
def test_patches_of_a_picture_may_each_have_a_score(tmp_path: Path, last: str) -> None:
    assert not report(tmp_path, DISCRIMINATOR.format(WHOLE, last, ".view(-1, 1)"), "2,3,32,32").findings


@pytest.mark.parametrize(("padding", "findings"), [(3, 1), (2, 0)])
def test_one_other_layer_tells_what_is_padded_beyond_its_reach(tmp_path: Path, padding: int, findings: int) -> None:
    layer = f"8, 8, 4, 2, {padding}), nn.Conv2d("
    source = SCORES.format("self.layers(x).view(-1, 1)").replace("8, 1, 4", layer + "8, 1, 4")
    assert len(report(tmp_path, source, "2,3,16,16").findings) == findings


SCORES = """
    def __init__(self, together=2):
        super().__init__()
        self.layers, self.together = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 1, 4)), together

    def forward(self, x):
        return {}
"""


@pytest.mark.parametrize(
    ("returned", "rows", "values"),
    [("self.layers(x).view(-1, 2)", "2 rows", "1 value"), ("x.view(-1, 6, 8, 8)", "2 rows", "192 values")],
)
def test_a_view_that_puts_two_samples_into_a_row_is_blamed(
    tmp_path: Path, returned: str, rows: str, values: str
) -> None:
    (finding,) = report(tmp_path, SCORES.format(returned), "4,3,8,8").findings
    assert finding.code == "SL402"
    assert finding.message == f"`view` makes {rows} of 4 samples at 8x8"
    assert finding.fix is not None
    assert finding.fix.title == f"give a row the {values} that a sample has"


@pytest.mark.parametrize(
    "returned",
    [
        "self.layers(x).view(-1, self.together)",  # the choices of a question
        "x.view(-1, 2, 3, 8, 8)",  # the frames of a video
        "self.layers(x).view(-1, 1)",
        "x.view(-1, 2, 3, 8, 8).mean(1)",  # the views of one thing
    ],
)
def test_samples_that_go_together_on_purpose_are_let_be(tmp_path: Path, returned: str) -> None:
    assert not report(tmp_path, SCORES.format(returned), "4,3,8,8").findings


def test_a_view_that_puts_the_sources_into_the_channels_is_blamed(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.enc, self.mask = nn.Conv1d(1, 8, 16, 8), nn.Conv1d(8, 16, 1)
        self.dec = nn.ConvTranspose1d(8, 1, 16, 8)

    def forward(self, x):
        w = self.enc(x)
        m = self.mask(w).view(x.size(0), 2, 8, -1) * w.unsqueeze(1)
        return self.dec(m.view(-1, 16, w.size(-1))).view(x.size(0), 2, -1)
"""
    (finding,) = report(tmp_path, source, "1,1,400").findings
    assert finding.message == "`dec` is built for 8 channels and gets 16: `view` makes 16 of 8"
    assert fixed(finding, (1, 1, 400)) == (1, 2, 400)


def test_only_the_illegal_axis_of_an_output_padding_changes(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv3d(1, 4, 3, (1, 2, 2), 1), nn.Conv3d(4, 4, 3, (1, 2, 2), 1)
        self.d2 = nn.ConvTranspose3d(4, 4, 3, (1, 2, 2), 1, output_padding=(0, 1, 0))
        self.d1 = nn.ConvTranspose3d(4, 1, 3, (1, 2, 2), 1, output_padding=(0, 3, 1))

    def forward(self, x):
        return self.d1(self.d2(self.e2(self.e1(x))))
"""
    (finding,) = report(tmp_path, source, "1,1,8,60,90").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith("`output_padding=(0, 1, 1)` instead of (0, 3, 1) in `d1`")
    assert fixed(finding, (1, 1, 8, 60, 90)) == (1, 1, 8, 60, 90)


def test_a_pool_to_no_rows_is_answered(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.pool, self.head = nn.AdaptiveAvgPool2d(0), nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.pool(self.c(self.b(self.a(x)))).flatten(1))
"""
    (finding,) = report(tmp_path, source, "2,3,32,32").findings
    assert (finding.code, finding.module) == ("SL207", "head")
