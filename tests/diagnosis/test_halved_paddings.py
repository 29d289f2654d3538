"""Paddings that one expression gives several layers, each its own: half of them is found, and the expression mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

VOCODER = """
    def __init__(self):
        super().__init__()
        self.pre, ups = nn.Conv1d(80, 16, 7, padding=3), []
        for i, (u, k) in enumerate(zip((8, 4, 2), (16, 8, 4))):
            ups.append(nn.ConvTranspose1d(16, 16, k, u, padding={}))
        self.ups, self.post = nn.ModuleList(ups), nn.Conv1d(16, 1, 7, padding=3)

    def forward(self, x):
        x = self.pre(x)
        for up in self.ups:
            x = up(F.leaky_relu(x, 0.1))
        return self.post(x)
"""

CODEC = """
    def __init__(self):
        super().__init__()
        def up(stride):
            margin = stride // {}
            return nn.ConvTranspose1d(8, 8, 2 * stride, stride, margin)
        self.down = nn.Sequential(*[nn.Conv1d(c, 8, 2 * s, s, padding=s // 2) for c, s in ((1, 2), (8, 4), (8, 8))])
        self.up, self.last = nn.Sequential(up(8), up(4), up(2)), nn.Conv1d(8, 1, 7, padding=3)

    def forward(self, x):
        return self.last(self.up(self.down(x)))
"""

VALID = """
    def __init__(self):
        super().__init__()
        self.steps = nn.Sequential(*[nn.Conv1d(8, 8, k, padding={}) for k in (3, 5, 9)])

    def forward(self, x):
        return self.steps(x)
"""


@pytest.mark.parametrize(
    ("text", "shape", "given", "wanted"),
    [
        (VOCODER.format("(k - u) // 4"), (1, 80, 32), 2086, (1, 1, 2048)),
        (CODEC.format(4), (1, 1, 1024), 1062, (1, 1, 1024)),
    ],
)
def test_the_number_by_which_the_paddings_are_divided_is_halved(
    tmp_path: Path, text: str, shape: tuple[int, ...], given: int, wanted: tuple[int, ...]
) -> None:
    (finding,) = report(tmp_path, text, ",".join(map(str, shape))).findings
    assert finding.fix is not None
    assert (finding.code, f"the output is {given} " in finding.message) == ("SL106", True)
    assert finding.fix.title.startswith("`padding=4` instead of 2 in")
    assert ", and likewise in the 2 built with it, gives" in finding.fix.title
    assert [edit.replacement for edit in finding.fix.edits] == ["2"]
    assert fixed(finding, shape) == wanted


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (VOCODER.format("(k - u) // 2"), "1,80,32"),
        (CODEC.format(2), "1,1,1024"),
        (VALID.format(0), "1,8,64"),
        (VALID.format(1), "1,8,64"),
    ],
)
def test_paddings_that_are_right_or_are_no_halves_are_let_be(tmp_path: Path, text: str, spec: str) -> None:
    assert not report(tmp_path, text, spec).findings
