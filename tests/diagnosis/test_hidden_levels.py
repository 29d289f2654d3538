"""U-Nets of valid convolutions, whose crops make maps of any two levels fit: the one step unlike all others."""

from __future__ import annotations

from pathlib import Path

from tests.diagnosis.test_at_fault import fixed, report

VALID = """
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)
        self.pool = nn.MaxPool2d(2)
        self.low = nn.MaxPool2d({})
        self.up2, self.up1 = nn.ConvTranspose2d(8, 8, 2, 2), nn.ConvTranspose2d(8, 8, 2, {})
        self.d, self.e = nn.Conv2d(16, 8, 3), nn.Conv2d(16, 2, 3)

    def crop(self, skip, y):
        dh, dw = (skip.shape[2] - y.shape[2]) // 2, (skip.shape[3] - y.shape[3]) // 2
        return skip[:, :, dh : dh + y.shape[2], dw : dw + y.shape[3]]

    def forward(self, x):
        a = self.a(x)
        b = self.b(self.pool(a))
        y = self.up2(self.c(self.low(b)))
        y = self.up1(self.d(torch.cat([self.crop(b, y), y], 1)))
        return self.e(torch.cat([self.crop(a, y), y], 1))
"""

CENTRES = """
    def __init__(self):
        super().__init__()
        self.near, self.far = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1)
        self.pool, self.out = nn.MaxPool2d(2), nn.Conv2d(16, 4, 1)

    def forward(self, x):
        far = self.far(self.pool(x))
        near = self.near(x)[:, :, x.shape[2] // 4 : x.shape[2] // 4 + far.shape[2], 16 : 16 + far.shape[3]]
        return self.out(torch.cat([near, far], 1))
"""


def test_a_pool_by_four_among_halvings_is_at_fault(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, VALID.format(4, 2), "1,1,140,140").findings
    assert (finding.code, finding.severity, finding.module) == ("SL106", "error", "low")
    assert fixed(finding, (1, 1, 140, 140)) == (1, 2, 118, 118)


def test_a_transposed_layer_that_does_not_double_is_at_fault(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, VALID.format(2, 1), "1,1,140,140").findings
    assert (finding.code, finding.module) == ("SL106", "up1")
    assert fixed(finding, (1, 1, 140, 140)) == (1, 2, 118, 118)


def test_right_crops_are_let_be(tmp_path: Path) -> None:
    assert report(tmp_path, VALID.format(2, 2), "1,1,140,140").ok
    assert report(tmp_path, CENTRES, "1,3,64,64").ok
