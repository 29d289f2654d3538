"""SL402: the samples of a batch are mixed, or one is split."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Edit,
    Finding,
    Fix,
    Invalid,
    MixedSamples,
    Mixing,
    Repair,
    Safety,
    Severity,
    Valid,
    added,
    call_at,
    given,
    sized,
    span_of,
)

from ._fixes import change_fix
from ._words import BATCH_FIRST, counted, flattened, nearest_note, pytorch_note, quoted, some_of

_LENET = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2))
        self.fc = nn.Linear(16 * 5 * 5, 10)

    def forward(self, x):
        x = self.conv(x)
        x = {}
        return self.fc(x)
"""

_ANCHORS = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.box = nn.Linear(8, 4)

    def forward(self, x):
        return self.box(self.conv(x).permute(0, 2, 3, 1).reshape(-1, 8))
"""

_SEQUENCE = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(12, 32{}
        self.fc = nn.Linear(32, 3)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])
"""

_FILM = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 3)

    def forward(self, x):
        rows = self.conv(x.flatten(0, 1))
        out, (state, _) = self.lstm({}
        return self.fc({})
"""

_VIEW = "x.view(-1, 16 * 5 * 5){}"


class BatchMixed:
    """The samples of a batch are mixed, or one sample is split into several rows.

    ## What it does

    A view such as `x.view(-1, 400)` makes as many rows as come out, whatever a sample is. At the size for which the
    number was written, a row is a sample; at others the view still runs where the elements can be divided, and a linear
    layer takes the rows for samples. Windows that come together again at the output, and views that only merge axes,
    such as the anchors of a detector, are no matter.

    Some calls mix samples at every size: a view behind a `permute` that has put another axis in front, a `cat`
    along axis 0 of branches with unlike kernels, a `flatten` of all axes, a `squeeze()` that takes away a batch of 1,
    a recurrent layer without `batch_first=True` of whose output `out[:, -1]` is taken, or one that gets the steps of
    all samples in one row, as behind `x.flatten(0, 1)`.

    ## Why it is bad

    Nothing raises: 4 images give 144 predictions, each from parts of one image or of two.

    ## What PyTorch says

    Nothing; behind a recurrent layer that took all steps for one sequence, perhaps
    `mat1 and mat2 shapes cannot be multiplied`.

    ## Fix

    `x.flatten(1)` keeps samples apart and raises at a size that does not fit; a layer for the asked size needs as many
    features as one sample has there. An adaptive pool before it takes every size. `batch_first=True` of a layer, and
    `dim=1` of a `cat`, are written where the model runs with them.

    ## See also

    SL304 for a Linear that pins the size.
    """

    code: ClassVar[str] = "SL402"
    name: ClassVar[str] = "batch-mixed"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_LENET.format(_VIEW.format("")), "4,3,32,32"),
        Valid(_LENET.format("x.flatten(1)"), "4,3,32,32"),
        Valid(_ANCHORS, "2,3,8,8"),
        Valid(_SEQUENCE.format(", batch_first=True)"), "4,20,12"),
        Valid(_FILM.format("rows.unflatten(0, (-1, 5)))", "out[:, -1]"), "2,5,3,32,32"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _LENET.format(_VIEW.format("  # <-- SL402")),
            "4,3,132,132",
            "`view` makes 144 rows of 4 samples at 132x132",
        ),
        Invalid(
            _LENET.format(_VIEW.format("  # <-- SL402")),
            "1,3,52,52",
            "`view` makes 4 rows of 1 sample at 52x52",
        ),
        Invalid(
            _LENET.format(_VIEW.format("  # <-- SL402")),
            "B,3,68,68",
            "`view` makes 196 rows of 25 samples at 25",
        ),
        Invalid(
            _SEQUENCE.format(")  # <-- SL402"),
            "4,20,12",
            "`lstm` in `lstm` takes the samples of the batch for steps in time",
        ),
        Invalid(
            _FILM.format("rows)  # <-- SL402", "state[-1]"),
            "2,5,3,32,32",
            "`lstm` in `lstm` takes the 5 steps of each sample behind those of the one before it",
        ),
        Invalid(
            _FILM.format("rows)  # <-- SL402", "out[:, -1]"),
            "2,5,3,32,32",
            "`lstm` in `lstm` takes the 5 steps of each sample behind those of the one before it",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error at an asked size, or where no size keeps samples apart; else a note."""
        samples = analysis.samples
        if samples is None:
            return
        asked = samples.sizes & analysis.asked
        if asked and (analysis.certain or not analysis.wanted):
            yield self._finding(analysis, samples, Severity.ERROR)
        elif asked and not analysis.certain:
            yield self._finding(analysis, samples, Severity.NOTE)

    def _finding(self, analysis: Analysis, samples: MixedSamples, severity: Severity) -> Finding:
        sizes = samples.sizes & analysis.asked
        first = analysis.question.first
        focus = dict(first) if first in sizes else sizes.example() or {}
        batch = next(analysis.question.inputs.tensors()).dims[0].value(focus)
        features = samples.features.value(focus)
        rows = batch * features // samples.row
        name = quoted(samples.operation) + (f" in {quoted(samples.module)}" if samples.module else "")
        at = f" at {sized(focus.values())}" if focus else ""
        message = f"{name} makes {counted(rows, 'row')} of {counted(batch, 'sample')}{at}"
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity,
            message=message if samples.way is Mixing.ROWS else f"{name} {_done(samples)}",
            notes=tuple(_notes(analysis, samples, features, focus)),
            module=samples.module or None,
            location=samples.place,
            fix=_fix(samples, features),
        )


