"""What one check of one model found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shapelint.facts.call import Call
from shapelint.facts.contract import Contract
from shapelint.facts.finding import Confirmation, Finding
from shapelint.facts.graph import Pair
from shapelint.facts.picture import Picture
from shapelint.size import SizeSet


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Everything that one check of one model found; `ok` means no error and no warning, but for the known ones.

    `silenced` are the findings on whose line a comment `# shapelint: ignore` stands; nobody is told of them.
    `picture` is there where it was asked for. `assumed` says what was assumed of the inputs and why, "" where they were
    given; `comment` is the line that says so above the class, "" where no comment can say it. `specs` are
    the specs for other tools that were written while the model was there. `every_call` are all recorded calls in the
    order of the run, with their places and their shapes in symbols, and those of functions that the source calls.
    """

    target: str
    inputs: tuple[str, ...]
    asked: SizeSet
    contract: Contract
    findings: tuple[Finding, ...] = ()
    pairs: tuple[Pair, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    remarks: tuple[str, ...] = ()
    silenced: tuple[Finding, ...] = ()
    picture: Picture | None = None
    assumed: str = ""
    comment: str = ""
    specs: Mapping[str, str] = field(default_factory=dict)
    every_call: tuple[Call, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The recorded calls of modules and of torch's functions, in the order of the run."""
        return tuple(call for call in self.every_call if not call.composed)

    @property
    def ok(self) -> bool:
        """Whether there is no error and no warning, but for those that the baseline knows."""
        return not any(finding.counts for finding in self.findings)
