"""Pairs each down-sampling layer with the up-sampling layers that mirror it.

The idea: walking the recorded calls in order, every tensor carries the stack of resamplings that are still open
on its way from the input. A layer that shrinks pushes itself; one that grows by the inverse factor closes the
top, and the two are a pair. A join takes the stack of the tensor that lies on fewer resamplings (the skip, which
comes from the encoder), so a pairing that went wrong below a join is right again above it. Neither names nor the
order of definition matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from shapelint.facts.graph import Node, Pair, ShapeGraph

Factor = tuple[Fraction, ...]
_CROPS = frozenset({"__getitem__", "narrow", "pad"})


@dataclass(frozen=True, slots=True)
class Open:
    """Down-sampling calls whose mirror has not come yet; `ups` close a part of `factor` already."""

    downs: tuple[int, ...]
    ups: tuple[int, ...]
    factor: Factor
    change: tuple[int, ...]
    below: Open | None
    depth: int


def mirrored_pairs(graph: ShapeGraph, sizes: Mapping[str, int]) -> tuple[Pair, ...]:
    """The pairs of a run, in the order in which they are closed, with their sizes where the symbols are `sizes`."""
    stacks: dict[int, Open | None] = {}
    pairs: list[Pair] = []
    maps = _maps(graph)
    for node in graph.nodes:
        known = [index for index in node.inputs if index in stacks]
        if not known and node.index not in maps:
            continue  # made of constants alone, or of an input that is no map: a time step, a text
        stack = _joined(known, stacks)
        if node.spatial and node.shapes and node.inputs:
            before, after = spatial_size(graph, node, sizes, out=False), spatial_size(graph, node, sizes)
            stack, closed = _step(node, stack, before, after)
            if closed is not None:
                pairs.append(_pair(graph, closed, sizes))
        stacks[node.index] = stack
    return tuple(pairs)


def _maps(graph: ShapeGraph) -> set[int]:
    """The inputs that have as many axes as the first one, or more."""
    ranks = {index: len(shape.dims) for index in graph.inputs for shape in graph.nodes[index].shapes}
    least = ranks.get(graph.inputs[0], 0) if graph.inputs else 0
    return {index for index in graph.inputs if ranks.get(index, 0) >= least}


def spatial_size(graph: ShapeGraph, node: Node, sizes: Mapping[str, int], *, out: bool = True) -> tuple[int, ...]:
    """The last `node.spatial` dimensions of what a call gives, or of what it takes."""
    source = node if out else _before_padding(graph, graph.nodes[node.inputs[0]], sizes)
    if not source.shapes:
        return ()
    return source.shapes[0].value(dict(sizes))[-node.spatial :]


def _before_padding(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> Node:
    """What was padded on its way into a layer: a pad is a part of the layer that follows it, with a slice that takes
    all of it, such as that of a helper which cuts off what it added for short inputs.
    """
    while node.inputs and (node.operation == "pad" or _takes_all(graph, node, sizes)):
        node = graph.nodes[node.inputs[0]]
    return node


def _takes_all(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> bool:
    taken = graph.nodes[node.inputs[0]].shapes
    if node.operation != "__getitem__" or not (taken and node.shapes):
        return False
    return node.shapes[0].value(dict(sizes)) == taken[0].value(dict(sizes))


def _joined(inputs: Sequence[int], stacks: Mapping[int, Open | None]) -> Open | None:
    """The stack of the input on the fewest open resamplings; of equal ones, the first made."""
    ordered = sorted(set(inputs), key=lambda index: (_depth(stacks[index]), index))
    return stacks[ordered[0]] if ordered else None


def _depth(stack: Open | None) -> int:
    return 0 if stack is None else stack.depth


def _step(
    node: Node, stack: Open | None, before: tuple[int, ...], after: tuple[int, ...]
) -> tuple[Open | None, Open | None]:
    """The stack after a spatial call, and what the call closes."""
    if len(before) != len(after):
        return stack, None
    change = tuple(b - a for a, b in zip(before, after, strict=True))
    shrinks = all(each <= 1 for each in node.factor) and any(each < 1 for each in node.factor)
    grows = all(each >= 1 for each in node.factor) and any(each > 1 for each in node.factor)
    if shrinks or (not grows and any(each < 0 for each in change)):
        return Open((node.index,), (), node.factor, change, stack, _depth(stack) + 1), None
    if grows:
        return _close(node, stack)
    if any(each > 0 for each in change) and stack is not None and not _resamples(stack):
        opposite = tuple(-each for each in change)
        if stack.change == opposite:
            return stack.below, replace(stack, ups=(node.index,))
    return stack, None


def _resamples(stack: Open) -> bool:
    return any(each != 1 for each in stack.factor)


def _close(node: Node, stack: Open | None) -> tuple[Open | None, Open | None]:
    """Closes as many open down-samplings as the growing call undoes."""
    top = stack
    while top is not None and not _resamples(top):
        top = top.below
    if top is None:
        return stack, None
    if len(top.factor) != len(node.factor):
        return top.below, None
    rest = tuple(one * two for one, two in zip(top.factor, node.factor, strict=True))
    closing = replace(top, ups=(*top.ups, node.index), factor=rest)
    if all(each == 1 for each in rest):
        return top.below, closing
    if all(each <= 1 for each in rest):
        return closing, None
    merged = _merged(top, top.below)
    return (stack, None) if merged is None else _close(node, merged)


def _merged(top: Open, below: Open | None) -> Open | None:
    """Two neighbouring open resamplings as one, to be closed together."""
    while below is not None and not _resamples(below):
        below = below.below
    if below is None or len(below.factor) != len(top.factor):
        return None
    factor = tuple(one * two for one, two in zip(below.factor, top.factor, strict=True))
    return Open((*below.downs, *top.downs), (*below.ups, *top.ups), factor, below.change, below.below, below.depth)


def _pair(graph: ShapeGraph, closed: Open, sizes: Mapping[str, int]) -> Pair:
    first, last = graph.nodes[closed.downs[0]], graph.nodes[closed.ups[-1]]
    before, after = spatial_size(graph, first, sizes, out=False), _cropped(graph, last, sizes)
    return Pair(
        down=tuple(graph.name_of(graph.nodes[index]) for index in closed.downs),
        up=tuple(graph.name_of(graph.nodes[index]) for index in closed.ups),
        size_in=before,
        size_out=after,
        remainder=_lost([graph.nodes[index] for index in closed.downs], graph, sizes),
        down_nodes=closed.downs,
        up_nodes=closed.ups,
    )


def _cropped(graph: ShapeGraph, node: Node, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The size that a layer gives after the crops that follow it at once: they are a part of it."""
    rank, index, shape = node.spatial, node.index, node.shapes[0].value(dict(sizes))
    for each in graph.nodes[index + 1 :]:
        if index in each.inputs:
            smaller = each.shapes[0].value(dict(sizes)) if each.shapes and each.inputs == (index,) else ()
            if each.operation not in _CROPS or not _is_part(smaller, shape, rank):
                break
            index, shape = each.index, smaller
    return shape[-rank:]


