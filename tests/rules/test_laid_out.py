"""Advice for losses, repeated states, norms and class tokens whose numbers fit but for how they are laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import report

NET = """
    def __init__(self):
        super().__init__()
        self.fc, self.rnn, self.attend = nn.Linear(12, 9), nn.GRU(12, 16, batch_first=True), nn.Linear(32, 1)
        self.conv, self.norm, self.one = nn.Conv2d(3, 8, 3, padding=1), nn.LayerNorm([8, 16, 16]), nn.Linear(12, 1)
        self.patch, self.token = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 1, 8))
        self.encode = nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 2, 16, batch_first=True), 1)
        self.place = nn.Parameter(torch.zeros(1, 16, 8))
        self.table, self.wide = nn.Parameter(torch.zeros(50, 1, 12)), nn.Conv2d(3, 48, 3, padding=1)
        self.branches = nn.ModuleList(nn.Conv1d(12, 8, k, padding=1) for k in (3, 5))

    def forward(self, x{}):
        {}
"""
STATE = """steps, state = self.rnn(x)
        return self.attend(torch.cat([steps, state.permute(1, 0, 2).repeat(1, 5, 1)], 2))"""
MASK = """mask = torch.zeros(x.size(1), x.size(0), dtype=torch.bool)
        return self.encode(x, src_key_padding_mask=mask)"""
TOKEN = """x = self.patch(x).flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.place"""


SIZES = """y = F.pixel_shuffle(F.pixel_shuffle(self.wide(x), 2), 2)
        return y + F.interpolate(x, scale_factor=2)"""
SPREAD = """y = self.conv(x)
        return torch.cat([y.mean((2, 3), keepdim=True){}, y], 1)"""
GATE = """y = self.conv(x)
        return y * y.amax((2, 3)).view(len(x), 8, 1)"""


@pytest.mark.parametrize(("arguments", "code", "inputs", "message", "fix"), [
    (", y", "return F.cross_entropy(self.fc(x), y)", ["4,7,12", "4,7:int64"], "`cross_entropy` joins",
     "put the classes on axis 1: `.movedim(-1, 1)`"),
    (", y", "return F.cross_entropy(self.conv(x), y)", ["2,3,6,5", "2,1,6,5:int64"], "`cross_entropy` joins",
     "take axis 1, of 1, off the target: `.squeeze(1)`"),
    ("", MASK, ["2,7,12"], "joins 7x2", "put `.T` behind the mask of paddings: it is for 2x7, samples first"),
    (", y", "return F.binary_cross_entropy_with_logits(self.one(x), y)", ["8,12", "8"], "joins 8 from `input` with 8x1",
     "take the last axis, of 1, off what `one` gives: `.squeeze(-1)`"),
    (", y", "return F.mse_loss(self.fc(x), y)", ["6,12", "6,3,3"], "`mse_loss` joins 6x9 from `fc` with 6x3x3",
     "give both one shape: `.reshape(y.shape)` makes 6x3x3 of 6x9"),
    ("", STATE, ["4,7,12"], "`cat` joins 5x16 from `repeat` with 7x16 from `rnn`",
     "let `repeat` give 7 along axis 1, as the other has: it gives 5"),
    ("", "return self.norm(self.conv(x))", ["2,3,20,16"], "`norm` is built for 8x16x16 and gets 8x20x16",
     "build it for `[8, 20, 16]`, or take `nn.GroupNorm(1, 8)`, which norms as much at any size"),
    ("", TOKEN, ["2,3,16,16"], "`place` is for 16 positions, and 16x16 has 17",
     "build `place` for 17 positions: `cat` puts one more in front"),
    (", y", "return F.cross_entropy(self.conv(x), y)", ["2,3,6,5", "2:int64"], "`cross_entropy` joins 2 from",
     ("there are scores for each of 6x5 positions, and one target for each sample: average the scores first, "
      "`.flatten(2).mean(2)`, or give targets of 2x6x5")),
    ("", "return x + self.table[:x.size(1)]", ["4,7,12"], "`add` joins",
     "swap axes 0 and 1 of what `slice` gives, `.transpose(0, 1)`: it is 7x1x12, and the other is 4x7x12"),
    ("", "return torch.cat([self.token.expand(len(x), -1, -1), self.patch(x).flatten(2)], 1)", ["2,3,16,16"], "`cat`",
     "swap axes 1 and 2 of what `flatten` gives, `.transpose(1, 2)`: it is 2x8x16, and the other is 2x1x8"),
    (", y", "return self.fc(torch.cat([x, y]))", ["6,8", "6,4"], "`cat` joins 6x4 from `input` with 6x8 from `input`",
     "join them along axis 1, the one along which they differ: `dim=1`"),
    ("", SPREAD.format(""), ["2,3,16,12"], "`cat` joins 1x1 from",
     "repeat what `mean` gives for each position of the other: `.expand(-1, -1, 16, 12)`"),
    ("", SPREAD.format(".repeat(1, 16, 1, 1)"), ["2,3,16,16"], "`cat` joins 1x1 from",
     "repeat along axis 2, where the other has 16, and not along axis 1"),
    ("", GATE, ["2,3,16,16"], "`mul` joins 2x8x1 from",
     "give what `conv` gives the axes of the other: `[..., None]` behind its own"),
    ("", "return torch.cat([each(x) for each in self.branches], 1)", ["2,12,20"], "`cat` joins 18 from `branches.1`",
     ("pad each branch by half of its kernel, `padding=kernel_size // 2`: "
      "`branches.1` has a kernel of 5 and `padding=1`")),
    ("", SIZES, ["2,3,16,16"], "`add` joins strides",
     "resize by 4 instead of 2 in `interpolate`"),
], ids=[
    "classes", "one class", "mask", "column", "rows", "state", "norm", "token", "scores", "table", "patches", "axis",
    "vector", "repeated", "gate", "branches", "sizes",
])  # fmt: skip
def test_the_one_thing_to_write_is_told(
    tmp_path: Path, arguments: str, code: str, inputs: list[str], message: str, fix: str
) -> None:
    (finding,) = report(tmp_path, NET.format(arguments, code), *inputs).findings
    assert message in finding.message
    assert finding.fix is not None
    assert finding.fix.title == fix


def test_what_fits_at_no_size_is_not_told_of_one(tmp_path: Path) -> None:
    net = NET.format("", 'return torch.einsum("bnd,dk->bnk", x, self.fc.weight)')
    (finding,) = report(tmp_path, net, "2,7,12").findings
    assert finding.message.startswith("`einsum` raises at every size")
