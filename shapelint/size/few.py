"""A division by a size that has few outcomes: each of them is a way of its own, and the run takes the one it has."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Final

from shapelint.size.atoms import Extreme
from shapelint.size.bound import lower_bound
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import Function, NotQuasiAffine, constant
from shapelint.size.period import function_period
from shapelint.size.tracking import ceiling, tracker

_MOST_DIVIDED: Final = 64
_LARGEST_DIVISOR: Final = 16


def takes_divisor(below: Function, divisor: int) -> bool:
    """Whether a comparison left few values of a divisor, or a minimum has few, such as `min(8, h, w)`; the run goes on
    where it has the one that it has.
    """
    listener, greatest = tracker(), _greatest(below)
    most = ceiling(below) if greatest is None else greatest
    if listener is None or most is None or most > _LARGEST_DIVISOR or divisor < 1:
        return False
    listener.assume(equal(below, constant(divisor)))
    return True


def _greatest(function: Function) -> Fraction | None:
    """What a function never exceeds at any size; of a minimum the least that holds for a part."""
    (monomial, scale), *more = function.terms or (((), 0),)
    atom = monomial[0] if len(monomial) == 1 and scale == 1 and not more else None
    if isinstance(atom, Extreme) and atom.name == "min":
        parts = (_greatest(part) for part in (atom.first, atom.second))
        return min((each for each in parts if each is not None), default=None)
    least = lower_bound(function.times(-1))
    return None if least is None else -least


def takes_quotient(above: Function, below: Function, quotient: int) -> bool:
    """Whether a division by a positive size has few quotients; the run goes on where it has the one that it has.

    So has a small number, and what grows with the divisor, such as H//4 by H//28.
    """
    listener, number = tracker(), above.constant
    if listener is None or not below.affine:
        return False
    if not (_grow_together(above, below) if number is None else 0 <= number <= _MOST_DIVIDED):
        return False
    low, high = below.times(quotient), below.times(quotient + 1)
    way = all_of((at_least(below, constant(1)), at_least(above, low), at_least(high, above.plus(1))))
    if not way.holds(listener.sizes):
        return False  # a negative divisor
    listener.assume(way)
    return True


def _grow_together(above: Function, below: Function) -> bool:
    """Whether two functions of one symbol both grow with it: then their quotient hardly changes from some size on."""
    names = above.symbols()
    if len(names) != 1 or names != below.symbols():
        return False
    with suppress(NotQuasiAffine):
        return min(function_period(above)[1], function_period(below)[1]) > 0
    return False