def _is_part(smaller: tuple[int, ...], shape: tuple[int, ...], rank: int) -> bool:
    """Whether a shape has lost some rows of its spatial axes to a crop, and not every other row."""
    if len(smaller) != len(shape) or smaller[:-rank] != shape[:-rank]:
        return False
    return all(one <= two < 2 * one for one, two in zip(smaller[-rank:], shape[-rank:], strict=True))


def _lost(downs: Sequence[Node], graph: ShapeGraph, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """What several down-samplings lose together, in rows of the first one's input."""
    total, scale = [0] * downs[0].spatial, [Fraction(1)] * downs[0].spatial
    for node in downs:
        for axis, rows in enumerate(remainder_of(node, graph, sizes)):
            total[axis] += int(rows * scale[axis])
            scale[axis] /= node.factor[axis]
    return tuple(total)


def remainder_of(node: Node, graph: ShapeGraph, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """(n + 2p - d(k-1) - 1) mod s per axis: the rows of the padded input that no window covers."""
    before = graph.nodes[node.inputs[0]].shapes[0].value(dict(sizes))[-node.spatial :]
    kernel, stride = node.parameter("kernel_size"), node.parameter("stride")
    if kernel is None or stride is None:
        return (0,) * len(before)
    none = (0,) * len(before)
    padding = node.parameter("padding") or none
    total = node.parameter("padding_total") or tuple(2 * each for each in padding)
    dilation = node.parameter("dilation") or (1,) * len(before)
    return tuple(
        (n + p - d * (k - 1) - 1) % s for n, p, d, k, s in zip(before, total, dilation, kernel, stride, strict=True)
    )
