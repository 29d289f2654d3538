"""The one text of a model all of whose layers give no whole part or multiple of what they take, where all others do.

Unlike the one odd layer of `misshapen.py` it may build several, as the steps of a decoder, so that none is like them
but those that they undo; it may be a pool; and in a detector, whose outputs are rows of several maps, any layer. One
that takes off rows for want of padding may be meant, and needs another layer, or its mirror, to tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import gcd

from shapelint.diagnosis.candidates import changed, evening, is_whole, twins
from shapelint.diagnosis.evenness import evenly_padded, is_even
from shapelint.diagnosis.layer_groups import Group, is_pool, same_value, step_of
from shapelint.diagnosis.misshapen import is_made_good
from shapelint.diagnosis.odd_layers import reach_of, windowed
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.steps import is_grown, scales, steps_over
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph

_OTHERS, _SEVERAL, _LARGE = 2, 3, 16
_COMPARED = ("kernel_size", "stride", "padding", "dilation")
Sizes = Mapping[str, int]


def odd_text_changes(
    graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes, *, rows: bool = False, returns: bool = False
) -> list[Change]:
    """What makes the layers of the one odd text even, the likeliest first; [] where there are several such texts, or
    too few others to tell. With `rows` the model is a detector; where it `returns`, it goes down and up, and gives as
    many channels as it takes.
    """
    calls = windowed(graph)
    odd = [node for node in calls if not is_even(graph, node, sizes)]
    if rows:  # the last levels of a detector may take rows off
        odd = [node for node in odd if not _is_on_purpose(graph, node, sizes, returns=False)]
    if not odd or len({node.built or node.place for node in odd}) > 1:
        return []
    if is_made_good(graph, odd[-1], sizes) and not (rows and not is_made_good(graph, odd[0], sizes)):
        return []  # levels of a detector are joined with what has gone through other layers of the text
    others = [node for node in calls if node.built != odd[0].built and (reach_of(node) or scales(node))]
    group = next((each for each in groups if each[0].module == odd[0].module), None)
    if group is None or len({node.module for node in others}) < _OTHERS:
        return []
    node = group[0]
    several = len([each for each in calls if each.built == node.built]) >= _OTHERS
    found: Iterable[Change] = ()
    if _goes_up(node):  # in a generator one layer may make 7 of 4, as of digits
        came_down = any(min(each.factor, default=1) < 1 for each in graph.ancestors(node))
        alone = twins(group, groups) if came_down else ()
        found = _of_a_decoder(graph, group, groups, others) if several else alone
    elif several and (mirrored := list(_as_their_mirrors(group, groups))):
        found = mirrored
    elif _is_padded_too_much(node, by=1):
        found = (*twins(group, groups), *(_evenly(group) if _is_padded_too_much(node, by=2) else ()))
    elif _takes_one_row(node):
        large = all(min(spatial_size(graph, each, sizes, out=False)) >= _LARGE for each in odd)
        found = evenly_padded(group) if large else ()
    elif (rows or returns) and not _is_on_purpose(graph, node, sizes, returns=returns):
        found = (*_as_a_twin(group, groups), *evenly_padded(group))
    return [each for each in dict.fromkeys(found) if is_whole(changed(node, each))]


def mirrored_changes(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes) -> list[Change]:
    """Of these changes those of layers of one text as several that go the other way have it."""
    found = odd_text_changes(graph, groups, sizes)
    known = {group[0].module: group for group in groups}
    return [each for each in found if each in list(_as_their_mirrors(known[each.module], groups))]


def odd_step_changes(graph: ShapeGraph, groups: Sequence[Group], sizes: Sizes) -> list[Change]:
    """The step of all others for the one layer that steps over rows, or by an odd number that has no factor with it
    and is no part of the size that it takes; where no other scales, or several are like it in all else, theirs, of 1.
    A first layer with a kernel of its own has a step of its own.
    """
    reached = graph.reached()
    scaling = [node for node in graph.nodes if node.index in reached and scales(node) and not node.parameter("size")]
    found: list[Change] = []
    for group in groups:
        node, stride = group[0], group[0].parameter("stride") or ()
        if node.index not in reached or len(set(stride)) != 1 or _goes_up(node) or is_grown(graph, node):
            continue
        others = {each.module: each.factor for each in scaling if each.built != node.built}
        alike = [set(each.value) for each in twins(group, groups) if each.parameter == "stride"]
        steps = {step_of(factor) for factors in others.values() for factor in factors}
        single = list(_with_stride_one(node, groups)) if alike == [{1}] else []
        if not others and single:
            steps, others = {Fraction(1)}, {each.module: () for each in single}
        if len(steps) != 1 or len(others) < _SEVERAL or next(iter(steps)).denominator != 1:
            continue
        step = int(steps.pop())
        apart = gcd(stride[0], step) == 1 < stride[0] and stride[0] % 2 == 1
        apart = apart and not (node.index <= min(each.index for each in scaling) and _has_own_kernel(node, groups))
        if steps_over(node, stride) or (apart and _is_no_part(graph, node, sizes)):
            value = (1 if len(single) >= _SEVERAL else step,) * len(stride)
            found.append(Change(node.module, "stride", stride, value, node.built, same_value(group, "stride", stride)))
    return found if len({each.built for each in found}) == 1 else []


def _with_stride_one(node: Node, groups: Sequence[Group]) -> Iterator[Node]:
    """The layers that are like one in all but its stride, which is 1."""
    same = [name for name in _COMPARED if name != "stride"]
    for other, *_ in groups:
        alike = other.operation == node.operation and all(other.parameter(n) == node.parameter(n) for n in same)
        if alike and set(other.parameter("stride") or ()) == {1}:
            yield other


def _has_own_kernel(node: Node, groups: Sequence[Group]) -> bool:
    """Whether no layer of another text has a layer's kernel."""
    others = [other for other, *_ in groups if other.built != node.built]
    return all(other.parameter("kernel_size") != node.parameter("kernel_size") for other in others)


