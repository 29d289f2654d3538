"""Models as people show them with their error: what is offered as a fix is what was accepted there, or advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

_LAST = "`skip[..., -y.shape[-1]:]`"

BRANCHES = """
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 1)
        self.two = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 8, 3, padding=1))
        self.three = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 8, 5))
        self.four = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 4, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.two(x), self.three(x), self.four(x)], 1)
"""

CAUSAL = """
    def __init__(self):
        super().__init__()
        self.start = nn.Conv2d(2, 4, 1)
        self.steps = nn.ModuleList(nn.Conv2d(4, 4, (1, 2), dilation=(1, 2 ** (i % 2))) for i in range(4))

    def forward(self, x):
        x = self.start(x)
        for step in self.steps:
            x = x + torch.tanh(step(x))
        return x
"""

LEVELS = """
    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1))
        self.middle, self.coarse = nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        self.dilated, self.low = nn.Conv2d(16, 8, 3, padding=6, dilation=6), nn.Conv2d(8, 4, 1)
        self.last = nn.Conv2d(12, 5, 3, padding=1)

    def forward(self, x):
        fine = self.fine(x)
        middle = self.middle(fine)
        y = F.interpolate(self.dilated(self.coarse(middle)), scale_factor=4)
        return F.interpolate(self.last(torch.cat([y, self.low(middle)], 1)), size=x.shape[2:])
"""

FLOWS = """
    def __init__(self):
        super().__init__()
        def conv(i, o, k=3, stride=1):
            return nn.Sequential(nn.Conv2d(i, o, k, stride=stride, padding=(k - 1) // 2), nn.ReLU())
        self.two = nn.Sequential(conv(6, 8, 7, stride=2), conv(8, 16, 5, stride=2))
        self.three, self.four = conv(16, 32, 5, stride=2), conv(32, 32, stride=2)
        self.low, self.up = nn.Conv2d(32, 2, 3, 2, 1), nn.ConvTranspose2d(2, 2, 4, 2, 1)
        self.high, self.last = nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.Conv2d(50, 2, 3, 1, 1)

    def forward(self, x):
        three = self.three(self.two(x))
        four = self.four(three)
        flow = self.low(four)
        parts = [y[:, :, :three.shape[2], :three.shape[3]] for y in (self.high(four), self.up(flow))]
        return self.last(torch.cat([three, *parts], 1)), flow
"""

HELPERS = """
    def __init__(self):
        super().__init__()
        def block(cin, cout, k=3, s=1):
            return nn.Sequential({conv}, nn.BatchNorm2d(cout), nn.LeakyReLU(0.1))
        self.one, self.two = block(3, 8), block(8, 16, s=2)
        self.three = block({number}, 16)

    def forward(self, x):
        return self.three(self.two(self.one(x)))
"""

MIXER = """
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Conv2d(3, 6, 8, 8), nn.LayerNorm(6)
        self.tokens = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        return x + self.tokens(self.norm(x))
"""

ATTENDED = """
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)

    def forward(self, x, context):
        return x + self.attention(x, context, context)[0]
"""

CONDITIONED = """
    def __init__(self):
        super().__init__()
        self.conv, self.time = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(8, 16)

    def forward(self, x, t):
        return {}
"""

HALVED = """
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 4, 1)
        self.steps = nn.ModuleList(nn.Conv1d(4, 4, 3, dilation=2 ** i{}) for i in range(3))

    def forward(self, x):
        x = self.first(x)
        for i, step in enumerate(self.steps):
            x = x + {}
        return x
"""

RESIDUAL = """
    def __init__(self):
        super().__init__()
        self.back, self.fore = nn.Linear(60, 12), nn.Linear(60, 60)

    def forward(self, x):
        return self.fore(x) - self.back(x)
"""

TOKENS = """
    def __init__(self):
        super().__init__()
        self.embed, self.token = nn.Conv2d(3, 6, 8, 8), nn.Parameter(torch.zeros(1, 1, 6))
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), 1)
        self.register_buffer("mask", torch.zeros(9, 9))

    def forward(self, x):
        rows = self.embed(x).flatten(2).transpose(1, 2)
        {}
"""

LOCALIZED = """
    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(1, 10, 5), nn.MaxPool2d(5))
        self.place = nn.Sequential(nn.Linear(90, 8), nn.Linear(8, 6))

    def forward(self, x):
        rows = self.look(x).view(-1, 90)
        grid = F.affine_grid(self.place(rows).view(-1, 2, 3), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)
