"""The one layer whose numbers give no whole multiple, or part, of what it takes, among others whose numbers do.

A generator or a vocoder has no size to compare its output with; but `kernel_size=4, stride=2, padding=1` doubles, and
`kernel_size=3` beside it gives one row less. Layers without padding take off what they do on purpose and are let be,
and so is a model that crops, or joins, what such a layer gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shapelint.diagnosis.candidates import changed, evening, is_whole, twins
from shapelint.diagnosis.chosen_sizes import is_chosen
from shapelint.diagnosis.evenness import is_even
from shapelint.diagnosis.layer_groups import Group, arguments_of, is_pool
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.passage import CUTTING
from shapelint.diagnosis.steps import shrinks_late
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph

_EVEN_OTHERS, _VALID_LAYERS, _LARGE = 2, 6, 16
Sizes = Mapping[str, int]


def misshapen_changes(
    graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes, given: Sequence[int] = ()
) -> list[Change]:
    """What makes the one misshapen layer like the others, the likeliest first; [] where there is none, or several.

    `given` is the size of the output: where people choose such a one, a layer that is a row off is there for it;
    () where it is known to be wrong: then a layer that some `output_padding` settles is not it. A number that was
    written for each axis, other than that of the next, is meant for each.
    """
    reached = graph.reached()
    known = {each[0].module: each for each in groups}
    calls = [node for node in graph.nodes if node.index in reached and node.module in known and node.inputs]
    odd = [node for node in calls if node.shapes and _is_misshapen(graph, node, sizes)]
    odd = odd if given else [node for node in odd if not _is_settled_by_output_padding(node)]
    if not odd or len({node.built or node.place for node in odd}) > 1 or is_made_good(graph, odd[-1], sizes):
        return []
    factors = [each for node in graph.nodes if node.index in reached for each in node.factor]
    if min(factors) < 1 and max(factors) <= 1:  # a discriminator: layers that shrink may take rows off at its end
        return []
    group = known[odd[0].module]
    others = {node.module: node for node in calls if node.built != odd[0].built and _is_like(node, odd[0])}
    alike = [each for each in twins(group, groups) if is_whole(changed(group[0], each))]
    alike = [each for each in alike if not shrinks_late(graph, group[0], each)]
    resumed = [each for each in alike if _steps_as_before(graph, each, groups)]
    idle = all(_is_idle(graph, node, sizes) for node in odd)
    if idle or (resumed and not (given and is_chosen(given, by_one=False))):
        return resumed or alike
    even = [node for node in others.values() if is_whole(node)]
    by_one = all(_misses_by_one(graph, node, sizes) for node in odd)
    several = len({node.module for node in odd}) >= _EVEN_OTHERS
    if len(even) < _EVEN_OTHERS and not (alike and (several or not by_one)):
        return []
    if given and is_chosen(given, by_one=by_one):
        return []
    changes = dict.fromkeys((*alike, *evening(group, even)))
    return [each for each in changes if len(set(each.given)) == 1 or len(set(each.value)) > 1]


def _is_idle(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a layer that multiplies gives just the rows that it takes."""
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    return taken == given and min(node.factor) > 1


def _steps_as_before(graph: ShapeGraph, change: Change, groups: Sequence[Group]) -> bool:
    """Whether a transposed layer of stride 1 is to have the stride of several that are like it in all else, or of one
    where the model goes down once more than up.
    """
    if change.parameter != "stride" or set(change.given) != {1}:
        return False
    reached = graph.reached()
    scaling = [node for node in graph.nodes if node.index in reached and any(each != 1 for each in node.factor)]
    downs = sum(min(node.factor) < 1 for node in scaling)
    node = next(each for each, *_ in groups if each.module == change.module)
    alike = dict(changed(node, change).parameters)
    like = {each.module for each, *_ in groups if each.built != node.built and dict(each.parameters) == alike}
    twice = 2 * downs == len(scaling) + 1 if downs else len(like) > _EVEN_OTHERS
    return "transpose" in node.operation and twice and bool(like)


def lone_kernels(graph: ShapeGraph, groups: Sequence[Group]) -> list[Change]:
    """The kernel of the one convolution that has another one than all others have, where none is padded, and the model
    goes down and up again: not of the first or the last one, nor of 2 behind a resize, as the first U-Net goes up.
    Where the last one has 2 it is to have 1.

    Where one text builds several it is an even kernel among odd ones: rows that are taken off on each side.
    """
    reached = graph.reached()
    calls = [node for node in graph.nodes if node.index in reached and _takes_off(node)]
    kernels = Counter(node.parameter("kernel_size") for node in calls)
    factors = [each for node in graph.nodes if node.index in reached for each in node.factor]
    if any(any(node.parameter("padding") or ()) for node in calls) or len(kernels) != _EVEN_OTHERS:
        return []
    if len(calls) < _VALID_LAYERS or min(factors) >= 1 or max(factors) <= 1:
        return []
    (usual, most), (odd, times) = kernels.most_common()
    if times > 1 and _is_even_kernel(usual):
        (usual, _), (odd, times) = (odd, times), (usual, most)
    alike = [node for node in calls if node.parameter("kernel_size") == odd]
    resized = any(max(graph.nodes[node.inputs[0]].factor, default=1) > 1 for node in alike)
    several = _is_even_kernel(odd) and not _is_even_kernel(usual) and not (set(odd or ()) == {2} and resized)
    if times > 1 and (not several or len({node.built for node in alike}) > 1):
        return []
    found = [each for each in groups if each[0].module == alike[0].module]
    goes_up = set(odd or ()) == {2} and max(graph.nodes[alike[0].inputs[0]].factor, default=1) > 1
    if times == 1 and alike[0] is calls[-1] and set(odd or ()) == {2} and not goes_up:
        single = (1,) * len(odd or ())
        return [Change(node.module, "kernel_size", odd or (), single, node.built) for node, *_ in found]
    inner = times > 1 or (alike[0] not in (calls[0], calls[-1]) and not goes_up)
    return [each for group in found if inner for each in twins(group, groups) if each.value == usual]


