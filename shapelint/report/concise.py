"""One line for each finding, as editors and `grep` want it."""

from __future__ import annotations

from collections.abc import Iterable

from shapelint.finding import Finding, Known, Report
from shapelint.report.place import short_place


def render(reports: Iterable[Report]) -> str:
    """`file:line:column: CODE message` for each finding, the target in place of the file where there is none."""
    return "".join(f"{_line(finding, report)}\n" for report in reports for finding in report.findings)


def _line(finding: Finding, report: Report) -> str:
    place = short_place(finding.location) if finding.location else report.target
    return f"{place}: {finding.code} {finding.message}" + " (known)" * (finding.baseline is Known.KNOWN)
