"""Which sizes are confirmed, and how a checked model is handed to the confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from shapelint.confirm.confirm import ExportSubject, confirm, too_large
from shapelint.confirm.dynamic import confirmed_at_many
from shapelint.facts.analysis import Analysis, Contradiction
from shapelint.facts.contract import How
from shapelint.load import Loaded
from shapelint.request.spec import TensorSpec
from shapelint.restore.module import left_as_it_was, set_mode
from shapelint.size.number import plain
from shapelint.source.fault import call_foreign
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.run import Subject, overriding

_POINTS = 4


def confirmed(
    analysis: Analysis, loaded: Loaded, traced: Subject, providers: tuple[str, ...], *, train: bool
) -> Analysis:
    """The analysis with what eager PyTorch and onnxruntime gave at some sizes, as it is and with the repair."""
    if traced.function is not traced.module:
        return replace(analysis, remarks=(*analysis.remarks, "not confirmed: only forward is exported, not a method"))
    if reason := too_large(loaded.module):
        return replace(analysis, remarks=(*analysis.remarks, f"not confirmed: {reason}"))
    plan = None if analysis.diagnosis is None else analysis.diagnosis.plan
    values = None if plan is None else plan.assignments
    subject = export_subject(analysis, loaded, traced, train=train)
    many = analysis.portability.open
    points = chosen_points(analysis)[: _POINTS // 2 if many else None]
    with left_as_it_was(loaded.module):
        for part in loaded.module.modules():
            part.training = train
        for provider in providers:
            found, notes = confirm(subject, points, provider=provider, assignments=values)
            if many and not (notes and not found):
                try:
                    more, others = confirmed_at_many(analysis, subject, traced.inputs, provider)
                except OSError as error:  # no process can be started
                    more, others = (), (f"not confirmed at many sizes: {error}",)
                found, notes = (*found, *more), (*notes, *others)
            confirmations, remarks = (*analysis.confirmations, *found), (*analysis.remarks, *notes)
            analysis = replace(analysis, confirmations=confirmations, remarks=remarks)
    return replace(analysis, contradictions=(*analysis.contradictions, *_contradictions(analysis)))


def _contradictions(analysis: Analysis) -> Iterator[Contradiction]:
    """Where eager PyTorch does otherwise than is proved, at sizes at which nobody has said so."""
    told = [dict(each.sizes) for each in analysis.contradictions]
    for each in analysis.confirmations:
        seen, raised = each.eager, each.raises == "PyTorch"
        if each.repaired or each.dynamic or (seen is None and not raised) or dict(each.sizes) in told:
            continue
        proved = analysis.contract.outcome(**each.sizes)
        said = proved.outputs if proved.ok else None
        if proved.how is How.PROVED and seen != said:
            told.append(dict(each.sizes))
            yield Contradiction(each.sizes, said, seen, each.note)


def chosen_points(analysis: Analysis) -> tuple[Mapping[str, int], ...]:
    """The size the diagnosis is about or the asked one, then one of each kind of region, not too small."""
    points: list[Mapping[str, int]] = [] if analysis.diagnosis is None else [analysis.diagnosis.focus]
    asked, contract = analysis.asked, analysis.contract
    for region in contract.regions:
        if region.outcome.ok:
            for part in (region.sizes & asked & contract.restores, (region.sizes & asked) - contract.restores):
                point = part.example()
                if point is not None and point not in points:
                    points.append(point)
    if not points:
        points = [each for each in (asked.example(),) if each is not None]
    return tuple(points[:_POINTS])


def export_subject(analysis: Analysis, loaded: Loaded, traced: Subject, *, train: bool) -> ExportSubject:
    """A checked model as it is handed to an exporter: built on the CPU when it is first asked for."""
    plan = None if analysis.diagnosis is None else analysis.diagnosis.plan

    @cache
    def build() -> torch.nn.Module:
        if loaded.rebuild is None:
            return loaded.module
        module = loaded.rebuild()
        set_mode(module, train=train)
        return module

    def predict(sizes: Mapping[str, int], repaired: bool) -> tuple[tuple[int, ...], ...] | None:
        values = plan.values if repaired and plan is not None else {}
        run = Exploration(traced, analysis.question.domain, overriding(values)).run(sizes, symbolic=False)
        if isinstance(run.error, Unanalysable):
            return ()
        return None if run.failure is not None else tuple(tuple(map(plain, shape)) for shape in run.outputs)

    def memory(sizes: Mapping[str, int]) -> int:
        elements = [_elements(shape.value(dict(sizes))) for node in analysis.graph.nodes for shape in node.shapes]
        return 4 * 6 * max(elements, default=0)

    return ExportSubject(build, lambda sizes: sample_inputs(traced, sizes), predict, memory)


def _elements(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= max(size, 0)
    return total


def sample_inputs(traced: Subject, sizes: Mapping[str, int]) -> tuple[tuple[object, ...], dict[str, object]]:
    """Seeded CPU tensors in the place of the specs, as FlatModule takes them: objects of classes are not made yet."""
    generator = torch.Generator().manual_seed(0)

    def made(spec: TensorSpec) -> Any:
        shape = [dim.value(sizes) for dim in spec.dims]
        dtype = getattr(torch, spec.dtype)
        if dtype.is_floating_point or dtype.is_complex:
            return call_foreign(torch.rand, shape, generator=generator).to(dtype)
        return call_foreign(torch.zeros, shape, dtype=dtype)

    return traced.inputs.parts(made)
