"""Products of matrices, and recurrent layers."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape, spread_over


@operator("MatMul")
def _matmul(call: OperatorCall) -> Any:
    return torch.matmul(call.tensor(0), call.tensor(1))


@operator("Gemm", "com.microsoft.FusedGemm")
def _gemm(call: OperatorCall) -> Any:
    return gemm(call, 0, 1, 2)


def gemm(call: OperatorCall, one: int, two: int, bias: int, dtype: torch.dtype | None = None) -> torch.Tensor:
    """The product of two matrices at these places, each transposed or not, and a bias that is spread over it.

    Raises ValueError for tensors that are no matrices.
    """
    first, second = call.shape(one), call.shape(two)
    if len(first) != 2 or len(second) != 2:
        raise ValueError(f"a Gemm of tensors of {len(first)} and {len(second)} axes")
    rows, inner = first[::-1] if call.integer("transA") else first
    taken, columns = second[::-1] if call.integer("transB") else second
    text = "the weight wants {right} features, but the input has {left}"
    needs = (Need(inner, taken, Kind.CHANNELS, text, True), *spread_over(call, bias, (rows, columns), "a bias"))
    return call.made((rows, columns), dtype, name="linear", needs=needs)


@operator("Einsum")
def _einsum(call: OperatorCall) -> Any:
    return torch.einsum(call.text("equation"), *call.tensors())


@operator("LSTM", "GRU", "RNN")
def _recurrent(call: OperatorCall) -> Any:
    if call.rank(0) != 3:
        raise ValueError(f"an input of {call.rank(0)} axes, 3 are wanted")
    steps, batch, features = call.shape(0)
    hidden, direction = call.integer("hidden_size"), call.text("direction", "forward")
    if call.integer("layout"):
        raise call.unsupported("layout=1, which onnxruntime does not run,")
    ways = 2 if direction == "bidirectional" else 1
    text = "the weight wants {right} features, but the input has {left}"
    state, gates = (ways, batch, hidden), {"LSTM": 4, "GRU": 3, "RNN": 1}[call.step.operator] * hidden
    needs = (
        Need(features, call.shape(1)[2], Kind.CHANNELS, text, True),
        *of_shape(call, 1, (ways, gates, call.shape(1)[2]), "the weight"),
        *of_shape(call, 2, (ways, gates, hidden), "the recurrent weight"),
        *of_shape(call, 3, (ways, 2 * gates), "the bias"),
        *of_shape(call, 4, (batch,), "sequence_lens"),
        *of_shape(call, 5, state, "the first state"),
        *of_shape(call, 6, state, "the first cell"),
    )
    shapes = ((steps, ways, batch, hidden), state, state)[: 3 if call.step.operator == "LSTM" else 2]
    name = call.step.operator.lower()
    return declared(Declaration(name, shapes, (call.dtype(),) * len(shapes), needs), *call.tensors())
