"""SL107: an inverse transform that is not told the size which was transformed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import Analysis, Finding, Fix, Invalid, LostTransform, Safety, Severity, Valid, call_at, given

from ._fixes import rewriting_fix, rewritten
from ._words import brief, consequence, nearest_note, padding_note, quoted, said_note

_SPECTRAL = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Conv1d(4, 4, 1)

    def forward(self, x):
        y = torch.fft.rfft(self.mix(x))
        y = y * torch.sigmoid(y.abs())
        return torch.fft.irfft(y{}){}
"""

_MASK = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(64))
        self.mask = nn.Conv1d(33, 33, 3, padding=1)

    def forward(self, x):
        {}x = torch.stft(x, 64, 16, window=self.window, return_complex=True)
        x = x * self.mask(x.abs()).sigmoid()
        return torch.istft(x, 64, 16, window=self.window{}){}
"""

_MARK = "  # <-- SL107"


class TransformRoundTrip:
    """An inverse transform is not told the size, and so loses an odd value or the rest of a hop.

    ## What it does

    `irfft` gives an even number of values, since 6 and 7 of them alike have 4 frequencies; `istft` gives whole hops.
    Where a model transforms its input and back, the sizes in between do not come back.

    ## Why it is bad

    Nothing raises: the signal comes back shorter, and the loss, the residual or the next frame is off.

    ## What PyTorch says

    Nothing: in the first example below 65 values come back as 64.

    ## Fix

    Tell the inverse the size: `n=` for `irfft`, `s=` for `irfft2`, `length=` for `istft`. The window and the hop stay
    as they are. That is right at every size.

    ## See also

    SL101 for pairs of layers, SL206 for pools that are undone.
    """

    code: ClassVar[str] = "SL107"
    name: ClassVar[str] = "transform-round-trip"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_SPECTRAL.format(", n=x.shape[-1]", ""), "1,4,65"),
        Valid(_SPECTRAL.format("", ""), "1,4,64"),
        Valid(_MASK.format("length = x.shape[-1]\n        ", ", length=length", ""), "2,1000"),
        Valid(_MASK.format("", "", ""), "2,1024"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _SPECTRAL.format("", _MARK),
            "1,4,65",
            "`irfft` gives back 64 where `rfft` took 65",
            fixed="torch.fft.irfft(y, n=x.shape[-1])",
        ),
        Invalid(
            _MASK.format("", "", _MARK),
            "2,1000",
            "`istft` gives back 992 where `stft` took 1000",
            fixed="window=self.window, length=length)",
        ),
        Invalid(_MASK.format("", "", _MARK), "2,T", "`istft` has no `length=`: only multiples of 16 come back"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error where the size is lost at the focus, or a note that some sizes are."""
        lost = analysis.transform
        if lost is None:
            return
        inverse, forward = _name(lost.inverse.operation), _name(lost.forward.operation)
        message = f"{inverse} gives back {lost.given} where {forward} took {lost.taken}"
        if analysis.diagnosis is None:
            sizes = f"sizes of {lost.rest} mod {lost.step}" if lost.rest else f"multiples of {lost.step}"
            sizes = sizes if lost.step else f"a size of {lost.rest}"
            message = f"{inverse} has no `{lost.argument}=`: only {sizes} come{'' if lost.step else 's'} back"
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.NOTE if analysis.diagnosis is None else Severity.ERROR,
            message=message,
            notes=tuple(note for note in _notes(analysis, lost) if note),
            module=lost.inverse.module or None,
            location=lost.inverse.place,
            fix=_fix(analysis, lost),
        )


def _name(operation: str) -> str:
    return quoted(operation.removeprefix("fft_"))


def _notes(analysis: Analysis, lost: LostTransform) -> Iterator[str | None]:
    diagnosis, meant = analysis.diagnosis, analysis.intent.meant
    yield f"it {'restores' if meant else 'runs for'}: {brief(analysis.wanted)}"
    if diagnosis is not None:
        yield nearest_note(analysis, dict(diagnosis.focus))
    if analysis.rewrite is not None:
        yield consequence(analysis, analysis.rewrite.plan)
    else:
        yield padding_note(analysis)
    yield said_note(analysis)
    if meant and (diagnosis is None or diagnosis.region.outcome.ok):
        yield f"{analysis.intent.why}; say otherwise with `--expect`"


def _fix(analysis: Analysis, lost: LostTransform) -> Fix:
    if analysis.rewrite is not None:
        return rewriting_fix(analysis.rewrite, f"write {rewritten(analysis.rewrite)}")
    size = {"s": "x.shape[-2:]", "n": "x.shape[-1]", "length": "x.shape[-1]"}[lost.argument]
    inverse, forward = _name(lost.inverse.operation), _name(lost.forward.operation)
    call = call_at(lost.inverse.place)
    centred = given(call, "center", 5) if call is not None else None
    if lost.argument == "length" and centred is not None and ast.unparse(centred) != "True":
        whole = f"{lost.rest} mod {lost.step}" if lost.rest else f"multiples of {lost.step}"
        text = f"pad the input to {whole}: without `center` no frame holds the rest, and `length=` would add zeros"
        return Fix(text, Safety.ADVICE)
    return Fix(f"pass `{lost.argument}={size}` to {inverse}, `x` being what {forward} takes", Safety.ADVICE)
