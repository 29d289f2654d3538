"""SL900: part of a model could not be analysed for all sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from shapelint.contract import How, Region
from shapelint.finding import Finding, Severity
from shapelint.rule import Invalid, Valid

if TYPE_CHECKING:
    from shapelint.analysis import Analysis

_DATA = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        return {}
"""


_MASK = "not decided: a boolean mask as an index: how many elements it keeps depends on values"


class NotProved:
    """Part of the model could not be analysed for all sizes.

    ## What it does

    It says which sizes are not proved and why: an operation without a size rule, a size that the model's code took
    as a plain number, a shape that depends on the data. What was tried instead is said too. It is a warning where an
    asked size is undecided, and a note elsewhere.

    ## Why it is bad

    Nothing may be wrong with the model; but shapelint cannot promise it.

    ## Fix

    None: look at the place that is named, and check the sizes that matter to you one by one.
    """

    code: ClassVar[str] = "SL900"
    name: ClassVar[str] = "not-proved"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_DATA.format("y"), "1,1,L"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (Invalid(_DATA.format("y[y > 0]  # <-- SL900"), "1,1,16", _MASK),)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each reason that took the proof away."""
        by_reason: dict[str, list[Region]] = {}
        for region in analysis.contract.regions:
            if region.how is not How.PROVED:
                by_reason.setdefault(region.why, []).append(region)
        for regions in by_reason.values():
            yield self._finding(analysis, regions)

    def _finding(self, analysis: Analysis, regions: list[Region]) -> Finding:
        undecided = any(region.outcome.ok is None and region.sizes & analysis.asked for region in regions)
        severity = Severity.WARNING if undecided and analysis.certain else Severity.NOTE
        sizes = " and ".join(dict.fromkeys(str(region.sizes) for region in regions))
        decided = all(region.how is How.SAMPLED for region in regions)
        told = "tried at some sizes only" if decided else "not decided"
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity,
            message=_first_line(f"{told}: {regions[0].why}"),
            notes=(f"for: {sizes}",),
            location=regions[0].place,
        )


def _first_line(text: str) -> str:
    line = text.splitlines()[0]
    return line if len(line) <= 100 else line[:97] + "..."
