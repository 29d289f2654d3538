"""An `output_size` that a transposed layer cannot give: which sizes it can, and the layer that took one of them."""

from __future__ import annotations

from collections.abc import Mapping

from shapelint.facts.diagnosis import RefusedSize
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import Node, ShapeGraph


def refused_size(
    graph: ShapeGraph, node: Node | None, failure: Failure | None, focus: Mapping[str, int]
) -> RefusedSize | None:
    """What was asked of the last call and what it can give; None where a run ends otherwise."""
    if node is None or failure is None or failure.kind is not Kind.OUTPUT_SIZE:
        return None
    asked, least, most = (node.parameter(name) or () for name in ("output_size", "smallest", "largest"))
    mirror = _mirror(graph, node)
    took = () if mirror is None else graph.nodes[mirror.inputs[0]].shapes[0].value(dict(focus))[-node.spatial :]
    fits = bool(took) and all(low <= size <= high for low, size, high in zip(least, took, most, strict=True))
    return RefusedSize(node, asked, least, most, mirror if fits else None, took if fits else ())


def _mirror(graph: ShapeGraph, up: Node) -> Node | None:
    """The last call on the way that goes down and that no call after it goes up from."""
    closed, node = 0, up
    while node.inputs:
        node = graph.nodes[max(node.inputs)]
        if not node.factor or not node.inputs:
            continue
        if all(each < 1 for each in node.factor):
            if not closed:
                return node
            closed -= 1
        elif all(each > 1 for each in node.factor):
            closed += 1
    return None
