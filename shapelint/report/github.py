"""Workflow commands of GitHub Actions: a log that has these lines becomes annotations of a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shapelint.errors import escaped
from shapelint.facts.finding import BaselineState, Finding, Severity
from shapelint.facts.result import CheckResult
from shapelint.report.details import on_host, whole_message
from shapelint.report.place import short_path

_LINE: Final = re.compile(r"[^\r\n]+")
_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(reports: Iterable[CheckResult], *, failures: Sequence[str] = ()) -> str:
    """`::error file=...,line=...,title=CODE name::message` for each finding, notes and fix in further lines of it.

    `failures` are the lines on checks that could not be done: an error without a place for each.
    """
    commands = [_command(finding, report) for report in reports for finding in report.findings]
    commands += [f"::error title=shapelint could not check::{_data(line)}" for line in failures]
    return "".join(f"{command}\n" for command in commands)


def _command(finding: Finding, report: CheckResult) -> str:
    finding, known = on_host(finding), finding.baseline is BaselineState.KNOWN
    name = "notice" if known else _COMMANDS[finding.severity]
    properties = ",".join(f"{key}={_property(value)}" for key, value in _properties(finding, report))
    return f"::{name} {properties}::{_data(whole_message(finding, report.assumed))}"


def _properties(finding: Finding, report: CheckResult) -> Iterator[tuple[str, str]]:
    title = f"shapelint {finding.code} {finding.name}"
    place = finding.location
    if place is None:
        title += f" in {report.target}"
    else:
        yield "file", short_path(place.file)
        yield "line", str(place.line)
        yield "endLine", str(place.end_line)
        # GitHub refuses columns where the lines differ.
        if place.line == place.end_line:
            yield "col", str(place.column)
            yield "endColumn", str(place.end_column)
    yield "title", title + (" (known)" if finding.baseline is BaselineState.KNOWN else "")


def _data(text: str) -> str:
    """The text as the runner reads it back (`escapeData` of actions/toolkit)."""
    shown = _LINE.sub(lambda line: escaped(line[0]), text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value among others as the runner reads it back (`escapeProperty` of actions/toolkit)."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
