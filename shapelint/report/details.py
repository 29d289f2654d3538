"""What stands below the message of a finding, in lines: its notes, and what to do."""

from __future__ import annotations

from shapelint.facts.finding import Finding


def details(finding: Finding) -> tuple[str, ...]:
    """The notes of a finding, then its fix; a line of them may have several lines."""
    fix = (f"fix ({finding.fix.safety}): {finding.fix.title}",) if finding.fix else ()
    return (*finding.notes, *fix)


def whole_message(finding: Finding, assumed: str = "") -> str:
    """The message with everything below it, and what was assumed of the inputs at the end."""
    return "\n".join((finding.message, *details(finding), *[assumed] * bool(assumed)))
