"""A size times a number such as 0.3, rounded: `int(h * 0.3)` is `3*h//10` at every size, `int(h * 0.29)` is not.

A double c lies beside the fraction p/q that was meant, by d = |c q/p - 1| <= 2**-53. Where n p/q is no integer, the
next one is at least 1/q away, far more than n c is off. Where it is the integer k, n c = k (1 + d) or k (1 - d), which
rounds to k itself if d < 2**-54: half the distance to k's neighbours is at least k 2**-54. If d is larger, the double
lies on the one side of k, which is right for the one of floor and ceil.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from shapelint.size.bound import magnitude, never_negative
from shapelint.size.followed_float import FollowedFloat
from shapelint.size.number import Size, function_of
from shapelint.size.tracking import symbolic

_LARGEST_DENOMINATOR: Final = 10000
_SURE: Final = Fraction(2**20 - 1, 2**74)  # a little less than 2**-54, as the quotient by 1 + d is not quite 1 - d
_FAR_BELOW: Final = 2**50


def rounded_multiple(name: str, numbers: tuple[Any, ...], rounding: str) -> Any:
    """A size times, or divided by, a float, rounded as `__floor__` and its kin do; None where that may differ.

    The size may be an exact quotient by a power of two.
    """
    if name not in ("mul", "truediv"):
        return None
    size, number = numbers[::-1] if name == "mul" and _parts(numbers[0]) is None else numbers
    parts, found = _parts(size), _meant(number)
    if parts is None or found is None:
        return None
    factor, error = (found[0], found[1]) if name == "mul" else (1 / found[0], -found[1])
    factor, function = factor / parts[1], function_of(parts[0])
    if magnitude(function) * max(factor.numerator, factor.denominator) >= _FAR_BELOW:
        return None
    if abs(error) > _SURE and not (never_negative(function) and _is_right_beside(rounding, error)):
        return None
    return getattr(parts[0] * factor.numerator / factor.denominator, rounding)()


def _parts(number: Any) -> tuple[Size, int] | None:
    """The size and the power of two by which it is divided."""
    size, divisor = (number, 1) if isinstance(number, Size) else _quotient(number)
    fine = isinstance(size, Size) and symbolic(size) and isinstance(divisor, int) and divisor & (divisor - 1) == 0
    return (size, divisor) if fine else None


def _quotient(number: Any) -> tuple[Any, Any]:
    known = isinstance(number, FollowedFloat)
    return getattr(number, "_numerator", None) if known else None, getattr(number, "_denominator", None)


def _is_right_beside(rounding: str, error: Fraction) -> bool:
    """Whether a number that is not negative is rounded as the integer to which it should be equal."""
    return error > 0 if rounding in ("__floor__", "__trunc__") else error < 0 and rounding == "__ceil__"


def _meant(number: Any) -> tuple[Fraction, Fraction] | None:
    plain = isinstance(number, float) and not isinstance(number, FollowedFloat)
    return _beside(float.__float__(number)) if plain else None


@lru_cache(maxsize=256)
def _beside(number: float) -> tuple[Fraction, Fraction] | None:
    """The fraction to which a positive float is the nearest, and by what part of it the float is larger."""
    if not 0 < number < _FAR_BELOW:
        return None
    binary = Fraction(number)
    near = binary.limit_denominator(_LARGEST_DENOMINATOR)
    return (near, binary / near - 1) if near and float(near) == number else None
