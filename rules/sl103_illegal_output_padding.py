"""SL103: an `output_padding` or `output_size` that PyTorch refuses when the layer is called."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Edit,
    Finding,
    Fix,
    Invalid,
    Kind,
    Layer,
    RefusedSize,
    Repair,
    Safety,
    Severity,
    Span,
    Valid,
    call_at,
    function_around,
    given,
    sized,
    span_of,
    written,
)

from ._fixes import change_fix
from ._words import called, nearest_note, padding_text, quoted, said_note

_LAYER = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 3, {}){}

    def forward(self, x):
        return self.up(self.conv(x))
"""

_STRETCHED = """
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.up2, self.up1 = nn.ConvTranspose2d(8, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 3, 2, 1)

    def forward(self, x):
        half = self.down1(x)
        y = self.up2(self.down2(half), output_size={}.shape[-2:]){}
        return self.up1(y, output_size=x.shape[-2:])
"""


class IllegalOutputPadding:
    """An `output_padding` or `output_size` is one that the layer cannot give, so the call raises.

    ## What it does

    `output_padding` resolves which of several sizes a strided layer came from; there are max(stride, dilation) of
    them, so it must be smaller than that. PyTorch refuses it when the layer is called, not when it is built.
    `output_size=` picks one of as many sizes as the stride says, and no other.

    ## Why it is bad

    The model cannot run at all. Often the stride was forgotten: it is the stride that makes the output larger.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: output padding must be smaller than either stride or dilation, but got output_padding_height:
    1 output_padding_width: 1 stride_height: 1 stride_width: 1 dilation_height: 1 dilation_width: 1
    ```

    ## Fix

    Advice: the legal range, and the stride that the value was meant for; the size that the mirrored layer took, as an
    edit where the call of that has a name for it.

    ## See also

    SL101 for the values that are right, SL104 for values that PyTorch allows and onnxruntime does not.
    """

    code: ClassVar[str] = "SL103"
    name: ClassVar[str] = "illegal-output-padding"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_LAYER.format("stride=2, padding=1, output_padding=1", ""), "1,3,8,8", {"expect": "_,_,16,16"}),
        Valid(_STRETCHED.format("half", ""), "1,3,30,33"),
        Valid(_LAYER.format("dilation=3, padding=3, output_padding=2", ""), "1,3,8,8", {"expect": "_,_,10,10"}),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _LAYER.format("output_padding=1", "  # <-- SL103"),
            "1,3,8,8",
            "`up` has `output_padding=1`, but stride 1 and dilation 1 allow at most 0",
            {"up.output_padding": (0, 0)},
        ),
        Invalid(
            _STRETCHED.format("x", "  # <-- SL103"),
            "1,3,30,33",
            "`up2` is asked for 30x33, and can give 15x17 to 16x18",
            fixed="output_size=half.shape[-2:]",
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields every layer with an illegal value, where one of them is what raises."""
        diagnosis = analysis.diagnosis
        if diagnosis is not None and diagnosis.refused is not None and not analysis.claimed:
            yield self._refused(analysis, diagnosis, diagnosis.refused)
        failure = None if diagnosis is None else diagnosis.region.outcome.failure
        if failure is None or failure.kind is not Kind.OUTPUT_PADDING:
            return
        for layer in analysis.layers:
            if "ConvTranspose" in layer.kind and any(map(int.__ge__, *_bounds(layer))):
                yield self._finding(layer, diagnosis)

    def _finding(self, layer: Layer, diagnosis: Diagnosis | None) -> Finding:
        name, (value, limits) = quoted(layer.module), _bounds(layer)
        given, stride = padding_text(value), written(layer.parameters["stride"])
        dilation, most = written(layer.parameters["dilation"]), written([each - 1 for each in limits])
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{name} has {given}, but stride {stride} and dilation {dilation} allow at most {most}",
            notes=("PyTorch raises when the layer is called: it must be smaller than stride or dilation",),
            module=layer.module,
            location=layer.built,
            fix=_fix(layer, diagnosis),
        )

    def _refused(self, analysis: Analysis, diagnosis: Diagnosis, refused: RefusedSize) -> Finding:
        least, most = sized(refused.least), sized(refused.most)
        mirror = refused.mirror
        took = None if mirror is None else f"{called(mirror)} took {sized(refused.took)}"
        notes = [took, nearest_note(analysis, dict(diagnosis.focus)), said_note(analysis)]
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR,
            message=f"{called(refused.up)} is asked for {sized(refused.asked)}, and can give {least} to {most}",
            notes=tuple(note for note in notes if note),
            module=refused.up.module or None,
            location=refused.up.place,
            fix=_asking(refused),
        )


def _asking(refused: RefusedSize) -> Fix:
    """The size that the mirror took, by its name; the edit is tried before anybody is told that it is more."""
    up, down, place = call_at(refused.up.place), refused.mirror and call_at(refused.mirror.place), refused.up.place
    size = None if up is None else given(up, "output_size", 1)
    name = down.args[0] if down and down.args else None
    if up is None or size is None or place is None or not isinstance(name, ast.Name) or _is_reused(name, place):
        what = f"{sized(refused.least)} to {sized(refused.most)}"
        if refused.mirror is not None:
            what = f"the size that {called(refused.mirror)} took, {sized(refused.took)}"
        return Fix(f"ask {called(refused.up)} for {what}", Safety.ADVICE)
    wanted = ast.parse(f"{name.id}.shape[-{refused.up.spatial}:]", mode="eval").body
    text = ast.unparse(copy.deepcopy(up, {id(size): wanted}))
    return Fix(f"write `{text}`", Safety.ADVICE, edits=(Edit(span_of(place.file, size), ast.unparse(wanted)),))


def _is_reused(name: ast.Name, place: Span) -> bool:
    """Whether a name is assigned more than once in the function around, or again where it is a parameter."""
    function = function_around(place)
    if function is None:
        return True
    given = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)].count(name.id)
    stored = [each for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    return given + [each.id for each in stored].count(name.id) > 1


def _fix(layer: Layer, diagnosis: Diagnosis | None) -> Fix:
    if diagnosis is not None and diagnosis.change is not None:
        return change_fix(diagnosis.change, "makes that legal")
    name, plan = quoted(layer.module), None if diagnosis is None else diagnosis.plan
    if plan is None or layer.module not in plan.values:
        return Fix(f"leave `output_padding` out, or give {name} the stride it was meant for", Safety.ADVICE)
    value = plan.values[layer.module]
    title, assignments = f"set {padding_text(value)} in {name}", {f"{layer.module}.output_padding": value}
    if not plan.ran:
        title = f"{title}, or give it the stride that the value was meant for"
    safety = plan.safety if plan.ran else Safety.ADVICE
    return Fix(title, safety, assignments, verified=("meta",), repairs=(Repair.PADDING,))


def _bounds(layer: Layer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    limits = tuple(map(max, layer.parameters["stride"], layer.parameters["dilation"]))
    return layer.parameters["output_padding"], limits
