"""SL503: a resize whose factor gives another size in onnxruntime than in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, Rounding, Safety, Valid

from ._causes import at_stake
from ._words import quoted, some_of

_NET = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.up = nn.Upsample(scale_factor={})

    def forward(self, x):
        return self.conv({})
"""

_NAMED = 4
_LARGEST_DENOMINATOR = 1000


class ResizeRounding:
    """A resize by a factor rounds its size down otherwise in onnxruntime than in PyTorch.

    ## What it does

    PyTorch takes floor(size * factor) in float64. onnxruntime multiplies in float32, and at some sizes the product is
    then a whole number, or just below one, where the other is not. Those sizes are known, and named, up to 2048. Whole
    factors, halves and quarters are exact. It is a warning where a confirmation by a runtime is asked for, and else
    a note.

    ## Why it is bad

    The exported file gives one row more or less, at a few sizes only.

    ## Fix

    Advice: the size in whole numbers in the place of the factor, which both compute alike.
    """

    code: ClassVar[str] = "SL503"
    name: ClassVar[str] = "resize-rounding"
    about_exports: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_NET.format(1.5, "self.up(x)"), "1,3,H,W"),
        Valid(_NET.format(1.4, "self.up(x)"), "1,3,44,44"),
        Valid(_NET.format(2, "F.interpolate(x, size=(x.shape[2] * 7 // 5, x.shape[3] * 7 // 5))"), "1,3,H,W"),
        Valid(_NET.format(1.4, "self.up(x)"), "1,3,H,W", {"sizes": {"H": [32, 64], "W": [32, 64]}}),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _NET.format(1.4, "self.up(x))  # <-- SL503").replace("503)", "503"),
            "1,3,H,W",
            "`up` makes 62 of 45, in onnxruntime 63: its factor 1.4 is rounded in float32",
        ),
        Invalid(
            _NET.format(1, "F.interpolate(x, scale_factor=2.3))  # <-- SL503").replace("503)", "503"),
            "1,3,50,64",
            "`interpolate` makes 114 of 50, in onnxruntime 115: its factor 2.3 is rounded in float32",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each such resize."""
        for each in analysis.portability.roundings:
            name, factor = quoted(each.module or each.operation), f"{each.scale:.6g}"
            made = f"{name} makes {each.gives} of {each.taken[0]}, in onnxruntime {each.runtime_gives}"
            yield Finding(
                code=self.code,
                name=self.name,
                severity=at_stake(analysis),
                message=f"{made}: its factor {factor} is rounded in float32",
                notes=(
                    f"it does so where it takes {_listed(each.taken)}",
                    f"that is for the input sizes: {some_of(each.wrong)}",
                ),
                module=each.module or None,
                location=each.place,
                fix=Fix(_advice(each), Safety.ADVICE),
            )


def _listed(sizes: Sequence[int]) -> str:
    named = ", ".join(map(str, sizes[:_NAMED]))
    return named + (f" and {len(sizes) - _NAMED} other sizes up to {sizes[-1]}" if len(sizes) > _NAMED else "")


def _advice(each: Rounding) -> str:
    near = Fraction(each.scale).limit_denominator(_LARGEST_DENOMINATOR)
    if float(near) != each.scale:
        return "give the size in whole numbers in the place of the factor: `size=`"
    return f"give the size in whole numbers: `size=[n * {near.numerator} // {near.denominator} for n in x.shape[2:]]`"
