"""Runs a loaded model for all sizes and puts together what the rules read: the Analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from shapelint import ops  # noqa: F401  (registers the size rules)
from shapelint.confirm.witness import Witness
from shapelint.diagnosis.annotations import wrong_annotations
from shapelint.diagnosis.asked import Judge, Settled, is_conclusive, shows_sizes, tells_shapes, unseen_size
from shapelint.diagnosis.axis_mix_up import axis_mix_up
from shapelint.diagnosis.baked_branches import portability
from shapelint.diagnosis.batch_mixing import mixed_along_batch
from shapelint.diagnosis.broadcasts import broadcasts
from shapelint.diagnosis.calls import calls_at, calls_of
from shapelint.diagnosis.case import Case
from shapelint.diagnosis.diagnose import diagnose
from shapelint.diagnosis.hand_padding import short_padding
from shapelint.diagnosis.input_padding import padded_to
from shapelint.diagnosis.intent import intent, is_restored, multiples, restored, surviving_axes, with_known_restores
from shapelint.diagnosis.odd_difference import odd_differences
from shapelint.diagnosis.output_padding import Solver, Unsettled, fixed, layers_of
from shapelint.diagnosis.pairs import mirrored_pairs
from shapelint.diagnosis.reach import ExamplePoint
from shapelint.diagnosis.samples import mixed_samples
from shapelint.diagnosis.scattered import scattered_samples, stacked_samples
from shapelint.diagnosis.scene import draw
from shapelint.diagnosis.size_guard import size_guard
from shapelint.diagnosis.soundness import is_sound, sound_meaning
from shapelint.diagnosis.spatial_axes import leading, spatial_axes
from shapelint.diagnosis.subject import built_places, right_sizes, subject_of
from shapelint.diagnosis.tables import short_table
from shapelint.diagnosis.transforms import lost_transform
from shapelint.diagnosis.uncheckable import refuse_what_gives_nothing, refuse_what_never_runs
from shapelint.diagnosis.uneven import meant_but_for_a_layer
from shapelint.diagnosis.unlike_input import with_size_remark
from shapelint.facts.analysis import Analysis, Intent, Layer, LostTransform, ShortTable
from shapelint.facts.contract import Contract, How, Outcome, Region, union
from shapelint.facts.failure import Kind
from shapelint.facts.graph import ShapeGraph, TensorShape
from shapelint.facts.samples import MixedSamples
from shapelint.instrument.install import tracked_builtins
from shapelint.locks import one_check
from shapelint.request.inputs import Inputs
from shapelint.request.options import Options
from shapelint.request.question import Question, check_expectation, question
from shapelint.size.number import plain
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.trace.explore import Exploration, explore
from shapelint.trace.freeze import convolution_layers, freeze
from shapelint.trace.run import Subject

if TYPE_CHECKING:
    from shapelint.load import Loaded


def study(loaded: Loaded, parsed: Inputs, asked: Question, options: Options) -> tuple[Analysis, Subject]:
    """The analysis of a loaded model; ModelError where it gives None, or raises at every size for no reason of size."""
    asked, explored = _explored(loaded, parsed, asked, options)
    check_expectation(options.expect, asked.symbols)
    refuse_what_never_runs(loaded, explored, parsed, asked=asked.asked is not None)
    refuse_what_gives_nothing(loaded, explored, options.method or "forward")
    built = built_places(loaded)
    region = _showing(explored, asked)
    graph = freeze(explored.runs[region.run], loaded.module, built)
    asked = replace(asked, axes=surviving_axes(region.outcome.outputs, asked))
    meaning = intent(region if region.outcome.ok else None, graph, asked, options.expect)
    if region.outcome.ok and not meaning.meant:
        meaning, expect = meant_but_for_a_layer(explored, graph, region, asked, meaning, built)
        options = replace(options, expect=expect)
    asked = replace(asked, place=(meaning.output, meaning.axes) if meaning.axes else None)
    settled = _settled(loaded, explored, asked, options)
    samples = mixed_samples(explored, settled.regions, asked) or stacked_samples(graph, asked)
    samples = samples or scattered_samples(explored, graph, asked, built)
    if samples is None or asked.first not in samples.sizes:
        samples = mixed_along_batch(explored, region, asked, built) or samples
    contract = _contract(explored, asked, meaning, options, settled, samples)
    shown_at = graph.sizes if asked.asked is None else asked.first
    analysis = _analysis(loaded, asked, contract, meaning, graph, _layers(loaded, built))
    remarks = (settled.remark,) if settled.remark else ()
    analysis = replace(analysis, contradictions=settled.contradictions, remarks=remarks, pytorch=settled.pytorch)
    analysis = replace(analysis, samples=samples, pairs=mirrored_pairs(graph, shown_at), providers=options.confirm)
    solver = Solver(explored.subject, asked.domain, layers_of(graph), right_sizes(asked, meaning, options, contract))
    solver = _judging(solver, asked, options)
    case = Case(explored, built, contract, meaning, solver, asked, options.expect, graph)
    analysis = with_size_remark(_suspected(_diagnosed(analysis, case), case), shown_at)
    picture = draw(analysis, case) if options.picture else None
    calls = calls_of(explored, region, graph, analysis.pairs) if options.calls else ()
    analysis = replace(analysis, picture=picture, portability=portability(explored, analysis), calls=calls)
    return replace(analysis, calls_at=partial(calls_at, explored, calls)), explored.subject


def _judging(solver: Solver, asked: Question, options: Options) -> Solver:
    """The solver, told what its author would accept of a repaired model."""

    def sound(trial: Exploration, sizes: Mapping[str, int]) -> bool:
        return is_sound(trial, asked, options.expect, sizes)

    def restores(trial: Exploration, wanted: SizeSet) -> bool:
        sizes = wanted.sample()
        meaning = None if sizes is None else sound_meaning(trial, asked, options.expect, sizes)
        return meaning is not None and meaning.meant

    return replace(solver, sound=sound, restores=restores)


def _explored(loaded: Loaded, parsed: Inputs, asked: Question, options: Options) -> tuple[Question, Exploration]:
    """The exploration, with the spatial axes where the model's own convolutions take them."""
    explored = explore(subject_of(loaded, asked, options), asked.domain, asked.first)
    lead = leading(explored, asked)
    if lead != asked.lead and not (asked.concrete and options.sizes):
        asked = question(parsed, options.sizes, None, lead)
        explored = explore(subject_of(loaded, asked, options), asked.domain, asked.first)
    concrete = parsed if asked.concrete else fixed(parsed, asked.first)
    axes = spatial_axes(explored, asked, lambda other: subject_of(loaded, other, options), concrete)
    if axes == asked.axes:
        return asked, explored
    if not asked.concrete:
        return replace(asked, axes=axes), explored
    asked = question(parsed, options.sizes, axes, asked.lead)
    return asked, explore(subject_of(loaded, asked, options), asked.domain, asked.first)


