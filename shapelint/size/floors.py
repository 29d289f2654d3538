"""Floor divisions in one form, so that those of equal functions are equal."""

from __future__ import annotations

import math
from functools import lru_cache

from shapelint.size.function import FloorDivision, Function, collect, intern


@lru_cache(maxsize=65536)
def floor(function: Function, divisor: int) -> Function:
    """floor(function / divisor) by a positive number, with every whole multiple of it taken out of the floor."""
    if divisor == 1:
        return function
    nested = _nested(function, divisor)
    if nested is not None:
        return nested
    whole = collect([(monomial, value // divisor) for monomial, value in function.terms])
    rest = collect([(monomial, value % divisor) for monomial, value in function.terms])
    if rest.constant is not None:
        return whole
    common = math.gcd(divisor, *(value for monomial, value in rest.terms if monomial))
    if common > 1:
        reduced = collect([(monomial, value // common) for monomial, value in rest.terms])
        return whole + floor(reduced, divisor // common)
    nested = _nested(rest, divisor)
    if nested is not None:
        return whole + nested
    if _leans_down(rest, divisor):  # floor(x / d) is -floor((d - 1 - x) / d)
        return whole - floor(rest.times(-1).plus(divisor - 1), divisor)
    return whole + Function((((intern(FloorDivision(rest, divisor)),), 1),))


def _nested(function: Function, divisor: int) -> Function | None:
    """One floor for a floor in a floor, None where there is not just one inside.

    floor((floor(x / d) + y) / divisor) is floor((x + d y) / (d divisor)) for whole y (Graham et al., Concrete
    Mathematics, 3.11), and -floor(x / d) is floor((d - 1 - x) / d).
    """
    inner = [term for term in function.terms if any(isinstance(atom, FloorDivision) for atom in term[0])]
    if len(inner) != 1 or len(inner[0][0]) != 1 or abs(inner[0][1]) != 1:
        return None
    (atom,), value = inner[0]
    assert isinstance(atom, FloorDivision)
    own = atom.numerator if value == 1 else atom.numerator.times(-1).plus(atom.divisor - 1)
    others = function - Function((inner[0],))
    return floor(own + others.times(atom.divisor), atom.divisor * divisor)


def _leans_down(rest: Function, divisor: int) -> bool:
    """Whether the first coefficient that is not half the divisor is nearer to it than to 0.

    Then the floor of the negative is taken, (W + 7)//8 for 7*W//8: of such floors further ones can be made one.
    """
    first = next((value for monomial, value in rest.terms if monomial and 2 * value != divisor), 0)
    return 2 * first > divisor
