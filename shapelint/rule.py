"""What a rule is: one code, its examples, and a check that reads an Analysis and yields findings.

A rule file imports from shapelint only what this module and the ones above it in the tree offer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from shapelint.finding import Finding

if TYPE_CHECKING:
    from shapelint.analysis import Analysis


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
    "## Why it is bad" and "## Fix".
    """

    code: ClassVar[str]
    name: ClassVar[str]
    valid: ClassVar[tuple[Valid, ...]]
    invalid: ClassVar[tuple[Invalid, ...]]

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields what is wrong in the analysed model."""
        ...


def fits(word: str, code: str, name: str) -> bool:
    """Whether a word, a code or the start of one or a name, means a rule."""
    return bool(word) and (code.upper().startswith(word.upper()) or name == word.lower())
