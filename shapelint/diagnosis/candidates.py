"""The arguments of convolutions and pools that may be at fault, each with the value that it would have instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from torch import nn

from shapelint.diagnosis.pairs import mirrored_pairs, spatial_size
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.source.span import Span
from shapelint.trace.explore import Exploration

_STEPS = (-1, 1, -2, 2, -3, 3)
_LOWEST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
_STEPPED = ("kernel_size", "stride", "padding")
_USUAL_STRIDES = frozenset({1, 2})
_MAJORITY = 2
_LAYERS = (nn.modules.conv._ConvNd, nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)

Group = tuple[Node, tuple[nn.Module, ...], tuple[str, ...]]
"""A layer of a run, and the other layers that the same call built: one text changes all of them."""


def layer_groups(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Group]:
    """The convolutions and pools of a run whose arguments set their size."""
    root = explored.subject.module
    found: dict[Span, list[str]] = {}
    for name, part in root.named_modules():
        place = built.get(name) if isinstance(part, _LAYERS) else None
        if place is not None:
            found.setdefault(place, []).append(name)
    groups: list[Group] = []
    for module, node in {node.module: node for node in graph.nodes if _is_layer(node)}.items():
        place = built.get(module)
        alike = [name for name in (found.get(place, ()) if place else ()) if name != module]
        groups.append((node, tuple(map(root.get_submodule, alike)), tuple(alike)))
    return groups


def likely_changes(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> Iterator[Change]:
    """What an uneven layer has otherwise than several like it; its padding, were it to be even; then what layers have
    otherwise than those like them, or than their mirrors. A transposed layer is even as its mirror is, so that comes
    first.
    """
    uneven = uneven_layers(graph, groups, sizes)
    growing = {node.module for node, *_ in groups if node.operation.startswith("conv_transpose")}
    odd = unlike_the_others_of(graph, groups, sizes)
    evens = [each for each in evened(groups) if each.module in uneven]
    yield from (each for each in odd if each.module in uneven and _has_majority(groups, each))
    yield from (each for each in evens if each.module not in growing)
    yield from odd
    yield from evens


def _has_majority(groups: Sequence[Group], change: Change) -> bool:
    """Whether several layers have the value that one should have; for no dilation one other layer will do."""
    if change.parameter == "dilation" and set(change.value) == {1}:
        return True
    kind = next(node.operation for node, *_ in groups if node.module == change.module)
    votes = [node.parameter(change.parameter) for node, *_ in groups if node.operation == kind]
    return votes.count(change.value) >= _MAJORITY


def evened(groups: Sequence[Group]) -> Iterator[Change]:
    """Each layer with the padding with which it gives just a whole part, or multiple, of what it takes.

    Down by a stride s: n/s rounded up for 2p = d(k-1), and down for 2p = d(k-1) + 1 - s. Up: 2p = d(k-1) + 1 + op - s.
    """
    for group in groups:
        node, given = group[0], group[0].parameter("padding")
        if given is None or _is_whole(node):
            continue
        for excess in _excesses(node):
            if all(rows >= 0 and rows % 2 == 0 for rows in excess):
                value = tuple(rows // 2 for rows in excess)
                alike = _same_value(group, "padding", given)
                yield Change(node.module, "padding", given, value, node.built, alike)
        yield from _kernel_of_padding(group, given)


def _kernel_of_padding(group: Group, padding: tuple[int, ...]) -> Iterator[Change]:
    """The kernel of a layer of stride 1 that takes off what its padding adds, where that is one less on some axis."""
    node, kernel = group[0], group[0].parameter("kernel_size") or ()
    reaches = [2 * p + 1 for p in padding]
    if any(each != 1 for each in node.factor) or node.operation.startswith("conv_transpose") or _is_pool(node):
        return
    if node.parameter("dilation") == (1,) * len(kernel) and all(
        0 <= k - r <= 1 for k, r in zip(kernel, reaches, strict=True)
    ):
        alike = _same_value(group, "kernel_size", kernel)
        yield Change(node.module, "kernel_size", kernel, tuple(reaches), node.built, alike)


def _excesses(node: Node) -> Iterator[tuple[int, ...]]:
    """What the padding of both sides would be in total."""
    strides, reaches = node.parameter("stride") or (), _reaches(node)
    if node.operation.startswith("conv_transpose"):
        extra = node.parameter("output_padding") or (0,) * len(strides)
        yield tuple(reach + op - s for reach, op, s in zip(reaches, extra, strides, strict=False))
        return
    yield tuple(reach - 1 for reach in reaches)
    yield tuple(reach - s for reach, s in zip(reaches, strides, strict=False))


def _reaches(node: Node) -> tuple[int, ...]:
    kernel = node.parameter("kernel_size") or ()
    dilation = node.parameter("dilation") or (1,) * len(kernel)
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def _is_whole(node: Node) -> bool:
    """Whether a layer by its arguments gives a whole part of each size, rounded up or down, or a whole multiple."""
    excesses, padding = tuple(_excesses(node)), node.parameter("padding") or ()
    rounding = node.parameter("ceil_mode") or (0,) * len(padding)
    if len(excesses) == 1:
        return all(2 * p == most for p, most in zip(padding, excesses[0], strict=True))
    steps = zip(padding, *excesses, rounding, strict=True)
    return all(least - up * (most - least) <= 2 * p <= most - up * (most - least) for p, most, least, up in steps)


def unlike_the_others_of(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> list[Change]:
    """Arguments that one layer has otherwise than those like it, or than its mirror: first of layers whose own size is
    no whole part or multiple of what they take.
    """
    uneven = uneven_layers(graph, groups, sizes)
    found = [*_odd_ones_out(groups), *_unlike_their_mirrors(graph, groups, sizes), *_not_growing(graph, groups)]
    return sorted(dict.fromkeys(found), key=lambda change: change.module not in uneven)


def _not_growing(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Transposed layers of stride 1, with the stride by which the model goes down most often."""
    downs = Counter(node.factor for node in graph.nodes if node.factor and all(each < 1 for each in node.factor))
    for factor, _ in downs.most_common(1):
        stride = tuple(round(1 / each) for each in factor)
        for group in groups:
            given = group[0].parameter("stride")
            if group[0].operation.startswith("conv_transpose") and given == (1,) * len(stride):
                alike = _same_value(group, "stride", given)
                yield Change(group[0].module, "stride", given, stride, group[0].built, alike)