"""


@pytest.mark.parametrize(
    ("body", "specs", "message", "advice"),
    [
        (
            CONDITIONED.format("self.conv(x) + self.time(t)"),
            ["2,3,32,32", "2,8"],
            "`add` joins 2x16 from `time` with 2x16x32x32 from `conv`",
            "give what `time` gives the axes of the other: `[:, :, None, None]`",
        ),
        (
            CONDITIONED.format("torch.cat([self.conv(x), self.time(t)], 1)"),
            ["2,3,32,24", "2,8"],
            "`cat` joins 2x16 from `time` with 2x16x32x24 from `conv`",
            "give what `time` gives the axes of the other: `[:, :, None, None].expand(-1, -1, 32, 24)`",
        ),
        (
            CONDITIONED.format("self.conv(x).flatten(2).transpose(1, 2) + self.time(t)"),
            ["2,3,32,32", "2,8"],
            "`add` joins 2x16 from `time` with 2x1024x16 from `conv`",
            "give what `time` gives the axes of the other: `[:, None]`",
        ),
        (
            CONDITIONED.format("torch.cat([x, x.mean()], 1)"),
            ["2,3,8,8", "2,8"],
            "`cat` joins a scalar from `input` with 2x3x8x8 from `input`",
            "give both as many axes: 0 in what `input` gives, 4 in the other",
        ),
        (
            RESIDUAL,
            ["8,60"],
            "`sub` joins 8x12 from `back` with 8x60 from `fore`",
            "let `fore` give 12, or `back` give 60",
        ),
        (
            CAUSAL,
            ["1,2,20,13"],
            "`add` joins 20x12 from `steps.0` with 20x13 from `start`",
            f"crop what `start` gives to the last rows of the other: {_LAST}, or pad ahead of `steps.0`",
        ),
        (
            HALVED.format("", "step(F.pad(x, (2 ** i, 0)))"),
            ["1,1,100"],
            "`add` joins 99 from `steps.0` with 100 from `first`",
            "pad by 2 in all ahead of `steps.0`, which takes 2 rows off: it gets 1",
        ),
        (
            HALVED.format(", padding=2 ** (i + 1)", "step(x)[..., :-2]"),
            ["1,1,100"],
            "`add` joins 102 from `steps.1` with 100 from `first`",
            (
                "cut 4 rows off behind `steps.1`, as many as its `padding`: "
                "it gives 4 more than it takes, and the crop takes 2"
            ),
        ),
        (
            TOKENS.format("return torch.cat([self.token, rows], 1)"),
            ["2,3,32,32"],
            "`cat` raises at every size",
            "give each sample the rows that are one for all: `.expand(x.shape[0], -1, -1)`",
        ),
        (
            LOCALIZED,
            ["4,1,64,64"],
            "`view` makes 64 rows of 4 samples at 64x64",
            "write `self.look(x).flatten(1)`, and build the layer after it for 1440 features",
        ),
    ],
)
def test_what_is_no_map_is_not_resized(tmp_path: Path, body: str, specs: list[str], message: str, advice: str) -> None:
    (finding,) = report(tmp_path, body, *specs).findings
    assert finding.fix is not None
    assert (finding.message, finding.fix.title, finding.fix.safety.value) == (message, advice, "advice")


def test_a_slice_that_takes_every_second_row_is_no_missing_stride(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.local, self.reduce = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return self.local(x) + self.reduce(x)[..., ::2, ::2]
"""
    (finding,) = report(tmp_path, body, "2,8,64,64").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.edits) == ("SL208", ())


STEPS = """
    def __init__(self):
        super().__init__()
        def down(cin, cout, step):
            return nn.Conv1d(cin, cout, 2 * step, step, step // 2)
        def up(cin, cout, step):
            return nn.ConvTranspose1d(cin, cout, 2 * step, step, step // 2)
        self.layers = nn.Sequential(down(1, 4, 2), down(4, 8, {}), up(8, 4, {}), up(4, 1, 2))

    def forward(self, x):
        return self.layers(x)[..., :x.shape[-1]]
"""


