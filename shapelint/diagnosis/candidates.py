"""The arguments of convolutions and pools that may be at fault, each with the value that it would have instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import gcd

from shapelint.diagnosis.evenness import gives_as_many
from shapelint.diagnosis.layer_groups import LOWEST, Group, is_handed_on, is_pool, may_set, same_value, step_of
from shapelint.diagnosis.mirrors import not_growing, unlike_their_mirrors, unlike_what_they_undo
from shapelint.diagnosis.pairs import spatial_size
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph

_STEPS = (-1, 1, -2, 2, -3, 3)
_STEPPED = ("kernel_size", "stride", "padding")
_USUAL_STRIDES = frozenset({1, 2})
_MAJORITY, _SEVERAL = 2, 3


def likely_changes(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> Iterator[Change]:
    """What an uneven layer has otherwise than several like it, where it is even with that; its padding, were it to be
    even; then what layers have otherwise than those like them, or than their mirrors. A transposed layer is even as its
    mirror is, so that comes first.
    """
    uneven = uneven_layers(graph, groups, sizes)
    growing = {node.module for node, *_ in groups if node.operation.startswith("conv_transpose")}
    odd = unlike_the_others_of(graph, groups, sizes)
    evens = [each for each in evened(groups) if each.module in uneven]
    known = {group[0].module: group[0] for group in groups}
    likely = [each for each in odd if each.module in uneven and has_majority(groups, each)]
    yield from (each for each in likely if is_whole(changed(known[each.module], each)))
    yield from (each for each in evens if each.module not in growing)
    yield from (*likely, *odd)
    yield from evens


def has_majority(groups: Sequence[Group], change: Change) -> bool:
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
        if given is None or is_whole(node):
            continue
        for excess in _excesses(node):
            if all(rows >= 0 and rows % 2 == 0 for rows in excess):
                value = tuple(rows // 2 for rows in excess)
                alike = same_value(group, "padding", given)
                yield Change(node.module, "padding", given, value, node.built, alike)
        yield from _kernel_of_padding(group, given)


def _kernel_of_padding(group: Group, padding: tuple[int, ...]) -> Iterator[Change]:
    """The kernel of a layer of stride 1 that takes off what its padding adds, where that is one more or less."""
    node, kernel = group[0], group[0].parameter("kernel_size") or ()
    reaches = [2 * p + 1 for p in padding]
    if any(each != 1 for each in node.factor) or node.operation.startswith("conv_transpose") or is_pool(node):
        return
    if node.parameter("dilation") == (1,) * len(kernel) and all(
        abs(k - r) <= 1 for k, r in zip(kernel, reaches, strict=True)
    ):
        alike = same_value(group, "kernel_size", kernel)
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


def is_whole(node: Node) -> bool:
    """Whether a layer by its arguments gives a whole part of each size, rounded up or down, or a whole multiple."""
    if node.parameter("padding") is None and node.parameter("padding_total") is not None:  # "same" keeps the size
        return True
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
    found = [*lone_twins(groups), *odd_ones_out(groups), *unlike_their_mirrors(graph, groups, sizes)]
    found += [*unlike_what_they_undo(graph, groups), *not_growing(graph, groups)]
    return sorted(
        dict.fromkeys(found),
        key=lambda change: (
            ends_scaling(change),
            spoils(groups, change),
            _is_rarer(groups, change),
            change.module not in uneven,
        ),
    )


def _is_rarer(groups: Sequence[Group], change: Change) -> bool:
    """Whether fewer of the layers that scale have the new stride than have the present one."""
    strides = [node.parameter("stride") for node, *_ in groups if node.module != change.module]
    return change.parameter == "stride" and strides.count(change.value) < strides.count(change.given)


def ends_scaling(change: Change) -> bool:
    """Whether a layer would keep its size as it did not before: what scales is rarely the one that is wrong."""
    return change.parameter == "stride" and set(change.value) == {1}


def uneven_layers(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> set[str]:
    """The layers that do not give just so many times what they take, with what pads it."""
    return {group[0].module for group in groups if not _is_even(graph, group[0], sizes)}


def _is_even(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> bool:
    """Whether a layer, with what pads its input, gives just so many times what it takes; down to less than a stride."""
    taken, given = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    fed = graph.nodes[node.inputs[0]].shapes[0].value(dict(sizes))[-node.spatial :]
    return gives_as_many(taken, given, node) and (taken != fed or node.parameter("padding") is None or is_whole(node))


def twins(group: Group, groups: Sequence[Group]) -> Iterator[Change]:
    """Changes of the one argument in which a layer differs from another one of its kind, the commonest first."""
    node, votes = group[0], Counter[tuple[str, tuple[int, ...]]]()
    for other, *_ in groups:
        if other.operation == node.operation and other.module not in (node.module, *group[2]):
            pairs = [(name, node.parameter(name), other.parameter(name)) for name in (*LOWEST, "output_padding")]
            unlike = [(name, there) for name, here, there in pairs if here != there]
            if len(unlike) == 1 and unlike[0][1] is not None:
                votes[(unlike[0][0], unlike[0][1])] += 1
    for (name, value), _ in votes.most_common():
        given = node.parameter(name)
        if given is not None and may_set(node, name, value):
            yield Change(node.module, name, given, value, node.built, same_value(group, name, given))


def lone_twins(groups: Sequence[Group]) -> Iterator[Change]:
    """The changes with which a layer that has the arguments of no other is like another one in all of them; one that
    gives a whole part or multiple of what it takes goes on doing so.
    """
    arguments = [(node.operation, *map(node.parameter, (*LOWEST, "output_padding"))) for node, *_ in groups]
    for group, own in zip(groups, arguments, strict=True):
        alike = [each for each, other in zip(groups, arguments, strict=True) if other == own]
        if all(each[0].built == group[0].built for each in alike):
            keeps = is_whole(group[0]) if group[0].parameter("padding") else False
            yield from (each for each in twins(group, groups) if not keeps or is_whole(changed(group[0], each)))


def odd_ones_out(groups: Sequence[Group]) -> Iterator[Change]:
    """Changes of an argument to the value that most layers of its kind have, where few have another."""
    for parameter in LOWEST:
        for group in groups:
            node, given = group[0], group[0].parameter(parameter)
            others = [each for each, *_ in groups if each.operation == node.operation and each.module != node.module]
            values = Counter(value for each in others if (value := each.parameter(parameter)) is not None)
            for value, times in values.most_common(2):
                odd = given is not None and value != given and times > values[given]
                if given is not None and odd and may_set(node, parameter, value):
                    yield Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))


def stepped_changes(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Changes by one step before those by two; of equal ones, kernels first, and the last layer first.

    Layers that one call builds with the same value change together; those that a helper hands its stride do not all
    step by 1, nor by another number where others are handed one. A stride becomes 1, 2, or one that the model has.
    """
    strides = _USUAL_STRIDES | {round(step_of(each)) for node in graph.nodes for each in node.factor if each}
    for step in _STEPS:
        for parameter in _STEPPED:
            for group in reversed(groups):
                node, given = group[0], group[0].parameter(parameter) or ()
                same = same_value(group, parameter, given)
                for value in _stepped(given, step):
                    if any(each < LOWEST[parameter] for each in value) or not may_set(node, parameter, value):
                        continue
                    if parameter == "stride" and not strides.issuperset(value):
                        continue
                    handed = same and parameter == "stride" and is_handed_on(node, parameter)
                    if not (handed and (set(value) == {1} or len(same) < len(group[2]))):
                        yield Change(node.module, parameter, given, value, node.built, same)


