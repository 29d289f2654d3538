"""Puts together the picture of a model: its calls at the size where the story is told, as it is and with the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from operator import mul
from typing import TYPE_CHECKING

from shapelint.diagnosis.case import Case
from shapelint.diagnosis.channels import rebuilt_channels
from shapelint.diagnosis.pairs import mirrored_pairs, remainder_of
from shapelint.facts.analysis import Analysis
from shapelint.facts.diagnosis import Diagnosis
from shapelint.facts.finding import Finding, Repair, Severity
from shapelint.facts.graph import Dimension, Node, ShapeGraph, size_at, ticked
from shapelint.facts.picture import DrawnChange, Mark, Picture, Role, Scene, Step
from shapelint.request.question import Question
from shapelint.size.words import sized
from shapelint.trace.freeze import freeze
from shapelint.trace.recording.record import Overrides
from shapelint.trace.run import overriding

if TYPE_CHECKING:
    import torch

Sizes = Mapping[str, int]


def draw(analysis: Analysis, case: Case) -> Picture:
    """The picture of an analysed model, at the focus of its diagnosis or at an asked size."""
    diagnosis = analysis.diagnosis
    sizes = _focus_scene(analysis) if diagnosis is None else dict(diagnosis.focus)
    now, raises = _run(case, sizes, {})
    overrides, changes = ({}, {}) if diagnosis is None else _repair(diagnosis)
    after = _run(case, sizes, overrides)[0] if changes else None
    module, question = case.explored.subject.module, case.question
    shown = scene(now, module, question, sizes, _whole(now, [after, analysis.graph]) if raises else now)
    marks = () if diagnosis is None else tuple(_marks(analysis, diagnosis, now))
    plan = None if diagnosis is None else diagnosis.plan or diagnosis.repaired
    expect = case.expect
    wanted = size_at(analysis.question.target, sizes) if expect is None else _expected(case, sizes)
    return Picture(
        sizes=sizes,
        now=replace(shown, marks=marks),
        wanted=wanted if analysis.intent.meant else (),
        output=analysis.intent.output,
        repaired=None if after is None else scene(after, module, question, sizes),
        changes=changes,
        runs=None if plan is None else plan.runs,
        restores=None if plan is None else plan.restores,
    )


def proposed(picture: Picture, findings: Iterable[Finding]) -> Picture:
    """The picture, with the repair only where a finding proposes it, and with the places of the findings marked."""
    found = [finding for finding in findings if finding.severity is not Severity.NOTE]
    fixes = [finding.fix for finding in found if finding.fix is not None]
    drawn = {change.repair for change in picture.changes.values()}
    repaired = any(drawn & set(fix.repairs) for fix in fixes)
    now = replace(picture.now, marks=(*picture.now.marks, *_named(picture.now, found)))
    if repaired:
        return replace(picture, now=now)
    return replace(picture, now=now, repaired=None, changes={}, runs=None, restores=None)


def _named(scene: Scene, findings: list[Finding]) -> Iterator[Mark]:
    """The calls at which findings are placed, where nothing is marked yet."""
    taken = {mark.step for mark in scene.marks}
    for finding in findings:
        steps = [
            index
            for index, step in enumerate(scene.steps)
            if finding.location is not None
            and finding.location in (step.built, step.place)
            and finding.module in (None, step.module)
        ]
        if steps and not taken & set(steps):
            yield Mark(steps[0], Role.NAMED, finding.message)


def _focus_scene(analysis: Analysis) -> dict[str, int]:
    """An asked size, or that of a run which gave outputs."""
    return dict(analysis.question.first if analysis.certain else analysis.graph.sizes)


def _expected(case: Case, sizes: Sizes) -> tuple[int, ...]:
    """The last dimensions that are expected, as many as there are spatial axes; () where some may be anything."""
    rank = len(case.question.axes)
    dims = [] if case.expect is None or not rank else case.expect.dims[-rank:]
    return tuple(dim.value(sizes) for dim in dims if dim is not None) if None not in dims else ()


def _repair(diagnosis: Diagnosis) -> tuple[Overrides, dict[str, DrawnChange]]:
    """What is replaced in the repaired model: for a run, and in words."""
    plan, change, misfits = diagnosis.plan, diagnosis.change, diagnosis.misfits
    if plan is not None:
        texts = {name: f"output_padding={_short(value)}" for name, value in plan.values.items()}
        return overriding(plan.values), _changed(Repair.PADDING, texts)
    if change is not None:
        texts = {name: f"{change.parameter}={_short(value)}" for name, value in change.values.items()}
        return overriding(change.values, change.parameter), _changed(Repair.ARGUMENT, texts)
    if misfits and diagnosis.repaired is not None and diagnosis.focus in diagnosis.repaired.runs:
        texts = {each.node.module: f"built for {each.given}" for each in misfits}
        return rebuilt_channels(misfits), _changed(Repair.CHANNELS, texts)
    return {}, {}


def _changed(repair: Repair, texts: Mapping[str, str]) -> dict[str, DrawnChange]:
    return {name: DrawnChange(repair, text) for name, text in texts.items()}


def _short(value: tuple[int, ...]) -> str:
    return str(value[0] if len(set(value)) == 1 else value)


def _run(case: Case, sizes: Sizes, overrides: Overrides) -> tuple[ShapeGraph, bool]:
    """The calls of a run, and whether it raises."""
    run = replace(case.explored, overrides=overrides).run(sizes, symbolic=True)
    return freeze(run, case.explored.subject.module, case.built), run.failure is not None


def _whole(now: ShapeGraph, others: list[ShapeGraph | None]) -> ShapeGraph:
    """A run that goes on where `now` ends, the same calls before that; `now` itself where there is none."""
    found = (other for other in others if other is not None and _continues(now, other))
    return next(found, now)


def _continues(now: ShapeGraph, other: ShapeGraph) -> bool:
    pairs = zip(now.nodes, other.nodes, strict=False)
    same = all((a.operation, a.module, a.inputs) == (b.operation, b.module, b.inputs) for a, b in pairs)
    return same and len(other.nodes) > len(now.nodes)


def scene(
    graph: ShapeGraph, module: torch.nn.Module, question: Question, sizes: Sizes, whole: ShapeGraph | None = None
) -> Scene:
    """The calls of a run of a module, and after its end those of the `whole` one."""
    leaves = {name for name, part in module.named_modules() if next(part.children(), None) is None}
    whole = whole or graph
    steps = _steps(graph, whole, leaves, question, sizes)
    failing = not graph.nodes[-1].shapes and not graph.outputs
    return Scene(steps, len(graph.nodes) - failing, whole.outputs, mirrored_pairs(graph, sizes))


def _steps(
    graph: ShapeGraph, whole: ShapeGraph, leaves: set[str], question: Question, sizes: Sizes
) -> tuple[Step, ...]:
    symbols = frozenset(name for dim in question.target for name in dim.symbols())
    found: list[Step] = []
    for run, nodes in ((graph, graph.nodes), (whole, whole.nodes[len(graph.nodes) :])):
        for node in nodes:
            name = _name(run, node, node.module in leaves)
            found.append(_step(node, found, name, node.module in leaves, symbols, sizes, len(question.axes)))
    return tuple(found)


def _step(
    node: Node, before: list[Step], name: str, leaf: bool, symbols: frozenset[str], sizes: Sizes, rank: int
) -> Step:
    shape = node.shapes[0].value(dict(sizes)) if node.shapes else ()
    dims = _spatial(node, symbols, rank)
    source = next((before[index] for index in node.inputs if index < len(before)), None)
    size = () if dims is None else tuple(dim if isinstance(dim, int) else dim.value(sizes) for dim in dims)
    inherited = dims is None and source is not None
    factor = reduce(mul, node.factor, 1.0) ** (1 / len(node.factor)) if node.factor else 1.0
    return Step(
        name=name,
        operation=node.operation,
        kind=node.kind if leaf else "",
        module=node.module,
        inputs=node.inputs,
        shape=shape,
        size=source.size if inherited and source else size,
        formula=source.formula if inherited and source else tuple(map(str, dims or ())),
        factor=float(factor),
        fixed=source.fixed if inherited and source else not any(_depends(dim, symbols) for dim in dims or ()),
        spatial=node.spatial > 0,
        place=node.place,
        built=node.built,
        parameters=node.parameters,
    )


def _spatial(node: Node, symbols: frozenset[str], rank: int) -> tuple[Dimension, ...] | None:
    """The dimensions of what a call gives that are its size; None where they cannot be told from the others."""
    if not node.shapes:
        return None
    dims = node.shapes[0].dims
    if node.spatial:
        return dims[-node.spatial :]
    depending = tuple(dim for dim in dims if _depends(dim, symbols))
    if len(depending) in (0, 1, rank):
        return depending
    return None


def _depends(dim: Dimension, symbols: frozenset[str]) -> bool:
    return not isinstance(dim, int) and bool(dim.symbols() & symbols)


def _name(graph: ShapeGraph, node: Node, leaf: bool) -> str:
    """A call as the text names it, where it resamples or is all of a layer; another by the function's own name."""
    if node.spatial or leaf or not node.module:
        return graph.name_of(node).partition(" in ")[0]
    return node.operation