def _showing(explored: Exploration, asked: Question) -> Region:
    """A region that shows the model at work: one that runs, at an asked size or one without an end."""
    running = [region for region in explored.regions if region.outcome.ok]
    for region in running:
        if asked.asked is not None and region.sizes & asked.asked:
            return region
    running = [region for region in running if not region.sizes.finite] or running
    longest = max(running or explored.regions, key=lambda region: len(explored.runs[region.run].records))
    return next((each for each in running if asked.first in each.sizes), longest)


def _settled(loaded: Loaded, explored: Exploration, asked: Question, options: Options) -> Settled:
    """The regions, with what a run at each asked size shows of those that are not proved."""
    regions, wanted = with_known_restores(explored.regions, asked, options.expect), asked.asked
    first = asked.first if wanted is not None else unseen_size(explored, asked.first)
    if first is None:
        return Settled(regions, SizeSet.empty(asked.symbols))
    wanted = SizeSet.point(asked.symbols, first) if wanted is None else wanted
    code = loaded.given or loaded.rebuild is not None
    witness = Witness(loaded, method=options.method, train=options.train) if code else None
    return Judge(explored, asked.inputs, witness).settled(regions, wanted, first)


def _contract(
    explored: Exploration,
    asked: Question,
    meaning: Intent,
    options: Options,
    settled: Settled,
    samples: MixedSamples | None,
) -> Contract:
    def ask(sizes: Mapping[str, int]) -> Outcome:
        with one_check(), tracked_builtins(explored.subject.module):
            run = explored.run(sizes, symbolic=False)
        outputs = tuple(tuple(map(plain, shape)) for shape in run.outputs if tells_shapes(run))
        open_here = any(sizes in each.sizes for each in settled.regions if each.how is How.UNKNOWN)
        unsure = not (is_conclusive(run) if open_here else shows_sizes(run))
        ok, how = (None, How.UNKNOWN) if unsure else (run.failure is None, How.SAMPLED)
        return Outcome(ok, outputs, "" if run.failure is None else run.failure.at(sizes), "", how)

    def judge(outcome: Outcome, sizes: Mapping[str, int]) -> bool:
        expect = None if options.expect is None else options.expect.at(sizes)
        alone = asked.at(fixed(asked.inputs, sizes), asked.symbols)
        return outcome.ok is True and is_restored(tuple(map(TensorShape, outcome.outputs)), alone, expect, sizes)

    right = restored(asked.domain, settled.regions, asked, options.expect)
    mixed = SizeSet.empty(asked.symbols) if samples is None else samples.sizes
    made = (asked.symbols, asked.domain, settled.regions, right - mixed, meaning.meant)
    return Contract(*made, ask, judge, settled.seen, None if samples is None else mixed)


def _analysis(
    loaded: Loaded, asked: Question, contract: Contract, meaning: Intent, graph: ShapeGraph, layers: tuple[Layer, ...]
) -> Analysis:
    return Analysis(
        target=loaded.name,
        question=asked,
        contract=contract,
        intent=meaning,
        graph=graph,
        pairs=(),
        layers=layers,
        asked=asked.domain if asked.asked is None else asked.asked,
        certain=asked.asked is not None,
        misaligned=False,
        constant_for_all=None,
        diagnosis=None,
    )


