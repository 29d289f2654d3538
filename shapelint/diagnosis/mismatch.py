"""A join that gets two sizes: which tensors, where they come from, and whether they are maps of two levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from shapelint.diagnosis.case import Case, Values
from shapelint.diagnosis.joins import (
    are_tokens,
    differing,
    last_up,
    levels_like,
    named_source,
    nearest_source,
    skip_first,
    unequal,
)
from shapelint.diagnosis.pairs import mirrored_pairs
from shapelint.diagnosis.scale import slope_of
from shapelint.facts.diagnosis import Mismatch
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import Node, Pair, ShapeGraph
from shapelint.size.function import as_function


def mismatch_of(case: Case, graph: ShapeGraph, node: Node, focus: Mapping[str, int], part: Values) -> Mismatch | None:
    """What differs at the call that fails, `part` being its part of a plan; None where it joins no two sizes."""
    failure = case.contract.region_at(focus).outcome.failure
    operands = [graph.nodes[index] for index in dict.fromkeys(node.inputs) if graph.nodes[index].shapes]
    if failure is None or failure.kind is not Kind.JOIN or len(operands) < 2:
        return None
    rank = len(case.question.axes) or 2
    skip, grown = skip_first(graph, *differing(operands, rank, dict(focus)))
    up = last_up(graph, grown)
    loss = None if up is None else _pair_of(graph, up, focus)
    shapes = skip.shapes[0].value(dict(focus)), grown.shapes[0].value(dict(focus))
    tokens = are_tokens(*shapes, rank)
    sizes = (shapes[0][1:], shapes[1][1:]) if tokens else (shapes[0][-rank:], shapes[1][-rank:])
    known = any(as_function(each).symbols() for each in (failure.left, failure.right))
    if sizes[0] == sizes[1] and (known or _differ_in_channels(*shapes)):
        sizes = unequal(*shapes)
    if sizes[0] == sizes[1]:
        return None
    maps = not tokens and all(len(shape) == len(case.question.axes) + 2 for shape in shapes)
    sources = named_source(graph, skip), named_source(graph, grown)
    if sources[0] == sources[1]:
        sources = nearest_source(graph, skip), nearest_source(graph, grown)
    found = Mismatch(node, failure, sizes, sources, up, loss, part, maps)
    levels = _levels(case, failure, focus, skip, grown)
    return found if levels is None else replace(found, strides=levels, levels=levels_like(graph, grown, skip, focus))


def _differ_in_channels(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    """Whether two maps of the same samples have unlike many channels and are alike in all else."""
    return len(one) == len(two) > 2 and one[:1] + one[2:] == two[:1] + two[2:] and one[1] != two[1]


def _levels(
    case: Case, failure: Failure, focus: Mapping[str, int], skip: Node, grown: Node
) -> tuple[Fraction, Fraction] | None:
    """The strides of two maps whose sizes differ by a factor, however large the input; None for lost rows, and for rows
    of whole maps.
    """
    shapes = [each.shapes[0].value(dict(focus)) for each in (skip, grown)]
    sides = [as_function(each) for each in (failure.left, failure.right)]
    for one, two in (sides, sides[::-1]):
        slopes = [slope_of(each, case.question.symbols) if each.affine else Fraction() for each in (one, two)]
        if one.value(focus) in shapes[0] and two.value(focus) in shapes[1] and all(slopes):
            ratio = slopes[0] / slopes[1]
            return (1 / slopes[0], 1 / slopes[1]) if ratio != 1 and 1 in (ratio.numerator, ratio.denominator) else None
    return None


def _pair_of(graph: ShapeGraph, up: Node, focus: Mapping[str, int]) -> Pair | None:
    return next((pair for pair in mirrored_pairs(graph, focus) if up.index in pair.up_nodes), None)
