"""Where the axis of the samples goes on the way through a model, in one run whose number of samples is a symbol.

A view takes the elements in their order, so samples stay apart in it only where the rows that it makes of them begin
and end with whole samples: seen from the numbers of elements behind and ahead of the axis. A call of which no more is
known than its shapes keeps the axis where its output has just one that counts samples, as often as the one it took.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from shapelint.facts.contract import Region
from shapelint.request.inputs import Inputs
from shapelint.request.question import Question
from shapelint.request.spec import TensorSpec
from shapelint.size.function import as_function, symbol
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.record import Record, Shape
from shapelint.trace.run import Run

VIEWS = frozenset({"view", "reshape", "_unsafe_view", "unflatten", "flatten"})
CATS = frozenset({"cat", "concat", "concatenate"})
_NAME = "samples"
# Each small number divides it, and a factor of it divides no axis of a model.
MANY = 2**6 * 3**4 * 5**3 * 7**2 * 11 * 10007


@dataclass(frozen=True, slots=True)
class Carried:
    """The axis that counts samples: each of them is there `outer` times as a whole, and has `inner` rows of it."""

    axis: int
    outer: int = 1
    inner: int = 1


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A run for many samples: its records, the shape that each gives for MANY of them, and the axis that counts them.

    `cut` are the calls of views that have an axis for the samples in which others are. It is None where a call's
    axis is not known.
    """

    run: Run
    shapes: tuple[tuple[int, ...], ...]
    axes: tuple[Carried | None, ...]
    cut: tuple[int, ...]

    def output(self) -> tuple[int, ...]:
        """The shape of the first output for MANY samples."""
        return values(self.run.outputs[0]) if self.run.outputs else ()

    def above(self, index: int) -> frozenset[int]:
        """The numbers of the calls that a call depends on, its own with them."""
        found, waiting = set[int](), [index]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting.extend(self.run.records[each].inputs)
        return frozenset(found)


def batch_run(explored: Exploration, region: Region, question: Question) -> BatchRun | None:
    """The run at the first size with a symbol for the number of samples; None where only one of it and the region's
    raises.
    """
    spec = next(question.inputs.tensors())
    if len(spec.dims) < 2 or 0 in question.axes:
        return None
    samples = spec.dims[0].value(question.first)

    def opened(each: TensorSpec) -> TensorSpec:
        dims = [dim.value(question.first) for dim in each.dims]
        leads = bool(dims) and dims[0] == samples
        return replace(
            each, dims=tuple(map(as_function, (symbol(_NAME) if leads else dims[0], *dims[1:]))) if dims else ()
        )

    args, kwargs = question.inputs.map(opened)
    subject = replace(explored.subject, inputs=Inputs(args, kwargs), symbols=(_NAME,))
    run = Exploration(subject, SizeSet.universe((_NAME,)), {}).run({_NAME: max(samples, 2)}, symbolic=True)
    ended = run.failure is None and run.error is None
    if ended is not region.outcome.ok or (ended and (not run.output_nodes or run.output_nodes[0] < 0)):
        return None
    return _followed(run)


def _followed(run: Run) -> BatchRun:
    shapes = tuple(values(record.outputs[0]) if record.outputs else () for record in run.records)
    axes: list[Carried | None] = []
    cut: list[int] = []
    for index, record in enumerate(run.records):
        known = [each for each in (axes[above] for above in record.inputs) if each is not None]
        if not record.inputs:
            axes.append(Carried(0) if record.name == "input" and shapes[index][:1] == (MANY,) else None)
        elif record.name in VIEWS and len(record.inputs) == 1:
            given, taken = _taken(axes[record.inputs[0]], run.records[record.inputs[0]], shapes[index])
            axes.append(None if given is None else _viewed(given, taken, shapes[index]))
            if given is not None and axes[-1] is None and any(d and not d % MANY for d in shapes[index]):
                cut.append(index)
        elif record.name in CATS and known and len(known) == len(record.inputs) and len(set(known)) == 1:
            axes.append(_joined(known[0], [shapes[above] for above in record.inputs], shapes[index]))
        else:
            axes.append(_kept(known, shapes[index]))
    return BatchRun(run, shapes, tuple(axes), tuple(cut))


def _taken(given: Carried | None, above: Record, made: tuple[int, ...]) -> tuple[Carried | None, tuple[int, ...]]:
    """The axis and the shape of what a view takes: of a call that gives several, as the state of a recurrent layer
    beside its steps, of those with as many elements; None for the axis where these are unlike.
    """
    each = list(dict.fromkeys(map(values, above.outputs)))
    fitting = [shape for shape in each if prod(shape) == prod(made)]
    if given is None or len(fitting) != 1:
        return None, ()
    return (given if len(each) == 1 else _kept([given], fitting[0])), fitting[0]


def _kept(known: Sequence[Carried], made: tuple[int, ...]) -> Carried | None:
    counting = [axis for axis, dim in enumerate(made) if dim and dim % MANY == 0]
    ways = {(each.outer, each.inner) for each in known}
    if len(counting) != 1 or len(ways) != 1:
        return None
    outer, inner = ways.pop()
    return Carried(counting[0], outer, inner) if made[counting[0]] == outer * inner * MANY else None


def _joined(given: Carried, shapes: Sequence[tuple[int, ...]], made: tuple[int, ...]) -> Carried | None:
    if made[given.axis] == shapes[0][given.axis]:
        return given
    return replace(given, outer=given.outer * len(shapes)) if given.inner == 1 else None


def _viewed(given: Carried, taken: tuple[int, ...], made: tuple[int, ...]) -> Carried | None:
    """The axis of the samples behind a view; None where no axis has them whole."""
    if prod(taken) != prod(made):
        return None
    size = given.inner * prod(taken[given.axis + 1 :])  # of what follows one sample's number
    for axis, end in enumerate(_ends(made)):
        step = end // made[axis] if made[axis] else 0
        if step and step <= size < end:
            whole = size % step == 0 and end % (size * MANY) == 0
            return Carried(axis, end // (size * MANY), size // step) if whole else None
    return None


def _ends(shape: tuple[int, ...]) -> Iterator[int]:
    """For each axis the number of elements that it and the axes behind it have."""
    for axis in range(len(shape)):
        yield prod(shape[axis:])


def values(shape: Shape) -> tuple[int, ...]:
    """A shape for MANY samples; () where it depends on another symbol."""
    dims = [as_function(dim) for dim in frozen_shape(shape).dims]
    if any(not dim.symbols() <= {_NAME} for dim in dims):
        return ()
    return tuple(dim.value({_NAME: MANY}) for dim in dims)
