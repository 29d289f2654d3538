"""Looks for sizes at which a model runs: all axes are symbols, and what refuses a size tells which others to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final

import torch

from shapelint.facts.contract import Region
from shapelint.facts.failure import Kind
from shapelint.size.condition import at_least, equal
from shapelint.size.function import constant, symbol
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.trace.branch import Branch, cut
from shapelint.trace.budget import Budget
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import OutOfTime, Unanalysable
from shapelint.trace.run import Run, Subject

_TRIES: Final = 14
_OTHERS: Final = ({"D": 32, "H": 32, "W": 32, "L": 1024}, {"D": 16, "H": 224, "W": 224, "L": 16_000, "C": 3},
                  {"D": 8, "H": 32, "W": 32, "L": 4096})  # fmt: skip
_STEPS: Final = 2_000_000
_SPATIAL: Final = ("D", "H", "W", "L")
_SPATIAL_LEAST: Final = 8
_SMALLER: Final = 4
_BATCHES: Final = (1, 2, 3)
_CHANNELS: Final = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run that raised: the sizes tried, the number of its calls, the layer that raised, its place and its error."""

    sizes: Mapping[str, int]
    calls: int
    module: str
    place: Span | None
    kind: Kind
    text: str
    error: BaseException = field(compare=False)

    @property
    def slip(self) -> bool:
        """Whether the code names what there is not, which no other input would mend."""
        owner = getattr(self.error, "obj", None) if isinstance(self.error, AttributeError) else None
        return isinstance(self.error, NameError | ImportError) or isinstance(owner, ModuleType | torch.nn.Module)

    @property
    def followed(self) -> bool:
        """Whether the code raised; else the check did, which cannot go on there."""
        return not isinstance(self.error, Unanalysable)

    @property
    def of_layer(self) -> bool:
        """Whether the layer was refused a size, or cannot be followed; else the code raised by itself, after it."""
        return self.kind not in (Kind.PYTHON, Kind.UNEXPLAINED) or not self.followed

    @property
    def reach(self) -> tuple[int, bool]:
        """How far the run came: what the code raises by itself comes after the last layer."""
        return self.calls, not self.of_layer


