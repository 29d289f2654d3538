"""Sets of sizes as a person would say them: "H and W multiples of 16", each text proved to denote the same set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

from shapelint.size.condition import Compare, any_of, at_least
from shapelint.size.function import Function, constant, symbol
from shapelint.size.sets import SizeSet

_PERIOD = 4096
_LISTED = 8
_PIECES = 4


def in_words(sizes: SizeSet) -> str:
    """The set in words; isl's own notation where no short sentence denotes exactly this set."""
    if not sizes:
        return "no size"
    if not sizes.symbols or SizeSet.where(sizes.symbols, _positive(sizes.symbols)) <= sizes:
        return "every size"
    whole = _product_words(sizes)
    if whole is not None:
        return whole
    pieces = sizes.coalesced().pieces()
    texts = [_product_words(piece) for piece in pieces] if len(pieces) <= _PIECES else [None]
    if all(text is not None for text in texts):
        return "; or ".join(sorted({text for text in texts if text is not None}))
    return _notation(sizes)


def _positive(symbols: Sequence[str]) -> Compare:
    from shapelint.size.condition import all_of

    return all_of(at_least(symbol(name), constant(1)) for name in symbols)  # type: ignore[return-value]


def _product_words(sizes: SizeSet) -> str | None:
    """The words for a set in which each symbol is free of the others; None for any other set."""
    axes = [sizes.onto([name]) for name in sizes.symbols]
    together = reduce(SizeSet.__and__, (axis.lifted(sizes.symbols) for axis in axes))
    if len(axes) > 1 and not together <= sizes:
        return None
    names: dict[str, list[str]] = {}
    for axis in axes:
        words = describe(axis)
        if words is None:
            return None
        names.setdefault(words, []).append(axis.symbols[0])
    return ", ".join(_said(group, words) for words, group in names.items())


def _said(names: list[str], words: str) -> str:
    listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return f"any {listed}" if words == "any" else f"{listed} {words}"


def describe(sizes: SizeSet) -> str | None:
    """What one symbol may be, such as "multiples of 16" or "at least 8"; None where no short words are right."""
    if sizes.finite:
        members = [next(iter(values.values())) for values in sizes.members()] if _is_small(sizes) else []
        return _finite_words(members)
    period = reduce(math.lcm, sizes.periods(), 1)
    if period > _PERIOD:
        return None
    residues = _residues(sizes, period)
    if not residues:
        return None
    period, residues = _smallest_period(period, residues)
    return _periodic_words(sizes, period, residues)


def _is_small(sizes: SizeSet) -> bool:
    name = sizes.symbols[0]
    low, high = sizes.least(symbol(name)), sizes.least(symbol(name).times(-1))
    return low is not None and high is not None and -high - low <= 1 << 16


def _finite_words(members: list[int]) -> str | None:
    if not members:
        return None
    steps = {after - before for before, after in pairwise(members)}
    if len(members) > 2 and len(steps) == 1:
        step = steps.pop()
        if step == 1:
            return f"from {members[0]} to {members[-1]}"
        if members[0] % step == 0:
            return f"multiples of {step} from {members[0]} to {members[-1]}"
    if len(members) <= _LISTED:
        return "only " + _listed(members)
    return None


def _listed(members: Sequence[int], word: str = "or") -> str:
    texts = list(map(str, members))
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + f" {word} " + texts[-1]


def _residues(sizes: SizeSet, period: int) -> tuple[int, ...]:
    """The residues that the set has in the long run."""
    name = sizes.symbols[0]
    base = period * (1 + (1 << 24) // period)
    window = sizes.at_least({name: base}).at_most({name: base + period - 1})
    return tuple(values[name] - base for values in window.members())


def _smallest_period(period: int, residues: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    for divisor in range(1, period):
        if period % divisor == 0:
            kept = {residue % divisor for residue in residues}
            if len(kept) * (period // divisor) == len(residues):
                return divisor, tuple(sorted(kept))
    return period, residues


def _periodic_words(sizes: SizeSet, period: int, residues: tuple[int, ...]) -> str | None:
    name = sizes.symbols[0]
    regular = _with_residues(name, period, residues)
    missing, extra = regular - sizes, sizes - regular
    if not (missing.finite and extra.finite and _is_small_or_empty(missing) and _is_small_or_empty(extra)):
        return None
    start = max((values[name] for values in missing.members()), default=0) + 1
    early = [values[name] for values in (sizes.at_most({name: start - 1}) | extra).members()]
    if len(early) > _LISTED:
        return None
    first = regular.at_least({name: start}).smallest()
    assert first is not None, "a periodic set has members beyond any bound"
    words = _residue_words(period, residues, None if start == 1 else first[name])
    return words + (f", or {_listed(early)}" if early else "")


def _is_small_or_empty(sizes: SizeSet) -> bool:
    return not sizes or _is_small(sizes)


def _with_residues(name: str, period: int, residues: tuple[int, ...]) -> SizeSet:
    size = symbol(name)
    rest = size - size.floor_divide(period).times(period)
    fits = any_of(Compare(rest.plus(-residue), True) for residue in residues) if period > 1 else None
    positive = SizeSet.where((name,), at_least(size, constant(1)))
    return positive if fits is None else positive & SizeSet.where((name,), fits)


def _residue_words(period: int, residues: tuple[int, ...], first: int | None) -> str:
    if period == 1:
        return "any" if first is None else f"at least {first}"
    beyond = "" if first is None else f" from {first}"
    if residues == (0,):
        return ("even" if period == 2 else f"multiples of {period}") + beyond
    if residues == (1,) and period == 2:
        return "odd" + beyond
    if len(residues) == period - 1 and period > 2:
        gone = next(value for value in range(period) if value not in residues)
        return (f"not {gone} mod {period}" if gone else f"no multiples of {period}") + beyond
    if len(residues) <= _LISTED:
        return f"{_listed(residues)} mod {period}" + beyond
    return f"one of {len(residues)} residues mod {period} ({_listed(residues[:3], 'and')}, ...)" + beyond


def _notation(sizes: SizeSet) -> str:
    text = sizes.coalesced().isl_text.strip("{} ")
    head = f"[{', '.join(sizes.symbols)}] : "
    return "sizes with " + text.replace(head, "")


__all__ = ["Function", "describe", "in_words"]