def _layers(loaded: Loaded, built: dict[str, Span]) -> tuple[Layer, ...]:
    found = convolution_layers(loaded.module)
    return tuple(Layer(name, kind, parameters, built.get(name)) for name, kind, parameters in found)


def _diagnosed(analysis: Analysis, case: Case) -> Analysis:
    contract = analysis.contract
    if analysis.certain:
        wrong = (analysis.asked - analysis.wanted) & (contract.decided | _may_fail(contract))
        wrong = wrong if analysis.samples is None else wrong - analysis.samples.sizes
        if not wrong:
            return analysis
        focus = _focus(wrong, case)
        return replace(analysis, diagnosis=diagnose(case, focus, analysis.asked))
    if not analysis.wanted and contract.proved and analysis.samples is None:
        focus = _focus(contract.runs or contract.domain, case)
        return replace(analysis, diagnosis=diagnose(case, focus, SizeSet.point(contract.symbols, focus)))
    return _aligned(analysis, case)


def _may_fail(contract: Contract) -> SizeSet:
    """The sizes that raise unless the values in a tensor are lucky, as those of the indices of an unpooling are."""
    undecided = [(each.sizes, each.outcome.failure) for each in contract.regions if each.outcome.ok is None]
    return union(contract.symbols, [sizes for sizes, failure in undecided if failure and failure.kind is Kind.UNPOOL])


def _suspected(analysis: Analysis, case: Case) -> Analysis:
    """The analysis, with the causes that only some models have: each is looked for in the regions that are known."""
    focus = None if analysis.diagnosis is None else analysis.diagnosis.focus
    explored, contract, example = case.explored, case.contract, ExamplePoint(focus, analysis.asked)
    padding = padded_to(analysis)
    return replace(
        analysis,
        padding=padding,
        short_padding=short_padding(analysis, padding),
        odd=odd_differences(explored, contract, case.question, example),
        mixed=axis_mix_up(explored, contract, case.question, example),
        broadcasts=broadcasts(explored, contract, case, example),
        guard=size_guard(case, example),
        table=_table(analysis, case.question),
        transform=_transform(analysis),
        annotations=wrong_annotations(explored, contract, analysis.asked),
    )


def _transform(analysis: Analysis) -> LostTransform | None:
    """The transform whose inverse is not told the size, where no pair of layers loses rows besides.

    Where a join raises, it is the one that gives the join its size.
    """
    diagnosis, meant = analysis.diagnosis, analysis.intent.meant and not analysis.intent.expected
    if analysis.misaligned or (diagnosis is not None and any(loss.pair.down for loss in diagnosis.losses)):
        return None
    if diagnosis is None or diagnosis.region.outcome.ok:
        if not meant or (diagnosis is None and analysis.certain):
            return None
        return lost_transform(analysis.graph, analysis.question.target, None if diagnosis is None else diagnosis.focus)
    lost = lost_transform(analysis.graph, None, diagnosis.focus)
    joined = {size[-1] for mismatch in diagnosis.mismatches[:1] for size in mismatch.sizes if size}
    return lost if lost is not None and joined == {lost.taken, lost.given} else None


def _table(analysis: Analysis, asked: Question) -> ShortTable | None:
    """The table that is too short at the focus, or with symbols alone at some sizes."""
    found = analysis.diagnosis
    if found is not None:
        return None if found.declined else short_table(found.graph, found.node, found.region, asked, found.focus)
    for region in () if analysis.certain else analysis.contract.regions:
        node, focus = analysis.graph.call_of(region.outcome.module, region.outcome.place), region.sizes.sample()
        table = None if focus is None else short_table(analysis.graph, node, region, asked, focus)
        if table is not None:
            return table
    return None


def _aligned(analysis: Analysis, case: Case) -> Analysis:
    """Symbols alone: whether the multiples of the total stride restore, and what would make them."""
    contract = analysis.contract
    whole = multiples(analysis.question, analysis.intent.stride) & contract.runs
    known = whole & contract.decided
    if not analysis.intent.meant or not known or whole & contract.restores or contract.runs.pinned:
        return analysis
    focus = whole.at_least(dict.fromkeys(whole.symbols, 8)).sample() or _focus(whole, case)
    found = diagnose(case, focus, whole)
    return replace(analysis, misaligned=True, constant_for_all=_constant_for_all(case), diagnosis=found)


def _constant_for_all(case: Case) -> bool | None:
    """Whether constant values repair the model at every size that runs; None where that was not found out."""
    if not case.solver.layers:
        return False
    try:
        return case.solver.constant_for(case.contract.runs) is not None
    except Unsettled:
        return None


def _focus(sizes: SizeSet, case: Case) -> Mapping[str, int]:
    """A member to tell the story at: the first run's size where it is one, else a not too small one."""
    first = case.explored.runs[0].sizes
    if first in sizes:
        return first
    return sizes.example() or first
