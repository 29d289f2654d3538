"""The report for people: each finding with its source line marked, what to do about it, and one line at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import click

from shapelint.facts.finding import BaselineState, Finding, Safety, Severity
from shapelint.facts.graph import ticked
from shapelint.facts.result import CheckResult
from shapelint.report.confirmed import confirmation_lines, worst_error
from shapelint.report.details import details
from shapelint.report.place import marked_line, short_place
from shapelint.size.words import sized

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render(reports: Iterable[CheckResult], *, colour: bool = False, quiet: bool = False) -> str:
    """The text of some reports, a blank line between them; `quiet` leaves out those without error and warning."""
    shown = [report for report in reports if not (quiet and report.ok)]
    text = "\n".join("".join(f"{line}\n" for line in _report(report)) for report in shown)
    return text if colour else click.unstyle(text)


def subject(report: CheckResult) -> str:
    """What was checked: the target and its inputs."""
    return f"{report.target} at {' and '.join(report.inputs)}" if report.inputs else report.target


def _report(report: CheckResult) -> Iterator[str]:
    confirmed = confirmation_lines(report)
    inside = len(report.findings) == 1 and not report.ok
    known = [finding for finding in report.findings if finding.baseline is BaselineState.KNOWN]
    said = set[tuple[str, str]]()
    for finding in report.findings:
        if finding not in known:
            new = [note for note in finding.notes if (finding.code, note) not in said]  # one cause is not told again
            said.update((finding.code, note) for note in new)
            yield from _finding(replace(finding, notes=tuple(new)), report, confirmed if inside else ())
            yield ""
    yield from (_heading(finding, report) for finding in known)
    yield from [""] * bool(known)
    if not inside and not report.ok:
        yield from confirmed
    yield from report.remarks
    yield from [report.assumed] * bool(report.assumed)
    yield from _all_well(report, confirmed) if report.ok else (f"{counted(report)} in {subject(report)}",)
    yield from _fixable(report)


def _finding(finding: Finding, report: CheckResult, confirmed: tuple[str, ...]) -> Iterator[str]:
    yield _heading(finding, report)
    gutter = " " * (len(str(finding.location.line)) + 2 if finding.location else 3)
    yield from _source(finding, gutter)
    for text in (*details(finding), *confirmed):
        first, *rest = text.splitlines() or [""]
        yield f"{gutter}{_paint('=', fg='blue')} {first}"
        yield from (f"{gutter}  {line}" for line in rest)


def _heading(finding: Finding, report: CheckResult) -> str:
    place = short_place(finding.location) if finding.location else report.target
    known = "known " if finding.baseline is BaselineState.KNOWN else ""
    severity = _paint(f"{known}{finding.severity}", fg=_COLOURS[finding.severity], bold=not known)
    return f"{_paint(place, bold=True)}: {severity} {finding.code} {finding.name}: {finding.message}"


def _source(finding: Finding, gutter: str) -> Iterator[str]:
    marked = marked_line(finding.location) if finding.location else None
    if finding.location is None or marked is None:
        return
    line, marks = marked
    bar = _paint("|", fg="blue")
    yield gutter + bar
    yield f" {_paint(str(finding.location.line), fg='blue')} {bar} {line}"
    yield f"{gutter}{bar} {_paint(marks, fg=_COLOURS[finding.severity], bold=True)}"


def _all_well(report: CheckResult, confirmed: tuple[str, ...]) -> Iterator[str]:
    also = f", {_known(report)}" if _known(report) else kept(report)
    yield f"{subject(report)}: {_paint('ok', fg='green', bold=True)}{also}"
    yield from (line + _values(report) * (number == 0) for number, line in enumerate(confirmed))
    if report.contract.symbols:
        yield holds(report)


def _values(report: CheckResult) -> str:
    error = worst_error(report.confirmations)
    if error is None:
        return ""
    return f", values differ by about {error:.1g}" if error else ", the same values"


def kept(report: CheckResult) -> str:
    """Which layers give back what was taken, in words; "" where a later layer makes the size good."""
    if not report.pairs or any(pair.size_in != pair.size_out for pair in report.pairs):
        return ""
    if len(report.pairs) > 1:
        return f", {len(report.pairs)} pairs of layers give back what they took"
    pair = report.pairs[0]
    size = sized(pair.size_in)
    give = "gives" if len(pair.up) == 1 else "give"
    return f", {_names(pair.up)} {give} back the {size} that {_names(pair.down)} took"


def holds(report: CheckResult) -> str:
    """For which sizes the model restores, where it is meant to, else for which it runs."""
    contract = report.contract
    right = contract.meant or (bool(contract.runs) and contract.restores == contract.runs)
    what, sizes = ("restores the size", contract.restores) if right else ("runs", contract.runs)
    words = str(sizes)
    return f"{what} for: {words}" + ("" if contract.proved or "decided" in words else " (not proved for every size)")


def _names(modules: tuple[str, ...]) -> str:
    return " and ".join(map(ticked, modules))


def counted(report: CheckResult) -> str:
    """How many findings there are of each severity, and how many are known."""
    found = Counter(each.severity for each in report.findings if each.baseline is not BaselineState.KNOWN)
    parts = [f"{found[each]} {each}{'s' * (found[each] > 1)}" for each in Severity if found[each]]
    return ", ".join([*parts, *[_known(report)] * bool(_known(report))])


def _fixable(report: CheckResult) -> Iterator[str]:
    """How many findings could be fixed in the source, and by which option."""
    fixes = [finding.fix for finding in report.findings if finding.fix is not None and finding.fix.edits]
    safe = sum(fix.safety is Safety.SAFE for fix in fixes)
    unsafe = sum(fix.safety is Safety.UNSAFE for fix in fixes)
    if safe:
        yield f"{safe} fixable with --fix" + (f", {unsafe} more with --unsafe-fixes" if unsafe else "")
    elif unsafe:
        yield f"{unsafe} fixable with --fix --unsafe-fixes"


def _known(report: CheckResult) -> str:
    """How many findings the baseline holds, in words; "" where none."""
    number = sum(each.baseline is BaselineState.KNOWN for each in report.findings)
    return f"{number} known finding{'s' * (number > 1)} (baseline)" if number else ""


def _paint(text: str, **style: Any) -> str:
    return click.style(text, **style)