def _is_even_kernel(kernel: tuple[int, ...] | None) -> bool:
    return bool(kernel) and all(each % 2 == 0 for each in kernel or ())


def unlike_their_siblings(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes) -> list[Change]:
    """What the one strided layer between others has otherwise than several that are alike and halve exactly; of a large
    map: what ends a way down may take rows off.
    """
    reached = graph.reached()
    calls = [node for node in graph.nodes if node.index in reached and max(node.parameter("kernel_size") or (1,)) > 1]
    inner, kinds = {node.module for node in calls[1:-1]}, Counter(arguments_of(node) for node, *_ in groups)
    found = []
    for group in groups:
        node = group[0]
        strided = max(node.factor) < 1 and not is_pool(node) and node.module in inner and not is_whole(node)
        large = min(spatial_size(graph, node, sizes, out=False), default=0) >= _LARGE
        if strided and large and not is_even(graph, node, sizes):
            alike = [each for each in twins(group, groups) if each.parameter != "stride"]
            made = [(each, changed(node, each)) for each in alike]
            found += [each for each, like in made if is_whole(like) and kinds[arguments_of(like)] >= _EVEN_OTHERS]
    return found if len({each.module for each in found}) == 1 else []


def _takes_off(node: Node) -> bool:
    """Whether a call is a convolution of stride 1 that spans several rows."""
    kernel = node.parameter("kernel_size") or (1,)
    convolves = node.operation.startswith("conv") and "transpose" not in node.operation
    return convolves and max(kernel) > 1 == max(node.factor)


def _is_misshapen(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a layer gives more or less than its factor makes of what it takes, other than where that is one row.

    A convolution does so by its padding: without any, and where it shrinks also with too little, it may be meant so.
    """
    padding, kernel = node.parameter("padding"), node.parameter("kernel_size")
    if padding is None or kernel is None or is_pool(node) or is_whole(node):
        return False
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    if len(taken) != len(given):
        return False
    wrong = [a for a, (n, m) in enumerate(zip(taken, given, strict=True)) if abs(n * node.factor[a] - m) >= 1]
    if any(taken[axis] == 1 or given[axis] == 1 for axis in wrong):
        return False
    if "transpose" in node.operation:
        return bool(wrong)
    dilation = node.parameter("dilation") or (1,) * len(kernel)
    shrinks = any(factor < 1 for factor in node.factor)
    return any(
        2 * padding[axis] > dilation[axis] * (kernel[axis] - 1) or (padding[axis] > 0 and not shrinks) for axis in wrong
    )


def _is_settled_by_output_padding(node: Node) -> bool:
    """Whether some legal `output_padding` makes a transposed layer give a whole multiple."""
    stride, extra = node.parameter("stride") or (), node.parameter("output_padding") or ()
    values = (tuple(value for _ in extra) for value in range(min(stride, default=0)) if extra)
    return any(is_whole(replace(node, parameters=(*node.parameters, ("output_padding", each)))) for each in values)


def _is_like(node: Node, odd: Node) -> bool:
    """Whether a layer is one to compare another with: of its kind, with a kernel and with padding or a stride."""
    reach = max(node.parameter("kernel_size") or (1,))
    kept = node.parameter("padding") or ()
    return node.operation == odd.operation and reach > 1 and ("transpose" in node.operation or any(kept))


def is_made_good(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether what a layer gives is cropped or padded later, or joined to what has its size from elsewhere."""
    after = {node.index}
    for each in graph.nodes[node.index + 1 :]:
        taken = [index for index in each.inputs if index in after]
        if not taken:
            continue
        after.add(each.index)
        if each.operation in CUTTING and not _feeds_a_layer(graph, each):
            return True
        apart = (graph.nodes[index] for index in dict.fromkeys(each.inputs) if index not in after)
        if any(_is_of_own_size(graph, other, each, node.spatial, sizes) for other in apart):
            return True
    return False


def _feeds_a_layer(graph: ShapeGraph, pad: Node) -> bool:
    """Whether a pad is one ahead of a convolution."""
    users = [each for each in graph.nodes if pad.index in each.inputs]
    return pad.operation == "pad" and bool(users) and all(each.parameter("kernel_size") for each in users)


def _is_of_own_size(graph: ShapeGraph, other: Node, join: Node, rank: int, sizes: Sizes) -> bool:
    """Whether a tensor that is joined has the size of the join by its own way, not by a crop or a resize to it."""
    if not (other.shapes and join.shapes):
        return False
    shapes = [each.shapes[0].value(dict(sizes))[-rank:] for each in (other, join)]
    if shapes[0] != shapes[1] or len(other.shapes[0].dims) != len(join.shapes[0].dims):
        return False
    return not any(each.operation in CUTTING or each.parameter("size") for each in graph.ancestors(other))


def _misses_by_one(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a layer gives at most a row more or less than its factor makes of what it takes, on each axis."""
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    return all(abs(m - n * f) <= 1 for n, m, f in zip(taken, given, node.factor, strict=True))
