"""Layers that refuse a state, a mask or a map before they compute: PyTorch's message names neither layer nor remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from shapelint.facts.finding import Finding, Severity
from tests.diagnosis.test_at_fault import report

RECURRENT = """
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.{}, nn.Linear(32, 3)

    def forward(self, x):
        out, _ = self.rnn(x, {})
        return self.fc(out[:, -1])
"""

CELL = """
    def __init__(self):
        super().__init__()
        self.cell, self.fc = nn.LSTMCell(12, 32), nn.Linear(32, 3)

    def forward(self, x):
        h = c = torch.zeros(x.size(0), 32)
        for t in range(x.size(1)):
            h, c = self.cell({}, (h, c))
        return self.fc(h)
"""

ATTENTION = """
    def __init__(self):
        super().__init__()
        self.att, self.one = nn.MultiheadAttention(12, 4{}), nn.TransformerEncoderLayer(12, 4, 24{})
        self.register_buffer("mask", torch.triu(torch.ones(8, 8), 1).bool())

    def forward(self, x):
        return {}
"""

NORM = """
    def __init__(self):
        super().__init__()
        self.fc, self.bn = nn.Linear(12, 32), nn.{}

    def forward(self, x):
        return self.bn(self.fc(x{}))
"""

FIRST = "takes axis 1 of 4x10x12 for the samples: it is not built with `batch_first=True`"
BATCH = "with `batch_first=True`, which takes (samples, steps, features)"
STATE = "torch.zeros({}, x.size(0), 32)"
PADDED = "self.att(x, x, x, key_padding_mask=x[..., 0] == 0)[0]"
CAUSAL = "self.one(x, src_mask=nn.Transformer.generate_square_subsequent_mask(x.size(1)))"


def _advice(finding: Finding) -> str:
    assert finding.fix is not None
    return finding.fix.title


@pytest.mark.parametrize(("net", "text", "fix"), [
    (RECURRENT.format("GRU(12, 32)", STATE.format(1)), f"`rnn` {FIRST}", f"build `rnn` {BATCH}"),
    (RECURRENT.format("LSTM(12, 32)", f"({STATE.format(1)}, {STATE.format(1)})"), f"`rnn` {FIRST}", BATCH),
    (RECURRENT.format("GRU(12, 32, 3, batch_first=True)", STATE.format(1)),
     "`rnn` gets 1 state, and takes 3: one for each layer and direction", "make the state of 3x4x32, or"),
    (RECURRENT.format("GRU(12, 32, batch_first=True)", "torch.zeros(1, x.size(1), 32)"),
     "`rnn` gets 4 samples, and a state for 10", "make the state of 1x4x32"),
    (RECURRENT.format("GRU(12, 32, batch_first=True)", "torch.zeros(1, x.size(0), 16)"),
     "`rnn` gets a state of 16 features, and its own has 32", "make the state of 1x4x32"),
    (RECURRENT.format("GRU(12, 32, batch_first=True)", "torch.zeros(x.size(0), 32)"),
     "`rnn` gets a state of 4x32, and takes one of 1x4x32", "`[None]` makes it 1x4x32"),
    (CELL.format("x[t]"), "`cell` gets 10 samples, and a state for 4", "`x[:, t]`"),
    (ATTENTION.format("", "", PADDED), f"`att` {FIRST}", BATCH),
    (ATTENTION.format("", "", CAUSAL), f"`one` {FIRST}", BATCH),
    (NORM.format("BatchNorm2d(32)", "[:, 0]"), "`bn` is a BatchNorm2d, and gets 4x32", "`nn.BatchNorm1d(32)`"),
], ids=["gru", "lstm", "layers", "samples", "features", "axes", "cell", "padding", "causal", "norm"])  # fmt: skip
def test_the_layer_and_what_does_not_fit_it_are_named(tmp_path: Path, net: str, text: str, fix: str) -> None:
    (finding,) = (each for each in report(tmp_path, net, "4,10,12").findings if each.severity is Severity.ERROR)
    assert (finding.code, text in finding.message) == ("SL202", True), finding.message
    assert fix in _advice(finding)


@pytest.mark.parametrize(("layer", "given", "spec", "text", "fix"), [
    ("ConvTranspose2d(8, 3, 4, 2, 1)", "x", "2,32",
     "`net`, a ConvTranspose2d, takes tensors of 4 axes, and gets 2x32 of 2", "`.view(-1, 8, 2, 2)`"),
    ("Conv2d(1, 4, 3)", "x.view(-1, 28 * 28)", "2,1,28,28",
     "`net`, a Conv2d, takes tensors of 4 axes, and gets 2x784 of 2", "`.view(-1, 1, 28, 28)`"),
    ("Conv2d(3, 4, 3)", "x", "2,5,3,16,16",
     "`net`, a Conv2d, takes tensors of 4 axes, and gets 2x5x3x16x16 of 5", "`.unflatten(0, x.shape[:2])`"),
    ("Conv1d(6, 4, 3)", "x[:, None]", "2,6,50",
     "`net`, a Conv1d, takes tensors of 3 axes, and gets 2x1x6x50 of 4", "`.squeeze(1)`"),
    ("Conv2d(3, 8, 3)", "x", "1,3", "gets 1x3 of 2", "samples, channels, height and width"),
    ("MaxPool2d(2)", "x", "2,32", "`net`, a MaxPool2d, takes tensors of 4 axes", "samples, channels, height and width"),
])  # fmt: skip
def test_a_convolution_that_gets_no_map_is_told_how_to_make_one(
    tmp_path: Path, layer: str, given: str, spec: str, text: str, fix: str
) -> None:
    net = f"""
    def __init__(self):
        super().__init__()
        self.net = nn.{layer}

    def forward(self, x):
        return self.net({given})
