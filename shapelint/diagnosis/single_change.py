"""Looks for the one argument of one layer that, changed a little, gives the output the size that is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from torch import nn

from shapelint.diagnosis.case import Case
from shapelint.diagnosis.intent import is_restored
from shapelint.diagnosis.pairs import mirrored_pairs, spatial_size
from shapelint.diagnosis.soundness import sound_meaning
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.source.span import Span
from shapelint.trace.branch import frozen_shape
from shapelint.trace.budget import Budget
from shapelint.trace.explore import Exploration
from shapelint.trace.run import overriding

_STEPS = (-1, 1, -2, 2, -3, 3)
_CALLS, _SECONDS = 40_000, 8.0
_FAR = 1 << 12
_LOWEST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
_STEPPED = ("kernel_size", "stride", "padding")


def single_change(
    case: Case, graph: ShapeGraph, focus: Mapping[str, int], preferred: Iterable[Change] = (), suspect: str = ""
) -> Change | None:
    """The change of one convolution's argument that is right at the focus, seen in a run: of the layer `suspect`, else
    of an odd one out, else one of the preferred, else the smallest of kernel, padding or stride; of a layer whose own
    size is a whole part or multiple of what it takes, no such one: it would be made to mend what is not its fault.

    A module that only calls a function has no such argument.
    """
    groups = layer_groups(case.explored, graph, case.built)
    candidates = list(steps_from(groups))
    first = [change for change in candidates if change.module == suspect]
    layers = {node.module for node in graph.nodes if "Conv" in node.kind}
    wished = [each for each in preferred if each.module in layers]
    uneven = _uneven(graph, groups, focus)
    likely = (each for each in candidates if each.module in uneven)
    known = chain(first, changes_unlike_the_others(graph, groups, focus), wished, likely)
    return first_that(case.explored, known, lambda trial: restores_at(trial, case.question, case.expect, focus))


def sound_change(case: Case, graph: ShapeGraph, focus: Mapping[str, int], *, restoring: bool) -> Change | None:
    """The change of one argument with which a model that raises does what its author would accept.

    With `restoring` it must be meant to give its input's size back, and do so: a layer that takes features of one size
    is no sign of a wrong argument elsewhere.
    """
    groups = layer_groups(case.explored, graph, case.built)
    uneven = _uneven(graph, groups, focus)
    candidates = sorted(steps_from(groups), key=lambda change: change.module not in uneven)
    keeping = (each for each in groups if each[0].module in uneven and set(each[0].factor) == {1})
    evened = chain.from_iterable(map(evenly_padded, keeping))
    known = chain(evened, changes_unlike_the_others(graph, groups, focus), candidates)

    def works(trial: Exploration) -> bool:
        run = trial.run(focus, symbolic=False)
        if run.failure is not None or run.error is not None:
            return False
        meaning = sound_meaning(trial, case.question, case.expect, focus)
        return meaning is not None and (meaning.meant or not restoring)

    return first_that(case.explored, known, works)


def unlike_the_others(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Change | None:
    """The change of an argument that one layer has otherwise than those like it, or its mirror, that is right at the
    focus; of layers whose own size is no whole part or multiple of what they take.
    """
    groups = layer_groups(case.explored, graph, case.built)
    uneven = _uneven(graph, groups, focus)
    changes = [each for each in changes_unlike_the_others(graph, groups, focus) if each.module in uneven]
    return first_that(case.explored, changes, lambda trial: restores_at(trial, case.question, case.expect, focus))


def changes_unlike_the_others(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> list[Change]:
    """Arguments that one layer has otherwise than those like it, or than its mirror: first of layers whose own size is
    no whole part or multiple of what they take.
    """
    uneven = _uneven(graph, groups, sizes)
    found = [*odd_ones_out(groups), *_unlike_their_mirrors(graph, groups, sizes)]
    found += [*_unlike_what_they_undo(graph, groups), *_not_growing(graph, groups)]
    return sorted(dict.fromkeys(found), key=lambda change: (_ends_scaling(change), change.module not in uneven))


def _ends_scaling(change: Change) -> bool:
    """Whether a layer would keep its size as it did not before: what scales is rarely the one that is wrong."""
    return change.parameter == "stride" and set(change.value) == {1}


def _unlike_what_they_undo(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Strides of layers, each as that of a layer which it undoes, or which undoes it, has it: one with an equal kernel,
    or where as many calls grow as shrink, the first that shrinks for the last that grows.
    """
    reached = graph.reached() if graph.outputs else range(len(graph.nodes))
    scaling = [node for node in graph.nodes if node.index in reached and any(each != 1 for each in node.factor)]
    downs, ups = ([node for node in scaling if (min(node.factor) < 1) is shrinks] for shrinks in (True, False))
    mirrored = list(zip(downs, reversed(ups), strict=False)) if len(downs) == len(ups) else []
    shrinking, growing = (
        [each[0] for each in groups if ("transpose" in each[0].operation) is up] for up in (False, True)
    )
    both = ((one, two) for one in shrinking for two in growing)
    mirrored += [(one, two) for one, two in both if one.parameter("kernel_size") == two.parameter("kernel_size")]
    known = {group[0].module: group for group in groups}
    for pair in mirrored:
        for node, other in (pair, reversed(pair)):
            given, value = node.parameter("stride"), other.parameter("stride")
            if node.module in known and given and value and given != value and len(given) == len(value):
                alike = same_value(known[node.module], "stride", given)
                yield Change(node.module, "stride", given, value, node.built, alike)


