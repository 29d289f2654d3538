"""Products of matrices, and recurrent layers."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator


@operator("MatMul")
def _matmul(call: OperatorCall) -> Any:
    return torch.matmul(call.tensor(0), call.tensor(1))


@operator("Gemm")
def _gemm(call: OperatorCall) -> Any:
    first, second = call.shape(0), call.shape(1)
    if len(first) != 2 or len(second) != 2:
        raise ValueError(f"a Gemm of tensors of {len(first)} and {len(second)} axes")
    rows, inner = first[::-1] if call.integer("transA") else first
    taken, columns = second[::-1] if call.integer("transB") else second
    text = "the weight wants {right} features, but the input has {left}"
    needs = (Need(inner, taken, Kind.CHANNELS, text, True),)
    return call.made((rows, columns), name="linear", needs=needs)


@operator("Einsum")
def _einsum(call: OperatorCall) -> Any:
    return torch.einsum(call.text("equation"), *call.tensors())


@operator("LSTM", "GRU", "RNN")
def _recurrent(call: OperatorCall) -> Any:
    steps, batch, features = call.shape(0)
    hidden, direction = call.integer("hidden_size"), call.text("direction", "forward")
    if call.integer("layout"):
        raise call.unsupported("layout=1, which onnxruntime does not run,")
    ways = 2 if direction == "bidirectional" else 1
    text = "the weight wants {right} features, but the input has {left}"
    needs = (Need(features, call.shape(1)[2], Kind.CHANNELS, text, True),)
    state = (ways, batch, hidden)
    shapes = ((steps, ways, batch, hidden), state, state)[: 3 if call.step.operator == "LSTM" else 2]
    name = call.step.operator.lower()
    return declared(Declaration(name, shapes, (call.dtype(),) * len(shapes), needs), *call.tensors())
