"""Products and convolutions of whole numbers, as files that were quantised hold them.

Their sizes are those of the operators on floats; scales and zero points are single numbers, or one for each channel.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared, retyped
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape, one_number, parameters
from shapelint.saved.onnx.ops.conv import SAME, convolution
from shapelint.saved.onnx.ops.linear import gemm
from shapelint.saved.onnx.ops.pool import pooled
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic

_MS = "com.microsoft"


def _product(call: OperatorCall, one: int, two: int, dtype: torch.dtype) -> torch.Tensor:
    """The product of two tensors of matrices, whatever their dtypes."""
    first, second = (retyped(call.tensor(index), torch.float32) for index in (one, two))
    return retyped(torch.matmul(first, second), dtype)


def _columns(call: OperatorCall, index: int) -> int:
    if call.rank(index) != 2:
        raise call.unsupported(f"a weight of {call.rank(index)} axes")
    return call.shape(index)[1]


@operator("MatMulInteger")
def _matmul_integer(call: OperatorCall) -> Any:
    one_number(call, 2)
    if call.has(3) and call.shape(3) != ():
        parameters(call, _columns(call, 1), 3)
    return _product(call, 0, 1, torch.int32)


@operator("QLinearMatMul")
def _linear_matmul(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 6, 7)
    if call.shape(4) != () or call.shape(5) != ():
        parameters(call, _columns(call, 3), 4, 5)
    return _product(call, 0, 3, call.dtype(7))


@operator(f"{_MS}.MatMulIntegerToFloat")
def _matmul_to_float(call: OperatorCall) -> Any:
    one_number(call, 2, 4)
    parameters(call, _columns(call, 1), 3, 5, 6)
    return _product(call, 0, 1, call.dtype(2))


@operator(f"{_MS}.DynamicQuantizeMatMul")
def _dynamic_matmul(call: OperatorCall) -> Any:
    parameters(call, _columns(call, 1), 2, 3, 4)
    return _product(call, 0, 1, call.dtype(0))


@operator(f"{_MS}.MatMulNBits")
def _matmul_bits(call: OperatorCall) -> Any:
    inner, columns, block = call.integer("K"), call.integer("N"), call.integer("block_size", 1)
    parts = -(-inner // max(block, 1))
    stored = (columns, parts, block * call.integer("bits", 4) // 8)
    if any(map(symbolic, call.shape(1))) or tuple(map(plain, call.shape(1))) != stored or call.has(4):
        raise call.unsupported("a weight of another shape than its attributes tell")
    weight: Any = declared(Declaration("constant", ((inner, columns),), (torch.float32,)), call.tensor(1))
    return retyped(torch.matmul(retyped(call.tensor(0), torch.float32), weight), call.dtype(0))


@operator(f"{_MS}.QGemm")
def _quantized_gemm(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 7, 8)
    columns = call.shape(3)[0 if call.integer("transB") else -1]
    parameters(call, columns, 4, 5)
    if call.has(6):
        parameters(call, columns, 6)
    return gemm(call, 0, 3, 9, call.dtype(8) if call.has(8) else torch.float32)


@operator("ConvInteger")
def _conv_integer(call: OperatorCall) -> Any:
    one_number(call, 2, 3)
    return retyped(convolution(call, call.tensor(0), call.tensor(1)), torch.int32)


@operator("QLinearConv", f"{_MS}.QLinearConv")
def _linear_conv(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 6, 7)
    given = call.shape(3)[0]
    parameters(call, given, 4, 5)
    bias = [call.tensor(8)] if call.has(8) else []
    if bias:
        parameters(call, given, 8)
    if bias and call.shape(8) == (1,) and plain(given) != 1:
        raise call.unsupported("a bias of one number")
    last = bool(call.integer("channels_last"))
    result = convolution(call, channels_first(call.tensor(0)) if last else call.tensor(0), call.tensor(3), *bias)
    return retyped(channels_last(result) if last else result, call.dtype(7))


def channels_first(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor whose channels are its last axis, with them behind the batch."""
    return tensor.permute(0, tensor.dim() - 1, *range(1, tensor.dim() - 1))


def channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """The inverse of `channels_first`."""
    return tensor.permute(0, *range(2, tensor.dim()), 1)


