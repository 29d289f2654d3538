"""Confirms a contract by the file that it is about: onnxruntime runs it as it is, at chosen sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shapelint.analysis import Analysis
from shapelint.export import runtime
from shapelint.export.confirm import LIMIT
from shapelint.export.points import chosen_points, sample_inputs
from shapelint.export.silence import silence
from shapelint.finding import Confirmation
from shapelint.size.number import plain
from shapelint.trace.failure import Unanalysable
from shapelint.trace.kept import left_as_it_was
from shapelint.trace.run import Run, Subject, run_once

Shapes = tuple[tuple[int, ...], ...]


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
    found: list[Confirmation] = []
    remarks: list[str] = []
    with silence():
        try:
            session = runtime.open_file(file, provider)
        except runtime.RunRefused as reason:
            return [], [f"not confirmed: {reason}"]
        for sizes in chosen_points(analysis):
            if _memory(analysis, sizes) > LIMIT:
                remarks.append(f"not confirmed{_at(sizes)}: it takes more than {LIMIT / 1e9:.0f} GB of memory")
                continue
            run = _run(traced, sizes)
            if isinstance(run.error, Unanalysable):
                remarks.append(f"not confirmed{_at(sizes)}: nothing is predicted there ({run.error})")
                continue
            found.append(_confirmation(session, provider, traced, run))
    return found, remarks


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


def _confirmation(session: object, provider: str, traced: Subject, run: Run) -> Confirmation:
    predicted = None if run.failure is not None else tuple(tuple(map(plain, shape)) for shape in run.outputs)
    observed: Shapes | None = None
    note, name = "", runtime.provider_name(provider)
    try:
        observation = runtime.run_session(session, sample_inputs(traced, run.sizes)[0], provider)
        observed, name = tuple(tuple(each.shape) for each in observation.outputs), observation.provider
    except runtime.RunRefused as reason:
        note = str(reason) if predicted is not None else f"onnxruntime raises, as predicted: {reason}"
    return Confirmation(
        provider=name,
        version=runtime.VERSION,
        sizes=dict(run.sizes),
        repaired=False,
        predicted=predicted,
        observed=observed,
        max_abs_error=None,
        ok=predicted == observed,
        note=note,
    )


def _run(traced: Subject, sizes: Mapping[str, int]) -> Run:
    with left_as_it_was(traced.module):
        return run_once(traced, sizes, symbolic=False)
