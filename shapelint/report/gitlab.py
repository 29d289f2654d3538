"""The Code Quality report of GitLab, which shows what a merge request changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any, Final

from shapelint.facts.finding import Finding, Severity
from shapelint.facts.result import CheckResult
from shapelint.report.details import on_host
from shapelint.report.fingerprint import fingerprints
from shapelint.report.place import short_path, target_path

_SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(reports: Iterable[CheckResult], *, failures: Sequence[str] = ()) -> str:
    """A JSON list with an entry for each finding; one without a place is put at the first line of its model's file.

    `failures` are the lines on checks that could not be done: an entry for each.
    """
    reports = tuple(reports)
    entries = [
        _entry(finding, report, fingerprint)
        for report, hashes in zip(reports, fingerprints(reports), strict=True)
        for finding, fingerprint in zip(report.findings, hashes, strict=True)
    ]
    return json.dumps([*entries, *map(_not_checked, failures)], indent=2) + "\n"


def _not_checked(line: str) -> dict[str, Any]:
    """The entry for a check that could not be done, in the file of its target."""
    return {
        "description": line,
        "check_name": "shapelint/not-checked",
        "fingerprint": hashlib.sha256(line.encode()).hexdigest()[:32],
        "severity": "critical",
        "location": {"path": _relative(target_path(line.partition(": ")[0])), "lines": {"begin": 1}},
    }


def _relative(file: str) -> str:
    """The path from the current folder, as GitLab wants it, also where the file lies outside."""
    try:
        return (os.path.relpath(file) if os.path.isabs(file) else file).replace("\\", "/")
    except ValueError:  # on another drive
        return file.replace("\\", "/")


def _entry(finding: Finding, report: CheckResult, fingerprint: str) -> dict[str, Any]:
    finding = on_host(finding)
    place = finding.location
    file = short_path(place.file) if place else target_path(report.target)
    lines = {"begin": place.line, "end": place.end_line} if place else {"begin": 1}
    return {
        "description": f"{finding.code} {finding.message}" + (f" ({report.assumed})" if report.assumed else ""),
        "check_name": f"shapelint/{finding.name}",
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": _relative(file), "lines": lines},
    }
