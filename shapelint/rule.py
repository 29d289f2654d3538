"""The one import for a rule: what a rule is, what it says, and what it reads of a checked model.

A rule file imports nothing else of shapelint, so that the rooms behind this module can change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from shapelint.edit.arguments import added
from shapelint.facts.analysis import (
    Analysis,
    Broadcast,
    Contradiction,
    Crossing,
    Guard,
    Layer,
    LostTransform,
    OddMiss,
    ShortTable,
)
from shapelint.facts.contract import How, Region
from shapelint.facts.diagnosis import (
    Change,
    Diagnosis,
    EvenWindow,
    LostRows,
    Misfit,
    Mismatch,
    Origin,
    Plan,
    RefusedSize,
    Rewrite,
    ShortPadding,
    ShortUnpooling,
    Slip,
    WrongAnnotation,
)
from shapelint.facts.failure import Failure, Kind
from shapelint.facts.finding import Confirmation, Finding, Fix, Repair, Safety, Severity
from shapelint.facts.graph import Node, ShapeGraph, ticked
from shapelint.facts.portability import Baked, Rounding, Stretched
from shapelint.facts.refused_call import RefusalCause, RefusedCall
from shapelint.facts.samples import MixedSamples, Mixing
from shapelint.size.condition import all_of, any_of, equal, negate
from shapelint.size.function import Function, as_function, symbol
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet
from shapelint.size.usual import closest, square, usual
from shapelint.size.words import sized
from shapelint.source.span import Edit, Span, span_of
from shapelint.source.syntax import call_at, expression_at, function_around, given, statement_at, written

__all__ = [
    "Analysis", "Baked", "Broadcast", "Change", "Confirmation", "Contradiction", "Crossing", "Diagnosis", "Edit",
    "EvenWindow", "Failure", "Finding", "Fix", "Function", "Guard", "How", "Invalid", "Kind", "Layer", "LostRows",
    "LostTransform", "Misfit", "Mismatch", "MixedSamples", "Mixing", "Node", "OddMiss", "Origin", "Plan",
    "RefusalCause", "RefusedCall", "RefusedSize", "Region", "Repair", "Rewrite", "Rounding", "Rule", "Safety",
    "Severity", "ShapeGraph", "ShortPadding", "ShortTable", "ShortUnpooling", "SizeSet", "Slip", "SolverError",
    "Span", "Stretched", "Valid", "WrongAnnotation", "added", "all_of", "any_of", "as_function", "call_at",
    "closest", "equal", "expression_at", "function_around", "given", "limited", "negate", "sized", "span_of",
    "square", "statement_at", "symbol", "ticked", "usual", "written",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Valid:
    """A model (source with a class `Net`) on which the rule must be silent when checked with `input`."""

    source: str
    input: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invalid:
    """A model on which the rule must speak: the line ends in `# <-- SLnnn` and `message` is the exact text.

    `assignments` is what the fix of the finding must assign, where it has any; `fixed` is code that must stand in the
    source once the fix is written; `options` go to `shapelint.check`.
    """

    source: str
    input: str
    message: str
    assignments: dict[str, tuple[int, ...]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    fixed: str = ""


@runtime_checkable
class Rule(Protocol):
    """A stateless check; its class docstring is the page that `shapelint explain CODE` prints.

    The docstring's first line says what the rule finds; then come the sections "## What it does",
    "## Why it is bad" and "## Fix". Two more class attributes are False where a rule does not have them: `last`, that
    it is asked when all others have spoken, and `about_exports`, that an ignore comment for it is judged only where a
    confirmation by a runtime is asked for.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    valid: ClassVar[tuple[Valid, ...]]
    invalid: ClassVar[tuple[Invalid, ...]]

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields what is wrong in the analysed model."""
        ...


def is_last(rule: Rule) -> bool:
    """Whether a rule is asked when all others have spoken."""
    return bool(getattr(rule, "last", False))


def is_about_exports(rule: Rule) -> bool:
    """Whether a rule may find more where a confirmation by a runtime is asked for."""
    return bool(getattr(rule, "about_exports", False))
