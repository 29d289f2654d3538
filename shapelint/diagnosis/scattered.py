"""The one layer of a discriminator for which `view(-1, 1)` makes several rows of a sample; a view of several samples.

One that scores patches has as many rows as patches, and is let be. One whose last kernel spans all of the map that it
takes gives one score for each sample; padded as no other layer, or behind one unlike those that are like it, it gives
more. So does one that is the only one without padding, at a size for which it was not built.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from shapelint.diagnosis.candidates import changed, is_whole, twins
from shapelint.diagnosis.layer_groups import Group, arguments_of, layer_groups, same_value
from shapelint.diagnosis.odd_layers import reach_of
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.single_change import first_that
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.facts.samples import MixedSamples
from shapelint.request.question import Question
from shapelint.size.condition import all_of, equal
from shapelint.size.function import as_function, constant
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.source.syntax import call_at
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration

_VIEWS = frozenset({"view", "reshape", "flatten"})
_OTHERS = 2
Sizes = Mapping[str, int]


def scattered_samples(
    explored: Exploration, graph: ShapeGraph, question: Question, built: Mapping[str, Span]
) -> MixedSamples | None:
    """The asked size, where one changed layer would make one row of each sample; None where rows may be patches."""
    first = question.first
    view = _scattering(graph, first) if question.asked is not None and graph.sizes == first else None
    last = None if view is None else next((each for each in graph.ancestors(view) if each.spatial), None)
    if view is None or last is None:
        return None
    samples = _shape(graph.nodes[view.inputs[0]], first)[0]
    groups = layer_groups(explored, graph, built)

    def works(trial: Exploration) -> bool:
        run = trial.run(first, symbolic=False)
        runs = run.failure is None and run.error is None
        return runs and frozen_shape(run.outputs[0]).value(dict(first))[0] == samples

    change = first_that(explored, _changes(graph, groups, last, first), works)
    if change is None:
        return None
    maps = graph.nodes[view.inputs[0]]
    features = constant(prod(_shape(maps, first)[1:]))
    sizes, apart = SizeSet.point(question.symbols, first), SizeSet.empty(question.symbols)
    if change.parameter == "kernel_size":  # not built for the size: of others each sample has one score
        single = all_of(equal(as_function(dim), constant(1)) for dim in maps.shapes[0].dims[2:])
        apart = question.domain & SizeSet.where(question.symbols, single)
        sizes = question.domain - apart
    return MixedSamples(sizes, apart, view.operation, view.module, change.built, features, 1, "", change)


def stacked_samples(graph: ShapeGraph, question: Question) -> MixedSamples | None:
    """The asked size, where the view that makes an output puts several samples into a row, as `view(-1, 2)` does with
    the one score of each; None for other models.

    All its numbers are written in the call: a model that is given or computes how many go together does it on purpose,
    and so does one whose last, new axes hold one of them each, as the frames of a video, where no other output has a
    row of each.
    """
    if question.asked is None or graph.sizes != question.first:
        return None
    found = (_stacked(graph, question, index) for index in graph.outputs if index >= 0)
    return next((each for each in found if each is not None), None)


def _stacked(graph: ShapeGraph, question: Question, index: int) -> MixedSamples | None:
    first, made = question.first, _shape(graph.nodes[index], question.first)
    way = [node for node in graph.ancestors(graph.nodes[index]) if node.operation in _VIEWS and node.inputs]
    view = max(way, key=lambda node: node.index, default=None)
    taken = () if view is None else _shape(graph.nodes[view.inputs[0]], first)
    if view is None or _shape(view, first) != made or not _is_written(view):
        return None
    batch = as_function(question.led.dims[0]).value(first) if 0 not in question.axes else 0
    features, row = prod(taken[1:]), prod(made[1:])
    leading = {_shape(graph.nodes[each], first)[:1] for each in graph.outputs if each >= 0}
    whole = len(made) > len(taken) and any(prod(made[axis:]) == features for axis in range(2, len(made)))
    if taken[0] != batch or features >= row or row % features or (whole and (batch,) not in leading):
        return None
    sizes, nothing = SizeSet.point(question.symbols, first), SizeSet.empty(question.symbols)
    return MixedSamples(sizes, nothing, view.operation, view.module, view.place, constant(features), row, "")


def _is_written(view: Node) -> bool:
    """Whether a view is called with -1 for the rows and a number for each other axis."""
    call = call_at(view.place)
    numbers = [] if call is None else [ast.unparse(each) for each in call.args]
    return numbers[:1] == ["-1"] and all(each.isdigit() for each in numbers[1:])


def _scattering(graph: ShapeGraph, sizes: Sizes) -> Node | None:
    """The view that makes a row of each value of maps of one channel, where these rows are the output."""
    index = graph.outputs[0] if graph.outputs else -1
    while index >= 0:
        node = graph.nodes[index]
        taken = _shape(graph.nodes[node.inputs[0]], sizes) if node.inputs else ()
        made = _shape(node, sizes)
        if len(taken) > 2:
            single = taken[1] == 1 < prod(taken[2:]) and made[:1] == (prod(taken),) and prod(made[1:]) == 1
            return node if node.operation in _VIEWS and single else None
        index = node.inputs[0] if node.inputs else -1
    return None


def _changes(graph: ShapeGraph, groups: Sequence[Group], last: Node, sizes: Sizes) -> Iterator[Change]:
    """No padding for a last layer that spans all that it takes, where no other has its padding; what a layer has
    otherwise than others, which are alike and give a whole part of what they take as it does not: than one, where it is
    padded by more than any kernel like it reaches. A layer of stride 1 behind all strided ones scores patches.
    """
    strided = [each.index for each in graph.nodes if min(each.factor, default=1) < 1]
    for group in groups:
        node = group[0]
        padding, kernel = node.parameter("padding") or (), node.parameter("kernel_size")
        others = {each.parameter("padding") for each, *_ in groups if each.module != node.module}
        taken = spatial_size(graph, node, sizes, out=False)
        whole = kernel == taken
        even = not any(rows % 2 for rows in taken)
        if node.module == last.module and kernel is not None and _collapses(node, others) and even and not whole:
            yield Change(node.module, "kernel_size", kernel, taken, node.built)
        if node.module == last.module and any(padding) and whole and padding not in others:
            yield Change(node.module, "padding", padding, (0,) * len(padding), node.built)
        kinds = Counter(arguments_of(each) for each, *_ in groups if is_whole(each))
        beyond = any(2 * p > reach + 1 for p, reach in zip(padding, reach_of(node), strict=False))
        for change in () if is_whole(node) else twins(group, groups):
            alike = same_value(group, change.parameter, change.given)
            several = len(alike) >= _OTHERS  # all but the first layer or the last
            ends = change.parameter == "stride" and node.index > max(strided, default=-1) and not several
            if kinds[arguments_of(changed(node, change))] >= (1 if beyond or several else _OTHERS) and not ends:
                yield replace(change, alike=alike)


def _collapses(node: Node, others: Collection[tuple[int, ...] | None]) -> bool:
    """Whether a last layer makes one score of a whole map: the only one without padding, its kernel even as the map."""
    kernel, stride = node.parameter("kernel_size") or (1,), node.parameter("stride") or ()
    dense = max(stride, default=1) == 1 and not any(rows % 2 for rows in kernel)
    return dense and not any(node.parameter("padding") or ()) and all(each is None or any(each) for each in others)


def _shape(node: Node, sizes: Sizes) -> tuple[int, ...]:
    return tuple(as_function(dim).value(sizes) for dim in node.shapes[0].dims) if node.shapes else ()
