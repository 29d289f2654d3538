"""Writes ignore comments for what was found, or shows them: for a project that begins with findings."""

from __future__ import annotations

import linecache
from pathlib import Path

from shapelint.cli.checker import Checker
from shapelint.edit.document import Document
from shapelint.facts.finding import Finding, Severity
from shapelint.source.notebook import is_cell
from shapelint.source.ownership import installed, shown
from shapelint.suppression.commenting import commented
from shapelint.terminal import output


def add_ignores(checker: Checker, *, only_shown: bool) -> None:
    """Writes a comment on a line of each error and warning; with `only_shown` the report becomes the diff.

    What has no line of the user's is told. Raises EditError where a file cannot be read.
    """
    wanted: dict[str, dict[tuple[int, int], list[str]]] = {}
    for report in checker.reports.values():
        for finding in report.findings:
            _want(wanted, finding)
    before = {file: Document.read(file) for file in wanted}
    after = {file: commented(before[file], places) for file, places in wanted.items()}
    checker.found = False
    if only_shown:
        checker.text = "".join(before[file].difference(after[file], shown(file)) for file in sorted(after))
        return
    for file, document in after.items():
        output.write_bytes(file, document.data)
        linecache.checkcache(file)
        count = sum(map(len, wanted[file].values()))
        output.tell(f"wrote ignore comments for {count} finding{'s' * (count != 1)} into {shown(file)}")


def _want(wanted: dict[str, dict[tuple[int, int], list[str]]], finding: Finding) -> None:
    """Notes the code of a finding under the lines on which its comment may stand."""
    place = finding.location
    if finding.severity is Severity.NOTE:
        return
    if place is None or installed(place.file) or is_cell(place.file) or not Path(place.file).is_file():
        where = "no line in a file of yours" if place is None else f"{shown(place.file)}, which is not written"
        output.tell(f"no comment for {finding.code} {finding.message}: it stands at {where}")
        return
    codes = wanted.setdefault(place.file, {}).setdefault((place.line, place.end_line), [])
    if finding.code not in codes:
        codes.append(finding.code)