@operator(f"{_MS}.QLinearAdd", f"{_MS}.QLinearMul")
def _linear_sum(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 4, 5, 6, 7)
    return _spread(call, 0, 3)


def _spread(call: OperatorCall, *indices: int) -> torch.Tensor:
    """A tensor of the common shape of the inputs at these places."""
    name = call.step.operator.removeprefix("QLinear").lower()
    declaration = Declaration(name, None, (call.dtype(indices[-1]),))
    result: torch.Tensor = declared(declaration, *(call.tensor(index) for index in indices))
    return result


@operator(f"{_MS}.QLinearWhere")
def _linear_where(call: OperatorCall) -> Any:
    one_number(call, 2, 3, 5, 6, 7, 8)
    return _spread(call, 0, 1, 4)


@operator(f"{_MS}.QLinearSigmoid", f"{_MS}.QLinearLeakyRelu", f"{_MS}.QLinearSoftmax")
def _linear_same(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 3, 4)
    return call.same()


@operator(f"{_MS}.QLinearConcat")
def _linear_concat(call: OperatorCall) -> Any:
    one_number(call, 0, 1, *(place for place in range(2, len(call.values)) if place % 3 != 2))
    tensors = [call.tensor(place) for place in range(2, len(call.values), 3)]
    return torch.cat(tensors, call.axis(call.integer("axis"), tensors[0].dim()))


@operator(f"{_MS}.QLinearAveragePool")
def _linear_pool(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 3, 4)
    last = bool(call.integer("channels_last"))
    pads = call.integers("pads") or ()
    uneven = pads[: len(pads) // 2] != pads[len(pads) // 2 :] or call.text("auto_pad") in SAME
    if last and (uneven or call.integer("ceil_mode")):
        raise call.unsupported("a pool of channels in the last axis that is padded on one side")
    result = pooled(call, "AveragePool", channels_first(call.tensor(0)) if last else call.tensor(0))
    return channels_last(result) if last else result


@operator(f"{_MS}.NhwcMaxPool")
def _pool_of_last(call: OperatorCall) -> Any:
    return channels_last(pooled(call, "MaxPool", channels_first(call.tensor(0))))


@operator(f"{_MS}.QLinearGlobalAveragePool")
def _linear_global_pool(call: OperatorCall) -> Any:
    one_number(call, 1, 2, 3, 4)
    shape = call.shape(0)
    ones = (1,) * (len(shape) - 2)
    made = (shape[0], *ones, shape[-1]) if call.integer("channels_last") else (*shape[:2], *ones)
    return call.made(made, name=f"adaptive_pool{len(shape) - 2}d", of=(0,))


@operator(f"{_MS}.DynamicQuantizeLSTM")
def _dynamic_lstm(call: OperatorCall) -> Any:
    if call.rank(0) != 3 or call.rank(1) != 3:
        raise ValueError(f"an input of {call.rank(0)} axes and a weight of {call.rank(1)}, 3 are wanted")
    steps, batch, features = call.shape(0)
    hidden, ways = call.integer("hidden_size"), 2 if call.text("direction", "forward") == "bidirectional" else 1
    stored = [call.shape(index) for index in (1, 2, 3) if call.has(index)]
    wanted = [(ways, stored[0][1], 4 * hidden), (ways, hidden, 4 * hidden), (ways, 8 * hidden)][: len(stored)]
    if any(map(symbolic, sum(stored, ()))) or [tuple(map(plain, each)) for each in stored] != wanted:
        raise call.unsupported("a weight of another shape than its attributes tell")
    text = "the weight wants {right} features, but the input has {left}"
    state = (ways, batch, hidden)
    needs = (
        Need(features, stored[0][1], Kind.CHANNELS, text, True),
        *of_shape(call, 4, (batch,), "sequence_lens"),
        *of_shape(call, 5, state, "the first state"),
        *of_shape(call, 6, state, "the first cell"),
    )
    shapes = ((steps, ways, batch, hidden), state, state)
    return declared(Declaration("lstm", shapes, (call.dtype(),) * 3, needs), call.tensor(0))


@operator("MulInteger", f"{_MS}.MulInteger")
def _mul_integer(call: OperatorCall) -> Any:
    one_number(call, 1, 3)
    return retyped(_spread(call, 0, 2), torch.int32)
