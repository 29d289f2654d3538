"""Norms, and what quantises: the size stays."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape, same, spread_over
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic


@operator("BatchNormalization", "InstanceNormalization", "GroupNormalization")
def _norm(call: OperatorCall) -> Any:
    shape = call.shape(0)
    needs: tuple[Need, ...] = ()
    if len(shape) > 1:
        text = "the norm is for {right} channels, but the input has {left}"
        others = range(2, 5 if call.step.operator == "BatchNormalization" else 3)
        needs = tuple(each for index in others for each in of_shape(call, index, call.shape(1), "a bias or statistic"))
        if call.step.operator != "GroupNormalization" or call.opset >= 21:
            needs = (Need(shape[1], call.shape(1)[0], Kind.CHANNELS, text, True), *needs)
    if call.step.operator == "GroupNormalization":
        needs = (*needs, _grouped(call, shape[1]))
    if len([each for each in call.step.outputs if each]) > 1:
        raise call.unsupported("a norm that gives its statistics too")
    return call.made(shape, needs=needs)


def _grouped(call: OperatorCall, channels: int) -> Need:
    groups = call.integer("num_groups", 1)
    each = channels // max(groups, 1)
    return Need(each * groups, channels, Kind.MULTIPLE, "{right} channels are no multiple of " + str(groups), True)


@operator("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def _layer_norm(call: OperatorCall) -> Any:
    shape = call.shape(0)
    axis = call.axis(call.integer("axis", -1), len(shape))
    needs = tuple(each for index in (1, 2) for each in spread_over(call, index, shape[axis:], "a scale or bias"))
    if len(call.step.outputs) == 1:
        return call.made(shape, of=(0,), name="layer_norm", needs=needs)
    folded = (*shape[:axis], *(1,) * (len(shape) - axis))
    shapes = (shape, folded, folded)[: len(call.step.outputs)]
    return declared(Declaration("layer_norm", shapes, (call.dtype(),) * len(shapes), needs), call.tensor(0))


@operator("QuantizeLinear", "DynamicQuantizeLinear", "com.microsoft.QuantizeLinear")
def _quantize(call: OperatorCall) -> Any:
    dtype = call.dtype(2) if call.has(2) else torch.uint8
    if call.step.operator == "QuantizeLinear":
        return call.made(call.shape(0), dtype, needs=_scaled(call))
    shapes: tuple[tuple[int, ...], ...] = (call.shape(0), (), ())
    return declared(Declaration("quantize", shapes, (dtype, torch.float32, dtype)), call.tensor(0))


@operator("DequantizeLinear", "com.microsoft.DequantizeLinear")
def _dequantize(call: OperatorCall) -> Any:
    return call.made(call.shape(0), call.dtype(1), needs=_scaled(call))


def _scaled(call: OperatorCall) -> tuple[Need, ...]:
    """That there is one scale for all, or one for each part of an axis, and as many zero points.

    Raises Unanalysable for blocks, and for open numbers of scales.
    """
    shapes = [call.shape(index) for index in (1, 2) if call.has(index)]
    if call.rank(1) > 1 or call.integer("block_size") or any(map(symbolic, sum(shapes, ()))):
        raise call.unsupported("a scale for each block, or an open number of scales,")
    counts = [tuple(map(plain, shape)) or (1,) for shape in shapes]
    if counts[0] != counts[-1]:
        raise call.unsupported("another number of zero points than of scales")
    if counts[0] == (1,):
        return ()
    axis = call.axis(call.integer("axis", 1), call.rank(0))
    return (same(call.shape(1)[0], call.shape(0)[axis], "the scale"),)
