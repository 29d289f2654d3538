"""Finds out what is wrong at one size: which join or pair, layer after layer, and whether a repair makes it right."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from operator import mul

from shapelint.diagnosis.at_fault import change_at_fault, likelier, setters_of, spoiler_of, whole_run
from shapelint.diagnosis.case import Case, Values
from shapelint.diagnosis.channels import is_latent, misfits, rebuilt_channels
from shapelint.diagnosis.intent import asks_for_input_size
from shapelint.diagnosis.joins import (
    short_unpoolings,
)
from shapelint.diagnosis.mismatch import mismatch_of
from shapelint.diagnosis.output_padding import RepairTrial, Unsettled
from shapelint.diagnosis.pairs import mirrored_pairs, remainder_of, spatial_size
from shapelint.diagnosis.places import Places
from shapelint.diagnosis.refused_calls import refused_call
from shapelint.diagnosis.refused_sizes import refused_size
from shapelint.diagnosis.single_change import axis_at_fault, padding_at_fault, stride_at_fault
from shapelint.diagnosis.slips import slip
from shapelint.diagnosis.uneven import even_change
from shapelint.diagnosis.whole_parts import text_at_fault
from shapelint.facts.diagnosis import Change, Diagnosis, LostRows, Misfit, Mismatch, Plan
from shapelint.facts.failure import Kind
from shapelint.facts.graph import Node, Pair, ShapeGraph
from shapelint.size.function import Function, as_function
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span

_REPAIRABLE = frozenset({Kind.JOIN, Kind.OUTPUT_PADDING, Kind.UNPOOL, Kind.RESHAPE})


def diagnose(case: Case, focus: Mapping[str, int], wanted: SizeSet) -> Diagnosis:
    """What is wrong at `focus`; the repair is sought for all `wanted` sizes, or else for the focus alone."""
    region = case.contract.region_at(focus)
    whole = whole_run(case, region)
    graph = case.graph(focus, {})
    uneven = _odd_argument(case, whole, graph, focus)
    spoiler = None if uneven is not None else _among(graph, spoiler_of(case, whole, region, focus))
    known = spoiler is not None or uneven is not None
    trial = None if known or not _may_repair(region.outcome.failure) else _trial(case, focus, wanted)
    plan = None if trial is None else _plan(case, trial, wanted)
    other = None if plan is None else even_change(case, whole, focus, beyond=True)
    likely = uneven if plan is None else likelier(case, focus, graph, plan) or other
    plan = None if likely is not None else plan
    values = {} if plan is None else dict(plan.values)
    node = case.failing(graph)
    mismatches, done = _mismatches(case, focus, values, graph)
    drops = not known and (region.outcome.ok or (plan is not None and node is not None))
    losses = _losses(case, focus, values, done) if drops else ()
    if plan is None and likely is None:
        likely = change_at_fault(case, focus, graph, region, spoiler, losses, mismatches)
    unfit = () if region.outcome.ok else misfits(case.explored, case.built, focus)
    return Diagnosis(
        dict(focus), region, graph, node, mismatches, losses, plan,
        change=likely,
        stretches=plan is not None and _stretches(case, losses),
        misfits=unfit,
        repaired=_repaired(case, unfit, focus, wanted) if unfit else None,
        unpoolings=tuple(short_unpoolings(graph, focus)),
        spoiler=spoiler,
        setters=setters_of(case, whole, focus),
        slip=slip(graph, unfit[0]) if unfit else None,
        refused=refused_size(graph, node, region.outcome.failure, focus),
        handed=_handed(case, likely, spoiler),
        declined=refused_call(case.explored, case.built, focus, region.outcome.failure, graph),
    )  # fmt: skip


def _among(graph: ShapeGraph, node: Node | None) -> Node | None:
    """A call of the run that every size was read from among those of one size, where an `if` may have resized nothing;
    None where it was not made.
    """
    if node is None or (node.index < len(graph.nodes) and _is_alike(graph.nodes[node.index], node)):
        return node
    return next((each for each in graph.nodes if _is_alike(each, node)), None)


def _is_alike(one: Node, two: Node) -> bool:
    names = [(node.operation, node.module, node.call, node.place) for node in (one, two)]
    return names[0] == names[1]


def _odd_argument(
    case: Case, whole: ShapeGraph | None, graph: ShapeGraph, focus: Mapping[str, int]
) -> Change | None:
    """The one argument that is unlike what the layers around it ask for, with which the model is right at the focus."""
    change = padding_at_fault(case, graph, focus) or axis_at_fault(case, graph, focus)
    change = change or text_at_fault(case, graph, focus) or even_change(case, whole, focus)
    return change or stride_at_fault(case, graph, focus)


def _repaired(case: Case, unfit: tuple[Misfit, ...], focus: Mapping[str, int], wanted: SizeSet) -> Plan | None:
    """What the model does where every layer that misfits is built for what arrives at the focus; None for what its
    author would not accept. One layer alone is the one thing at fault, also where nothing ran before, but where a
    latent arrives.
    """
    trial = case.solver.explored_with(rebuilt_channels(unfit), focus)
    if not case.solver.sound(trial.explored, focus):
        return None
    values = {misfit.node.module: (misfit.given,) for misfit in unfit}
    plan = _plan(case, replace(trial, values=values), wanted)
    alone = len(unfit) == 1 and not is_latent(trial.explored, unfit[0], case.built, focus)
    return replace(plan, ran=plan.ran or alone)


def _handed(case: Case, change: Change | None, spoiler: Node | None) -> Span | None:
    """The call that gives a helper the argument that is at fault."""
    if not isinstance(case.built, Places):
        return None
    if change is not None:
        return case.built.handing(change.module, change.parameter)
    return None if spoiler is None else case.built.handing(spoiler.module, "stride")


def _stretches(case: Case, losses: tuple[LostRows, ...]) -> bool:
    """Whether `output_size=` with the size that the mirror took, in the one planned layer, is right at all sizes."""
    planned = [loss for loss in losses if loss.values]
    dims = _taken(case.symbolic, planned[0].pair.down_nodes) if len(planned) == 1 else ()
    if not dims:
        return False
    trial = case.solver.explored_with({planned[0].up.module: {"output_size": dims}}, case.symbolic.sizes)
    return case.contract.runs <= trial.right


def _taken(graph: ShapeGraph, downs: tuple[int, ...]) -> tuple[Function, ...]:
    """The size that the first of some down-sampling calls takes, in symbols; () where the graph has no such call."""
    if not downs or downs[0] >= len(graph.nodes) or not graph.nodes[downs[0]].spatial:
        return ()
    node = graph.nodes[downs[0]]
    return tuple(map(as_function, graph.nodes[node.inputs[0]].shapes[0].dims[-node.spatial :]))


def _may_repair(failure: object) -> bool:
    kind = getattr(failure, "kind", None)
    return kind is None or kind in _REPAIRABLE


def _trial(case: Case, focus: Mapping[str, int], wanted: SizeSet) -> RepairTrial | None:
    if not case.solver.layers:
        return None
    alone = SizeSet.point(wanted.symbols, focus)
    for sizes in (wanted, alone)[: 2 if wanted != alone else 1]:
        with suppress(Unsettled):
            found = case.solver.constant_for(sizes)
            if found is not None:
                return found if found.values else None
    return None


def _plan(case: Case, trial: RepairTrial, wanted: SizeSet) -> Plan:
    contract = case.contract
    before = contract.restores if case.intent.meant else contract.runs
    complete = wanted <= trial.right
    lost = before - trial.right, contract.runs - trial.runs
    ran = not contract.runs.finite or case.solver.restores(trial.explored, wanted)
    return Plan(trial.values, complete, trial.right, trial.runs, *lost, ran=ran)


def _mismatches(
    case: Case, focus: Mapping[str, int], values: Values, graph: ShapeGraph
) -> tuple[tuple[Mismatch, ...], dict[str, tuple[int, ...]]]:
    """The joins that fail one after the other as the plan is applied, from the run `graph` as the model is, and what
    of the plan that took.
    """
    found: list[Mismatch] = []
    done: dict[str, tuple[int, ...]] = {}
    while True:
        node = case.failing(graph)
        if node is None:
            return tuple(found), done
        part = {name: values[name] for name in _above(graph, node) if name in values and name not in done}
        mismatch = mismatch_of(case, graph, node, focus, part)
        if mismatch is not None:
            found.append(mismatch)
        if not part:
            return tuple(found), done
        done.update(part)
        graph = case.graph(focus, done)


def _above(graph: ShapeGraph, node: Node) -> list[str]:
    """The modules whose calls a call depends on, itself included."""
    return [each.module for each in sorted(graph.ancestors(node), key=lambda each: each.index)]


def _losses(case: Case, focus: Mapping[str, int], values: Values, done: Values) -> tuple[LostRows, ...]:
    """The pairs that do not come back to their size; with a plan, each after the repair of those before."""
    if not values:
        if case.expect is not None and not asks_for_input_size(case.expect, case.question, focus):
            return ()
        graph = case.graph(focus, done)
        losses = [_loss(graph, pair, focus) for pair in mirrored_pairs(graph, focus)]
        return tuple(loss for loss in losses if any(loss.needed))
    applied, found = dict(done), list[LostRows]()
    whole = case.graph(focus, values)
    for module in sorted(values, key=lambda name: _position(whole, name)):
        if module not in applied:
            graph = case.graph(focus, applied)
            found += _planned(graph, module, values[module], focus)
            applied[module] = values[module]
    return tuple(found)


def _position(graph: ShapeGraph, module: str) -> int:
    return next((node.index for node in graph.nodes if node.module == module), len(graph.nodes))


def _planned(graph: ShapeGraph, module: str, value: tuple[int, ...], focus: Mapping[str, int]) -> list[LostRows]:
    """The pair that a layer of the plan closes, or else the layer alone against what it should give."""
    for pair in mirrored_pairs(graph, focus):
        for index in pair.up_nodes:
            if graph.nodes[index].module == module:
                return [replace(_loss(graph, pair, focus), up=graph.nodes[index], values={module: value})]
    of_module = (node for node in graph.nodes if node.module == module)
    node = next((node for node in of_module if node.parameter("output_padding") is not None), None)
    if node is None or not node.shapes:
        return []
    size, present = spatial_size(graph, node, focus), node.parameter("output_padding") or ()
    gap = tuple(wanted - now for wanted, now in zip(value, present, strict=True))
    whole = tuple(map(sum, zip(size, gap, strict=True)))
    alone = Pair((), (module,), whole, size, (0,) * len(size), (), (node.index,))
    return [LostRows(alone, node, node, gap, (), (), (), {module: value})]


def _loss(graph: ShapeGraph, pair: Pair, focus: Mapping[str, int]) -> LostRows:
    first_up, up = graph.nodes[pair.up_nodes[0]], graph.nodes[pair.up_nodes[-1]]
    down = graph.nodes[pair.down_nodes[-1]]
    bottom, entering = spatial_size(graph, down, focus), spatial_size(graph, first_up, focus, out=False)
    factor = [reduce(mul, (graph.nodes[index].factor[axis] for index in pair.up_nodes)) for axis in range(len(bottom))]
    moved = [int(f * (wanted - given)) for f, wanted, given in zip(factor, bottom, entering, strict=True)]
    needed = tuple(n - out - m for n, out, m in zip(pair.size_in, pair.size_out, moved, strict=True))
    before = spatial_size(graph, down, focus, out=False)
    rest = remainder_of(down, graph, focus)
    return LostRows(pair, up, down, needed, rest, before, bottom, {})
