"""SL102: a pair whose layers do not mirror each other, so that no `output_padding` can help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    LostRows,
    Safety,
    Severity,
    Valid,
    sized,
)

from ._causes import is_an_argument, misses_output_size, place_of
from ._fixes import change_fix, resizing
from ._words import layer_name, nearest_note, padding_note, quoted
from .sl101_round_trip_size import is_remainder, loss_message

_PAIR = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, {}, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, {}, stride=2, padding=1){}

    def forward(self, x):
        return self.deconv(self.conv(x))
"""


class RoundTripMirror:
    """A transposed layer differs from the layer it mirrors, and no `output_padding` makes up for it.

    ## What it does

    It compares kernel, stride, padding and dilation of a mirrored pair where the sizes do not come back and no legal
    `output_padding` (0 to max(stride, dilation) - 1) brings them back, which is proved.

    ## Why it is bad

    The output is too large or too small at every size, and the usual remedy cannot mend it.

    ## What PyTorch says

    Nothing: the output has another size than the input.

    ## Fix

    Advice: the argument that differs, and the value that mirrors.

    ## See also

    SL101 where an `output_padding` does it, SL106 where no layer mirrors another.
    """

    code: ClassVar[str] = "SL102"
    name: ClassVar[str] = "round-trip-mirror"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_PAIR.format(4, 4, ""), "1,3,64,64"),
        Valid(_PAIR.format(3, 3, ""), "1,3,6,6"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _PAIR.format(4, 6, "  # <-- SL102"),
            "1,3,64,64",
            "`deconv` gives back 66x66 where `conv` took 64x64",
            {"deconv.kernel_size": (4, 4)},
            fixed="nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each pair that misses its size where no plan repairs it."""
        diagnosis = analysis.diagnosis
        if diagnosis is None or diagnosis.plan is not None or analysis.misaligned or analysis.claimed:
            return
        losses = [loss for loss in diagnosis.losses if is_an_argument(diagnosis) or not is_remainder(loss)]
        losses = [loss for loss in losses if not misses_output_size(loss)]
        if diagnosis.change is not None:  # one argument is the cause of all of them
            named = set(diagnosis.change.values)
            own = [loss for loss in losses if {loss.up.module, loss.down.module} & named]
            losses = (own or losses)[:1]
        for number, loss in enumerate(losses):
            yield self._finding(analysis, diagnosis, loss, first=number == 0)

    def _finding(self, analysis: Analysis, diagnosis: Diagnosis, loss: LostRows, *, first: bool) -> Finding:
        change = diagnosis.change
        elsewhere = (nearest_note(analysis, dict(diagnosis.focus)), padding_note(analysis)) if first else ()
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=loss_message(loss),
            notes=(*_differences(loss), _impossible(loss), *(note for note in elsewhere if note)),
            module=(loss.up.module if change is None else change.layer) or None,
            location=place_of(loss.up) if change is None else diagnosis.handed or change.built,
            fix=_fix(diagnosis, loss),
        )


_ARGUMENTS = ("kernel_size", "stride", "padding", "dilation")


def _differences(loss: LostRows) -> tuple[str, ...]:
    found = []
    for name in _ARGUMENTS:
        up, down = loss.up.parameter(name), loss.down.parameter(name)
        if up is not None and down is not None and up != down:
            values = f"`{name}` is {sized(up)} in {quoted(loss.up.module)}, {sized(down)} in {quoted(loss.down.module)}"
            found.append(values)
    return tuple(found)


def _impossible(loss: LostRows) -> str:
    miss = ", ".join(f"{each:+d}" for each in loss.needed)
    if not loss.up.operation.startswith("conv_transpose"):
        return f"{layer_name(loss.pair.up)} misses the size by {miss}"
    if asked := loss.up.parameter("output_size"):
        return f"`output_size=` asks {quoted(loss.up.module)} for {sized(asked)}"
    present = loss.up.parameter("output_padding") or (0,) * len(loss.needed)
    limits = map(max, loss.up.parameter("stride") or present, loss.up.parameter("dilation") or present)
    needed = [one + two for one, two in zip(present, loss.needed, strict=True)]
    if all(0 <= value < limit for value, limit in zip(needed, limits, strict=True)):
        return "no `output_padding` of the model's transposed layers was found that gives the size back"
    return f"`output_padding` would have to change by {miss}, which is out of its range"


def _fix(diagnosis: Diagnosis, loss: LostRows) -> Fix | None:
    """The one argument of one layer that, alone, gives the size back; another size where the layer has none."""
    change = diagnosis.change
    if change is not None:
        return change_fix(change, "gives the size back")
    surplus = all(each <= 0 for each in loss.needed)
    if loss.pair.down and not loss.up.operation.startswith(("max_unpool", *(() if surplus else ("conv_transpose",)))):
        return Fix(resizing(loss), Safety.ADVICE)
    if loss.up.parameter("output_size"):
        return Fix(f"ask {quoted(loss.up.module)} for the size that {layer_name(loss.pair.down)} took", Safety.ADVICE)
    return None
