"""SARIF 2.1.0 (OASIS), which code hosts and editors read: one run, the rules that spoke, and a result for each finding.

Every result has a file, since GitHub refuses a log in which one has none: what has no place is put to the file that the
target names. Fingerprints leave out lines, so that a result stays the same one when code is moved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import quote

from shapelint.facts.finding import BaselineState, Finding, Fix
from shapelint.facts.result import CheckResult
from shapelint.registry import load_rules
from shapelint.report import rule_page
from shapelint.report.details import on_host, whole_message
from shapelint.report.fingerprint import fingerprints
from shapelint.report.place import short_path, target_path
from shapelint.rule import Rule
from shapelint.source.span import Edit, Span

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_STATES: Final = {BaselineState.NEW: "new", BaselineState.KNOWN: "unchanged"}


def render(reports: Iterable[CheckResult], rules: Iterable[Rule] | None = None, *, failures: Sequence[str] = ()) -> str:
    """The log of some reports as one run; `rules` are the installed ones where none are given.

    `failures` are the lines on checks that could not be done: notifications of the tool.
    """
    reports = tuple(reports)
    names = {finding.code: finding.name for report in reports for finding in report.findings}
    pages = {rule.code: rule for rule in (load_rules() if rules is None else rules)}
    codes = sorted(names)
    driver = {
        "name": "shapelint",
        "version": version("shapelint"),
        "rules": [_rule(code, names[code], pages.get(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder in which shapelint was called."}}},
        "results": _results(reports, {code: index for index, code in enumerate(codes)}),
        **({"invocations": [_failed(failures)]} if failures else {}),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _failed(failures: Sequence[str]) -> dict[str, Any]:
    notifications = [{"level": "error", "message": {"text": line}} for line in failures]
    return {"executionSuccessful": False, "toolExecutionNotifications": notifications}


def _rule(code: str, name: str, rule: Rule | None) -> dict[str, Any]:
    """What a rule is, from its page; its name alone where its package is not installed here."""
    if rule is None:
        return {"id": code, "name": name, "shortDescription": {"text": name}}
    page = rule_page.documentation(rule)
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": rule_page.summary(rule)},
        "fullDescription": {"text": rule_page.description(rule)},
        "help": {"text": page, "markdown": rule_page.render(rule)},
        "properties": {"tags": ["pytorch", "size"]},
    }


def _results(reports: tuple[CheckResult, ...], indices: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        _result(finding, report, indices[finding.code], fingerprint)
        for report, hashes in zip(reports, fingerprints(reports), strict=True)
        for finding, fingerprint in zip(report.findings, hashes, strict=True)
    ]


def _result(finding: Finding, report: CheckResult, index: int, fingerprint: str) -> dict[str, Any]:
    finding = on_host(finding)
    state = {} if finding.baseline is None else {"baselineState": _STATES[finding.baseline]}
    fixes = [_fix(finding.fix)] if finding.fix and finding.fix.edits else []
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": str(finding.severity),
        "message": {"text": whole_message(finding, report.assumed)},
        "locations": [_location(finding, report)],
        "partialFingerprints": {"shapelintFinding/v1": fingerprint},
        **state,
        **({"fixes": fixes} if fixes else {}),
        "properties": _properties(report),
    }


def _properties(report: CheckResult) -> dict[str, Any]:
    assumed = {"assumed": report.assumed} if report.assumed else {}
    return {"target": report.target, "inputs": list(report.inputs), **assumed}


def _location(finding: Finding, report: CheckResult) -> dict[str, Any]:
    place = finding.location
    file = place.file if place else target_path(report.target)
    physical = {"artifactLocation": _artifact(file), "region": _region(place) if place else {"startLine": 1}}
    name = report.target + (f".{finding.module}" if finding.module else "")
    kind = "member" if finding.module else "type"
    logical = {"name": finding.module or report.target, "fullyQualifiedName": name, "kind": kind}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _artifact(file: str) -> dict[str, str]:
    """A file as a URI, relative to the folder of the call where it lies inside."""
    path = PurePath(short_path(file))
    if path.is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(os.fsencode(path.as_posix())), "uriBaseId": _ROOT}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    def file(edit: Edit) -> str:
        return edit.span.file

    changes = [
        {"artifactLocation": _artifact(name), "replacements": [_replacement(edit) for edit in edits]}
        for name, edits in groupby(sorted(fix.edits, key=file), key=file)
    ]
    return {"description": {"text": f"{fix.title} ({fix.safety})"}, "artifactChanges": changes}


def _replacement(edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
