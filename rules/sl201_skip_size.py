"""SL201: a join gets two sizes that differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Mismatch,
    Repair,
    Rewrite,
    Safety,
    Severity,
    Valid,
    sized,
)

from ._causes import is_unpooled
from ._fixes import calls_written, change_fix, rewriting_fix, rewritten_at
from ._operands import evened_by_hand, is_apart, is_cut_short, joined_fix, whole_shapes
from ._paddings import kernels_fix
from ._targets import laid_out_fix
from ._words import brief, consequence, layer_name, nearest_note, padding_note, padding_text, quoted, said_note

_UNET = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.mid = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)

    def forward(self, x):
        skip = self.enc(x)
        y = self.up(self.mid(self.pool(skip)))
        {}
"""

_ADDITIVE = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.enc2 = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.dec2 = nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x):
        skip = self.enc1(x)
        y = self.dec2(self.enc2(skip))
        return y + skip  # <-- SL201
"""

_JOINED = "return torch.cat([y, skip], 1)"


class SkipSize:
    """A skip connection joins two sizes that differ.

    ## What it does

    It speaks where `cat`, `+`, `*` or another join raises at an asked size because its tensors differ in size: an odd
    size was halved on the way down, and doubling gives one row less than the skip has.

    ## Why it is bad

    `Sizes of tensors must match except in dimension 1. Expected size 24 but got size 25`, in production, at the
    first image whose size is not like the one that was tried.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 64 but got size 65 for tensor
    number 1 in the list.
    ```

    ## Fix

    First the sizes that work: pad or resize the input to one of them. For every size: resize or pad the decoder's
    tensor to the skip's size at the join. Where `output_padding` of the layers mends the asked size, the values are
    given; that is unsafe where other sizes that ran then raise.

    ## See also

    SL204 where a hand-made crop or pad is to blame, SL205 where height and width are mixed up, SL208 where the two
    are maps of two levels, SL401 where one of the sizes is 1 and nothing raises.
    """

    code: ClassVar[str] = "SL201"
    name: ClassVar[str] = "skip-size"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_UNET.format(_JOINED), "1,3,64,64"),
        Valid(_UNET.format(f"y = F.interpolate(y, size=skip.shape[2:])\n        {_JOINED}"), "1,3,65,65"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _UNET.format(f"{_JOINED}  # <-- SL201"),
            "1,3,65,64",
            "`cat` joins 64x64 from `up` with 65x64 from `enc`",
            {"up.output_padding": (1, 0)},
            fixed="output_size=skip.shape[-2:]",
        ),
        Invalid(
            _ADDITIVE,
            "1,3,50,50",
            "`add` joins 26x26 from `dec2` with 25x25 from `enc1`",
            {"dec2.output_padding": (0, 0)},
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each join that fails, those before it being repaired."""
        diagnosis = analysis.diagnosis
        if diagnosis is None or analysis.misaligned or analysis.claimed or diagnosis.declined is not None:
            return
        for number, mismatch in enumerate(diagnosis.mismatches):
            if not is_unpooled(mismatch) and mismatch.strides is None:
                yield self._finding(analysis, diagnosis, number)

    def _finding(self, analysis: Analysis, diagnosis: Diagnosis, number: int) -> Finding:
        mismatch = diagnosis.mismatches[number]
        sizes, sources = mismatch.sizes[::-1], mismatch.sources[::-1]
        join = quoted(mismatch.node.operation)
        pairs = [f"{sized(size)} from {quoted(source)}" for size, source in zip(sizes, sources, strict=True)]
        whole = None if number else whole_shapes(diagnosis, mismatch)
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{join} joins {whole or ' with '.join(pairs)}",
            notes=(*_cause(mismatch), *(() if number else _notes(analysis, diagnosis))),
            module=(mismatch.up.module if mismatch.up else mismatch.node.module) or None,
            location=mismatch.node.place,
            fix=_fix(analysis, diagnosis, number),
        )


def _cause(mismatch: Mismatch) -> Iterator[str]:
    loss = mismatch.loss
    if loss is not None:
        taken, given = sized(loss.size_in), sized(loss.size_out)
        yield f"{layer_name(loss.down)} took {taken}, {layer_name(loss.up)} gives back {given}"


def _notes(analysis: Analysis, diagnosis: Diagnosis) -> Iterator[str]:
    runs = analysis.contract.runs
    yield f"the model runs for: {brief(runs)}" if runs else "no size runs"
    near = nearest_note(analysis, dict(diagnosis.focus))
    if near is not None:
        yield near
    if diagnosis.plan is not None:
        fix = "the fix" if analysis.rewrite is None else "`output_padding`"
        yield consequence(analysis, diagnosis.plan, fix)
    yield from (note for note in (padding_note(analysis), said_note(analysis)) if note)


def _written(rewrite: Rewrite, diagnosis: Diagnosis, number: int) -> str:
    """What is to be written at a join; where nothing of it stands there, at which line it is told."""
    places = [mismatch.node.place for mismatch in diagnosis.mismatches]
    texts, first = rewritten_at(rewrite, places)[number], places[0]
    return f"write {calls_written(texts)}" if texts or first is None else f"write what is said of line {first.line}"


def _resized_later(diagnosis: Diagnosis, mismatch: Mismatch) -> bool:
    """Whether what grew a map at the first join has another size there than the map in the end."""
    up, size = mismatch.up, mismatch.sizes[1]
    given = up.shapes[0].value(dict(diagnosis.focus))[-len(size) :] if up is not None and up.shapes else size
    lost = mismatch.loss is not None and mismatch.loss.size_in != mismatch.loss.size_out
    return mismatch is diagnosis.mismatches[0] and not lost and given != size


def _fix(analysis: Analysis, diagnosis: Diagnosis, number: int) -> Fix | None:
    """What people do first: pad the input, or give the tensor that grew the skip's size; then `output_padding`."""
    mismatch, change = diagnosis.mismatches[number], diagnosis.change
    if not number and (known := laid_out_fix(diagnosis, mismatch) or kernels_fix(diagnosis.graph, mismatch)):
        return known
    if not number and is_apart(diagnosis, mismatch):
        return joined_fix(diagnosis, mismatch)
    if change is not None:
        by_hand = evened_by_hand(diagnosis.graph, mismatch) if change.alike else None
        return by_hand or change_fix(change, "makes the sizes fit")
    otherwise = None if number or analysis.rewrite or diagnosis.plan else joined_fix(diagnosis, mismatch)
    if otherwise is not None:
        return otherwise
    up, skip = mismatch.up, quoted(mismatch.sources[0])
    rewrite = analysis.rewrite if analysis.rewrite is not None and analysis.rewrite.plan.complete else None
    short = not number and diagnosis.plan is not None and is_cut_short(diagnosis, mismatch)
    rewrite = None if short else rewrite
    grown = "" if up is None or _resized_later(diagnosis, mismatch) else up.module or up.operation
    given = quoted(grown or mismatch.sources[1])
    bring = f"resize or pad what {given} gives to the size of the skip from {skip}"
    if rewrite is not None:
        bring = _written(rewrite, diagnosis, number)
    if diagnosis.plan is None or not mismatch.values or (rewrite is not None and not diagnosis.plan.complete):
        pad = "pad the input to a size that runs" if analysis.contract.runs else ""
        if rewrite is not None:
            return rewriting_fix(rewrite, ", or ".join(filter(None, (pad, bring))))
        if pad and given == skip:  # pieces of one tensor
            return Fix(pad, Safety.ADVICE)
        rank = len(mismatch.sizes[0])
        code = f": `F.interpolate(y, size=skip.shape[-{rank}:])`" if mismatch.maps else ""
        return Fix(", or ".join(filter(None, (pad, bring + code))), Safety.ADVICE)
    values = ", ".join(f"{padding_text(value)} in {quoted(name)}" for name, value in mismatch.values.items())
    assignments = {f"{name}.output_padding": value for name, value in mismatch.values.items()}
    everywhere = rewrite is None or (rewrite.plan.restores == rewrite.plan.runs and not rewrite.plan.breaks)
    title = f"{'for every size ' if everywhere else ''}{bring}; for this one set {values}"
    title = f"set {values}" if short else title
    safeties = {diagnosis.plan.safety} | ({rewrite.plan.safety} if rewrite else set())
    safety = next(each for each in (Safety.ADVICE, Safety.UNSAFE, Safety.SAFE) if each in safeties)
    repairs = (Repair.PADDING,) if rewrite is None else (Repair.PADDING, rewrite.repair)
    return Fix(title, safety, assignments, () if rewrite is None else rewrite.edits, ("meta",), repairs)
