"""Which tensors lie in the same memory, at every size or at some sizes only, and what is written into it."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

import torch

from shapelint.instrument.identity import is_watched
from shapelint.trace.recording.constants import changed_by
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record, Recording
from shapelint.trace.recording.trees import flat_tensors, storage_of

Tensor = torch.Tensor
_writes: WeakKeyDictionary[Recording, tuple[int, set[int], list[set[int]]]] = WeakKeyDictionary()
_OTHER = "the shape that `{}` gives to a tensor that is another one too at some sizes"
_COPIES_AT_SOME_SIZES = frozenset({
    "contiguous", "reshape", "reshape_as", "flatten", "ravel", "to", "pad", "interpolate",
})  # fmt: skip


def written_memories(recorder: Recording) -> set[int]:
    """The memories that the calls so far have written into, and those that are the same ones at some other sizes; each
    call is looked at once.
    """
    count, found, shared = _writes.get(recorder, (0, set(), []))
    for record in recorder.records[count:]:
        found.update(map(memory_of, _targets(record)))
        memories = set(map(memory_of, flat_tensors((record.arguments[:1], record.result))))
        if record.name in _COPIES_AT_SOME_SIZES and len(memories) > 1:
            shared.append(memories)
    _add_shared(found, shared)
    _writes[recorder] = len(recorder.records), found, shared
    return found


def same_memories(recorder: Recording, tensor: Tensor) -> set[int]:
    """The memory of a tensor, and those that are the same one at some other sizes."""
    written_memories(recorder)
    found, (_, _, shared) = {memory_of(tensor)}, _writes[recorder]
    _add_shared(found, shared)
    return found


def _add_shared(found: set[int], shared: list[set[int]]) -> None:
    while more := [each for each in shared if not found.isdisjoint(each) and not each <= found]:
        found.update(*more)


def by_memory(tensors: Iterable[Tensor]) -> dict[int, list[Tensor]]:
    """Tensors by the memory that they lie in."""
    found: dict[int, list[Tensor]] = {}
    for tensor in tensors:
        found.setdefault(memory_of(tensor), []).append(tensor)
    return found


def writes_into(recorder: Recording, tensors: Iterable[Tensor]) -> dict[int, set[int]]:
    """The calls that write into the memory of some tensors, by that memory; -1 for one that does at some sizes only."""
    memories = by_memory(tensors).keys() & written_memories(recorder)
    found: dict[int, set[int]] = {}
    for node, record in enumerate(recorder.records if memories else ()):
        for memory in memories.intersection(map(memory_of, _targets(record))):
            found.setdefault(memory, set()).add(node)
    return {memory: found.get(memory, {-1}) for memory in memories}


def _targets(record: Record) -> list[Tensor]:
    return changed_by(record.name, record.arguments, record.keywords)


def memory_of(tensor: Tensor) -> int:
    """The storage that a tensor lies in."""
    return int(storage_of(tensor)._cdata)


def check_alone(op: Operation, input: Tensor) -> None:
    """Tells of a shape given in place to what `contiguous()` copied, or to the copy: at some sizes it makes none."""
    if op.name.endswith("_") and is_watched(op.recorder):  # an `if` may have left alone what it pads or resizes
        op.recorder.leak(_OTHER.format(op.name))
    for record in op.recorder.records if op.name.endswith("_") else ():
        pair = record.result, *record.arguments[:1]
        other = len(pair) == 2 and pair[0] is not pair[1] and any(each is input for each in pair)
        if other and _may_not_copy(op, record, pair[1]):
            op.recorder.leak(_OTHER.format(op.name))


def _may_not_copy(op: Operation, record: Record, given: Tensor) -> bool:
    """Whether a call that copied gives back its argument at other sizes of the path, which may be made a part of it."""
    options = *record.arguments, *dict(record.keywords).values()
    formats = [each for each in options if isinstance(each, torch.memory_format)]
    if record.name == "to" or formats:
        return record.name in ("contiguous", "to") and bool(formats) and not record.keywords.get("copy")
    for condition in op.recorder.known[id(given)].layout if record.name == "contiguous" else ():
        op.decide(condition)
    return record.name == "contiguous" and given.is_contiguous()
