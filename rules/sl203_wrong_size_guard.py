"""SL203: the model's own guard about sizes lets wrong sizes through, or refuses right ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Guard, Invalid, Safety, Severity, Valid, sized

from ._words import brief

_UNET = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(3, 8, 3, padding=1)
        self.enc2 = nn.Conv2d(8, 8, 3, padding=1)
        self.mid = nn.Conv2d(8, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.up2 = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.up1 = nn.ConvTranspose2d(16, 8, 2, stride=2)

    def forward(self, x):
        h, w = x.shape[-2:]
        {}
        a = self.enc1(x)
        b = self.enc2(self.pool(a))
        y = torch.cat([self.up2(self.mid(self.pool(b))), b], 1)
        return torch.cat([self.up1(y), a], 1)
"""

_ASSERT = "assert h % {0} == 0 and w % {0} == 0, 'the size must be a multiple of {0}'"
_RAISE = """if h % {0} or w % {0}:
            raise ValueError(f"{{h}}x{{w}} is no multiple of {0}")"""
_PATCHES = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 16, stride=16)

    def forward(self, x):
        assert x.shape[2] % 16 == 0 and x.shape[3] % 16 == 0, "no whole number of patches"
        return self.patch(x).mean((2, 3))
"""


class WrongSizeGuard:
    """The model's own guard about sizes lets sizes through that raise, or refuses sizes that fit.

    ## What it does

    It compares the sizes that the model's `assert` and `raise` statements let through with the sizes that really fit.
    The guard is too lax where a call behind it raises for a size that it let through. It is too strict where the
    model with these statements taken out is proved to be right at a size that they refuse; sizes at which a stride
    would drop rows without need are not counted. A guard that says just what fits gets no word.

    ## Why it is bad

    A lax guard promises what it does not keep, and the error comes from somewhere deep. A strict one makes people
    pad or resize for nothing.

    ## What PyTorch says

    What the guard says, at a size that would fit; or at a size that the guard lets through, the error of the
    call that it should have kept from running.

    ## Fix

    Advice: the set that the guard should ask for.

    ## See also

    SL202 for what fits, in words.
    """

    code: ClassVar[str] = "SL203"
    name: ClassVar[str] = "wrong-size-guard"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_UNET.format(_ASSERT.format(4)), "1,3,H,W"),
        Valid(_UNET.format(_RAISE.format(4)), "1,3,33,33"),
        Valid(_UNET.format(_ASSERT.format(2)), "1,3,32,32"),
        Valid(_PATCHES, "1,3,H,W"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _UNET.format(_ASSERT.format(2) + "  # <-- SL203"),
            "1,3,H,W",
            "the guard lets 16x18 through, which raises",
        ),
        Invalid(
            _UNET.format(_RAISE.format(8) + "  # <-- SL203"),
            "1,3,20,20",
            "the guard refuses 20x20, which fits",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding where the guards differ from what fits at an asked size."""
        guard = analysis.guard
        if guard is None or not analysis.concerns(guard.needless | guard.lax):
            return
        refused = guard.at in guard.needless
        at = sized(tuple(guard.at.values()))
        message = f"the guard refuses {at}, which fits" if refused else f"the guard lets {at} through, which raises"
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR if analysis.fails_at(guard.needless) else Severity.NOTE,
            message=message,
            notes=tuple(_notes(guard)),
            location=guard.place,
            fix=Fix(f"ask for {brief(guard.without, 'the sizes that fit')}", Safety.ADVICE),
        )


def _notes(guard: Guard) -> Iterator[str]:
    yield f"the guard accepts: {brief(guard.accepts)}"
    yield f"what fits: {brief(guard.without)}"
    if guard.failure is not None and guard.at in guard.lax:
        yield f"it raises: {guard.failure.at(guard.at)}"
    if guard.needless:
        yield "proved for the model without the guard"