def _is_no_part(graph: ShapeGraph, node: Node, sizes: Sizes) -> bool:
    """Whether a layer's stride does not divide what it takes."""
    taken = spatial_size(graph, node, sizes, out=False)
    return any(rows % step for rows, step in zip(taken, node.parameter("stride") or (), strict=False))


def _of_a_decoder(
    graph: ShapeGraph, group: Group, groups: Sequence[Group], others: Sequence[Node]
) -> Iterator[Change]:
    """The step by which the model goes down, for a decoder of another one; then the numbers of the layers that it
    undoes; then an `output_padding`, and what is one or two more or less. It goes on growing.
    """
    if all(min(each.factor, default=1) >= 1 for each in graph.ancestors(group[0])):
        return
    yield from _stepping(graph, group)
    yield from _as_their_mirrors(group, groups)
    yield from _as_its_output_padding(group)
    yield from (each for each in evening(group, others) if each.parameter != "stride" or min(each.value) > 1)


def _as_its_output_padding(group: Group) -> Iterator[Change]:
    """The `output_padding` with which transposed layers give a whole multiple, where there is a legal one."""
    node, given = group[0], group[0].parameter("output_padding") or ()
    stride, padding = node.parameter("stride") or (), node.parameter("padding") or ()
    pairs = zip(stride, padding, reach_of(node), strict=False)
    value = tuple(s + 2 * p - reach - 1 for s, p, reach in pairs)
    legal = all(0 <= rows < s for rows, s in zip(value, stride, strict=True))
    if len(value) == len(given) and legal and value != given:
        alike = same_value(group, "output_padding", given)
        yield Change(node.module, "output_padding", given, value, node.built, alike)


def _stepping(graph: ShapeGraph, group: Group) -> Iterator[Change]:
    """For transposed layers whose stride is not the one step by which the model goes down, that step."""
    node, stride = group[0], group[0].parameter("stride") or ()
    steps = {step_of(factor) for each in graph.nodes for factor in each.factor if factor < 1}
    if len(steps) == 1 and (step := steps.pop()).denominator == 1 and set(stride) != {int(step)}:
        value = (int(step),) * len(stride)
        yield Change(node.module, "stride", stride, value, node.built, same_value(group, "stride", stride))


