"""The contract of a model: a partition of all input sizes into regions, each with its outcome."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shapelint.errors import SpecError
from shapelint.facts.failure import Failure
from shapelint.facts.graph import TensorShape
from shapelint.size.isl_form import SolverError, limited
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
        if self.failure is None:
            return ""
        left, right = str(self.failure.left), str(self.failure.right)
        return self.failure.text.replace("{left}", left).replace("{right}", right)

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens at one size: `ok` is None where unknown; `outputs` are shapes, depth first."""

    ok: bool | None
    outputs: tuple[tuple[int, ...], ...]
    error: str
    at: str
    how: How


@dataclass(frozen=True)
class Contract:
    """For every input size, whether the model runs, what it gives back, and how that was decided.

    `target` are the sizes that `restores` compares the first spatial output with: the spatial size of the input, or
    what was asked for; None stands for "any". `ask` runs the model where a region is not proved.
    """

    symbols: tuple[str, ...]
    domain: SizeSet
    regions: tuple[Region, ...]
    restores: SizeSet
    meant: bool = False
    ask: Callable[[Mapping[str, int]], Outcome] | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "ask": None}

    @property
    def proved(self) -> bool:
        """Whether every region is proved."""
        return all(region.how is How.PROVED for region in self.regions)

    @cached_property
    def runs(self) -> SizeSet:
        """The sizes at which the model gives an output."""
        return running(self.domain, self.regions)

    def region_at(self, sizes: Mapping[str, int]) -> Region:
        """The region that a size lies in; SpecError for a size that no input can have."""
        wrong = set(sizes) ^ set(self.symbols)
        if wrong:
            raise SpecError(f"sizes are asked for {', '.join(self.symbols)}; got {', '.join(sizes) or 'none'}")
        point = SizeSet.point(self.symbols, sizes)
        for region in self.regions:
            if point <= region.sizes:
                return region
        given = ", ".join(f"{name}={value}" for name, value in sizes.items())
        raise SpecError(f"{given} is no input size: it must be in {self.domain}")

    def outcome(self, **sizes: int) -> Outcome:
        """What happens at one size; proved regions answer without the model."""
        region = self.region_at(sizes)
        if region.how is not How.PROVED and self.ask is not None:
            return self.ask(sizes)
        found = region.outcome
        outputs = tuple(shape.value(dict(sizes)) for shape in found.outputs)
        error = "" if found.failure is None else found.failure.at(sizes)
        return Outcome(found.ok, outputs, error or region.why, found.at, region.how)

    def nearest(self, **sizes: int) -> tuple[dict[str, int] | None, dict[str, int] | None]:
        """The nearest sizes below and above at which it restores (or runs, where nothing is meant)."""
        self.region_at(sizes)
        wanted = self.restores if self.meant else self.runs
        return wanted.nearest(sizes, above=False), wanted.nearest(sizes, above=True)


def union(symbols: Sequence[str], sets: Sequence[SizeSet]) -> SizeSet:
    """The union of sets of sizes."""
    total = SizeSet.empty(symbols)
    for each in sets:
        total = total | each
    return total


def running(domain: SizeSet, regions: Sequence[Region]) -> SizeSet:
    """The sizes of a partition of `domain` at which the model runs, from whichever side has the fewer pieces."""
    own = union(domain.symbols, [region.sizes for region in regions if region.outcome.ok])
    others = union(domain.symbols, [region.sizes for region in regions if not region.outcome.ok])
    if others.piece_count < own.piece_count:
        with suppress(SolverError), limited(500_000):  # what is left of the domain may have many more pieces
            return (domain - others).coalesced()
    return own.coalesced()
