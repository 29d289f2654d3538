"""Finds the one call after which the output's size can no longer come right: everything passes through it.

A pad or crop ahead of the first layer, a stem with an even kernel: up to such a call the size is the wanted one, and
what it gives is what comes out at the end, at every size. Both are read from the size functions of the calls that every
way from the input to the output leads through (its dominators, Cooper, Harvey and Kennedy 2001).
"""

from __future__ import annotations

from collections.abc import Mapping

from shapelint.diagnosis.reach import UNSOLVED
from shapelint.facts.contract import Region
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.request.question import Question
from shapelint.size.condition import TRUE, equal, negate
from shapelint.size.function import Function, as_function
from shapelint.size.isl_form import limited
from shapelint.size.sets import SizeSet

CUTTING = frozenset({"__getitem__", "narrow", "slice", "index_select", "pad"})
"""Calls that add rows to a tensor, or take them off."""


def passed(graph: ShapeGraph, output: int, start: int) -> tuple[Node, ...]:
    """The calls that every way from the tensor `start` to the call `output` leads through, both included, in order."""
    above: dict[int, int] = {start: start}
    for node in graph.nodes[start + 1 : output + 1]:
        known = [index for index in dict.fromkeys(node.inputs) if index in above]
        if known:
            nearest = known[0]
            for index in known[1:]:
                nearest = _meeting_of(above, nearest, index)
            above[node.index] = nearest
    if output not in above:
        return ()
    way = [output]
    while way[-1] != start:
        way.append(above[way[-1]])
    return tuple(graph.nodes[index] for index in reversed(way))


def _meeting_of(above: Mapping[int, int], one: int, other: int) -> int:
    while one != other:
        if one > other:
            one = above[one]
        else:
            other = above[other]
    return one


def setting(graph: ShapeGraph, question: Question, output: int, focus: Mapping[str, int]) -> tuple[Node, ...]:
    """The calls on the only way to an output that change a size along the input's axes, in order."""
    if output >= len(graph.outputs) or graph.outputs[output] < 0 or not graph.inputs:
        return ()
    found: list[Node] = []
    before: list[int] = []
    for node in passed(graph, graph.outputs[output], graph.inputs[question.lead]):
        sizes = [along(node, wanted) for wanted in question.target]
        here = [size.value(focus) for size in sizes if size is not None]
        if len(here) == len(sizes):
            found += [node] if before and here != before else []
            before = here
    return tuple(found)


def spoiling(
    graph: ShapeGraph,
    region: Region,
    question: Question,
    output: int,
    axes: tuple[int, ...],
    focus: Mapping[str, int],
    alike: SizeSet,
) -> Node | None:
    """The call that gives the wrong size of the output from the wanted one, on every axis that is wrong at the focus.

    It does so at all sizes `alike`. None where no single call does, as where a decoder does not give back what the
    encoder took.
    """
    if output >= len(graph.outputs) or graph.outputs[output] < 0 or not graph.inputs:
        return None
    way = passed(graph, graph.outputs[output], graph.inputs[question.lead])
    given = region.outcome.outputs[output].dims
    if max(axes, default=0) >= len(given):
        return None  # other axes than at the sizes that show what is meant
    found: set[int] = set()
    for axis, wanted in zip(axes, question.target, strict=True):
        size = as_function(given[axis])
        if size.value(focus) != wanted.value(focus):
            node = _turning(graph, way, wanted, size, alike)
            found.add(-1 if node is None else node.index)
    return graph.nodes[found.pop()] if len(found) == 1 and -1 not in found else None


def _turning(graph: ShapeGraph, way: tuple[Node, ...], wanted: Function, size: Function, sizes: SizeSet) -> Node | None:
    """The call on the way that takes the wanted size and gives the one that stays to the end.

    A pad that the next layer takes off again may give that size by chance: no call behind the right one gives the
    wanted size.
    """
    sized = [(node, here) for node in way if (here := along(node, wanted)) is not None]
    last = max((at for at, (_, here) in enumerate(sized) if _same(here, wanted, sizes)), default=-1)
    turn = next((node for node, here in sized[last + 1 :] if _same(here, size, sizes)), None)
    if turn is None:
        return None
    if _takes(graph, turn, wanted, sizes):
        return turn
    above = graph.nodes[turn.inputs[0]] if len(set(turn.inputs)) == 1 else turn
    if above.operation != "pad" or not _takes(graph, above, wanted, sizes):
        return None
    return turn if takes_even(turn) else above  # both are one: an odd kernel has its size for a reason


def takes_even(node: Node) -> bool:
    """Whether a layer of stride 1 takes an odd number of rows off, as one with an even kernel does; True for others."""
    kernel, dilation = node.parameter("kernel_size"), node.parameter("dilation") or ()
    if not kernel or any(factor != 1 for factor in node.factor):
        return True
    return any(d * (k - 1) % 2 for k, d in zip(kernel, dilation, strict=False))


def _takes(graph: ShapeGraph, node: Node, wanted: Function, sizes: SizeSet) -> bool:
    """Whether what a call takes has the wanted size, wherever that is known."""
    taken = [along(graph.nodes[index], wanted) for index in dict.fromkeys(node.inputs)]
    known = [each for each in taken if each is not None]
    return bool(known) and all(_same(each, wanted, sizes) for each in known)


def along(node: Node, wanted: Function) -> Function | None:
    """The one size of what a call gives that depends on the same symbols as an axis of the input; None for another."""
    dims = [as_function(dim) for dim in node.shapes[0].dims] if node.shapes else []
    depending = [dim for dim in dims if dim.symbols() & wanted.symbols()]
    return depending[0] if len(depending) == 1 and depending[0].symbols() == wanted.symbols() else None


def _same(one: Function, other: Function, sizes: SizeSet) -> bool:
    if one == other:
        return True
    condition = equal(one, other)
    try:
        with limited():
            return condition == TRUE or not sizes & SizeSet.where(sizes.symbols, negate(condition))
    except UNSOLVED:
        return False
