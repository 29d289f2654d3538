"""Comparisons in which the sizes of two axes meet in a minimum or maximum, taken apart into the two cases."""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.size.atoms import Extreme, Symbol
from shapelint.size.condition import Compare, Condition, all_of, any_of, at_least, equal, negate
from shapelint.size.function import Atom, Function, constant, symbol
from shapelint.size.function import extreme as extreme_of


def by_cases(compare: Compare) -> Condition | None:
    """The comparison, with one such extreme replaced by either part where it is that part; None without any."""
    extreme = next(_joint_extremes(compare.function), None)
    if extreme is None:
        return None
    first, second = extreme.first, extreme.second
    low, high = (first, second) if extreme.name == "min" else (second, first)
    taken = at_least(high, low)
    return any_of([
        all_of([taken, _compared(_replaced(compare.function, extreme, first), equals=compare.equal)]),
        all_of([negate(taken), _compared(_replaced(compare.function, extreme, second), equals=compare.equal)]),
    ])  # fmt: skip


def _joint_extremes(function: Function) -> Iterator[Extreme[Function]]:
    """The minima and maxima that two symbols meet in, innermost first."""
    for atom in function.atoms():
        if isinstance(atom, Extreme) and len(Function((((atom,), 1),)).symbols()) > 1:
            yield from _joint_extremes(atom.first)
            yield from _joint_extremes(atom.second)
            yield atom


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
