"""What became of the sizes of a model between two of its contracts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from shapelint.facts.graph import TensorShape
from shapelint.facts.region import Region
from shapelint.size.condition import Condition, any_of, equal, negate
from shapelint.size.function import as_function
from shapelint.size.isl_form import SolverError, Undecidable
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span


@dataclass(frozen=True, slots=True)
class Lost:
    """Sizes that were right and now raise: what is raised, in which module and at which line."""

    sizes: SizeSet
    error: str
    module: str
    place: Span | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The sizes at which two contracts differ; each set is empty where they do not.

    `no_longer_run`, `no_longer_restore` and their reverse `now_run`, `now_restore` tell of what is known; `resized` are
    those that run in both and give other sizes. At `unknown` it ran, and what it does now was not found out. `causes`
    are the calls that raise at sizes of `no_longer_run`.
    """

    no_longer_run: SizeSet
    no_longer_restore: SizeSet
    now_run: SizeSet
    now_restore: SizeSet
    resized: SizeSet
    unknown: SizeSet
    causes: tuple[Lost, ...] = ()

    @property
    def lost(self) -> bool:
        """Whether anything that ran, restored or kept its size no longer does, or may not."""
        return any((self.no_longer_run, self.no_longer_restore, self.resized, self.unknown))

    @property
    def gained(self) -> bool:
        """Whether anything runs or restores that did not."""
        return bool(self.now_run) or bool(self.now_restore)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two contracts: where it runs and restores, and its regions."""

    runs: SizeSet
    restores: SizeSet
    regions: tuple[Region, ...]

    @property
    def open(self) -> SizeSet:
        """The sizes of which it is not known whether it runs."""
        return self.total(region.sizes for region in self.regions if region.outcome.ok is None)

    def total(self, sets: Iterable[SizeSet]) -> SizeSet:
        """The union of sets over the symbols of the contract."""
        return reduce(SizeSet.__or__, sets, SizeSet.empty(self.runs.symbols))


def difference(new: Side, old: Side) -> Difference:
    """What of `old` is no longer so in `new`, and the reverse."""
    lost = old.runs - new.runs - new.open
    resized, unsure = _resized(new, old)
    raising = [(region.sizes & lost, region.outcome) for region in new.regions]
    causes = [Lost(sizes, each.error, each.module or "forward", each.place) for sizes, each in raising]
    return Difference(
        no_longer_run=lost.coalesced(),
        no_longer_restore=((old.restores & new.runs) - new.restores - unsure).coalesced(),
        now_run=(new.runs - old.runs - old.open).coalesced(),
        now_restore=((new.restores - old.restores) & old.runs).coalesced(),
        resized=(resized & new.runs & old.runs).coalesced(),
        unknown=((old.runs & new.open) | (unsure & old.runs)).coalesced(),
        causes=tuple(each for each in causes if each.sizes),
    )


def _resized(new: Side, old: Side) -> tuple[SizeSet, SizeSet]:
    """The sizes at which both run and the outputs differ, and those at which that cannot be decided."""
    pairs = [(one, other) for one in new.regions for other in old.regions if one.outcome.ok and other.outcome.ok]
    differs, unsure = SizeSet.empty(new.runs.symbols), SizeSet.empty(new.runs.symbols)
    for one, other in pairs:
        common = one.sizes & other.sizes
        if not common or one.outcome.outputs == other.outcome.outputs:
            continue
        try:
            differs = differs | common.meeting(_unequal(one.outcome.outputs, other.outcome.outputs))
        except (Undecidable, SolverError):
            unsure = unsure | common
    return differs, unsure


def _unequal(one: tuple[TensorShape, ...], other: tuple[TensorShape, ...]) -> Condition:
    """That the shapes of some outputs differ."""
    return any_of(_different(one, other))


def _different(one: tuple[TensorShape, ...], other: tuple[TensorShape, ...]) -> Iterator[Condition]:
    alike = len(one) == len(other) and all(len(a.dims) == len(b.dims) for a, b in zip(one, other, strict=True))
    if not alike:
        yield negate(any_of(()))
        return
    for left, right in zip(one, other, strict=True):
        for a, b in zip(left.dims, right.dims, strict=True):
            yield negate(equal(as_function(a), as_function(b)))
