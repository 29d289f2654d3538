"""A layer of padding, such as `ReflectionPad2d(1)`, or a call of `F.pad` with plain numbers, that does not add what the
convolution behind it takes off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapelint.diagnosis.called_layers import called_layers
from shapelint.diagnosis.odd_layers import reach_of
from shapelint.edit.origin import is_literal
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.source.span import Span
from shapelint.source.syntax import call_at, given
from shapelint.trace.explore import Exploration

Sides = tuple[int, ...]


def padding_changes(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> Iterator[Change]:
    """For each such layer ahead of a convolution of stride 1 the padding with which that keeps its size: as much on
    both sides, of which one may have it already, or all on the one that is padded. Where another convolution keeps its
    size behind as much padding of the same kind, it is the kernel that is at fault.
    """
    pairs = [(node, layer) for node in graph.nodes if (layer := _padded(graph, node)) is not None]
    even = [(node, layer) for node, layer in pairs if _sides(node) == _wanted(_sides(node), reach_of(layer))]
    fitting = {(node.kind, _sides(node)) for node, _ in even}
    kernels = {layer.parameter("kernel_size") for _, layer in even}
    called = {place: name for name, place in called_layers(graph).items()}
    for node, layer in pairs:
        sides = _sides(node)
        value = _wanted(sides, reach_of(layer))
        meant = (node.kind, sides) not in fitting or layer.parameter("kernel_size") in kernels
        if value and value != sides and meant:
            alike = _built_with(explored, node, built, sides)
            name = node.module if _is_layer(node) else called.get(node.place) if node.place is not None else None
            if name is not None:
                yield Change(name, "padding", sides, value, node.built if _is_layer(node) else node.place, alike)


def _padded(graph: ShapeGraph, node: Node) -> Node | None:
    """The one convolution behind a layer of padding, which has none of its own and the stride 1; None for others."""
    if node.operation != "pad" or not (_is_layer(node) or _is_written(node)):
        return None
    users = [each for each in graph.nodes if node.index in each.inputs]
    layer = users[0] if len(users) == 1 else None
    plain = layer is not None and layer.operation.startswith("conv") and "transpose" not in layer.operation
    if layer is None or not plain or set(layer.factor) != {1} or any(layer.parameter("padding") or ()):
        return None
    return layer if len(_sides(node)) == 2 * len(layer.factor) else None


def _is_layer(node: Node) -> bool:
    return "Pad" in node.kind and node.built is not None


def _is_written(node: Node) -> bool:
    """Whether a call of `F.pad` has its numbers in the call."""
    call = None if "Pad" in node.kind else call_at(node.place)
    numbers = None if call is None else given(call, "pad", 1)
    return numbers is not None and is_literal(numbers)


def _sides(node: Node) -> Sides:
    return node.parameter("pad") or ()


def _wanted(sides: Sides, reach: tuple[int, ...]) -> Sides:
    """What adds as many rows as a kernel takes off, on the sides that are padded, the last axis first; () for none."""
    found: list[int] = []
    for before, after, rows in zip(sides[0::2], sides[1::2], reversed(reach), strict=False):
        if before + after == rows:
            found += before, after
        elif rows % 2 == 0 and (before == after or (before and after and rows // 2 in (before, after))):
            found += rows // 2, rows // 2
        elif before == 0 or after == 0:
            found += (rows, 0) if after == 0 else (0, rows)
        else:
            return ()
    return tuple(found) if len(found) == len(sides) else ()


def _built_with(explored: Exploration, node: Node, built: Mapping[str, Span], sides: Sides) -> tuple[str, ...]:
    """The other layers of padding that the same call built with as much."""
    names: list[str] = []
    if not _is_layer(node):
        return ()
    for name, part in explored.subject.module.named_modules():
        padding: Any = getattr(part, "padding", None)
        if name != node.module and padding == sides and built.get(name) == node.built:
            names.append(name)
    return tuple(names)
