"""A lower bound of a function over all positive sizes, found without a solver; it may be lower than need be.

A symbol is at least 1; one whose name is no identifier (the unknown of a repair) at least 0.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from shapelint.caches import kept
from shapelint.size.atoms import Extreme, FloorDivision, Symbol
from shapelint.size.function import Function, Monomial, NotQuasiAffine, constant
from shapelint.size.period import LONGEST_PERIOD, function_period

_LARGEST = 2**31
_Affine = dict[str, Fraction]  # coefficients of the symbols, and the constant under ""


@kept(16384)
def lower_bound(function: Function) -> Fraction | None:
    """A whole number that the function is nowhere below at any sizes; None where none was found."""
    line = _below(function)
    if line is None or any(value < 0 for name, value in line.items() if name):
        return _by_periods(function)
    bound = Fraction(ceil(sum((value for name, value in line.items() if not name or name.isidentifier()), Fraction(0))))
    least = _by_periods(function) if bound < 0 else None
    return bound if least is None else max(bound, least)


def never_negative(function: Function) -> bool:
    """Whether the function is certainly at least 0."""
    bound = lower_bound(function)
    return (bound is not None and bound >= 0) or _has_rest(function)


def _has_rest(function: Function) -> bool:
    """Whether it is so without the floor of one division: -k * floor(n / d) is at least -k * n / d."""
    for monomial, value in function.terms:
        floor = monomial[0] if len(monomial) == 1 else None
        if isinstance(floor, FloorDivision) and value < 0:
            others = function - Function(((monomial, value),))
            bound = lower_bound(others.times(floor.divisor) + floor.numerator.times(value))
            return bound is not None and bound >= 0
    return False


def magnitude(function: Function) -> int:
    """What the value of a function never exceeds, positive or negative, where sizes are below 2**31."""
    total = 0
    for monomial, value in function.terms:
        product = abs(value)
        for atom in monomial:
            if isinstance(atom, Symbol):
                product *= _LARGEST
            elif isinstance(atom, FloorDivision):
                product *= magnitude(atom.numerator) // atom.divisor + 1
            else:
                product *= max(magnitude(atom.first), magnitude(atom.second))
        total += product
    return total


@kept(16384)
def identical(first: Function, second: Function) -> bool:
    """Whether two functions are the same at all sizes, as far as sums of functions of one symbol can tell."""
    if first is second:
        return True
    difference = first - second
    return _by_periods(difference) == 0 == _by_periods(difference.times(-1))


@kept(16384)
def _by_periods(function: Function) -> Fraction | None:
    """The least value of a sum of functions of one symbol each, where none of them falls over a short period."""
    parts: dict[frozenset[str], Function] = {frozenset(): constant(0)}
    for term in function.terms:
        alone = Function((term,))
        names = alone.symbols()
        parts[names] = parts.get(names, constant(0)) + alone
    total = Fraction(parts.pop(frozenset()).constant or 0)
    for names, part in parts.items():
        least = _least_over_period(part, *names) if len(names) == 1 else None
        if least is None:
            return None
        total += least
    return total


def _least_over_period(function: Function, name: str) -> int | None:
    try:
        period, step = function_period(function)
    except NotQuasiAffine:
        return None
    if step < 0 or period > LONGEST_PERIOD:
        return None
    start = 1 if name.isidentifier() else 0
    return min(function.value({name: start + residue}) for residue in range(period))


@kept(16384)
def _below(function: Function) -> _Affine | None:
    """An affine function with rational coefficients that is nowhere above the given one."""
    total: _Affine = {"": Fraction(0)}
    for monomial, coefficient in function.terms:
        part = _monomial(monomial, coefficient)
        if part is None:
            return None
        for name, value in part.items():
            total[name] = total.get(name, Fraction(0)) + value
    return total


def _monomial(monomial: Monomial, coefficient: int) -> _Affine | None:
    if not monomial:
        return {"": Fraction(coefficient)}
    if len(monomial) > 1:
        lowest = [lower_bound(Function((((atom,), 1),))) for atom in monomial]
        if coefficient < 0 or any(bound is None or bound < 0 for bound in lowest):
            return None
        product = Fraction(coefficient)
        for bound in lowest:
            product *= bound or 0
        return {"": product}
    return _atom(monomial[0], coefficient)


def _atom(atom: Symbol | FloorDivision[Function] | Extreme[Function], coefficient: int) -> _Affine | None:
    if isinstance(atom, Symbol):
        return {atom.name: Fraction(coefficient)}
    if isinstance(atom, Extreme):
        return _extreme(atom, coefficient)
    # (n - d + 1)/d <= floor(n/d) <= n/d
    inner = _below(atom.numerator.plus(1 - atom.divisor) if coefficient > 0 else atom.numerator.times(-1))
    scale = Fraction(abs(coefficient), atom.divisor)
    return None if inner is None else {name: value * scale for name, value in inner.items()}


def _extreme(atom: Extreme[Function], coefficient: int) -> _Affine | None:
    """A maximum is nowhere below either part, and the negative of a minimum nowhere below that of either."""
    if (atom.name == "max") != (coefficient > 0):
        both = [lower_bound(part.times(coefficient)) for part in (atom.first, atom.second)]
        return {"": min(each for each in both if each is not None)} if None not in both else None
    for part in (atom.first, atom.second):
        below = _below(part.times(coefficient))
        if below is not None:
            return below
    return None
