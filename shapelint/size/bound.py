"""A lower bound of a function over all positive sizes, found without a solver; it may be lower than need be.

A symbol is at least 1; one whose name is no identifier (the unknown of a repair) at least 0.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from shapelint.size.function import Extreme, FloorDivision, Function, Monomial, Symbol

_Affine = dict[str, Fraction]  # coefficients of the symbols, and the constant under ""


@lru_cache(maxsize=16384)
def lower_bound(function: Function) -> Fraction | None:
    """A number that the function is nowhere below at any sizes; None where none was found."""
    line = _below(function)
    if line is None or any(value < 0 for name, value in line.items() if name):
        return None
    return sum((value for name, value in line.items() if not name or name.isidentifier()), Fraction(0))


def never_negative(function: Function) -> bool:
    """Whether the function is certainly at least 0."""
    bound = lower_bound(function)
    return bound is not None and bound > -1


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


def _atom(atom: Symbol | FloorDivision | Extreme, coefficient: int) -> _Affine | None:
    if isinstance(atom, Symbol):
        return {atom.name: Fraction(coefficient)}
    if isinstance(atom, Extreme):
        return _extreme(atom, coefficient)
    # (n - d + 1)/d <= floor(n/d) <= n/d
    inner = _below(atom.numerator.plus(1 - atom.divisor) if coefficient > 0 else atom.numerator.times(-1))
    scale = Fraction(abs(coefficient), atom.divisor)
    return None if inner is None else {name: value * scale for name, value in inner.items()}


def _extreme(atom: Extreme, coefficient: int) -> _Affine | None:
    """A maximum is nowhere below either part, and the negative of a minimum nowhere below that of either."""
    if (atom.name == "max") != (coefficient > 0):
        return None
    for part in (atom.first, atom.second):
        below = _below(part.times(coefficient))
        if below is not None:
            return below
    return None
