"""SL901: a comment that is to silence a finding silences none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, Safety, Severity, Valid

_AUTOENCODER = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1{}

    def forward(self, x):
        return self.deconv(self.conv(x))
"""
_EVERY = {"select": ()}


class UnusedIgnore:
    """A comment that is to silence a finding silences none.

    ## What it does

    It finds comments such as `# shapelint: ignore[SL101]` on whose line nothing is found that they could silence: in
    the classes of the model, and in the functions that built or ran it. Where several models are checked together, a
    comment that serves one of them is in use. It is a note, and never sets the exit code.

    ## Why it is bad

    The defect that it was written for is gone, or was never there. The next one on that line would go unseen.

    ## Fix

    `--fix` takes the comment, or the code that is named, out, and the reason behind it. A comment that is meant for
    other sizes than those that were asked for may stay.
    """

    code: ClassVar[str] = "SL901"
    name: ClassVar[str] = "unused-ignore"
    last: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_AUTOENCODER.format(")  # shapelint: ignore[SL101]"), "1,3,6,6", _EVERY),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _AUTOENCODER.format(", output_padding=1)  # shapelint: ignore[SL101]  # <-- SL901"),
            "1,3,6,6",
            "`ignore[SL101]` silences nothing",
            fixed="padding=1, output_padding=1)  # <-- SL901",
            options=_EVERY,
        ),
        Invalid(
            _AUTOENCODER.format(")  # shapelint: ignore[SL101, SL105]  # <-- SL901"),
            "1,3,6,6",
            "`SL105` in `ignore[SL101,SL105]` silences nothing",
            fixed="padding=1)  # shapelint: ignore[SL101]  # <-- SL901",
            options=_EVERY,
        ),
        Invalid(
            _AUTOENCODER.format(", output_padding=1)  # shapelint: ignore  # <-- SL901"),
            "1,3,6,6",
            "`ignore` silences nothing",
            fixed="padding=1, output_padding=1)  # <-- SL901",
            options=_EVERY,
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one note for each comment that silences nothing, or in part."""
        for each in analysis.unused:
            named = ", ".join(f"`{code}`" for code in each.codes)
            part = f"{named} in " if each.codes and f"ignore[{','.join(each.codes)}]" != each.text else ""
            yield Finding(
                code=self.code,
                name=self.name,
                severity=Severity.NOTE,
                message=f"{part}`{each.text}` silences nothing",
                location=each.place,
                unused=each.codes,
                fix=Fix("take the comment out" if not part else f"take {named} out", Safety.SAFE, edits=(each.edit,)),
            )
