"""The one layer for which a model that goes down and up again by equal steps gives a part, or a multiple, of its input.

A head at half the size and a picture at twice it are meant so; an autoencoder of three halvings and two doublings,
with one layer that keeps its size where a third doubling would stand, is not.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain

from shapelint.diagnosis.candidates import is_whole, twins
from shapelint.diagnosis.layer_groups import Group, is_pool, same_value, step_of, strides_by_kernel
from shapelint.diagnosis.mirrors import unlike_what_they_undo
from shapelint.diagnosis.passage import passed
from shapelint.diagnosis.steps import is_power_of, scales, steps_over
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.source.syntax import call_at, given

_OTHERS_OF_A_MULTIPLE, _RATIOS = 3, 2
_POSITIONS = {"kernel_size": 0, "scale_factor": 1}
_CALLED = {"kernel_size": 1, "scale_factor": 2}
Factor = tuple[Fraction, ...]


def equalling_changes(
    graph: ShapeGraph, groups: Sequence[Group], ends: tuple[int, int], *, grows: bool
) -> Iterator[Change]:
    """What gives one layer the step of all others, where the steps down and up are then as many.

    `ends` are the calls between which they are counted, all on every way. Where the output `grows`, several others have
    to show the step. First come layers that do nothing, on whatever way.
    """
    yield from _no_steps(graph, groups)
    calls = passed(graph, ends[1], ends[0])
    way, reached = {node.index for node in calls}, graph.reached()
    if any(node.index in reached and node.index not in way and scales(node) for node in graph.nodes):
        return
    for group in (each for each in groups if _may_step(each[0])):
        module = group[0].module
        others = [node for node in calls if scales(node) and node.module != module]
        steps = {_step(node) for node in others}
        if [node.module for node in calls].count(module) != 1 or len(steps) != 1:
            continue
        step = steps.pop()
        growing = [
            max(node.factor) > 1 if node.module != module else not is_pool(node)
            for node in calls
            if node.module == module or scales(node)
        ]
        equal = 2 * sum(growing) == len(growing) and not growing[0]
        if equal and step != _step(group[0]) and len(others) >= (_OTHERS_OF_A_MULTIPLE if grows else 1):
            yield from (each for each in _stepping(group, step) if not _skips(group[0], each))


def _skips(node: Node, change: Change) -> bool:
    """Whether a layer would leave rows out, or between those it makes, that it does not leave out as it is."""
    return change.parameter == "stride" and steps_over(node, change.value) and not steps_over(node, change.given)


def mirroring_changes(graph: ShapeGraph, groups: Sequence[Group], ends: tuple[int, int]) -> Iterator[Change]:
    """A stride as the layer has it that its layer mirrors, where the model goes down and up by steps that are alike but
    for that one pair: of the one layer whose kernel is to its stride as in no other that scales, and that gives no
    whole part; of the one layer that cuts into patches what it pads; or of layers with one kernel whose strides are
    alike on another axis. Where both give a whole part or multiple, and no other pair scales the axis on which they are
    unlike, the model gives more frames, or fewer.
    """
    calls = [node for node in passed(graph, ends[1], ends[0]) if scales(node)]
    half = len(calls) // 2
    downs, ups = calls[:half], calls[half:][::-1]
    if len(calls) % 2 or any(max(node.factor) > 1 for node in downs) or any(min(node.factor) < 1 for node in ups):
        return
    unlike = [pair for pair in zip(downs, ups, strict=True) if _step(pair[0]) != _step(pair[1])]
    if len(unlike) != 1:
        return
    lone, usual = _lone_ratio(calls), {_step(node) for node in calls if node not in unlike[0]}
    for node, other in sorted((unlike[0], unlike[0][::-1]), key=lambda pair: _step(pair[0]) in usual):
        group = next((each for each in groups if each[0].module == node.module), None)
        given, value = node.parameter("stride"), other.parameter("stride")
        is_lone = _ratio(node) == lone != () and not is_whole(node)
        alike = _are_alike_on_an_axis(node, other) and not _is_a_change_of_rate(node, other, calls)
        if group and given and value and (is_lone or alike or _is_a_padded_patch(node, other, calls)):
            yield Change(node.module, "stride", given, value, node.built, same_value(group, "stride", given))


def _lone_ratio(calls: Sequence[Node]) -> tuple[Fraction, ...]:
    """The ratio of kernel and stride that one of several calls has, where all others have one ratio; else ()."""
    ratios = Counter(_ratio(node) for node in calls)
    if len(calls) < 2 * _OTHERS_OF_A_MULTIPLE or () in ratios or len(ratios) != _RATIOS:
        return ()
    odd, times = ratios.most_common()[-1]
    return odd if times == 1 else ()


def _are_alike_on_an_axis(node: Node, other: Node) -> bool:
    """Whether two layers have one kernel and one padding, and one stride of more than 1 along some axis."""
    same = all(node.parameter(name) == other.parameter(name) for name in ("kernel_size", "padding"))
    strides = zip(node.parameter("stride") or (), other.parameter("stride") or (), strict=False)
    return same and any(one == two > 1 for one, two in strides)


def _is_a_padded_patch(node: Node, other: Node, calls: Sequence[Node]) -> bool:
    """Whether a layer cuts its input into patches, padded nevertheless, and differs from the other one by that alone;
    no other call does so.
    """
    same = all(node.parameter(name) == other.parameter(name) for name in ("kernel_size", "padding"))
    patching = [each.module for each in calls if set(_ratio(each)) == {1}]
    return same and patching == [node.module] and all(node.parameter("padding") or (0,))


def _is_a_change_of_rate(node: Node, other: Node, calls: Sequence[Node]) -> bool:
    """Whether two layers give a whole part or multiple and no other call scales an axis on which they are unlike."""
    unlike = [axis for axis, (one, two) in enumerate(zip(_step(node), _step(other), strict=True)) if one != two]
    rest = [each for each in calls if each.index not in (node.index, other.index)]
    return is_whole(node) and is_whole(other) and all(_step(each)[axis] == 1 for each in rest for axis in unlike)


def overstepping_changes(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """The stride of each layer that is larger than its kernel, so that rows are stepped over, as another layer has it
    that is like it or that undoes it.
    """
    over = {node.module for node, *_ in groups if steps_over(node, node.parameter("stride") or ())}
    found = chain(unlike_what_they_undo(graph, groups), *(twins(group, groups) for group in groups))
    yield from (each for each in found if each.module in over and each.parameter == "stride")


def _ratio(node: Node) -> tuple[Fraction, ...]:
    """By how many strides the kernel of a call reaches."""
    kernel, stride = node.parameter("kernel_size") or (), node.parameter("stride") or ()
    return tuple(Fraction(k, s) for k, s in zip(kernel, stride, strict=False) if s)


def is_power(change: Change) -> bool:
    """Whether a step is some power of the other, as one resize by four where the others double: it may be meant so."""
    return is_power_of(max(change.given), max(change.value))


def _no_steps(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """The step that most calls have, for each resize and pool that keeps every row: such a one does nothing."""
    steps = Counter(_step(node) for node in graph.nodes if scales(node))
    for group in groups:
        node = group[0]
        idle = node.parameter("scale_factor") or (node.parameter("kernel_size") if is_pool(node) else None)
        if idle and set(idle) == {1} and not scales(node):
            for step, _ in steps.most_common(1):
                yield from _stepping(group, step)


def _may_step(node: Node) -> bool:
    """Whether a layer resizes, is a transposed one, or a pool whose kernel is its stride."""
    return (
        bool(node.parameter("scale_factor"))
        or "transpose" in node.operation
        or (is_pool(node) and strides_by_kernel(node))
    )


def _step(node: Node) -> Factor:
    """By how much a call divides or multiplies the size."""
    return tuple(map(step_of, node.factor))


def _is_written(node: Node, parameter: str) -> bool:
    """Whether the call that builds a layer has a number for an argument: one of a configuration may be 1 as well."""
    call = call_at(node.built)
    position = _POSITIONS[parameter] if node.built != node.place else _CALLED[parameter]
    value = None if call is None else given(call, parameter, position)
    return isinstance(value, ast.Constant | ast.Tuple)


def _stepping(group: Group, step: Factor) -> Iterator[Change]:
    node = group[0]
    if any(each.denominator != 1 for each in step):
        return
    value = tuple(int(each) for each in step)
    parameter = "scale_factor" if node.parameter("scale_factor") else "kernel_size" if is_pool(node) else "stride"
    present = node.parameter(parameter) or ()
    if set(present) == {1} and parameter != "stride" and not _is_written(node, parameter):
        return
    if parameter == "scale_factor":
        value = tuple(dict.fromkeys(value))
    if len(value) == len(present):
        alike = same_value(group, parameter, present)
        yield Change(node.module, parameter, present, value, node.built, alike)
