"""By how much calls divide or multiply the size: which resize does so as no other call, and what steps over rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from shapelint.diagnosis.layer_groups import Group, is_pool, same_value, step_of, strides_by_kernel
from shapelint.facts.diagnosis import Change, called_line
from shapelint.facts.graph import Node, ShapeGraph

_MAJORITY, _SLIP = 2, 3


def scales(node: Node) -> bool:
    """Whether a call divides or multiplies the size on some axis."""
    return any(factor != 1 for factor in node.factor)


def is_power_of(one: int | Fraction, other: int | Fraction) -> bool:
    """Whether of two steps the larger is a power of the smaller, as one resize by four where the others double."""
    less, more = sorted((Fraction(one), Fraction(other)))
    while less > 1 and more % less == 0 and more > less:
        more /= less
    return less == more > 1


def is_grown(graph: ShapeGraph, node: Node) -> bool:
    """Whether what a call takes was made larger before."""
    return any(max(each.factor, default=1) > 1 for each in graph.ancestors(node) if each.index != node.index)


def shrinks_late(graph: ShapeGraph, node: Node, change: Change) -> bool:
    """Whether a change makes a convolution shrink what grew before it."""
    shrinks = change.parameter == "stride" and max(change.value) > 1 and "transpose" not in node.operation
    return shrinks and is_grown(graph, node)


def steps_over(node: Node, stride: Sequence[int]) -> bool:
    """Whether a layer with a stride steps over rows: it is larger than its kernel; one of 1 picks rows on purpose."""
    kernel = node.parameter("kernel_size") or ()
    return any(s > k > 1 for s, k in zip(stride, kernel, strict=False))


def strides_over(groups: Sequence[Group], change: Change) -> bool:
    """Whether a change makes a pool step over rows, or gives a layer a kernel smaller than its stride."""
    node = next(each for each, *_ in groups if each.module == change.module)
    if change.parameter == "kernel_size":
        kernels = zip(change.value, change.given, node.parameter("stride") or (), strict=False)
        return not strides_by_kernel(node) and any(new < s <= old for new, old, s in kernels)
    return change.parameter == "stride" and is_pool(node) and steps_over(node, change.value)


def loses_its_window(groups: Sequence[Group], change: Change) -> bool:
    """Whether a layer that spans several rows would span one: what a larger kernel, a dilation, or one text for several
    layers of an odd kernel is there for; or lose a dilation that is one of several by one text, or the padding of a
    causal one of these. A kernel of 2 or 3 may be a slip for 1.
    """
    node, alike, _ = next(each for each in groups if each[0].module == change.module)
    dilation = node.parameter("dilation") or (1,)
    series = any(getattr(each, "dilation", dilation) not in (dilation, dilation[0]) for each in alike)
    if change.parameter == "dilation" or (series and _pads_all_ahead(node)):
        return series
    if change.parameter != "kernel_size" or set(change.value) != {1} or max(change.given) == 1:
        return False
    several = bool(change.alike) and max(change.given) % 2 == 1
    return max(change.given) > _SLIP or several or series or set(dilation) != {1}


def _pads_all_ahead(node: Node) -> bool:
    """Whether a convolution of a signal is padded by all that it takes off, on both sides, to be cropped behind it."""
    numbers = [node.parameter(name) or () for name in ("kernel_size", "padding", "dilation")]
    if [len(each) for each in numbers] != [1, 1, 1]:
        return False
    (kernel,), (padding,), (dilation,) = numbers
    return padding == dilation * (kernel - 1) > 0


def sees_padding_alone(groups: Sequence[Group], change: Change) -> bool:
    """Whether a layer would be padded by more than its kernel spans, so that its outermost rows see padding alone."""
    node = next(each for each, *_ in groups if each.module == change.module)
    kernel, padding = node.parameter("kernel_size") or (), node.parameter("padding") or ()
    if change.parameter != "padding" or len(kernel) != len(padding) or node.operation.startswith("conv_transpose"):
        return False
    spans = [d * (k - 1) for k, d in zip(kernel, node.parameter("dilation") or (1,) * len(kernel), strict=True)]
    return any(value > max(span, given) for value, span, given in zip(change.value, spans, padding, strict=True))


def scales_alone(groups: Sequence[Group], change: Change) -> bool:
    """Whether a change takes or adds rows, where a factor is missed; or gives a step to a layer that keeps its size and
    is dilated or a kernel of 1, or where no other layer has that step.
    """
    node = next(each for each, *_ in groups if each.module == change.module)
    if change.parameter != "stride":
        return not (change.parameter == "kernel_size" and strides_by_kernel(node))
    if set(change.given) != {1}:
        return False
    steps = (each.parameter("stride") for each, *_ in groups if each.built != node.built)
    mixes = set(node.parameter("kernel_size") or ()) == {1}
    return mixes or set(node.parameter("dilation") or (1,)) != {1} or change.value not in steps


def lone_steps(graph: ShapeGraph, groups: Sequence[Group]) -> list[Change]:
    """The stride of the one convolution of pictures that steps by an odd number where all other calls step by one even
    one, as several layers have it that are like it in all else: behind what grows first that of those that keep theirs.
    One that takes a whole multiple of its step may be meant, as the grid of a detector.
    """
    reached = graph.reached()
    scaling = [each for each in graph.nodes if each.index in reached and scales(each) and not each.parameter("size")]
    found: list[Change] = []
    for group in groups:
        node = group[0]
        stride = node.parameter("stride") or ()
        others = [each for each in scaling if each.built != node.built or each.built is None]
        steps = {step_of(factor) for each in others for factor in each.factor}
        if len(set(stride)) != 1 or len(stride) < _MAJORITY or len(steps) != 1 or len(others) < _MAJORITY:
            continue
        (step,) = steps
        grown = any(max(each.factor, default=1) > 1 for each in graph.ancestors(node))
        wanted = (1 if grown else int(step),) * len(stride)
        like = [
            each
            for each, *_ in groups
            if each.operation == node.operation
            and each.built != node.built
            and each.parameter("stride") == wanted
            and all(each.parameter(name) == node.parameter(name) for name in ("kernel_size", "padding", "dilation"))
        ]
        whole = not any(rows % stride[0] for rows in _rows(graph.nodes[node.inputs[0]], graph)[-len(stride) :])
        odd = stride[0] > 1 and stride[0] % 2 == 1 and step.denominator == 1 and step % 2 == 0 and not whole
        if odd and node.operation.startswith("conv") and "transpose" not in node.operation and len(like) >= _MAJORITY:
            found.append(Change(node.module, "stride", stride, wanted, node.built, same_value(group, "stride", stride)))
    return found if len({each.built for each in found}) == 1 else []


def resized_changes(graph: ShapeGraph, resized: Sequence[Node]) -> Iterator[Change]:
    """The step that most other calls have, for each resize whose step none of them has. A call of a function may resize
    by a power of it, for two levels at once, but where others that grow have the step. One by 1 does nothing, and gets
    the step of any that grows.
    """
    for node in resized:
        others = [each for each in graph.nodes if each.module != node.module and scales(each)]
        steps = Counter(tuple(map(step_of, each.factor)) for each in others)
        given, own = node.parameter("scale_factor"), tuple(map(step_of, node.factor))
        growing = {tuple(map(step_of, each.factor)) for each in others if max(each.factor) > 1}
        whole = [each for each in sorted(growing) if all(part.denominator == 1 for part in each)]
        if given and set(given) == {1}:
            factors = (tuple(dict.fromkeys(map(int, each))) for each in whole)
            yield from (Change(node.module, "scale_factor", given, each, node.built) for each in factors)
        for step, times in steps.most_common(1):
            called = called_line(node.module) is not None and step not in growing
            if called and is_power_of(max(own, default=0), max(step, default=0)):
                continue
            if given and own not in steps and times >= _MAJORITY and all(each.denominator == 1 for each in step):
                yield Change(node.module, "scale_factor", given, tuple(dict.fromkeys(map(int, step))), node.built)


def shortcut_changes(graph: ShapeGraph, groups: Sequence[Group]) -> Iterator[Change]:
    """The stride of the way beside it for a kernel of 1 that is all of a way: the shortcut of a residual block, where
    the last call joins both.
    """
    join = graph.nodes[-1]
    layers = {group[0].index: group for group in groups}
    for own, other in (join.inputs, join.inputs[::-1]) if len(join.inputs) == 2 else ():
        node = graph.nodes[own]
        while node.index not in layers and len(node.inputs) == 1 and not node.spatial:
            node = graph.nodes[node.inputs[0]]
        kernel, given = node.parameter("kernel_size") or (), node.parameter("stride") or ()
        plain = set(kernel) == set(given) == {1} and not any(node.parameter("padding") or ())
        above = list(graph.ancestors(graph.nodes[other]))
        if node.index not in layers or not plain or node.inputs[0] not in {each.index for each in above}:
            continue
        if any(max(each.factor, default=1) > 1 for each in above if each.index > node.inputs[0]):
            continue  # a lateral of a pyramid
        taken, wanted = (_rows(graph.nodes[index], graph)[-len(kernel) :] for index in (node.inputs[0], other))
        value = tuple(round(rows / max(1, left)) for rows, left in zip(taken, wanted, strict=True))
        if value != given and all(step and -(-n // step) == m for step, n, m in zip(value, taken, wanted, strict=True)):
            alike = same_value(layers[node.index], "stride", given)
            yield Change(node.module, "stride", given, value, node.built, alike)


def _rows(node: Node, graph: ShapeGraph) -> tuple[int, ...]:
    return node.shapes[0].value(graph.sizes) if node.shapes else ()
