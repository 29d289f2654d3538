"""Finds a call that mixes the samples of a batch, or gives several rows of one, where the source tells it is a mistake.

Views that cut samples are one, and recurrent layers and attention without `batch_first` of which the last row of the
other axis is taken. Several rows of a sample are meant in most models (windows, frames, views of one picture, heads and
teachers of one loss), and one row of several samples in some (frames of a scene, a set of pictures for one label): what
tells is that results of unlike kernels are joined along the batch, that a map is flattened from the batch on, or that a
`squeeze` takes the batch ahead of a layer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import prod

from shapelint.diagnosis.batch_axis import CATS, MANY, VIEWS, BatchRun, Carried, batch_run
from shapelint.diagnosis.one_sequence import RECURRENT, is_batch_first, takes_all_steps
from shapelint.facts.contract import Region
from shapelint.facts.samples import MixedSamples, Mixing
from shapelint.request.question import Question
from shapelint.size.function import as_function, constant
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.source.syntax import call_at
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import span_of
from shapelint.trace.recording.record import Record

_ATTENTION = "multi_head_attention_forward"
_REDUCING = frozenset({"mean", "sum", "amax", "amin", "max", "min", "median", "std", "var", "logsumexp"})
_LAST = -1
_SWAPPING = frozenset({"transpose", "swapaxes", "swapdims", "movedim", "moveaxis"})
_ALONE = Carried(0)
Found = tuple[int, Mixing]


def mixed_along_batch(
    explored: Exploration, region: Region, question: Question, built: Mapping[str, Span]
) -> MixedSamples | None:
    """All sizes, with the call that mixes or splits samples whatever the size is; None for none."""
    records = explored.runs[region.run].records
    first = next(question.inputs.tensors())
    samples = first.dims[0].value(question.first) if first.dims else 0
    if question.asked is None or not _is_suspect(records, region, samples, question):
        return None
    batch = batch_run(explored, region, question)
    found = None if batch is None else _found(batch, records, samples, question)
    if batch is None or found is None:
        return None
    index, way = found
    record, rows = batch.run.records[index], batch.shapes[index][0] // MANY if batch.shapes[index] else 0
    place = None if record.place is None else span_of(record.place)
    place = built.get(record.module, place) if way is Mixing.STEPS else place
    features = prod(batch.shapes[record.inputs[0]][1:]) if way is Mixing.ROWS else rows
    row = prod(batch.shapes[index][1:]) if way is Mixing.ROWS else max(rows, 1)
    taken = batch.axes[record.inputs[0]] if way is Mixing.SEQUENCE else None
    row = row if taken is None else taken.inner
    call = "attention" if record.name == _ATTENTION else record.name, record.module, place
    sizes, nothing = question.domain, SizeSet.empty(question.symbols)
    return MixedSamples(sizes, nothing, *call, constant(features), row, "", way=way)


def _is_suspect(records: list[Record], region: Region, samples: int, question: Question) -> bool:
    """Whether a run at one number of samples has anything that makes it worth a run for many."""
    if not region.outcome.ok:
        return any(record.name in RECURRENT for record in records)
    leading = [as_function(shape.dims[0]).value(question.first) for shape in region.outcome.outputs[:1] if shape.dims]
    if leading != [samples]:
        return True
    for record in records:
        if record.name == _ATTENTION or record.name in RECURRENT or _moves_first(record):
            return True
        if record.name in VIEWS and record.inputs and record.outputs:
            taken, made = (
                frozen_shape(each.outputs[0]).dims for each in (records[record.inputs[0]], record) if each.outputs
            )
            if not taken or not made or taken[0] != made[0] or as_function(taken[0]).constant != samples:
                return True
    return False


def _moves_first(record: Record) -> bool:
    """Whether a call moves the first axis behind others."""
    given = record.arguments[1:]
    axes = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
    if record.name == "permute":
        return bool(axes) and axes[0] != 0
    return record.name in _SWAPPING and 0 in axes


def _found(batch: BatchRun, records: list[Record], samples: int, question: Question) -> Found | None:
    one = partial(takes_all_steps, batch)
    if not batch.run.output_nodes:  # it raises
        return _first(list(range(len(batch.run.records))), one, Mixing.SEQUENCE)
    output = batch.run.output_nodes[0]
    above = sorted(batch.above(output))
    if samples > 1 and (found := _first(above, one, Mixing.SEQUENCE)):
        return found
    steps = next((each for each in above if _takes_steps(batch, each)), None)
    if steps is not None and not any(_is_batch_first(batch, each) for each in above):
        return steps, Mixing.STEPS
    cut = next((each for each in batch.cut if each in above), None)
    if cut is not None:
        return (cut, Mixing.PARTS) if samples > 1 else None
    axis, made = batch.axes[output], batch.output()
    if axis is not None and axis.axis == 0 and axis.inner == 1 < axis.outer:
        return _first(above, lambda each: _joins_branches(batch, each), Mixing.JOINED)
    if axis is not None and axis.axis == 0 and axis.outer == 1 < axis.inner:
        of_channels = samples > 1 and len(made) == 1
        channels = _first(above, lambda each: of_channels and _is_of_channels(batch, each, above), Mixing.CHANNELS)
        return channels or _first(above, lambda each: _splits_latent(batch, each, question), Mixing.ROWS)
    if axis is not None and axis.axis == 1 and made[0] == 1 < samples:
        return _first(above, lambda each: _makes_one_row(batch, each, above), Mixing.TOGETHER)
    if samples == 1 and axis == _ALONE and len(made) > 1:
        return _first(above, lambda each: _squeezes(batch, records, each, above), Mixing.SQUEEZED)
    return None


def _takes_steps(batch: BatchRun, index: int) -> bool:
    """Whether a recurrent layer or an attention takes the samples for steps, and a call behind it the samples' axis for
    the steps. Only the last row tells it of any input: of (steps, people, features) all people may be averaged, or the
    first be taken.
    """
    record, shape = batch.run.records[index], batch.shapes[index]
    if not _is_sequential(record) or not record.inputs or batch.axes[record.inputs[0]] != _ALONE or len(shape) != 3:
        return False
    waiting, seen, told = [index], {index}, False
    leads = _leads_with_samples(batch, index)
    while waiting:
        for user in _calls_on(batch, waiting.pop()):
            if user in seen:
                continue
            seen.add(user)
            each = batch.run.records[user]
            if _along_second(each):
                told = told or leads or _is_last(each)
            elif batch.shapes[user][:2] != shape[:2] or len(batch.shapes[user]) != 3:
                return False
            elif each.name not in RECURRENT:
                waiting.append(user)
    return told


def _is_sequential(record: Record) -> bool:
    """Whether a call takes the steps of a sequence along its first axis."""
    return record.name == _ATTENTION or is_batch_first(record) is False


def _is_batch_first(batch: BatchRun, index: int) -> bool:
    """Whether a call takes the steps along the second axis of what has samples along the first: where one does, another
    that takes samples for steps may be meant, as an attention of each sample to the others.
    """
    record = batch.run.records[index]
    if record.inputs and is_batch_first(record):
        return batch.axes[record.inputs[0]] == _ALONE
    return record.name == _ATTENTION and bool(record.inputs) and batch.axes[record.inputs[0]] == Carried(1)


def _leads_with_samples(batch: BatchRun, index: int) -> bool:
    """Whether a call ahead tells that the first axis counts samples: a convolution, a table of tokens, or a token that
    a `cat` adds along the second axis.
    """
    for each in batch.above(index):
        record = batch.run.records[each]
        joined = record.name in CATS and bool(record.inputs) and batch.axes[each] == _ALONE
        added = joined and batch.shapes[each][1:2] != batch.shapes[record.inputs[0]][1:2]
        if record.spatial or record.name == "embedding" or (added and len(batch.shapes[each]) == 3):
            return True
    return False


def _calls_on(batch: BatchRun, index: int) -> Iterator[int]:
    for user, record in enumerate(batch.run.records):
        if index in record.inputs and record.outputs:
            yield user


def _along_second(record: Record) -> bool:
    """Whether a call takes one row of the second axis, or brings all of them together: `out[:, -1]`, `out.mean(1)`."""
    if record.name == "__getitem__":
        index = record.arguments[1]
        return isinstance(index, tuple) and len(index) > 1 and index[0] == slice(None) and isinstance(index[1], int)
    dim = record.keywords.get("dim", record.arguments[1] if len(record.arguments) > 1 else None)
    return record.name in _REDUCING and dim in (1, (1,), [1], -2)


def _is_last(record: Record) -> bool:
    """Whether a call takes the last row of the second axis."""
    return record.name == "__getitem__" and record.arguments[1][1] == _LAST


def _joins_branches(batch: BatchRun, index: int) -> bool:
    """Whether a `cat` joins, along the batch, what convolutions of unlike kernels make of one tensor: the results of
    layers that are alike may be an ensemble's, a teacher's, or of several heads for one loss.
    """
    record, records = batch.run.records[index], batch.run.records
    if record.name not in CATS or any(batch.axes[each] != _ALONE for each in record.inputs):
        return False
    known = batch.axes[index]
    if known is None or known.outer != len(record.inputs):
        return False
    kernels = [_kernel_above(records, each) for each in record.inputs]
    sources = {each for piece in record.inputs for each in batch.above(piece) if records[each].name == "input"}
    return len(set(kernels)) == len(kernels) and () not in kernels and len(sources) == 1


def _kernel_above(records: list[Record], index: int) -> tuple[int, ...]:
    """The kernel and dilation of the nearest convolution that a map comes from; () for what is no map, or of none."""
    axes = len(frozen_shape(records[index].outputs[0]).dims) - 2
    while True:
        record = records[index]
        if record.spatial and record.taken:
            kernel, dilation = (record.parameters.get(name, ()) for name in ("kernel_size", "dilation"))
            return (*kernel, *dilation) if len(kernel) == axes else ()
        if not record.inputs:
            return ()
        index = record.inputs[0]


def _is_of_channels(batch: BatchRun, index: int, above: list[int]) -> bool:
    """Whether a flatten of all axes ends a model of maps, though a sample has several channels: with the axes of the
    maps left it may be meant, a row for each heat map.
    """
    record = batch.run.records[index]
    if record.name != "flatten" or not record.inputs or batch.axes[record.inputs[0]] != _ALONE:
        return False
    start = record.keywords.get("start_dim", record.arguments[1] if len(record.arguments) > 1 else None)
    taken = batch.shapes[record.inputs[0]]
    return start == 0 and taken[1] > 1 and _is_map(batch, index) and not _layer_behind(batch, index, above)


def _splits_latent(batch: BatchRun, index: int, question: Question) -> bool:
    """Whether a view with all numbers written makes several maps of one latent vector, in a model that gives back what
    has the axes and the channels of its input, but not its size.
    """
    record, made = batch.run.records[index], batch.output()
    if record.name not in VIEWS or not record.inputs or batch.axes[record.inputs[0]] != _ALONE or record.place is None:
        return False
    taken, latent = question.led.dims, batch.shapes[record.inputs[0]]
    call = call_at(span_of(record.place))
    written = [ast.unparse(each) for each in call.args] if call is not None else []
    plain = written[:1] == ["-1"] and len(written) > 2 and all(each.isdigit() for each in written[1:])
    back = len(made) == len(taken) > 2 and bool(question.axes) and taken[1].constant == made[1]
    back = back and made[2:] != tuple(dim.value(question.first) for dim in taken[2:])
    return plain and back and len(latent) == 2


def _makes_one_row(batch: BatchRun, index: int, above: list[int]) -> bool:
    """Whether a view written `view(1, -1)` ends a model of maps."""
    record = batch.run.records[index]
    if record.name not in VIEWS or not record.inputs or batch.axes[record.inputs[0]] != _ALONE or record.place is None:
        return False
    call = call_at(span_of(record.place))
    written = [ast.unparse(each) for each in call.args] if call is not None else []
    return written == ["1", "-1"] and _is_map(batch, index) and not _layer_behind(batch, index, above)


def _is_map(batch: BatchRun, index: int) -> bool:
    """Whether a call takes what a convolution or a pool gives, its shape unchanged."""
    records = batch.run.records
    index = records[index].inputs[0]
    while not records[index].spatial and len(records[index].inputs) == 1:
        above = records[index].inputs[0]
        if batch.shapes[above] != batch.shapes[index]:
            return False
        index = above
    return bool(records[index].spatial)


def _layer_behind(batch: BatchRun, index: int, above: list[int]) -> bool:
    """Whether a layer with parameters makes the output of what a call gives."""
    return any(batch.run.records[each].taken and index in batch.above(each) for each in above if each > index)


def _squeezes(batch: BatchRun, records: list[Record], index: int, above: list[int]) -> bool:
    """Whether a `squeeze()` takes the axis of one sample too, and a layer takes what it gives."""
    record = batch.run.records[index]
    same = index < len(records) and records[index].name == record.name == "squeeze"
    if not same or record.arguments[1:] or record.keywords or not record.inputs or batch.axes[index] != _ALONE:
        return False
    lost = len(frozen_shape(records[index].outputs[0]).dims) < len(batch.shapes[index])
    return lost and _layer_behind(batch, index, above)


def _first(above: list[int], holds: Callable[[int], bool], way: Mixing) -> Found | None:
    return next(((each, way) for each in above if holds(each)), None)
