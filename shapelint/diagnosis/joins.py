"""The tensors of a join that differ in size, and unpoolings that give another size than their pool took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from shapelint.facts.diagnosis import Mismatch, ShortUnpooling
from shapelint.facts.graph import Node, ShapeGraph


@dataclass(frozen=True, slots=True)
class Unlike:
    """The tensors of a join that differ in size: the numbers of the skip and of the one that grew, and what grew it."""

    skip: int
    grown: int
    up: Node | None


def unlike(graph: ShapeGraph, node: Node, rank: int, focus: Mapping[str, int]) -> Unlike | None:
    """Which operands of a join differ; None where it has no two of them."""
    operands = [graph.nodes[index] for index in dict.fromkeys(node.inputs) if graph.nodes[index].shapes]
    if len(operands) < 2:
        return None
    skip, grown = skip_first(graph, *differing(operands, rank, dict(focus)))
    return Unlike(operands.index(skip), operands.index(grown), last_up(graph, grown))


def is_far_apart(mismatch: Mismatch) -> bool:
    """Whether on some axis one of the sizes of a join is half the other or less, which is more than a lost row."""
    return any(2 * min(pair) <= max(pair) for pair in zip(*mismatch.sizes, strict=False))


def differing(operands: list[Node], rank: int, focus: dict[str, int]) -> tuple[Node, Node]:
    """The first two operands whose sizes differ; the later made one second."""
    ordered = sorted(operands, key=lambda each: each.index)
    for one, two in combinations(ordered, 2):
        shapes = one.shapes[0].value(focus), two.shapes[0].value(focus)
        if shapes[0][-rank:] != shapes[1][-rank:] or are_tokens(*shapes, rank):
            return one, two
    return ordered[0], ordered[1]


def are_tokens(one: tuple[int, ...], two: tuple[int, ...], rank: int) -> bool:
    """Whether two tensors differ only in their number of tokens, which stands before the channels."""
    return len(one) == len(two) == 3 and rank == 1 and one[2] == two[2] and one[1] != two[1]


def unequal(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The sizes of two shapes on the axes, counted from the last, on which they differ."""
    pairs = [pair for pair in zip(reversed(one), reversed(two), strict=False) if pair[0] != pair[1]]
    return tuple(pair[0] for pair in reversed(pairs)), tuple(pair[1] for pair in reversed(pairs))


def levels_like(graph: ShapeGraph, one: Node, other: Node, focus: Mapping[str, int]) -> tuple[str, ...]:
    """What else gives maps of the size of `one`, by name: levels that would fit it at a join with `other`."""
    rank = len(one.shapes[0].dims) - 2
    size = one.shapes[0].value(dict(focus))[-rank:] if rank > 0 else ()
    grown = {node.index for node in graph.ancestors(one, lambda each: () if _grows(each) else each.inputs)}
    maps = (node for node in graph.nodes if size and node.spatial == rank and node.shapes and node.index not in grown)
    names = (named_source(graph, node) for node in maps if node.shapes[0].value(dict(focus))[-rank:] == size)
    own = {named_source(graph, one), named_source(graph, other)}
    return tuple(name for name in dict.fromkeys(names) if name and name not in own)


def _grows(node: Node) -> bool:
    return any(factor > 1 for factor in node.factor)


def skip_first(graph: ShapeGraph, one: Node, two: Node) -> tuple[Node, Node]:
    """The two operands, the skip first: a way without growth leads to it, also where a gate scales it."""
    grown = _always_grown(graph, one), _always_grown(graph, two)
    if grown[0] != grown[1]:
        return (two, one) if grown[0] else (one, two)
    ups = last_up(graph, one), last_up(graph, two)
    if ups[0] is not None and (ups[1] is None or ups[1].index < ups[0].index):
        return two, one
    return one, two


def _always_grown(graph: ShapeGraph, node: Node) -> bool:
    """Whether every way from an input to a tensor leads through a call that multiplies the size."""
    ways = graph.ancestors(node, lambda each: () if any(factor > 1 for factor in each.factor) else each.inputs)
    return not any(each.operation == "input" for each in ways)


_ENDS = frozenset({"cat", "concat", "input"})
_SETTERS = _ENDS | {"repeat", "expand", "tile", "repeat_interleave", "stack", "__getitem__", "narrow"}


def named_source(graph: ShapeGraph, node: Node) -> str:
    """What gave a tensor its size: the last spatial call on its way."""
    return _first_up(graph, node, lambda each: each.operation in _ENDS or bool(each.spatial and not _is_slice(each)))


def nearest_source(graph: ShapeGraph, node: Node) -> str:
    """The last layer on the way to a tensor, or the call that set its size: where both come from one layer or input."""
    return _first_up(graph, node, lambda each: each.operation in _SETTERS or each.built is not None)


def _first_up(graph: ShapeGraph, node: Node, sets_size: Callable[[Node], bool]) -> str:
    """The name of the first call on the way up to what a tensor has its size from."""
    while node.inputs and not sets_size(node):
        node = _sized_by(graph, node)
    return node.source or graph.name_of(node)


def _is_slice(node: Node) -> bool:
    return node.operation == "__getitem__"


def _sized_by(graph: ShapeGraph, node: Node) -> Node:
    """The tensor that a call has its size from: the first of as many axes as any, not the scalar before it."""
    taken = [graph.nodes[index] for index in node.inputs]
    most = max(len(each.shapes[0].dims) if each.shapes else 0 for each in taken)
    return next(each for each in taken if (len(each.shapes[0].dims) if each.shapes else 0) == most)


def last_up(graph: ShapeGraph, node: Node) -> Node | None:
    """The last call before a tensor that multiplied its size; a resize to a given size, as in a gate, does not."""
    waiting, found = [node.index], -1
    seen: set[int] = set()
    while waiting:
        index = waiting.pop()
        each = graph.nodes[index]
        if any(factor > 1 for factor in each.factor) and each.parameter("size") is None:
            found = max(found, index)
            continue
        if index not in seen:
            seen.add(index)
            waiting.extend(each.inputs)
    return graph.nodes[found] if found >= 0 else None


def short_unpoolings(graph: ShapeGraph, focus: Mapping[str, int]) -> Iterator[ShortUnpooling]:
    """The unpoolings of a run that miss their pool's size, in order; also the one with which it ended."""
    for node in graph.nodes:
        made = [graph.nodes[index] for index in node.inputs] if node.operation.startswith("max_unpool") else []
        pool = next((each for each in made if each.operation.endswith("with_indices")), None)
        given = node.parameter("output_size")
        if node.shapes:
            given = node.shapes[0].value(dict(focus))
        if pool is None or given is None or not pool.spatial or not pool.inputs:
            continue
        taken = graph.nodes[pool.inputs[0]].shapes[0].value(dict(focus))[-pool.spatial :]
        if given[-pool.spatial :] != taken:
            yield ShortUnpooling(node, pool, given[-pool.spatial :], taken)
