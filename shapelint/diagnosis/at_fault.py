"""The call or the one argument that is at fault, where a single one is: a pad, a crop, a kernel, a stride."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shapelint.diagnosis.batch_axis import VIEWS
from shapelint.diagnosis.case import Case
from shapelint.diagnosis.idle_steps import lacking_steps
from shapelint.diagnosis.intent import multiples, same_remainder
from shapelint.diagnosis.layer_groups import takes_output_size
from shapelint.diagnosis.mirrors import as_in
from shapelint.diagnosis.pairs import mirrored_pairs
from shapelint.diagnosis.passage import CUTTING, setting, spoiling
from shapelint.diagnosis.scale import totals, uneven_factor
from shapelint.diagnosis.single_change import (
    fitting_kernel,
    legal_change,
    rounding_change,
    single_change,
    sound_change,
    unlike_the_others,
    unpadded_change,
)
from shapelint.diagnosis.unlike_padding import unlike_several
from shapelint.facts.contract import Region
from shapelint.facts.diagnosis import Change, LostRows, Mismatch, Plan
from shapelint.facts.failure import Kind
from shapelint.facts.graph import Node, ShapeGraph, size_at
from shapelint.trace.freeze import freeze
from shapelint.trace.run import overriding

_KINDS = frozenset({Kind.JOIN, Kind.CHANNELS, Kind.RESHAPE, Kind.UNPOOL})


def whole_run(case: Case, region: Region) -> ShapeGraph | None:
    """The run of a region, with its functions of the size, where it gives an output that is compared; else None."""
    if not region.outcome.ok or not case.intent.axes:
        return None
    return freeze(case.explored.runs[region.run], case.explored.subject.module, case.built)


def spoiler_of(case: Case, graph: ShapeGraph | None, region: Region, focus: Mapping[str, int]) -> Node | None:
    """The call after which the output's size can no longer come right; None where the model raises, or no one call."""
    if graph is None or case.expect is not None:
        return None
    given = region.outcome.outputs[case.intent.output :][:1]  # at some sizes a model may give fewer
    lacking = lacking_steps(graph, case.question.led.dims, given[0].dims) if given else None
    if lacking is not None:
        return lacking[0]
    uneven = uneven_factor(graph, case.intent.output, len(case.intent.axes))
    if uneven is not None:
        return uneven
    alike = region.sizes & same_remainder(case.question, case.intent.stride, focus)
    found = spoiling(graph, region, case.question, case.intent.output, case.intent.axes, focus, alike)
    if found is None:
        return _latent_view(case, graph, focus)
    paired = {index for pair in mirrored_pairs(graph, focus) for index in (*pair.down_nodes, *pair.up_nodes)}
    return None if found.index in paired else found


def _latent_view(case: Case, graph: ShapeGraph, focus: Mapping[str, int]) -> Node | None:
    """The view that makes a map of a latent vector, where the layers behind it multiply its size by as much as those
    ahead of it divide the input's, and only for that the output is too small or too large.
    """
    at, axes = case.intent.output, case.intent.axes
    if at >= len(graph.outputs) or graph.outputs[at] < 0:
        return None
    output, rank = graph.nodes[graph.outputs[at]], len(axes)
    ups = [up for _, up in totals(graph, at, rank)]
    given, wanted = output.shapes[0].value(dict(focus)), size_at(case.question.target, focus)
    for node in sorted(graph.ancestors(output), key=lambda each: -each.index):
        if node.operation in VIEWS and node.inputs and node.shapes:
            taken, made = (each.shapes[0].value(dict(focus)) for each in (graph.nodes[node.inputs[0]], node))
            grown = [rows * up for rows, up in zip(made[-rank:], ups, strict=True)]
            needed = [rows % up for rows, up in zip(wanted, ups, strict=True)]
            of_vector = len(taken) + rank == len(made)
            return node if of_vector and grown == [given[axis] for axis in axes] and not any(needed) else None
    return None


def setters_of(case: Case, graph: ShapeGraph | None, focus: Mapping[str, int]) -> tuple[Node, ...]:
    """The calls that change the size of the output, where everything passes through them."""
    return () if graph is None else setting(graph, case.question, case.intent.output, focus)


