"""SL202: a model fits only for some sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from math import prod
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Failure,
    Finding,
    Fix,
    Invalid,
    Kind,
    Safety,
    Severity,
    SolverError,
    Span,
    Valid,
    as_function,
    limited,
    sized,
)

from ._causes import is_cut_into_rows, misfit_regions, pinned_regions, place_of, size_taken
from ._fixes import change_fix
from ._operands import axes_fix, cut_rows, cut_text, expanded_fix, latent_fix
from ._refused import refused_fix, refused_place, refused_text
from ._restricted import SHORT, elsewhere, is_restricted, only, otherwise
from ._views import one_sample, split_axis
from ._words import flatten_of, layer_name, nearest_note, quoted, said_note, some_of

_PINNED = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.fc = nn.Linear(4 * 14 * 14, 10)

    def forward(self, x):
        x = self.conv(x)
        return self.fc(x.view(1, 4 * 14 * 14)){}
"""

_EVEN = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(1, 4, 2, stride=2)
        self.up = nn.ConvTranspose1d(4, 1, 2, stride=2)

    def forward(self, x):
        return x + self.up(self.down(x))
"""

_SEQUENCE = """
import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(12, 16{}
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        state = torch.zeros(1, x.shape[0], 16)
        steps, _ = self.lstm(x, (state, state))
        return self.fc(steps[:, -1])
"""

_LINE = 98
_STEPS = 100_000
_OWN_RULE = frozenset({Kind.KERNEL, Kind.EMPTY, Kind.OUTPUT_PADDING, Kind.OUTPUT_SIZE, Kind.NORM, Kind.PAD, Kind.WRAP})


class RestrictedSizes:
    """The model fits only for some sizes.

    ## What it does

    Where an asked size raises and no other rule explains it, this is the error. Where no size was asked for, it is a
    note: the set of sizes that fit, in words. A mere smallest size is not worth a note.

    ## Why it is bad

    Who uses the model must know: other sizes raise, or come back with another size.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: shape '[1, 784]' is invalid for input of size 1024
    ```

    ## Fix

    Use a size of the set, or change the layer that restricts it; the nearest sizes are named.

    ## See also

    SL301 for sizes that are too small, SL304 for a Linear that pins the size, SL203 for a guard of the model's
    own.
    """

    code: ClassVar[str] = "SL202"
    name: ClassVar[str] = "restricted-sizes"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_PINNED.format(""), "1,1,28,28"),
        Valid(_EVEN, "1,1,64"),
        Valid(_SEQUENCE.format(", batch_first=True)"), "4,20,12"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _PINNED.format("  # <-- SL202"),
            "1,1,32,32",
            "it does not run at 32x32: shape '[1, 784]' is invalid for input of size 1024",
        ),
        Invalid(
            _SEQUENCE.format(")  # <-- SL202"),
            "4,20,12",
            "`lstm` takes axis 1 of 4x20x12 for the samples: it is not built with `batch_first=True`",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error for a raise that no other rule explains, or a note with the set of sizes that fit."""
        diagnosis = analysis.diagnosis
        if diagnosis is not None and diagnosis.region.outcome.ok is False:
            failure, told = diagnosis.region.outcome.failure, _known(analysis, diagnosis)
            cut = is_cut_into_rows(analysis, failure, diagnosis.region.outcome.place)
            if told is not None and not analysis.claimed:
                yield self._explained(analysis, diagnosis, *told)
            elif failure is not None and not analysis.claimed and not cut and not _has_own_rule(failure, diagnosis):
                yield self._error(analysis, diagnosis)
        known = analysis.contract.proved and not analysis.certain and not analysis.misaligned
        other = analysis.mixed or analysis.table or analysis.transform
        explained = pinned_regions(analysis) or misfit_regions(analysis) or other
        if known and not explained and analysis.samples is None and analysis.wanted and is_restricted(analysis.wanted):
            yield self._note(analysis)

    def _explained(
        self, analysis: Analysis, diagnosis: Diagnosis, text: str, fix: Fix, module: str, place: Span | None
    ) -> Finding:
        """A call of which more is known than what PyTorch says of it."""
        notes = [elsewhere(analysis), nearest_note(analysis, dict(diagnosis.focus)), said_note(analysis)]
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=text,
            notes=tuple(note for note in notes if note),
            module=module or None,
            location=place,
            fix=fix,
        )

    def _error(self, analysis: Analysis, diagnosis: Diagnosis) -> Finding:
        focus = dict(diagnosis.focus)
        failure, node = diagnosis.region.outcome.failure, diagnosis.node
        cause = failure.at(focus) if failure else ""
        message = _said(analysis, diagnosis)
        fits = len(message) + len(cause) <= _LINE
        own = failure is not None and failure.kind is Kind.PYTHON
        said = cause if own else said_note(analysis)
        lost = _lost(analysis) if failure is not None and failure.kind is Kind.JOIN else None
        notes = [lost, _row_note(diagnosis, failure), None if fits else said]
        notes += [elsewhere(analysis), nearest_note(analysis, focus)]
        view = cut_rows(diagnosis, failure)
        joins = failure is not None and failure.kind is Kind.JOIN
        place = diagnosis.region.outcome.place if own or joins or node is None else place_of(node)
        place = place or (place_of(node) if joins and node is not None else None)
        fix = _fix(diagnosis, failure)
        if view is not None:
            text, fix = cut_text(diagnosis, view)
            at = f" at {sized(tuple(focus.values()))}" if focus else ""
            message, fits, place = f"{text}{at}", False, place_of(view)
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{message}: {cause}" if fits else message,
            notes=tuple(note for note in notes if note),
            module=(node.module if node is not None and not own else "") or None,
            location=place,
            fix=fix,
        )

    def _note(self, analysis: Analysis) -> Finding:
        verb, words = "restores" if analysis.intent.meant else "runs for", some_of(analysis.wanted)
        smallest = analysis.wanted.smallest() or {}
        notes = [f"the smallest is {sized(tuple(smallest.values()))}"] if smallest else []
        notes += [] if len(words) <= SHORT else [f"namely {words}"]
        with suppress(SolverError), limited(_STEPS):
            notes += list(otherwise(analysis))
        if analysis.intent.meant:
            notes.append(f"{analysis.intent.why}; say otherwise with `--expect`")
        words = words if len(words) <= SHORT else "some sizes"
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.NOTE,
            message=only(verb, words),
            notes=tuple(notes),
        )


def _said(analysis: Analysis, diagnosis: Diagnosis) -> str:
    """That the model does not run at the focus; where no size would do, the size is not named."""
    node = diagnosis.node
    if analysis.contract.proved and not analysis.contract.runs and node is not None:
        return f"{quoted(node.module or node.operation)} raises at every size"
    return f"it does not run at {sized(tuple(diagnosis.focus.values()))}" if diagnosis.focus else "it does not run"


def _known(analysis: Analysis, diagnosis: Diagnosis) -> tuple[str, Fix, str, Span | None] | None:
    """What a layer refuses, or what a view makes of an axis: the text, what to write, the layer and the place."""
    call, runs = diagnosis.declined, analysis.contract.runs
    failure = diagnosis.region.outcome.failure
    split = one_sample(diagnosis, failure) or (None if runs else split_axis(diagnosis, failure))
    if call is not None:
        return refused_text(call), refused_fix(call), call.module, refused_place(call, diagnosis.region.outcome.place)
    return None if split is None else (*split[:2], split[2].module, split[2].place)


def _lost(analysis: Analysis) -> str | None:
    """What the last pair of layers that misses its size took and gives; None where none does."""
    missing = [pair for pair in analysis.pairs if pair.size_in != pair.size_out]
    if not missing:
        return None
    pair = missing[-1]
    given = f"{layer_name(pair.up)} gives back {sized(pair.size_out)}"
    return f"{layer_name(pair.down)} took {sized(pair.size_in)}, {given}"


def _fix(diagnosis: Diagnosis, failure: Failure | None) -> Fix | None:
    if diagnosis.change is not None:
        return change_fix(diagnosis.change, "makes the sizes fit")
    row = _row(diagnosis, failure)
    if row is None:
        return expanded_fix(diagnosis, failure) or axes_fix(diagnosis) or latent_fix(diagnosis) or _advice(failure)
    sample, _ = row
    text = f"{flatten_of(None if diagnosis.node is None else diagnosis.node.place)}, and build the layer after it for"
    return Fix(f"{text} {prod(sample)} features", Safety.ADVICE)


def _row(diagnosis: Diagnosis, failure: Failure | None) -> tuple[tuple[int, ...], int] | None:
    """What a sample has, and what a view makes a row of it, where that is another number: `x.view(x.size(0), 400)`."""
    node, focus = diagnosis.node, dict(diagnosis.focus)
    if node is None or failure is None or failure.kind is not Kind.RESHAPE or len(failure.shape) != 2:
        return None
    taken, (rows, values) = size_taken(diagnosis, node), (as_function(dim).value(focus) for dim in failure.shape)
    return (taken[1:], values) if len(taken) > 2 and taken[0] == rows and values > 0 else None


def _row_note(diagnosis: Diagnosis, failure: Failure | None) -> str | None:
    row = _row(diagnosis, failure)
    if row is None:
        return None
    return f"a sample has {sized(row[0])} = {prod(row[0])} values there, and the view asks for {row[1]}"


def _has_own_rule(failure: Failure, diagnosis: Diagnosis) -> bool:
    """Whether another rule speaks about the failure; a join of unequal channels is left to this one."""
    if failure.kind is Kind.JOIN:
        return bool(diagnosis.mismatches)
    if failure.kind in (Kind.CHANNELS, Kind.MULTIPLE):
        return bool(diagnosis.misfits)
    if failure.kind is Kind.UNPOOL:
        return bool(diagnosis.unpoolings)
    return failure.kind in _OWN_RULE or failure.kind is Kind.UNEXPLAINED


def _advice(failure: Failure | None) -> Fix | None:
    if failure is None or failure.kind is not Kind.UNPOOL:
        return None
    return Fix("unpool with the indices of the pool that took this size", Safety.ADVICE)