def _as_their_mirrors(group: Group, groups: Sequence[Group]) -> Iterator[Change]:
    """The one number that layers have otherwise than several which go the other way."""
    node, votes = group[0], Counter[tuple[str, tuple[int, ...]]]()
    for other, alike, _ in groups:
        if _goes_up(other) is _goes_up(node) or is_pool(other) or not scales(other):
            continue
        pairs = [(name, node.parameter(name), other.parameter(name)) for name in _COMPARED]
        unlike = [(name, there) for name, here, there in pairs if here != there]
        if len(unlike) == 1 and unlike[0][1] is not None and len(alike) + 1 >= _OTHERS:
            votes[(unlike[0][0], unlike[0][1])] += 1
    for (name, value), _ in votes.most_common():
        given = node.parameter(name)
        if given is not None and len(given) == len(value):
            yield Change(node.module, name, given, value, node.built, same_value(group, name, given))


def _goes_up(node: Node) -> bool:
    return "transpose" in node.operation


def _is_padded_too_much(node: Node, *, by: int) -> bool:
    """Whether a layer that shrinks is padded on both sides by so many rows more than it reaches: 1 for half of an even
    kernel, which people write on purpose, as for the frames of a spectrogram; never 2.
    """
    padding, reach = node.parameter("padding") or (), reach_of(node)
    return min(node.factor, default=1) < 1 and any(2 * p >= r + by for p, r in zip(padding, reach, strict=False))


def _takes_one_row(node: Node) -> bool:
    """Whether a convolution of a picture or a volume has a kernel of 2, and takes one row off for it."""
    kernel = node.parameter("kernel_size") or ()
    plain = set(node.factor) == {1} and not is_pool(node) and not any(node.parameter("padding") or (1,))
    return plain and len(kernel) > 1 and set(kernel) == {2}


def _evenly(group: Group) -> Iterator[Change]:
    """The padding, or the kernel, with which a layer is padded by half of its reach."""
    node = group[0]
    kernel, padding = node.parameter("kernel_size") or (), node.parameter("padding") or ()
    dilation = node.parameter("dilation") or (1,) * len(kernel)
    half = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    whole = tuple(2 * p // d + 1 for p, d in zip(padding, dilation, strict=False))
    for parameter, given, value in (("padding", padding, half), ("kernel_size", kernel, whole)):
        if value != given and len(value) == len(given):
            yield Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))


def _as_a_twin(group: Group, groups: Sequence[Group]) -> Iterator[Change]:
    """What a layer has otherwise than another one that is like it in all else, and gives a whole part: a stride only of
    a pool, which would step by its window.
    """
    node = group[0]
    window = node.parameter("kernel_size") if is_pool(node) else None
    yield from (each for each in twins(group, groups) if each.parameter != "stride" or each.value == window)


def _is_on_purpose(graph: ShapeGraph, node: Node, sizes: Sizes, *, returns: bool) -> bool:
    """Whether a convolution of stride 1 may change its size on purpose: padded by as much as its kernel, or on other
    axes alone; without padding in a detector, of a small map, and where it takes all the rows there are. No text that
    builds several with a kernel of 1 pads them.
    """
    if is_pool(node) or scales(node):
        return False
    padding, kernel = node.parameter("padding") or (0,), node.parameter("kernel_size") or ()
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    wrong = [axis for axis, (one, two) in enumerate(zip(taken, given, strict=True)) if one != two]
    dense = set(node.parameter("dilation") or (1,)) == {1}
    single = set(kernel) == {1} and len({each.module for each in graph.nodes if each.built == node.built}) >= _SEVERAL
    wide = dense and not single and any(p >= k for p, k in zip(padding, kernel, strict=False))
    if len(padding) != len(kernel) or wide:
        return True
    if any(padding[axis] for axis in wrong):
        return False
    whole = any(reach >= rows - 1 for reach, rows in zip(reach_of(node), taken, strict=False))
    return any(padding) or whole or not (returns or min(taken) >= _LARGE)
