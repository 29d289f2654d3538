"""The one convolution that shrinks what grew before it: a layer of a decoder that keeps its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapelint.diagnosis.candidates import changed, is_whole, twins
from shapelint.diagnosis.layer_groups import Group, same_value
from shapelint.diagnosis.misshapen import is_made_good
from shapelint.diagnosis.odd_layers import reach_of
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.steps import is_grown
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph

_SEVERAL = 2
Sizes = Mapping[str, int]


def late_strides(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes, *, whole: bool) -> list[Change]:
    """The stride of that convolution, with which it keeps its size.

    In a generator it is as that of another one like it in all else, but for outputs that are a `whole` multiple of the
    input, which may be meant; where a way down comes first, others grow too, what it takes goes nowhere else, as the
    levels of a pyramid do, and what it gives is joined to nothing of that size.
    """
    reached = graph.reached()
    shrinking = [node for node in graph.nodes if node.index in reached and any(each < 1 for each in node.factor)]
    late = [node for node in shrinking if is_grown(graph, node)]
    if not late or len({node.built or node.place for node in late}) > 1:
        return []
    found = [each for each in groups if each[0].module == late[0].module]
    if late == shrinking:
        return [
            change
            for group in ([] if whole else found)
            for change in twins(group, groups)
            if change.parameter == "stride" and set(change.value) == {1} and is_whole(changed(group[0], change))
        ]
    growing = [node for node in graph.nodes if node.index in reached and max(node.factor, default=1) > 1]
    users = [node for node in graph.nodes if late[0].inputs[0] in node.inputs]
    if len(late) > 1 or len(growing) < _SEVERAL or len(users) > 1 or late[0].inputs[0] in graph.outputs:
        return []
    made = [
        Change(node.module, "stride", stride, (1,) * len(stride), node.built, same_value(group, "stride", stride))
        for group in found
        for node, stride in [(group[0], group[0].parameter("stride") or ())]
    ]
    kept = [each for each in made if _keeps_its_size(graph, changed(late[0], each), sizes)]
    return [] if is_made_good(graph, late[0], sizes) else kept


def _keeps_its_size(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a convolution of stride 1 gives as many rows as it takes, or as the layer of padding ahead of it does."""
    if is_whole(node):
        return True
    pad, padding = graph.nodes[node.inputs[0]], node.parameter("padding") or ()
    before = spatial_size(graph, node, sizes, out=False)
    after = pad.shapes[0].value(dict(sizes))[-node.spatial :]
    added = [two - one + 2 * p for one, two, p in zip(before, after, padding, strict=False)]
    return pad.operation == "pad" and tuple(added) == reach_of(node)
