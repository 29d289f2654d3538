"""Finds out what is wrong at one size: which join or pair, layer after layer, and whether a repair makes it right."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from operator import mul

from shapelint.analysis import Diagnosis, Loss, Misfit, Mismatch, Plan
from shapelint.contract import Contract
from shapelint.failure import Kind
from shapelint.graph import Node, Pair, ShapeGraph
from shapelint.intent import Intent, as_function, asks_for_input_size
from shapelint.mirror import mirrored_pairs, remainder_of, spatial_size
from shapelint.misfit import mending, misfits
from shapelint.question import Question
from shapelint.repair import Solver, Trial, Unsettled
from shapelint.search import single_change
from shapelint.size.function import Function
from shapelint.size.sets import SizeSet
from shapelint.source import Span
from shapelint.spec import Expectation
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze
from shapelint.trace.run import overriding

Values = Mapping[str, tuple[int, ...]]

_REPAIRABLE = frozenset({Kind.JOIN, Kind.OUTPUT_PADDING, Kind.UNPOOL, Kind.RESHAPE})


@dataclass(frozen=True, slots=True)
class Patient:
    """A model with its exploration, contract and solver: what a diagnosis works on."""

    explored: Exploration
    built: Mapping[str, Span]
    contract: Contract
    intent: Intent
    solver: Solver
    question: Question
    expect: Expectation | None
    symbolic: ShapeGraph

    def graph(self, sizes: Mapping[str, int], values: Values) -> ShapeGraph:
        """The calls at one size with some values of `output_padding` set; ends at the call that fails."""
        run = replace(self.explored, overrides=overriding(values)).run(sizes, symbolic=False)
        return freeze(run, self.explored.subject.module, self.built)

    def failing(self, graph: ShapeGraph) -> Node | None:
        """The call without a result, with which a run ended."""
        last = graph.nodes[-1]
        return last if not last.shapes and not graph.outputs else None


def diagnose(patient: Patient, focus: Mapping[str, int], wanted: SizeSet) -> Diagnosis:
    """What is wrong at `focus`; the repair is sought for all `wanted` sizes, or else for the focus alone."""
    region = patient.contract.region_at(focus)
    trial = _trial(patient, focus, wanted) if _may_repair(region.outcome.failure) else None
    plan = None if trial is None else _plan(patient, trial, wanted)
    values = {} if plan is None else dict(plan.values)
    graph = patient.graph(focus, {})
    node = patient.failing(graph)
    mismatches, done = _mismatches(patient, focus, values, graph)
    losses: tuple[Loss, ...] = ()
    if region.outcome.ok or (plan is not None and node is not None):
        losses = _losses(patient, focus, values, done)
    change = None
    if region.outcome.ok and not losses:
        change = single_change(patient.explored, graph, patient.question, patient.expect, focus)
    stretches = plan is not None and _stretches(patient, losses)
    unfit = () if region.outcome.ok else misfits(patient.explored, patient.built, focus)
    mended = _mended(patient, unfit, focus, wanted) if unfit else None
    return Diagnosis(dict(focus), region, graph, node, mismatches, losses, plan, change, stretches, unfit, mended)


def _mended(patient: Patient, unfit: tuple[Misfit, ...], focus: Mapping[str, int], wanted: SizeSet) -> Plan:
    """What the model does where every layer that misfits is built for what arrives at the focus."""
    trial = patient.solver.explored_with(mending(unfit), focus)
    values = {misfit.node.module: (misfit.given,) for misfit in unfit}
    return _plan(patient, replace(trial, values=values), wanted)


def _stretches(patient: Patient, losses: tuple[Loss, ...]) -> bool:
    """Whether `output_size=` with the size that the mirror took, in the one planned layer, is right at all sizes."""
    planned = [loss for loss in losses if loss.values]
    dims = _taken(patient.symbolic, planned[0].pair.down_nodes) if len(planned) == 1 else ()
    if not dims:
        return False
    trial = patient.solver.explored_with({planned[0].up.module: {"output_size": dims}}, patient.symbolic.sizes)
    return patient.contract.runs <= trial.right


def _taken(graph: ShapeGraph, downs: tuple[int, ...]) -> tuple[Function, ...]:
    """The size that the first of some down-sampling calls takes, in symbols; () where the graph has no such call."""
    if not downs or downs[0] >= len(graph.nodes) or not graph.nodes[downs[0]].spatial:
        return ()
    node = graph.nodes[downs[0]]
    return tuple(map(as_function, graph.nodes[node.inputs[0]].shapes[0].dims[-node.spatial :]))


def _may_repair(failure: object) -> bool:
    kind = getattr(failure, "kind", None)
    return kind is None or kind in _REPAIRABLE


def _trial(patient: Patient, focus: Mapping[str, int], wanted: SizeSet) -> Trial | None:
    if not patient.solver.layers:
        return None
    alone = SizeSet.point(wanted.symbols, focus)
    for sizes in (wanted, alone)[: 2 if wanted != alone else 1]:
        with suppress(Unsettled):
            found = patient.solver.constant_for(sizes)
            if found is not None:
                return found if found.values else None
    return None


def _plan(patient: Patient, trial: Trial, wanted: SizeSet) -> Plan:
    contract = patient.contract
    before = contract.restores if patient.intent.meant else contract.runs
    complete = wanted <= trial.right
    return Plan(trial.values, complete, trial.right, trial.runs, before - trial.right, contract.runs - trial.runs)


def _mismatches(
    patient: Patient, focus: Mapping[str, int], values: Values, graph: ShapeGraph
) -> tuple[tuple[Mismatch, ...], dict[str, tuple[int, ...]]]:
    """The joins that fail one after the other as the plan is applied, from the run `graph` as the model is, and what
    of the plan that took.
    """
    found: list[Mismatch] = []
    done: dict[str, tuple[int, ...]] = {}
    while True:
        node = patient.failing(graph)
        if node is None:
            return tuple(found), done
        part = {name: values[name] for name in _above(graph, node) if name in values and name not in done}
        mismatch = _mismatch(patient, graph, node, focus, part)
        if mismatch is not None:
            found.append(mismatch)
        if not part:
            return tuple(found), done
        done.update(part)
        graph = patient.graph(focus, done)


def _above(graph: ShapeGraph, node: Node) -> list[str]:
    """The modules whose calls a call depends on, itself included."""
    seen, waiting = {node.index}, [node.index]
    while waiting:
        for index in graph.nodes[waiting.pop()].inputs:
            if index not in seen:
                seen.add(index)
                waiting.append(index)
    return [graph.nodes[index].module for index in sorted(seen)]


def _mismatch(
    patient: Patient, graph: ShapeGraph, node: Node, focus: Mapping[str, int], part: Values
) -> Mismatch | None:
    failure = patient.contract.region_at(focus).outcome.failure
    operands = [graph.nodes[index] for index in dict.fromkeys(node.inputs) if graph.nodes[index].shapes]
    if failure is None or failure.kind is not Kind.JOIN or len(operands) < 2:
        return None
    rank = len(patient.question.axes) or 2
    skip, grown = _skip_first(graph, *_differing(operands, rank, dict(focus)))
    up = _last_up(graph, grown)
    loss = None if up is None else _pair_of(graph, up, focus)
    shapes = skip.shapes[0].value(dict(focus)), grown.shapes[0].value(dict(focus))
    tokens = _are_tokens(*shapes, rank)
    sizes = (shapes[0][1:], shapes[1][1:]) if tokens else (shapes[0][-rank:], shapes[1][-rank:])
    if sizes[0] == sizes[1]:
        return None
    maps = not tokens and all(len(shape) == len(patient.question.axes) + 2 for shape in shapes)
    return Mismatch(
        node, failure, sizes, (named_source(graph, skip), named_source(graph, grown)), up, loss, part, maps
    )


def _differing(operands: list[Node], rank: int, focus: dict[str, int]) -> tuple[Node, Node]:
    """The first two operands whose sizes differ; the later made one second."""
    ordered = sorted(operands, key=lambda each: each.index)
    for one, two in combinations(ordered, 2):
        shapes = one.shapes[0].value(focus), two.shapes[0].value(focus)
        if shapes[0][-rank:] != shapes[1][-rank:] or _are_tokens(*shapes, rank):
            return one, two
    return ordered[0], ordered[1]


def _are_tokens(one: tuple[int, ...], two: tuple[int, ...], rank: int) -> bool:
    """Whether two tensors differ only in their number of tokens, which stands before the channels."""
    return len(one) == len(two) == 3 and rank == 1 and one[2] == two[2] and one[1] != two[1]


def _skip_first(graph: ShapeGraph, one: Node, two: Node) -> tuple[Node, Node]:
    """The two operands, the skip first: a way without growth leads to it, also where a gate scales it."""
    grown = _always_grown(graph, one), _always_grown(graph, two)
    if grown[0] != grown[1]:
        return (two, one) if grown[0] else (one, two)
    ups = _last_up(graph, one), _last_up(graph, two)
    if ups[0] is not None and (ups[1] is None or ups[1].index < ups[0].index):
        return two, one
    return one, two


def _always_grown(graph: ShapeGraph, node: Node) -> bool:
    """Whether every way from an input to a tensor leads through a call that multiplies the size."""
    seen, waiting = {node.index}, [node.index]
    while waiting:
        each = graph.nodes[waiting.pop()]
        if each.operation == "input":
            return False
        if not any(factor > 1 for factor in each.factor):
            waiting += set(each.inputs) - seen
            seen.update(each.inputs)
    return True


def named_source(graph: ShapeGraph, node: Node) -> str:
    """What gave a tensor its size: the last spatial call on its way, by its layer, else by its function."""
    each = node
    while not each.spatial and each.inputs and each.operation not in ("cat", "concat", "input"):
        each = graph.nodes[each.inputs[0]]
    return each.module or node.module or each.operation


def _last_up(graph: ShapeGraph, node: Node) -> Node | None:
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


def _pair_of(graph: ShapeGraph, up: Node, focus: Mapping[str, int]) -> Pair | None:
    return next((pair for pair in mirrored_pairs(graph, focus) if up.index in pair.up_nodes), None)


def _losses(patient: Patient, focus: Mapping[str, int], values: Values, done: Values) -> tuple[Loss, ...]:
    """The pairs that do not come back to their size; with a plan, each after the repair of those before."""
    if not values:
        if patient.expect is not None and not asks_for_input_size(patient.expect, patient.question, focus):
            return ()
        graph = patient.graph(focus, done)
        losses = [_loss(graph, pair, focus) for pair in mirrored_pairs(graph, focus)]
        return tuple(loss for loss in losses if any(loss.needed))
    applied, found = dict(done), list[Loss]()
    whole = patient.graph(focus, values)
    for module in sorted(values, key=lambda name: _position(whole, name)):
        if module not in applied:
            graph = patient.graph(focus, applied)
            found += _planned(graph, module, values[module], focus)
            applied[module] = values[module]
    return tuple(found)


def _position(graph: ShapeGraph, module: str) -> int:
    return next((node.index for node in graph.nodes if node.module == module), len(graph.nodes))


def _planned(graph: ShapeGraph, module: str, value: tuple[int, ...], focus: Mapping[str, int]) -> list[Loss]:
    """The pair that a layer of the plan closes, or else the layer alone against what it should give."""
    for pair in mirrored_pairs(graph, focus):
        for index in pair.up_nodes:
            if graph.nodes[index].module == module:
                return [replace(_loss(graph, pair, focus), up=graph.nodes[index], values={module: value})]
    node = next((node for node in graph.nodes if node.module == module), None)
    if node is None or not node.shapes:
        return []
    size, present = spatial_size(graph, node, focus), node.parameter("output_padding") or (0,) * len(value)
    gap = tuple(wanted - now for wanted, now in zip(value, present, strict=True))
    whole = tuple(map(sum, zip(size, gap, strict=True)))
    alone = Pair((), (module,), whole, size, (0,) * len(size), (), (node.index,))
    return [Loss(alone, node, node, gap, (), (), (), {module: value})]


def _loss(graph: ShapeGraph, pair: Pair, focus: Mapping[str, int]) -> Loss:
    first_up, up = graph.nodes[pair.up_nodes[0]], graph.nodes[pair.up_nodes[-1]]
    down = graph.nodes[pair.down_nodes[-1]]
    bottom, entering = spatial_size(graph, down, focus), spatial_size(graph, first_up, focus, out=False)
    factor = [reduce(mul, (graph.nodes[index].factor[axis] for index in pair.up_nodes)) for axis in range(len(bottom))]
    moved = [int(f * (wanted - given)) for f, wanted, given in zip(factor, bottom, entering, strict=True)]
    needed = tuple(n - out - m for n, out, m in zip(pair.size_in, pair.size_out, moved, strict=True))
    before = spatial_size(graph, down, focus, out=False)
    rest = remainder_of(down, graph, focus)
    return Loss(pair, up, down, needed, rest, before, bottom, {})
