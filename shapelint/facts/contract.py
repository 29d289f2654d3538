"""The contract of a model: a partition of all input sizes into regions, each with its outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shapelint.errors import SpecError
from shapelint.facts.difference import Difference, Side, difference
from shapelint.facts.region import How, Region, RegionOutcome
from shapelint.facts.stored import read_region, region_data
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet
from shapelint.size.words import sized

_NAMED, _ASKED = 6, 8
_VERSION = 1
_SETS = ("domain", "restored", "seen", "mixed")
__all__ = ["Contract", "ContractSet", "How", "Outcome", "Region", "RegionOutcome", "running", "union"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens at one size: `ok` is None where unknown; `outputs` are shapes, depth first."""

    ok: bool | None
    outputs: tuple[tuple[int, ...], ...]
    error: str
    at: str
    how: How


class ContractSet(SizeSet):
    """The sizes of a contract at which something is so; where nothing is proved, membership asks the contract.

    As a set it has what is proved and what was tried; its words tell the one from the other.
    """

    __slots__ = ("_base", "_holds", "_words")

    def __init__(self, base: SizeSet, words: Callable[[], str], holds: Callable[[Mapping[str, int]], bool]) -> None:
        super().__init__(base.symbols, base._set)
        self._base, self._words, self._holds = base, words, holds

    def _with(self, raw: Any, symbols: Sequence[str] | None = None) -> Any:
        return SizeSet(self.symbols if symbols is None else symbols, raw)

    def __contains__(self, size: object) -> bool:
        return self._holds(self.coordinates(size))

    def __reduce__(self) -> Any:
        return SizeSet.read, (self.symbols, self.isl_text)

    @property
    def exact_words(self) -> str | None:
        """See SizeSet; found once for the set and its words."""
        return self._base.exact_words

    def __str__(self) -> str:
        return self._words()


