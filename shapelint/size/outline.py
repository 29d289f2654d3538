"""A set of sizes that no short sentence denotes, told by its members: those with equal axes, an example, the period."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from itertools import islice
from typing import TypeVar

from shapelint.size.condition import all_of, at_least, divisible, equal
from shapelint.size.function import constant, symbol
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.isl_set import IslSet

_T = TypeVar("_T")
_SHOWN, _TRIED = 3, 8
_STEPS = 100_000
_PERIOD = 4096


def outline(sizes: IslSet, describe: Callable[[IslSet], str | None]) -> str:
    """Some of what is in the set, such as "H = W 32 or 33, and others such as 16x64"; all that it says is true.

    `describe` says what one symbol may be.
    """
    parts = (lambda: _multiples(sizes, describe), lambda: _alike(sizes, describe), lambda: _examples(sizes))
    return next((text for part in parts if (text := _within_limit(part)) is not None), "some sizes")


def _within_limit(part: Callable[[], _T | None]) -> _T | None:
    """What is computed, or None where that takes isl too many steps."""
    with suppress(SolverError), limited(_STEPS):
        return part()
    return None


def _multiples(sizes: IslSet, describe: Callable[[IslSet], str | None]) -> str | None:
    """That the multiples of a number are in the set, and one more member; None where others go on with equal axes."""
    first, *others = sizes.symbols or ("",)
    if not others:
        return None
    line = _same(sizes).onto([first])
    for step in islice((member[first] for member in _members(line)), _TRIED):
        grid, multiples = _multiples_of(step, sizes.symbols), _multiples_of(step, (first,))
        if step > 1 and grid <= sizes and (line - multiples).finite:
            rest = _within_limit((sizes - grid).sample)
            told = f"{_listed(sizes.symbols)} {describe(multiples) or f'multiples of {step}'}"
            return told if rest is None else f"{told}, and others such as {_sized(rest.values())}"
    return None


def _multiples_of(step: int, symbols: tuple[str, ...]) -> IslSet:
    every = (each for name in symbols for each in (divisible(symbol(name), step), at_least(symbol(name), constant(1))))
    return IslSet.where(symbols, all_of(every))


def _members(sizes: IslSet) -> Iterator[dict[str, int]]:
    while (member := sizes.sample()) is not None:
        yield member
        sizes = sizes.without(member)


def _same(sizes: IslSet) -> IslSet:
    """The members with equal axes."""
    first, *others = sizes.symbols
    return sizes & IslSet.where(sizes.symbols, all_of(equal(symbol(name), symbol(first)) for name in others))


def _alike(sizes: IslSet, describe: Callable[[IslSet], str | None]) -> str | None:
    """What is in the set where all symbols are equal, and one more member; None where no short words say it."""
    first, *others = sizes.symbols or ("",)
    same = _same(sizes) if others else sizes
    words = describe(same.onto([first])) if others and same else None
    if words is None:
        return None
    names = " = ".join(sizes.symbols)
    told = f"any {names}" if words == "any" else f"{names} {words.removeprefix('only ')}"
    rest = _within_limit(lambda: _beyond(sizes, same)) or _within_limit((sizes - same).sample)
    return told if rest is None else f"{told}, and others such as {_sized(rest.values())}"


def _beyond(sizes: IslSet, same: IslSet) -> dict[str, int] | None:
    """A member with a size along some axis that no member with equal axes has; None where there is none."""
    axes = (same.onto([name]).lifted(sizes.symbols) for name in sizes.symbols)
    return (sizes - reduce(IslSet.__and__, axes)).sample()


def _examples(sizes: IslSet) -> str:
    """The first members, and for one symbol without an end after how much they come again."""
    found = [_sized(member.values()) for member in islice(_members(sizes), _SHOWN)]
    if not found:  # isl gives no member within the limit
        return "some sizes"
    period = 1 if sizes.finite or len(sizes.symbols) > 1 else reduce(math.lcm, sizes.periods(), 1)
    again = f", by their rest mod {period}" if 1 < period <= _PERIOD else ""
    return f"some sizes, such as {_listed(found)}{again}"


def _sized(values: Iterable[int]) -> str:
    return "x".join(map(str, values))


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + f" and {texts[-1]}"
