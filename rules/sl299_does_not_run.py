"""SL299: an asked size is wrong, and no other rule says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Diagnosis, Finding, Invalid, Severity, Valid, sized

from ._causes import place_of
from ._words import nearest_note

_NET = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 4, 12))

    def forward(self, x):
        return F.conv_transpose1d(x, self.weight, stride=10, output_padding={}){}
"""
_LINE = 100


class DoesNotRun:
    """An asked size is wrong, and no other rule says why.

    ## What it does

    Where the contract, or eager PyTorch at just that size, says that an asked size raises or gives another size than
    is meant, and no other rule has found an error, this is the error: PyTorch's own words, the call and its line.

    ## Why it is bad

    The model does not run there. That no rule knows the cause changes nothing of it.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: output padding must be smaller than either stride or dilation, but got output_padding_height: 0
    output_padding_width: 12 stride_height: 1 stride_width: 10 dilation_height: 1 dilation_width: 1
    ```

    ## Fix

    None: look at the call that is named.

    ## See also

    SL202 for the sizes at which a model fits, SL900 for sizes that were not decided.
    """

    code: ClassVar[str] = "SL299"
    name: ClassVar[str] = "does-not-run"
    last: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_NET.format(9, ""), "1,1,16"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _NET.format(12, "  # <-- SL299"),
            "1,1,16",
            "it raises at 16",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding where something is wrong and none of the errors so far says so."""
        diagnosis = analysis.diagnosis
        silent = not any(finding.severity is Severity.ERROR for finding in analysis.found)
        if diagnosis is not None and not analysis.misaligned and silent:
            yield self._finding(analysis, diagnosis)

    def _finding(self, analysis: Analysis, diagnosis: Diagnosis) -> Finding:
        focus, outcome = dict(diagnosis.focus), diagnosis.region.outcome
        at = f" at {sized(focus.values())}" if focus else ""
        said = analysis.pytorch or ("" if outcome.failure is None else outcome.failure.at(focus))
        message = f"it raises{at}" if outcome.ok is False else f"it gives another size than is meant{at}"
        fits = bool(said) and len(message) + len(said) + 2 <= _LINE
        node = diagnosis.node
        notes = [None if fits else said, nearest_note(analysis, focus)]
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{message}: {said}" if fits else message,
            notes=tuple(note for note in notes if note),
            module=(node.module if node is not None else "") or None,
            location=outcome.place or (None if node is None else place_of(node)),
        )
