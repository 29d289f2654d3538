"""Sets of sizes as a person would say them: "H and W multiples of 16", each text proved to denote the same set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise

from shapelint.size.condition import Compare, all_of, any_of, at_least
from shapelint.size.function import constant, symbol
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.isl_set import IslSet
from shapelint.size.outline import outline
from shapelint.size.relation import relation_words

_PERIOD = 4096
_LISTED = 8
_LACKING = 2
_PIECES = 4
_SMALL = 1 << 16
_STEPS = 300_000


def sized(size: Iterable[int]) -> str:
    """A size as people write it: "5x5", or "31992" for one axis; "a scalar" where it has none."""
    return "x".join(map(str, size)) or "a scalar"


def some_members(sizes: IslSet) -> str:
    """Some of the members of a set for which no sentence is short."""
    return outline(sizes & _positive(sizes.symbols), describe)


def exact_words(sizes: IslSet) -> str | None:
    """A short sentence that denotes exactly this set; None where there is none."""
    try:
        with limited(_STEPS):
            return _in_words(sizes)
    except SolverError:
        return None


def _in_words(sizes: IslSet) -> str | None:
    positive = _positive(sizes.symbols)
    sizes = sizes & positive
    if not sizes:
        return "no size"
    if positive <= sizes:
        return "every size"
    words = _union_words(sizes)
    if words is None or "; or " in words:
        gone = _union_words(positive - sizes)
        if gone is not None and _simple(gone):
            words = f"every size but {gone}"
        elif gone is not None and words is None:
            words = f"every size but these: {gone}"
    return words


def _simple(words: str) -> bool:
    """Whether words may stand after "every size but"."""
    return not any(each in words for each in ("; or ", " not ", " no "))


def _positive(symbols: Sequence[str]) -> IslSet:
    return IslSet.where(symbols, all_of(at_least(symbol(name), constant(1)) for name in symbols))


def _union_words(sizes: IslSet) -> str | None:
    """The words for the set as a whole, or else for each of its few pieces."""
    whole = _product_words(sizes)
    if whole is not None:
        return whole
    pieces = sizes.coalesced().pieces()
    listed = _points_words(sizes)
    if listed is not None:
        return listed
    if len(pieces) > _PIECES:
        return None
    texts = [(piece.finite, _product_words(piece)) for piece in pieces]
    known = sorted({(finite, text) for finite, text in texts if text is not None})  # what has no end comes first
    return "; or ".join(text for _, text in known) if all(text for _, text in texts) else None


def _points_words(sizes: IslSet) -> str | None:
    """A few sizes of several symbols, one after the other."""
    if len(sizes.symbols) < 2 or not sizes.finite:
        return None
    box = math.prod(_extent(sizes.onto([name])) for name in sizes.symbols)
    members = [tuple(values.values()) for values in sizes.members()] if box <= _SMALL else []
    if not 0 < len(members) <= _LISTED:
        return None
    return f"({', '.join(sizes.symbols)}) only {_joined(list(map(str, members)))}"


def _product_words(sizes: IslSet) -> str | None:
    """The words for a set in which each symbol is free of the others but for plain relations; None for any other."""
    axes = [sizes.onto([name]) for name in sizes.symbols]
    together = reduce(IslSet.__and__, (axis.lifted(sizes.symbols) for axis in axes))
    gone = _few_gone(sizes, together)
    relations = () if len(axes) == 1 or gone is not None else _relations(sizes, together)
    described = [(axis.symbols[0], describe(axis)) for axis in axes]
    if relations is None or any(words is None for _, words in described):
        return None
    related = frozenset[str]().union(*(relation.function.symbols() for relation in relations))
    names: dict[str, list[str]] = {}
    for name, words in described:
        if words is not None and not (words == "any" and name in related):
            names.setdefault(words, []).append(name)
    if gone and list(names) == ["any"]:
        return f"every size but {_joined(gone, 'and')}"
    but = f", but not {_joined(gone)}" if gone else ""
    return ", ".join([*relation_words(relations), *(_said(group, words) for words, group in names.items())]) + but


def _few_gone(sizes: IslSet, together: IslSet) -> list[str] | None:
    """The one or two sizes that a set lacks of the product of its projections; None where these are more."""
    gone = together - sizes
    found: list[str] = []
    while (member := gone.smallest()) is not None and len(found) < _LACKING:
        found.append(sized(member.values()))
        gone = gone.without(member)
    return None if gone else found


def _relations(sizes: IslSet, together: IslSet) -> tuple[Compare, ...] | None:
    """One or two comparisons that cut the set out of the product of its projections; None where that takes more."""
    relations = sizes.beyond(together)
    if relations is None or len(relations) > 2:
        return None
    return relations if together & IslSet.where(sizes.symbols, all_of(relations)) == sizes else None


def _said(names: list[str], words: str) -> str:
    listed = _joined(names, "and")
    return f"any {listed}" if words == "any" else f"{listed} {words}"


def describe(sizes: IslSet) -> str | None:
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


def _is_small(sizes: IslSet) -> bool:
    return _extent(sizes) <= _SMALL


def _extent(sizes: IslSet) -> int:
    """How many integers lie between the smallest and the largest member of a set of one symbol."""
    name = sizes.symbols[0]
    low, high = sizes.least(symbol(name)), sizes.least(symbol(name).times(-1))
    return _SMALL + 1 if low is None or high is None else 1 - high - low


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
    return "only " + _listed(members) if _short(members) else None


def _runs(members: Sequence[int]) -> list[str]:
    """Ascending numbers, three or more neighbours as "4 to 9"."""
    texts: list[str] = []
    start = 0
    for index, member in enumerate(members):
        if index + 1 == len(members) or members[index + 1] != member + 1:
            run = members[start : index + 1]
            texts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
            start = index + 1
    return texts


def _short(members: Sequence[int]) -> bool:
    return len(_runs(members)) <= _LISTED


def _listed(members: Sequence[int]) -> str:
    return _joined(_runs(members))


def _joined(texts: Sequence[str], word: str = "or") -> str:
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + f" {word} " + texts[-1]


def _residues(sizes: IslSet, period: int) -> tuple[int, ...]:
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


def _periodic_words(sizes: IslSet, period: int, residues: tuple[int, ...]) -> str | None:
    name = sizes.symbols[0]
    regular = _with_residues(name, period, residues)
    missing, extra = regular - sizes, sizes - regular
    if not (missing.finite and extra.finite and _is_small_or_empty(missing) and _is_small_or_empty(extra)):
        return None
    gone = [values[name] for values in missing.members()]
    if period == 1 and not extra and 0 < len(gone) <= _LACKING and gone != [*range(1, len(gone) + 1)]:
        return f"any but {_joined(list(map(str, gone)), 'and')}"
    start = max(gone, default=0) + 1
    early = [values[name] for values in (sizes.at_most({name: start - 1}) | extra).members()]
    if not _short(early):
        return None
    first = regular.at_least({name: start}).smallest()
    assert first is not None, "a periodic set has members beyond any bound"
    words = _residue_words(period, residues, None if start == 1 else first[name])
    return words and words + (f", or {_listed(early)}" if early else "")


def _is_small_or_empty(sizes: IslSet) -> bool:
    return not sizes or _is_small(sizes)


def _with_residues(name: str, period: int, residues: tuple[int, ...]) -> IslSet:
    size = symbol(name)
    rest = size - size.floor_divide(period).times(period)
    fits = any_of(Compare(rest.plus(-residue), True) for residue in residues) if period > 1 else None
    positive = IslSet.where((name,), at_least(size, constant(1)))
    return positive if fits is None else positive & IslSet.where((name,), fits)


def _residue_words(period: int, residues: tuple[int, ...], first: int | None) -> str | None:
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
    if _short(residues):
        return f"{_listed(residues)} mod {period}" + beyond
    return None


__all__ = ["describe", "exact_words", "some_members"]
