"""Operators that give the same numbers another shape, or repeat them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy
import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, counted, operator
from shapelint.saved.onnx.numbers import Numbers, numbers
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.record import elements


@operator("Reshape")
def _reshape(call: OperatorCall) -> Any:
    asked = call.numbers(1, "the new shape").items if call.opset >= 5 else list(call.integers("shape") or ())
    keeps = call.integer("allowzero") == 0
    shape = list(call.shape(0))
    target: list[Any] = []
    for axis, size in enumerate(asked):
        zero = not symbolic(size) and plain(size) == 0
        if zero and keeps and axis >= len(shape):
            raise ValueError(f"a 0 for axis {axis} of a tensor of {len(shape)} axes")
        target.append(shape[axis] if zero and keeps else size)
    value = call.value(0)
    if isinstance(value, Numbers) and not any(map(symbolic, target)):
        return Numbers(value.array.reshape(tuple(map(plain, target))), value.dtype)
    return torch.reshape(call.tensor(0), tuple(target))


@operator("Flatten")
def _flatten(call: OperatorCall) -> Any:
    shape, axis = call.shape(0), call.integer("axis", 1)
    axis = axis + len(shape) if axis < 0 and call.opset >= 11 else axis
    if not 0 <= axis <= len(shape):
        raise ValueError(f"axis {axis} is none of a tensor of {len(shape)} axes")
    return call.made((elements(shape[:axis]), elements(shape[axis:])))


@operator("Transpose")
def _transpose(call: OperatorCall) -> Any:
    rank = call.rank(0)
    order = call.integers("perm") or tuple(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise ValueError(f"perm {order} is no order of {rank} axes")
    value = call.value(0)
    if isinstance(value, Numbers):
        return Numbers(numpy.transpose(value.array, order), value.dtype)
    shape = call.shape(0)
    return call.made(tuple(shape[axis] for axis in order), name="permute")


def _axes(call: OperatorCall) -> list[int] | None:
    """The axes, which are an attribute in old files and an input in new ones."""
    if call.opset < 13:
        found = call.integers("axes")
        return None if found is None else list(found)
    return list(map(plain, call.numbers(1, "the axes").items)) if call.has(1) else None


@operator("Squeeze")
def _squeeze(call: OperatorCall) -> Any:
    shape, axes, value = call.shape(0), _axes(call), call.value(0)
    if axes is None:
        dropped = {axis for axis, size in enumerate(shape) if size == 1}
        needs: tuple[Need, ...] = ()
    else:
        dropped = {call.axis(each, len(shape)) for each in axes}
        text = "axis {0} is to be left out, but its size is {{left}}"
        needs = tuple(Need(shape[axis], 1, Kind.ARGUMENT, text.format(axis), True) for axis in sorted(dropped))
    if isinstance(value, Numbers):
        if any(need.left != 1 for need in needs):
            raise ValueError("an axis of another size than 1 is to be left out")
        return Numbers(numpy.squeeze(value.array, tuple(sorted(dropped))), value.dtype)
    return call.made(tuple(size for axis, size in enumerate(shape) if axis not in dropped), needs=needs, of=(0,))


@operator("Unsqueeze")
def _unsqueeze(call: OperatorCall) -> Any:
    shape, value = list(call.shape(0)), call.value(0)
    axes = _axes(call)
    if axes is None:
        raise ValueError("an Unsqueeze without axes")
    rank = len(shape) + len(axes)
    for axis in sorted(call.axis(each, rank) for each in axes):
        shape.insert(axis, 1)
    if isinstance(value, Numbers):
        return Numbers(value.array.reshape(tuple(map(plain, shape))), value.dtype)
    return call.made(tuple(shape), of=(0,))


@operator("Expand")
def _expand(call: OperatorCall) -> Any:
    target = tuple(call.numbers(1, "the new shape").items)
    value = call.value(0)
    if isinstance(value, Numbers) and not any(map(symbolic, target)) and elements(target) <= 1024:
        shape = numpy.broadcast_shapes(value.shape, tuple(map(plain, target)))
        return numbers(numpy.broadcast_to(value.array, shape).flat, value.dtype, shape)
    other = declared(Declaration("constant", (target,), (call.dtype(),)))
    made: torch.Tensor = declared(Declaration("expand", None, (call.dtype(),)), call.tensor(0), other)
    call.count(made, counted(call.value(0)))
    return made


@operator("Tile")
def _tile(call: OperatorCall) -> Any:
    shape, repeats = call.shape(0), call.numbers(1, "how often it repeats").items
    if len(repeats) != len(shape):
        raise ValueError(f"{len(repeats)} repeats for {len(shape)} axes")
    value = call.value(0)
    if isinstance(value, Numbers) and not any(map(symbolic, repeats)):
        return Numbers(numpy.tile(value.array, tuple(map(plain, repeats))), value.dtype)
    return call.made(tuple(n * times for n, times in zip(shape, repeats, strict=True)), of=(0,))


@operator("DepthToSpace")
def _depth_to_space(call: OperatorCall) -> Any:
    block = call.integer("blocksize")
    n, channels, height, width = _image(call, block)
    text = f"{{left}} left over of the channels, which must be a multiple of {block * block}"
    needs = (Need(channels % (block * block), 0, Kind.MULTIPLE, text, True),)
    shape = (n, channels // (block * block), height * block, width * block)
    return call.made(shape, name="pixel_shuffle", needs=needs, spatial=2, factor=(Fraction(block),) * 2)


@operator("SpaceToDepth")
def _space_to_depth(call: OperatorCall) -> Any:
    block = call.integer("blocksize")
    n, channels, height, width = _image(call, block)
    text = f"{{left}} rows left over of a size that must be a multiple of {block}"
    needs = tuple(Need(size % block, 0, Kind.MULTIPLE, text, True) for size in (height, width))
    shape = (n, channels * block * block, height // block, width // block)
    return call.made(shape, name="pixel_unshuffle", needs=needs, spatial=2, factor=(Fraction(1, block),) * 2)


def _image(call: OperatorCall, block: int) -> tuple[int, int, int, int]:
    shape = call.shape(0)
    if len(shape) != 4 or block < 1:
        raise ValueError(f"a tensor of {len(shape)} axes and a block of {block}; it takes 4 axes, and a block from 1")
    return shape[0], shape[1], shape[2], shape[3]
