"""What is said where a call computes with the model's own constants: no input leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import report

OF_CONSTANTS = """
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 3, 3, 2, 1), nn.ConvTranspose2d(3, 3, 3, 2, 1)
        self.register_buffer("table", torch.zeros(1, 3, 8, 8))
        self.register_buffer("weight", torch.ones(3, 3, 3, 3))

    def forward(self, x):
        c, w = self.table, self.weight
        return {}
"""


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (
            "x, c.flatten(1) @ torch.ones(190, 4)",
            ("SL207", "`matmul` is built for 190 features and gets 192 from `flatten`"),
        ),
        ("x + F.avg_pool2d(c, 3, 2, ceil_mode=True).mean()", None),
        (
            "self.up(self.down(x)), F.max_unpool2d(*F.max_pool2d(c, 2, return_indices=True), 2)",
            ("SL101", "`up` gives back 7x7 where `down` took 8x8"),
        ),
        (
            "self.up(self.down(x)) + F.conv_transpose2d(F.conv2d(c, w, None, 2, 1), w, None, 2, 1)",
            ("SL101", "`up` gives back 7x7 where `down` took 8x8"),
        ),
        ("torch.fft.irfft(torch.fft.rfft(F.max_pool2d(x, 2)))", None),
    ],
)
def test_a_call_without_an_input_is_no_internal_error(
    tmp_path: Path, returned: str, said: tuple[str, str] | None
) -> None:
    found = [(each.code, each.message) for each in report(tmp_path, OF_CONSTANTS.format(returned), "1,3,8,8").findings]
    assert found[:1] == ([] if said is None else [said])
