"""SL103: an `output_padding` that PyTorch refuses when the layer is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Finding,
    Fix,
    Invalid,
    Kind,
    Layer,
    Repair,
    Safety,
    Severity,
    Valid,
    written,
)

from ._fixes import change_fix
from ._words import padding_text, quoted

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


class IllegalOutputPadding:
    """An `output_padding` is as large as both the stride and the dilation, so the call raises.

    ## What it does

    `output_padding` resolves which of several sizes a strided layer came from; there are max(stride, dilation) of
    them, so it must be smaller than that. PyTorch refuses it when the layer is called, not when it is built.

    ## Why it is bad

    The model cannot run at all. Often the stride was forgotten: it is the stride that makes the output larger.

    ## What PyTorch says

    In the first example below:

    ```text
    RuntimeError: output padding must be smaller than either stride or dilation, but got output_padding_height:
    1 output_padding_width: 1 stride_height: 1 stride_width: 1 dilation_height: 1 dilation_width: 1
    ```

    ## Fix

    Advice: the legal range, and the stride that the value was meant for.

    ## See also

    SL101 for the values that are right, SL104 for values that PyTorch allows and onnxruntime does not.
    """

    code: ClassVar[str] = "SL103"
    name: ClassVar[str] = "illegal-output-padding"
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_LAYER.format("stride=2, padding=1, output_padding=1", ""), "1,3,8,8", {"expect": "_,_,16,16"}),
        Valid(_LAYER.format("dilation=3, padding=3, output_padding=2", ""), "1,3,8,8", {"expect": "_,_,10,10"}),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _LAYER.format("output_padding=1", "  # <-- SL103"),
            "1,3,8,8",
            "`up` has `output_padding=1`, but stride 1 and dilation 1 allow at most 0",
            {"up.output_padding": (0, 0)},
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields every layer with an illegal value, where one of them is what raises."""
        diagnosis = analysis.diagnosis
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


def _fix(layer: Layer, diagnosis: Diagnosis | None) -> Fix:
    if diagnosis is not None and diagnosis.change is not None:
        return change_fix(diagnosis.change, "gives the size of the input back")
    name, plan = quoted(layer.module), None if diagnosis is None else diagnosis.plan
    if plan is None or layer.module not in plan.values:
        return Fix(f"leave `output_padding` out, or give {name} the stride it was meant for", Safety.ADVICE)
    value = plan.values[layer.module]
    title, assignments = f"set {padding_text(value)} in {name}", {f"{layer.module}.output_padding": value}
    return Fix(title, plan.safety, assignments, verified=("meta",), repairs=(Repair.PADDING,))


def _bounds(layer: Layer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    limits = tuple(map(max, layer.parameters["stride"], layer.parameters["dilation"]))
    return layer.parameters["output_padding"], limits