def _fix(samples: MixedSamples, features: int) -> Fix:
    if samples.change is not None:
        return change_fix(samples.change, "makes one row of each sample")
    return Fix(_advice(samples, features), Safety.ADVICE, edits=tuple(_edits(samples)), repairs=(Repair.CODE,))


def _edits(samples: MixedSamples) -> Iterator[Edit]:
    """The argument that keeps samples apart, where one of the call does; it is tried before anybody is told of it."""
    call, place = call_at(samples.place), samples.place
    if call is None or place is None or samples.way not in _ARGUMENTS:
        return
    name, position, value, calls = _ARGUMENTS[samples.way]
    if ast.unparse(call.func).rpartition(".")[2] not in calls:
        return
    now = given(call, name, position)
    if now is None:
        yield added(place.file, call, name, value)
    elif isinstance(now, ast.Constant):
        yield Edit(span_of(place.file, now), value)


def _done(samples: MixedSamples) -> str:
    """What a call does to the samples, as the message says it behind the name of the call."""
    return {
        Mixing.PARTS: "puts parts of several samples into each of its rows for a sample",
        Mixing.JOINED: f"joins {samples.row} results of each sample along the batch",
        Mixing.TOGETHER: "makes one of all samples of the batch",
        Mixing.CHANNELS: f"makes {samples.row} rows of each sample",
        Mixing.STEPS: "takes the samples of the batch for steps in time",
        Mixing.SEQUENCE: f"takes the {counted(samples.row, 'step')} of each sample behind those of the one before it",
        Mixing.SQUEEZED: "takes the axis of the batch away where that is 1",
    }[samples.way]


_ENCODER = "TransformerEncoderLayer"
_ARGUMENTS = {
    Mixing.JOINED: ("dim", 1, "1", ("cat", "concat", "concatenate")),
    Mixing.STEPS: ("batch_first", None, "True", ("LSTM", "GRU", "RNN", "MultiheadAttention", _ENCODER)),
}
_MENDS = {
    Mixing.PARTS: "move the axes with `permute` until the samples are in front, and view then",
    Mixing.JOINED: "join them along the channels: `dim=1`",
    Mixing.TOGETHER: "leave axis 0 as it is: it counts the samples",
    Mixing.CHANNELS: "leave axis 0 as it is: `flatten(1)`",
    Mixing.STEPS: f"build it {BATCH_FIRST}",
    Mixing.SQUEEZED: "name the axes that it takes away, or write `flatten(1)`",
}


def _advice(samples: MixedSamples, features: int) -> str:
    """What keeps samples apart: a flatten ahead of a linear layer, or maps of as many values as a sample has."""
    if samples.way is Mixing.SEQUENCE:
        code = f"`.unflatten(0, (-1, {samples.row}))`, for a layer with `batch_first=True`"
        return f"give it samples, steps and features again: {code}"
    if samples.way is not Mixing.ROWS:
        return _MENDS[samples.way]
    if not samples.layer:
        return f"give a row the {counted(features, 'value')} that a sample has"
    return f"{flattened(samples, features)}, or pool to one size before it"


def _notes(analysis: Analysis, samples: MixedSamples, features: int, focus: dict[str, int]) -> Iterator[str]:
    if samples.way is Mixing.SEQUENCE and analysis.pytorch:
        yield pytorch_note(analysis)
    if samples.way is not Mixing.ROWS:
        return
    yield f"a sample has {counted(features, 'feature')} there, and a row takes {samples.row}"
    if samples.apart:
        yield f"a row is a sample for: {some_of(samples.apart)}"
    if analysis.wanted and (nearest := nearest_note(analysis, focus)):
        yield nearest
