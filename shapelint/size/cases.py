"""Comparisons with a minimum or maximum, taken apart into its two cases.

Where the sizes of two axes meet in it, and where a product has one whose parts grow at different rates, such as
`min(96, H//2)`, which does not repeat.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.caches import kept
from shapelint.size.atoms import Extreme, Symbol
from shapelint.size.condition import Compare, Condition, all_of, any_of, at_least, equal, negate
from shapelint.size.function import Atom, Function, NotQuasiAffine, constant, symbol
from shapelint.size.function import extreme as extreme_of
from shapelint.size.period import atom_period


def extremes(function: Function) -> frozenset[Extreme[Function]]:
    """The minima and maxima in a function, however deep."""
    found: set[Extreme[Function]] = set()
    for atom in function.atoms():
        if isinstance(atom, Extreme):
            found |= {atom, *extremes(atom.first), *extremes(atom.second)}
        elif not isinstance(atom, Symbol):
            found |= extremes(atom.numerator)
    return frozenset(found)


def by_cases(compare: Compare) -> Condition | None:
    """The comparison, with one such extreme replaced by either part where it is that part; None without any."""
    extreme = next(_joint_extremes(compare.function), None) or _bent(compare.function)
    if extreme is None:
        return None
    first, second = extreme.first, extreme.second
    low, high = (first, second) if extreme.name == "min" else (second, first)
    taken = at_least(high, low)
    return any_of([
        all_of([taken, _compared(_replaced(compare.function, extreme, first), equals=compare.equal)]),
        all_of([negate(taken), _compared(_replaced(compare.function, extreme, second), equals=compare.equal)]),
    ])  # fmt: skip


def without_extreme(function: Function) -> Condition | None:
    """The function is at least 0, told of both parts of one such extreme that is added to the rest; None without any.

    A minimum is large where both parts are, and small where either is: no case has to be told from the other.
    """
    for monomial, value in function.terms:
        extreme = monomial[0] if len(monomial) == 1 else None
        if isinstance(extreme, Extreme):
            rest = function - Function(((monomial, value),))
            parts = (at_least(part.times(value) + rest, constant(0)) for part in (extreme.first, extreme.second))
            return all_of(parts) if (extreme.name == "min") == (value > 0) else any_of(parts)
    return None


@kept(4096)
def case_count(function: Function) -> int:
    """In how many cases a comparison ends of which `without_extreme` takes one minimum or maximum after the other.

    Not counted beyond a million.
    """
    total = 1
    for monomial, _ in function.terms:
        if len(monomial) == 1 and isinstance(extreme := monomial[0], Extreme):
            total = min(total * (case_count(extreme.first) + case_count(extreme.second)), 10**6)
    return total


def _joint_extremes(function: Function) -> Iterator[Extreme[Function]]:
    """The minima and maxima that two symbols meet in, innermost first."""
    for atom in function.atoms():
        if isinstance(atom, Extreme) and len(Function((((atom,), 1),)).symbols()) > 1:
            yield from _joint_extremes(atom.first)
            yield from _joint_extremes(atom.second)
            yield atom


def _bent(function: Function) -> Extreme[Function] | None:
    """A minimum or maximum beside a product of sizes that does not repeat, innermost first; None without any."""
    atoms = () if function.affine else function.atoms()
    return next((found for atom in atoms for found in _unrepeating(atom)), None)


def _unrepeating(atom: Atom) -> Iterator[Extreme[Function]]:
    if isinstance(atom, Symbol):
        return
    parts = (atom.first, atom.second) if isinstance(atom, Extreme) else (atom.numerator,)
    for part in parts:
        for inner in part.atoms():
            yield from _unrepeating(inner)
    if isinstance(atom, Extreme) and not _repeats(atom):
        yield atom


def _repeats(atom: Atom) -> bool:
    try:
        atom_period(atom)
    except NotQuasiAffine:
        return False
    return True


def _compared(function: Function, *, equals: bool) -> Condition:
    return equal(function, constant(0)) if equals else at_least(function, constant(0))


def _replaced(function: Function, extreme: Extreme[Function], by: Function) -> Function:
    total = constant(0)
    for monomial, value in function.terms:
        part = constant(value)
        for atom in monomial:
            part = part * _replaced_atom(atom, extreme, by)
        total += part
    return total


def _replaced_atom(atom: Atom, extreme: Extreme[Function], by: Function) -> Function:
    if atom is extreme:
        return by
    if isinstance(atom, Extreme):
        return extreme_of(atom.name, _replaced(atom.first, extreme, by), _replaced(atom.second, extreme, by))
    if isinstance(atom, Symbol):
        return symbol(atom.name)
    return _replaced(atom.numerator, extreme, by).floor_divide(atom.divisor)
