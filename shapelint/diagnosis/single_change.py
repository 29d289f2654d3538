"""Looks for the one argument of one layer that, changed a little, gives the output the size that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from shapelint.diagnosis.intent import is_restored
from shapelint.facts.diagnosis import Change
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.trace.branch import frozen_shape
from shapelint.trace.budget import Budget
from shapelint.trace.explore import Exploration
from shapelint.trace.run import overriding

_STEPS = (-1, 1, -2, 2, -3, 3)
_CALLS, _SECONDS = 40_000, 8.0
_LOWEST = {"kernel_size": 1, "stride": 1, "padding": 0}


def single_change(
    explored: Exploration,
    graph: ShapeGraph,
    question: Question,
    expect: Expectation | None,
    focus: Mapping[str, int],
    preferred: Iterable[Change] = (),
) -> Change | None:
    """The first of the preferred changes, else the smallest change of kernel, padding or stride of one convolution,
    that is right at the focus, seen in a run; a module that only calls a function has no such argument.
    """
    budget = Budget(calls=_CALLS, seconds=_SECONDS)
    layers = {node.module for node in graph.nodes if "Conv" in node.kind}
    for change in chain((each for each in preferred if each.module in layers), _candidates(graph)):
        if budget.spent():
            return None
        overrides = overriding({change.module: change.value}, change.parameter)
        trial = Exploration(explored.subject, explored.domain, overrides, budget=budget)
        run = trial.run(focus, symbolic=False)
        shapes = tuple(map(frozen_shape, run.outputs))
        if run.failure is None and is_restored(shapes, question, expect, focus):
            return change
    return None


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


def _candidates(graph: ShapeGraph) -> Iterator[Change]:
    """Changes by one step before those by two; of equal ones, kernels first, and the last layer first."""
    layers = {node.module: node for node in graph.nodes if _is_layer(node)}
    for step in _STEPS:
        for parameter, lowest in _LOWEST.items():
            for module, node in reversed(layers.items()):
                given = node.parameter(parameter)
                if given is not None and all(value + step >= lowest for value in given):
                    yield Change(module, parameter, given, tuple(value + step for value in given), node.built)


def _is_layer(node: Node) -> bool:
    """Whether a call is a convolution's whose arguments set its size; with `output_size=` the layer works them out."""
    return (
        node.operation.startswith("conv") and "Conv" in node.kind and bool(node.shapes) and not takes_output_size(node)
    )


def takes_output_size(node: Node) -> bool:
    """Whether a transposed layer is called with `output_size=`."""
    return bool(node.parameter("output_size"))
