"""Comparisons with the floor of a product of two axes, such as what `view(b, c, 16, -1)` leaves: `H*W//16 >= 1`."""

from __future__ import annotations

from math import gcd, lcm

from shapelint.size.atoms import FloorDivision
from shapelint.size.condition import FALSE, Compare, Condition, all_of
from shapelint.size.function import Function, constant


def without_floor(compare: Compare) -> Condition | None:
    """The comparison without such a floor, where one stands alone: f//d + g >= 0 is f + d*g >= 0.

    None where there is none, or a factor or another term has it too.
    """
    function = _reduced(compare)
    if function is None:
        return FALSE
    for monomial, scale in function.terms:
        atom = monomial[0] if len(monomial) == 1 and abs(scale) == 1 else None
        if not isinstance(atom, FloorDivision) or not is_joint(atom):
            continue
        rest = function - Function((((atom,), scale),))
        if any(atom is each for each in rest.atoms()):
            continue
        return _compared(atom.numerator, atom.divisor, rest, scale, equals=compare.equal)
    return None


def _reduced(compare: Compare) -> Function | None:
    """The function, divided by what divides all its terms but the constant; None where it then cannot be 0."""
    varying = [scale for monomial, scale in compare.function.terms if monomial]
    shared = gcd(*varying) or 1
    number = next((scale for monomial, scale in compare.function.terms if not monomial), 0)
    if compare.equal and number % shared:
        return None
    parts = (Function(((monomial, scale // shared),)) for monomial, scale in compare.function.terms if monomial)
    return sum(parts, constant(number // shared))


def _compared(numerator: Function, divisor: int, rest: Function, scale: int, *, equals: bool) -> Condition:
    """`scale` * (numerator // divisor) + rest, compared with 0."""
    least = numerator + rest.times(scale * divisor)  # f//d >= -g is f >= -d*g
    most = constant(divisor - 1) - least  # f//d <= -g is f <= -d*g + d - 1
    if equals:
        return all_of([Compare(least, False), Compare(most, False)])
    return Compare(least if scale > 0 else most, False)


def joint_divisor(function: Function) -> int:
    """By what the floors of products of axes divide: with a period that it divides they are polynomials too."""
    found = 1
    for atom in function.atoms():
        if isinstance(atom, FloorDivision) and is_joint(atom):
            found = lcm(found, atom.divisor * joint_divisor(atom.numerator))
    return found


def is_joint(atom: FloorDivision[Function]) -> bool:
    """Whether the sizes of several axes are divided together."""
    return len(atom.numerator.symbols()) > 1
