"""Finds joins that repeat an axis of size 1 at some input sizes, where at the others both tensors have equal sizes, and
losses that repeat both tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest

from shapelint.diagnosis.case import Case
from shapelint.diagnosis.joins import named_source
from shapelint.diagnosis.reach import UNSOLVED, ExamplePoint, dims_of, reaching
from shapelint.facts.analysis import Broadcast
from shapelint.facts.contract import Contract, Region
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.size.condition import all_of, equal, negate
from shapelint.size.function import Function, constant, symbol
from shapelint.size.sets import SizeSet
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze
from shapelint.trace.recording.record import Record

JOINS = frozenset({
    "add", "add_", "__iadd__", "sub", "sub_", "__isub__", "__rsub__", "rsub", "mul", "mul_", "__imul__", "div", "div_",
    "__itruediv__", "maximum", "minimum", "where", "lerp",
})  # fmt: skip
_LOSSES = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_ONE = constant(1)


def broadcasts(explored: Exploration, contract: Contract, case: Case, example: ExamplePoint) -> tuple[Broadcast, ...]:
    """Each such join once, with all the sizes at which it repeats a tensor."""
    found: dict[object, Broadcast] = {}
    for region in contract.regions if contract.proved else ():
        try:
            for each in _in_region(explored, region, case, example) if region.outcome.ok else ():
                known = found.setdefault(each.node.place or each.node.index, each)
                if known is not each:
                    found[each.node.place or each.node.index] = replace(known, sizes=known.sizes | each.sizes)
        except UNSOLVED:
            continue
    return tuple(found.values())


def _in_region(explored: Exploration, region: Region, case: Case, example: ExamplePoint) -> Iterator[Broadcast]:
    spatial = frozenset[str]().union(*(dim.symbols() for dim in case.question.target))
    run = explored.runs[region.run]
    tried: set[tuple[Function, Function]] = set()
    for index, record in enumerate(run.records):
        if record.name in _LOSSES and len(record.inputs) == 2:
            yield from _of_loss(explored, region, case, index, example)
        for one, other in _operands(run.records, record) if record.name in JOINS else ():
            for pair in zip(reversed(dims_of(run.records[one])), reversed(dims_of(run.records[other])), strict=False):
                if pair in tried or not _may_repeat(pair, spatial):
                    continue
                tried.add(pair)
                sizes = _repeating(pair, region.sizes, case.contract.runs)
                sizes = sizes and reaching(run, -1, sizes)
                if sizes:
                    graph = freeze(run, explored.subject.module, case.built)
                    yield _told(graph, index, (one, other), sizes, example.at(sizes) or {}, named_source)


def _of_loss(
    explored: Exploration, region: Region, case: Case, index: int, example: ExamplePoint
) -> Iterator[Broadcast]:
    """A loss of two tensors each of which is repeated to the other: (n, 1) and (n,) are compared n * n times."""
    run = explored.runs[region.run]
    one, other = run.records[index].inputs
    shapes = (reversed(dims_of(run.records[each])) for each in (one, other))
    pairs = list(zip_longest(*shapes, fillvalue=_ONE))
    grown = [first for first, second in pairs if second is _ONE is not first]
    spread = [second for first, second in pairs if first is _ONE is not second]
    if not grown or not spread:
        return
    many = all_of(negate(equal(size, _ONE)) for size in (grown[0], spread[0]))
    sizes = region.sizes & SizeSet.where(region.sizes.symbols, many)
    if sizes:
        graph = freeze(run, explored.subject.module, case.built)
        yield _told(graph, index, (one, other), sizes, example.at(sizes) or {}, _name)


def _operands(records: list[Record], record: Record) -> Iterator[tuple[int, int]]:
    """The pairs of recorded tensors that a call joins, in both orders; no parameters, which have no call."""
    nodes = [index for index in dict.fromkeys(record.inputs) if dims_of(records[index])]
    yield from ((one, other) for one in nodes for other in nodes if one != other)


def _may_repeat(pair: tuple[Function, Function], spatial: frozenset[str]) -> bool:
    """Whether the first size depends on a spatial symbol, is no input's own, and is another one than the second."""
    one, other = pair
    own = len(one.symbols()) == 1 and one == symbol(next(iter(one.symbols())))
    return one is not other and not own and bool(one.symbols()) and one.symbols() <= spatial


def _repeating(pair: tuple[Function, Function], sizes: SizeSet, runs: SizeSet) -> SizeSet | None:
    """The sizes at which the first is 1 and the second is not; None without any, or where it is 1 whenever it runs."""
    one, other = pair
    single = equal(one, _ONE)
    repeated = sizes & SizeSet.where(sizes.symbols, all_of([single, negate(equal(other, _ONE))]))
    if not repeated or runs <= SizeSet.where(sizes.symbols, single):
        return None
    return repeated.coalesced()


def _name(graph: ShapeGraph, node: Node) -> str:
    return graph.name_of(node) or node.operation


def _told(
    graph: ShapeGraph,
    index: int,
    operands: tuple[int, int],
    sizes: SizeSet,
    at: dict[str, int],
    name: Callable[[ShapeGraph, Node], str],
) -> Broadcast:
    one, other = (graph.nodes[each] for each in operands)
    shapes = [each.shapes[0].value(at) for each in (one, other)]
    return Broadcast(graph.nodes[index], at, sizes, shapes[0], shapes[1], (name(graph, one), name(graph, other)))