def change_at_fault(
    case: Case,
    focus: Mapping[str, int],
    graph: ShapeGraph,
    region: Region,
    spoiler: Node | None,
    losses: tuple[LostRows, ...],
    mismatches: tuple[Mismatch, ...] = (),
) -> Change | None:
    """The one argument of one layer with which the model is right at the focus, where it is likely to be at fault.

    Where the first join that fails misses a level, which another call gives, the wrong map may be joined: layers that
    are alike stay so. Where it misses a factor, no rows are lost.
    """
    failure, node = region.outcome.failure, case.failing(graph)
    if region.outcome.ok:
        preferred = [each for loss in losses for each in mirrors(loss)]
        if spoiler is not None:
            return None if spoiler.operation in CUTTING else single_change(case, graph, focus, suspect=spoiler.module)
        dropped = any(any(loss.remainder) and "pool" in loss.down.operation for loss in losses)
        change = (unlike_the_others(case, graph, focus) or rounding_change(case, graph, focus)) if dropped else None
        change = change or (single_change(case, graph, focus, preferred) if preferred or not losses else None)
        return change or unpadded_change(case, graph, focus, [loss.down for loss in losses])
    if node is None or failure is None:
        return None
    if failure.kind is Kind.KERNEL:
        return fitting_kernel(case.explored, graph, node, focus)
    if failure.kind is Kind.OUTPUT_PADDING:
        return legal_change(case, graph, node, focus)
    if failure.kind not in _KINDS:
        return None
    if not _is_broken(case):
        return rounding_change(case, graph, focus)
    restoring = failure.kind is not Kind.JOIN
    level, factor = any(each.levels for each in mismatches[:1]), any(each.strides for each in mismatches[:1])
    return sound_change(case, graph, focus, restoring=restoring, alone=not level, factor=factor)


def likelier(case: Case, focus: Mapping[str, int], graph: ShapeGraph, plan: Plan) -> Change | None:
    """What would be changed rather than make a plan that takes sizes away: an argument unlike those of the layers like
    it, and unlike that of its mirror, with which as many sizes are right. An illegal `output_padding` is made legal so.
    Where nothing ran, what several other layers have comes before an `output_padding`.
    """
    failure, node = case.contract.region_at(focus).outcome.failure, case.failing(graph)
    if failure is not None:
        if node is not None and failure.kind is Kind.OUTPUT_PADDING:
            return legal_change(case, graph, node, focus)
        return unlike_several(case, graph, focus) if failure.kind is Kind.JOIN and not plan.ran else None
    if not plan.loses and not plan.breaks:
        return None
    change = unlike_the_others(case, graph, focus)
    if change is None or _is_as_its_mirror(graph, change, focus):
        return None
    trial = case.solver.explored_with(overriding(change.values, change.parameter), focus)
    return change if plan.restores <= trial.right and plan.runs <= trial.runs else None


def _is_as_its_mirror(graph: ShapeGraph, change: Change, focus: Mapping[str, int]) -> bool:
    """Whether a transposed layer has the argument that would be changed from the layer that it mirrors."""
    pairs = [pair for pair in mirrored_pairs(graph, focus) if pair.up == (change.module,) and len(pair.down) == 1]
    return any(graph.nodes[pair.down_nodes[0]].parameter(change.parameter) == change.given for pair in pairs)


def _is_broken(case: Case) -> bool:
    """Whether a model is right at no size that people use: at a few of an axis, or at no multiple of its stride."""
    right = case.contract.restores if case.intent.meant else case.contract.runs
    return right.pinned or not right & multiples(case.question, case.intent.stride)


def mirrors(loss: LostRows) -> Iterator[Change]:
    """What would make the layers of a pair mirror each other; else the kernel or the padding of the transposed layer
    that alone would give the pair's size back.
    """
    up, names = loss.up, ("kernel_size", "padding", "dilation")
    if len(loss.pair.up) == len(loss.pair.down) == 1:
        yield from as_in(up, loss.down)
        yield from as_in(loss.down, up)
    kernel, padding, dilation = (up.parameter(name) for name in names)
    if kernel is None or padding is None or dilation is None or len(loss.pair.up) > 1 or takes_output_size(up):
        return
    sizes = [k * d + n for k, d, n in zip(kernel, dilation, loss.needed, strict=True)]
    if all(size % d == 0 and size > 0 for size, d in zip(sizes, dilation, strict=True)):
        value = tuple(size // d for size, d in zip(sizes, dilation, strict=True))
        yield Change(up.module, "kernel_size", kernel, value, up.built)
    if all(n % 2 == 0 and p >= n // 2 for p, n in zip(padding, loss.needed, strict=True)):
        value = tuple(p - n // 2 for p, n in zip(padding, loss.needed, strict=True))
        yield Change(up.module, "padding", padding, value, up.built)
