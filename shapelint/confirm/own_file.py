"""Confirms a contract by the file that it is about: onnxruntime runs it as it is, at chosen sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from shapelint.confirm import runtime
from shapelint.confirm.confirm import LIMIT
from shapelint.confirm.many import FileWork, SizedRun, Worker
from shapelint.confirm.points import chosen_points
from shapelint.facts.analysis import Analysis
from shapelint.facts.finding import Confirmation
from shapelint.request.spec import TensorSpec
from shapelint.size.number import plain
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.run import Run, Subject

_WAITING: Final = 300.0


def confirmed_file(analysis: Analysis, traced: Subject, file: Path, providers: tuple[str, ...]) -> Analysis:
    """The analysis with what onnxruntime gives for the file; ProviderError where it does not run on a provider."""
    if file.suffix != ".onnx":
        text = "not confirmed: a .pt2 file is read and not run, since torch unpickles what it loads"
        return replace(analysis, remarks=(*analysis.remarks, text))
    for provider in providers:
        runtime.check_provider(provider)
        found, remarks = _on(provider, analysis, traced, file)
        analysis = replace(
            analysis,
            confirmations=(*analysis.confirmations, *found),
            remarks=(*analysis.remarks, *dict.fromkeys(remarks)),
        )
    return analysis


def _on(provider: str, analysis: Analysis, traced: Subject, file: Path) -> tuple[list[Confirmation], list[str]]:
    """What the file gives on a provider, in a process of its own: a bad file can crash the one that runs it."""
    try:
        with Worker(provider) as worker:
            runs, remarks = _runs(analysis, traced)
            specs = [spec for spec in traced.inputs.map(lambda each: each)[0] if isinstance(spec, TensorSpec)]
            shapes = [tuple(tuple(dim.value(run.sizes) for dim in spec.dims) for spec in specs) for run in runs]
            work = FileWork(str(file), tuple(spec.dtype for spec in specs), tuple(shapes))
            answers = list(worker.runs(work, waiting=_WAITING)) if runs else []
    except (OSError, runtime.RunRefused) as reason:
        return [], [f"not confirmed: {reason}"]
    late = [f"not confirmed{_at(run.sizes)}: no answer within {_WAITING:g} s" for run in runs[len(answers) :]]
    found = [_confirmation(provider, run, answer) for run, answer in zip(runs, answers, strict=False)]
    return found, remarks + late


def _runs(analysis: Analysis, traced: Subject) -> tuple[list[Run], list[str]]:
    """The runs that are to be confirmed, and why others are not."""
    runs: list[Run] = []
    remarks: list[str] = []
    for sizes in chosen_points(analysis):
        if _memory(analysis, sizes) > LIMIT:
            remarks.append(f"not confirmed{_at(sizes)}: it takes more than {LIMIT / 1e9:.0f} GB of memory")
            continue
        run = Exploration(traced, analysis.question.domain, {}).run(sizes, symbolic=False)
        if isinstance(run.error, Unanalysable):
            remarks.append(f"not confirmed{_at(sizes)}: nothing is predicted there ({run.error})")
            continue
        runs.append(run)
    return runs, remarks


def _at(sizes: Mapping[str, int]) -> str:
    return " at " + ", ".join(f"{name}={size}" for name, size in sizes.items()) if sizes else ""


def _memory(analysis: Analysis, sizes: Mapping[str, int]) -> int:
    """The bytes of the largest tensor, six times: with what is made of it, and a copy."""
    shapes = [shape.value(dict(sizes)) for node in analysis.graph.nodes for shape in node.shapes]
    largest = 0
    for shape in shapes:
        elements = 1
        for size in shape:
            elements *= max(size, 0)
        largest = max(largest, elements)
    return 24 * largest


def _confirmation(provider: str, run: Run, answer: SizedRun) -> Confirmation:
    predicted = None if run.failure is not None else tuple(tuple(map(plain, shape)) for shape in run.outputs)
    raises = answer.shapes is None and predicted is None
    return Confirmation(
        provider=runtime.provider_name(provider),
        version=runtime.VERSION,
        sizes=dict(run.sizes),
        repaired=False,
        predicted=predicted,
        observed=answer.shapes,
        max_abs_error=None,
        ok=predicted == answer.shapes,
        note=f"onnxruntime raises, as predicted: {answer.error}" if raises else answer.error,
        raises="onnxruntime" if raises else "",
    )
