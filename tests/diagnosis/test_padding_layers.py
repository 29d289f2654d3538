"""Layers of padding of another size than the kernel behind them needs: they are at fault, and not the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

RESIDUAL = """
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.{}, nn.{}, nn.ReLU(), nn.ReflectionPad2d(1), nn.Conv2d(8, 3, 3))

    def forward(self, x):
        return x + self.block(x)
"""

STYLE = """
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.ReflectionPad2d({}), nn.Conv2d(3, 8, 7), nn.Conv2d(8, 8, 3, 2, 1),
            nn.ConvTranspose2d(8, 8, 3, 2, 1, 1), nn.ReflectionPad2d(3), nn.Conv2d(8, 3, {}))

    def forward(self, x):
        return self.net(x)
"""

CALLED = """
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 7), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x):
        y = F.pad(x, (2, 2, 2, 2), mode="reflect")
        return x + self.c2(F.relu(self.c1(y)))
"""

CAUSAL = """
    def __init__(self):
        super().__init__()
        self.pad, self.conv = nn.ConstantPad1d(({}, 0), 0.0), nn.Conv1d(3, 3, 3, dilation=2)

    def forward(self, x):
        return x + self.conv(self.pad(x))
"""


@pytest.mark.parametrize(
    ("code", "shape", "title"),
    [
        (RESIDUAL.format("ZeroPad2d(1)", "Conv2d(3, 8, 5)"), (2, 3, 32, 40), "`padding=2` instead of 1 in `block.0`"),
        (RESIDUAL.format("ReplicationPad2d(2)", "Conv2d(3, 8, 3)"), (2, 3, 32, 40),
         "`padding=1` instead of 2 in `block.0`"),
        (STYLE.format(1, 7), (1, 3, 64, 64), "`padding=3` instead of 1 in `net.0`"),
        (STYLE.format(3, 5), (1, 3, 64, 64), "`kernel_size=7` instead of 5 in `net.5`"),
        (CALLED, (2, 3, 32, 40), "`padding=3` instead of 2 in `pad on line 12`"),
        (CAUSAL.format(2), (1, 3, 100), "`padding=(4, 0)` instead of (2, 0) in `pad`"),
    ],
)  # fmt: skip
def test_the_padding_is_written(tmp_path: Path, code: str, shape: tuple[int, ...], title: str) -> None:
    (finding,) = report(tmp_path, code, ",".join(map(str, shape))).findings
    assert finding.fix is not None
    assert finding.fix.title.startswith(title)
    assert fixed(finding, shape) == shape
