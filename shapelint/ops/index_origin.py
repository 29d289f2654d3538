"""Where the numbers in an index tensor come from: data, calls without symbols, or the places along an axis."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any

import torch

from shapelint.ops.chains import takes_data
from shapelint.ops.same_memory import memory_of, writes_into, written_memories
from shapelint.size.number import function_of
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic, tracker
from shapelint.source.fault import let_out
from shapelint.trace.recording.constants import DRAWN
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Record, Recording, elements
from shapelint.trace.recording.trees import flat_tensors, with_tensors

Tensor = torch.Tensor
_MOST_NUMBERS = 1 << 20
MOVED = frozenset({
    "unsqueeze", "expand", "expand_as", "to", "long", "int", "view", "reshape", "repeat", "flatten", "contiguous",
    "clone", "detach", "permute", "transpose", "t", "tile", "flip", "__getitem__", "narrow", "select", "squeeze",
    "cpu", "index_select", "roll", "swapaxes", "movedim", "chunk", "split", "unbind",
})  # fmt: skip
LIKE_ANOTHER = frozenset({"expand_as", "view_as", "reshape_as", "type_as", "to"})
"""Calls that take of their second tensor the shape, the dtype or the device, and no numbers."""
PLACES = frozenset({"argmax", "argmin", "argsort", "sort", "topk", "max", "min", "median", "mode", "kthvalue"})
_COUNTING = frozenset({"sum", "cumsum", "prod", "cumprod", "count_nonzero", "nonzero", "searchsorted"})
_ALONE = frozenset({"argmax", "argmin", "argsort"})


def data_of(op: Operation, index: Tensor) -> list[Tensor]:
    """The inputs of the model on whose numbers those in an index tensor depend."""
    return [record.result for record in above(op, index) if record.function is None]


def mixed_with_sizes(op: Operation, index: Tensor) -> bool:
    """Whether the numbers in an index tensor depend on a size too: `ids + x.shape[1]`, or how many were summed."""
    makers, seen = makers_of(op, index)
    made = [each for each in makers if each.function is not None and each.name not in MOVED]
    if not seen or (made and _steered(op)):
        return True
    return any(_counts_sizes(op, each) or any(map(is_of_size, numbers_of(op, each))) for each in made)


def makers_of(op: Operation, tensor: Tensor, but_of: Container[str] = ()) -> tuple[list[Record], bool]:
    """The calls that made a tensor, those that wrote into what it was made of, and what these were given, but for the
    calls named in `but_of`; and whether those are all.
    """
    makers = list(above(op, tensor, but_of))
    writes = writes_into(op.recorder, [each for record in makers for each in flat_tensors(record.result)]).values()
    nodes = {node for each in writes for node in each}
    written = [op.recorder.records[node] for node in nodes if node >= 0]
    given = [each for record in written for each in flat_tensors(record.arguments)]
    makers += [record for each in given for record in above(op, each, but_of)]
    return [*makers, *written], -1 not in nodes


def _steered(op: Operation) -> bool:
    """Whether sizes have a say in which calls were made, or how often."""
    turns = any(name.startswith("turn ") for name in op.recorder.sizes)
    return turns or any(event.failure is None for event in op.recorder.events)


def is_of_size(number: Any) -> bool:
    """Whether a plain number depends on a size."""
    return symbolic(number) or isinstance(number, Ratio)


def follows_from_data(op: Operation, index: Tensor) -> bool:
    """Whether the numbers in an index tensor are those of inputs, with which no size has anything to do."""
    data = data_of(op, index)
    alone = data and not any(symbolic(dim) for each in data for dim in op.shape(each))
    return bool(alone) and not mixed_with_sizes(op, index)


def numbers_of(op: Operation, record: Record) -> Iterator[Any]:
    """The numbers that a call takes, those that its tensors are known to hold too."""
    waiting: list[Any] = [record.arguments, *dict(record.keywords).values()]
    while waiting:
        each = waiting.pop()
        if isinstance(each, (tuple, list)):
            waiting.extend(each)
        elif not isinstance(each, Tensor):
            yield each
        elif (known := op.recorder.known.get(id(each))) is not None:
            waiting.extend(known.values or ())


def _counts_sizes(op: Operation, record: Record) -> bool:
    """Whether the numbers that a call makes grow with the sizes of what it is given, or are places in it."""
    given = flat_tensors(record.arguments[:1])
    counts = record.name in _COUNTING or record.name in PLACES
    return counts and any(symbolic(dim) for each in given for dim in op.shape(each))


def follows_from_sizes(op: Operation, index: Tensor) -> bool:
    """Whether the numbers in an index tensor follow from sizes alone, so that a run without symbols knows them."""
    node = op.recorder.known[id(index)].node
    chosen = data_of(op, index) or drawn_by(op, index)
    return tracker() is not None and node >= 0 and not chosen and not written_to(op.recorder, node)


def drawn_by(op: Operation, tensor: Tensor) -> str:
    """The call that drew random numbers of which those in a tensor were made; "" where none did."""
    return next((record.name for record in above(op, tensor) if record.name in DRAWN), "")


def above(op: Operation, tensor: Tensor, but_of: Container[str] = ()) -> Iterator[Record]:
    """The call that made a tensor, and those that made what it was given, the inputs of the model too; not what was
    given to calls named in `but_of`.
    """
    records, known = op.recorder.records, op.recorder.known.get(id(tensor))
    waiting, seen = [] if known is None else [known.node], {-1}
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            yield records[node]
            waiting.extend(_given_numbers(op, records[node], but_of))


def _given_numbers(op: Operation, record: Record, but_of: Container[str]) -> Sequence[int]:
    """The calls whose numbers a call takes; where some are left out, also not those of which it takes the shape."""
    if record.name in but_of:
        return ()
    first = record.arguments[0] if but_of and record.name in LIKE_ANOTHER and record.arguments else None
    return (node_of(op, record, first),) if isinstance(first, Tensor) else record.inputs


def is_of_an_input(op: Operation, index: Tensor, *, floats: bool = False) -> bool:
    """Whether the numbers in an index tensor are integers of one input, or `floats`, moved about at most."""
    records, node = op.recorder.records, op.recorder.known[id(index)].node
    if node < 0 or written_to(op.recorder, node):
        return False
    while node >= 0 and records[node].function is not None:
        moved = records[node].name in MOVED and len(records[node].inputs) == 1
        node = records[node].inputs[0] if moved else -1
    given = flat_tensors(records[node].result) if node >= 0 else []
    written = written_memories(op.recorder)
    return any(not (tensor.dtype.is_floating_point > floats or memory_of(tensor) in written) for tensor in given)


def computed(op: Operation, tensor: Tensor, node: int, made: dict[int, Any]) -> Tensor | None:
    """The tensor with its numbers, by the calls that made it, `node` the last; None where one takes data or symbols."""
    known = op.recorder.known.get(id(tensor))
    if known is not None and not tensor.is_meta and known.constant and not known.stale:
        return tensor
    if node < 0 or tensor.numel() > _MOST_NUMBERS or takes_data(op.recorder, node):
        return None
    record = op.recorder.records[node]
    if node not in made:
        made[node] = None  # as long as it is asked: what is written into what was made of it leads back to it
        made[node] = _called(op, record, made)
    value = made[node]
    if isinstance(value, Tensor):
        return value
    place = place_of(op, tensor, node)
    return None if value is None or place < 0 else flat_tensors(value)[place]


def place_of(op: Operation, tensor: Tensor, node: int) -> int:
    """Which of the results of the call `node` a tensor is; -1 for none, as where there is no such call."""
    made = flat_tensors(op.recorder.records[node].result) if node >= 0 else []
    return next((place for place, each in enumerate(made) if each is tensor), -1)


def _called(op: Operation, record: Record, made: dict[int, Any]) -> Any:
    """What a call gives for arguments with numbers; None where these are not known."""
    given = (record.arguments, dict(record.keywords))
    numbers: dict[int, Tensor] = {}
    for each in flat_tensors(given):
        value = computed(op, each, node_of(op, record, each), made)
        if value is None:
            return None
        numbers[id(each)] = value
    try:
        return op.recorder.kernel(record.function, *with_tensors(given, lambda each: numbers[id(each)]))
    except Exception as error:  # torch's: the numbers are not known then
        let_out(error)
        return None


def node_of(op: Operation, record: Record, tensor: Tensor) -> int:
    """The call that made an argument; a call that gives back its own argument is not the one."""
    known = op.recorder.known.get(id(tensor))
    if known is None or not _gives(record, tensor):
        return -1 if known is None else known.node
    given = flat_tensors((record.arguments, dict(record.keywords)))
    if len(given) == len(record.inputs):
        return dict(zip(map(id, given), record.inputs, strict=True)).get(id(tensor), -1)
    return _last_that_gave(op.recorder.records, record, tensor)


def _last_that_gave(records: list[Record], before: Record, tensor: Tensor) -> int:
    """The last call before another one that gave a tensor; -1 for none."""
    end = next(node for node in range(len(records) - 1, -1, -1) if records[node] is before)
    return next((node for node in range(end - 1, -1, -1) if _gives(records[node], tensor)), -1)


def _gives(record: Record, tensor: Tensor) -> bool:
    return any(each is tensor for each in flat_tensors(record.result))


def unmoved(op: Operation, tensor: Tensor, node: int) -> tuple[Tensor, int]:
    """A tensor and the call that made it, before it was brought to another device or copied as it is."""
    while node >= 0 and op.recorder.records[node].name in ("to", "cpu", "clone", "detach", "contiguous"):
        record = op.recorder.records[node]
        given = record.arguments[0] if record.arguments else None
        if not isinstance(given, Tensor) or given.dtype is not tensor.dtype:
            break
        tensor, node = given, node_of(op, record, given)
    return tensor, node


def places_below(op: Operation, record: Record, index: Tensor) -> int | None:
    """The size of the axis along which a call found an index tensor, as `argmax` or `topk`; None for another tensor."""
    pair = isinstance(record.result, tuple)
    if not record.arguments or not isinstance(record.arguments[0], Tensor) or pair != (record.name not in _ALONE):
        return None
    return None if pair and record.result[1] is not index else _extent(op, record)


def written_to(recorder: Recording, node: int) -> bool:
    """Whether a call writes into the memory of a call's result, or of what that was made of; a place that was found
    is new, whatever was written to the numbers among which it was sought.
    """
    records, written = recorder.records, written_memories(recorder)
    waiting, seen = [node], {-1}
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            if any(memory_of(tensor) in written for tensor in flat_tensors(records[node].result)):
                return True
            waiting.extend(() if records[node].name in PLACES else records[node].inputs)
    return False


def written_everywhere(op: Operation, index: Tensor) -> tuple[Tensor, int] | None:
    """The numbers of `index` and the call that made them, where `index[order] = numbers` alone was written into it, in
    an order that has each place once; None where not known.
    """
    (nodes,) = writes_into(op.recorder, [index]).values() or [{-1}]
    record = op.recorder.records[max(nodes)] if len(nodes) == 1 and max(nodes) >= 0 else None
    given = () if record is None or record.arguments[0] is not index else record.arguments[1:]
    places = {"__setitem__": (), "scatter_": (0,)}.get("" if record is None else record.name)
    if record is None or given[:-2] != places or len(given) < 2:
        return None
    order, numbers = given[-2:]
    if not isinstance(order, Tensor) or not isinstance(numbers, Tensor) or numbers.dtype is not index.dtype:
        return None
    order, made = unmoved(op, order, node_of(op, record, order))
    source = node_of(op, record, numbers)
    if order.dtype is not torch.int64 or min(made, source) < 0 or written_to(op.recorder, source):
        return None
    sizes = [tuple(map(function_of, op.shape(each))) for each in (index, order)]
    ordered = op.recorder.records[made].name in ("argsort", "sort") and not written_to(op.recorder, made)
    found = places_below(op, op.recorder.records[made], order) is not None
    return (numbers, source) if ordered and found and sizes[0] == sizes[1] and len(sizes[0]) == 1 else None


def _extent(op: Operation, record: Record) -> int | None:
    """The size of the axis over which a call went; of the whole tensor where it names none."""
    shape = op.shape(record.arguments[0])
    first = 2 if record.name in ("topk", "kthvalue") else 1
    given = record.arguments[first] if len(record.arguments) > first else None
    axis = record.keywords.get("dim", record.keywords.get("axis", given))
    if axis is None and record.name in ("argmax", "argmin"):
        return elements(shape)
    axis = -1 if axis is None else axis
    return shape[axis] if type(axis) is int and shape else None
