"""SL101: a mirrored pair of layers loses the remainder of its stride."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    LostRows,
    Repair,
    Rewrite,
    Safety,
    Severity,
    Valid,
    sized,
)

from ._causes import is_an_argument, misses_output_size, place_of
from ._fixes import change_fix, output_size_call, resizing, rewriting_fix, rewritten
from ._words import (
    alike_note,
    consequence,
    layer_name,
    nearest_note,
    padding_note,
    padding_text,
    quoted,
    shared_line_note,
)

_PAIR = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deconv = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1{}){}

    def forward(self, x):
        return self.deconv(self.conv(x))
"""

_CODEC = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(1, 4, 10, stride=5, padding=3)
        self.up = nn.ConvTranspose1d(4, 1, 10, stride=5, padding=3)  # <-- SL101

    def forward(self, x):
        return self.up(self.down(x))
"""

_UPSAMPLE = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2){}

    def forward(self, x):
        return self.up(self.pool(x)){}
"""


class RoundTripSize:
    """A decoder gives back fewer rows than went into the encoder.

    ## What it does

    A strided layer drops the remainder `(n + 2p - d(k-1) - 1) mod s` of its input: a convolution with kernel 3,
    stride 2 and padding 1 takes 5 rows and 6 rows alike to 3. The transposed layer that mirrors it cannot know which
    it was and gives back the smaller one, unless `output_padding` adds the rows. This rule speaks where the model is
    meant to give back its input's size, does not at an asked size, and a mirrored pair is what loses it.

    ## Why it is bad

    The reconstruction misses rows: a loss against the input raises, or worse, broadcasts.

    ## What PyTorch says

    Nothing, until the output meets the input: `mse_loss` then warns of `a target size (torch.Size([1, 3, 6, 6]))
    that is different`, and raises `The size of tensor a (5) must match the size of tensor b (6)`.

    ## Fix

    The value of `output_padding` per axis, proved by a second run for all sizes. It is safe where no size that ran
    now raises; sizes that stop coming back are named. For all sizes at once use `output_size=` in the call.

    ## See also

    SL102 where no `output_padding` can do it, SL105 where no size was asked for, SL201 where the loss shows at
    a skip connection first.
    """

    code: ClassVar[str] = "SL101"
    name: ClassVar[str] = "round-trip-size"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_PAIR.format("", ""), "1,3,5,5"),
        Valid(_PAIR.format(", output_padding=1", ""), "1,3,6,6"),
        Valid(_UPSAMPLE.format("", ""), "1,3,6,6"),
        Valid(_UPSAMPLE.format("", "[..., :1]"), "1,3,7,7"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _PAIR.format("", "  # <-- SL101"),
            "1,3,6,6",
            "`deconv` gives back 5x5 where `conv` took 6x6",
            {"deconv.output_padding": (1, 1)},
            fixed="nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, output_padding=1)",
        ),
        Invalid(_CODEC, "1,1,320", "`up` gives back 319 where `down` took 320", {"up.output_padding": (1,)}),
        Invalid(
            _UPSAMPLE.format("  # <-- SL101", ""),
            "1,3,7,8",
            "`up` gives back 6x8 where `pool` took 7x8",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each pair that loses its remainder and can get it back."""
        diagnosis = analysis.diagnosis
        if diagnosis is None or analysis.misaligned or analysis.claimed:
            return
        if not any(loss.pair.down for loss in diagnosis.losses):
            return
        if is_an_argument(diagnosis):
            return
        losing = [loss for loss in diagnosis.losses if not loss.values or _loses(loss)] or diagnosis.losses
        spare = {name: value for loss in diagnosis.losses if loss not in losing for name, value in loss.values.items()}
        for loss in losing:
            own = loss.values or (diagnosis.plan is None and is_remainder(loss))
            if own and not misses_output_size(loss):
                yield self._finding(analysis, diagnosis, loss, spare)
                spare = {}

    def _finding(
        self, analysis: Analysis, diagnosis: Diagnosis, loss: LostRows, spare: Mapping[str, tuple[int, ...]]
    ) -> Finding:
        """The finding; its fix also has the `spare` values, of layers that lose nothing but share the line."""
        notes = [alike_note(loss)]
        if diagnosis.plan is None:
            notes.append(nearest_note(analysis, dict(diagnosis.focus)))
            notes.append(padding_note(analysis) if loss is diagnosis.losses[0] else None)
        else:
            notes += [consequence(analysis, diagnosis.plan), shared_line_note(analysis, loss.up)]
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=loss_message(loss),
            notes=tuple(note for note in notes if note),
            module=loss.up.module or None,
            location=place_of(loss.up),
            fix=_fix(analysis.rewrite, diagnosis, loss, spare),
        )


def _loses(loss: LostRows) -> bool:
    """Whether the pair itself misses its size; a layer may get a value only because others of its line need one."""
    return any(loss.needed) and loss.pair.size_in != loss.pair.size_out


def loss_message(loss: LostRows) -> str:
    """Both sizes of a pair, or of a layer that mirrors nothing."""
    up, out = layer_name(loss.pair.up), sized(loss.pair.size_out)
    if not loss.pair.down:
        return f"{up} gives {out} where {sized(loss.pair.size_in)} is needed"
    return f"{up} gives back {out} where {layer_name(loss.pair.down)} took {sized(loss.pair.size_in)}"


def is_remainder(loss: LostRows) -> bool:
    """Whether a pair without `output_padding` misses exactly the remainder that its down-sampling drops."""
    transposed = loss.up.operation.startswith("conv_transpose")
    return not transposed and any(loss.needed) and all(each >= 0 for each in loss.needed)


def _fix(rewrite: Rewrite | None, diagnosis: Diagnosis, loss: LostRows, spare: Mapping[str, tuple[int, ...]]) -> Fix:
    if diagnosis.plan is None:
        if diagnosis.change is not None and diagnosis.change.parameter == "ceil_mode":
            return change_fix(diagnosis.change, "gives the size back")
        if rewrite is not None:
            return rewriting_fix(rewrite, f"write {rewritten(rewrite)}")
        return Fix(resizing(loss), Safety.ADVICE)
    ((module, value),) = loss.values.items()
    title = f"set {padding_text(value)} in {quoted(module)}"
    title += f" and, since one line builds them, in {' and '.join(map(quoted, spare))}" if spare else ""
    call = output_size_call(diagnosis, loss)
    if call is not None:
        title += f", or for every size write `{call}`"
    values = {module: value, **spare}
    assignments = {f"{name}.output_padding": each for name, each in values.items()}
    return Fix(title, diagnosis.plan.safety, assignments, verified=("meta",), repairs=(Repair.PADDING,))
