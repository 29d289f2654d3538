"""One number in a call that raises far behind it, or nowhere: which call is blamed, and what is written there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

SHUFFLED = """
    def __init__(self):
        super().__init__()
        self.up = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1),
            nn.PixelShuffle({}), nn.PReLU(),
            nn.Conv2d(16, 3, 3, padding=1))

    def forward(self, x):
        return self.up(x)
"""

LATENT = """
    def __init__(self):
        super().__init__()
        self.fc, self.up = nn.Linear(16, 128), nn.ConvTranspose2d(8, 1, 4, 2, 1)

    def forward(self, z):
        return self.up(F.relu(self.fc(z)).view(-1, 8, {}, 4))
"""

CROPPED = """
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 3)

    def forward(self, x):
        y = self.conv(x)
        extra = x.shape[-1] - y.shape[-1]
        return y[..., extra * {}:]
"""

HOURGLASS = """
    def __init__(self):
        super().__init__()
        self.stem, self.pool, self.up = nn.Conv2d(3, 8, 7, {}, 3), nn.MaxPool2d({}), nn.Upsample(scale_factor=2)
        self.a, self.b, self.c = (nn.Conv2d(8, 8, 3, padding=1) for _ in range(3))

    def forward(self, x):
        x = self.stem(x)
        y = self.a(self.pool(x))
        return x + self.up(y + self.up(self.c(self.b(self.pool(y)))))
"""

HEAD = """
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Conv2d(1, 4, 3, {}, 1), nn.Conv2d(4, 1, {})

    def forward(self, x):
        return self.head(self.body(x))
