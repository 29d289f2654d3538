"""A product of three sizes or more beside a number, such as `(T//2)*(H//16)*(W//16) <= 9`, by its first factor."""

from __future__ import annotations

from shapelint.size.bound import never_negative
from shapelint.size.condition import FALSE, Compare, Condition, all_of, any_of, at_least, equal, negate
from shapelint.size.function import Function, constant

_LARGEST = 128


def small_product(compare: Compare) -> Condition | None:
    """The comparison by what its first factor may be, each with the product of the others; None where it is no such.

    For `at least` the factors must not be negative.
    """
    number = next((value for monomial, value in compare.function.terms if not monomial), 0)
    products = [(monomial, value) for monomial, value in compare.function.terms if monomial]
    if len(products) != 1 or len(products[0][0]) < 3:
        return None
    (monomial, scale) = products[0]
    if compare.equal and number:
        return FALSE if number % scale else equal(Function(((monomial, 1),)), constant(-number // scale))
    if compare.equal:
        return any_of(equal(Function((((atom,), 1),)), constant(0)) for atom in monomial)
    most = number // -scale if scale < 0 else -(number // scale) - 1
    first, *others = (Function((((atom,), 1),)) for atom in monomial)
    if most > _LARGEST or not all(map(never_negative, (first, *others))):
        return None
    rest = Function(((monomial[1:], 1),))
    below = FALSE if most < 0 else _at_most(first, rest, most)
    return below if scale < 0 else negate(below)


def _at_most(first: Function, rest: Function, most: int) -> Condition:
    """first * rest <= most: where the first factor is k, the rest is at most `most` // k."""
    parts: list[Condition] = [equal(first, constant(0))]
    low = 1
    while low <= most:
        high = most // (most // low)  # up to where the quotient is the same
        between = at_least(first, constant(low)), at_least(constant(high), first)
        parts.append(all_of([*between, at_least(constant(most // low), rest)]))
        low = high + 1
    return any_of([*parts, at_least(constant(0), rest)])
