"""Whether a layer gives just so many times what it takes, and the padding and the kernel with which it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shapelint.diagnosis.layer_groups import Group, same_value
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.passage import CUTTING
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph


def evenly_padded(group: Group) -> Iterator[Change]:
    """Half of the reach as padding, and the kernel that the padding is half the reach of; of a layer that shrinks the
    kernel only where half of the reach is no padding at all.
    """
    node = group[0]
    kernel, padding, dilation = (node.parameter(name) for name in ("kernel_size", "padding", "dilation"))
    if kernel is None or padding is None or dilation is None or any(factor > 1 for factor in node.factor):
        return
    half = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    whole = tuple(2 * p // d + 1 for p, d in zip(padding, dilation, strict=True))
    changes = [("padding", padding, half), ("kernel_size", kernel, whole)]
    if any(factor != 1 for factor in node.factor):
        changes = changes[:1] if all(half) else changes[1:]
    for parameter, given, value in changes:
        if value != given:
            yield Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))


def is_even(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> bool:
    """Whether a layer, alone or with what pads its input or crops its output, gives just so many times what it takes;
    down to less than a stride.
    """
    source, given = graph.nodes[node.inputs[0]], spatial_size(graph, node, sizes)
    alone = source.shapes[0].value(dict(sizes))[-node.spatial :] if source.shapes else ()
    if any(gives_as_many(taken, given, node) for taken in (spatial_size(graph, node, sizes, out=False), alone)):
        return True
    after = [each for each in graph.nodes[node.index + 1 :] if node.index in each.inputs]
    if len(after) != 1 or after[0].operation not in CUTTING or not after[0].shapes:
        return False
    return gives_as_many(alone, after[0].shapes[0].value(dict(sizes))[-node.spatial :], node)


def gives_as_many(taken: Sequence[int], given: Sequence[int], node: Node) -> bool:
    """Whether a size is just so many times another one as a layer's factor says, or rounded by less than one."""
    axes = zip(taken, given, node.factor, strict=False)
    return len(taken) == len(given) and all(abs(n * factor - m) < 1 for n, m, factor in axes)
