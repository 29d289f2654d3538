"""What was lost since a lock as findings, so that every form of a report can tell it: an error for each loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shapelint.facts.contract import Contract
from shapelint.facts.difference import Difference
from shapelint.facts.finding import Finding, Severity
from shapelint.facts.result import CheckResult
from shapelint.report.changes import Changes
from shapelint.report.lock import Lock
from shapelint.report.steps import FirstChange

_CODE: Final = "LOST"
_NAME: Final = "lost-sizes"
_KINDS: Final = {
    "no_longer_restore": "no longer restores the size for",
    "resized": "gives another size for",
    "unknown": "ran, and is not known to run any more, for",
}


def as_results(found: Changes, before: Lock) -> tuple[CheckResult, ...]:
    """A result for each model that lost sizes or is gone, and for each that lost none; new ones are not told."""
    findings = {key: tuple(_findings(each, found.since.get(key))) for key, each in found.differences.items()}
    findings |= {key: (_finding("is in the lock, and is no more"),) for key in found.gone}
    return tuple(_result(key, before.contracts[key], each) for key, each in findings.items())


def _result(key: str, contract: Contract, findings: tuple[Finding, ...]) -> CheckResult:
    target, _, inputs = key.partition(" at ")
    return CheckResult(target, tuple(inputs.split(" and ")) if inputs else (), contract.domain, contract, findings)


def _findings(difference: Difference, since: FirstChange | None) -> Iterator[Finding]:
    for cause in difference.causes:
        message = f"no longer runs for: {cause.sizes}: {cause.error or 'raises'}"
        yield Finding(_CODE, _NAME, Severity.ERROR, message, module=cause.module, location=cause.place)
    if difference.no_longer_run and not difference.causes:
        yield _finding(f"no longer runs for: {difference.no_longer_run}")
    for name, words in _KINDS.items():
        sizes = getattr(difference, name)
        if sizes:
            yield _finding(f"{words}: {sizes}", since if name != "unknown" else None)


def _finding(message: str, since: FirstChange | None = None) -> Finding:
    if since is None:
        return Finding(_CODE, _NAME, Severity.ERROR, message)
    step = since.step
    return Finding(_CODE, _NAME, Severity.ERROR, message, (str(since),), step.module, step.place)
