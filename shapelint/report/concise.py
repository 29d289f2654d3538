"""One line for each finding, as editors and `grep` want it."""

from __future__ import annotations

from collections.abc import Iterable

from shapelint.facts.finding import BaselineState, Finding
from shapelint.facts.result import CheckResult
from shapelint.report.place import short_place


def render(reports: Iterable[CheckResult]) -> str:
    """`file:line:column: CODE message` for each finding, the target in place of the file where there is none."""
    return "".join(f"{_line(finding, report)}\n" for report in reports for finding in report.findings)


def _line(finding: Finding, report: CheckResult) -> str:
    place = short_place(finding.location) if finding.location else report.target
    known, assumed = finding.baseline is BaselineState.KNOWN, f" ({report.assumed})" if report.assumed else ""
    return f"{place}: {finding.code} {finding.message}{' (known)' * known}{assumed}"
