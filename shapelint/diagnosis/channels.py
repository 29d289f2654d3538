"""Finds the layers that get another number of channels or features than they were built for.

The first one ends a run. It is then mended, as if it had been built for what arrives, and the model runs again, until
nothing misfits any more: so a person learns of all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from shapelint.diagnosis.places import Places
from shapelint.facts.diagnosis import Misfit, Origin
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.source.span import Span
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze
from shapelint.trace.recording.record import Overrides
from shapelint.trace.run import overriding

_MOST = 24
_KINDS = (Kind.CHANNELS, Kind.MULTIPLE)
_JOINS = ("cat", "concat", "concatenate")
_SETTERS = ("conv", "linear", "input", "embedding", "lstm", "gru", "rnn", "matmul", "pixel_", "multi_head")
_OF_FEATURES = ("linear", "bilinear", "layer_norm", "rms_norm", "lstm", "gru", "rnn", "matmul", "__", "bmm", "mm")


def misfits(explored: Exploration, built: Mapping[str, Span], focus: Mapping[str, int]) -> tuple[Misfit, ...]:
    """The layers that misfit at `focus`, each after those before it were mended; () where none does."""
    found: dict[str, Misfit] = {}
    while len(found) < _MOST:
        repaired = Exploration(explored.subject, explored.domain, rebuilt_channels(tuple(found.values())))
        run = repaired.run(focus, symbolic=False)
        if run.failure is None or run.failure.kind not in _KINDS or run.records[-1].module in found:
            break
        graph = freeze(run, explored.subject.module, built)
        misfit = _misfit(explored, graph, run.failure, built)
        found[misfit.node.module] = misfit
        if run.failure.kind is Kind.MULTIPLE or misfit.given < 1:
            break
    return tuple(found.values())


def rebuilt_channels(found: Sequence[Misfit]) -> Overrides:
    """The overrides under which each of the layers takes what arrives."""
    return overriding({misfit.node.module: (misfit.given,) for misfit in found}, "channels")


def is_latent(explored: Exploration, misfit: Misfit, built: Mapping[str, Span], focus: Mapping[str, int]) -> bool:
    """Whether what a layer gets may be too narrow or wide itself: the repaired model gives it back, or a layer made it
    of as many as this one makes again, as the two ends of an autoencoder do.
    """
    graph = freeze(explored.run(focus, symbolic=False), explored.subject.module, built)
    node = next((each for each in graph.nodes if each.module == misfit.node.module), None)
    waiting, seen = list(node.inputs[:1]) if node is not None else [], set[int]()
    while waiting:
        index = waiting.pop()
        if index < 0 or index in seen or misfit.given not in _shape(graph.nodes[index]):
            continue
        if index in graph.outputs or _is_mirrored(explored, graph.nodes[index], misfit):
            return True
        seen.add(index)
        waiting += graph.nodes[index].inputs if _above(graph, graph.nodes[index]) is not None else ()
    return False


def _is_mirrored(explored: Exploration, source: Node, misfit: Misfit) -> bool:
    """Whether a layer narrows what the layer that misfits widens to the same number again."""
    modules = [explored.subject.module.get_submodule(each.module) for each in (source, misfit.node)]
    taken, made = (
        getattr(module, f"{way}_features", getattr(module, f"{way}_channels", None))
        for module, way in zip(modules, ("in", "out"), strict=True)
    )
    return bool(source.module) and isinstance(taken, int) and taken == made and taken > misfit.given


def _misfit(explored: Exploration, graph: ShapeGraph, failure: Failure, built: Mapping[str, Span]) -> Misfit:
    node, names = graph.nodes[-1], explored.subject.names.values()
    assert isinstance(failure.left, int), "a run with plain integers has no functions"
    assert isinstance(failure.right, int), "a run with plain integers has no functions"
    joint, origins = _origins(graph, node, failure.left)
    groups = getattr(explored.subject.module.get_submodule(node.module), "groups", 1)
    alone = node.built is not None and sum(built.get(name) == node.built for name in names) == 1
    sources = [origin.source for origin in origins]
    handed = built.giving(node.module, node.kind, sources) if isinstance(built, Places) and node.built else None
    return Misfit(node, failure, failure.left, failure.right, joint, origins, groups, alone, handed)


def _origins(graph: ShapeGraph, failing: Node, given: int) -> tuple[str, tuple[Origin, ...]]:
    """Where what arrives comes from: the join with its parts, or the one call that made so many."""
    if not failing.inputs:
        return "", ()
    node = graph.nodes[failing.inputs[0]]
    axis = channel_axis(failing, len(_shape(node)))
    while True:
        parts = _parts(graph, node, axis, given)
        if parts:
            return node.operation, parts
        above = _above(graph, node)
        if above is None:
            return "", (Origin((given,), _named(node)),)
        shape = _shape(above)
        if given not in shape:
            size = shape[1:] if prod(shape[1:]) == given else (given,)
            return "", (Origin(size, _named(above if len(size) > 1 else node)),)
        node, axis = above, axis if axis < len(shape) and shape[axis] == given else shape.index(given)


def channel_axis(node: Node, rank: int) -> int:
    """The axis of its input that a layer takes for channels or features."""
    if node.operation.startswith("conv") and node.operation[-2:-1].isdigit():
        return rank - int(node.operation[-2]) - 1
    return rank - 1 if node.operation.startswith(_OF_FEATURES) else min(1, rank - 1)


def _parts(graph: ShapeGraph, node: Node, axis: int, given: int) -> tuple[Origin, ...]:
    """What a join puts together, where that makes up the number; () for every other call."""
    if node.operation not in _JOINS:
        return ()
    joined = [graph.nodes[index] for index in node.inputs]
    shapes = [_shape(each) for each in joined]
    if any(axis >= len(shape) for shape in shapes) or sum(shape[axis] for shape in shapes) != given:
        return ()
    return tuple(
        Origin((shape[axis],), _source(graph, each, shape[axis])) for each, shape in zip(joined, shapes, strict=True)
    )


def _source(graph: ShapeGraph, node: Node, given: int) -> str:
    """The call that made so many channels, through calls that keep them."""
    above = _above(graph, node)
    while above is not None and given in _shape(above):
        node, above = above, _above(graph, above)
    return _named(node)


def _above(graph: ShapeGraph, node: Node) -> Node | None:
    """The call before one that keeps the channels it gets; None for one that sets them."""
    if node.operation.startswith((*_SETTERS, *_JOINS)) or not node.inputs:
        return None
    return graph.nodes[node.inputs[0]]


def _shape(node: Node) -> tuple[int, ...]:
    return node.shapes[0].value({}) if node.shapes else ()


def _named(node: Node) -> str:
    """The layer that made a tensor, else the function; "" for an input."""
    return "" if node.operation == "input" else node.module or node.operation
