"""Calls that mix the samples of a batch or give several rows of one, at any size, and right models that nearly do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

MAPS = """
    def __init__(self):
        super().__init__()
        self.f = nn.Conv2d(3, 16, 3, 4, 1)
        self.a, self.b, self.one = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 4, 3, padding=1), nn.Conv2d(16, 1, 1)
        self.fc, self.aux, self.qkv, self.c = nn.Linear(16, 5), nn.Linear(16, 5), nn.Linear(16, 48), nn.Conv2d(16, 4, 1)

    def forward(self, x):
        n, y = x.size(0), self.f(x)
        {}
"""

STEPS = """
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.{}, nn.Linear(32, 3)

    def forward(self, x):
        out, _ = self.rnn({})
        return self.fc({})
"""

HEADS = """B, T, C = y.flatten(2).transpose(1, 2).shape
        q, k, v = self.qkv(y.flatten(2).transpose(1, 2)).reshape(B, T, 3, 4, 4).permute(2, 0, 3, 1, 4)
        return ((q @ k.transpose(-2, -1)).softmax(-1) @ v).{}.reshape(B, T, C)"""

TOKENS = """
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64{})
        self.one, self.own = nn.Parameter(torch.zeros(1, 1, 32)), nn.MultiheadAttention(32, 4, batch_first=True)
        self.t, self.fc = nn.TransformerEncoder(layer, 2), nn.Linear(32, 3)

    def forward(self, x):
        return self.fc(self.t({}){})
"""

WORDS = """
    def __init__(self):
        super().__init__()
        self.e, self.rnn, self.fc = nn.Embedding(50, 12), nn.GRU(12, 32{}), nn.Linear(32, 3)

    def forward(self, x):
        out, _ = self.rnn(self.e(x))
        return self.fc({})
"""

LATENT = """
    def __init__(self):
        super().__init__()
        self.e, self.mu, self.fc = nn.Conv2d(3, 4, 4, 4), nn.Linear(256, 8), nn.Linear(8, 256)
        self.d = nn.ConvTranspose2d(4, {}, 4, 4)

    def forward(self, x):
        return self.d(self.fc(self.mu(self.e(x).flatten(1))).view(-1, 4, 8, {}))
"""

FRAMES = """
    def __init__(self):
        super().__init__()
        self.f, self.fc = nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(8, 4)

    def forward(self, x):
        b, c, t, h, w = x.shape
        y = self.f(x.permute({}, 1, 3, 4).reshape(b * t, c, h, w)).mean((2, 3))
        return self.fc(y.view(b, t, 8).mean(1))
"""

STATE = """
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.LSTM(12, 32, 2, batch_first=True), nn.Linear({}, 3)

    def forward(self, x):
        out, (h, _) = self.rnn(x)
        return self.fc({})