"""


@pytest.mark.parametrize("factor", [1, 4])
def test_a_shuffle_that_makes_other_channels_than_the_next_layer_takes_is_blamed(tmp_path: Path, factor: int) -> None:
    (finding,) = report(tmp_path, SHUFFLED.format(factor), "1,3,9,12").findings
    assert finding.code == "SL207"
    assert finding.message.endswith(f": `pixel_shuffle` shuffles by {factor}")
    assert finding.location is not None
    assert finding.location.content() == f"nn.PixelShuffle({factor})"
    assert fixed(finding, (1, 3, 9, 12)) == (1, 3, 18, 24)


def test_the_channels_are_blamed_where_no_shuffle_makes_them(tmp_path: Path) -> None:
    source = SHUFFLED.format(2).replace("nn.Conv2d(16, 3", "nn.Conv2d(12, 3")
    (finding,) = report(tmp_path, source, "1,3,9,12").findings
    assert finding.module == "up.3"


def test_a_view_that_makes_one_map_of_two_samples_mixes_them(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, LATENT.format(8), "4,16").findings
    assert (finding.code, finding.message) == ("SL402", "`view` makes 2 rows of 4 samples")
    assert finding.fix is not None
    assert finding.fix.title == "give a row the 128 values that a sample has"
    assert not report(tmp_path, LATENT.format(4), "4,16").findings


def test_a_norm_or_a_resize_between_the_view_and_the_convolution_changes_nothing_of_that(tmp_path: Path) -> None:
    ahead = "F.interpolate(F.group_norm(self.fc(z).view(-1, 8, 8, 4), 2), scale_factor=2)"
    source = LATENT.format(8).replace("F.relu(self.fc(z)).view(-1, 8, 8, 4)", ahead)
    (finding,) = report(tmp_path, source, "4,16").findings
    assert (finding.code, finding.message) == ("SL402", "`view` makes 2 rows of 4 samples")


@pytest.mark.parametrize("code", ["view(n, -1, {}, 1)", "reshape(n, -1, 1, {})"])
def test_a_view_that_takes_some_of_the_channels_for_rows_is_blamed(tmp_path: Path, code: str) -> None:
    source = HEAD.format(2, 1).replace("self.body(x)", f"self.body(x).mean((2, 3)).view(n, -1, 1, 1).{code}")
    source = source.replace("return", "n = len(x); return")
    (finding,) = report(tmp_path, source.format(2), "3,1,8,8").findings
    name = code.partition("(")[0]
    assert finding.message == f"`head` is built for 4 channels and gets 2: `{name}` makes 2 of 1"
    assert fixed(finding, (3, 1, 8, 8)) == (3, 1, 1, 1)
    assert not report(tmp_path, source.format(1), "3,1,8,8").findings


def test_a_view_that_makes_a_pair_of_two_samples_is_let_be(tmp_path: Path) -> None:
    source = LATENT.format(4).replace("self.up(F.relu(self.fc(z)).view(-1, 8, 4, 4))", "self.fc(z).view(-1, 2, 128)")
    assert not report(tmp_path, source, "4,16").findings


def test_rows_that_are_stacked_whole_are_a_sequence(tmp_path: Path) -> None:
    """The features of four sentences as one map for a convolution."""
    source = LATENT.format(4).replace("nn.ConvTranspose2d(8, 1, 4, 2, 1)", "nn.Conv2d(1, 4, (2, 128))")
    assert not report(tmp_path, source.replace(".view(-1, 8, 4, 4)", ".view(-1, 1, 4, 128)"), "8,16").findings


def test_an_output_without_rows_is_wrong_though_nothing_raises(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CROPPED.format(200), "1,1,100").findings
    assert (finding.code, finding.message) == ("SL301", "the output is 1x4x0: the slice leaves nothing at 100")
    assert not report(tmp_path, CROPPED.format(2), "1,1,100").findings


@pytest.mark.parametrize(
    ("stem", "pool", "fix"),
    [(3, "2, 2", "`stride=2` instead of 3 in `stem`"), (2, "2, 3", "`stride=2` instead of 3 in `pool`")],
)
def test_a_stride_as_no_other_or_larger_than_its_kernel_is_at_fault(
    tmp_path: Path, stem: int, pool: str, fix: str
) -> None:
    finding, *_ = report(tmp_path, HOURGLASS.format(stem, pool), "1,3,64,64").findings
    assert finding.fix is not None
    assert finding.fix.title.startswith(fix)
    assert fixed(finding, (1, 3, 64, 64)) == (1, 8, 32, 32)


@pytest.mark.parametrize(("rows", "kernel", "fix"), [(5, 4, "`kernel_size=3` in `head`"), (2, 2, None)])
def test_a_smaller_kernel_is_written_where_it_still_is_one(
    tmp_path: Path, rows: int, kernel: int, fix: str | None
) -> None:
    """Square kernels stay square, and a kernel of one row is no more than advice."""
    (finding,) = report(tmp_path, HEAD.format(2, kernel), f"1,1,{rows},10").findings
    assert finding.fix is not None
    assert (fix in finding.fix.title) if fix else not finding.fix.edits


@pytest.mark.parametrize("axis", ["flatten({})", "torch.flatten(y, {})", "torch.flatten(y, start_dim={})"])
def test_a_flatten_from_the_axis_behind_the_samples_gives_what_is_taken(tmp_path: Path, axis: str) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 4, 4), nn.Linear(8 * 8 * 8, 10)

    def forward(self, x):
        y = self.conv(x)
        return self.fc({})
"""
    call = axis if axis.startswith("torch") else f"y.{axis}"
    for wrong, given in ((2, 64), (0, 1024)):
        (finding,) = report(tmp_path, source.format(call.format(wrong)), "2,3,32,32").findings
        text = f"`fc` is built for 512 features and gets {given}: `flatten` flattens from axis {wrong}"
        assert (finding.code, finding.message) == ("SL207", text)
        assert fixed(finding, (2, 3, 32, 32)) == (2, 10)


