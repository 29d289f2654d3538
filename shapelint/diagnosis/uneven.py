"""The one layer of a model that gives another size than its place in the model asks for.

A strided layer gives a part of what it takes and a transposed one so many times that; other convolutions are padded by
`(k - 1) // 2` to keep the size. A model whose layers all do so gives a multiple of its input's size, or a part of it.
Where a single one does not, and one argument of it puts that right, it is at fault. Layers that are made to take off
or add what they do are let be: see `_is_meant`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import eq

from shapelint.diagnosis.candidates import odd_ones_out, stepped_changes, unlike_the_others_of
from shapelint.diagnosis.case import Case
from shapelint.diagnosis.evenness import evenly_padded, is_even
from shapelint.diagnosis.intent import multiples, output_axes
from shapelint.diagnosis.layer_groups import Group, layer_groups
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.scale import goes_down_and_up, slope_of
from shapelint.diagnosis.single_change import first_that, restores_at
from shapelint.facts.analysis import Intent
from shapelint.facts.contract import Region
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph, size_at
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.size.function import Function, as_function
from shapelint.source.span import Span
from shapelint.source.syntax import written
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.run import overriding

_LATENT, _LARGE = 8, 64
_FAR = 1 << 12
Sizes = Mapping[str, int]


def meant_but_for_a_layer(
    explored: Exploration,
    graph: ShapeGraph,
    region: Region,
    question: Question,
    meaning: Intent,
    built: Mapping[str, Span],
) -> tuple[Intent, Expectation | None]:
    """What is meant of a model that does not give its input's size back as it is, where one layer is why.

    That is the input's size, or a multiple or a part of it, which then is what is expected.
    """
    groups = _convolutions(explored, graph, built)
    found = _meant_but_for_an_odd_layer(explored, graph, region, question, meaning, groups)
    if found is not None:
        return found, None
    return _meant_but_for_an_uneven_layer(explored, graph, region, question, meaning, groups) or (meaning, None)


def _meant_but_for_an_uneven_layer(
    explored: Exploration,
    graph: ShapeGraph,
    region: Region,
    question: Question,
    meaning: Intent,
    groups: Sequence[Group],
) -> tuple[Intent, Expectation | None] | None:
    """The multiple of the input's size, or the part of it, that the output is meant to have but for one layer.

    A part is meant only where the sizes go down and up again: a head that ends a way down may take rows off. A model
    that is one chain of layers, some of which shrink, gives its input's size back or what is not known.
    """
    place = output_axes(region.outcome.outputs, question)
    large = max([_LARGE, *(8 * step for step in meaning.stride)])
    sizes = (multiples(question, meaning.stride) & region.sizes).example(large) or question.first
    if place is None or question.first not in region.sizes:
        return None
    dims = [as_function(region.outcome.outputs[place[0]].dims[axis]) for axis in place[1]]
    scale = [_scale(dim, wanted, question) for dim, wanted in zip(dims, question.target, strict=True)]
    part = any(each < 1 for each in scale)
    whole = all(1 in (each.numerator, each.denominator) for each in scale)
    if any(each != 1 for each in scale) and _is_shrinking_chain(graph):
        return None
    if not whole or (part and not goes_down_and_up(graph, region.sizes, question)):
        return None
    tried = [sizes] if part else [sizes, question.first]
    wanted = [tuple(each * dim.value(at) for each, dim in zip(scale, question.target, strict=True)) for at in tried]
    given = [size_at(dims, at) for at in (*tried, question.first)]
    if given[-1] == size_at(question.target, question.first) or any(map(eq, given, wanted)):
        return None

    def works(trial: Exploration) -> bool:
        return [_given(trial, place, at) for at in tried] == wanted and bool(_given(trial, place, question.first))

    group = _uneven(graph, groups, sizes)
    meant = group is None or _may_be_meant(graph, group[0], groups, question, sizes)
    change = None if group is None or meant else first_that(explored, _changes_of(graph, group, groups), works)
    meaning = replace(meaning, output=place[0], axes=place[1])
    return None if change is None else _scaled(explored, change, question, scale, meaning)


def _meant_but_for_an_odd_layer(
    explored: Exploration,
    graph: ShapeGraph,
    region: Region,
    question: Question,
    meaning: Intent,
    groups: Sequence[Group],
) -> Intent | None:
    """What is meant of a model that goes down and up again and gives back some other size, where one argument of one
    layer, other than in the layers like it or in the one that it mirrors, is why.

    A size that is a whole part of the input's, or so many times the input's, is meant so.
    """
    place = output_axes(region.outcome.outputs, question)
    whole = multiples(question, meaning.stride) & region.sizes
    first = question.first if question.first in region.sizes else None
    sizes = whole.example(max(meaning.stride, default=8)) or first
    if place is None or sizes is None or not goes_down_and_up(graph, region.sizes, question):
        return None
    dims = [as_function(region.outcome.outputs[place[0]].dims[axis]) for axis in place[1]]
    far = {name: _FAR * size for name, size in sizes.items()}  # where a few rows more or less are no whole part
    parts = [Fraction(dim.value(far), wanted.value(far)) for dim, wanted in zip(dims, question.target, strict=True)]
    if all(1 in (part.numerator, part.denominator) for part in parts):
        return None
    tried = [each for each in (question.first, sizes) if each in region.sizes]
    odd = unlike_the_others_of(graph, groups, sizes)
    change = first_that(explored, odd, lambda trial: any(restores_at(trial, question, None, each) for each in tried))
    if change is None:
        return None
    text = f"`{change.parameter}={written(change.value)}` in `{change.module}`"
    why = f"with {text}, as in the layers like it, the output is as large as the input"
    return Intent(True, why, meaning.stride, *place, change=change)


def even_change(case: Case, graph: ShapeGraph | None, focus: Sizes, *, beyond: bool = False) -> Change | None:
    """The change with which the output is right at the focus: the one that shows what is meant, or one of the one
    uneven layer. With `beyond` only of a layer that no `output_padding` of its own makes up for.
    """
    if graph is None or not case.intent.meant:
        return None
    changes = [] if case.intent.change is None else [case.intent.change]
    groups = _convolutions(case.explored, graph, case.built)
    group = _uneven(graph, groups, focus)
    if group is not None and beyond:
        changes = [*_changes_of(graph, group, groups)] if _is_beyond(graph, group[0], focus) else []
    elif group is not None and not _may_be_meant(graph, group[0], groups, case.question, focus):
        changes += _changes_of(graph, group, groups)
    return first_that(case.explored, changes, lambda trial: restores_at(trial, case.question, case.expect, focus))


def _convolutions(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Group]:
    return [each for each in layer_groups(explored, graph, built) if each[0].operation.startswith("conv")]


def _is_shrinking_chain(graph: ShapeGraph) -> bool:
    """Whether no calls on the way to an output join what two of them gave, and some layer shrinks."""
    nodes = [graph.nodes[index] for index in graph.reached()]
    single = all(len(set(node.inputs)) <= 1 for node in nodes)
    return single and any("pool" in node.operation or min(node.factor, default=1) < 1 for node in nodes)


def _scale(dim: Function, wanted: Function, question: Question) -> Fraction:
    """How much faster than the input's size a dimension grows; 0 where it does not depend on it."""
    return slope_of(dim, question.symbols) / (slope_of(wanted, question.symbols) or 1)