@dataclass(frozen=True, slots=True)
class Found:
    """A run that gave an output, and the set of sizes that take its path; `single` tells that a batch of one runs.

    Where the set is not `known` it holds all that no earlier run refused.
    """

    run: Run
    sizes: SizeSet
    refusals: tuple[Refusal, ...]
    single: bool
    known: bool

    def pinned(self, name: str) -> int | None:
        """The one value that a symbol has on the path, besides a 1 that is broadcast; None where there are more."""
        axis = self._axis(name)
        if axis.finite and self.run.sizes[name] > 1:
            axis = axis.without({name: 1})
        value = axis.smallest() if axis.finite else self._apart(name)
        return None if value is None or (axis.finite and axis.without(value)) else value[name]

    def smaller(self) -> dict[str, int]:
        """Sizes on the same path whose spatial axes are a quarter as long, or near that; those of the run for none."""
        sizes = dict(self.run.sizes)
        wanted = {name: max(1, size // _SMALLER) if name.startswith(_SPATIAL) else size for name, size in sizes.items()}
        small = _near(self.sizes, wanted) if self.known and wanted != sizes else None
        return small if small and all(small[name] <= sizes[name] for name in sizes) else sizes

    def _apart(self, name: str) -> dict[str, int] | None:
        """The smallest value of a second axis at which every batch runs, where at others only larger batches do."""
        if self.sizes.symbols != ("N", name) or not self.known:
            return None
        try:
            with limited(_STEPS):
                single, *others = (self.sizes.fixed({"N": count}).onto([name]) for count in _BATCHES)
                value = None if all(each <= single for each in others) else single.smallest()
                domain = _positive(self.sizes.symbols)
                return value if value and domain.fixed(value) <= self.sizes.fixed(value) else None
        except SolverError:
            return None

    def is_free(self, name: str) -> bool:
        """Whether infinitely many values of a symbol take the path."""
        return not self._axis(name).finite

    def is_same(self, one: str, other: str) -> bool:
        """Whether two symbols are equal wherever the model runs, as far as that is known."""
        try:
            with limited(_STEPS):
                return self.known and self.sizes <= SizeSet.where(self.sizes.symbols, equal(symbol(one), symbol(other)))
        except SolverError:
            return False

    def tied(self, names: Sequence[str]) -> dict[str, int]:
        """Numbers for symbols with few values that decide one another's: the channels of two inputs that are joined.

        The first of them is 3 where it may be, as of a picture.
        """
        few = [name for name in names if self.known and self._axis(name).finite]
        bound = [name for name in few if any(self._narrows(name, other) for other in few if other != name)]
        left = self.sizes
        for name in bound:
            usual = left.fixed({name: _CHANNELS}) if name == bound[0] else None
            left = usual or left.fixed(left.onto([name]).smallest() or {})
        return left.onto(bound).smallest() or {} if bound else {}

    def _narrows(self, name: str, other: str) -> bool:
        """Whether a symbol has fewer values where another has its smallest one."""
        least = self._axis(other).smallest() or {}
        return self.sizes.fixed(least).onto([name]) != self._axis(name)

    def _axis(self, name: str) -> SizeSet:
        """The values of one symbol; with the other sizes as they were, where the path is not known."""
        others = {each: value for each, value in self.run.sizes.items() if each != name and not self.known}
        return self.sizes.fixed(others).onto([name])

    def reason(self, name: str, value: int) -> Refusal | None:
        """The run that raised where the symbol had another value, if one did: the last before it got this one."""
        others = [each for each in self.refusals if each.sizes[name] != value]
        return others[-1] if others else None


@dataclass(slots=True)
class Search:
    """One search over the sizes of `inputs`; `refusals` says what was tried where nothing runs.

    `farthest` is the run that made most calls, with the sizes left to it, where every size is proved to raise.
    """

    subject: Subject
    hint: Mapping[str, int]
    budget: Budget
    refusals: list[Refusal] = field(default_factory=list)
    farthest: Found | None = None

    def found(self) -> Found | None:
        """The first run that gives an output; None where none did within the tries."""
        left = _positive(self.subject.symbols)
        exploration, odd = Exploration(self.subject, left, {}, budget=self.budget), 0
        raising: list[Found] = []
        farthest, tries = 0, _TRIES
        while tries:
            point = None if self.budget.spent() else _near(left, self._hint(odd))
            if point is None:
                if not left and len(raising) == len(self.refusals):
                    self.farthest = max(raising, key=lambda each: len(each.run.records), default=None)
                return None
            try:
                run = exploration.run(point, symbolic=True)
            except OutOfTime:
                return None
            self.budget.spend(runs=1)
            branch, sure = _divided(left, run)
            if run.failure is None:
                single = "N" not in point or exploration.replay({**point, "N": 1}).failure is None
                known = branch.end is not None
                sizes = branch.end.sizes if branch.end is not None else left
                return Found(run, sizes, tuple(self.refusals), single, known)
            self.refusals.append(_refusal(run))
            farthest, tries = max(farthest, len(run.records)), tries - (len(run.records) <= farthest)
            if isinstance(run.error, OutOfTime):
                return None
            sure = sure and _is_explained(run)
            odd += not sure
            if odd > len(_OTHERS):
                return None
            less = _less(left, branch, run, sure=sure)
            if sure and not run.leaks and less is not None and branch.end is not None:
                raising.append(Found(run, left, tuple(self.refusals), single=True, known=False))
            left = SizeSet.empty(left.symbols) if less is None else less
        return None

    def _hint(self, odd: int) -> Mapping[str, int]:
        """The sizes to try: usual ones where errors that no size rule explains have shown others to be wrong."""
        usual = _OTHERS[odd - 1] if odd else {}
        return {name: usual.get(name[0], value) for name, value in self.hint.items()}


def _divided(left: SizeSet, run: Run) -> tuple[Branch, bool]:
    """What a run cuts off, and whether its end is all that it covers: some conditions no set can say."""
    branch = Branch(left)
    try:
        with limited(_STEPS):
            return branch, not cut(branch, run, 0)
    except (SolverError, Undecidable):
        return Branch(left), False


def _is_explained(run: Run) -> bool:
    """Whether the error is one of sizes, so that its whole path raises."""
    odd = run.failure is None or run.failure.kind in (Kind.UNEXPLAINED, Kind.OBSERVED)
    return not odd and not isinstance(run.error, Unanalysable)


def _less(left: SizeSet, branch: Branch, run: Run, *, sure: bool) -> SizeSet | None:
    """What is left to try after a run that raised, on its whole path where it is `sure`; None for what no set says."""
    regions = [part for _, part in branch.steps if isinstance(part, Region)]
    if branch.end is not None and sure:
        regions.append(branch.end)
    try:
        with limited(_STEPS):
            for region in regions:
                left = left - region.sizes
            return left - SizeSet.point(left.symbols, run.sizes)
    except (SolverError, Undecidable):
        return None


def _near(left: SizeSet, hint: Mapping[str, int]) -> dict[str, int] | None:
    """A member that differs from the hint in few symbols, those that come last in it."""
    try:
        with limited(_STEPS):
            for name, value in hint.items():
                fixed = left.fixed({name: value})
                left = fixed or left
            for name in hint:  # what broadcasts runs with a 1 too, and so does what becomes a 1
                least = _SPATIAL_LEAST if name.startswith(_SPATIAL) else 2
                more = left & SizeSet.where(left.symbols, at_least(symbol(name), constant(least)))
                left = more or left
            return left.sample()
    except (SolverError, Undecidable):
        return None


def _refusal(run: Run) -> Refusal:
    assert run.failure is not None
    assert run.error is not None
    module = run.records[-1].module if run.records else ""
    place = None if run.place is None else run.place.span()
    return Refusal(run.sizes, len(run.records), module, place, run.failure.kind, run.failure.at(run.sizes), run.error)


def _positive(symbols: Sequence[str]) -> SizeSet:
    """The sizes at which no symbol is below 1."""
    domain = SizeSet.universe(symbols)
    for name in symbols:
        domain = domain & SizeSet.where(symbols, at_least(symbol(name), constant(1)))
    return domain
