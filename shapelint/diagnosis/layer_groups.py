"""The convolutions and pools of a run, each with what the same call built besides, and what these can be given."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from torch import nn

from shapelint.facts.diagnosis import Change, called_line
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.source.span import Span
from shapelint.source.syntax import call_at, given
from shapelint.trace.explore import Exploration

LOWEST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
_HANDED = {"kernel_size": 2, "stride": 3, "padding": 4}
_LAYERS = (nn.modules.conv._ConvNd, nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)

Group = tuple[Node, tuple[nn.Module, ...], tuple[str, ...]]
"""A layer of a run, and the other layers that the same call built: one text changes all of them."""


def layer_groups(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Group]:
    """The convolutions and pools of a run whose arguments set their size."""
    parts = dict(explored.subject.module.named_modules())
    found: dict[Span, list[str]] = {}
    for name, part in parts.items():
        place = built.get(name) if isinstance(part, _LAYERS) else None
        if place is not None:
            found.setdefault(place, []).append(name)
    groups: list[Group] = []
    for module, node in {node.module: node for node in graph.nodes if _is_layer(node)}.items():
        place = built.get(module)
        alike = [name for name in (found.get(place, ()) if place else ()) if name != module]
        groups.append((node, tuple(map(parts.__getitem__, alike)), tuple(alike)))
    return groups


def may_set(node: Node, parameter: str, value: tuple[int, ...]) -> bool:
    """Whether a layer can be given a value. A pool that was given no stride has it from its kernel, and the one text
    changes both; its dilation and what pads more than half its kernel are left alone.
    """
    present = node.parameter(parameter)
    if present is None or len(present) != len(value):
        return False
    if not is_pool(node):
        return True
    kernel, stride = node.parameter("kernel_size") or (), node.parameter("stride")
    if parameter == "padding":
        return all(2 * p <= k for p, k in zip(value, kernel, strict=True))
    return parameter == "stride" or (parameter == "kernel_size" and (kernel != stride or strides_by_kernel(node)))


def step_of(factor: Fraction) -> Fraction:
    """By how much a call divides or multiplies an axis, of what it makes of one row; 0 where it leaves no row."""
    return max(factor, 1 / factor) if factor else factor


def arguments_of(node: Node) -> tuple[object, ...]:
    """What a layer does and by which numbers: two that are equal here are alike."""
    return (node.operation, *map(node.parameter, LOWEST))


def strides_by_kernel(node: Node) -> bool:
    """Whether a pool is built without a stride, so that its kernel is its stride."""
    call = call_at(node.built) if node.built is not None and is_pool(node) else None
    position = 1 if node.built != node.place else 2
    return call is not None and given(call, "stride", position) is None


def is_handed_on(node: Node, parameter: str) -> bool:
    """Whether a convolution is given an argument that its helper was given: the number is that of other calls."""
    call = call_at(node.built) if node.built is not None and not is_pool(node) else None
    return call is not None and isinstance(given(call, parameter, _HANDED.get(parameter)), ast.Name)


def resizes(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Node]:
    """The calls of modules that resize by one whole factor."""
    modules = dict(explored.subject.module.named_modules())
    calls = [node for node in graph.nodes if node.parameter("scale_factor")]
    own = [node for node in calls if node.module in built and isinstance(modules.get(node.module), nn.Upsample)]
    return [*own, *(node for node in calls if called_line(node.module) is not None)]


def same_value(group: Group, parameter: str, present: tuple[int, ...]) -> tuple[str, ...]:
    """The layers that the same call built with the same value of an argument."""
    parts = zip(group[1], group[2], strict=True)
    return tuple(name for part, name in parts if _per_axis(getattr(part, parameter, None), present) == present)


def _per_axis(value: Any, like: tuple[int, ...]) -> Any:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * len(like)


def _is_layer(node: Node) -> bool:
    """Whether a call is that of a module whose arguments set its size; with `output_size=` it works them out."""
    known = node.parameter("kernel_size") is not None
    is_convolution = node.operation.startswith("conv") and "Conv" in node.kind
    return (is_convolution or is_pool(node)) and known and not takes_output_size(node)


def legal_values(group: Group | None) -> Iterator[Change]:
    """An `output_padding` with other values on the axes where it is illegal: not below the stride, nor the dilation."""
    node = group[0] if group else None
    given = node.parameter("output_padding") if node else None
    if group is None or node is None or given is None:
        return
    limits = [max(pair) for pair in zip(*(node.parameter(name) or () for name in ("stride", "dilation")), strict=True)]
    for value in range(max(limits, default=0)):
        legal = tuple(now if now < most else min(value, most - 1) for now, most in zip(given, limits, strict=True))
        alike = same_value(group, "output_padding", given)
        yield Change(node.module, "output_padding", given, legal, node.built, alike)


def rounded_changes(groups: Sequence[Group]) -> Iterator[Change]:
    """Each pool with the other `ceil_mode`: first those that round down, since rounding up keeps more sizes."""
    for group in sorted(groups, key=lambda group: any(group[0].parameter("ceil_mode") or ())):
        node, given = group[0], group[0].parameter("ceil_mode")
        if given is not None:
            now, other = tuple(map(bool, given)), tuple(not each for each in given)
            yield Change(node.module, "ceil_mode", now, other, node.built, same_value(group, "ceil_mode", now))


def is_pool(node: Node) -> bool:
    """Whether a call is that of a max or average pool module."""
    return node.operation.startswith(("max_pool", "avg_pool")) and node.kind.startswith(("MaxPool", "AvgPool"))


def takes_output_size(node: Node) -> bool:
    """Whether a transposed layer is called with `output_size=`."""
    return bool(node.parameter("output_size"))