def _marks(analysis: Analysis, diagnosis: Diagnosis, now: ShapeGraph) -> Iterator[Mark]:
    """The calls that lose a remainder, that miss a size, and that raise."""
    found: dict[int, Mark] = {}
    pairs = mirrored_pairs(now, diagnosis.focus)
    blamed = [] if analysis.claimed else [index for loss in diagnosis.losses for index in loss.pair.up_nodes]
    blamed += [] if analysis.claimed else [each.up.index for each in diagnosis.mismatches if each.up is not None]
    for pair in pairs:
        if pair.size_in == pair.size_out or not set(pair.up_nodes) & set(blamed):
            continue
        up, down = pair.up_nodes[-1], pair.down_nodes[-1]
        text = f"gives back {sized(pair.size_out)} where {sized(pair.size_in)} went into {ticked(pair.down[0])}"
        found[up] = Mark(up, Role.MISSES, text, pair.size_in)
        rows = max(remainder_of(now.nodes[down], now, diagnosis.focus), default=0)
        if rows:
            text = f"leaves {rows} {'row' if rows == 1 else 'rows'} behind"
            found[down] = Mark(down, Role.DROPS, text, rows=rows)
    failure = diagnosis.region.outcome.failure
    if diagnosis.node is not None and failure is not None:
        index = diagnosis.node.index
        found[index] = Mark(index, Role.RAISES, failure.at(diagnosis.focus))
    yield from found.values()
