"""The one layer of a model that gives another size than its place in the model asks for.

A strided layer gives a part of what it takes and a transposed one so many times that; other convolutions are padded by
`(k - 1) // 2` to keep the size. A model whose layers all do so gives a multiple of its input's size, or a part of it.
Where a single one does not, and one argument of it puts that right, it is at fault. Layers that are made to take off
or add what they do are let be: see `odd_layers.py` and `misshapen.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from operator import eq

from shapelint.diagnosis.called_layers import with_called_layers
from shapelint.diagnosis.candidates import (
    ends_scaling,
    evening,
    lone_twins,
    odd_ones_out,
    stepped_changes,
    twins,
    unlike_the_others_of,
)
from shapelint.diagnosis.case import Case
from shapelint.diagnosis.changed_intent import Meant, as_the_others, scale_of, scaled
from shapelint.diagnosis.chosen_sizes import is_chosen
from shapelint.diagnosis.evenness import evenly_padded
from shapelint.diagnosis.hidden_levels import leaves_no_hidden_level, level_changes
from shapelint.diagnosis.intent import multiples
from shapelint.diagnosis.late_strides import late_strides
from shapelint.diagnosis.layer_groups import LOWEST, Group, layer_groups, resizes
from shapelint.diagnosis.misshapen import lone_kernels, misshapen_changes, unlike_their_siblings
from shapelint.diagnosis.odd_layers import LATENT, is_beyond, is_within, may_be_meant, uneven_group
from shapelint.diagnosis.scale import goes_down_and_up, is_shrinking_chain
from shapelint.diagnosis.shown_run import ShownRun, given_along
from shapelint.diagnosis.single_change import first_that, restores_at
from shapelint.diagnosis.steps import lone_steps, shrinks_late
from shapelint.diagnosis.unequal_totals import equalling_changes, is_power, mirroring_changes, overstepping_changes
from shapelint.diagnosis.unlike_padding import added_rows, meant_of_rows, missing_rows
from shapelint.diagnosis.whole_parts import (
    meant_but_for_a_mirrored_text,
    meant_but_for_a_text,
    meant_but_for_an_axis,
)
from shapelint.facts.analysis import Intent
from shapelint.facts.contract import Region
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import ShapeGraph, size_at
from shapelint.request.question import Question
from shapelint.size.function import as_function
from shapelint.source.span import Span
from shapelint.source.syntax import written
from shapelint.trace.explore import Exploration

_LARGE = 64
_FAR = 1 << 12
Sizes = Mapping[str, int]


def meant_but_for_a_layer(
    explored: Exploration,
    graph: ShapeGraph,
    region: Region,
    question: Question,
    meaning: Intent,
    built: Mapping[str, Span],
) -> Meant:
    """What is meant of a model that does not give its input's size back as it is, where one layer is why.

    That is the input's size, or a multiple or a part of it, or what layers that are alike make of it, which then is
    what is expected.
    """
    graph = with_called_layers(graph)
    groups = tuple(_convolutions(explored, graph, built))
    shown = ShownRun(explored, graph, region, question, meaning, groups, built)
    sure, found = meant_but_for_an_axis(shown) or meant_but_for_a_mirrored_text(shown), None
    if sure is None and (found := _meant_but_for_an_odd_layer(shown)) is not None:
        return found, None
    ways = (
        lambda _: sure,
        _meant_but_for_a_misshapen_layer,
        _meant_but_for_an_uneven_layer,
        _meant_but_for_a_step,
        meant_but_for_a_text,
        meant_of_rows,
    )
    return next((each for each in (way(shown) for way in ways) if each is not None), (meaning, None))


def _meant_but_for_an_uneven_layer(shown: ShownRun) -> Meant | None:
    """What is meant of the first output that one uneven layer makes another size than it should have."""
    return next((found for place in shown.places if (found := _uneven_at(shown, place)) is not None), None)


def _uneven_at(shown: ShownRun, place: tuple[int, tuple[int, ...]]) -> Meant | None:
    """The multiple of the input's size, or the part of it, that an output is meant to have but for one layer.

    A part is meant only where the sizes go down and up again: a head that ends a way down may take rows off. A model
    that is one chain of layers, some of which shrink, gives its input's size back or what is not known.
    """
    graph, region, question = shown.graph, shown.region, shown.question
    large = max([_LARGE, *(8 * step for step in shown.meaning.stride)])
    sizes = (multiples(question, shown.meaning.stride) & region.sizes).example(large) or question.first
    if question.first not in region.sizes:
        return None
    dims = shown.dims(place)
    scale = [scale_of(dim, wanted, question) for dim, wanted in zip(dims, question.target, strict=True)]
    part = any(each < 1 for each in scale)
    whole = all(1 in (each.numerator, each.denominator) for each in scale)
    if any(each != 1 for each in scale) and is_shrinking_chain(graph):
        return None
    if not whole or (part and not goes_down_and_up(graph, region.sizes, question)):
        return None
    tried = [sizes] if part else [sizes, question.first]
    wanted = [tuple(each * dim.value(at) for each, dim in zip(scale, question.target, strict=True)) for at in tried]
    given = [size_at(dims, at) for at in (*tried, question.first)]
    if given[-1] == size_at(question.target, question.first) or any(map(eq, given, wanted)):
        return None

    def works(trial: Exploration) -> bool:
        return [given_along(trial, place, at) for at in tried] == wanted and bool(
            given_along(trial, place, question.first)
        )

    group = uneven_group(graph, shown.groups, sizes)
    if group is None or may_be_meant(graph, group[0], shown.groups, question, sizes):
        return None
    change = first_that(shown.explored, _changes_of(graph, group, shown.groups), works)
    return None if change is None else scaled(shown, change, scale, place)


def _meant_but_for_a_misshapen_layer(shown: ShownRun) -> Meant | None:
    """The size that the output has where the one misshapen layer is like the others, or keeps its size as they do.

    Of a fixed size, or made of a latent map, it is then one that people choose; else it may be meant.
    """
    question, first = shown.question, shown.question.first
    place = shown.place or shown.fixed_place
    if question.asked is None or first not in shown.region.sizes or place is None:
        return None
    given = size_at(shown.dims(place), first)
    if given == size_at(question.target, first):
        return None
    steps = _steps(shown.explored, shown.graph, shown.built) if shown.place else []
    levels = level_changes(shown.graph, steps, question.symbols)
    level = first_that(shown.explored, levels, lambda trial: leaves_no_hidden_level(trial, first))
    if level is not None:
        return as_the_others(shown, level, place)
    taken = size_at(question.target, first) if shown.place else ()
    changes = misshapen_changes(shown.graph, shown.groups, first, given) or lone_kernels(shown.graph, shown.groups)
    changes = changes or (unlike_their_siblings(shown.graph, shown.groups, first) if shown.place else [])
    changes = changes or added_rows(shown.graph, shown.groups, first)
    changes = changes or missing_rows(shown.graph, shown.groups, first, given)
    whole = bool(taken) and not any(size % side for size, side in zip(given, taken, strict=True))
    changes = changes or late_strides(shown.graph, shown.groups, first, whole=whole)
    if not whole:
        changes = changes or lone_steps(shown.graph, shown.groups)

    def works(trial: Exploration) -> bool:
        made = given_along(trial, place, first)
        return made not in ((), given) and (min(taken, default=0) >= LATENT or is_chosen(made, by_one=True))

    change = first_that(shown.explored, changes, works)
    return None if change is None else as_the_others(shown, change, place)


def _meant_but_for_a_step(shown: ShownRun) -> Meant | None:
    """The input's size, where the output has as many channels and one layer that steps otherwise than all others makes
    it a part or a multiple.
    """
    question, place, graph, first = shown.question, shown.place, shown.graph, shown.question.first
    if question.asked is None or place is None or first not in shown.region.sizes or not graph.inputs:
        return None
    made = shown.region.outcome.outputs[place[0]].dims
    ahead = [(question.led.dims, min(question.axes, default=0)), (made, min(place[1], default=0))]
    channels = [as_function(dims[axis - 1]) for dims, axis in ahead if axis]
    given, wanted = size_at(shown.dims(place), first), size_at(question.target, first)
    if len(channels) < 2 or channels[0] != channels[1] or channels[0].constant is None or given == wanted:
        return None
    ends = graph.inputs[question.lead], graph.outputs[place[0]]
    steps = _steps(shown.explored, graph, shown.built)
    equalling = equalling_changes(graph, steps, ends, grows=max(given) > max(wanted))
    sure = chain(overstepping_changes(graph, shown.groups), mirroring_changes(graph, shown.groups, ends))
    changes = chain(sure, (each for each in equalling if not is_power(each)))
    change = first_that(shown.explored, changes, lambda trial: restores_at(trial, question, None, first))
    return None if change is None else scaled(shown, change, [Fraction(1)] * len(place[1]), place)


def _meant_but_for_an_odd_layer(shown: ShownRun) -> Intent | None:
    """What is meant of a model that goes down and up again and gives back some other size, where one argument of one
    layer, other than in the layers like it or in the one that it mirrors, is why.

    A size that is a whole part of the input's, or so many times the input's, is meant so.
    """
    graph, region, question, place = shown.graph, shown.region, shown.question, shown.place
    stride = shown.meaning.stride
    whole = multiples(question, stride) & region.sizes
    first = question.first if question.first in region.sizes else None
    sizes = whole.example(max(stride, default=8)) or first
    if place is None or sizes is None or not goes_down_and_up(graph, region.sizes, question):
        return None
    dims = shown.dims(place)
    far = {name: _FAR * size for name, size in sizes.items()}  # where a few rows more or less are no whole part
    if far and not any(dim.symbols() for dim in dims) and region.sizes.at_least(far):
        return None  # no argument makes a map of a fixed size one that follows the input's
    parts = [Fraction(dim.value(far), wanted.value(far)) for dim, wanted in zip(dims, question.target, strict=True)]
    if all(1 in (part.numerator, part.denominator) for part in parts):
        return None
    slopes = [scale_of(dim, wanted, question) for dim, wanted in zip(dims, question.target, strict=True)]
    tried, enough = [each for each in (question.first, sizes) if each in region.sizes], any
    if first is not None and any(slope > 1 == slope.denominator for slope in slopes):
        farther = {name: size + _FAR * max(stride, default=1) for name, size in first.items()}
        tried, enough = [first, farther], all  # at a few sizes of a map that grows, the size may come back by chance
    odd = unlike_the_others_of(graph, shown.groups, sizes)
    change = first_that(
        shown.explored, odd, lambda trial: enough(restores_at(trial, question, None, each) for each in tried)
    )
    if change is None:
        return None
    text = f"`{change.parameter}={written(change.value)}` in `{change.module}`"
    why = f"with {text}, as in the layers like it, the output is as large as the input"
    return Intent(True, why, stride, *place, change=change)


def even_change(case: Case, graph: ShapeGraph | None, focus: Sizes, *, beyond: bool = False) -> Change | None:
    """The change with which the output is right at the focus: the one that shows what is meant, or one of the one
    uneven layer. With `beyond` only of a layer that no `output_padding` of its own makes up for.
    """
    if graph is None or not case.intent.meant:
        return None
    graph = with_called_layers(graph)
    changes = [] if case.intent.change is None else [case.intent.change]
    groups = _convolutions(case.explored, graph, case.built)
    if not beyond and _is_beyond_output_padding(case, graph, focus):
        changes += [each for each in lone_twins(groups) if each.parameter in LOWEST and not ends_scaling(each)]
    group = uneven_group(graph, groups, focus)
    odd = [] if group else [each for each in misshapen_changes(graph, groups, focus) if each.parameter in LOWEST]
    node = group[0] if group else next((each for each, *_ in groups if odd and each.module == odd[0].module), None)
    if node is not None and beyond:
        changes = [*odd, *(_changes_of(graph, group, groups) if group else ())]
        changes = changes if is_beyond(graph, node, focus) else []
    elif group is not None and not may_be_meant(graph, group[0], groups, case.question, focus):
        changes += twins(group, groups) if is_within(graph, group[0], focus) else _changes_of(graph, group, groups)
    elif node is not None and is_beyond(graph, node, focus):
        changes += odd
    at = case.intent.output
    if not beyond and case.expect is None and at < len(graph.outputs) and graph.outputs[at] >= 0 and graph.inputs:
        ends = graph.inputs[case.question.lead], graph.outputs[at]
        changes += equalling_changes(graph, _steps(case.explored, graph, case.built), ends, grows=False)
    return first_that(case.explored, changes, lambda trial: restores_at(trial, case.question, case.expect, focus))


def _is_beyond_output_padding(case: Case, graph: ShapeGraph, focus: Sizes) -> bool:
    """Whether the output has more rows than the input on some axis, so that no row was lost in a pair, or lacks more
    of them than the `output_padding` of all transposed layers could add.
    """
    at, axes = case.intent.output, case.intent.axes
    node = graph.nodes[graph.outputs[at]] if at < len(graph.outputs) and graph.outputs[at] >= 0 else None
    if node is None or not node.shapes or case.expect is not None:
        return False
    given, wanted = node.shapes[0].value(dict(focus)), size_at(case.question.target, focus)
    missing = [size - given[axis] for axis, size in zip(axes, wanted, strict=False) if axis < len(given)]
    return any(rows < 0 for rows in missing) or max(missing, default=0) > _most_added(graph)


def _most_added(graph: ShapeGraph) -> Fraction:
    """The rows that the `output_padding` of all transposed layers could add to the output, at most."""
    most, growth = Fraction(0), Fraction(1)
    for node in reversed(graph.nodes):
        steps = node.parameter("stride") or (1,)
        if node.operation.startswith("conv_transpose"):
            most += growth * (max(steps) - 1)
        growth *= max((*node.factor, Fraction(1)))
    return most


def _convolutions(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Group]:
    return [each for each in layer_groups(explored, graph, built) if each[0].operation.startswith("conv")]


def _steps(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Group]:
    """The layers that may step down or up, with the modules that resize."""
    return [*((node, (), ()) for node in resizes(explored, graph, built)), *layer_groups(explored, graph, built)]


def _changes_of(graph: ShapeGraph, group: Group, groups: Sequence[Group]) -> Iterator[Change]:
    """The changes of one uneven layer, the likeliest first."""
    node = group[0]
    alone = [each for each in odd_ones_out(groups) if each.module == node.module]
    same = evenly_padded(group)
    first = any(each < 1 for each in node.factor) or not any(node.parameter("padding") or ())
    yield from (each for each in twins(group, groups) if not shrinks_late(graph, node, each))
    if max(node.factor, default=1) > 1:
        yield from evening(group, [each[0] for each in groups if each[0].operation == node.operation])
    yield from (*same, *alone) if first else (*alone, *same)
    steps = (each for each in stepped_changes(graph, groups) if each.module == node.module)
    grows = any(each > 1 for each in node.factor)
    yield from (each for each in steps if grows or (each.parameter == "kernel_size" and min(each.value) > 1))
