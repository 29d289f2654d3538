"""SL106: the output misses the size that it is to have, and no mirrored pair explains it."""

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
    Node,
    Repair,
    Safety,
    Severity,
    Valid,
    sized,
    written,
)

from ._causes import place_of
from ._fixes import change_fix, rewriting_fix, rewritten
from ._words import called, nearest_note, padding_text, quoted

_VIEWS = ("view", "reshape", "unflatten")
_BY_HAND = ("pad", "__getitem__", "narrow")

_GENERATOR = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.up1 = nn.ConvTranspose2d(64, 32, 4, stride=1, padding=0)
        self.up2 = nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1)
        self.up3 = nn.ConvTranspose2d(16, 3, {}, stride=2, padding=1){}

    def forward(self, z):
        return self.up3(self.up2(self.up1(z)))
"""


class OutputSize:
    """The output has another size than `--expect` asks, or than the input where that is meant.

    ## What it does

    It compares the first output that has spatial axes with `--expect`, or with the input's size where the model goes
    down and up again and so is taken to be meant to restore it. It speaks where no mirrored pair is to blame: a
    generator with one doubling too many, a wrong padding in one layer of stride 1. Where one layer does not keep its
    size among others that do, and one argument there would make the output a multiple of the input, or a part of it,
    that is what it compares with.

    ## Why it is bad

    The loss against the target raises, or broadcasts.

    ## What PyTorch says

    Nothing: the output has another size than the one that is wanted.

    ## Fix

    Advice: the layers that set the size, in order, with what each of them gives.

    ## See also

    SL101 and SL102 where a pair of layers is to blame.
    """

    code: ClassVar[str] = "SL106"
    name: ClassVar[str] = "output-size"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_GENERATOR.format(4, ""), "1,64,1,1", {"expect": "...,16,16"}),
        Valid(_GENERATOR.format(3, ""), "1,64,1,1"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _GENERATOR.format(3, "  # <-- SL106"),
            "1,64,1,1",
            "the output is 1x3x15x15 where `...,16,16` is expected",
            {"up3.output_padding": (1, 1)},
            options={"expect": "...,16,16"},
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields the one finding where the output's size is wrong and no pair or call is to blame."""
        diagnosis = analysis.diagnosis
        if diagnosis is None or analysis.misaligned or analysis.claimed or not diagnosis.region.outcome.ok:
            return
        if any(loss.pair.down for loss in diagnosis.losses):
            return
        setters, change = _setters(diagnosis), diagnosis.change
        last = setters[-1] if setters else diagnosis.graph.nodes[-1]
        last = diagnosis.losses[0].up if diagnosis.losses else diagnosis.spoiler or last
        yield Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=_message(analysis, diagnosis),
            notes=tuple(note for note in _notes(analysis, diagnosis, setters) if note),
            module=(last.module if change is None else change.layer) or None,
            location=diagnosis.handed or (place_of(last) if change is None else change.built or place_of(last)),
            fix=_fix(analysis, diagnosis) if analysis.certain else None,
        )


def _fix(analysis: Analysis, diagnosis: Diagnosis) -> Fix | None:
    plan, change = diagnosis.plan, diagnosis.change
    if analysis.rewrite is not None and diagnosis.spoiler is not None:
        crop = f"crop the result to the size of the input: write {rewritten(analysis.rewrite)}"
        return rewriting_fix(analysis.rewrite, crop)
    if plan is not None:
        values = ", ".join(f"{padding_text(value)} in {quoted(name)}" for name, value in plan.values.items())
        title, repairs = f"set {values}", (Repair.PADDING,)
        return Fix(title, plan.safety, plan.assignments, verified=("meta",), repairs=repairs)
    if change is None:
        return None if diagnosis.spoiler is None else _cropped(analysis, diagnosis, diagnosis.spoiler)
    return change_fix(change, "gives the wanted size")


