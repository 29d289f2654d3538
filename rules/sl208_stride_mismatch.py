"""SL208: a join gets maps of two levels."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Mismatch,
    Safety,
    Severity,
    ShapeGraph,
    Valid,
    sized,
)

from ._fixes import change_fix
from ._operands import miscropped
from ._words import quoted, said_note

_TWO_LEVELS = "the sizes differ by a factor at all but the smallest inputs: these are maps of two levels"
_LEVELS = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3 if not i else 8, 8, 3, padding=1), nn.Conv2d(8, 8, 2, stride=2)) for i in range(3)
        )
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, x):
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return torch.cat([self.up(levels[-1]), levels[{}]], 1){}
"""

_HALF = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 48, {}, stride={})
        self.up = nn.PixelShuffle(4)

    def forward(self, x):
        return self.up(self.down(x)) + x{}
"""


class StrideMismatch:
    """A join gets maps of two levels: their sizes differ by a factor, however large the input is.

    ## What it does

    It speaks where `cat`, `+` or another join raises at an asked size, and the size of one tensor grows twice (or four
    times) as fast with the input as the other's: a wrong level of a pyramid, an index counted from the wrong end, a
    name that is another feature, a layer that does not halve. No row is lost there, so nothing is to be padded.

    ## Why it is bad

    It raises at every size but the smallest, and a resize at the join hides which level was meant.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 16 but got size 32 for tensor
    number 1 in the list.
    ```

    ## Fix

    Advice: the strides of both maps, and what else gives a map of the size that is needed. Where one argument of one
    layer makes the sizes fit, that is the fix: unsafe, since nothing shows which level was meant.

    ## See also

    SL201 where a row is lost by rounding.
    """

    code: ClassVar[str] = "SL208"
    name: ClassVar[str] = "stride-mismatch"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_LEVELS.format("-2", ""), "1,3,64,64"),
        Valid(_HALF.format(4, 4, ""), "1,3,64,64"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _LEVELS.format("-3", "  # <-- SL208"),
            "1,3,64,64",
            "`cat` joins strides 2 and 4: 32x32 from `stages.0.1`, 16x16 from `up`",
        ),
        Invalid(
            _HALF.format(2, 2, "  # <-- SL208"),
            "1,3,64,64",
            "`add` joins strides 1 and 1/2: 64x64 from `input`, 128x128 from `up`",
            {"down.stride": (4, 4)},
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding where the first join that fails gets maps of two levels."""
        diagnosis = analysis.diagnosis
        if diagnosis is None or analysis.misaligned or analysis.claimed or not diagnosis.mismatches:
            return
        mismatch = diagnosis.mismatches[0]
        if mismatch.strides is None:
            return
        strides = " and ".join(map(str, mismatch.strides))
        parts = zip(mismatch.sizes, mismatch.sources, strict=True)
        maps = ", ".join(f"{sized(size)} from {quoted(source)}" for size, source in parts)
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{quoted(mismatch.node.operation)} joins strides {strides}: {maps}",
            notes=tuple(note for note in (_TWO_LEVELS, said_note(analysis)) if note),
            module=mismatch.node.module or None,
            location=mismatch.node.place,
            fix=_fix(diagnosis, mismatch, mismatch.strides),
        )


def _fix(diagnosis: Diagnosis, mismatch: Mismatch, strides: tuple[Fraction, Fraction]) -> Fix:
    if diagnosis.change is not None:
        return change_fix(diagnosis.change, "makes the sizes fit")
    cropped = miscropped(diagnosis.graph, mismatch)
    if cropped is not None:
        return cropped
    factor = strides[1] / strides[0]
    fine = mismatch.sources[0 if factor > 1 else 1]
    single = (each for each in diagnosis.graph.nodes if set(each.parameter("kernel_size") or ()) == {1})
    if mismatch.up is None and any(each.module == fine for each in single):
        step = max(factor, 1 / factor)
        return Fix(f"give {quoted(fine)} the stride of the way beside it, `stride={step}`", Safety.ADVICE)
    levels = ", ".join(map(quoted, mismatch.levels[:3]))
    wanted = f"join a map of stride {strides[1]} with {quoted(mismatch.sources[1])}"
    wanted = f"{wanted}, such as that of {levels}, or " if levels else f"{wanted}, or "
    coarse, fine = mismatch.sources[::-1] if factor > 1 else mismatch.sources
    resize = _resize(diagnosis.graph, coarse, max(factor, 1 / factor))
    wanted = wanted if levels or resize is None else ""
    return Fix(f"{wanted}{resize or _step(diagnosis, mismatch, factor, (coarse, fine))}", Safety.ADVICE)


def _resize(graph: ShapeGraph, coarse: str, times: Fraction) -> str | None:
    """The factor of a call that resizes, with which it gives as large a map as the other; None for another call."""
    calls = [each for each in graph.nodes if graph.name_of(each) == coarse and each.built is None]
    grown = [each for each in calls if max(each.factor, default=0) > 1]
    scales = {scale for each in grown for scale in each.parameter("scale_factor") or ()}
    if len(scales) != 1:
        return None
    scale = scales.pop()
    return f"resize by {scale * times} instead of {scale} in {quoted(coarse)}"


def _step(diagnosis: Diagnosis, mismatch: Mismatch, factor: Fraction, names: tuple[str, str]) -> str:
    """What to do about the steps ahead of the coarser and the finer map, the `factor` of whose strides is not 1."""
    coarse, fine = map(quoted, names)
    shrinks = any(min(each.factor, default=1) < 1 for each in diagnosis.graph.ancestors(mismatch.node))
    if factor > 1 or not shrinks:
        less = ", or halve less often ahead of it" if shrinks else ""
        return f"grow {coarse} {max(factor, 1 / factor)} times as much{less}"
    return f"halve once more ahead of {fine}, or less often ahead of {coarse}"
