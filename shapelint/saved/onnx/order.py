"""Puts the steps of a graph into an order in which each finds what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from shapelint.errors import TargetError
from shapelint.saved.onnx.graph import Graph, GraphStep


def ordered(steps: Sequence[GraphStep], known: AbstractSet[str], file: Path) -> tuple[GraphStep, ...]:
    """The steps as they stand where that is an order, else sorted; TargetError for a cycle, or what nothing gives."""
    makers: dict[str, int] = {}
    for index, step in enumerate(steps):
        for name in filter(None, step.outputs):
            if name in makers:
                raise TargetError(f"{str(file)!r}: both {steps[makers[name]].name!r} and {step.name!r} give {name!r}")
            makers[name] = index
    taken = [[name for name in _taken(step) if name] for step in steps]
    for step, names in zip(steps, taken, strict=True):
        missing = next((name for name in names if name not in makers and name not in known), None)
        if missing is not None:
            raise TargetError(f"{str(file)!r}: {step.name!r} takes {missing!r}, which nothing gives")
    needs = {index: {makers[name] for name in names if name in makers} for index, names in enumerate(taken)}
    if all(max(before, default=-1) < index for index, before in needs.items()):
        return tuple(steps)
    try:
        return tuple(steps[index] for index in TopologicalSorter(needs).static_order())
    except CycleError as error:
        waiting = " and ".join(repr(steps[index].name) for index in dict.fromkeys(error.args[1][:3]))
        raise TargetError(f"{str(file)!r}: {waiting} wait for each other") from error


def _taken(step: GraphStep) -> Iterator[str]:
    """What a step takes, and what the graphs in it take from around it."""
    yield from step.inputs
    for value in step.attributes.values():
        if isinstance(value, Graph):
            yield from _free(value)


def _free(graph: Graph) -> Iterable[str]:
    """The tensors that a graph takes from around it."""
    own = {*graph.stored, *(name for step in graph.steps for name in step.outputs)}
    own |= {*graph.handed, *(each.name for each in graph.inputs)}
    names = {name for step in graph.steps for name in _taken(step)} | set(graph.outputs)
    return names - own
