"""A join of maps of two levels that a crop makes fit, and the one step, unlike all others, with which none is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from shapelint.diagnosis.layer_groups import Group, is_pool, same_value, step_of, strides_by_kernel
from shapelint.diagnosis.scale import slope_of
from shapelint.diagnosis.steps import scales
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.size.function import as_function
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze

_JOINS = frozenset({"cat", "concat", "add", "mul", "__add__", "__mul__"})
_CROPS = frozenset({"__getitem__", "narrow", "pad"})
_LEAST = 2


def has_hidden_level(graph: ShapeGraph, symbols: Sequence[str]) -> bool:
    """Whether a join gets two maps of unlike levels, of which one is cropped to the other's size."""
    for node in graph.nodes:
        if node.operation in _JOINS and len(node.inputs) == _LEAST:
            own = [_before_crop(graph, graph.nodes[index]) for index in node.inputs]
            levels = {_levels(each, symbols) for each in own}
            joined = {_levels(graph.nodes[index], symbols) for index in node.inputs}
            if len(levels) > 1 and len(joined) == 1 and all(all(each) and each for each in levels):
                return True
    return False


def level_changes(graph: ShapeGraph, groups: Sequence[Group], symbols: Sequence[str]) -> list[Change]:
    """The step that all other calls have, for each layer whose step is another one, where a crop hides a level."""
    return list(_changes(graph, groups)) if has_hidden_level(graph, symbols) else []


def leaves_no_hidden_level(trial: Exploration, sizes: dict[str, int]) -> bool:
    """Whether a changed model runs and joins maps of one level only."""
    run = trial.run(sizes, symbolic=True)
    if run.failure is not None or run.error is not None:
        return False
    return not has_hidden_level(freeze(run, trial.subject.module, {}), trial.domain.symbols)


def _changes(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    for group in groups:
        node = group[0]
        own = {node.module, *group[2]}
        others = [each for each in graph.nodes if scales(each) and each.module not in own]
        steps = {step_of(factor) for each in others for factor in each.factor}
        parameter = "kernel_size" if is_pool(node) and strides_by_kernel(node) else "stride"
        given = node.parameter(parameter) or ()
        if len(steps) != 1 or len({each.index for each in others}) < _LEAST or not given or not node.factor:
            continue
        (step,) = steps
        may = is_pool(node) or scales(node) or "transpose" in node.operation
        if step.denominator == 1 and may and set(given) != {int(step)}:
            value = (int(step),) * len(given)
            yield Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))


def _before_crop(graph: ShapeGraph, node: Node) -> Node:
    while node.operation in _CROPS and node.inputs:
        node = graph.nodes[node.inputs[0]]
    return node


def _levels(node: Node, symbols: Sequence[str]) -> tuple[Fraction, ...]:
    """How fast the last axes of a map grow with the input; () for what has no such axes."""
    dims = node.shapes[0].dims if node.shapes else ()
    if len(dims) < len(symbols) + 2 or not symbols:
        return ()
    return tuple(slope_of(as_function(dim), tuple(symbols)) for dim in dims[-len(symbols) :])
