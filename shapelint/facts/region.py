"""A region of a contract: a set of sizes with one outcome."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from shapelint.facts.failure import Failure
from shapelint.facts.graph import TensorShape
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span


class How(enum.StrEnum):
    """How the outcome of a region was decided."""

    PROVED = "proved"
    SAMPLED = "sampled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RegionOutcome:
    """What happens at every size of a region: outputs as functions of the size, or the failure of one call."""

    ok: bool | None
    outputs: tuple[TensorShape, ...] = ()
    failure: Failure | None = None
    module: str = ""
    place: Span | None = None

    @property
    def error(self) -> str:
        """The error with sizes as functions of the symbols; "" where there is none."""
        return "" if self.failure is None else self.failure.symbolic

    @property
    def at(self) -> str:
        """The module path and source place of the call that fails; "" where none does."""
        if self.failure is None:
            return ""
        place = "" if self.place is None else f" ({self.place})"
        return f"{self.module or 'forward'}{place}"


@dataclass(frozen=True, slots=True)
class Region:
    """A set of sizes with one outcome; `why` says what took the proof away where `how` is not "proved".

    `place` is where the proof was lost; `run` and `node` point to the recorded run that showed the region and to the
    call that fails (-1: none).
    """

    sizes: SizeSet
    outcome: RegionOutcome
    how: How = How.PROVED
    why: str = ""
    place: Span | None = None
    run: int = 0
    node: int = -1