"""
    (finding,) = report(tmp_path, net, spec).findings
    assert (finding.code, text in finding.message) == ("SL202", True), finding.message
    assert fix in _advice(finding)


@pytest.mark.parametrize(("view", "fix"), [
    ("x.view(1, 10 * 12)", "`x.view(x.shape[0], 10 * 12)`"),
    ("x.view(10, 12).mean()", "`x.view(x.shape[0], 10, 12)`"),
    ("torch.reshape(x, (120,))", "`x.reshape(x.shape[0], 120)`"),
])  # fmt: skip
def test_a_view_that_makes_one_sample_of_a_batch_is_told_to_keep_them_apart(
    tmp_path: Path, view: str, fix: str
) -> None:
    net = NORM.format("BatchNorm1d(32)", "").replace("self.bn(self.fc(x))", view)
    (finding,) = report(tmp_path, net, "4,10,12").findings
    assert (finding.code, "one sample, of 4 samples of 10x12" in finding.message) == ("SL202", True), finding.message
    assert _advice(finding) == f"keep the samples apart: {fix}"


def test_a_mask_of_a_fixed_length_is_a_table_and_no_map_to_be_resized(tmp_path: Path) -> None:
    net = ATTENTION.format(", batch_first=True", "", "self.att(x, x, x, attn_mask=self.mask)[0]")
    (finding,) = report(tmp_path, net, "4,6,12").findings
    assert (finding.code, finding.message) == ("SL305", "`mask` is for 8 positions, and the input has 6")
    assert _advice(finding) == "cut `mask` to the n positions that come: `mask[..., :n, :n]`"
    (longer,) = report(tmp_path, net, "4,10,12").findings
    assert _advice(longer) == "build `mask` for 10 positions, or pass at most 8"


def test_heads_that_do_not_divide_the_features_are_told_with_both_products(tmp_path: Path) -> None:
    net = NORM.format("BatchNorm1d(32)", "").replace("self.bn(self.fc(x))", "self.fc(x).view(len(x), 10, 5, 32 // 5)")
    (finding,) = report(tmp_path, net, "4,10,12").findings
    assert finding.message == "`view` makes 5x6 = 30 of the 32 along axis 2"
    assert _advice(finding) == "choose 5x6 so that their product is 32"
    anchors = ATTENTION.format("", "", "x.reshape(x.shape[0], 3, 4, x.shape[2])")
    assert report(tmp_path, anchors, "4,10,12").findings[0].message == "`reshape` makes 3x4 = 12 of the 10 along axis 1"


@pytest.mark.parametrize("net", [
    RECURRENT.format("GRU(12, 16, 2, bidirectional=True, batch_first=True)", "torch.zeros(4, x.size(0), 16)"),
    RECURRENT.format("GRU(12, 32, batch_first=True)", STATE.format(1)),
    CELL.format("x[:, t]"),
    ATTENTION.format(", batch_first=True", "", PADDED),
    ATTENTION.format("", ", batch_first=True", CAUSAL),
    NORM.format("BatchNorm1d(32)", "[:, 0]"),
])  # fmt: skip
def test_those_that_fit_are_not_told(tmp_path: Path, net: str) -> None:
    assert report(tmp_path, net, "4,10,12").ok
