"""A layer unlike its mirror and all others is blamed, and not the mirror that could make up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.test_at_fault import fixed, report

VIDEO = """
    def __init__(self):
        super().__init__()
        self.e1 = nn.Conv3d(1, 4, 3, stride=(1, 2, 2), padding=1)
        self.e2 = nn.Conv3d(4, 8, 3, stride={}, padding=1)
        self.d2 = nn.ConvTranspose3d(8, 4, 3, stride={}, padding=1, output_padding=(0, 1, 0))
        self.d1 = nn.ConvTranspose3d(4, 1, 3, stride=(1, 2, 2), padding=1, output_padding=(0, 1, 1))

    def forward(self, x):
        return self.d1(self.d2(self.e2(self.e1(x))))
"""

VALID = """
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, {}), nn.Conv2d(8, 8, 3, stride=2)
        self.d3, self.d2 = nn.ConvTranspose2d(8, 8, 3, stride=2, output_padding=1), nn.ConvTranspose2d(8, 8, {})
        self.d1 = nn.ConvTranspose2d(8, 1, 3)

    def forward(self, x):
        return self.d1(self.d2(self.d3(self.c3(self.c2(self.c1(x))))))
"""

CRITIC = """
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2)]
        for _ in range(3):
            layers += [nn.Conv2d(8, 8, 4, {}, 1), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Conv2d(8, 1, 2, 2))

    def forward(self, x):
        return self.main(x).view(-1, 1)
"""


@pytest.mark.parametrize(
    ("code", "shape", "change"),
    [
        (VIDEO.format("(1, 2, 2)", "(1, 2, 1)"), (1, 1, 16, 60, 90), {"d2.stride": (1, 2, 2)}),
        (VIDEO.format("(1, 2, 1)", "(1, 2, 2)"), (1, 1, 16, 60, 90), {"e2.stride": (1, 2, 2)}),
        (VALID.format(5, 3), (2, 1, 28, 28), {"c2.kernel_size": (3, 3)}),
        (VALID.format(3, 5), (2, 1, 28, 28), {"d2.kernel_size": (3, 3)}),
    ],
)
def test_the_odd_one_of_a_pair_is_blamed(
    tmp_path: Path, code: str, shape: tuple[int, ...], change: dict[str, tuple[int, ...]]
) -> None:
    (finding,) = report(tmp_path, code, ",".join(map(str, shape))).findings
    assert finding.fix is not None
    assert dict(finding.fix.assignments) == change
    assert fixed(finding, shape) == shape


def test_layers_of_a_loop_that_do_not_halve_scatter_a_sample(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CRITIC.format(1), "4,3,32,32").findings
    assert finding.code == "SL402"
    assert fixed(finding, (4, 3, 32, 32)) == (4, 1)
    assert report(tmp_path, CRITIC.format(1), "4,3,64,64").ok  # with strides of 2 it has no single score either
