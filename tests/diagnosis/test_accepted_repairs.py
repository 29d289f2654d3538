"""Models as people show them with their error: what is offered as a fix is what was accepted there, or advice."""

from __future__ import annotations

from pathlib import Path

from tests.diagnosis.test_at_fault import fixed, report

BRANCHES = """
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 1)
        self.two = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 8, 3, padding=1))
        self.three = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 8, 5))
        self.four = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 4, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.two(x), self.three(x), self.four(x)], 1)
"""

CAUSAL = """
    def __init__(self):
        super().__init__()
        self.start = nn.Conv2d(2, 4, 1)
        self.steps = nn.ModuleList(nn.Conv2d(4, 4, (1, 2), dilation=(1, 2 ** (i % 2))) for i in range(4))

    def forward(self, x):
        x = self.start(x)
        for step in self.steps:
            x = x + torch.tanh(step(x))
        return x
"""

LEVELS = """
    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1))
        self.middle, self.coarse = nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        self.dilated, self.low = nn.Conv2d(16, 8, 3, padding=6, dilation=6), nn.Conv2d(8, 4, 1)
        self.last = nn.Conv2d(12, 5, 3, padding=1)

    def forward(self, x):
        fine = self.fine(x)
        middle = self.middle(fine)
        y = F.interpolate(self.dilated(self.coarse(middle)), scale_factor=4)
        return F.interpolate(self.last(torch.cat([y, self.low(middle)], 1)), size=x.shape[2:])
"""


def test_a_kernel_is_padded_rather_than_taken_away(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, BRANCHES, "1,3,28,28").findings
    assert finding.fix is not None
    assert dict(finding.fix.assignments) == {"three.1.padding": (2, 2)}
    assert fixed(finding, (2, 3, 28, 28)) == (2, 24, 28, 28)


def test_layers_that_take_rows_off_on_purpose_keep_their_kernels(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, CAUSAL, "1,2,20,13").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.safety.value, finding.fix.edits) == ("SL201", "advice", ())


def test_where_another_level_fits_no_layer_gets_a_step_or_other_rows(tmp_path: Path) -> None:
    (finding,) = report(tmp_path, LEVELS, "1,3,128,128").findings
    assert finding.fix is not None
    assert (finding.code, finding.fix.safety.value, finding.fix.edits) == ("SL208", "advice", ())
    assert "such as that of `fine.1`" in finding.fix.title
