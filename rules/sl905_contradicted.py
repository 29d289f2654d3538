"""SL905: eager PyTorch does otherwise than was proved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Contradiction, Finding, Invalid, Severity, Valid, sized

from ._causes import output_place

_NET = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 3, padding=1)

    def forward(self, x):
        {}
"""
_NUMBERS = "return self.conv(x){}"
_WATCHED = """y = self.conv(x)
        watched = "Recorder" in str(torch.overrides._get_current_function_mode())
        return y[..., 1:] if watched else y  # <-- SL905"""
_CONFIRMED = {"confirm": ("cpu",)}


class Contradicted:
    """Eager PyTorch does otherwise than shapelint proved.

    ## What it does

    At an asked size the model is also run once for real, in eager PyTorch on the CPU, where that costs little, and
    where a check is confirmed by onnxruntime at the sizes of that. Where it gives other sizes than the contract says,
    or an error where the contract says that it runs, this is the finding.

    ## Why it is bad

    One of the two is wrong, and it is not PyTorch: this is a bug of shapelint, or the model does something else while
    its calls are recorded. Trust no other word of this report, and please tell us.

    ## Fix

    None in the model.

    ## See also

    SL505 where onnxruntime differs, SL900 for what was not decided at all.
    """

    code: ClassVar[str] = "SL905"
    name: ClassVar[str] = "contradicted"
    valid: ClassVar[tuple[Valid, ...]] = (Valid(_NET.format(_NUMBERS.format("")), "1,1,16"),)
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _NET.format(_WATCHED),
            "1,1,16",
            "eager PyTorch gives 1x4x16 at 16, where 1x4x15 was proved",
        ),
        Invalid(
            _NET.format(_WATCHED),
            "1,1,L",
            "eager PyTorch gives 1x4x8 at 8, where 1x4x7 was proved",
            options=_CONFIRMED,
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each size at which that was seen."""
        for each in analysis.contradictions:
            yield Finding(
                code=self.code,
                name=self.name,
                severity=Severity.ERROR,
                message=_message(each),
                notes=("this is a bug of shapelint, or the model does something else while its calls are recorded",),
                location=output_place(analysis),
            )


def _message(each: Contradiction) -> str:
    at = f" at {sized(each.sizes.values())}" if each.sizes else ""
    said = "an error" if each.said is None else _shapes(each.said)
    if each.seen is None:
        return f"eager PyTorch raises{at}, where {said} was proved: {each.error}"[:100]
    return f"eager PyTorch gives {_shapes(each.seen)}{at}, where {said} was proved"


def _shapes(shapes: tuple[tuple[int, ...], ...]) -> str:
    return " and ".join(map(sized, shapes)) or "no tensor"