def _not_growing(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """Transposed layers of stride 1, with the stride by which the model goes down most often."""
    factors = (node.factor for node in graph.nodes if node.factor)
    downs = Counter(factor for factor in factors if min(factor) < 1 >= max(factor))
    for factor, _ in downs.most_common(1):
        stride = tuple(round(1 / each) for each in factor)
        for group in groups:
            given = group[0].parameter("stride")
            if group[0].operation.startswith("conv_transpose") and given == (1,) * len(stride):
                alike = same_value(group, "stride", given)
                yield Change(group[0].module, "stride", given, stride, group[0].built, alike)


def _uneven(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> set[str]:
    return {group[0].module for group in groups if not is_even(graph, group[0], sizes)}


def is_even(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> bool:
    """Whether a layer, alone or with what pads its input, gives just so many times what it takes; down to less than a
    stride.
    """
    source, given = graph.nodes[node.inputs[0]], spatial_size(graph, node, sizes)
    alone = source.shapes[0].value(dict(sizes))[-node.spatial :] if source.shapes else ()
    return any(
        len(taken) == len(given)
        and all(abs(n * factor - m) < 1 for n, m, factor in zip(taken, given, node.factor, strict=False))
        for taken in (spatial_size(graph, node, sizes, out=False), alone)
    )


def _unlike_their_mirrors(graph: ShapeGraph, groups: Sequence[Group], sizes: Mapping[str, int]) -> Iterator[Change]:
    """The arguments in which the two layers of a pair differ, each as the other has it."""
    known = {group[0].module: group for group in groups}
    for pair in mirrored_pairs(graph, sizes):
        layers = [graph.nodes[index] for index in (*pair.down_nodes, *pair.up_nodes)]
        if len(layers) == 2 and all(layer.module in known for layer in layers):
            for change in chain(as_in(layers[0], layers[1]), as_in(layers[1], layers[0])):
                alike = same_value(known[change.module], change.parameter, change.given)
                yield replace(change, alike=alike)


def as_in(layer: Node, other: Node) -> Iterator[Change]:
    """The arguments of a layer as another one has them."""
    for name in _LOWEST:
        given, value = layer.parameter(name), other.parameter(name)
        if given is not None and value is not None and given != value and len(given) == len(value):
            yield Change(layer.module, name, given, value, layer.built)


def first_that(explored: Exploration, changes: Iterable[Change], works: Callable[[Exploration], bool]) -> Change | None:
    """The first of some changes with which a trial works, within a budget."""
    budget = Budget(calls=_CALLS, seconds=_SECONDS)
    for change in dict.fromkeys(changes):
        if budget.spent():
            return None
        values = dict.fromkeys((change.module, *change.alike), change.value)
        trial = Exploration(explored.subject, explored.domain, overriding(values, change.parameter), budget=budget)
        if works(trial):
            return change
    return None


def restores_at(trial: Exploration, question: Question, expect: Expectation | None, focus: Mapping[str, int]) -> bool:
    """Whether a trial gives at a size what is expected there, or the input's size."""
    run = trial.run(focus, symbolic=False)
    shapes = tuple(map(frozen_shape, run.outputs))
    return run.failure is None and is_restored(shapes, question, expect, focus)


def fitting_kernel(explored: Exploration, graph: ShapeGraph, node: Node, focus: Mapping[str, int]) -> Change | None:
    """The largest kernel that fits what a convolution gets, where the model runs with it at the focus."""
    kernel, padding, dilation = (node.parameter(name) for name in ("kernel_size", "padding", "dilation"))
    if kernel is None or padding is None or dilation is None or "Conv" not in node.kind or not node.inputs:
        return None
    taken = graph.nodes[node.inputs[0]].shapes[0].value(dict(focus))[-len(kernel) :]
    largest = tuple((n + 2 * p - 1) // d + 1 for n, p, d in zip(taken, padding, dilation, strict=True))
    change = Change(node.module, "kernel_size", kernel, tuple(map(min, kernel, largest)), node.built)
    if any(value < 1 for value in change.value):
        return None
    overrides = overriding({change.module: change.value}, change.parameter)
    run = Exploration(explored.subject, explored.domain, overrides).run(focus, symbolic=False)
    return change if run.failure is None else None


Group = tuple[Node, tuple[nn.Module, ...], tuple[str, ...]]
"""A layer of a run, and the other layers that the same call built: one text changes all of them."""


def layer_groups(explored: Exploration, graph: ShapeGraph, built: Mapping[str, Span]) -> list[Group]:
    """The convolutions of a run whose arguments set their size, each with what the same call built besides."""
    root = explored.subject.module
    found: dict[Span, list[str]] = {}
    for name, part in root.named_modules():
        place = built.get(name) if isinstance(part, nn.modules.conv._ConvNd) else None
        if place is not None:
            found.setdefault(place, []).append(name)
    groups: list[Group] = []
    for module, node in {node.module: node for node in graph.nodes if _is_layer(node)}.items():
        place = built.get(module)
        alike = [name for name in (found.get(place, ()) if place else ()) if name != module]
        groups.append((node, tuple(map(root.get_submodule, alike)), tuple(alike)))
    return groups


def odd_ones_out(groups: Sequence[Group]) -> Iterator[Change]:
    """Changes of an argument to the value that most layers of its kind have, where few have another."""
    for parameter in _LOWEST:
        for group in groups:
            node, given = group[0], group[0].parameter(parameter)
            others = [each for each, *_ in groups if each.operation == node.operation and each.module != node.module]
            values = Counter(value for each in others if (value := each.parameter(parameter)) is not None)
            for value, times in values.most_common(2):
                if given is not None and value != given and len(value) == len(given) and times > values[given]:
                    yield Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))


def evenly_padded(group: Group) -> Iterator[Change]:
    """Half of the reach as padding, and the kernel that the padding is half the reach of; of a layer that shrinks the
    kernel only where half of the reach is no padding at all.
    """
    node = group[0]
    kernel, padding, dilation = (node.parameter(name) for name in ("kernel_size", "padding", "dilation"))
    if kernel is None or padding is None or dilation is None or any(factor > 1 for factor in node.factor):
        return
    half = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    whole = tuple(2 * p // d + 1 for p, d in zip(padding, dilation, strict=True))
    changes = [("padding", padding, half), ("kernel_size", kernel, whole)]
    if any(factor != 1 for factor in node.factor):
        changes = changes[:1] if all(half) else changes[1:]
    for parameter, given, value in changes:
        if value != given:
            yield Change(node.module, parameter, given, value, node.built, same_value(group, parameter, given))


def steps_from(groups: Sequence[Group]) -> Iterator[Change]:
    """Changes by one step before those by two; of equal ones, kernels first, and the last layer first.

    Layers that one call builds with the same value change together.
    """
    for step in _STEPS:
        for parameter in _STEPPED:
            for group in reversed(groups):
                node, given = group[0], group[0].parameter(parameter)
                if given is None or any(value + step < _LOWEST[parameter] for value in given):
                    continue
                value = tuple(each + step for each in given)
                same = same_value(group, parameter, given)
                yield Change(node.module, parameter, given, value, node.built, same)


def same_value(group: Group, parameter: str, given: tuple[int, ...]) -> tuple[str, ...]:
    """The layers that the same call built with the same value of an argument."""
    parts = zip(group[1], group[2], strict=True)
    return tuple(name for part, name in parts if getattr(part, parameter, None) == given)


def _is_layer(node: Node) -> bool:
    """Whether a call is a convolution's whose arguments set its size; with `output_size=` the layer works them out."""
    known = node.parameter("kernel_size") is not None
    return node.operation.startswith("conv") and "Conv" in node.kind and known and not takes_output_size(node)


def takes_output_size(node: Node) -> bool:
    """Whether a transposed layer is called with `output_size=`."""
    return bool(node.parameter("output_size"))
