"""What stands below the message of a finding, in lines: its notes, and what to do."""

from __future__ import annotations

from dataclasses import replace

from shapelint.facts.finding import Finding
from shapelint.source.notebook import is_cell
from shapelint.source.span import Span


def details(finding: Finding) -> tuple[str, ...]:
    """The notes of a finding, then its fix; a line of them may have several lines."""
    fix = (f"fix ({finding.fix.safety}): {finding.fix.title}",) if finding.fix else ()
    return (*finding.notes, *fix)


def on_host(finding: Finding) -> Finding:
    """The finding as code hosts take it, which know files and no cells: the notebook, and the cell in the message."""
    place = finding.location
    if place is None or not is_cell(place.file):
        return finding
    file, _, cell = place.file.rpartition(":")
    told = f"{cell}, line {place.line}: {finding.message}"
    return replace(finding, location=Span(file, 1, 1, 1, 1), message=told)


def whole_message(finding: Finding, assumed: str = "") -> str:
    """The message with everything below it, and what was assumed of the inputs at the end."""
    return "\n".join((finding.message, *details(finding), *[assumed] * bool(assumed)))