"""

VIEWED = "`{}` puts parts of several samples into each of its rows for a sample"


@pytest.mark.parametrize(
    ("code", "inputs", "said"),
    [
        (MAPS.format("return self.fc(y.permute(1, 0, 2, 3).reshape(n, -1, 16))"), "4,3,32,32",
         VIEWED.format("reshape")),
        (MAPS.format("return self.fc(y.view(16, n, 64).mean(2).t())"), "4,3,32,32", VIEWED.format("view")),
        (MAPS.format(HEADS.format("transpose(0, 1)")), "4,3,32,32", VIEWED.format("reshape")),
        (FRAMES.format("2, 0"), "2,3,8,16,16", VIEWED.format("view")),
        (STATE.format(64, "h.view(len(x), -1)"), "4,20,12", VIEWED.format("view")),
        (MAPS.format("return torch.cat([self.a(y), self.b(y)], 0)"), "2,3,32,32",
         "`cat` joins 2 results of each sample along the batch"),
        (MAPS.format("return y.flatten(0)"), "2,3,32,32", "`flatten` makes 1024 rows of each sample"),
        (MAPS.format("return y.view(1, -1)"), "2,3,32,32", "`view` makes one of all samples of the batch"),
        (MAPS.format("return self.fc(y.mean((2, 3), True).squeeze())"), "1,3,32,32",
         "`squeeze` takes the axis of the batch away where that is 1"),
        (MAPS.format("return self.fc(y.view(-1, 16))"), "2,3,8,8", "`view` makes 8 rows of 2 samples at 8x8"),
        (STEPS.format("LSTM(12, 32)", "x", "out[:, -1]"), "4,20,12",
         "`lstm` in `rnn` takes the samples of the batch for steps in time"),
        (WORDS.format("", "out.mean(dim=1)"), "4,20:int64",
         "`gru` in `rnn` takes the samples of the batch for steps in time"),
        (LATENT.format(3, 4), "4,3,32,32", "`view` makes 8 rows of 4 samples at 32x32"),
        (TOKENS.format("", "torch.cat([self.one.expand(x.size(0), -1, -1), x], 1)", "[:, 0]"), "4,20,32",
         "`attention` in `t.layers.0.self_attn` takes the samples of the batch for steps in time"),
    ],
)  # fmt: skip
def test_a_call_that_mixes_samples_is_found(tmp_path: Path, code: str, inputs: str, said: str) -> None:
    (finding,) = report(tmp_path, code, inputs).findings
    assert (finding.code, finding.severity, finding.message) == ("SL402", "error", said)


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        (MAPS.format("return self.fc(y.permute(0, 2, 3, 1).reshape(-1, 16))"), "2,3,32,32"),  # each pixel has a class
        (MAPS.format("return self.fc(y.flatten(2).permute(2, 0, 1)).mean(0)"), "2,3,32,32"),
        (MAPS.format(HEADS.format("transpose(1, 2)")), "4,3,32,32"),
        (FRAMES.format("0, 2"), "2,3,8,16,16"),
        (MAPS.format("return torch.cat([self.a(y), self.a(y.flip(3))], 0)"), "2,3,32,32"),  # two views of a picture
        (MAPS.format("return torch.stack([self.a(y), self.b(y)])"), "2,3,32,32"),
        (MAPS.format("return torch.cat([self.a(y), self.c(y)])"), "2,3,32,32"),  # a student and its teacher
        (MAPS.format("z = y.mean((2, 3)); return torch.cat([self.fc(z), self.aux(z)])"), "2,3,32,32"),
        (MAPS.format("return self.one(y).flatten(0, 1)"), "2,3,32,32"),
        (MAPS.format("return self.a(y).flatten(0, 1)"), "2,3,32,32"),  # a row for each heat map
        (MAPS.format("return self.a(y).flatten(0)"), "1,3,32,32"),  # the descriptor of one picture
        (MAPS.format("return self.a(y).mean(0)"), "7,3,32,32"),  # frames of one scene
        (MAPS.format("return self.a(y).mean(0)"), "1,3,32,32"),
        (MAPS.format("return self.a(y).squeeze().mean(0)"), "1,3,32,32"),  # all channels of one picture
        (MAPS.format("return self.one(y).squeeze()"), "1,3,32,32"),
        (MAPS.format("return y + y.view(2, -1, 16, 8, 8).std(0).mean((1, 2, 3)).view(-1, 1, 1, 1).repeat(2, 1, 1, 1)"),
         "4,3,32,32"),
        (MAPS.format("z = self.fc(y.mean((2, 3))).view(-1, 3, 5); return z[:, 0] - z[:, 1]"), "6,3,32,32"),
        (STEPS.format("LSTM(12, 32)", "x", "out[-1]"), "20,4,12"),
        (STEPS.format("LSTM(12, 32)", "x", "out"), "20,4,12"),
        (STEPS.format("LSTM(12, 32)", "x.transpose(0, 1)", "out.transpose(0, 1)[:, -1]"), "4,20,12"),
        (STATE.format(64, "h.transpose(0, 1).reshape(len(x), -1)"), "4,20,12"),
        (STATE.format(32, "h.view(2, 1, len(x), 32)[-1, 0]"), "4,20,12"),
        (STATE.format(32, "out.reshape(len(x), 20, 32)[:, -1]"), "4,20,12"),
        (STATE.replace("32, 2", "32, 1").format(32, "h.view(len(x), -1)"), "4,20,12"),  # one layer
        (STATE.replace("32, 2", "32, 20").format(32, "out.reshape(len(x), 20, 32)[:, -1]"), "4,20,12"),
        (LATENT.format(3, 8), "4,3,32,32"),
        (LATENT.format(1, 4), "4,3,32,32"),  # two masks of each picture
        (LATENT.format(3, "8).flatten(1).repeat(1, 3).view(-1, 4, 8, 8"), "4,3,32,32"),  # three pictures of each
        (TOKENS.format("", "x", "[0]"), "20,4,32"),
        (TOKENS.format("", "x", ".mean(0)"), "20,4,32"),
        (TOKENS.format(", batch_first=True", "x", "[:, 0]"), "4,20,32"),
        (TOKENS.format("", "self.own(x, x, x)[0]", "[:, -1]"), "4,20,32"),  # cars attend to their past, and each other
        (STEPS.format("LSTM(12, 32)", "x", "out.amax(1)"), "20,4,12"),  # steps, people, features: all people as one
        (STEPS.format("LSTM(12, 32)", "x", "out[:, 0]"), "20,4,12"),  # the car itself, ahead of the others
        (STEPS.format("LSTM(12, 32, batch_first=True)", "x", "out[:, -1]"), "4,20,12"),
    ],
)  # fmt: skip
def test_rows_that_are_meant_are_let_be(tmp_path: Path, code: str, inputs: str) -> None:
    assert report(tmp_path, code, inputs).ok


def test_a_layer_that_takes_samples_for_steps_is_blamed_where_it_is_built(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, STEPS.format("LSTM(12, 32)", "x", "out[:, -1]"), "1,20,12").findings
    assert finding.location is not None
    assert finding.location.content() == "nn.LSTM(12, 32)"
    assert finding.fix is not None
    assert "batch_first=True" in finding.fix.title


@pytest.mark.parametrize(
    ("code", "shape", "given"),
    [
        (STEPS.format("LSTM(12, 32)", "x", "out[:, -1]"), (4, 20, 12), (4, 3)),
        (STEPS.format("GRU(12, 32, batch_first=False)", "x", "out[:, -1]"), (4, 20, 12), (4, 3)),
        (TOKENS.format("", "torch.cat([self.one.expand(x.size(0), -1, -1), x], 1)", "[:, 0]"), (4, 20, 32), (4, 3)),
        (MAPS.format("return torch.cat([self.a(y), self.b(y)])"), (2, 3, 32, 32), (2, 8, 8, 8)),
        (MAPS.format("return torch.cat([self.a(y), self.b(y)], 0)"), (2, 3, 32, 32), (2, 8, 8, 8)),
    ],
)
def test_the_argument_that_keeps_samples_apart_is_written(
    tmp_path: Path, code: str, shape: tuple[int, ...], given: tuple[int, ...]
) -> None:
    (finding,) = report(tmp_path, code, ",".join(map(str, shape))).findings
    assert finding.fix is not None
    assert finding.fix.safety.value == "unsafe"
    assert fixed(finding, shape) == given


def test_an_argument_with_which_the_model_raises_is_advice(tmp_path: Path) -> None:
    code = STEPS.format("GRU(12, 32)", "x, torch.zeros(1, x.size(1), 32)", "out[:, -1]")
    (finding,) = report(tmp_path, code, "4,20,12").findings
    assert finding.fix is not None
    assert (finding.fix.safety.value, finding.fix.edits) == ("advice", ())


def test_of_two_views_the_one_that_mixes_samples_at_the_size_is_blamed(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        super().__init__()
        self.e, self.mu, self.fc = nn.Conv2d(1, 16, 4, 4), nn.Linear(784, 8), nn.Linear(8, 784)
        self.d = nn.ConvTranspose2d(16, 1, 4, 4)

    def forward(self, x):
        z = self.mu(self.e(x).view(-1, 16 * 7 * 7))
        return self.d(self.fc(z).view(-1, 16, 14, 14))
"""
    finding = report(tmp_path, body, "4,1,28,28").findings[0]
    assert (finding.code, finding.message) == ("SL402", "`view` makes 1 row of 4 samples at 28x28")
    assert finding.location is not None
    assert finding.location.content() == "self.fc(z).view(-1, 16, 14, 14)"


