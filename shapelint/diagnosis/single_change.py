"""Looks for the one argument of one layer that, changed a little, gives the output the size that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from shapelint.diagnosis.called_layers import with_called_layers
from shapelint.diagnosis.candidates import (
    evened,
    fits_the_others,
    has_majority,
    likely_changes,
    makes_unlike,
    odd_strides,
    spoils,
    stepped_changes,
    twins,
    uneven_layers,
    unlike_the_others_of,
)
from shapelint.diagnosis.case import Case
from shapelint.diagnosis.intent import is_restored, output_axes
from shapelint.diagnosis.layer_groups import Group, is_handed_on, layer_groups, legal_values, resizes, rounded_changes
from shapelint.diagnosis.padding_layers import padding_changes
from shapelint.diagnosis.scale import before_crops, total_stride
from shapelint.diagnosis.soundness import sound_meaning
from shapelint.diagnosis.steps import (
    loses_its_window,
    resized_changes,
    scales_alone,
    sees_padding_alone,
    shortcut_changes,
    strides_over,
)
from shapelint.diagnosis.uneven_axes import uneven_axes_changes
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph, size_at
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.trace.branch import frozen_shape
from shapelint.trace.budget import Budget
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze
from shapelint.trace.run import overriding

_CALLS, _SECONDS = 40_000, 8.0
_LEAST_KERNEL, _SURPLUS = 2, 8


def single_change(
    case: Case, graph: ShapeGraph, focus: Mapping[str, int], preferred: Iterable[Change] = (), suspect: str = ""
) -> Change | None:
    """The change of one layer's argument that is right at the focus, seen in a run: of the layer `suspect`, else
    of an odd one out, else one of the preferred, else the smallest of kernel, padding or stride; of a layer whose own
    size is a whole part or multiple of what it takes, no such one: it would be made to mend what is not its fault.

    A module that only calls a function has no such argument.
    """
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)
    likely = list(likely_changes(graph, groups, focus))
    stepped = list(stepped_changes(graph, groups))
    first = [change for change in (*evened(groups), *stepped) if change.module == suspect]
    layers = {node.module for node, *_ in groups}
    wished = [each for each in preferred if each.module in layers and not spoils(groups, each)]
    uneven = uneven_layers(graph, groups, focus)
    unpadded = [each for each in likely if each.parameter == "padding" and spoils(groups, each)]
    spoiling = [each for each in unpadded if not has_majority(groups, each)]
    likely = [each for each in likely if each not in spoiling]
    known = chain(first, likely, wished, (each for each in stepped if each.module in uneven), spoiling)
    return first_that(case.explored, known, lambda trial: restores_at(trial, case.question, case.expect, focus))


def sound_change(
    case: Case, graph: ShapeGraph, focus: Mapping[str, int], *, restoring: bool, alone: bool = True,
    factor: bool = False,
) -> Change | None:  # fmt: skip
    """The change of one argument with which a model that raises does what its author would accept.

    With `restoring` it must be meant to give its input's size back, and do so: a layer that takes features of one size
    is no sign of a wrong argument elsewhere. So must it where the layer is then none that gives a whole part of what it
    takes, as those like it do. Where not `alone`, no layer is made unlike those that are like it; where a `factor` is
    missed, none is given a step that no other has, and no rows are taken or added: a layer that gives the join its map
    comes first. A resize by another step than all others have comes before all, and where a shortcut lacks the stride
    of the way beside it nothing else is changed.
    """
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)
    uneven = uneven_layers(graph, groups, focus)
    stepped = sorted(stepped_changes(graph, groups), key=lambda change: change.module not in uneven)
    known = chain(likely_changes(graph, groups, focus), stepped)
    tried = [each for each in known if _may_be_tried(groups, each, alone=alone, factor=factor)]
    tried = _joined_first(tried, graph, case.failing(graph)) if factor else tried
    resized = resized_changes(graph, resizes(case.explored, graph, case.built))

    def works(trial: Exploration, *, restoring: bool = restoring) -> bool:
        run = trial.run(focus, symbolic=False)
        if run.failure is not None or run.error is not None:
            return False
        meaning = sound_meaning(trial, case.question, case.expect, focus)
        return meaning is not None and (meaning.meant or not restoring)

    fitting = (each for each in tried if fits_the_others(groups, each))
    shortcuts = list(shortcut_changes(graph, groups))
    if shortcuts:
        return first_that(case.explored, shortcuts, works)
    found = first_that(case.explored, chain(resized, fitting), works)
    if found is not None:
        return found
    odd = [each for each in tried if not fits_the_others(groups, each)]
    return first_that(case.explored, odd, lambda trial: works(trial, restoring=True))


def _joined_first(changes: list[Change], graph: ShapeGraph, join: Node | None) -> list[Change]:
    """The changes, of those of strides first the ones of layers that give a join its maps: the last on each way."""
    found = set()
    for node in () if join is None else (graph.nodes[index] for index in join.inputs):
        while not node.parameter("kernel_size") and len(node.inputs) == 1:
            node = graph.nodes[node.inputs[0]]
        found.add(node.module)
    return sorted(changes, key=lambda change: change.parameter == "stride" and change.module not in found)


def _may_be_tried(groups: Sequence[Group], change: Change, *, alone: bool, factor: bool) -> bool:
    """Whether a change makes no layer what it is not built to be, as `sound_change` says; a stride that a helper is
    handed, and with it all layers that are handed the same, is not 1.
    """
    node = next((each for each, *_ in groups if each.module == change.module), None)
    idle = change.parameter == "stride" and set(change.value) == {1} and bool(change.alike)
    if idle and node is not None and is_handed_on(node, "stride"):
        return False
    odd = strides_over(groups, change) or loses_its_window(groups, change) or sees_padding_alone(groups, change)
    odd = odd or (change.parameter == "kernel_size" and set(change.given) == {1} and spoils(groups, change))
    return not (odd or (factor and scales_alone(groups, change))) and (alone or not makes_unlike(groups, change))


def stride_at_fault(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The stride of a layer that steps over rows, or as no other does, with which the model is right at the focus."""
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)

    return first_that(case.explored, odd_strides(graph, groups), lambda trial: _is_right(case, trial, focus))


