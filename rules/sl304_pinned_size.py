"""SL304: a layer behind a flatten pins the input to one size."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Kind,
    Misfit,
    Node,
    Region,
    Safety,
    Severity,
    Valid,
    as_function,
    closest,
    sized,
    written,
)

from ._built_for import argument_of, channels_fix, followers_note, place_of_number, untransposed
from ._causes import (
    is_cut_into_rows,
    is_left_apart,
    is_pinned,
    node_of,
    pinned_regions,
    place_of,
    raising,
)
from ._fixes import change_fix, rewriting_fix
from ._words import brief, called, consequence, flattened, nearest_note, quoted, said_note

_LENET = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear({}, 120){}
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        {}
        return self.fc2(torch.relu(self.fc1(x)))
"""

_AUDIO = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 9, stride=4, padding=4)
        self.norm = nn.LayerNorm([4, 100]){}

    def forward(self, x):
        return self.norm(self.conv(x))
"""

_LINE = 100


class PinnedSize:
    """A Linear behind a flatten takes one size of input only.

    ## What it does

    The number of features after a flatten is channels times height times width, so `in_features` fixes the size of
    the input. The rule speaks where an asked size gives another number, and tells with symbols alone, as a note,
    which sizes fit. A layer norm over the spatial axes pins them too.

    ## Why it is bad

    `mat1 and mat2 shapes cannot be multiplied`, for every image that is not like those of the tutorial.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x2704 and 400x120)
    ```

    ## Fix

    `in_features` for the asked size, as an edit where it is a literal: unsafe where other sizes ran before. For every
    size: `nn.AdaptiveAvgPool2d` before the flatten.

    ## See also

    SL202 for other models that fit at some sizes only, SL207 for channels that do not depend on the size.
    """

    code: ClassVar[str] = "SL304"
    name: ClassVar[str] = "pinned-size"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_LENET.format("16 * 5 * 5", "", "x = torch.flatten(x, 1)"), "1,3,32,32"),
        Valid(_LENET.format("16 * 5 * 5", "", "x = torch.flatten(x, 1)"), "1,3,35,34"),
        Valid(_LENET.format("16", "", "x = x.mean(dim=(2, 3))"), "1,3,H,W"),
        Valid(_LENET.format("16 * 4 * 4", "", "x = nn.AdaptiveAvgPool2d(4)(x).flatten(1)"), "1,3,H,W"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _LENET.format("16 * 5 * 5", "  # <-- SL304", "x = torch.flatten(x, 1)"),
            "1,3,64,64",
            "`fc1` takes 400 features, and 64x64 gives it 2704",
            fixed="nn.Linear(2704, ",
        ),
        Invalid(
            _LENET.format("16 * 5 * 5", "  # <-- SL304", "x = x.view(x.size(0), -1)"),
            "1,3,H,W",
            "`fc1` takes 400 features, so only some sizes fit",
        ),
        Invalid(
            _LENET.format("401", "  # <-- SL304", "x = torch.flatten(x, 1)"),
            "1,3,H,W",
            "`fc1` takes 401 features, and no size gives them",
        ),
        Invalid(
            _LENET.format("16 * 5 * 5", "  # <-- SL304", "x = x.view(-1, 16 * 5 * 5)"),
            "4,3,64,64",
            "`fc1` takes 400 features, and 64x64 gives it 2704",
        ),
        Invalid(_AUDIO.format("  # <-- SL304"), "1,1,L", "`norm` takes 100 features, so only L from 397 to 400 fit"),
        Invalid(_AUDIO.format("  # <-- SL304"), "1,1,480", "`norm` takes 100 features, and 480 gives it 120"),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields an error where this is what raises, or a note with the sizes that fit."""
        found = raising(analysis, Kind.CHANNELS)
        if found is not None and is_left_apart(found[0]):
            return
        if found is not None and is_pinned(analysis, found[2]) and found[0].misfits:
            yield self._error(analysis, found[0])
        elif (cut := raising(analysis, Kind.RESHAPE)) and is_cut_into_rows(analysis, cut[2], cut[1].place):
            yield from self._of_rows(analysis, cut[0])
        elif analysis.diagnosis is None and not analysis.certain:
            for region in pinned_regions(analysis)[:1]:
                yield self._note(analysis, region)

    def _error(self, analysis: Analysis, diagnosis: Diagnosis) -> Finding:
        misfit = diagnosis.misfits[0]
        focus, name = dict(diagnosis.focus), called(misfit.node)
        text = f"{name} takes {misfit.built_for} features, and "
        gives = f"{sized(tuple(focus.values()))} gives it {misfit.given}"
        none = analysis.contract.proved and not analysis.contract.runs and not _is_passed(analysis, diagnosis)
        notes = [_fitting(analysis), nearest_note(analysis, focus), followers_note(diagnosis)]
        notes.append(_pooled(analysis, misfit.node))
        if diagnosis.repaired is not None and diagnosis.repaired.complete and analysis.certain:
            notes.append(consequence(analysis, diagnosis.repaired))
        notes.append(said_note(analysis))
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=text + ("no size gives them" if none and not analysis.certain else gives),
            notes=tuple(note for note in notes if note),
            module=misfit.node.module or None,
            location=place_of_number(misfit),
            fix=_fix(analysis, diagnosis, misfit) if analysis.certain else None,
        )

    def _of_rows(self, analysis: Analysis, diagnosis: Diagnosis) -> Iterator[Finding]:
        """The view into rows of so many features, as what a flatten in its place would give the layer."""
        samples, focus = analysis.samples, dict(diagnosis.focus)
        node = next((each for each in analysis.graph.nodes if samples and each.module == samples.layer), None)
        if samples is None or node is None:
            return
        features, size = samples.features.value(focus), sized(tuple(focus.values()))
        view = f"`{samples.operation}` makes rows of {samples.row} of what it gets, whatever the size"
        notes = [view, _fitting(analysis), nearest_note(analysis, focus), _pooled(analysis, node, samples.operation)]
        notes.append(said_note(analysis))
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{called(node)} takes {samples.row} features, and {size} gives it {features}",
            notes=tuple(note for note in notes if note),
            module=node.module or None,
            location=place_of(node),
            fix=Fix(f"for {size}, {flattened(samples, features)}", Safety.ADVICE),
        )

    def _note(self, analysis: Analysis, region: Region) -> Finding:
        node, failure = node_of(analysis, region), region.outcome.failure
        name = quoted(region.outcome.module) if node is None else called(node)
        text = f"{name} takes {'' if failure is None else failure.right} features, so only"
        notes = [_fitting(analysis), None if node is None else _pooled(analysis, node)]
        words = str(analysis.contract.runs).replace(" only ", " ", 1)
        whole = f"{text} {words} fit"
        fits = analysis.contract.proved and "," not in words and len(whole) <= _LINE
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.NOTE,
            message=whole if fits else f"{text} some sizes fit",
            notes=tuple(note for note in notes if note),
            module=region.outcome.module or None,
            location=region.outcome.place if node is None else place_of(node),
        )


def _fix(analysis: Analysis, diagnosis: Diagnosis, misfit: Misfit) -> Fix:
    rewrite = analysis.rewrite
    if diagnosis.change is not None:
        return change_fix(diagnosis.change, f"gives {called(misfit.node)} its {misfit.built_for} features")
    argument, size = argument_of(misfit.node), sized(tuple(diagnosis.focus.values()))
    written = f"`{argument[0]}={misfit.given}`" if argument else str(misfit.given)
    if rewrite is not None:
        return rewriting_fix(rewrite, f"write {rewrite.texts[0]}, which gives {called(misfit.node)} {written}")
    text = f"give {called(misfit.node)} {written}, for {size}"
    turned = untransposed(diagnosis, misfit)
    return turned or channels_fix(diagnosis, text, where=f", for {size}")


def _fitting(analysis: Analysis) -> str | None:
    """The sizes that fit, in words, as far as they are proved."""
    if not analysis.contract.proved:
        return None
    runs = analysis.contract.runs
    return f"it runs for: {brief(runs)}" if runs else "no size fits"


def _pooled(analysis: Analysis, layer: Node, flatten: str = "") -> str | None:
    """The pool that makes every size fit, where the size before the flatten is known from a size that runs.

    `flatten` is the call that does as a flatten does.
    """
    nodes = analysis.graph.nodes
    node = next((each for each in nodes if each.module == layer.module and each.operation == layer.operation), None)
    if node is None or not node.shapes or node.operation != "linear":
        return None
    taken, sizes = nodes[node.inputs[0]], _example(analysis)
    features = taken.shapes[0].value(sizes)[-1]
    while taken.inputs and len(taken.shapes[0].dims) < 3:
        taken = nodes[taken.inputs[0]]
    shape = taken.shapes[0].value(sizes)
    rank = len(shape) - 2
    follows = [bool(as_function(dim).symbols()) for dim in taken.shapes[0].dims[1:]]
    maps = rank in (1, 2, 3) and not follows[0] and all(follows[1:])
    if not maps or prod(shape[1:]) != features:
        return None
    where = quoted(flatten) if flatten else "flatten"
    return f"for every size, put `nn.AdaptiveAvgPool{rank}d({written(shape[2:])})` before the {where}"


def _example(analysis: Analysis) -> dict[str, int]:
    """A size that fits, as near as can be to one that somebody cares about."""
    runs = analysis.contract.runs
    focus = analysis.question.first if analysis.diagnosis is None else analysis.diagnosis.focus
    return closest(runs, focus, analysis.steps) or dict(analysis.graph.sizes)


def _is_passed(analysis: Analysis, diagnosis: Diagnosis) -> bool:
    """Whether some sizes give the layer what it takes, and raise behind it."""
    here = diagnosis.region
    others = (each for each in analysis.contract.regions if each.outcome.place != here.outcome.place)
    return any(each.outcome.ok is False and each.node >= here.node for each in others)
