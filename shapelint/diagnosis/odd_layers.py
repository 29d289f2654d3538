"""Which one layer of a model gives another size than its place asks for, and whether it may be meant so.

Layers that are made to take off or add what they do are let be: see `may_be_meant`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapelint.diagnosis.evenness import is_even
from shapelint.diagnosis.layer_groups import Group
from shapelint.diagnosis.pairs import spatial_size
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.request.question import Question
from shapelint.size.function import as_function

LATENT = 8
_FEW = 4
Sizes = Mapping[str, int]


def uneven_group(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes) -> Group | None:
    """The one layer that gives another size than its factor makes of what it takes; None where there are more."""
    uneven = [node for node in windowed(graph) if not is_even(graph, node, sizes)]
    places = {node.built or node.place for node in uneven}
    if len(places) != 1:
        return None
    return next((each for each in groups if each[0].module == uneven[0].module), None)


def is_beyond(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a transposed layer that multiplies misses its multiple by what no `output_padding` of it makes up for."""
    return _multiplies(node) and not is_within(graph, node, sizes)


def is_within(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a transposed layer that multiplies gives its multiple with some `output_padding` of its own."""
    if not _multiplies(node):
        return False
    stride, own = node.parameter("stride") or (), node.parameter("output_padding") or ()
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    missing = [s * n - m + p for s, n, m, p in zip(stride, taken, given, own, strict=True)]
    return all(0 <= rows < s for rows, s in zip(missing, stride, strict=True))


def _multiplies(node: Node) -> bool:
    return max(node.factor, default=0) > 1 and bool(node.parameter("output_padding"))


def windowed(graph: ShapeGraph) -> list[Node]:
    """The convolutions and pools that an output is made of."""
    reached = graph.reached()
    windows = [node for node in graph.nodes if node.parameter("kernel_size") and node.index in reached]
    return [node for node in windows if node.spatial and node.inputs and node.shapes]


def may_be_meant(graph: ShapeGraph, node: Node, groups: Sequence[Group], question: Question, sizes: Sizes) -> bool:
    """Whether an uneven layer may be meant so, or the layers around it are too few to tell.

    - Two other layers with a kernel, at least, are even, one where the output has as many channels as the input; and
      nothing is known of latent maps of a few rows.
    - A transposed layer that multiplies is compared with two others that do; another one may make 7 rows of 4.
    - A layer that shrinks is padded too much, by more than half of its reach, and not too little.
    - A convolution without padding may take off what was there for it, or all of an axis: it is no such one where a
      layer with its kernel is padded; two of them, where it is the first one with a kernel. A layer of padding ahead
      of it is there for it. A last layer of kernel 2 takes off nothing that was there, where others have kernel 1. One
      that is padded along its other axes is not padded on purpose.
    - A discriminator of patches ends on layers of stride 1 that are in all else as the strided ones before them.
    """
    if _is_padded_by_a_layer(graph, node, sizes):
        return False
    if _scores_patches(graph, node):
        return True
    others = [each[0] for each in groups if each[0].built != node.built and reach_of(each[0])]
    even = [each for each in others if is_even(graph, each, sizes)]
    calls = (each for each in graph.nodes if each.built == node.built and each.operation == node.operation)
    first = question.first
    largest = max((min(spatial_size(graph, each, first, out=False), default=0) for each in calls), default=0)
    if len({each.module for each in even}) < (1 if keeps_channels(graph, question) else 2) or largest < LATENT:
        return True
    alike = [each for each in even if each.operation == node.operation]
    reach = reach_of(node)
    padding = node.parameter("padding") or (0,) * len(reach)  # none where it is said in a word
    if "transpose" in node.operation:
        growing = {each.module for each in alike if max(each.factor, default=0) > 1}
        return max(node.factor) == 1 or len(growing) < 2 or question.asked is None
    if any(factor < 1 for factor in node.factor):
        return any(2 * p <= r for p, r in zip(padding, reach, strict=True))
    return _takes_off_on_purpose(graph, node, groups, alike, sizes)


def _takes_off_on_purpose(
    graph: ShapeGraph, node: Node, groups: Sequence[Group], alike: Sequence[Node], sizes: Sizes
) -> bool:
    """Whether a convolution of stride 1 that does not keep its size may be meant so, given the even ones like it."""
    reach = reach_of(node)
    padding = node.parameter("padding") or (0,) * len(reach)
    others = [each[0] for each in groups if each[0].built != node.built and reach_of(each[0])]
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    wrong = [axis for axis, (one, two) in enumerate(zip(taken, given, strict=True)) if one != two]
    if any(padding[axis] for axis in wrong):
        return False
    if any(padding):
        return True
    if _ends_on_two_rows(graph, node, groups) or _takes_one_row_inside(graph, node, taken):
        return False
    padded = {each.module for each in alike if reach_of(each) == reach and any(each.parameter("padding") or ())}
    above = {each.index for each in graph.ancestors(node)} - {node.index}
    inner = any(each.index in above for each in others)
    return any(reach[axis] >= taken[axis] - 1 for axis in wrong) or len(padded) < (1 if inner else 2)


def _scores_patches(graph: ShapeGraph, node: Node) -> bool:
    """Whether a convolution of stride 1 is in all else as the strided one before it, and nothing is scaled after it."""
    scaling = [each for each in graph.ancestors(node) if set(each.factor) not in ({1}, set())]
    if not scaling or set(node.parameter("stride") or ()) != {1}:
        return False
    last = max(scaling, key=lambda each: each.index)
    alike = dict(last.parameters) | {"stride": node.parameter("stride")} == dict(node.parameters)
    after = (each for each in graph.nodes[node.index + 1 :] if set(each.factor) not in ({1}, set()))
    strided = last.operation == node.operation and "transpose" not in node.operation
    return strided and alike and not any(node in graph.ancestors(each) for each in after)


def keeps_channels(graph: ShapeGraph, question: Question) -> bool:
    """Whether the first output has the rank and the channels of the input that is followed."""
    taken, axis = question.led.dims, min(question.axes, default=0)
    made = [graph.nodes[index].shapes for index in graph.outputs[:1] if index >= 0]
    dims = made[0][0].dims if made and made[0] else ()
    if axis == 0 or len(dims) != len(taken):
        return False
    channels = [as_function(each[axis - 1]) for each in (dims, taken)]
    return channels[0] == channels[1] and channels[0].constant is not None


def _ends_on_two_rows(graph: ShapeGraph, node: Node, groups: Sequence[Group]) -> bool:
    """Whether a convolution of kernel 2 is the last one, and others like it in all else have kernel 1."""
    kernel = node.parameter("kernel_size") or ()
    alike = dict(node.parameters) | {"kernel_size": (1,) * len(kernel)}
    single = {each.module for each, *_ in groups if each.operation == node.operation and dict(each.parameters) == alike}
    later = (each for each in graph.nodes[node.index + 1 :] if reach_of(each))
    return set(kernel) == {2} and bool(single) and all(node not in graph.ancestors(each) for each in later)


def _takes_one_row_inside(graph: ShapeGraph, node: Node, taken: Sequence[int]) -> bool:
    """Whether a convolution of kernel 2 takes a row off a map, behind what shrinks it, and nothing tells why: no resize
    ahead of it, as the first U-Net goes up, nor an axis that it ends.
    """
    kernel = node.parameter("kernel_size") or ()
    above = [each for each in graph.ancestors(node) if each.index != node.index]
    shrinks = any(min(each.factor, default=1) < 1 for each in above)
    resized = any(max(graph.nodes[index].factor, default=1) > 1 for index in node.inputs)
    return len(kernel) > 1 and set(kernel) == {2} and shrinks and not resized and min(taken, default=0) > _FEW


def _is_padded_by_a_layer(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a convolution of stride 1 without padding takes what a layer such as `ReflectionPad2d` gives, and all
    axes whose size it changes are padded there.
    """
    pad = graph.nodes[node.inputs[0]]
    own = any(node.parameter("padding") or ())
    if pad.operation != "pad" or "Pad" not in pad.kind or set(node.factor) != {1} or own:
        return False
    padded, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    between = pad.shapes[0].value(dict(sizes))[-node.spatial :]
    return all(one == two or one < here for one, here, two in zip(padded, between, given, strict=True))


def reach_of(node: Node) -> tuple[int, ...]:
    """How many rows more than one a layer's window spans, per axis; () for one row, or no window."""
    kernel, dilation = node.parameter("kernel_size") or (), node.parameter("dilation") or ()
    reach = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=False))
    return reach if any(reach) else ()
