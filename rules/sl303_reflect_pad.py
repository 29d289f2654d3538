"""SL303: reflect or circular padding that is as large as the size it pads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Failure,
    Finding,
    Fix,
    Invalid,
    Kind,
    Node,
    Safety,
    Severity,
    Valid,
    sized,
)

from ._causes import node_of, noteworthy, place_of, raising, size_taken
from ._words import brief, called, nearest_note, quoted, said_note

_GENERATOR = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.Conv2d(8, 8, 3, stride=2, padding=1),
            nn.ReflectionPad2d(3),{}
            nn.Conv2d(8, 3, 7),
        )

    def forward(self, x):
        return self.model(x)
"""

_CIRCULAR = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 9, padding=4, dilation=1, padding_mode="circular"){}

    def forward(self, x):
        return self.conv(x)
"""

_TO_A_MULTIPLE = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        height, width = x.shape[-2:]
        return self.conv(F.pad(x, (0, -width % 16, 0, -height % 16), mode="reflect")){}
"""


_MARK = "  # <-- SL303"


class ReflectPad:
    """Reflect or circular padding is as large as the size that it pads.

    ## What it does

    Reflection mirrors rows of the tensor itself and leaves out the edge: n rows give at most n - 1. Circular padding
    wraps around once: at most n. This rule speaks where an asked size has fewer.

    ## Why it is bad

    The call raises, and only for small inputs, deep in the network where the size has been halved some times. Padding
    an image to the next multiple of 16 by reflection fails for images below 9 rows.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: Argument #6: Padding size should be less than the corresponding input dimension, but got:
    padding (3, 3) at dimension 2 of input [1, 8, 3, 4]
    ```

    ## Fix

    Advice: the smallest input that works, or `mode="replicate"`, which has no limit.

    ## See also

    SL301 for kernels that are larger than their input.
    """

    code: ClassVar[str] = "SL303"
    name: ClassVar[str] = "reflect-pad"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_GENERATOR.format(""), "1,3,13,13"),
        Valid(_CIRCULAR.format(""), "1,1,4"),
        Valid(_TO_A_MULTIPLE.format(""), "1,3,9,9"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(_GENERATOR.format(_MARK), "1,3,12,16", "`model.2` gets 3x4, too small to reflect 3 rows"),
        Invalid(_GENERATOR.format(_MARK), "1,3,H,W", "`model.2` reflects more rows than it gets at some sizes"),
        Invalid(_CIRCULAR.format(_MARK), "1,1,3", "`conv` gets 3, too small to wrap 4 rows around"),
        Invalid(_TO_A_MULTIPLE.format(_MARK), "1,3,8,8", "`pad` gets 8x8, too small to reflect 8 rows"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error where such a padding is what raises, or a note with the sizes at which one does."""
        found = raising(analysis, Kind.PAD, Kind.WRAP)
        if found is not None:
            yield self._error(analysis, *found)
        region = noteworthy(analysis, Kind.PAD, Kind.WRAP)
        if region is not None:
            node, failure = node_of(analysis, region), region.outcome.failure
            does = "reflects" if failure is not None and failure.kind is Kind.PAD else "wraps"
            name = quoted("pad") if node is None else called(node)
            yield Finding(
                code=self.code,
                name=self.name,
                severity=Severity.NOTE,
                message=f"{name} {does} more rows than it gets at some sizes",
                notes=(f"it raises for: {brief(region.sizes, 'small sizes')}",),
                module=region.outcome.module or None,
                location=region.outcome.place if node is None else place_of(node),
            )

    def _error(self, analysis: Analysis, diagnosis: Diagnosis, node: Node, failure: Failure) -> Finding:
        notes = (nearest_note(analysis, dict(diagnosis.focus)), said_note(analysis))
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=_message(diagnosis, node, failure),
            notes=tuple(note for note in notes if note),
            module=node.module or None,
            location=place_of(node),
            fix=Fix(_advice(analysis), Safety.ADVICE),
        )


def _message(diagnosis: Diagnosis, node: Node, failure: Failure) -> str:
    shape, rank = size_taken(diagnosis, node), len(node.parameter("pad") or ()) // 2
    size = sized(shape[-rank:]) if rank else sized(shape)
    needed = failure.right if isinstance(failure.right, int) else failure.right.value(diagnosis.focus)
    if failure.kind is Kind.WRAP:
        return f"{called(node)} gets {size}, too small to wrap {needed} rows around"
    return f"{called(node)} gets {size}, too small to reflect {needed - 1} row{'s' * (needed > 2)}"


def _advice(analysis: Analysis) -> str:
    smallest = analysis.contract.runs.smallest()
    other = 'pad with `mode="replicate"`, which has no limit'
    return f"the smallest input that runs is {sized(tuple(smallest.values()))}; or {other}" if smallest else other
