"""What is said where a join or a view raises for another reason than rows: channels, axes, maps of a latent vector."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import report

RESIDUAL = """
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)

    def forward(self, x):
        y = self.a(x)
        return y + self.b(y)
"""

CONTEXT = """
    def __init__(self):
        super().__init__()
        self.emb, self.out = nn.Linear(20, 32), nn.Linear(64, 5)

    def forward(self, x):
        e = self.emb(x)
        return self.out(torch.cat([e, e.mean(1)], dim=2))
"""

LATENT = """
    def __init__(self):
        super().__init__()
        self.fc, self.up = nn.Linear(16, 128 * 7 * 7), nn.ConvTranspose2d(128, 1, 4, 4)

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 128, 8, 8))
"""


@pytest.mark.parametrize(
    ("code", "inputs", "message", "advice"),
    [
        (RESIDUAL, "2,3,32,32", "`add` joins 2x16x32x32 from `a` with 2x32x32x32 from `b`",
         "give both as many channels: `a` gives 16 and `b` gives 32"),
        (CONTEXT, "4,7,20", "`cat` raises at every size: Tensors must have same number of dimensions: got 3 and 2",
         "give what `mean` gives the axes of the other: `[:, None].expand(-1, 7, -1)`"),
        (LATENT, "2,16", "`view` raises at every size: shape '[-1, 128, 8, 8]' is invalid for input of size 12544",
         "write `view(-1, 128, 7, 7)`, or let `fc` give 8192 features"),
    ],
)  # fmt: skip
def test_what_raises_is_said_with_what_to_write(
    tmp_path: Path, code: str, inputs: str, message: str, advice: str
) -> None:
    (finding,) = report(tmp_path, code, inputs).findings
    assert finding.message == message
    assert finding.fix is not None
    assert (finding.fix.safety.value, finding.fix.title) == ("advice", advice)
