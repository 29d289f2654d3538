"""Turns a recorded run into plain frozen data, and into a torch.fx graph for those who want one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch

from shapelint.caches import kept
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.size.number import plain
from shapelint.source.ownership import file_of, installed, module_of
from shapelint.source.span import CallSite, Span
from shapelint.trace.branch import frozen_shape
from shapelint.trace.recording.record import Record
from shapelint.trace.run import Run


def freeze(run: Run, module: torch.nn.Module, built: Mapping[str, Span]) -> ShapeGraph:
    """The run's calls with symbolic shapes; `built` tells where each layer was constructed."""
    kinds = {name: type(part).__name__ for name, part in module.named_modules()}
    types = {type(part) for part in module.modules()}
    layers = {each.__name__ for each in types if _is_layer(each)}
    none: dict[str, Span] = {}
    places = (built if kinds.get(record.module) in layers else none for record in run.records)
    records = zip(run.records, places, strict=True)
    nodes = tuple(_node(index, record, kinds, known) for index, (record, known) in enumerate(records))
    inputs = tuple(index for index, record in enumerate(run.records) if record.name == "input")
    return ShapeGraph(nodes, inputs, run.output_nodes, dict(run.sizes))


_FRAMES = (torch.nn.Module, torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict)


def _is_layer(kind: type[torch.nn.Module]) -> bool:
    """Whether a class is one of torch's layers, derived from one, or a package's: its arguments are at fault, or the
    call of it; and not its code, as in a class of the user's own.
    """
    if installed(file_of(sys.modules.get(module_of(kind))) or ""):
        return True
    return any(module_of(base).startswith("torch.nn") and base not in _FRAMES for base in kind.__mro__)


def _node(index: int, record: Record, kinds: Mapping[str, str], built: Mapping[str, Span]) -> Node:
    return Node(
        index=index,
        operation=record.name,
        module=record.module,
        call=record.call,
        inputs=record.inputs,
        shapes=tuple(map(frozen_shape, record.outputs)),
        place=None if record.place is None else span_of(record.place),
        built=built.get(record.module),
        kind=kinds.get(record.module, ""),
        spatial=record.spatial,
        factor=record.factor,
        parameters=tuple((name, tuple(map(plain, value))) for name, value in record.parameters.items()),
        taken=record.taken,
    )


CONVOLUTIONS: list[type[torch.nn.Module]] = [torch.nn.modules.conv._ConvNd]
"""The classes of convolutions, which have their arguments per axis as attributes."""


def convolution_layers(module: torch.nn.Module) -> list[tuple[str, str, dict[str, tuple[int, ...]]]]:
    """Path, class and arguments per axis of every convolution and transposed convolution in a module."""
    keys = ("kernel_size", "stride", "dilation", "output_padding")
    return [
        (name, type(part).__name__, {key: tuple(getattr(part, key)) for key in keys})
        for name, part in module.named_modules()
        if isinstance(part, tuple(CONVOLUTIONS))
    ]


def span_of(call: CallSite) -> Span:
    """The span of a call site, found once."""
    return _span_of(call, call.code.co_filename)


@kept(16384)
def _span_of(call: CallSite, _file: str) -> Span:
    """Equal code of two files is one key to a cache, so the file is a part of it."""
    return call.span()


def fx_graph(run: Run) -> torch.fx.Graph:
    """The run as a torch.fx.Graph of function calls; `node.meta["shapes"]` holds the symbolic output shapes."""
    graph = torch.fx.Graph()
    made: dict[int, torch.fx.Node] = {}
    for record in run.records:
        if record.name == "input":
            node = graph.placeholder(f"input_{len(made)}")
        else:
            node = graph.call_function(record.function, _referred(graph, made, record.arguments),
                                       dict(_referred(graph, made, dict(record.keywords))))  # fmt: skip
        node.meta.update(shapes=tuple(map(frozen_shape, record.outputs)), module=record.module, call=record.call)
        if record.place is not None:
            node.meta["place"] = span_of(record.place)
        _remember(graph, made, record.result, node)
    return graph


def _remember(graph: torch.fx.Graph, made: dict[int, torch.fx.Node], result: Any, node: torch.fx.Node) -> None:
    if isinstance(result, torch.Tensor):
        made[id(result)] = node
    elif isinstance(result, (tuple, list)):
        for index, part in enumerate(result):
            if isinstance(part, torch.Tensor):
                made[id(part)] = graph.call_function(_item, (node, index))


def _item(parts: Any, index: int) -> Any:
    return parts[index]


def _referred(graph: torch.fx.Graph, made: dict[int, torch.fx.Node], tree: Any) -> Any:
    """The arguments with tensors replaced by the nodes that made them; constants become attributes."""
    if isinstance(tree, torch.Tensor):
        if id(tree) not in made:
            made[id(tree)] = graph.create_node("get_attr", f"constant_{len(made)}")
        return made[id(tree)]
    if isinstance(tree, dict):
        return {key: _referred(graph, made, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(_referred(graph, made, part) for part in tree)
    return tree
