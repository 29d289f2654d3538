"""Losses, which onnxruntime takes apart into other operators."""

from __future__ import annotations

from typing import Any

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import OperatorCall, operator
from shapelint.saved.onnx.needs import surely
from shapelint.saved.onnx.numbers import Numbers, numbers
from shapelint.saved.onnx.ops.index import within


@operator("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def _loss(call: OperatorCall) -> Any:
    """One value, or one for each target; the scores of all classes too."""
    shape, target = call.shape(0), call.shape(1)
    if len(shape) < 2 or len(target) != len(shape) - 1:
        raise ValueError(f"targets of {len(target)} axes for scores of {len(shape)}")
    for dim, size in zip(target, (shape[0], *shape[2:]), strict=True):
        surely(call, dim, size, "targets of other sizes than the scores")
    ignored, value = call.attribute("ignore_index", int, None), call.value(1)
    if isinstance(value, Numbers):
        value = numbers([each for each in value.items if each != ignored], value.dtype)
    needs = within(value, shape[1])
    made = target if call.text("reduction", "mean") == "none" else ()
    shapes = (made, shape)[: len(call.step.outputs)]
    return declared(Declaration("loss", shapes, (call.dtype(),) * len(shapes), needs), call.tensor(0))