def padding_at_fault(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The layer of padding that does not add what the convolution behind it takes off, where the model is right at the
    focus with one that does.
    """
    changes = padding_changes(case.explored, graph, case.built)
    return first_that(case.explored, changes, lambda trial: _is_right(case, trial, focus))


def axis_at_fault(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The argument of the one layer that has another number for one axis than for the next, where the model is right at
    the focus with one number.
    """
    changes = uneven_axes_changes(graph, layer_groups(case.explored, graph, case.built))
    return first_that(case.explored, changes, lambda trial: _is_right(case, trial, focus))


def _is_right(case: Case, trial: Exploration, focus: Mapping[str, int]) -> bool:
    if case.intent.meant:
        return restores_at(trial, case.question, case.expect, focus)
    return case.solver.sound(trial, focus)


def legal_change(case: Case, graph: ShapeGraph, node: Node, focus: Mapping[str, int]) -> Change | None:
    """The change that makes the `output_padding` of a layer that refuses it legal: the sound change of a model that is
    meant to restore, else that of the one argument in which the layer differs from another one. First of all only the
    axes that are illegal get a value.
    """
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)
    legal = legal_values(next((each for each in groups if each[0].module == node.module), None))

    def restores(trial: Exploration) -> bool:
        meaning = sound_meaning(trial, case.question, case.expect, focus)
        return meaning is not None and meaning.meant

    restoring = first_that(case.explored, legal, restores) or sound_change(case, graph, focus, restoring=True)
    if restoring is not None or case.intent.meant:
        return restoring
    alike = (change for group in groups if group[0].module == node.module for change in twins(group, groups))
    return first_that(case.explored, alike, lambda trial: trial.run(focus, symbolic=False).failure is None)


