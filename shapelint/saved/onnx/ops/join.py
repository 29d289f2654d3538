"""Concat and Split."""

from __future__ import annotations

from typing import Any

import numpy
import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.numbers import Numbers
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic


@operator("Concat")
def _concat(call: OperatorCall) -> Any:
    axis = call.axis(call.integer("axis", 1 if call.opset < 4 else 0), call.rank(0))
    if call.are_numbers():
        arrays = [call.numbers(index).array for index in range(len(call.values))]
        return Numbers(numpy.concatenate(arrays, axis), call.dtype())
    return torch.cat(call.tensors(), axis)


@operator("Split")
def _split(call: OperatorCall) -> Any:
    shape, outputs = call.shape(0), call.step.outputs
    axis = call.axis(call.integer("axis", 0), len(shape))
    parts, needs = _parts(call, shape[axis], len(outputs))
    value = call.value(0)
    if isinstance(value, Numbers) and not any(map(symbolic, parts)):
        if sum(map(plain, parts)) != value.shape[axis]:
            raise ValueError("the parts of a Split are not the whole")
        places = numpy.cumsum([plain(each) for each in parts])[:-1]
        return tuple(Numbers(each, value.dtype) for each in numpy.split(value.array, places, axis))
    shapes = tuple((*shape[:axis], part, *shape[axis + 1 :]) for part in parts)
    dtypes = (call.dtype(),) * len(shapes)
    return declared(Declaration("split", shapes, dtypes, needs), call.tensor(0))


def _parts(call: OperatorCall, n: int, count: int) -> tuple[list[int], tuple[Need, ...]]:
    """The sizes of the parts, and what they ask."""
    asked = list(call.integers("split") or ()) if call.opset < 13 else []
    if call.opset >= 13 and call.has(1):
        asked = call.numbers(1, "the sizes of the parts").items
    if asked:
        if len(asked) != count:
            raise ValueError(f"{len(asked)} parts for {count} outputs")
        text = "the parts of the split are {right} together, not {left}"
        return asked, (Need(n, sum(asked), Kind.ARGUMENT, text, True),)
    if call.opset >= 18:
        count = call.integer("num_outputs", count)
        part = -(-n // count)
        text = f"{{left}} rows cannot be split into {count} parts"
        rest = n - part * (count - 1)
        return [*[part] * (count - 1), rest], (Need(rest, 0, Kind.ARGUMENT, text),)
    text = f"{{left}} rows left over of a size that is split into {count} equal parts"
    return [n // count] * count, (Need(n % count, 0, Kind.MULTIPLE, text, True),)