def _stepped(given: tuple[int, ...], step: int) -> Iterator[tuple[int, ...]]:
    """A value with a step along all axes; where it is not the same along all of them, along one of them first."""
    if len(set(given)) > 1:
        for axis, each in enumerate(given):
            yield (*given[:axis], each + step, *given[axis + 1 :])
    if given:
        yield tuple(each + step for each in given)


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


def fits_the_others(groups: Sequence[Group], change: Change) -> bool:
    """Whether a changed layer gives a whole part or multiple of what it takes, where two like it do so."""
    node = next(each for each, *_ in groups if each.module == change.module)
    alike = [each for each, *_ in groups if each.operation == node.operation and each.built != node.built]
    like = [each for each in alike if max(each.parameter("kernel_size") or (1,)) > 1]
    return sum(map(is_whole, like)) < _MAJORITY or is_whole(changed(node, change))


def spoils(groups: Sequence[Group], change: Change) -> bool:
    """Whether a change takes from a layer that it gives a whole part or multiple of what it takes."""
    node = next((each for each, *_ in groups if each.module == change.module), None)
    return node is not None and is_whole(node) and not is_whole(changed(node, change))


def odd_strides(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """The stride of each layer that steps over rows, or leaves rows empty, since it is larger than the kernel: as
    another layer has it, else as large as the kernel; a kernel of 1 picks rows on purpose. Then the stride of a layer
    that shares no factor with the one step of several others, as these have it.
    """
    for group in groups:
        node, kernel, stride = group[0], group[0].parameter("kernel_size") or (), group[0].parameter("stride") or ()
        if any(s > k > 1 for s, k in zip(stride, kernel, strict=False)):
            yield from (each for each in twins(group, groups) if each.parameter == "stride")
            value = tuple(map(min, stride, kernel))
            yield Change(node.module, "stride", stride, value, node.built, same_value(group, "stride", stride))
    for group in groups:
        node, stride = group[0], group[0].parameter("stride") or ()
        scaling = [each for each in graph.nodes if set(each.factor) not in ({1}, set())]
        others = [each.factor for each in scaling if each.module != node.module]
        steps = {step_of(each) for factor in others for each in factor}
        if len(steps) == 1 and len(others) >= _SEVERAL and may_set(node, "stride", stride):
            step = int(max(steps))
            if set(stride) != {1} and all(gcd(step, each) == 1 for each in stride):
                value = (step,) * len(stride)
                yield Change(node.module, "stride", stride, value, node.built, same_value(group, "stride", stride))


def evening(group: Group, others: Sequence[Node]) -> Iterator[Change]:
    """One argument changed by a few, with which a layer gives a whole multiple: first those with which its kernel is to
    its stride as in the others. A layer that keeps its size goes on doing so.
    """
    strides = ("stride",) if any(factor > 1 for factor in group[0].factor) else ()
    ratios = {_ratio(node) for node in others}
    found: list[tuple[bool, int, Change]] = []
    node = group[0]
    for number, step in enumerate(_STEPS):
        for parameter in ("kernel_size", "padding", *strides):
            given = node.parameter(parameter) or ()
            value = tuple(each + step for each in given)
            if not given or min(value) < LOWEST[parameter] or not may_set(node, parameter, value):
                continue
            change = Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))
            made = changed(node, change)
            if is_whole(made):
                found.append((_ratio(made) not in ratios, number // 2, change))
    yield from (change for *_, change in sorted(found, key=lambda each: each[:2]))


def _ratio(node: Node) -> tuple[float, ...]:
    kernel, stride = node.parameter("kernel_size") or (), node.parameter("stride") or ()
    return tuple(k / s for k, s in zip(kernel, stride, strict=False) if s)


def changed(node: Node, change: Change) -> Node:
    """A layer with one argument changed."""
    return replace(node, parameters=tuple((dict(node.parameters) | {change.parameter: change.value}).items()))
