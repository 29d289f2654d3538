"""SL900: part of a model could not be analysed for all sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import reduce
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Finding,
    How,
    Invalid,
    Kind,
    Region,
    Severity,
    SizeSet,
    Span,
    Valid,
    expression_at,
    sized,
)

from ._words import some_of

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


_LINE, _WRITTEN = 100, 40
_REPLAYED = "a run with plain integers"
_MASK = "not decided, line 11: a boolean mask as an index: how many elements it keeps depends on values"


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

    ## See also

    The section on limits in the README, for what cannot be proved.
    """

    code: ClassVar[str] = "SL900"
    name: ClassVar[str] = "not-proved"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_DATA.format("y"), "1,1,L"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (Invalid(_DATA.format("y[y > 0]  # <-- SL900"), "1,1,16", _MASK),)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each cause that took the proof away: a place, or a reason where no place is known."""
        by_cause: dict[Span | str, list[Region]] = {}
        for region in analysis.contract.regions:
            known = region.how is How.PROVED or region.sizes <= analysis.contract.decided
            if not known and not _has_own_rule(region):
                reason = _REPLAYED if region.why.startswith(_REPLAYED) else region.why
                by_cause.setdefault(region.place or reason, []).append(region)
        for regions in by_cause.values():
            yield self._finding(analysis, regions)

    def _finding(self, analysis: Analysis, regions: list[Region]) -> Finding:
        undecided = analysis.undecided
        severity = Severity.WARNING if any(region.sizes & undecided for region in regions) else Severity.NOTE
        sizes = reduce(SizeSet.__or__, (region.sizes for region in regions))
        first = min(regions, key=lambda each: (not each.sizes & undecided, each.how is How.SAMPLED))
        decided = all(region.how is How.SAMPLED for region in regions)
        message = _message("tried at some sizes only" if decided else "not decided", first)
        told = (*_whole(first.why, message), *_seen(regions, first), *_raised(analysis, regions))
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity,
            message=message,
            notes=(*told, f"for: {some_of(sizes)}"),
            location=first.place,
        )


def _seen(regions: list[Region], first: Region) -> Iterator[str]:
    """What a run at one size showed of the same cause, where that is another reason."""
    others = (each for each in regions if each.how is How.SAMPLED and each.sizes.finite)
    other = next((each for each in others if each.why != first.why and not each.outcome.ok), None)
    point = None if other is None else other.sizes.sample()
    if other is not None and point:
        yield f"at {sized(point.values())}: {other.why.partition(chr(10))[0]}"


def _raised(analysis: Analysis, regions: list[Region]) -> Iterator[str]:
    """What the model raised, where it did so at all sizes that were tried; at an asked one another rule says it."""
    if analysis.certain or any(region.outcome.ok for region in analysis.contract.regions):
        return
    failed = next((each for each in regions if each.outcome.ok is False), None)
    point = None if failed is None else failed.sizes.sample()
    if failed is not None and failed.outcome.failure is not None and point:
        yield f"it raises wherever it was tried: {failed.outcome.failure.at(point)}"


def _has_own_rule(region: Region) -> bool:
    """Whether another rule says why a region is not decided: an unpooling whose indices may lie beyond its output."""
    failure = region.outcome.failure
    return region.outcome.ok is None and failure is not None and failure.kind is Kind.UNPOOL


def _message(told: str, region: Region) -> str:
    """What was told, the line and the operation there, and the reason, as far as they fit."""
    line, place = region.why.partition("\n")[0], region.place
    texts = [f"{told}: {line}"]
    if place is not None:
        texts.insert(0, f"{told}, line {place.line}: {line}")
        if "`" not in line:
            texts.insert(0, f"{told}, line {place.line}, `{_operation(place)}`: {line}")
    fitting = (text for text in texts if len(text) <= _LINE)
    return next(fitting, texts[-1][: _LINE - 3] + "...")


def _operation(place: Span) -> str:
    """The operation at a place as it is written; of a long call, the function alone."""
    expression = expression_at(place)
    text = "" if expression is None else ast.unparse(expression)
    if isinstance(expression, ast.Call) and len(text) > _WRITTEN:
        text = f"{ast.unparse(expression.func)}(...)"
    return text or place.text().strip()


def _whole(why: str, message: str) -> Iterator[str]:
    """The reason, where it is too long for the message."""
    yield from () if why in message else why.splitlines()
