"""What is known of the numbers in an index tensor: those of an `arange`, of zeros, or places along an axis."""

from __future__ import annotations

import torch

from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record, Shape
from shapelint.trace.recording.trees import flat_tensors

Tensor = torch.Tensor

_SAME_NUMBERS = frozenset({
    "unsqueeze", "expand", "expand_as", "to", "long", "int", "view", "reshape", "repeat", "flatten", "contiguous",
    "clone", "detach", "permute", "transpose", "t", "tile", "flip",
})  # fmt: skip


def counted_range(op: Operation, node: int) -> tuple[int, int] | None:
    """The first number of an `arange`, and one more than the last, where an index tensor holds just those."""
    records = op.recorder.records
    if _written_to(records, node):
        return None
    while node >= 0 and records[node].name in _SAME_NUMBERS and records[node].inputs:
        node = records[node].inputs[0]
    if node >= 0 and records[node].name in ("zeros", "zeros_like", "new_zeros"):
        return (0, 1)
    if node < 0 or records[node].name != "arange" or not all(isinstance(each, int) for each in records[node].arguments):
        return None
    given = records[node].arguments
    if not 1 <= len(given) <= 2 or {"start", "end", "step"} & set(records[node].keywords):
        return None
    return (0, given[0]) if len(given) == 1 else (given[0], given[1])


_SOME_NUMBERS = _SAME_NUMBERS | {"__getitem__", "narrow", "select", "squeeze", "index_select", "roll"}
_PLACES = frozenset({"argmax", "argmin", "argsort", "sort", "topk", "max", "min", "median", "mode", "kthvalue"})
_ALONE = frozenset({"argmax", "argmin", "argsort"})


def found_below(op: Operation, index: Tensor) -> int | None:
    """The size of the axis along which an index tensor was found, as by `argmax` or `topk`; None for another."""
    records, known = op.recorder.records, op.recorder.known
    node = known[id(index)].node
    if _written_to(records, node):
        return None
    while node >= 0 and records[node].name in _SOME_NUMBERS and isinstance(records[node].arguments[0], Tensor):
        index = records[node].arguments[0]
        node = known[id(index)].node if id(index) in known else -1
    if node < 0 or records[node].name not in _PLACES or not isinstance(records[node].arguments[0], Tensor):
        return None
    record, pair = records[node], isinstance(records[node].result, tuple)
    if pair != (record.name not in _ALONE) or (pair and record.result[1] is not index):
        return None
    return _extent(op, record)


def _written_to(records: list[Record], node: int) -> bool:
    """Whether a call writes into the memory of a call's result, or of what that was made of; a place that was found
    is new, whatever was written to the numbers among which it was sought.
    """
    memories: set[int] = set()
    waiting, seen = [node], {-1}
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            memories.update(map(_memory, flat_tensors(records[node].result)))
            waiting.extend(() if records[node].name in _PLACES else records[node].inputs)
    return any(_memory(tensor) in memories for record in records for tensor in _targets(record))


def _targets(record: Record) -> list[Tensor]:
    """The tensors that a call changes: an in-place function's first argument, and `out=`."""
    name = record.name
    in_place = name in ("__setitem__", "index_put_") or (name.endswith("_") and not name.endswith("__"))
    in_place = in_place or (name.startswith("__i") and name not in ("__index__", "__int__", "__invert__"))
    given = record.arguments[:1] if in_place or record.keywords.get("inplace") else ()
    return flat_tensors((given, record.keywords.get("out")))


def _memory(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _extent(op: Operation, record: Record) -> int | None:
    """The size of the axis over which a call went; of the whole tensor where it names none."""
    shape = op.shape(record.arguments[0])
    first = 2 if record.name in ("topk", "kthvalue") else 1
    given = record.arguments[first] if len(record.arguments) > first else None
    axis = record.keywords.get("dim", given)
    if axis is None and record.name in ("argmax", "argmin"):
        return _count(shape)
    axis = -1 if axis is None else axis
    return shape[axis] if type(axis) is int and shape else None


def _count(shape: Shape) -> int:
    count = 1
    for dim in shape:
        count = dim * count
    return count
