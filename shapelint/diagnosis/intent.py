"""Whether a model is meant to give back the size it took, and at which sizes it does.

Nobody says so in the code; the rule is the one of "What the words mean" in the README: the sizes go down and then
up, the output grows as the input does, and it comes within one total stride of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import lcm

from shapelint.diagnosis.idle_steps import lacking_steps
from shapelint.diagnosis.scale import before_crops, goes_down_and_up, odd_slope, regrown, slope_of, total_stride, totals
from shapelint.diagnosis.transforms import TransformPair, transform_pairs
from shapelint.facts.analysis import Intent
from shapelint.facts.contract import How, Region, running, union
from shapelint.facts.graph import ShapeGraph, TensorShape, size_at
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.size.condition import FALSE, TRUE, Condition, all_of, at_least, equal, negate
from shapelint.size.function import Function, as_function, constant
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.sets import SizeSet

_MOST_STEPS = 20_000_000
_PICTURE = 2


def output_axes(outputs: Sequence[TensorShape], question: Question) -> tuple[int, tuple[int, ...]] | None:
    """The index of the first output that has spatial axes, and these axes; None where no output has any."""
    names = {name for dim in question.target for name in dim.symbols()}
    rank, first = len(question.axes), question.led
    if question.place is not None and not any(_symbols(dim) & names for shape in outputs for dim in shape.dims):
        at, axes = question.place
        if at < len(outputs) and max(axes) < len(outputs[at].dims):
            return question.place
    for index, shape in enumerate(outputs):
        depending = [axis for axis, dim in enumerate(shape.dims) if len(_symbols(dim) & names) == 1]
        if rank and len(depending) == rank:
            return index, _in_the_order_of_the_input(shape, depending, question)
        if rank and len(shape.dims) == len(first.dims):
            return index, question.axes
    return None


def _in_the_order_of_the_input(shape: TensorShape, axes: Sequence[int], question: Question) -> tuple[int, ...]:
    """The axes of an output, each where that of the input is which it follows, if layers take these in another order
    than the input has them: a model may give them back in either.
    """
    followed = [dim.symbols() for dim in question.target]
    own = {_symbols(shape.dims[axis]) & frozenset().union(*followed): axis for axis in axes}
    if list(question.axes) == sorted(question.axes) or set(own) != set(followed):
        return tuple(axes)
    return tuple(own[names] for names in followed)


def surviving_axes(outputs: Sequence[TensorShape], question: Question) -> tuple[int, ...]:
    """The spatial axes of the input that some output has, where the model takes the others away, as it does with steps
    in time; all of them where it is not so.
    """
    if output_axes(outputs, question) is not None:
        return question.axes
    for shape in outputs:
        symbols = [_symbols(dim) for dim in shape.dims if _symbols(dim)]
        kept = [axis for axis, dim in zip(question.axes, question.target, strict=True) if dim.symbols() in symbols]
        if len(kept) == len(symbols) > 0:
            return tuple(kept)
    return question.axes


def _symbols(dim: int | Function) -> frozenset[str]:
    return frozenset() if isinstance(dim, int) else dim.symbols()


def restored(domain: SizeSet, regions: Sequence[Region], question: Question, expect: Expectation | None) -> SizeSet:
    """The sizes of a partition of `domain` at which the first spatial output has the expected or the input's size.

    Where no set says at which sizes of a region that is so, these are left out; see `with_known_restores`.
    """
    found = [
        (region.sizes, _restores(region.outcome.outputs, question, expect)) for region in regions if region.outcome.ok
    ]
    parts = [_meeting(sizes, condition) for sizes, condition in found]
    if all(part is sizes for part, (sizes, _) in zip(parts, found, strict=True)):
        return running(domain, regions)
    return union(domain.symbols, [part for part in parts if part is not None]).coalesced()


def with_known_restores(
    regions: Sequence[Region], question: Question, expect: Expectation | None
) -> tuple[Region, ...]:
    """The regions; not proved are those of which no set says where they restore."""

    def is_told(region: Region) -> bool:
        return _meeting(region.sizes, _restores(region.outcome.outputs, question, expect)) is not None

    why = "at which sizes the output is as large as the input: sizes are multiplied in it"
    return tuple(
        replace(region, how=How.SAMPLED, why=why)
        if region.outcome.ok and region.how is How.PROVED and not is_told(region)
        else region
        for region in regions
    )


def _meeting(sizes: SizeSet, condition: Condition) -> SizeSet | None:
    """The sizes that meet a condition, the set itself where all do; None where they cannot be told."""
    with suppress(SolverError), limited(_MOST_STEPS):
        try:
            if condition == TRUE or not sizes & SizeSet.where(sizes.symbols, negate(condition)):
                return sizes
            return sizes & SizeSet.where(sizes.symbols, condition)
        except Undecidable:
            with suppress(Undecidable):
                return sizes.meeting(condition)
    return None


def is_restored(
    outputs: Sequence[TensorShape], question: Question, expect: Expectation | None, sizes: Mapping[str, int]
) -> bool:
    """Whether outputs of known shapes are as wanted where the symbols have `sizes`."""
    return _restores(outputs, question, expect).holds(sizes)


def _restores(outputs: Sequence[TensorShape], question: Question, expect: Expectation | None) -> Condition:
    place = output_axes(outputs, question)
    if expect is not None:
        at = expect.output if expect.output is not None else place[0] if place else 0
        shape = outputs[at] if at < len(outputs) else TensorShape(())
        return _as_expected(shape, expect)
    if place is None:
        return FALSE
    dims = outputs[place[0]].dims
    pairs = zip((dims[axis] for axis in place[1]), question.target, strict=True)
    return all_of(equal(as_function(dim), wanted) for dim, wanted in pairs)


def _as_expected(shape: TensorShape, expect: Expectation) -> Condition:
    dims = shape.dims[len(shape.dims) - len(expect.dims) :] if expect.leading else shape.dims
    if len(dims) != len(expect.dims):
        return FALSE
    return all_of(equal(as_function(dim), w) for dim, w in zip(dims, expect.dims, strict=True) if w is not None)


def asks_for_input_size(expect: Expectation, question: Question, sizes: Mapping[str, int]) -> bool:
    """Whether the last dimensions that are expected are the input's spatial size, or left open."""
    target = size_at(question.target, sizes)
    wanted = expect.dims[-len(target) :] if target else ()
    return len(wanted) == len(target) and all(
        dim is None or dim.value(sizes) == size for dim, size in zip(wanted, target, strict=True)
    )


