"""A division by a size that has few outcomes: each of them is a way of its own, and the run takes the one it has."""

from __future__ import annotations

from typing import Final

from shapelint.size.bound import never_negative
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import Function, constant
from shapelint.size.tracking import ceiling, tracker

_MOST_DIVIDED: Final = 64
_LARGEST_DIVISOR: Final = 8


def takes_divisor(below: Function, divisor: int) -> bool:
    """Whether a comparison left few values of a divisor; the run goes on where it has the one that it has."""
    listener, most = tracker(), ceiling(below)
    if listener is None or most is None or most > _LARGEST_DIVISOR or divisor < 1:
        return False
    listener.assume(equal(below, constant(divisor)))
    return True


def takes_quotient(above: Function, below: Function, quotient: int) -> bool:
    """Whether a small number by a positive size has few quotients; the run goes on where it has the one that it has."""
    listener, number = tracker(), above.constant
    if listener is None or number is None or not (0 <= number <= _MOST_DIVIDED and below.affine):
        return False
    if not never_negative(below.plus(-1)):
        return False
    low, high = below.times(quotient), below.times(quotient + 1)
    listener.assume(all_of((at_least(above, low), at_least(high, above.plus(1)))))
    return True
