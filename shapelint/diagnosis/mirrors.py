"""Arguments of layers that undo each other, each as the other one has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from shapelint.diagnosis.layer_groups import LOWEST, Group, may_set, same_value
from shapelint.diagnosis.pairs import mirrored_pairs
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph


def unlike_what_they_undo(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Strides of layers, each as that of a layer which it undoes, or which undoes it, has it: one with an equal kernel,
    or where as many calls grow as shrink, the first that shrinks for the last that grows.
    """
    reached = graph.reached() if graph.outputs else range(len(graph.nodes))
    scaling = [node for node in graph.nodes if node.index in reached and any(each != 1 for each in node.factor)]
    downs, ups = ([node for node in scaling if (min(node.factor) < 1) is shrinks] for shrinks in (True, False))
    mirrored = list(zip(downs, reversed(ups), strict=False)) if len(downs) == len(ups) else []
    shrinking, growing = (
        [each[0] for each in groups if ("transpose" in each[0].operation) is up] for up in (False, True)
    )
    both = ((one, two) for one in shrinking for two in growing)
    mirrored += [(one, two) for one, two in both if one.parameter("kernel_size") == two.parameter("kernel_size")]
    known = {group[0].module: group for group in groups}
    for pair in mirrored:
        for node, other in (pair, reversed(pair)):
            given, value = node.parameter("stride"), other.parameter("stride")
            if other.operation == "pixel_shuffle":
                value = tuple(int(each) for each in other.factor)
            if node.module in known and given and value and given != value and len(given) == len(value):
                alike = same_value(known[node.module], "stride", given)
                yield Change(node.module, "stride", given, value, node.built, alike)


def not_growing(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Transposed layers of stride 1, with the stride by which the model goes down most often."""
    factors = (node.factor for node in graph.nodes if node.factor)
    downs = Counter(factor for factor in factors if 0 < min(factor) < 1 >= max(factor))
    for factor, _ in downs.most_common(1):
        stride = tuple(round(1 / each) for each in factor)
        for group in groups:
            given = group[0].parameter("stride")
            if group[0].operation.startswith("conv_transpose") and given == (1,) * len(stride):
                alike = same_value(group, "stride", given)
                yield Change(group[0].module, "stride", given, stride, group[0].built, alike)


def unlike_their_mirrors(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> Iterator[Change]:
    """The arguments in which the two layers of a pair differ, each as the other has it."""
    known = {group[0].module: group for group in groups}
    for pair in mirrored_pairs(graph, sizes):
        layers = [graph.nodes[index] for index in (*pair.down_nodes, *pair.up_nodes)]
        if len(layers) == 2 and all(layer.module in known for layer in layers):
            for change in chain(as_in(layers[0], layers[1]), as_in(layers[1], layers[0])):
                alike = same_value(known[change.module], change.parameter, change.given)
                yield replace(change, alike=alike)


def as_in(layer: Node, other: Node) -> Iterator[Change]:
    """The arguments of a layer as another one has them."""
    for name in LOWEST:
        given, value = layer.parameter(name), other.parameter(name)
        if given is not None and value is not None and given != value and may_set(layer, name, value):
            yield Change(layer.module, name, given, value, layer.built)