def intent(region: Region | None, graph: ShapeGraph, question: Question, expect: Expectation | None) -> Intent:
    """Whether the model, as its run in a region shows it, is meant to restore."""
    undone = [pair for pair in transform_pairs(graph) if pair.taken in question.target]
    stride = _with_steps(total_stride(graph, len(question.axes)), undone, question)
    place = None if region is None else output_axes(region.outcome.outputs, question)
    if expect is not None:
        at, axes = place or (0, ())
        return Intent(True, f"the output is to have the expected shape {expect}", stride, at, axes, str(expect))
    if region is None or place is None:
        return Intent(False, "", stride)
    if not (undone or goes_down_and_up(graph, region.sizes, question)):
        return _without_steps(graph, region.outcome.outputs[place[0]], question, Intent(False, "", stride, *place))
    shape = before_crops(graph, place[0], region.outcome.outputs[place[0]])
    dims = [as_function(shape.dims[axis]) for axis in place[1]]
    pairs = list(zip(dims, question.target, strict=True))
    pinned = all(not dim.symbols() for dim in dims) and _is_pinned(region, place[0], question)
    slopes = [slope_of(dim, question.symbols) / (slope_of(w, question.symbols) or 1) for dim, w in pairs]
    odd = odd_slope(graph, place[0], slopes)
    if odd is not None and not pinned:
        down, up = totals(graph, place[0], len(slopes))[slopes.index(odd)]
        both = f"the sizes go down by {down} and up by {up}"
        return Intent(True, f"{both}, so the output is meant as large as the input", stride, *place)
    if not (pinned or all(slope == 1 for slope in slopes)) or (pinned and _is_as_another_input(dims, question)):
        return _without_steps(graph, region.outcome.outputs[place[0]], question, Intent(False, "", stride, *place))
    slack = [max(s, regrown(graph, w)) for (_, w), s in zip(pairs, stride, strict=True)]
    if pinned and _is_of_a_latent_map(graph, region.outcome.outputs[place[0]], place, question):
        slack = [each + 1 for each in slack]
    near = all_of(at_least(dim + constant(s), w.plus(1)) for (dim, w), s in zip(pairs, slack, strict=True))
    if not _meeting(region.sizes, near):
        return Intent(False, "", stride)
    why = "the sizes go down and up again"
    if undone:
        names = (each.operation.removeprefix("fft_") for each in (undone[-1].inverse, undone[-1].forward))
        why = "`{}` undoes `{}`".format(*names)
    return Intent(True, f"{why}, so the output is meant as large as the input", stride, *place)


