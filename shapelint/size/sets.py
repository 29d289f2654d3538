"""Sets of sizes as everybody else uses them: isl's sets, which say what they are in words and which member is near."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from shapelint.size.condition import equal
from shapelint.size.function import Function, constant, symbol
from shapelint.size.isl_set import IslSet
from shapelint.size.words import exact_words, some_members


class SizeSet(IslSet):
    """A set of sizes; `str` gives its words, such as "H and W multiples of 16"."""

    __slots__ = ("_exact",)  # what `exact_words` found: a report asks several times

    _exact: tuple[str | None]

    def example(self, least: int = 8) -> dict[str, int] | None:
        """A member to show: one with no size below `least` where there is one, else any small one; None if empty."""
        return self.at_least(dict.fromkeys(self.symbols, least)).sample() or self.sample()

    def nearest(self, values: Mapping[str, int], *, above: bool) -> dict[str, int] | None:
        """The member at least (`above`) or at most `values` in every axis with the smallest sum of distances.

        None where there is no such member.
        """
        half = self.at_least(values) if above else self.at_most(values)
        total = reduce(Function.__add__, map(symbol, self.symbols), constant(0))
        total = total if above else total.times(-1)
        least = half.least(total)
        if least is None:
            return None
        return (half & SizeSet.where(self.symbols, equal(total, constant(least)))).smallest()

    @property
    def exact_words(self) -> str | None:
        """A short sentence that denotes exactly this set; None where `str` tells some of its members only."""
        if not hasattr(self, "_exact"):
            self._exact = (exact_words(self),)
        return self._exact[0]

    @property
    def outline(self) -> str:
        """Some of the members, such as "H = W 32 or 33, and others such as 16x64"."""
        return some_members(self)

    def __reduce__(self) -> tuple[Callable[..., SizeSet], tuple[tuple[str, ...], str]]:
        return _read, (self.symbols, self.isl_text)

    def __str__(self) -> str:
        return self.exact_words or some_members(self)

    def __repr__(self) -> str:
        return f"SizeSet({self.isl_text})"


def _read(symbols: tuple[str, ...], text: str) -> SizeSet:
    """What a pickled set is made of again."""
    return SizeSet.kept(symbols, text)
