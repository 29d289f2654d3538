"""The one layer with another number for one axis than for the next, where all other layers have one for all axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapelint.diagnosis.layer_groups import LOWEST, Group, is_pool, may_set, same_value
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph

_NAMES = ("kernel_size", "stride", "padding", "dilation")


def uneven_axes_changes(graph: ShapeGraph, groups: Sequence[Group]) -> list[Change]:
    """That argument with one of its numbers for all axes, the one of the layers like it first; [] where several calls
    tell axes apart. A convolution along one axis alone, or without padding along one, is built so on purpose.
    """
    uneven = [node for node in graph.nodes if _is_uneven(node)]
    if len({node.built or node.place for node in uneven}) != 1:
        return []
    found = next((group for group in groups if group[0].module == uneven[0].module), None)
    names = [] if found is None else [name for name in _NAMES if len(set(found[0].parameter(name) or ())) > 1]
    if found is None or len(names) != 1 or _is_of_one_axis(found[0], names[0]):
        return []
    return list(_changes(found, groups, names[0]))


def _is_of_one_axis(node: Node, name: str) -> bool:
    least = {"kernel_size": 1, "padding": 0}.get(name)
    return not is_pool(node) and least in (node.parameter(name) or ())


def _is_uneven(node: Node) -> bool:
    """Whether a call has numbers that are not the same for all axes."""
    listed = [node.parameter(name) or () for name in _NAMES]
    return any(len(set(each)) > 1 for each in listed) or len(set(node.factor)) > 1


def _changes(group: Group, groups: Sequence[Group], name: str) -> Iterator[Change]:
    node, given = group[0], group[0].parameter(name) or ()
    others = [each.parameter(name) for each, *_ in groups if each.operation == node.operation and each is not node]
    values = [(value,) * len(given) for value in dict.fromkeys(given) if value >= LOWEST[name]]
    for value in sorted(values, key=lambda each: -others.count(each)):
        if value in others and (is_pool(node) or may_set(node, name, value)):
            yield Change(node.module, name, given, value, node.built, same_value(group, name, given))
