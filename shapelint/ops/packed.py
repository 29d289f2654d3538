"""Sequences of unequal lengths, packed into one row after the other, and padded again.

https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html; requirements:
aten/src/ATen/native/PackedSequence.cpp. Lengths that an input holds are taken to be right: from 1 to the steps, and in
descending order where they are not sorted. How long the longest is, and how many elements there are, the data decide.
"""

from __future__ import annotations

from typing import Any, Final

import torch

from shapelint.ops.index_origin import is_of_an_input, unmoved
from shapelint.ops.index_range import bounds_of
from shapelint.size.condition import all_of, at_least
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.trace.memory.layout import in_order
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Record, Shape

Tensor = torch.Tensor
_LENGTHS: Final = "the lengths of sequences that are packed, which must be from 1 to the number of steps"
_LONGEST: Final = "how long the longest of the packed sequences is depends on values"
_SORTED: Final = "the lengths of sequences that are packed, which must be in descending order"


@size_rule(torch._pack_padded_sequence)
def _pack(op: Operation, input: Tensor, lengths: Tensor, batch_first: bool) -> Result:
    """All elements of the sequences, and how many of these have each step."""
    shape, given = op.shape(input), op.shape(lengths)
    if len(shape) < 2 or len(given) != 1 or lengths.dtype is not torch.int64:
        raise NoRule
    batch, steps = shape[:2] if batch_first else (shape[1], shape[0])
    op.require_equal(given[0], batch, Kind.JOIN, "Expected `len(lengths)` to be equal to batch_size, but got {left}")
    for dim in shape:
        op.require_at_least(dim, 1, Kind.EMPTY, "Cannot pack empty tensors.")
    longest, rows = _longest(op, lengths, batch, steps)
    return Fresh((rows, *shape[2:]), input), Fresh((longest,), lengths)


def _longest(op: Operation, lengths: Tensor, batch: int, steps: int) -> tuple[int, int]:
    """The length of the longest sequence, and how many elements all have."""
    found = bounds_of(op, lengths)
    if found is not None and found.is_one_number:
        text = "Length of all samples has to be greater than 0, but found an element in 'lengths' that is {left}"
        op.require_at_least(found.low, 1, Kind.ARGUMENT, text)
        if op.decide(at_least(function_of(steps), function_of(found.low))):
            return found.low, found.low * batch
    made, is_sorted = _unsorted(op, lengths)
    fits = found is not None and op.decide(
        all_of([at_least(function_of(found.low), constant(1)), at_least(function_of(steps), function_of(found.high))])
    )
    of_input = is_of_an_input(op, made)
    if not fits and not of_input:
        op.recorder.leak(_LENGTHS, unseen=True)
    if not is_sorted and not of_input:
        op.recorder.leak(_SORTED, unseen=True)
    total = plain(batch) * plain(steps)
    return op.recorder.of_data(plain(steps), _LONGEST, least=1, most=steps), op.recorder.of_data(
        total, "how many elements packed sequences have depends on values", least=1
    )


def _unsorted(op: Operation, lengths: Tensor) -> tuple[Tensor, bool]:
    """The lengths before they were sorted in descending order, and whether they were."""
    tensor, node = unmoved(op, lengths, op.recorder.known[id(lengths)].node)
    record = op.recorder.records[node] if node >= 0 else None
    is_sorted = record is not None and record.name == "sort" and record.result[0] is tensor
    if record is None or not is_sorted or not isinstance(record.arguments[0], Tensor):
        return lengths, False
    return record.arguments[0], _descends(record)


def _descends(record: Record) -> bool:
    descending = record.keywords.get("descending", record.arguments[2] if len(record.arguments) > 2 else False)
    return descending is True


def batch_of(op: Operation, batch_sizes: Tensor) -> int | None:
    """How many sequences were packed, which is the first of the sizes of the steps; None for another tensor."""
    packed = _packed(op, batch_sizes)
    if packed is None:
        return None
    given, _, batch_first = packed.arguments
    return op.shape(given)[0 if batch_first else 1]


def _packed(op: Operation, batch_sizes: Tensor) -> Record | None:
    known = op.recorder.known.get(id(batch_sizes))
    record = op.recorder.records[known.node] if known is not None and known.node >= 0 else None
    made = record is not None and record.name == "_pack_padded_sequence" and len(record.arguments) == 3
    return record if made and record is not None and record.result[1] is batch_sizes else None


def check_rows(op: Operation, data: Tensor, batch_sizes: Tensor) -> int:
    """The number of sequences; NoRule where the elements are not those that were packed with these sizes of steps."""
    packed, batch = _packed(op, batch_sizes), batch_of(op, batch_sizes)
    if packed is None or batch is None or not _has_rows_of(op, data, packed.result[0]):
        raise NoRule
    return batch


def _has_rows_of(op: Operation, data: Tensor, packed: Tensor) -> bool:
    one, two = op.shape(data), op.shape(packed)
    return bool(one) and function_of(one[0]) == function_of(two[0])


@size_rule(torch._pad_packed_sequence)
def _pad(op: Operation, data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: Any,
         total_length: Any) -> Result:  # fmt: skip
    """As many steps as are asked for, or as the longest sequence has; and the lengths."""
    batch, longest = check_rows(op, data, batch_sizes), op.shape(batch_sizes)[0]
    if not isinstance(total_length, int):
        raise NoRule
    rest, steps = op.shape(data)[1:], longest
    if op.decide(at_least(function_of(total_length), constant(1))):
        text = "Expected total_length to be at least the length of the longest sequence in input: {left}, {right}"
        op.require_at_least(total_length, longest, Kind.ARGUMENT, text)
        steps = total_length
    shape: Shape = (batch, steps, *rest) if batch_first else (steps, batch, *rest)
    swapped = (1, 0, *range(2, len(shape)))
    padded = Fresh(shape, data, layout=in_order(shape, swapped) if batch_first else None)
    return padded, Fresh((batch,), batch_sizes)
