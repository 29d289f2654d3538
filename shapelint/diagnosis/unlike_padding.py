"""The one convolution of stride 1 whose padding is not half of its reach, where that of several like it is.

Beside `misshapen.py`: of models that only go down, of generators, and of detectors, whose outputs are rows of several
maps and have no axis that follows one of the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shapelint.diagnosis.called_layers import with_called_layers
from shapelint.diagnosis.candidates import changed, is_whole, twins
from shapelint.diagnosis.case import Case
from shapelint.diagnosis.changed_intent import Meant, made_by
from shapelint.diagnosis.chosen_sizes import is_chosen
from shapelint.diagnosis.layer_groups import Group, arguments_of, layer_groups
from shapelint.diagnosis.misshapen import is_made_good, misshapen_changes
from shapelint.diagnosis.odd_text import odd_step_changes, odd_text_changes
from shapelint.diagnosis.shown_run import ShownRun
from shapelint.diagnosis.single_change import first_that
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph, TensorShape
from shapelint.size.function import as_function
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.run import overriding

_SEVERAL, _AXES = 3, 2
Sizes = Mapping[str, int]


def added_rows(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes) -> list[Change]:
    """What makes the one convolution that adds rows like several that add none, in a model that only goes down.

    Where a kernel of another layer takes a row off at the same level, it is there for that.
    """
    calls = _of_stride_one(graph, groups)
    odd = [node for node in calls if _excess(node) and min(_excess(node)) >= 0 < max(_excess(node))]
    factors = [each for node in graph.nodes for each in node.factor]
    if len({node.built for node in odd}) != 1 or max(factors) > 1 or is_made_good(graph, odd[-1], sizes):
        return []
    taking = [node for node in calls if _excess(node) and min(_excess(node)) < 0]
    if any(_are_of_one_level(graph, node, odd[0]) for node in taking):
        return []
    return [change for group in _groups_of(groups, odd[:1]) for change in _as_several(group, groups)]


def missing_rows(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes, given: Sequence[int]) -> list[Change]:
    """The padding that several layers have, of the one convolution of a generator that has none, where nobody would
    choose the size `given` that the output has.
    """
    calls = _of_stride_one(graph, groups)
    odd = [node for node in calls if not any(node.parameter("padding") or (1,)) and any(_excess(node))]
    factors = [each for node in graph.nodes for each in node.factor]
    if len({node.built for node in odd}) != 1 or min(factors) < 1 or max(factors) <= 1:
        return []
    if is_chosen(given, by_one=False) or is_made_good(graph, odd[-1], sizes):
        return []
    found = (change for group in _groups_of(groups, odd[:1]) for change in _as_several(group, groups))
    return [each for each in found if each.parameter == "padding"]


def meant_of_rows(shown: ShownRun) -> Meant | None:
    """What is meant of a detector, whose outputs are rows of several maps, but for one layer: one that takes maps of
    several levels, or is built for each, and adds or loses rows; or any with which all outputs have as many rows.
    """
    first, shapes = shown.question.first, shown.region.outcome.outputs
    if shown.question.asked is None or first not in shown.region.sizes or not _are_rows(shapes):
        return None
    if shown.place or len(shown.question.axes) != _AXES:
        return None
    before = [shape.value(dict(first)) for shape in shapes]

    def made(trial: Exploration) -> list[tuple[int, ...]]:
        run = trial.run(first, symbolic=False)
        return [] if run.failure or run.error else [frozen_shape(each).value(dict(first)) for each in run.outputs]

    def equal(trial: Exploration) -> bool:
        rows = {shape[1] for shape in made(trial)}
        return len(rows) == 1 < len({shape[1] for shape in before})

    change = first_that(shown.explored, _keeping(shown.graph, shown.groups), equal)
    several = (
        each for each in misshapen_changes(shown.graph, shown.groups, first) if _is_of_several(shown.graph, each)
    )
    change = change or first_that(shown.explored, several, lambda trial: made(trial) not in ([], before))
    if change is None:
        groups = layer_groups(shown.explored, shown.graph, shown.built)
        odd = odd_text_changes(shown.graph, groups, first, rows=True) or odd_step_changes(shown.graph, groups, first)
        change = first_that(shown.explored, odd, lambda trial: made(trial) not in ([], before))
    if change is None:
        return None
    trial = Exploration(
        shown.explored.subject,
        shown.explored.domain,
        overriding(change.values, change.parameter),
    )
    at = next(index for index, shape in enumerate(made(trial)) if shape != before[index])
    return made_by(shown, change, (at, (1, 2)))


def unlike_several(case: Case, graph: ShapeGraph, focus: Sizes) -> Change | None:
    """The kernel or padding of a layer that gives no whole part or multiple, as several that do so have it, where the
    model is right at the focus with that.
    """
    graph = with_called_layers(graph)
    groups = layer_groups(case.explored, graph, case.built)
    changes = (change for group in groups if not is_whole(group[0]) for change in _as_several(group, groups))
    return first_that(case.explored, changes, lambda trial: case.solver.sound(trial, focus))


def _are_rows(shapes: Sequence[TensorShape]) -> bool:
    """Whether all outputs are rows, whose number is no size of one axis of the input but of whole maps."""
    rows = [as_function(shape.dims[1]) for shape in shapes if len(shape.dims) == _AXES + 1]
    return len(rows) == len(shapes) > 0 and all(len(each.symbols()) > 1 for each in rows)


def _is_of_several(graph: ShapeGraph, change: Change) -> bool:
    return len([node for node in graph.nodes if node.module in (change.module, *change.alike)]) > 1


def _keeping(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """The changes with which a convolution keeps its size as several others do."""
    for group in _groups_of(groups, [node for node in _of_stride_one(graph, groups) if any(_excess(node))]):
        yield from _as_several(group, groups)


def _of_stride_one(graph: ShapeGraph, groups: Sequence[Group]) -> list[Node]:
    """The calls of convolutions that step by one row and span several, behind no layer of padding."""
    reached, known = graph.reached(), {node.module for node, *_ in groups}
    return [
        node
        for node in graph.nodes
        if node.index in reached
        and node.module in known
        and node.operation.startswith("conv")
        and "transpose" not in node.operation
        and set(node.factor) == {1}
        and node.inputs
        and graph.nodes[node.inputs[0]].operation != "pad"
        and max(node.parameter("kernel_size") or (1,)) > 1
    ]


def _excess(node: Node) -> tuple[int, ...]:
    """By how many rows of each axis a convolution of stride 1 gives more than it takes; () where it pads by a word."""
    kernel, padding = node.parameter("kernel_size") or (), node.parameter("padding") or ()
    dilation = node.parameter("dilation") or (1,) * len(kernel)
    return tuple(2 * p - d * (k - 1) for p, d, k in zip(padding, dilation, kernel, strict=False))


def _groups_of(groups: Sequence[Group], nodes: Sequence[Node]) -> list[Group]:
    modules = {node.module for node in nodes}
    return [group for group in groups if group[0].module in modules]


def _as_several(group: Group, groups: Sequence[Group]) -> Iterator[Change]:
    """The changes of a layer's kernel or padding with which it is as several other ones that keep their size."""
    for change in twins(group, groups):
        made = changed(group[0], change)
        like = {node.module for node, *_ in groups if arguments_of(node) == arguments_of(made)} - {made.module}
        if change.parameter in ("kernel_size", "padding") and is_whole(made) and len(like) >= _SEVERAL:
            yield change


def _are_of_one_level(graph: ShapeGraph, node: Node, other: Node) -> bool:
    """Whether nothing is scaled between two calls."""
    first, last = sorted((node.index, other.index))
    return all(set(each.factor) <= {1} for each in graph.nodes[first:last])
