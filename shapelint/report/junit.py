"""JUnit's XML, which most continuous-integration services show: a suite for each check, a case for each finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree

from shapelint.facts.finding import BaselineState, Finding, Severity
from shapelint.facts.result import CheckResult
from shapelint.report.details import details
from shapelint.report.place import short_place
from shapelint.report.text import subject

# What XML 1.0 cannot hold, not even as a reference.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(reports: Iterable[CheckResult], *, failures: Sequence[str] = ()) -> str:
    """A `testsuite` for each report; a note passes, a known finding is skipped, a model without finding is one case.

    `failures` are the lines on checks that could not be done: a suite of errors.
    """
    root = ElementTree.Element("testsuites", name="shapelint")
    for report in reports:
        _suite(report, root)
    if failures:
        _errors(failures, root)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(report: CheckResult, root: ElementTree.Element) -> None:
    failures = sum(finding.counts for finding in report.findings)
    skipped = sum(finding.baseline is BaselineState.KNOWN for finding in report.findings)
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_clean(subject(report)),
        tests=str(len(report.findings) or 1),
        failures=str(failures),
        errors="0",
        skipped=str(skipped),
    )
    for finding in report.findings:
        _case(finding, report, suite)
    if not report.findings:
        ElementTree.SubElement(suite, "testcase", classname=_clean(report.target), name="sizes fit")


def _errors(failures: Sequence[str], root: ElementTree.Element) -> None:
    count = str(len(failures))
    suite = ElementTree.SubElement(
        root, "testsuite", name="not checked", tests=count, failures="0", errors=count, skipped="0"
    )
    for line in failures:
        case = ElementTree.SubElement(suite, "testcase", classname="shapelint", name=_clean(line.partition(": ")[0]))
        ElementTree.SubElement(case, "error", message=_clean(line))


def _case(finding: Finding, report: CheckResult, suite: ElementTree.Element) -> None:
    name = f"{finding.code} {finding.name}" + (f" in {finding.module}" if finding.module else "")
    case = ElementTree.SubElement(suite, "testcase", classname=_clean(report.target), name=_clean(name))
    message = _clean(finding.message)
    if finding.baseline is BaselineState.KNOWN:
        ElementTree.SubElement(case, "skipped", message=f"known (baseline): {message}")
    elif finding.severity is Severity.NOTE:
        ElementTree.SubElement(case, "system-out").text = _told(finding, report)
    else:
        failure = ElementTree.SubElement(case, "failure", type=str(finding.severity), message=message)
        failure.text = _told(finding, report)


def _told(finding: Finding, report: CheckResult) -> str:
    place = f"{short_place(finding.location)}: " if finding.location else ""
    assumed = [report.assumed] * bool(report.assumed)
    heading = f"{place}{finding.severity} {finding.code}: {finding.message}"
    return _clean("\n".join((heading, *details(finding), *assumed)))


def _clean(text: str) -> str:
    """The text with what XML forbids written as in Python, such as an escape for colours."""
    return _FORBIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
