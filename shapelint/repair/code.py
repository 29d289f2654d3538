"""Other code for what misses a size, tried: the model is built and run again from the edited text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain, islice
from typing import TypeVar

from shapelint.diagnosis.joins import is_far_apart, short_unpoolings, unlike
from shapelint.diagnosis.reach import UNSOLVED
from shapelint.diagnosis.scene import scene
from shapelint.diagnosis.soundness import is_sound_repair
from shapelint.diagnosis.subject import built_places, right_sizes, subject_of
from shapelint.edit.crops import crops
from shapelint.edit.document import texts
from shapelint.edit.joins import Join, Rewriting, rewritings
from shapelint.edit.layers import resized
from shapelint.edit.transforms import inversions
from shapelint.edit.unpool import unpoolings
from shapelint.errors import ShapelintError
from shapelint.facts.analysis import Analysis, LostTransform
from shapelint.facts.contract import running
from shapelint.facts.diagnosis import Diagnosis, Plan, Rewrite
from shapelint.facts.finding import Finding, Repair, Safety
from shapelint.facts.graph import ShapeGraph
from shapelint.facts.picture import DrawnChange, Picture, Scene
from shapelint.instrument.install import tracked_builtins
from shapelint.load import Loaded, Site, edited
from shapelint.repair.arguments import arguments
from shapelint.request.options import Options
from shapelint.size.sets import SizeSet
from shapelint.source.ownership import installed
from shapelint.source.span import Edit
from shapelint.trace.budget import Budget
from shapelint.trace.explore import Exploration, explore
from shapelint.trace.freeze import freeze
from shapelint.trace.recording.errors import OutOfTime

_JOINS, _TRIED = 8, 8
_TRIAL_CALLS, _TRIAL_SECONDS = 40_000, 20.0
_PLAN_RUNS, _PLAN_CALLS, _PLAN_SECONDS = 160, 50_000, 10.0

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Trial = Callable[[tuple[Edit, ...], Argument], Result]


@dataclass(frozen=True, slots=True)
class Trier:
    """Builds the model of an analysis again with some edits made, and tells what it does then.

    `budget` is for the trials at one size; each counts as many calls as the model makes unedited.
    """

    load_again: Callable[[], Loaded]
    analysis: Analysis
    options: Options
    sites: Mapping[str, Site]
    budget: Budget = field(default_factory=partial(Budget, calls=_TRIAL_CALLS, seconds=_TRIAL_SECONDS))

    def graph(self, edits: tuple[Edit, ...], sizes: Mapping[str, int]) -> ShapeGraph:
        """The calls at one size, up to the one that fails."""
        self.budget.spend(calls=len(self.analysis.graph.nodes))
        with self._loaded(edits) as loaded:
            subject = subject_of(loaded, self.analysis.question, self.options)
            run = Exploration(subject, self.analysis.question.domain, {}).run(sizes, symbolic=False)
            return freeze(run, loaded.module, {})

    def plan(self, edits: tuple[Edit, ...], wanted: SizeSet) -> Plan:
        """What the model does at every size."""
        asked, contract = self.analysis.question, self.analysis.contract
        with self._loaded(edits) as loaded, tracked_builtins(loaded.module):
            subject = subject_of(loaded, asked, self.options)
            budget = Budget(runs=_PLAN_RUNS, calls=_PLAN_CALLS, seconds=_PLAN_SECONDS)
            found = explore(subject, asked.domain, asked.first, budget=budget)
            right = right_sizes(asked, self.analysis.intent, self.options, contract)(found, None)
            if not is_sound_repair(found, self.analysis, self.options.expect):
                right = SizeSet.empty(asked.symbols)
        runs = running(asked.domain, found.regions)
        lost = self.analysis.wanted - right, contract.runs - runs
        return Plan({}, wanted <= right, right, runs, *lost, ran=not contract.runs.finite)

    def channels(self, edits: tuple[Edit, ...], _at: object = None) -> dict[str, tuple[object, ...]]:
        """The channels of each convolution: a size that is written somewhere changes none."""
        names = ("in_channels", "out_channels")
        with self._loaded(edits) as loaded:
            layers = arguments(loaded.module).items()
        return {name: tuple(value for key, value in values.items() if key in names) for name, values in layers}

    def scene(self, edits: tuple[Edit, ...], sizes: Mapping[str, int]) -> Scene:
        """The calls at one size, to be drawn."""
        question = self.analysis.question
        with self._loaded(edits) as loaded, tracked_builtins(loaded.module):
            run = Exploration(subject_of(loaded, question, self.options), question.domain, {}).run(sizes, symbolic=True)
            return scene(freeze(run, loaded.module, built_places(loaded)), loaded.module, question, sizes)

    @contextmanager
    def _loaded(self, edits: tuple[Edit, ...]) -> Iterator[Loaded]:
        with edited(texts(edits)):
            yield self.load_again()


def with_rewrite(analysis: Analysis, trier: Trier) -> Analysis:
    """The analysis, with other code for what is wrong at the focus, where some was seen to work."""
    diagnosis = analysis.diagnosis
    settled = diagnosis is None or diagnosis.change is not None or _loses_no_row(analysis, diagnosis)
    if diagnosis is None or settled or (analysis.claimed and analysis.transform is None):
        return analysis
    wanted = _wanted(analysis, diagnosis)
    for edits, words, repair in _ways(trier, diagnosis):
        plan = _tried(trier.plan, edits, wanted)
        if plan is not None and diagnosis.focus in plan.restores:
            rewrite = Rewrite(edits, words, plan, repair)
            return replace(analysis, rewrite=rewrite, picture=_drawn(trier, diagnosis, rewrite))
    return analysis


def _loses_no_row(analysis: Analysis, diagnosis: Diagnosis) -> bool:
    """Whether the join that fails gets maps of two levels, fits at few sizes, or gets one that nothing grew and that
    lacks half of the other's rows, such as weights of channels: a resize hides what is wrong.
    """
    for each in diagnosis.mismatches[:1]:
        strange = each.up is None and is_far_apart(each)
        return strange or each.strides is not None or analysis.contract.runs.finite
    return False


def _tried(trial: Trial[Argument, Result], edits: tuple[Edit, ...], at: Argument) -> Result | None:
    """What a trial of some edits gives; None where they cannot be made, or what they make cannot be told."""
    try:
        return trial(edits, at)
    except (ShapelintError, OutOfTime, *UNSOLVED):
        return None


def _drawn(trier: Trier, diagnosis: Diagnosis, rewrite: Rewrite) -> Picture | None:
    """The picture of the analysis, where there is one, with the rewritten model as the mended one."""
    picture = trier.analysis.picture
    if picture is None:
        return None
    ups = [mismatch.up or mismatch.node for mismatch in diagnosis.mismatches]
    ups = ups or [loss.up for loss in diagnosis.losses] or [misfit.node for misfit in diagnosis.misfits]
    names = [*dict.fromkeys(diagnosis.graph.name_of(up) for up in ups)]
    if len(set(rewrite.texts)) == 1:
        written = dict.fromkeys(names or ["forward"], rewrite.texts[0])
    else:
        written = dict(zip(names, rewrite.texts, strict=False))
        left = rewrite.texts[len(written) :]
        written |= {"forward": " and ".join(left)} if left else {}
    changes = {name: DrawnChange(rewrite.repair, text.rpartition("`")[2]) for name, text in written.items()}
    repaired, plan = _tried(trier.scene, rewrite.edits, picture.sizes), rewrite.plan
    if repaired is None:
        return picture
    return replace(picture, repaired=repaired, changes=changes, runs=plan.runs, restores=plan.restores)


def tried(finding: Finding, trier: Trier | None) -> Finding:
    """The finding, whose edits are only advice as yet, with the safety that they were seen to have, or without them."""
    fix = finding.fix
    if fix is None or fix.safety is not Safety.ADVICE or not fix.edits:
        return finding
    if trier is not None:
        plan = _tried(trier.plan, fix.edits, _wanted(trier.analysis, trier.analysis.diagnosis))
        if plan is not None and plan.complete:
            return replace(finding, fix=replace(fix, safety=plan.safety, verified=("meta",)))
    return replace(finding, fix=replace(fix, edits=()))


def seen_to_run(finding: Finding, trier: Trier | None) -> Finding:
    """The finding, without the edits of an argument with which the model still raises: other code may read the text."""
    fix, diagnosis = finding.fix, None if trier is None else trier.analysis.diagnosis
    if fix is None or trier is None or diagnosis is None or not fix.edits or fix.repairs != (Repair.ARGUMENT,):
        return finding
    graph = _tried(trier.graph, fix.edits, diagnosis.focus)
    note = "no edit: the text that sets it is read elsewhere too, and the model then raises there"
    advice = replace(fix, safety=Safety.ADVICE, edits=(), assignments={})
    return replace(finding, fix=advice, notes=(*finding.notes, note)) if graph and not graph.outputs else finding


def _wanted(analysis: Analysis, diagnosis: Diagnosis | None) -> SizeSet:
    focus = None if analysis.certain or diagnosis is None else diagnosis.focus
    return analysis.asked if focus is None else SizeSet.point(analysis.contract.symbols, focus)


Way = tuple[tuple[Edit, ...], tuple[str, ...], Repair]


def _ways(trier: Trier, diagnosis: Diagnosis) -> Iterator[Way]:
    """Edits, how what they change then reads, and what that is: a transform, join, unpooling, crop, or pinned layer."""
    transform = trier.analysis.transform
    if transform is not None:
        yield from _inversions(transform)
        return
    if diagnosis.mismatches or any(node.operation.startswith("max_unpool") for node in diagnosis.graph.nodes):
        steps = _steps(trier, diagnosis.focus, diagnosis.graph)
        if steps:
            yield tuple(edit for step in steps for edit in step.edits), tuple(step.text for step in steps), Repair.CODE
    for rewriting in chain(_cropping(trier, diagnosis), _resizing(diagnosis)):
        yield rewriting.edits, (rewriting.text,), Repair.CODE
    yield from _rebuilding(trier, diagnosis)


def _cropping(trier: Trier, diagnosis: Diagnosis) -> list[Rewriting]:
    """Crops of the result, where the input was padded by hand and the rows stay."""
    spoiler, rank = diagnosis.spoiler, len(trier.analysis.question.axes)
    if spoiler is None or spoiler.operation != "pad" or spoiler.place is None:
        return []
    return list(islice(crops(spoiler.place, rank), _TRIED))


def _resizing(diagnosis: Diagnosis) -> Iterator[Rewriting]:
    """A size for the up-sampling of the one pair that does not come back."""
    for loss in diagnosis.losses if diagnosis.plan is None and len(diagnosis.losses) == 1 else ():
        if loss.up.place is not None and not installed(loss.up.place.file):
            transposed = loss.up.operation.startswith("conv_transpose")
            join = Join(loss.up.place, 0, 0, loss.up.place, transposed, loss.up.spatial)
            yield from list(islice(rewritings(join), _TRIED))


def _rebuilding(trier: Trier, diagnosis: Diagnosis) -> Iterator[Way]:
    """A linear layer built for the features that arrive, where a size is written from which they are computed."""
    if diagnosis.misfits and diagnosis.region.outcome.failure is not None:
        misfit = diagnosis.misfits[0]
        site, ratio = trier.sites.get(misfit.node.module), Fraction(misfit.given, max(misfit.built_for, 1))
        if site is not None and "Linear" in misfit.node.kind:
            before = _tried(trier.channels, (), None)
            ways = [] if before is None else list(islice(resized(site.calls, "in_features", 0, ratio), _TRIED))
            for edit, text in ways:
                if _tried(trier.channels, (edit,), None) == before:
                    yield (edit,), (text,), Repair.CHANNELS


def _inversions(transform: LostTransform) -> Iterator[tuple[tuple[Edit, ...], tuple[str, ...], Repair]]:
    """The size told to the inverse of a transform."""
    inverse, forward = transform.inverse.place, transform.forward.place
    if inverse is not None and forward is not None and not installed(inverse.file):
        for rewriting in list(islice(inversions(inverse, forward, transform.argument), _TRIED)):
            yield rewriting.edits, (rewriting.text,), Repair.CODE


def _steps(trier: Trier, focus: Mapping[str, int], graph: ShapeGraph) -> list[Rewriting]:
    """A rewriting for each call that fails, one after the other; [] where one of them has none."""
    steps: list[Rewriting] = []
    while len(steps) < _JOINS and not trier.budget.spent():
        ways = _calls_to_write(trier, focus, graph)
        if ways is None:
            return steps if graph.outputs else []
        found = _first(trier, focus, ways, steps, _progress(graph, focus))
        if found is None:
            return []
        steps.append(found[0])
        graph = found[1]
    return []


def _calls_to_write(trier: Trier, focus: Mapping[str, int], graph: ShapeGraph) -> Iterator[Rewriting] | None:
    """Ways to write the first call that misses a size; None where none does."""
    unpooling = next(short_unpoolings(graph, focus), None)
    if unpooling is not None and unpooling.unpool.place is not None and unpooling.pool.place is not None:
        return unpoolings(unpooling.unpool.place, unpooling.pool.place)
    if graph.outputs:
        return None
    join = _join(trier, focus, graph)
    return iter(()) if join is None else rewritings(join)


def _progress(graph: ShapeGraph, focus: Mapping[str, int]) -> tuple[bool, int, int]:
    """How far a run comes: with fewer unpoolings that miss a size, further on its way, or to its end."""
    return bool(graph.outputs), -sum(1 for _ in short_unpoolings(graph, focus)), len(graph.nodes)


def _join(trier: Trier, focus: Mapping[str, int], graph: ShapeGraph) -> Join | None:
    node, rank = graph.nodes[-1], len(trier.analysis.question.axes) or 2
    differing = unlike(graph, node, rank, focus)
    if differing is None or node.place is None or installed(node.place.file):
        return None
    up = differing.up
    place = None if up is None or up.place is None or installed(up.place.file) else up.place
    transposed = up is not None and up.operation.startswith("conv_transpose")
    return Join(node.place, differing.skip, differing.grown, place, transposed, rank)


def _first(
    trier: Trier,
    focus: Mapping[str, int],
    ways: Iterator[Rewriting],
    steps: list[Rewriting],
    reached: tuple[bool, int, int],
) -> tuple[Rewriting, ShapeGraph] | None:
    """The first rewriting with which the run gets further."""
    before = tuple(edit for step in steps for edit in step.edits)
    for rewriting in list(islice(ways, _TRIED)):  # before a trial, which makes the syntax trees anew
        graph = _tried(trier.graph, (*before, *rewriting.edits), focus)
        if graph is not None and _progress(graph, focus) > reached:
            return rewriting, graph
    return None