@pytest.mark.parametrize(("features", "fix"), [(392, "self.head(y.flatten(1))"), (400, "and build `head.0` for 392")])
def test_a_map_that_a_linear_layer_gets_lacks_a_flatten(tmp_path: Path, features: int, fix: str) -> None:
    """Its width is no number of features, and the layer is not to be built for it."""
    source = f"""
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(7), nn.ReLU())
        self.head = nn.Sequential(nn.Linear({features}, 10))

    def forward(self, x):
        y = self.body(x)
        return self.head(y)
"""
    (finding,) = report(tmp_path, source, "2,3,32,32").findings
    text = f"`head.0` is built for {features} features and gets 7: the 8x7x7 before it is not flattened"
    assert (finding.code, finding.message) == ("SL207", text)
    assert finding.location is not None
    assert finding.location.content() == "self.head(y)"
    assert finding.fix is not None
    assert fix in finding.fix.title
    if finding.fix.edits:
        assert fixed(finding, (2, 3, 32, 32)) == (2, 10)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_recurrent_layer_is_built_for_the_features_that_come(tmp_path: Path, kind: str) -> None:
    source = f"""
    def __init__(self):
        super().__init__()
        self.conv, self.rnn = nn.Conv1d(4, 16, 3), nn.{kind}(12, 8, batch_first=True)

    def forward(self, x):
        return self.rnn(self.conv(x).transpose(1, 2))[0]
"""
    (finding,) = report(tmp_path, source, "2,4,20").findings
    assert (finding.code, finding.module) == ("SL207", "rnn")
    assert finding.message == "`rnn` is built for 12 features and gets 16 from `conv`"
    assert fixed(finding, (2, 4, 20)) == (2, 18, 8)


@pytest.mark.parametrize("product", ["q @ k", "torch.matmul(q, k)", "torch.bmm(q, k)"])
def test_a_product_that_lacks_a_transpose_pins_no_size(tmp_path: Path, product: str) -> None:
    source = f"""
    def __init__(self):
        super().__init__()
        self.q, self.k = nn.Conv2d(16, 8, 1), nn.Conv2d(16, 8, 1)

    def forward(self, x):
        q, k = self.q(x).flatten(2), self.k(x).flatten(2)
        return ({product}).softmax(-1)
"""
    (finding,) = report(tmp_path, source, "2,16,10,12").findings
    name = "bmm" if "bmm" in product else "matmul"
    assert finding.message == f"`{name}` multiplies 8x120 with 8x120: one of them is not transposed"
    assert finding.fix is not None
    assert finding.fix.title == "transpose one of the two: `.transpose(-2, -1)`"
    assert not report(tmp_path, source.replace("q, k)", "q.mT, k)").replace("q @ k", "q.mT @ k"), "2,16,10,12").findings


def test_a_view_of_all_samples_in_one_row_is_blamed_and_not_the_layer_behind_it(tmp_path: Path) -> None:
    source = """
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3, 4, 1), nn.Linear(512, 10)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).view(1, -1))
"""
    (finding,) = report(tmp_path, source, "4,3,32,32").findings
    assert finding.message == "`fc` is built for 512 features and gets 2048: `view` makes 1 sample of 4"
    assert finding.fix is not None
    assert finding.fix.title.startswith("write `F.relu(self.conv(x)).flatten(1)`")


def test_features_that_a_transpose_left_in_the_place_of_samples_are_moved(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.conv, self.gru = nn.Conv1d(40, 32, 5, 2, 2), nn.GRU(32, 16, batch_first=True)

    def forward(self, x):
        return self.gru(torch.relu(self.conv(x)).transpose({}))[0]
"""
    (finding,) = report(tmp_path, body.format("0, 1"), "4,40,100").findings
    assert (finding.code, finding.message) == ("SL304", "`gru` takes 32 features, and 100 gives it 50")
    assert finding.fix is not None
    assert finding.fix.title == "move axis 1 of what `transpose` takes to the end: it has the 32"
    assert report(tmp_path, body.format("1, 2"), "4,40,100").ok