def uneven_layers(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> set[str]:
    """The layers that do not give just so many times what they take, with what pads it."""
    return {group[0].module for group in groups if not _is_even(graph, group[0], sizes)}


def _is_even(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> bool:
    """Whether a layer, with what pads its input, gives just so many times what it takes; down to less than a stride."""
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    fed = graph.nodes[node.inputs[0]].shapes[0].value(dict(sizes))[-node.spatial :]
    axes = zip(taken, given, node.factor, strict=False)
    even = len(taken) == len(given) and all(abs(n * factor - m) < 1 for n, m, factor in axes)
    return even and (taken != fed or node.parameter("padding") is None or _is_whole(node))


def _unlike_their_mirrors(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> Iterator[Change]:
    """The arguments in which the two layers of a pair differ, each as the other has it."""
    known = {group[0].module: group for group in groups}
    for pair in mirrored_pairs(graph, sizes):
        layers = [graph.nodes[index] for index in (*pair.down_nodes, *pair.up_nodes)]
        if len(layers) == 2 and all(layer.module in known for layer in layers):
            for change in chain(as_in(layers[0], layers[1]), as_in(layers[1], layers[0])):
                alike = _same_value(known[change.module], change.parameter, change.given)
                yield replace(change, alike=alike)


def as_in(layer: Node, other: Node) -> Iterator[Change]:
    """The arguments of a layer as another one has them."""
    for name in _LOWEST:
        given, value = layer.parameter(name), other.parameter(name)
        if given is not None and value is not None and given != value and _may_set(layer, name, value):
            yield Change(layer.module, name, given, value, layer.built)


def _odd_ones_out(groups: Sequence[Group]) -> Iterator[Change]:
    """Changes of an argument to the value that most layers of its kind have, where few have another."""
    for parameter in _LOWEST:
        for group in groups:
            node, given = group[0], group[0].parameter(parameter)
            others = [each for each, *_ in groups if each.operation == node.operation and each.module != node.module]
            values = Counter(value for each in others if (value := each.parameter(parameter)) is not None)
            for value, times in values.most_common(2):
                odd = given is not None and value != given and times > values[given]
                if given is not None and odd and _may_set(node, parameter, value):
                    yield Change(node.module, parameter, given, value, node.built, _same_value(group, parameter, given))


def stepped_changes(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Changes by one step before those by two; of equal ones, kernels first, and the last layer first.

    Layers that one call builds with the same value change together. A stride becomes 1, 2, or one that the model has.
    """
    strides = _USUAL_STRIDES | {round(max(each, 1 / each)) for node in graph.nodes for each in node.factor if each}
    for step in _STEPS:
        for parameter in _STEPPED:
            for group in reversed(groups):
                node, given = group[0], group[0].parameter(parameter)
                value = tuple(each + step for each in given or ())
                if given is None or any(each < _LOWEST[parameter] for each in value):
                    continue
                if not _may_set(node, parameter, value) or (parameter == "stride" and not strides.issuperset(value)):
                    continue
                same = _same_value(group, parameter, given)
                yield Change(node.module, parameter, given, value, node.built, same)


def makes_unlike(groups: Sequence[Group], change: Change) -> bool:
    """Whether a change makes a layer unlike others, built elsewhere, that have its kernel and its value now."""
    layers = {node.module: node for node, *_ in groups}
    layer, own = layers[change.module], (change.module, *change.alike)
    return any(
        node.operation == layer.operation
        and node.parameter("kernel_size") == layer.parameter("kernel_size")
        and node.parameter(change.parameter) == change.given
        for name, node in layers.items()
        if name not in own
    )


def rounded_changes(groups: Sequence[Group]) -> Iterator[Change]:
    """Each pool with the other `ceil_mode`: first those that round down, since rounding up keeps more sizes."""
    for group in sorted(groups, key=lambda group: any(group[0].parameter("ceil_mode") or ())):
        node, given = group[0], group[0].parameter("ceil_mode")
        if given is not None:
            now, other = tuple(map(bool, given)), tuple(not each for each in given)
            yield Change(node.module, "ceil_mode", now, other, node.built, _same_value(group, "ceil_mode", now))


def _may_set(node: Node, parameter: str, value: tuple[int, ...]) -> bool:
    """Whether a layer can be given a value. A pool has its stride from its kernel where it was given none, so that the
    one text may change both; its dilation and what pads more than half its kernel are left alone.
    """
    given = node.parameter(parameter)
    if given is None or len(given) != len(value):
        return False
    if not _is_pool(node):
        return True
    kernel, stride = node.parameter("kernel_size") or (), node.parameter("stride")
    if parameter == "padding":
        return all(2 * p <= k for p, k in zip(value, kernel, strict=True))
    return parameter == "stride" or (parameter == "kernel_size" and kernel != stride)


def _same_value(group: Group, parameter: str, given: tuple[int, ...]) -> tuple[str, ...]:
    parts = zip(group[1], group[2], strict=True)
    return tuple(name for part, name in parts if _per_axis(getattr(part, parameter, None), given) == given)


def _per_axis(value: Any, like: tuple[int, ...]) -> Any:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * len(like)


def _is_layer(node: Node) -> bool:
    """Whether a call is that of a module whose arguments set its size; with `output_size=` it works them out."""
    known = node.parameter("kernel_size") is not None
    is_convolution = node.operation.startswith("conv") and "Conv" in node.kind
    return (is_convolution or _is_pool(node)) and known and not takes_output_size(node)


def _is_pool(node: Node) -> bool:
    """Whether a call is that of a max or average pool module."""
    return node.operation.startswith(("max_pool", "avg_pool")) and node.kind.startswith(("MaxPool", "AvgPool"))


def takes_output_size(node: Node) -> bool:
    """Whether a transposed layer is called with `output_size=`."""
    return bool(node.parameter("output_size"))
