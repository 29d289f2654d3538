"""What a check says: findings with their fixes, confirmations by a runtime, and the report that holds them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapelint.source.span import Edit, Span


class Severity(enum.StrEnum):
    """How bad a finding is; a note never sets the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Safety(enum.StrEnum):
    """Whether a fix may be applied without asking: see `docs/fixes.md`."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    ADVICE = "advice"


class Repair(enum.StrEnum):
    """What of a model a repair changes."""

    PADDING = "output_padding"
    ARGUMENT = "argument"  # another argument of one layer
    CHANNELS = "channels"  # the channels or features that layers are built for
    CODE = "code"  # the code of `forward`


class BaselineState(enum.StrEnum):
    """Where a finding stands to the baseline of the check: in it, or not."""

    NEW = "new"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that repairs a finding: arguments of layers (always per axis), or text with ready code.

    `repairs` are those of the diagnosis that it proposes.
    """

    title: str
    safety: Safety
    assignments: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    verified: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect, at one place, with both numbers in its message and the rest in its notes.

    `baseline` is None where the check had none. `unused` are the words of an ignore comment that silence nothing, ()
    for the comment as a whole; None where the finding is about something else.
    """

    code: str
    name: str
    severity: Severity
    message: str
    notes: tuple[str, ...] = ()
    module: str | None = None
    location: Span | None = None
    fix: Fix | None = None
    baseline: BaselineState | None = None
    unused: tuple[str, ...] | None = None

    @property
    def counts(self) -> bool:
        """Whether it makes a check fail: an error or a warning that the baseline does not hold."""
        return self.severity is not Severity.NOTE and self.baseline is not BaselineState.KNOWN


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a runtime gave at one size; `ok` is about shapes, `max_abs_error` about values (None: not compared).

    `dynamic` tells that the sizes were open in the file; `exporter` which of torch.onnx made it, "" where none did.
    The provider is "PyTorch" where only eager PyTorch was asked, since it is to raise. `eager` is what it gave beside
    the runtime, None where it was not asked; `raises` tells who raised what ends the note because of a size, "" where
    nobody did.
    """

    provider: str
    version: str
    sizes: Mapping[str, int]
    repaired: bool
    predicted: tuple[tuple[int, ...], ...] | None
    observed: tuple[tuple[int, ...], ...] | None
    max_abs_error: float | None
    ok: bool
    note: str = ""
    dynamic: bool = False
    exporter: str = ""
    eager: tuple[tuple[int, ...], ...] | None = None
    raises: str = ""


def fits(word: str, code: str, name: str) -> bool:
    """Whether a word, a code or the start of one or a name, means a rule."""
    return bool(word) and (code.upper().startswith(word.upper()) or name == word.lower())


def as_advice(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, whose fixes are advice: there is no source here that could be edited."""
    return tuple(
        each if each.fix is None else replace(each, fix=replace(each.fix, safety=Safety.ADVICE)) for each in findings
    )