def test_the_call_that_hands_a_helper_the_wrong_step_is_blamed(tmp_path: Path) -> None:
    assert report(tmp_path, STEPS.format(4, 4), "1,1,800").ok
    (finding,) = report(tmp_path, STEPS.format(4, 3), "1,1,800").findings
    assert finding.code == "SL106"
    assert finding.location is not None
    assert "up(8, 4, 3)" in finding.location.text()


def test_a_crop_hides_no_factor_that_a_change_adds(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, STEPS.format(6, 4), "1,1,800").findings
    assert (finding.code, finding.fix) == ("SL106", None)  # by a step of 2: 8 of 4, half cut off


def test_a_crop_of_a_smaller_level_gets_the_larger_one(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)
        self.up, self.last = nn.ConvTranspose2d(8, 8, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)

    def crop(self, skip, y):
        d = (skip.shape[-1] - y.shape[-1]) // 2
        return torch.cat([skip[..., d:d + y.shape[-1], d:d + y.shape[-1]], y], 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        y = self.last(self.crop(b, self.up(self.c(F.max_pool2d(b, 2)))))
        return self.crop(b, y)
"""
    (finding,) = report(tmp_path, body, "1,3,50,50").findings
    assert finding.fix is not None
    assert finding.code == "SL204"
    assert finding.fix.title == "crop a map of a larger level, such as the 48x48 of `a`"


def test_a_lateral_of_a_pyramid_is_no_shortcut(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.c2, self.c3, self.c4 = nn.Conv2d(3, 8, 3, 4, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.l2, self.l3, self.l4 = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)

    def forward(self, x):
        c2 = self.c2(x)
        c3 = self.c3(c2)
        p4 = F.interpolate(self.l4(self.c4(c3)), scale_factor=2)
        return self.l3(c3) + p4, self.l2(c2) + p4
"""
    (finding,) = report(tmp_path, body, "1,3,64,64").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.edits) == ("SL208", ())
    assert "stride=" not in finding.fix.title


ORDERED = """
    def __init__(self):
        super().__init__()
        self.conv, self.layer = nn.Conv{}d(3, 12, 3, padding=1), {}

    def forward(self, x):
        return self.layer({})
"""


@pytest.mark.parametrize(
    ("layer", "call", "spec", "advice"),
    [
        ("nn.LSTM(12, 8)", "self.conv(x)", "2,3,40", "`.transpose(1, 2)` ahead of `layer`: axis 1 has the 12"),
        (
            "nn.LayerNorm(12)",
            "self.conv(x)",
            "2,3,20,30",
            "`.permute(0, 2, 3, 1)` ahead of `layer`, and back behind it: axis 1 has the 12",
        ),
        (
            "nn.Sequential(nn.Linear(40, 16), nn.BatchNorm1d(16))",
            "self.conv(x)",
            "2,3,40",
            "`.transpose(1, 2)` ahead of `layer.1`, and back behind it: axis 2 has the 16",
        ),
    ],
)
def test_a_layer_that_gets_its_features_on_another_axis_is_not_rebuilt(
    tmp_path: Path, layer: str, call: str, spec: str, advice: str
) -> None:
    body = ORDERED.format(spec.count(",") - 1, layer, call)
    found = [each for each in report(tmp_path, body, spec).findings if each.severity.name == "ERROR"]
    assert [each.fix is not None and each.fix.edits for each in found] == [()]
    assert found[0].fix is not None
    assert found[0].fix.title == f"put {advice}"


def test_a_mask_that_does_not_fit_is_blamed_on_the_call_that_hands_it_over(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, TOKENS.format("return self.encoder(rows, mask=self.mask)"), "2,3,32,32").findings
    assert finding.location is not None
    assert "self.encoder(rows, mask=self.mask)" in finding.location.text()


ROUNDED = """
    def __init__(self):
        super().__init__()
        self.down, self.deeper = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)
        self.up, self.last = nn.ConvTranspose2d(4, 4, 2, 2), nn.ConvTranspose2d(8, 3, 2, 2)

    def forward(self, x):
        h, w = x.shape[-2:]
        x = {}
        skip = self.down(x)
        return self.last(torch.cat([self.up(self.deeper(skip)), skip], 1))[..., :h, :w]
"""

TO_PAD = """

def pad(x, step):
    h, w = x.shape[-2:]
    return F.pad(x, (0, -w % step, 0, -h % step))
"""


