"""The report as JSON, with the fields of the Python objects; `schema.json` beside this file describes it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from shapelint.facts.finding import Confirmation, Finding, Fix
from shapelint.facts.result import CheckResult
from shapelint.source.span import Edit, Span

if TYPE_CHECKING:
    from shapelint.facts.contract import Contract, Region
    from shapelint.facts.graph import Pair, TensorShape

VERSION = 1


def render(reports: Iterable[CheckResult], *, failures: Sequence[str] = ()) -> str:
    """The JSON text of some reports, one entry of `targets` for each.

    `failures` are the lines on checks that could not be done: `not_checked`.
    """
    targets = [report_data(report) for report in reports]
    text = json.dumps({"version": VERSION, "targets": targets, "not_checked": list(failures)}, indent=2)
    return text.replace("##", "#\\u0023") + "\n"  # a log may take `##[` for a command


def report_data(report: CheckResult) -> dict[str, Any]:
    """One report as plain data."""
    return {
        "target": report.target,
        "inputs": list(report.inputs),
        "assumed": report.assumed,
        "ok": report.ok,
        "asked": str(report.asked),
        "findings": [_finding(finding) for finding in report.findings],
        "pairs": [_pair(pair) for pair in report.pairs],
        "contract": _contract(report.contract),
        "confirmations": [_confirmation(confirmation) for confirmation in report.confirmations],
        "remarks": list(report.remarks),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "message": finding.message,
        "notes": list(finding.notes),
        "module": finding.module,
        "location": span_data(finding.location) if finding.location else None,
        "fix": _fix(finding.fix) if finding.fix else None,
        "baseline": None if finding.baseline is None else str(finding.baseline),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "safety": str(fix.safety),
        "assignments": {name: list(values) for name, values in fix.assignments.items()},
        "edits": [_edit(edit) for edit in fix.edits],
        "verified": list(fix.verified),
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {"span": span_data(edit.span), "replacement": edit.replacement}


def span_data(span: Span) -> dict[str, Any]:
    """A place as plain data."""
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "down": list(pair.down),
        "up": list(pair.up),
        "size_in": list(pair.size_in),
        "size_out": list(pair.size_out),
        "remainder": list(pair.remainder),
    }


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "symbols": list(contract.symbols),
        "proved": contract.proved,
        "runs": str(contract.runs),
        "restores": str(contract.restores),
        "regions": [_region(region) for region in contract.regions],
    }


def _region(region: Region) -> dict[str, Any]:
    outcome = {
        "ok": region.outcome.ok,
        "outputs": [_shape(shape) for shape in region.outcome.outputs],
        "error": region.outcome.error,
        "at": region.outcome.at,
    }
    return {"sizes": str(region.sizes), "outcome": outcome, "how": str(region.how), "why": region.why}


def _shape(shape: TensorShape) -> list[int | str]:
    return [dim if isinstance(dim, int) else str(dim) if dim.constant is None else dim.constant for dim in shape.dims]


def _confirmation(confirmation: Confirmation) -> dict[str, Any]:
    return {
        "provider": confirmation.provider,
        "version": confirmation.version,
        "sizes": dict(confirmation.sizes),
        "repaired": confirmation.repaired,
        "predicted": _shapes(confirmation.predicted),
        "observed": _shapes(confirmation.observed),
        "max_abs_error": _finite(confirmation.max_abs_error),
        "ok": confirmation.ok,
        "note": confirmation.note,
        "dynamic": confirmation.dynamic,
        "exporter": confirmation.exporter,
    }


def _shapes(shapes: tuple[tuple[int, ...], ...] | None) -> list[list[int]] | None:
    return None if shapes is None else [list(shape) for shape in shapes]


def _finite(number: float | None) -> float | None:
    """The number where JSON can write it: it knows neither infinity nor "not a number"."""
    return number if number is not None and math.isfinite(number) else None
