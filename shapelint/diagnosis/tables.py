"""Finds the table of positions that is too short: an index beyond its rows, or a join with what was made of it alone.

Such a table is a parameter or buffer: an embedding, learned or computed positions, a mask, a relative bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from shapelint.facts.analysis import ShortTable
from shapelint.facts.contract import Region
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import Dimension, Node, ShapeGraph
from shapelint.ops.index_origin import LIKE_ANOTHER
from shapelint.request.question import Question

_PARTS_STAND_SIDE_BY_SIDE = frozenset({"cat", "concat", "stack", "hstack", "vstack"})
_ATTENTION = "multi_head_attention_forward"
_KEEPING = frozenset({"unsqueeze", "expand", "view", "reshape", "repeat", "to", "long", "expand_as", "contiguous"})


def short_table(
    graph: ShapeGraph, node: Node | None, region: Region, question: Question, focus: Mapping[str, int]
) -> ShortTable | None:
    """The table because of which a call raises in a region; None where that is no table's size.

    `node` is the call, in a graph that has what it takes.
    """
    failure = region.outcome.failure
    if node is None or failure is None or failure.kind not in (Kind.INDEX, Kind.JOIN):
        return None
    left, right = _value(failure.left, focus), _value(failure.right, focus)
    operands = [graph.nodes[index] for index in node.inputs]
    if failure.kind is Kind.INDEX:
        chosen = any(_takes_input(graph, each) for each in operands)
        if not node.taken or not operands or chosen or not _asks_for_size(failure.right, question):
            return None
        wanted = right if right < left else max(right + 1, *_counted(graph, operands, focus), 0)
        return ShortTable(node, _name(node.taken[0]), left, wanted, indexed=True)
    if node.operation in _PARTS_STAND_SIDE_BY_SIDE or node.operation.endswith("_cell"):
        return None
    tables = [each for each in operands if not _takes_input(graph, each)]
    others = [each for each in operands if each not in tables and each.shapes]
    own = f"{node.module}." if node.operation == _ATTENTION else None  # its weights have no positions
    names = chain((_name(each) for each in node.taken), *(_names(graph, each) for each in tables))
    name = next((each for each in names if own is None or not each.startswith(own)), "")
    shapes = {each.shapes[0].value(dict(focus)) for each in others}
    if not name or len(shapes) != 1:
        return None
    shape = shapes.pop()
    wanted, rows = (left, right) if left in shape and right not in shape else (right, left)
    if wanted not in shape or rows in shape or rows < 2:
        return None
    if node.operation != _ATTENTION and not _counts_tokens(failure, wanted, shape, question, focus):
        return None
    varies = not any(each == rows for each in (failure.left, failure.right)) and bool(question.symbols)
    return ShortTable(node, name, rows, wanted, indexed=False, varies=varies)


def _counted(graph: ShapeGraph, indices: Sequence[Node], focus: Mapping[str, int]) -> Iterator[int]:
    """How many rows indices that are counted from 0 take, where they are: a kernel stops at the first that misses."""
    for node in indices:
        while node.operation in _KEEPING and node.inputs:
            node = graph.nodes[node.inputs[0]]
        if node.operation == "arange" and node.shapes:
            yield from node.shapes[0].value(dict(focus))


def _value(dim: Dimension, sizes: Mapping[str, int]) -> int:
    return dim if isinstance(dim, int) else dim.value(sizes)


def _asks_for_size(dim: Dimension, question: Question) -> bool:
    """Whether a number depends on the size of the input, as far as the inputs have symbols."""
    return not question.symbols or not isinstance(dim, int)


def _counts_tokens(
    failure: Failure, wanted: int, shape: tuple[int, ...], question: Question, focus: Mapping[str, int]
) -> bool:
    """Whether what the table should have as many of are positions and no channels."""
    if question.symbols:
        return any(not isinstance(each, int) for each in (failure.left, failure.right))
    dims = {dim.value(focus) for tensor in question.inputs.tensors() for dim in tensor.dims}
    return wanted in dims or wanted in shape[1:-1]


def _takes_input(graph: ShapeGraph, node: Node) -> bool:
    """Whether a tensor is made of an input's numbers; another tensor's device or size makes no difference."""
    return any(each.operation == "input" for each in graph.ancestors(node, _numbers_from))


def _numbers_from(node: Node) -> Sequence[int]:
    """The calls whose numbers a call takes."""
    if node.operation in LIKE_ANOTHER:
        return () if node.taken else node.inputs[:1]
    return node.inputs


def _names(graph: ShapeGraph, node: Node) -> Iterator[str]:
    """The parameters and buffers that a tensor is made of, the last one used first."""
    return (_name(path) for each in graph.ancestors(node) for path in each.taken)


def _name(path: str) -> str:
    """An embedding by its module, another table by its own name."""
    return path.removesuffix(".weight")
