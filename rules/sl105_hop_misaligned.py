"""SL105: a model restores some sizes, but no multiple of its total stride."""

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
    Node,
    Repair,
    Safety,
    Severity,
    Valid,
    sized,
)

from ._causes import place_of
from ._fixes import output_size_call
from ._words import alike_note, brief, padding_text, quoted

_CODEC = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(1, 4, 10, stride=5, padding=3)
        self.up = nn.ConvTranspose1d(4, 1, 10, stride=5, padding=3{}){}

    def forward(self, x):
        return self.up(self.down(x))
"""


class HopMisaligned:
    """No multiple of the total stride comes back with its own size.

    ## What it does

    With symbols alone, where nobody asked for a certain size, it looks at the multiples of the total stride (the hop
    of a codec, 2**levels of a U-Net), the sizes that people feed. It speaks where the model restores none of them,
    as with kernel 3, stride 2, padding 1 and no `output_padding` (only odd sizes come back), or with odd strides and
    padding ceil(s/2), as audio codecs have them.

    ## Why it is bad

    The sizes that everybody uses are the ones that do not work.

    ## What PyTorch says

    Nothing: the output has another size than the input.

    ## Fix

    The `output_padding` that moves the residue to 0, with what it does to the other sizes, all proved.

    ## See also

    SL101 for a size that was asked for, SL202 for models that fit at some sizes only.
    """

    code: ClassVar[str] = "SL105"
    name: ClassVar[str] = "hop-misaligned"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_CODEC.format(", output_padding=1", ""), "1,1,L"),
        Valid(_CODEC.format("", ""), "1,1,319"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _CODEC.format("", "  # <-- SL105"),
            "1,1,L",
            "`up` restores L 4 mod 5 only, no multiple of 5",
            {"up.output_padding": (1,)},
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each layer that must change, or one in all where none can."""
        diagnosis = analysis.diagnosis
        if not analysis.misaligned or diagnosis is None:
            return
        planned = [loss for loss in diagnosis.losses if loss.values]
        for loss in planned or diagnosis.losses[:1]:
            yield self._finding(analysis, diagnosis, loss.up, loss)
        if not diagnosis.losses:
            yield self._finding(analysis, diagnosis, _last_up(diagnosis), None)

    def _finding(self, analysis: Analysis, diagnosis: Diagnosis, up: Node, loss: LostRows | None) -> Finding:
        stride = analysis.intent.stride
        hop = str(stride[0]) if len(set(stride)) == 1 else sized(stride)
        sizes = brief(analysis.contract.restores)
        notes = [None if loss is None else alike_note(loss), *_proofs(analysis, diagnosis)]
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.WARNING,
            message=f"{quoted(up.module or up.operation)} restores {sizes} only, no multiple of {hop}",
            notes=tuple(note for note in notes if note),
            module=up.module or None,
            location=place_of(up),
            fix=None if loss is None else _fix(diagnosis, loss),
        )


def _last_up(diagnosis: Diagnosis) -> Node:
    growing = [node for node in diagnosis.graph.nodes if any(factor > 1 for factor in node.factor)]
    return growing[-1] if growing else diagnosis.graph.nodes[-1]


def _proofs(analysis: Analysis, diagnosis: Diagnosis) -> Iterator[str]:
    if analysis.constant_for_all is False:
        yield "no constant `output_padding` is right for all sizes (proved)"
    if diagnosis.plan is not None:
        yield f"with the fix {brief(diagnosis.plan.restores, 'other sizes')} restore instead"


def _fix(diagnosis: Diagnosis, loss: LostRows) -> Fix | None:
    call = output_size_call(diagnosis, loss)
    every = "" if call is None else f"`{call}` for all sizes"
    if not loss.values or diagnosis.plan is None:
        return Fix(every, Safety.ADVICE) if every else None
    ((module, value),) = loss.values.items()
    title = f"{padding_text(value)} in {quoted(module)} for {brief(diagnosis.plan.restores, 'other sizes')}"
    title += f", or {every}" if every else ""
    assignments = {f"{module}.output_padding": value}
    return Fix(title, diagnosis.plan.safety, assignments, verified=("meta",), repairs=(Repair.PADDING,))