@dataclass(frozen=True)
class Contract:
    """For every input size, whether the model runs, what it gives back, and how that was decided.

    `restored` are the sizes of its regions at which the first spatial output has the size of the input, or the one
    that was asked for; `mixed` those at which it runs, but mixes or splits the samples of a batch; `seen` those that
    are not proved, but decided by a run at just that size. `ask` runs the model where a region is not proved, and
    `judge` tells whether outputs restore.
    """

    symbols: tuple[str, ...]
    domain: SizeSet
    regions: tuple[Region, ...]
    restored: SizeSet
    meant: bool = False
    ask: Callable[[Mapping[str, int]], Outcome] | None = field(default=None, compare=False, repr=False)
    judge: Callable[[Outcome, Mapping[str, int]], bool] | None = field(default=None, compare=False, repr=False)
    seen: SizeSet | None = None
    mixed: SizeSet | None = None

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if not isinstance(value, ContractSet)}
        return {**kept, "ask": None, "judge": None}

    @property
    def proved(self) -> bool:
        """Whether every region is proved."""
        return all(region.how is How.PROVED for region in self.regions)

    @cached_property
    def decided(self) -> SizeSet:
        """The sizes of which it is known how the model ends there: proved, or seen."""
        proved = [region.sizes for region in self.regions if region.how is How.PROVED]
        return self.domain if self.proved else union(self.symbols, proved + ([] if self.seen is None else [self.seen]))

    @cached_property
    def undecided(self) -> SizeSet:
        """The sizes of the domain that are not decided."""
        left = union(self.symbols, [region.sizes for region in self.regions if region.how is not How.PROVED])
        return left if self.seen is None else left - self.seen

    @cached_property
    def runs(self) -> SizeSet:
        """The sizes at which the model gives an output, each sample of a batch for itself."""
        base = running(self.domain, self.regions)
        return self._set(base if self.mixed is None else base - self.mixed, lambda outcome, sizes: outcome.ok is True)

    @cached_property
    def restores(self) -> SizeSet:
        """The sizes at which, besides, the first spatial output has the input's size, or the one that was asked for."""
        return self._set(self.restored, self.judge)

    def _set(self, base: SizeSet, judge: Callable[[Outcome, Mapping[str, int]], bool] | None) -> SizeSet:
        def holds(sizes: Mapping[str, int]) -> bool:
            plainly = self.ask is None or judge is None or sizes not in self.domain or sizes in self.decided
            return sizes in base if plainly or judge is None else judge(self.outcome(**sizes), sizes)

        return ContractSet(base, lambda: self._words(base), holds)

    def _words(self, base: SizeSet) -> str:
        """What is known of a set: the proved part in words, tried sizes as such, and that others are not decided."""
        undecided = any(region.outcome.ok is None for region in self.regions)
        if not undecided:
            return str(base) + ("" if base <= self.decided else ", as far as tried")
        proved = base & union(self.symbols, [each.sizes for each in self.regions if each.how is How.PROVED])
        tried = base - proved
        texts = [str(proved)] if proved else []
        texts += [_tried(tried)] if tried else []
        return "; ".join([*texts, "others are not decided"] if proved else ["not decided", *texts])

    def difference(self, old: Contract) -> Difference:
        """What ran, restored or had its size in `old` and no longer does, and the reverse.

        Raises SpecError where the two have other symbols.
        """
        if self.symbols != old.symbols:
            raise SpecError(f"the contracts have other symbols: {', '.join(self.symbols)} and {', '.join(old.symbols)}")
        return difference(self._side(), old._side())

    def _side(self) -> Side:
        runs = running(self.domain, self.regions)
        return Side(runs if self.mixed is None else runs - self.mixed, self.restored, self.regions)

    def to_json(self) -> str:
        """The contract as JSON, which `from_json` reads: its sets in words, and exactly in isl's notation."""
        sets = {name: getattr(self, name) for name in _SETS}
        data = {
            "version": _VERSION,
            "symbols": list(self.symbols),
            "meant": self.meant,
            "proved": self.proved,
            "runs": str(self.runs),
            "restores": str(self.restores),
            **{name: None if each is None else each.isl_text for name, each in sets.items()},
            "regions": [region_data(region) for region in self.regions],
        }
        return json.dumps(data, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """The contract in a text of `to_json`, without the model. Raises SpecError for any other text."""
        try:
            data = json.loads(text)
            if data["version"] != _VERSION:
                raise SpecError(f"this is a contract of version {data['version']}, not of {_VERSION}")
            symbols = tuple(data["symbols"])
            sets: dict[str, Any] = {
                name: None if data[name] is None else SizeSet.read(symbols, data[name]) for name in _SETS
            }
            regions = tuple(read_region(each, symbols) for each in data["regions"])
            return cls(symbols, regions=regions, meant=data["meant"], **sets)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError, SolverError) as error:
            raise SpecError(f"no contract: {type(error).__name__}: {error}".splitlines()[0]) from error

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
        if self.ask is not None and sizes not in self.decided:
            return self.ask(sizes)
        found = region.outcome
        outputs = tuple(shape.value(dict(sizes)) for shape in found.outputs)
        error = "" if found.failure is None else found.failure.at(sizes)
        return Outcome(found.ok, outputs, error or region.why, found.at, region.how)

    def nearest(self, **sizes: int) -> tuple[dict[str, int] | None, dict[str, int] | None]:
        """The nearest sizes below and above at which it restores (or runs, where nothing is meant)."""
        self.region_at(sizes)
        wanted = self.restores if self.meant else self.runs
        return self._nearest(wanted, sizes, above=False), self._nearest(wanted, sizes, above=True)

    def _nearest(self, wanted: SizeSet, sizes: Mapping[str, int], *, above: bool) -> dict[str, int] | None:
        """The nearest member that is one when it is asked for; what was only tried may be none."""
        left: SizeSet = wanted
        for _ in range(_ASKED):
            found = left.nearest(sizes, above=above)
            if found is None or found in wanted:
                return found
            left = left - SizeSet.point(self.symbols, found)
        return None


def _tried(sizes: SizeSet) -> str:
    """Sizes that were tried, as such."""
    if not sizes.finite:
        return f"{sizes}, as far as tried"
    members = [sized(each.values()) for each, _ in zip(sizes.members(), range(_NAMED + 1), strict=False)]
    return f"seen at {', '.join(members[:_NAMED])}{' and others' if len(members) > _NAMED else ''}"


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
