"""The Code Quality report of GitLab, which shows what a merge request changes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from shapelint.facts.finding import Finding, Severity
from shapelint.facts.result import CheckResult
from shapelint.report.fingerprint import fingerprints
from shapelint.report.place import short_path, target_path

_SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(reports: Iterable[CheckResult]) -> str:
    """A JSON list with an entry for each finding; one without a place is put at the first line of its model's file."""
    reports = tuple(reports)
    entries = [
        _entry(finding, report, fingerprint)
        for report, hashes in zip(reports, fingerprints(reports), strict=True)
        for finding, fingerprint in zip(report.findings, hashes, strict=True)
    ]
    return json.dumps(entries, indent=2) + "\n"


def _entry(finding: Finding, report: CheckResult, fingerprint: str) -> dict[str, Any]:
    place = finding.location
    file = short_path(place.file) if place else target_path(report.target)
    lines = {"begin": place.line, "end": place.end_line} if place else {"begin": 1}
    return {
        "description": f"{finding.code} {finding.message}" + (f" ({report.assumed})" if report.assumed else ""),
        "check_name": f"shapelint/{finding.name}",
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": file.replace("\\", "/"), "lines": lines},
    }
