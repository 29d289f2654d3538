"""Operators that fold axes away, and those that search along one."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.numbers import biggest, numbers, smallest
from shapelint.size.number import plain

_FOLDS = {
    "ReduceProd": lambda one, two: one * two, "ReduceSum": lambda one, two: one + two, "ReduceMax": biggest,
    "ReduceMin": smallest,
}  # fmt: skip


@operator("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
          "ReduceLogSumExp", "ReduceSumSquare")  # fmt: skip
def _reduce(call: OperatorCall) -> Any:
    shape, keeps = call.shape(0), call.integer("keepdims", 1)
    axes = call.integers("axes")
    if axes is None and call.has(1):
        axes = tuple(map(plain, call.numbers(1, "the axes").items))
    if not axes and call.integer("noop_with_empty_axes"):
        return call.value(0)
    dropped = {call.axis(each, len(shape)) for each in axes} if axes else set(range(len(shape)))
    fold = _FOLDS.get(call.step.operator)
    if call.are_numbers() and fold is not None and len(dropped) == len(shape) and call.numbers(0).items:
        total = reduce(fold, call.numbers(0).items)
        return numbers([total], call.dtype(), (1,) * len(shape) if keeps else ())
    kept = [(axis, size) for axis, size in enumerate(shape) if keeps or axis not in dropped]
    return call.made(tuple(1 if axis in dropped else size for axis, size in kept), of=(0,), name="mean")


@operator("ArgMax", "ArgMin")
def _arg_max(call: OperatorCall) -> Any:
    shape, keeps = list(call.shape(0)), call.integer("keepdims", 1)
    axis = call.axis(call.integer("axis", 0), len(shape))
    shape[axis : axis + 1] = [1] if keeps else []
    return call.made(tuple(shape), torch.int64)


@operator("TopK")
def _top_k(call: OperatorCall) -> Any:
    shape = list(call.shape(0))
    axis = call.axis(call.integer("axis", -1), len(shape))
    count = call.numbers(1, "how many it takes").items[0] if call.opset >= 10 else call.integer("k")
    text = "it takes {right}, but there are {left}"
    needs = (Need(shape[axis], count, Kind.ARGUMENT, text), Need(count, 0, Kind.ARGUMENT, "it takes {left}"))
    shape[axis] = count
    made = tuple(shape)
    return declared(Declaration("topk", (made, made), (call.dtype(), torch.int64), needs), call.tensor(0))
