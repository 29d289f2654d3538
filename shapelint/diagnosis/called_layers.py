"""Pools, resizes and convolutions that a model calls as functions, as the layers that do the same.

`F.max_pool2d(x, 2)` in `forward` is one layer, whatever module runs it. It has a name that no module has, which a trial
takes for the path of the layer whose argument it changes, and an edit for the call in which to write the number. Of a
convolution these are the numbers that the call has, not the kernel, which its weight has. One whose numbers are
attributes is that of a module of the user's own, and known by its path.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from shapelint.edit.origin import is_literal
from shapelint.facts.diagnosis import called_on
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.source.ownership import installed
from shapelint.source.span import Span
from shapelint.source.syntax import call_at, given

_PAD = "pad"
_KINDS = {
    "max_pool": "MaxPool",
    "avg_pool": "AvgPool",
    "interpolate": "Upsample",
    "conv_transpose": "ConvTranspose",
    "conv": "Conv",
}
_NUMBERS = {"stride": 3, "padding": 4, "dilation": 5}


def with_called_layers(graph: ShapeGraph) -> ShapeGraph:
    """The graph, in which each call of such a function is one of a layer of its own."""
    called = called_layers(graph)
    named = {place: name for name, place in called.items()}

    def layer(node: Node) -> Node:
        name = named.get(node.place) if node.place is not None and _kind(node) else None
        return node if name is None else replace(node, module=name, call=1, kind=_kind(node), built=node.place)

    return replace(graph, nodes=tuple(map(layer, graph.nodes))) if called else graph


def called_layers(graph: ShapeGraph) -> dict[str, Span]:
    """The calls of such functions, and of `pad`, in the source by their names; of several alike in one line none."""
    calls: dict[str, set[Span]] = {}
    for node in graph.nodes:
        if node.place is not None and (node.operation == _PAD or node.operation.startswith(tuple(_KINDS))):
            name = called_on(node.operation, node.place.line)
            own = _kind(node) or (node.operation == _PAD and _PAD not in node.kind.lower())
            calls.setdefault(name, set()).add(node.place if own else Span(node.place.file, 0, 0, 0, 0))
    alone = {name: places.pop() for name, places in calls.items() if len(places) == 1}
    return {name: place for name, place in alone.items() if call_at(place) is not None and not installed(place.file)}


def _kind(node: Node) -> str:
    """The layer that does what a call of a function does; "" for other calls, and those that a layer makes."""
    kind = next((kind for name, kind in _KINDS.items() if node.operation.startswith(name)), "")
    if not kind or not node.inputs or not _is_called(node):
        return ""
    return kind if node.parameter("kernel_size") or node.parameter("scale_factor") else ""


def _is_called(node: Node) -> bool:
    """Whether a call in the source is that of a function, by its name; of a convolution with numbers alone."""
    call = call_at(node.place)
    if call is None:
        return False
    owner, name = call.func, ast.unparse(call.func).rpartition(".")[2]
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    of_module = isinstance(owner, ast.Name) and owner.id == "self"
    known = name == node.operation.removesuffix("_with_indices")
    if of_module or not (known or (name == "upsample" and node.operation == "interpolate")):
        return False
    if not node.operation.startswith("conv"):
        return True
    listed = (given(call, each, position) for each, position in _NUMBERS.items())
    return all(each is None or is_literal(each) for each in listed)