@pytest.mark.parametrize(
    ("call", "blamed", "right"),
    [
        ("F.pad(x, (0, (2 - w % 2) % 2, 0, (2 - h % 2) % 2))", "(2 - w % 2) % 2", "(4 - w % 4) % 4"),
        ("pad(x, 6)", "pad(x, 6)", "pad(x, 4)"),
    ],
)
def test_a_pad_to_multiples_of_another_number_is_blamed(tmp_path: Path, call: str, blamed: str, right: str) -> None:
    (finding,) = report(tmp_path, ROUNDED.format(call) + TO_PAD, "1,3,41,41").findings
    assert finding.code == "SL204"
    assert finding.message.endswith("where the layers need multiples of 4")
    assert finding.location is not None
    assert blamed in finding.location.text()
    assert fixed(finding, (2, 3, 41, 41)) == (2, 3, 41, 41)
    assert right in (tmp_path / "fixed.py").read_text()


@pytest.mark.parametrize(
    ("constant", "start"),
    [
        ("\n    step = 2\n", "def __init__(self):\n"),
        ("\n", "def __init__(self):\n        self.step = 2\n"),
        ("\n", "def __init__(self, step=2):\n        self.step = step\n"),
        ("\n", "def __init__(self, *, unit=2):\n        self.step = unit\n"),
    ],
)
def test_the_constant_to_whose_multiples_is_padded_is_blamed(tmp_path: Path, constant: str, start: str) -> None:
    code = ROUNDED.format("F.pad(x, (0, -w % self.step, 0, -h % self.step))").replace("def __init__(self):\n", start)
    (finding,) = report(tmp_path, constant + code, "1,3,41,41").findings
    assert finding.code == "SL204"
    assert finding.location is not None
    assert finding.location.content() == "2"
    assert fixed(finding, (2, 3, 41, 41)) == (2, 3, 41, 41)


def test_the_call_that_hands_a_helper_the_wrong_number_is_blamed_and_mended(tmp_path: Path) -> None:
    right = "nn.Conv2d(cin, cout, k, s, k // 2)"
    (finding,) = report(tmp_path, HELPERS.format(conv=right, number=8), "1,3,32,32").findings
    assert finding.location is not None
    assert finding.location.text().strip() == "self.three = block(8, 16)"
    assert finding.fix is not None
    assert finding.fix.title == "write `block(16, 16)`"
    assert fixed(finding, (2, 3, 32, 32)) == (2, 16, 16, 16)
    inside = "nn.Conv2d(cin, cout, k, s, k // 2), nn.Conv2d(cin, cout, 1)"
    (finding,) = report(tmp_path, HELPERS.format(conv=inside, number=16), "1,3,32,32").findings
    assert finding.location is not None
    assert "nn.Conv2d(cin, cout, 1)" in finding.location.text()  # both numbers are the helper's own


def test_tokens_that_are_to_be_mixed_are_transposed_there(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, MIXER, "1,3,32,32").findings
    assert finding.fix is not None
    assert (finding.module, finding.fix.edits) == ("tokens.0", ())
    assert finding.fix.title == "put `.transpose(1, 2)` ahead of `tokens.0`, and back behind it: axis 1 has the 16"


def test_attention_to_what_has_other_features_is_told_so(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, ATTENDED, "2,10,64", "2,7,96").findings
    assert finding.message == "`attention` is built for 64 features and gets 96 from `attention`"
    assert finding.fix is not None
    assert finding.fix.title == "build `attention` with `kdim=96, vdim=96`"


def test_a_kernel_is_padded_rather_than_taken_away(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, BRANCHES, "1,3,28,28").findings
    assert finding.fix is not None
    assert dict(finding.fix.assignments) == {"three.1.padding": (2, 2)}
    assert fixed(finding, (2, 3, 28, 28)) == (2, 24, 28, 28)


def test_layers_that_take_rows_off_on_purpose_keep_their_kernels(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CAUSAL, "1,2,20,13").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.safety.value, finding.fix.edits) == ("SL201", "advice", ())


def test_where_another_level_fits_no_layer_gets_a_step_or_other_rows(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, LEVELS, "1,3,128,128").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.safety.value, finding.fix.edits) == ("SL208", "advice", ())
    assert "such as that of `fine.1`" in finding.fix.title


def test_steps_that_a_helper_is_handed_are_not_all_taken_away(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, FLOWS, "1,6,64,64").findings
    assert finding.code == "SL208"
    assert finding.fix is None or not finding.fix.edits
