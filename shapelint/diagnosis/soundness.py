"""Whether a repaired model does what its author would accept: that it runs is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shapelint.diagnosis.broadcasts import JOINS
from shapelint.diagnosis.intent import intent, is_restored, output_axes
from shapelint.diagnosis.reach import UNSOLVED, reaching
from shapelint.diagnosis.scale import goes_down_and_up
from shapelint.facts.analysis import Analysis, Intent
from shapelint.facts.contract import Region, RegionOutcome
from shapelint.facts.graph import ShapeGraph, TensorShape
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.size.function import as_function
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze


def is_sound(explored: Exploration, question: Question, expect: Expectation | None, focus: Mapping[str, int]) -> bool:
    """Whether a model runs at the focus, gives the size back where its layers go down and up again, and joins by no
    silent broadcast.
    """
    return sound_meaning(explored, question, expect, focus) is not None


def is_sound_repair(explored: Exploration, analysis: Analysis, expect: Expectation | None) -> bool:
    """Whether a rewritten model is sound at the size for which it was rewritten, and gives what it gave elsewhere: the
    same fixed sizes where it gives as many axes, unless it gives the input's size back. Cells are no size of a map.
    """
    if analysis.diagnosis is None:
        return True
    focus, question = analysis.diagnosis.focus, analysis.question
    if not is_sound(explored, question, expect, focus):
        return False
    outputs = tuple(map(frozen_shape, explored.run(focus, symbolic=True).outputs))
    before = next((each.outcome.outputs for each in analysis.contract.regions if each.outcome.ok), ())
    return is_restored(outputs, question, expect, focus) or all(map(_is_alike, before, outputs))


def _is_alike(before: TensorShape, after: TensorShape) -> bool:
    """Whether two shapes of as many axes have the same sizes where neither follows the input's."""
    if len(before.dims) != len(after.dims):
        return True  # a flatten was written
    pairs = [(as_function(one), as_function(two)) for one, two in zip(before.dims, after.dims, strict=True)]
    return all(one == two for one, two in pairs if not one.symbols() and not two.symbols())


def sound_meaning(
    explored: Exploration, question: Question, expect: Expectation | None, focus: Mapping[str, int]
) -> Intent | None:
    """What a model that is sound at the focus is meant to give; None for one that is not."""
    run = explored.run(focus, symbolic=True)
    if run.failure is not None or run.error is not None:
        return None
    graph = freeze(run, explored.subject.module, {})
    outputs = tuple(map(frozen_shape, run.outputs))
    try:
        sizes = reaching(run, -1, explored.domain)
    except UNSOLVED:
        sizes = SizeSet.point(explored.domain.symbols, focus)
    meaning = intent(Region(sizes, RegionOutcome(True, outputs)), graph, question, expect)
    place = None if meaning.meant else _pinned_place(graph, outputs, sizes, question)
    if place is not None:
        meaning = replace(meaning, meant=True, output=place[0], axes=place[1])
    right = not meaning.meant or is_restored(outputs, question, expect, focus)
    return meaning if right and not repeats(graph, focus) else None


def _pinned_place(
    graph: ShapeGraph, outputs: tuple[TensorShape, ...], sizes: SizeSet, question: Question
) -> tuple[int, tuple[int, ...]] | None:
    """The output of one fixed size that a model gives whose layers go down and up again, and its axes."""
    place = output_axes(outputs, question)
    if place is None or not goes_down_and_up(graph, sizes, question):
        return None
    dims = [as_function(outputs[place[0]].dims[axis]) for axis in place[1]]
    return place if dims and not any(dim.symbols() for dim in dims) else None


def repeats(graph: ShapeGraph, focus: Mapping[str, int]) -> bool:
    """Whether a join repeats a tensor along an axis whose size follows the input's and is 1 at the focus alone."""
    return any(
        _may_repeat(graph, one, other, focus)
        for node in graph.nodes
        if node.operation in JOINS
        for one in dict.fromkeys(node.inputs)
        for other in dict.fromkeys(node.inputs)
        if one != other
    )


def _may_repeat(graph: ShapeGraph, one: int, other: int, focus: Mapping[str, int]) -> bool:
    shapes = [graph.nodes[index].shapes for index in (one, other)]
    if not all(shapes):
        return False
    dims = zip(*(map(as_function, reversed(shape[0].dims)) for shape in shapes), strict=False)
    return any(left.symbols() and left.value(focus) == 1 != right.value(focus) for left, right in dims)