def _is_pinned(region: Region, output: int, question: Question) -> bool:
    """Whether a region has no end of sizes, but for those at which a view gives other than a row of each sample."""
    if region.sizes.finite or 0 in question.axes:
        return region.sizes.finite
    taken, given = (as_function(shape.dims[0]) for shape in (question.led, region.outcome.outputs[output]))
    apart = _meeting(region.sizes, equal(given, taken)) if given.symbols() - taken.symbols() else None
    return apart is not None and bool(apart) and apart.finite


def _without_steps(graph: ShapeGraph, given: TensorShape, question: Question, meaning: Intent) -> Intent:
    """What is meant of a model that goes one way: its input's size where the layers that undo it lack their steps."""
    lacking = lacking_steps(graph, question.led.dims, given.dims)
    if lacking is None:
        return Intent(False, "", meaning.stride)
    return replace(meaning, meant=True, why=f"{lacking[1]}, so the output is meant as large as the input")


def _is_of_a_latent_map(
    graph: ShapeGraph, shape: TensorShape, place: tuple[int, tuple[int, ...]], question: Question
) -> bool:
    """Whether a picture is made, by as many steps as one was taken down by, and of as many channels: that it is a whole
    step smaller comes of a latent map that is a row too small.
    """
    axis, own = min(question.axes, default=0), min(place[1], default=0)
    steps = totals(graph, place[0], len(place[1]))
    if len(steps) < _PICTURE or not axis or not own or any(down != up or down == 1 for down, up in steps):
        return False
    taken, given = as_function(question.led.dims[axis - 1]), as_function(shape.dims[own - 1])
    return taken == given and taken.constant is not None


def _is_as_another_input(dims: Sequence[Function], question: Question) -> bool:
    """Whether an output of fixed size has that of another input than the one that is followed, and not that one's."""
    given, followed = size_at(dims, question.first), size_at(question.target, question.first)
    others = [each.dims[-len(dims) :] for each in question.inputs.tensors() if len(each.dims) >= len(dims)]
    return given != followed and any(size_at(each, question.first) == given for each in others)


def _with_steps(stride: tuple[int, ...], undone: Sequence[TransformPair], question: Question) -> tuple[int, ...]:
    """The total stride with what transforms that are undone keep only multiples of."""
    steps = ([pair.step for pair in undone if pair.taken == dim and not pair.rest] for dim in question.target)
    return tuple(lcm(step, *more) for step, more in zip(stride, steps, strict=True))


def multiples(question: Question, stride: Sequence[int]) -> SizeSet:
    """The sizes whose every spatial axis is a multiple of the total stride."""
    parts: list[Condition] = []
    for dim, step in zip(question.target, stride, strict=True):
        parts.append(equal(dim, dim.floor_divide(step).times(step)))
    return question.domain & SizeSet.where(question.symbols, all_of(parts))


def same_remainder(question: Question, stride: Sequence[int], sizes: Mapping[str, int]) -> SizeSet:
    """The sizes that leave the same remainders by the total stride as some sizes do."""
    parts: list[Condition] = []
    for dim, step in zip(question.target, stride, strict=True):
        rest = dim.value(sizes) % step
        parts.append(equal(dim, dim.floor_divide(step).times(step).plus(rest)))
    return question.domain & SizeSet.where(question.symbols, all_of(parts))