def _given(trial: Exploration, place: tuple[int, tuple[int, ...]], sizes: Sizes) -> tuple[int, ...]:
    """The size of the output along the axes that are compared; () where the model raises."""
    run = trial.run(sizes, symbolic=False)
    if run.failure is not None or run.error is not None or place[0] >= len(run.outputs):
        return ()
    shape = frozen_shape(run.outputs[place[0]]).value(dict(sizes))
    return tuple(shape[axis] for axis in place[1])


def _scaled(
    explored: Exploration, change: Change, question: Question, scale: Sequence[Fraction], meaning: Intent
) -> tuple[Intent, Expectation | None]:
    """The intent, and the size expected: the multiple, or where it is a part what the changed model gives."""
    text = f"with `{change.parameter}={written(change.value)}` in `{change.module}`, which the layers around it fit"
    if all(each == 1 for each in scale):
        why = f"{text}, the output is as large as the input"
        return replace(meaning, meant=True, why=why, change=change), None
    values = dict.fromkeys((change.module, *change.alike), change.value)
    trial = Exploration(explored.subject, explored.domain, overriding(values, change.parameter))
    shape = frozen_shape(trial.run(question.first, symbolic=True).outputs[meaning.output])
    dims: list[Function | None] = [None] * len(shape.dims)
    for axis in meaning.axes:
        dims[axis] = as_function(shape.dims[axis])
    times = " by ".join(dict.fromkeys(map(str, scale))) + (" times" if max(scale) > 1 else " of")
    why = f"{text}, the output has {times} the input's size"
    meant = replace(
        meaning,
        meant=True,
        why=why,
        scale=times,
        change=change,
        wanted=tuple(as_function(shape.dims[axis]) for axis in meaning.axes),
    )
    return meant, Expectation(tuple(dims), leading=False, text="")


