"""Which axes of which input are spatial: those that the model's own convolutions, pools and resizes treat so."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from shapelint.facts.failure import Kind
from shapelint.request.inputs import Inputs
from shapelint.request.question import Question, question
from shapelint.restore.module import left_as_it_was
from shapelint.size.condition import negate, symbols_of
from shapelint.size.sets import SizeSet
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.record import Event, Shape
from shapelint.trace.run import Run, Subject, run_once

_FEW, _ROUND = 2, 960


def spatial_axes(
    explored: Exploration, asked: Question, subject: Callable[[Question], Subject], parsed: Inputs
) -> tuple[int, ...]:
    """The axes of the followed input that the first spatial call sees, where they are not the usual ones.

    Where the usual guess does not reach that call, the model runs once with every axis of that input as a
    symbol, and the call tells which of them it got. A leading axis of size 1 is none of them.
    """
    seen = _first_spatial(explored.runs[0])
    if seen is None and asked.concrete and asked.axes == (2,) and len(asked.led.dims) == 3:
        return _steps(asked, subject, parsed)
    if seen is None or (len(seen) == len(asked.axes) and _names(seen) == _expected(asked)):
        return asked.axes
    rank = len(asked.led.dims)
    every = question(parsed, {}, tuple(range(rank)), asked.lead)
    other = subject(every)
    with left_as_it_was(other.module):
        found = _first_spatial(run_once(other, every.first, symbolic=True))
    if found is None:
        return asked.axes
    axes = [every.symbols.index(name) for names in _names(found) for name in names]
    return _without_samples(tuple(axes), every) if len(axes) == len(found) else asked.axes


def _steps(asked: Question, subject: Callable[[Question], Subject], parsed: Inputs) -> tuple[int, ...]:
    """The second axis of three where the model has no spatial call and takes the last one for features of one number.

    Layers that want the steps first are no such ones. A table of positions may end a run early at the asked number of
    steps, or at a few; a view into windows or chunks at a number that is not round.
    """
    every = question(parsed, {}, (0, 1, 2), asked.lead)
    other = subject(every)
    if any(getattr(part, "batch_first", True) is False for part in other.module.modules()):
        return asked.axes
    _, steps, features = every.symbols
    for count in (every.first[steps], _FEW, _ROUND):
        with left_as_it_was(other.module):
            run = run_once(other, {**every.first, steps: count}, symbolic=True)
        missed = _misses_table(run, other.module, every.first[features])
        if missed or any(_fixes(event, features) for event in run.events):
            return (1,)
    return asked.axes


def _misses_table(run: Run, module: nn.Module, features: int) -> bool:
    """Whether a run ends where a table of as many features, but of other steps, is joined."""
    if run.failure is None or run.failure.kind is not Kind.JOIN:
        return False
    tables = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    shapes = [tuple(tables[name].shape) for name in run.records[-1].taken if name in tables]
    return any(len(shape) in (2, 3) and shape[-1] == features and shape[-2] > 1 for shape in shapes)


def _fixes(event: Event, name: str) -> bool:
    """Whether a condition, or its opposite, holds at one size of a symbol only, other than one that joins tensors."""
    if event.failure is not None and event.failure.kind is not Kind.CHANNELS:
        return False
    if symbols_of(event.condition) != {name}:
        return False
    sides = (SizeSet.where((name,), each) for each in (event.condition, negate(event.condition)))
    return any(each.finite and (one := each.sample()) is not None and not each.without(one) for each in sides)


def _without_samples(axes: tuple[int, ...], every: Question) -> tuple[int, ...]:
    """The axes without the leading ones of size 1, which count samples and channels: a signal of shape 1,16000."""
    long = tuple(axis for axis in axes if axis > 1 or not every.concrete or every.first[every.symbols[axis]] > 1)
    return long or axes


def leading(explored: Exploration, asked: Question) -> int:
    """The number of the input that the first spatial call takes, where that is made of another one than the first."""
    records = explored.runs[0].records
    call = next((index for index, record in enumerate(records) if record.spatial and record.inputs), None)
    inputs = [index for index, record in enumerate(records) if record.name == "input"]
    if call is None or len(inputs) != len(list(asked.inputs.tensors())):
        return 0
    above: set[int] = set()
    waiting = [call]
    while waiting:
        index = waiting.pop()
        if index not in above:
            above.add(index)
            waiting.extend(records[index].inputs)
    return next((number for number, index in enumerate(inputs) if index in above), 0)


def _first_spatial(run: Run) -> Shape | None:
    """The spatial sizes that the first convolution, pool, resize, shuffle or `stft` of a run takes."""
    for record in run.records:
        spatial = 1 if record.name == "stft" else record.spatial
        if spatial and record.inputs and run.records[record.inputs[0]].outputs:
            return run.records[record.inputs[0]].outputs[0][-spatial:]
    return None


def _names(dims: Shape) -> list[frozenset[str]]:
    return [dim._function.symbols() if hasattr(dim, "_function") else frozenset() for dim in dims]


def _expected(asked: Question) -> list[frozenset[str]]:
    return [dim.symbols() for dim in asked.target]
