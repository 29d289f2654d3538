"""Operators that make numbers: of the shape of a tensor, of attributes, of other numbers."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import torch

from shapelint.saved.dtypes import dtype_of
from shapelint.saved.graph import Stored
from shapelint.saved.onnx.call import OperatorCall, operator
from shapelint.saved.onnx.numbers import (
    FLOATS,
    Numbers,
    as_plain,
    calculated,
    cast,
    is_exact,
    is_tracked,
    numbers,
    rounded,
)
from shapelint.size.number import larger, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Unanalysable

_MOST = 1024


@operator("Shape")
def _shape(call: OperatorCall) -> Any:
    start, end = call.integer("start", 0), call.attribute("end", int, None)
    return numbers(call.shape(0)[slice(start, end)], torch.int64)


@operator("Size")
def _size(call: OperatorCall) -> Any:
    total = reduce(lambda one, two: one * two, call.shape(0), 1)
    return numbers([total], torch.int64, ())


@operator("Constant")
def _constant(call: OperatorCall) -> Any:
    known = call.step.attributes
    if isinstance(known.get("value"), Stored):
        return _stored(known["value"])
    for name, dtype in (("value_int", torch.int64), ("value_float", torch.float32)):
        if isinstance(known.get(name), (int, float)):
            return numbers([known[name]], dtype, ())
    for name, dtype in (("value_ints", torch.int64), ("value_floats", torch.float32)):
        if isinstance(known.get(name), tuple):
            return numbers(known[name], dtype)
    raise call.unsupported("a constant that is no tensor of numbers")


def _stored(stored: Stored) -> Any:
    from shapelint.saved.declare import Declaration, declared

    if stored.numbers is not None:
        return stored.numbers
    if stored.dtype is None:
        raise Unanalysable(stored.why)
    return declared(Declaration("constant", (stored.shape,), (stored.dtype,)))


@operator("ConstantOfShape")
def _constant_of_shape(call: OperatorCall) -> Any:
    sizes = tuple(call.numbers(0, "its size").items)
    value = call.step.attributes.get("value")
    filled = value.numbers if isinstance(value, Stored) else numbers([0.0], torch.float32)
    if filled is None:
        raise call.unsupported("a value without a number")
    if not any(map(symbolic, sizes)) and all(each >= 0 for each in sizes) and math.prod(map(plain, sizes)) <= _MOST:
        count = math.prod(map(plain, sizes))
        return numbers(filled.items * count, filled.dtype, tuple(map(plain, sizes)))
    return call.made(sizes, filled.dtype, name="full", of=())


@operator("Range")
def _range(call: OperatorCall) -> Any:
    start, limit, step = (call.numbers(index, "its length").items[0] for index in range(3))
    dtype, step = call.dtype(), as_plain(step)
    if dtype in FLOATS and not (is_exact(start) and is_exact(limit) and is_exact(step)):
        start, limit = as_plain(start), as_plain(limit)
    if step == 0:
        raise ValueError("a Range whose step is 0")
    if is_tracked(start) or is_tracked(limit):
        span = limit - start if step > 0 else start - limit
        count = -(-span // abs(step)) if dtype not in FLOATS else math.ceil(span / abs(step))
        return _counting(call, start, step, larger(count, 0))
    length = rounded(limit - start, dtype) if dtype in FLOATS else limit - start
    count = max(math.ceil(length / step), 0)
    if count > _MOST:
        return _counting(call, start, step, count)
    items = [start]
    for _ in range(count):
        items.append(items[-1] + step if dtype not in FLOATS else rounded(items[-1] + step, dtype))
    return numbers(items[:count], dtype)


def _counting(call: OperatorCall, start: Any, step: Any, count: Any) -> torch.Tensor:
    made = call.made((count,), call.dtype(), name="arange", of=())
    if not is_tracked(start) and start == 0 and step == 1:
        call.count(made, count)
    return made


@operator("Cast", "CastLike")
def _cast(call: OperatorCall) -> Any:
    target = call.dtype(1) if call.step.operator == "CastLike" else dtype_of(call.integer("to"))
    if target is None:
        raise call.unsupported(f"the dtype {call.integer('to')}")
    value = call.value(0)
    if isinstance(value, Numbers):
        return calculated(lambda number: cast(number, target), target, value)
    return call.same(0, target)


@operator("NonZero", "Unique", "Compress", "NonMaxSuppression")
def _of_the_data(call: OperatorCall) -> Any:
    raise Unanalysable(f"the size of what `{call.step.operator}` of `{call.step.name}` gives depends on the data")


@operator("OneHot")
def _one_hot(call: OperatorCall) -> Any:
    shape, depth = list(call.shape(0)), call.numbers(1, "the number of classes").items[0]
    depth = int(depth) if isinstance(depth, float) else depth
    axis = call.axis(call.integer("axis", -1), len(shape) + 1)
    return call.made((*shape[:axis], depth, *shape[axis:]), call.dtype(2))


@operator("EyeLike", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial")
def _like(call: OperatorCall) -> Any:
    kind = call.attribute("dtype", int, None)
    if call.step.operator == "Multinomial":
        return call.made((call.shape(0)[0], call.integer("sample_size", 1)), dtype_of(kind or 6))
    return call.same(0, call.dtype() if kind is None else dtype_of(kind))


@operator("RandomNormal", "RandomUniform")
def _random(call: OperatorCall) -> Any:
    return call.made(call.integers("shape") or (), dtype_of(call.integer("dtype", 1)), of=())