def _uneven(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes) -> Group | None:
    """The one layer that gives another size than its factor makes of what it takes; None where there are more."""
    uneven = [node for node in _layers(graph) if not is_even(graph, node, sizes)]
    places = {node.built or node.place for node in uneven}
    if len(places) != 1:
        return None
    return next((each for each in groups if each[0].module == uneven[0].module), None)


def _changes_of(graph: ShapeGraph, group: Group, groups: Sequence[Group]) -> Iterator[Change]:
    """The changes of one uneven layer, the likeliest first."""
    node = group[0]
    alone = [each for each in odd_ones_out(groups) if each.module == node.module]
    same = evenly_padded(group)
    first = any(each < 1 for each in node.factor) or not any(node.parameter("padding") or ())
    yield from (*same, *alone) if first else (*alone, *same)
    steps = (each for each in stepped_changes(graph, groups) if each.module == node.module)
    grows = any(each > 1 for each in node.factor)
    yield from (each for each in steps if grows or (each.parameter == "kernel_size" and min(each.value) > 1))


def _is_beyond(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a transposed layer that multiplies misses its multiple by what no `output_padding` of it makes up for."""
    stride, own = node.parameter("stride") or (), node.parameter("output_padding") or ()
    if max(node.factor, default=0) <= 1 or not own:
        return False
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    missing = [s * n - m + p for s, n, m, p in zip(stride, taken, given, own, strict=True)]
    return any(not 0 <= rows < s for rows, s in zip(missing, stride, strict=True))


def _layers(graph: ShapeGraph) -> list[Node]:
    """The convolutions and pools that an output is made of."""
    reached = graph.reached()
    windows = [node for node in graph.nodes if node.parameter("kernel_size") and node.index in reached]
    return [node for node in windows if node.spatial and node.inputs and node.shapes]


def _may_be_meant(graph: ShapeGraph, node: Node, groups: Sequence[Group], question: Question, sizes: Sizes) -> bool:
    """Whether an uneven layer may be meant so, or the layers around it are too few to tell.

    - Two other layers with a kernel, at least, are even; and nothing is known of latent maps of a few rows.
    - A transposed layer that multiplies is compared with two others that do; another one may make 7 rows of 4.
    - A layer that shrinks is padded too much, by more than half of its reach, and not too little.
    - A convolution without padding may take off what was there for it, or all of an axis: it is no such one where a
      layer with its kernel is padded; two of them, where it is the first one with a kernel. A layer of padding ahead
      of it is there for it.
    """
    if _is_padded_by_a_layer(graph, node, sizes):
        return False
    others = [each[0] for each in groups if each[0].built != node.built and _reach(each[0])]
    even = [each for each in others if is_even(graph, each, sizes)]
    if len({each.module for each in even}) < 2 or min(question.first.values(), default=0) < _LATENT:
        return True
    alike = [each for each in even if each.operation == node.operation]
    padding, reach = node.parameter("padding") or (), _reach(node)
    if "transpose" in node.operation:
        growing = {each.module for each in alike if max(each.factor, default=0) > 1}
        return max(node.factor) == 1 or len(growing) < 2 or question.asked is None
    if any(factor < 1 for factor in node.factor):
        return any(2 * p <= r for p, r in zip(padding, reach, strict=True))
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    wrong = [axis for axis, (one, two) in enumerate(zip(taken, given, strict=True)) if one != two]
    if any(padding[axis] for axis in wrong):
        return False
    padded = {each.module for each in alike if _reach(each) == reach and any(each.parameter("padding") or ())}
    above = {each.index for each in graph.ancestors(node)} - {node.index}
    inner = any(each.index in above for each in others)
    return any(reach[axis] >= taken[axis] - 1 for axis in wrong) or len(padded) < (1 if inner else 2)


def _is_padded_by_a_layer(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a convolution of stride 1 without padding takes what a layer such as `ReflectionPad2d` gives, and all
    axes whose size it changes are padded there.
    """
    pad = graph.nodes[node.inputs[0]]
    own = any(node.parameter("padding") or ())
    if pad.operation != "pad" or "Pad" not in pad.kind or set(node.factor) != {1} or own:
        return False
    padded, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    between = pad.shapes[0].value(dict(sizes))[-node.spatial :]
    return all(one == two or one < here for one, here, two in zip(padded, between, given, strict=True))


def _reach(node: Node) -> tuple[int, ...]:
    """How many rows more than one a layer's window spans, per axis; () for one row, or no window."""
    kernel, dilation = node.parameter("kernel_size") or (), node.parameter("dilation") or ()
    reach = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=False))
    return reach if any(reach) else ()
