"""Norms, and what quantises: the size stays."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator


@operator("BatchNormalization", "InstanceNormalization", "GroupNormalization")
def _norm(call: OperatorCall) -> Any:
    shape = call.shape(0)
    needs: tuple[Need, ...] = ()
    if call.step.operator != "GroupNormalization" and len(shape) > 1:
        text = "the norm is for {right} channels, but the input has {left}"
        needs = (Need(shape[1], call.shape(1)[0], Kind.CHANNELS, text, True),)
    if len([each for each in call.step.outputs if each]) > 1:
        raise call.unsupported("a norm that gives its statistics too")
    return call.made(shape, needs=needs)


@operator("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def _layer_norm(call: OperatorCall) -> Any:
    shape = call.shape(0)
    axis = call.axis(call.integer("axis", -1), len(shape))
    if len(call.step.outputs) == 1:
        return call.made(shape, of=(0,), name="layer_norm")
    folded = (*shape[:axis], *(1,) * (len(shape) - axis))
    shapes = (shape, folded, folded)[: len(call.step.outputs)]
    return declared(Declaration("layer_norm", shapes, (call.dtype(),) * len(shapes)), call.tensor(0))


@operator("QuantizeLinear", "DynamicQuantizeLinear")
def _quantize(call: OperatorCall) -> Any:
    dtype = call.dtype(2) if call.has(2) else torch.uint8
    if call.step.operator == "QuantizeLinear":
        return call.made(call.shape(0), dtype)
    shapes: tuple[tuple[int, ...], ...] = (call.shape(0), (), ())
    return declared(Declaration("quantize", shapes, (dtype, torch.float32, dtype)), call.tensor(0))


@operator("DequantizeLinear")
def _dequantize(call: OperatorCall) -> Any:
    return call.made(call.shape(0), call.dtype(1))
