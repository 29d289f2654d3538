"""Sets of integer points, decided exactly by isl (Presburger arithmetic).

isl: Verdoolaege, "isl: An Integer Set Library for the Polyhedral Model", ICMS 2010.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Self

from shapelint.size.condition import AllOf, Compare, Condition
from shapelint.size.function import Function
from shapelint.size.isl_form import (
    SolverError,
    asking,
    condition_set,
    conjunction,
    constraints,
    function_on,
    isl_number,
    limited,
    read_number,
    renamed,
    space,
)

if TYPE_CHECKING:
    import islpy as isl
else:
    from shapelint.size.isl_form import isl

_SEARCHED, _STEPS, _MOST_PIECES = 4096, 4_000_000, 1000


@asking
class IslSet:
    """A set of integer points with one coordinate for each symbol, in a fixed order of symbols."""

    __slots__ = ("_set", "_text", "symbols")

    _text: str

    def __init__(self, symbols: Sequence[str], raw: isl.Set) -> None:
        self.symbols, self._set = tuple(symbols), raw

    def _with(self, raw: isl.Set, symbols: Sequence[str] | None = None) -> Self:
        """Other points, of the same symbols unless others are given."""
        return type(self)(self.symbols if symbols is None else symbols, raw)

    @classmethod
    def universe(cls, symbols: Sequence[str]) -> Self:
        """All integer points, negative ones included."""
        return cls(symbols, isl.Set.universe(space(tuple(symbols))))

    @classmethod
    def empty(cls, symbols: Sequence[str]) -> Self:
        """The set without a point."""
        return cls(symbols, isl.Set.empty(space(tuple(symbols))))

    @classmethod
    def where(cls, symbols: Sequence[str], condition: Condition) -> Self:
        """The sizes at which the condition holds; raises Undecidable."""
        return cls(symbols, condition_set(tuple(symbols), condition))

    @classmethod
    def point(cls, symbols: Sequence[str], values: Mapping[str, int]) -> Self:
        """The set of one size."""
        raw = isl.Set.universe(space(tuple(symbols)))
        for index, name in enumerate(symbols):
            raw = raw.fix_val(isl.dim_type.set, index, isl_number(values[name]))
        return cls(symbols, raw)

    @classmethod
    def read(cls, symbols: Sequence[str], text: str) -> Self:
        """The set that `text`, isl's own notation, denotes."""
        return cls(symbols, isl.Set(text))

    @classmethod
    def kept(cls, symbols: Sequence[str], text: str) -> Self:
        """The set that a text of ours denotes; isl, and its import, read it when something is asked of the set."""
        self = cls.__new__(cls)
        self.symbols, self._text = tuple(symbols), text
        return self

    def __getattr__(self, name: str) -> isl.Set:
        if name != "_set":
            raise AttributeError(name)
        self._set = isl.Set(self._text)
        return self._set

    def meeting(self, condition: Condition) -> Self:
        """The members at which the condition holds; raises Undecidable less often than `where`, which looks at all."""
        parts = condition.parts if isinstance(condition, AllOf) else (condition,)
        return self._with(conjunction(self.symbols, parts, self._set))

    def __and__(self, other: IslSet) -> Self:
        return self._with(self._set.intersect(other._set))

    def __or__(self, other: IslSet) -> Self:
        return self._with(self._set.union(other._set))

    def __sub__(self, other: IslSet) -> Self:
        return self._with(self._set.subtract(other._set))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IslSet) or self.symbols != other.symbols:
            return NotImplemented
        return bool(self._set.is_equal(other._set))

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __le__(self, other: IslSet) -> bool:
        return bool(self._set.is_subset(other._set))

    def __bool__(self) -> bool:
        return not self._set.is_empty()

    def __contains__(self, size: object) -> bool:
        return bool(IslSet.point(self.symbols, self.coordinates(size))._set.is_subset(self._set))

    def coordinates(self, size: object) -> Mapping[str, int]:
        """A size by the names of the symbols: a mapping, a tuple in their order, or one integer."""
        return size if isinstance(size, Mapping) else dict(zip(self.symbols, _tuple(size), strict=True))

    @property
    def isl_text(self) -> str:
        """The set in isl's own notation."""
        return str(self._set)

    def coalesced(self) -> Self:
        """The same set in as few pieces as isl finds in a reasonable time, which for very many it does not."""
        if self._set.n_basic_set() > _MOST_PIECES:
            return self
        try:
            with limited():
                return self._with(self._set.coalesce())
        except (isl.Error, SolverError):
            return self

    @property
    def piece_count(self) -> int:
        """How many convex pieces isl keeps the set in; 0 for an empty one."""
        return 0 if self._set.is_empty() else int(self._set.n_basic_set())

    @property
    def division_count(self) -> int:
        """How many floor divisions the piece that has the most of them is described with."""
        return max((int(part.dim(isl.dim_type.div)) for part in self._set.get_basic_sets()), default=0)

    def pieces(self) -> tuple[Self, ...]:
        """Convex pieces whose union is the set."""
        return tuple(self._with(isl.Set.from_basic_set(part)) for part in self._set.get_basic_sets())

    def fixed(self, values: Mapping[str, int]) -> Self:
        """The part of the set where some symbols have the given values."""
        raw = self._set
        for name, value in values.items():
            raw = raw.fix_val(isl.dim_type.set, self.symbols.index(name), isl_number(value))
        return self._with(raw)

    def without(self, values: Mapping[str, int]) -> Self:
        """The set less one size."""
        return self - type(self).point(self.symbols, values)

    def onto(self, symbols: Sequence[str]) -> Self:
        """The projection on some of the symbols, in the order of this set."""
        kept = tuple(name for name in self.symbols if name in symbols)
        raw = self._set
        for index in reversed(range(len(self.symbols))):
            if self.symbols[index] not in kept:
                raw = raw.project_out(isl.dim_type.set, index, 1)
        return self._with(renamed(raw, kept), kept)

    def lifted(self, symbols: Sequence[str]) -> Self:
        """The same set over more symbols, which are free; the own symbols keep their order."""
        raw = self._set
        for index, name in enumerate(symbols):
            if name not in self.symbols:
                raw = raw.insert_dims(isl.dim_type.set, index, 1)
        return self._with(renamed(raw, tuple(symbols)), symbols)

    def smallest(self) -> dict[str, int] | None:
        """The lexicographically smallest member, None where the set is empty or has none.

        Where isl takes too many steps to find it, some member.
        """
        return None if self._set.is_empty() else self._lexmin(self._set)

    def _lexmin(self, raw: isl.Set) -> dict[str, int] | None:
        """The smallest member; where isl's lexmin fails on nested floors or has no end, some member."""
        try:
            with limited(_STEPS):
                return self._values(raw.lexmin().sample_point())
        except (isl.Error, SolverError):
            if not all(raw.dim_has_lower_bound(isl.dim_type.set, index) for index in range(len(self.symbols))):
                return None
        try:
            with limited(_STEPS):
                return self._searched(raw)
        except (isl.Error, SolverError):
            return self._values(raw.sample_point())

    def _searched(self, raw: isl.Set) -> dict[str, int]:
        """The smallest member, found axis by axis, or a member at least."""
        left = raw
        for index in range(len(self.symbols)):
            bound = left.dim_min_val(index)  # a lower bound, which existentially quantified sets may not attain
            for value in range(read_number(bound), read_number(bound) + _SEARCHED):
                fixed = left.fix_val(isl.dim_type.set, index, isl_number(value))
                if not fixed.is_empty():
                    left = fixed
                    break
        return self._values(left.sample_point())

    def sample(self) -> dict[str, int] | None:
        """Some member, the one with the smallest greatest coordinate where that can be had; None if empty."""
        for bound in (8, 64, 512, 4096):
            box = reduce(_bounded(bound), range(len(self.symbols)), self._set)
            if not box.is_empty():
                return self._lexmin(box)
        return None if self._set.is_empty() else self._values(self._set.sample_point())

    def at_most(self, values: Mapping[str, int]) -> Self:
        """The members with these coordinates at most."""
        return self._half(values, isl.Set.upper_bound_val)

    def at_least(self, values: Mapping[str, int]) -> Self:
        """The members with these coordinates at least."""
        return self._half(values, isl.Set.lower_bound_val)

    def _half(self, values: Mapping[str, int], bound: Callable[..., isl.Set]) -> Self:
        raw = self._set
        for name, value in values.items():
            raw = bound(raw, isl.dim_type.set, self.symbols.index(name), isl_number(value))
        return self._with(raw)

    def least(self, function: Function) -> int | None:
        """The smallest value of a function on the set; None where it has none."""
        if self._set.is_empty():
            return None
        values = isl.Map.from_pw_aff(function_on(self.symbols, function)).intersect_domain(self._set).range()
        low = values.dim_min_val(0)  # a lower bound, which the values may not attain
        if not low.is_int():
            return None
        start = read_number(low)
        candidates = range(start, start + _SEARCHED)
        attained = (each for each in candidates if not values.fix_val(isl.dim_type.set, 0, isl_number(each)).is_empty())
        return next(attained, None)

    def periods(self) -> tuple[int, ...]:
        """The divisors of the floor divisions in isl's description of the set."""
        found: list[int] = []
        for part in self._set.compute_divs().get_basic_sets():
            local = part.get_local_space()
            divisions = map(local.get_div, range(local.dim(isl.dim_type.div)))
            found.extend(read_number(division.get_denominator_val()) for division in divisions)
        return tuple(found)

    def beyond(self, other: IslSet) -> tuple[Compare, ...] | None:
        """Comparisons that together with membership in `other` say what the set is; None where it is not convex."""
        try:
            with limited():
                pieces = self._set.compute_divs().gist(other._set).get_basic_sets()
        except (isl.Error, SolverError):  # or an assertion of isl's own on some sets with several divisions
            return None
        return constraints(self.symbols, pieces[0]) if len(pieces) == 1 else None

    def members(self) -> Iterator[dict[str, int]]:
        """All members of a finite set."""
        points: list[isl.Point] = []
        self._set.foreach_point(points.append)  # islpy prints what a callback raises, as where isl's limit is reached
        return iter(sorted(map(self._values, points), key=lambda values: tuple(values.values())))

    @property
    def finite(self) -> bool:
        """Whether there are only finitely many members."""
        return bool(self._set.is_bounded())

    @property
    def pinned(self) -> bool:
        """Whether some axis has only finitely many sizes, or none."""
        return any(self.onto([name]).finite for name in self.symbols)

    def _values(self, point: isl.Point) -> dict[str, int]:
        at = point.get_coordinate_val
        return {name: read_number(at(isl.dim_type.set, index)) for index, name in enumerate(self.symbols)}


def _tuple(size: object) -> tuple[int, ...]:
    return (size,) if isinstance(size, int) else tuple(size)  # type: ignore[arg-type]


def _bounded(bound: int) -> Callable[[isl.Set, int], isl.Set]:
    def box(raw: isl.Set, index: int) -> isl.Set:
        above = raw.lower_bound_val(isl.dim_type.set, index, isl.Val(-bound))
        return above.upper_bound_val(isl.dim_type.set, index, isl.Val(bound))

    return box