def rounding_change(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The pool that, rounding the other way, makes the model right at the focus and takes no size away."""
    contract = case.contract
    before = contract.restores if case.intent.meant else contract.runs

    def works(trial: Exploration) -> bool:
        if (
            not restores_at(trial, case.question, case.expect, focus)
            if case.intent.meant
            else not case.solver.sound(trial, focus)
        ):
            return False
        found = case.solver.explored_with(trial.overrides, focus)
        return before <= found.right and contract.runs <= found.runs

    return first_that(
        case.explored, rounded_changes(layer_groups(case.explored, with_called_layers(graph), case.built)), works
    )


def unlike_the_others(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The change of an argument that one layer has otherwise than those like it, or its mirror, that is right at the
    focus; of layers whose own size is no whole part or multiple of what they take.
    """
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)
    uneven = uneven_layers(graph, groups, focus)
    changes = [each for each in unlike_the_others_of(graph, groups, focus) if each.module in uneven]
    return first_that(case.explored, changes, lambda trial: restores_at(trial, case.question, case.expect, focus))


def unpadded_change(case: Case, graph: ShapeGraph, focus: Mapping[str, int], downs: Sequence[Node]) -> Change | None:
    """The padding with which a strided layer that a resize undoes gives a whole part of what it takes, where the model
    is right at the focus with that: any resize gives too little of a map that misses a row.
    """
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)
    lacking = {node.module for node in downs if "conv" in node.operation}
    changes = [each for each in evened(groups) if each.module in lacking and each.parameter == "padding"]
    return first_that(case.explored, changes, lambda trial: restores_at(trial, case.question, case.expect, focus))


def first_that(explored: Exploration, changes: Iterable[Change], works: Callable[[Exploration], bool]) -> Change | None:
    """The first of some changes with which a trial works, within a budget. The kernel of a convolution that is called
    as a function is the size of its weight, which no argument sets.
    """
    budget = Budget(calls=_CALLS, seconds=_SECONDS)
    for change in dict.fromkeys(changes):
        if change.parameter == "kernel_size" and not change.layer and change.module.startswith("conv"):
            continue
        if budget.spent():
            return None
        trial = Exploration(
            explored.subject, explored.domain, overriding(change.values, change.parameter), budget=budget
        )
        if works(trial):
            return change
    return None


def restores_at(trial: Exploration, question: Question, expect: Expectation | None, focus: Mapping[str, int]) -> bool:
    """Whether a trial gives at a size what is expected there, or the input's size, of which no crop hides a factor."""
    run = trial.run(focus, symbolic=False)
    shapes = tuple(map(frozen_shape, run.outputs))
    if run.failure is not None or not is_restored(shapes, question, expect, focus):
        return False
    place = None if expect is not None else output_axes(shapes, question)
    if place is None:
        return True
    graph = freeze(run, trial.subject.module, {})
    whole = before_crops(graph, place[0], shapes[place[0]]).value(dict(focus))
    pairs = zip((whole[axis] for axis in place[1]), size_at(question.target, focus), strict=True)
    most = max(total_stride(graph, len(place[1])), default=1)
    return all(size <= wanted + most + wanted // _SURPLUS for size, wanted in pairs)


def fitting_kernel(explored: Exploration, graph: ShapeGraph, node: Node, focus: Mapping[str, int]) -> Change | None:
    """The largest kernel that fits what a convolution gets, a square one for a square one, where the model runs with it
    at the focus.
    """
    kernel, padding, dilation = (node.parameter(name) for name in ("kernel_size", "padding", "dilation"))
    if kernel is None or padding is None or dilation is None or "Conv" not in node.kind or not node.inputs:
        return None
    taken = graph.nodes[node.inputs[0]].shapes[0].value(dict(focus))[-len(kernel) :]
    largest = tuple((n + 2 * p - 1) // d + 1 for n, p, d in zip(taken, padding, dilation, strict=True))
    value = tuple(map(min, kernel, largest))
    if len(set(kernel)) == 1:
        value = (min(value),) * len(value)
    change = Change(node.module, "kernel_size", kernel, value, node.built)
    if any(value < _LEAST_KERNEL for value in change.value):
        return None
    overrides = overriding({change.module: change.value}, change.parameter)
    run = Exploration(explored.subject, explored.domain, overrides).run(focus, symbolic=False)
    return change if run.failure is None else None