def _cropped(analysis: Analysis, diagnosis: Diagnosis, spoiler: Node) -> Fix | None:
    """What to do about a pad or a crop by hand: to write the other one at the end, or to pad up in the first place."""
    if spoiler.operation in _VIEWS:
        return _of_another_latent(analysis, diagnosis, spoiler)
    if spoiler.operation not in _BY_HAND:
        return None
    taken, given = _passed(analysis, diagnosis, spoiler)
    layer = next((node for node in diagnosis.graph.nodes if node.inputs == (spoiler.index,) and node.spatial), None)
    reach = None if layer is None else layer.parameter("kernel_size")
    alone = layer is not None and set(layer.factor) <= {1} and not any(layer.parameter("padding") or ())
    if layer is not None and reach is not None and alone:
        halves = [d * (k - 1) // 2 for k, d in zip(reach, layer.parameter("dilation") or reach, strict=True)]
        text = f"pad by {written(halves)} on each side, as much as {called(layer)} takes off"
        return Fix(text, Safety.ADVICE)
    crop = "[..., " + ", ".join(f":x.shape[{axis}]" for axis in range(-len(given), 0)) + "]"
    if all(one <= two for one, two in zip(taken, given, strict=True)):
        text = f"crop the result to the size of the input: `y{crop}`, where `x` is the input before it was padded"
        return Fix(text, Safety.ADVICE)
    how = "pad up" if spoiler.operation == "pad" else "pad up, with `F.pad`, instead of cutting the rest off,"
    return Fix(f"{how} to the next size that fits, and crop the result: `y{crop}`", Safety.ADVICE)


def _of_another_latent(analysis: Analysis, diagnosis: Diagnosis, view: Node) -> Fix | None:
    """The map that a view of a latent vector is to make, and the features that this takes."""
    focus, rank = dict(diagnosis.focus), len(analysis.intent.axes)
    shape = diagnosis.region.outcome.outputs[analysis.intent.output].value(focus)
    made = view.shapes[0].value(focus)
    sides = zip(made[-rank:], (shape[axis] for axis in analysis.intent.axes), analysis.question.target, strict=True)
    wanted = [side * dim.value(focus) // given for side, given, dim in sides]
    features = sized([made[1], *wanted])
    text = f"let {quoted(view.operation)} make {sized(wanted)} of {features} = {prod((made[1], *wanted))} features"
    return Fix(text, Safety.ADVICE)


def _message(analysis: Analysis, diagnosis: Diagnosis) -> str:
    focus = dict(diagnosis.focus)
    if analysis.intent.expected:
        shapes = [shape.value(focus) for shape in diagnosis.region.outcome.outputs]
        given = sized(shapes[analysis.intent.output]) if shapes else "nothing"
        return f"the output is {given} where `{analysis.intent.expected}` is expected"
    shape = diagnosis.region.outcome.outputs[analysis.intent.output].value(focus)
    given = sized([shape[axis] for axis in analysis.intent.axes] if len(shape) > max(analysis.intent.axes) else shape)
    meant = analysis.intent.wanted or analysis.question.target
    wanted = sized([dim.value(focus) for dim in meant])
    if analysis.intent.wanted and not analysis.intent.scale:
        return f"the output is {given} where the other layers make it {wanted}"
    scaled = f"{analysis.intent.scale} the input" if analysis.intent.scale else "the input"
    return f"the output is {given} where {scaled} is {wanted}"


def _notes(analysis: Analysis, diagnosis: Diagnosis, setters: list[Node]) -> Iterator[str | None]:
    focus = dict(diagnosis.focus)
    spoiled = diagnosis.spoiler is not None and set(diagnosis.spoiler.factor) <= {1}
    if diagnosis.spoiler is not None and spoiled:
        taken, left = _passed(analysis, diagnosis, diagnosis.spoiler)
        name = _name(diagnosis.spoiler)
        of = "" if diagnosis.spoiler.operation in _VIEWS else f" of {sized(taken)}"
        yield f"{name} gives {sized(left)}{of}, and nothing after it makes up for that"
    rank = len(analysis.question.axes)
    steps = [f"{_name(node)} gives {_size(node, focus, rank)}" for node in setters[-5:]]
    if steps and not spoiled:
        yield "set by: " + ", ".join(steps)
    yield nearest_note(analysis, focus)
    if not analysis.intent.expected:
        yield f"{analysis.intent.why}; say otherwise with `--expect`"


def _passed(analysis: Analysis, diagnosis: Diagnosis, node: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The sizes that a call takes and gives, along as many axes as are compared: the last ones."""
    focus, taken = dict(diagnosis.focus), diagnosis.graph.nodes[node.inputs[0]]
    rank = len(analysis.question.axes)
    return taken.shapes[0].value(focus)[-rank:], node.shapes[0].value(focus)[-rank:]


def _setters(diagnosis: Diagnosis) -> list[Node]:
    """The calls that change a size, in order: those that everything passes through, else the spatial ones."""
    if len(diagnosis.setters) > 1:
        return list(diagnosis.setters)
    focus = dict(diagnosis.focus)
    nodes = diagnosis.graph.nodes
    changing = [node for node in nodes if node.spatial and node.inputs and node.shapes]
    return [node for node in changing if _size(node, focus) != _size(nodes[node.inputs[0]], focus, node.spatial)]


def _name(node: Node) -> str:
    return "the slice" if node.operation == "__getitem__" else called(node)


def _size(node: Node, focus: dict[str, int], rank: int = 0) -> str:
    return sized(node.shapes[0].value(focus)[-(rank or node.spatial) :])
