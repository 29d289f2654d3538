"""Sequences of tensors, each of its own shape; how many there are is known."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, Sequence, operator
from shapelint.saved.onnx.numbers import numbers
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic

_MOST = 256


@operator("SequenceConstruct", "SequenceEmpty")
def _construct(call: OperatorCall) -> Any:
    return Sequence(tuple(call.tensors()))


@operator("SequenceLength")
def _length(call: OperatorCall) -> Any:
    return numbers([len(call.sequence(0).items)], torch.int64, ())


@operator("SequenceAt")
def _at(call: OperatorCall) -> Any:
    items = call.sequence(0).items
    return items[_place(call, 1, len(items))]


def _place(call: OperatorCall, index: int, count: int) -> int:
    """A place in a sequence, counted from the front. Raises ValueError where there is none."""
    place = plain(call.numbers(index, "its place").items[0])
    if not -count <= place < count:
        raise ValueError(f"place {place} of a sequence of {count}")
    return place % count


@operator("SequenceErase")
def _erase(call: OperatorCall) -> Any:
    items = list(call.sequence(0).items)
    del items[_place(call, 1, len(items)) if call.has(1) else -1]
    return Sequence(tuple(items))


@operator("SequenceInsert")
def _insert(call: OperatorCall) -> Any:
    items = list(call.sequence(0).items)
    place = plain(call.numbers(2, "its place").items[0]) if call.has(2) else len(items)
    if not -len(items) <= place <= len(items):
        raise ValueError(f"place {place} of a sequence of {len(items)}")
    items.insert(place, call.tensor(1))
    return Sequence(tuple(items))


@operator("ConcatFromSequence")
def _concat(call: OperatorCall) -> Any:
    items = call.sequence(0).items
    if not items:
        raise ValueError("nothing to join")
    new = call.integer("new_axis")
    axis = call.axis(call.attribute("axis", int, 0), items[0].dim() + (1 if new else 0))
    return torch.stack(items, axis) if new else torch.cat(items, axis)


@operator("SplitToSequence")
def _split(call: OperatorCall) -> Any:
    shape = call.shape(0)
    axis = call.axis(call.integer("axis"), len(shape))
    asked = call.numbers(1, "the sizes of the parts") if call.has(1) else None
    sizes = [1] * _known(call, shape[axis]) if asked is None else asked.items
    needs: tuple[Need, ...] = ()
    if asked is not None and not asked.shape:
        whole, part = _known(call, shape[axis]), plain(sizes[0])
        if part < 1:
            raise ValueError(f"parts of {part}")
        sizes = [part] * (whole // part) + ([whole % part] if whole % part else [])
    elif asked is not None:
        needs = (Need(shape[axis], sum(sizes), Kind.ARGUMENT, "parts of {right} together, not {left}", True),)
    drops = asked is None and not call.integer("keepdims", 1)
    shapes = [(*shape[:axis], *([] if drops else [size]), *shape[axis + 1 :]) for size in sizes]
    made = declared(Declaration("split", tuple(shapes), (call.dtype(),) * len(shapes), needs), call.tensor(0))
    return Sequence(made if isinstance(made, tuple) else (made,))


def _known(call: OperatorCall, size: int) -> int:
    """The number of rows, where it decides how many parts there are. Raises Unanalysable for an open one."""
    if symbolic(size) or plain(size) > _MOST:
        raise call.unsupported("a sequence of an open length")
    return plain(size)