LOCALIZED = """
    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(1, 4, 7), nn.MaxPool2d(2), nn.Conv2d(4, 10, 5), nn.MaxPool2d(2))
        self.place = nn.Linear(10 * 3 * 3, 6)
        self.c1, self.c2, self.fc = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 20, 5), nn.Linear(320, 10)

    def forward(self, x):
        theta = self.place(self.look(x).view(-1, 10 * 3 * 3)).view(-1, 2, 3)
        x = F.grid_sample(x, F.affine_grid(theta, x.size(), align_corners=False), align_corners=False)
        x = F.max_pool2d(self.c2(F.max_pool2d(self.c1(x), 2)), {})
        return self.fc(x.view(-1, 320))
"""

CAPSULES = """
    def __init__(self):
        super().__init__()
        self.c, self.fc, self.d = nn.Conv2d(1, 4, 3, 2, 1), nn.Linear(4, 10), nn.Linear(10, 784)

    def forward(self, x):
        scores = self.fc(self.c(x).mean((2, 3)))
        return scores, self.d(scores).view(-1, {})
"""


def test_a_view_that_mixes_samples_at_the_few_sizes_that_another_one_lets_run_is_found(tmp_path: Path) -> None:
    assert not report(tmp_path, LOCALIZED.format(2), "2,1,28,28").findings
    (finding,) = report(tmp_path, LOCALIZED.format(1), "2,1,28,28").findings
    assert (finding.code, finding.message) == ("SL402", "`view` makes 8 rows of 2 samples at 28x28")


@pytest.mark.parametrize("made", ["1, 56, 28", "2, 28, 28"])
def test_a_view_that_puts_samples_together_is_found_at_a_later_output_too(tmp_path: Path, made: str) -> None:
    assert not report(tmp_path, CAPSULES.format("1, 28, 28"), "2,1,28,28").findings
    (finding,) = report(tmp_path, CAPSULES.format(made), "2,1,28,28").findings
    assert finding.code == "SL402"
