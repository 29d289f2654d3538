"""Finds where the samples of a batch are mixed or split: `x.view(-1, 400)` makes 144 rows of 4 images of 5184 features.

A view cuts across samples where its rows are not whole groups of axes, and a linear layer then takes them for samples.
They stay apart where one sample has just the features of one row. Views whose rows come together again at the output,
such as windows, and those that only merge axes, such as the anchors of a detector, are no matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate

from shapelint.facts.contract import Region, union
from shapelint.facts.samples import MixedSamples
from shapelint.request.question import Question
from shapelint.size.condition import equal, product
from shapelint.size.function import Function, as_function, constant
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.record import Record
from shapelint.trace.recording.trees import flat_tensors

_VIEWS = frozenset({"view", "reshape", "_unsafe_view", "unflatten"})
_LINEAR = frozenset({"linear", "addmm", "matmul", "__matmul__", "mm"})


@dataclass(frozen=True, slots=True)
class _Cut:
    """A view that cuts across samples: the features of one sample and of one row, and the layer that takes rows."""

    record: Record
    features: Function
    row: int
    layer: str


def mixed_samples(explored: Exploration, regions: Sequence[Region], question: Question) -> MixedSamples | None:
    """The sizes at which the samples of a batch do not stay apart, and the view that mixes them; None for none."""
    batch = _batch(question)
    if batch is None:
        return None
    apart, mixed, shown = [], [], None
    for region in regions:
        if region.outcome.ok:
            cut = _cut(explored, region, batch, question.first)
            whole = None if cut is None else _meeting(region.sizes, cut)
            apart.append(region.sizes if cut is None else whole or SizeSet.empty(question.symbols))
            if cut is not None and whole is not None:
                mixed.append(region.sizes - whole)
                shown = cut if shown is None or question.first in mixed[-1] else shown
    sizes, kept = union(question.symbols, mixed), union(question.symbols, apart)
    pinned = shown is not None and (shown.features.constant is not None or sizes.finite)
    if shown is None or not sizes or not (kept or pinned):
        return None
    place = None if shown.record.place is None else shown.record.place.span()
    call = shown.record.name, shown.record.module, place
    return MixedSamples(sizes, kept, *call, shown.features, shown.row, shown.layer)


def _batch(question: Question) -> Function | None:
    """The number of samples: the leading axis of the first input, unless that is a spatial one."""
    first = next(question.inputs.tensors())
    return as_function(first.dims[0]) if len(first.dims) > 1 and 0 not in question.axes else None


def _cut(explored: Exploration, region: Region, batch: Function, first: Mapping[str, int]) -> _Cut | None:
    """The view of a region's run that cuts across samples, if its rows are still the output's; of several one that does
    at the first size.
    """
    run = explored.runs[region.run]
    outputs = region.outcome.outputs
    if not outputs or not outputs[0].dims or as_function(outputs[0].dims[0]) == batch:
        return None
    records = run.records
    cuts = (way(index, records, batch) for index in range(len(records)) for way in (_cutting, _merging))
    found = [cut for cut in cuts if cut is not None]
    return next((cut for cut in found if cut.features.value(first) != cut.row), found[0] if found else None)


def _cutting(index: int, records: Sequence[Record], batch: Function) -> _Cut | None:
    record = records[index]
    if record.name not in _VIEWS or not record.inputs or not record.outputs:
        return None
    given, made = _dims(records[record.inputs[0]]), _dims(record)
    if len(given) < 3 or len(made) != 2 or given[0] != batch or made[0] == batch:
        return None
    channels, row = given[1].constant, made[1].constant
    if channels is None or row is None or channels < 2 or row % channels:
        return None
    suffixes = list(accumulate(reversed(given), product))
    layer = next((each.module for each in records[index + 1 :] if _takes(each, row)), None)
    if constant(row) in suffixes or layer is None:
        return None
    return _Cut(record, reduce(product, given[1:]), row, layer)


def _merging(index: int, records: Sequence[Record], batch: Function) -> _Cut | None:
    """A view that makes one map, for a convolution, of the features of several samples.

    One whose last axes hold the features of a sample stacks whole rows, as those of a sequence.
    """
    record = records[index]
    if record.name not in _VIEWS or not record.inputs or not record.outputs:
        return None
    given, made = _dims(records[record.inputs[0]]), _dims(record)
    if len(given) != 2 or len(made) < 3 or given[0] != batch or batch.constant == 1:
        return None
    row, features = reduce(product, made[1:]).constant, given[1].constant
    if any(reduce(product, made[axis:]).constant == features for axis in range(2, len(made))):
        return None
    if row is None or features is None or row <= features or not _is_convolved(records, index):
        return None
    return _Cut(record, given[1], row, "")


def _is_convolved(records: Sequence[Record], index: int) -> bool:
    """Whether a convolution takes what a call makes, or what norms, activations and resizes make of that."""
    rank, made = len(_dims(records[index])), {index}
    for number, record in enumerate(records[index + 1 :], index + 1):
        if not made.isdisjoint(record.inputs):
            if "conv" in record.name:
                return True
            if len(_dims(record)) == rank and record.name not in _VIEWS:
                made.add(number)
    return False


def _takes(record: Record, row: int) -> bool:
    """Whether a call is a linear layer's that takes rows of so many features."""
    given = flat_tensors(record.arguments) if record.name in _LINEAR else []
    return bool(given) and given[0].dim() == 2 and given[0].shape[-1] == row


def _dims(record: Record) -> tuple[Function, ...]:
    return tuple(map(as_function, frozen_shape(record.outputs[0]).dims)) if record.outputs else ()


def _meeting(sizes: SizeSet, cut: _Cut) -> SizeSet | None:
    """The sizes of a region at which one sample makes one row; None where no set says it."""
    try:
        with limited():
            return sizes.meeting(equal(cut.features, constant(cut.row)))
    except (Undecidable, SolverError):
        return None
