"""Operators element by element: on tensors their common shape, on numbers the numbers."""

from __future__ import annotations

import math
import operator as python
from collections.abc import Callable
from functools import reduce
from typing import Any, Final, cast

import torch

from shapelint.saved.onnx.call import OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape
from shapelint.saved.onnx.numbers import (
    FLOATS,
    Inexact,
    Numbers,
    as_plain,
    biggest,
    calculated,
    divided,
    float_result,
    inexact,
    is_tracked,
    remainder,
    rounded,
    smallest,
)
from shapelint.size.ratio import Ratio

_SAME: Final = (
    "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Mish",
    "Sigmoid", "Tanh", "Softplus", "Softsign", "Softmax", "LogSoftmax", "Hardmax", "Erf", "Sin", "Cos", "Tan", "Asin",
    "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Swish", "Shrink", "CumSum", "Trilu", "LRN",
    "LpNormalization", "MeanVarianceNormalization", "BitwiseNot", "CumProd",
)  # fmt: skip
_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {"Add": python.add, "Sub": python.sub, "Mul": python.mul}
_COMPARED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Equal": python.eq, "Less": python.lt, "Greater": python.gt, "LessOrEqual": python.le,
    "GreaterOrEqual": python.ge,
}  # fmt: skip
_LOGICAL: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "And": lambda one, two: bool(one) and bool(two),
    "Or": lambda one, two: bool(one) or bool(two),
    "Xor": lambda one, two: bool(one) != bool(two),
}
_OF_FLOATS: Final[dict[str, Callable[[float], float]]] = {
    "Sqrt": math.sqrt, "Exp": math.exp, "Log": math.log, "Reciprocal": lambda number: 1 / number,
}  # fmt: skip


@operator(*_SAME)
def _same(call: OperatorCall) -> Any:
    return call.same()


@operator("PRelu")
def _prelu(call: OperatorCall) -> Any:
    return call.joined()


@operator("ReverseSequence")
def _reversed(call: OperatorCall) -> Any:
    batch = call.axis(call.integer("batch_axis", 1), call.rank(0))
    return call.made(call.shape(0), needs=of_shape(call, 1, (call.shape(0)[batch],), "sequence_lens"))


@operator("Add", "Sub", "Mul")
def _arithmetic(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.joined()
    compute = _ARITHMETIC[call.step.operator]
    return _computed(call, float_result(compute, call.dtype()) if call.dtype() in FLOATS else compute)


@operator("Div")
def _divide(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.joined()
    return _computed(call, float_result(python.truediv, call.dtype()) if call.dtype() in FLOATS else divided)


@operator("Mod")
def _modulo(call: OperatorCall) -> Any:
    if not call.are_numbers() or call.dtype() in FLOATS:
        return call.joined(name="remainder")
    if call.integer("fmod"):
        return _computed(call, lambda one, two: one - divided(one, two) * two)
    return _computed(call, remainder)


@operator("Pow")
def _power(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.joined()
    return _computed(call, _raised)


def _raised(base: Any, exponent: Any) -> Any:
    if isinstance(base, float) and not is_tracked(exponent) and is_tracked(base):
        return inexact(python.pow, torch.float32, base, exponent)
    whole = as_plain(exponent)
    if is_tracked(base) and whole in (1, 2, 3):
        return reduce(python.mul, [base] * int(whole))
    return as_plain(base) ** whole


def _computed(call: OperatorCall, compute: Callable[[Any, Any], Any]) -> Numbers:
    return calculated(compute, call.dtype(), call.numbers(0), call.numbers(1))


@operator(*_COMPARED)
def _compared(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.joined(torch.bool)
    return calculated(_COMPARED[call.step.operator], torch.bool, call.numbers(0), call.numbers(1))


@operator(*_LOGICAL)
def _logical(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.joined(torch.bool)
    return calculated(_LOGICAL[call.step.operator], torch.bool, call.numbers(0), call.numbers(1))


@operator("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift")
def _bitwise(call: OperatorCall) -> Any:
    return call.joined()


@operator("Not", "IsNaN", "IsInf")
def _asked(call: OperatorCall) -> Any:
    if call.step.operator == "Not" and call.are_numbers():
        return calculated(lambda number: not bool(number), torch.bool, call.numbers(0))
    return call.same(0, torch.bool)


@operator("Min", "Max")
def _extreme(call: OperatorCall) -> Any:
    choose = biggest if call.step.operator == "Max" else smallest
    if not call.are_numbers():
        return _several(call)
    found = [call.numbers(index) for index in range(len(call.values))]
    return reduce(lambda one, two: calculated(choose, call.dtype(), one, two), found)


@operator("Sum", "Mean")
def _several(call: OperatorCall) -> Any:
    """The common shape; below opset 8 all have the same."""
    if call.opset >= 8:
        return call.joined()
    shape, others = call.shape(0), range(1, len(call.values))
    needs = tuple(need for index in others for need in of_shape(call, index, shape, "what is put together"))
    return call.made(shape, needs=needs)


@operator("Clip")
def _clip(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.same()
    result = call.numbers(0)
    for index, choose in ((1, biggest), (2, smallest)):
        if call.has(index):
            result = calculated(choose, result.dtype, result, call.numbers(index))
    return result


@operator("Neg", "Abs", "Sign")
def _signed(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.same()
    known: dict[str, Callable[[Any], Any]] = {"Neg": python.neg, "Abs": abs, "Sign": _sign}
    compute = known[call.step.operator]
    return calculated(compute, call.dtype(), call.numbers(0))


def _sign(number: Any) -> Any:
    kind = float if isinstance(number, float) else int
    return kind(1 if number > 0 else -1 if number < 0 else 0)


@operator("Floor", "Ceil", "Round")
def _rounded(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.same()
    known: dict[str, Callable[[Any], Any]] = {"Floor": math.floor, "Ceil": math.ceil, "Round": round}
    compute = known[call.step.operator]
    return calculated(lambda number: _as_float(number, compute), call.dtype(), call.numbers(0))


def _as_float(number: Any, compute: Callable[[Any], Any]) -> Any:
    if isinstance(number, Inexact):
        return inexact(compute, torch.float64, number)
    if not is_tracked(number):
        return float(compute(number)) if math.isfinite(number) else number
    return Ratio(compute(number), 1)


@operator(*_OF_FLOATS)
def _of_floats(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.same()
    compute = _OF_FLOATS[call.step.operator]
    return calculated(lambda number: _tried(compute, number, call.dtype()), call.dtype(), call.numbers(0))


def _tried(compute: Callable[[float], float], number: Any, dtype: torch.dtype) -> float:
    if is_tracked(number):
        return cast("float", inexact(compute, dtype, number))
    try:
        return rounded(compute(number), dtype)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


@operator("Where")
def _where(call: OperatorCall) -> Any:
    if not call.are_numbers():
        return call.joined(call.dtype(1))
    parts = [call.numbers(index) for index in range(3)]
    return calculated(lambda condition, one, two: one if condition else two, call.dtype(1), *parts)


@operator("Identity", "Dropout")
def _identity(call: OperatorCall) -> Any:
    value = call.value(0)
    if len(call.step.outputs) > 1 and call.step.outputs[1]:
        return value, call.same(0, torch.bool if call.opset >= 10 else None)
    return value
