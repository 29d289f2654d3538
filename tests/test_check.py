"""shapelint.check from end to end: what it says of small models, with both numbers and the layer to blame."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import shapelint


class Pair(nn.Module):
    def __init__(self, **extra: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, **extra)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.deconv(self.conv(x))  # type: ignore[no-any-return]


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(2, 2, 3, padding=1) for _ in range(3)])
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList([nn.ConvTranspose2d(2, 2, 2, stride=2) for _ in range(2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.down[0](x)
        second = self.down[1](self.pool(first))
        y = self.up[0](self.down[2](self.pool(second))) + second
        return self.up[1](y) + first  # type: ignore[no-any-return]


def codes(report: shapelint.report.report.Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_the_founding_example_at_six_by_six() -> None:
    report = shapelint.check(Pair, (1, 3, 6, 6), confirm=("cpu",))
    (finding,) = report.findings
    assert (finding.code, finding.severity, finding.module) == ("SL101", "error", "deconv")
    assert finding.message == "`deconv` gives back 5x5 where `conv` took 6x6"
    assert finding.location is not None
    assert finding.location.text().strip().startswith("self.deconv = nn.ConvTranspose2d")
    assert finding.fix is not None
    assert finding.fix.assignments == {"deconv.output_padding": (1, 1)}
    assert finding.fix.verified == ("meta", "cpu")
    assert [(each.repaired, each.observed, each.ok) for each in report.confirmations] == [
        (False, ((1, 3, 5, 5),), True),
        (True, ((1, 3, 6, 6),), True),
    ]
    (pair,) = report.pairs
    assert (pair.down, pair.up, pair.size_in, pair.size_out, pair.remainder) == (
        ("conv",),
        ("deconv",),
        (6, 6),
        (5, 5),
        (1, 1),
    )


def test_the_founding_example_elsewhere() -> None:
    assert shapelint.check(Pair, "1,3,5,5").ok
    report = shapelint.check(Pair, "1,3,H,W")
    assert codes(report) == ["SL105"]
    assert str(report.contract.restores) == "H and W odd"
    assert "no constant `output_padding` is right for all sizes (proved)" in report.findings[0].notes


def test_a_fix_is_safe_only_where_it_is_right_at_every_asked_size() -> None:
    even = shapelint.check(Pair, "1,3,H,W", sizes={"H": range(8, 65, 2), "W": [32]})
    mixed = shapelint.check(Pair, "1,3,H,W", sizes={"H": range(8, 65), "W": [32]})
    assert [finding.fix and finding.fix.safety for finding in even.findings] == ["safe"]
    assert [finding.fix and finding.fix.safety for finding in mixed.findings] == ["advice"]
    assert mixed.findings[0].notes[-1].startswith("no one value is right at every asked size")


def test_an_expectation_takes_the_place_of_the_inputs_size() -> None:
    assert shapelint.check(Pair, "1,3,H,W", expect="_,3,H,W").findings[0].code == "SL105"
    assert shapelint.check(Pair, (1, 3, 6, 6), expect="...,5,5").ok
    wrong_rank = shapelint.check(Pair, (1, 3, 6, 6), expect="3,5,5")
    assert [finding.message for finding in wrong_rank.findings] == ["the output is 1x3x5x5 where `3,5,5` is expected"]
    with pytest.raises(shapelint.ShapelintError, match="no symbol Q; the symbols are H, W"):
        shapelint.check(Pair, "1,3,H,W", expect="_,3,Q,W")


def test_every_join_that_fails_is_reported_with_its_part_of_one_plan() -> None:
    report = shapelint.check(UNet, (1, 2, 7, 8))
    assert codes(report) == ["SL201", "SL201"]
    assert [finding.module for finding in report.findings] == ["up.0", "up.1"]
    fixes = [finding.fix.assignments for finding in report.findings if finding.fix]
    assert fixes == [{"up.0.output_padding": (1, 0)}, {"up.1.output_padding": (1, 0)}]
    assert {finding.fix.safety for finding in report.findings if finding.fix} == {"unsafe"}
    assert report.contract.nearest(H=7, W=8) == ({"H": 4, "W": 8}, {"H": 8, "W": 8})
    assert [pair.size_in for pair in report.pairs] == [(3, 4), (7, 8)]


def test_with_symbols_alone_a_unet_gets_a_note() -> None:
    report = shapelint.check(UNet, "1,2,H,W")
    assert report.ok
    assert [(finding.code, finding.severity) for finding in report.findings] == [("SL202", "note")]
    assert str(report.contract.runs) == "H and W multiples of 4"


def test_channels_that_do_not_meet_are_told_at_their_join() -> None:
    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.a(x) + self.b(x)  # type: ignore[no-any-return]

    report = shapelint.check(Wide, (1, 3, 6, 6))
    (finding,) = report.findings
    assert (finding.code, finding.message) == ("SL201", "`add` joins 1x4x6x6 from `b` with 1x8x6x6 from `a`")
    assert any("The size of tensor a (8) must match the size of tensor b (4)" in note for note in finding.notes)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (["1,3,6,6", "1,3,6,6"], "forward.x. takes 1 by position, but 2 inputs without a name are given"),
        ("y=1,3,6,6", "forward.x. has no argument .y.; known are x"),
    ],
)
def test_inputs_that_do_not_fit_the_model_are_an_error_of_the_call(inputs: Any, words: str) -> None:
    with pytest.raises(shapelint.ShapelintError, match=words):
        shapelint.check(Pair, inputs)


def test_sequence_first_and_unbatched_inputs_keep_their_spatial_axes() -> None:
    class SequenceFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(4, 4, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x.permute(1, 2, 0)).permute(2, 0, 1)  # type: ignore[no-any-return]

    assert shapelint.check(SequenceFirst, (50, 2, 4)).contract.outcome(L=7).outputs == ((7, 2, 4),)
    assert shapelint.check(Pair, (3, 5, 5)).contract.symbols == ("H", "W")
