"""Floats made of sizes, such as `h / 2` or `h * 0.5`, kept as exact quotients as far as that goes.

A double rounds. The law that makes the quotient q of a Ratio safe all the same: where q is a dyadic number (an
integer over a power of two), the double is exactly q; elsewhere it is so near to q that floor, ceil, round and
comparisons with dyadic numbers come out as for q. So `(h / 3 + 0.5) * 2` is kept, and `(h / 49) * 49` is not: there
q is always an integer, and Python gives 0.9999999999999999 where h is 1.
"""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from shapelint.size.bits import integral
from shapelint.size.data_number import DataNumber
from shapelint.size.float_term import float_term
from shapelint.size.followed_float import FollowedFloat, bare
from shapelint.size.function import Function, NotQuasiAffine, constant
from shapelint.size.number import function_of, plain, quotients, tracked_size
from shapelint.size.size_float import SizeFloat, compared_floats, computed, is_size_float
from shapelint.size.tracking import divide_on_path, lose, symbolic, tell

_FINEST = 1 << 20


@quotients
class Ratio(FollowedFloat):
    """The quotient of a size and a positive integer, such as h / 2, beside the double that Python makes of it."""

    _numerator: Any
    _denominator: int
    _nearest: bool

    def __new__(cls, numerator: Any, denominator: int | None = None, value: float | None = None) -> Any:
        if denominator is None:  # `type(ratio)(value)`
            return float(numerator)
        self = float.__new__(cls, plain(numerator) / denominator if value is None else value)
        self._numerator, self._denominator, self._nearest = numerator, denominator, value is None
        return self

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        lose("a pickled size", self._numerator)
        return float, (float.__float__(self),)

    def __add__(self, other: Any) -> Any:
        return self._sum(other, "add", operator.add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._sum(other, "sub", operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._sum(other, "sub", lambda mine, theirs: theirs - mine, swapped=True)

    def _sum(self, other: Any, name: str, combine: Callable[[Any, Any], Any], *, swapped: bool = False) -> Any:
        fraction = _exact(other)
        if fraction is None or not (_dyadic(self._denominator) or _dyadic(fraction[1])):
            return computed(name, *((other, self) if swapped else (self, other)))
        numerator, denominator = fraction
        common, value = self._denominator * denominator, combine(float.__float__(self), bare(other))
        return Ratio(combine(self._numerator * denominator, numerator * self._denominator), common, value)

    def __neg__(self) -> Any:
        return Ratio(-self._numerator, self._denominator, -float.__float__(self))

    def __abs__(self) -> Any:
        return -self if self < 0 else self

    def __mul__(self, other: Any) -> Any:
        fraction = _exact(other)
        if fraction is None or not self._multiplies(*fraction):
            return computed("mul", self, other)
        value = float.__float__(self) * bare(other)
        return Ratio(self._numerator * fraction[0], self._denominator * fraction[1], value)

    __rmul__ = __mul__

    def _multiplies(self, numerator: Any, denominator: int) -> bool:
        """Whether the product is dyadic only where both factors are."""
        if _dyadic(self._denominator):
            return _dyadic(denominator) or not (symbolic(self._numerator) or symbolic(numerator))
        coprime = not symbolic(numerator) and math.gcd(_odd_part(self._denominator), plain(numerator)) == 1
        return coprime and _dyadic(denominator)

    def __truediv__(self, other: Any) -> Any:
        fraction = _exact(other)
        if fraction is not None and symbolic(fraction[0]):
            quotient = self._quotient(*fraction)
            return computed("truediv", self, other) if quotient is None else Ratio(quotient, 1)
        if fraction is None or not _dyadic(fraction[1]) or fraction[0] == 0:
            return computed("truediv", self, other)
        sign, value = 1 if fraction[0] > 0 else -1, float.__float__(self) / bare(other)
        return Ratio(self._numerator * fraction[1] * sign, self._denominator * plain(fraction[0]) * sign, value)

    def __rtruediv__(self, other: Any) -> Any:
        fraction = _exact(other)
        dividend = None if fraction is None else Ratio(*fraction, value=bare(other))
        whole = None if dividend is None else dividend._quotient(self._numerator, self._denominator)
        return computed("truediv", other, self) if whole is None else Ratio(whole, 1)

    def _quotient(self, numerator: Any, denominator: int) -> Any:
        """The whole number of times that another quotient of sizes goes into this one at every size; None for none.

        Both are doubles without a rounding error where they are dyadic or whole at every size.
        """
        mine, theirs = function_of(self._numerator), function_of(numerator)
        exact = all(_dyadic(by) or _whole(each, by) for each, by in ((mine, self._denominator), (theirs, denominator)))
        times = _whole_function(mine.times(denominator), theirs.times(self._denominator)) if exact else None
        if plain(numerator) == 0 or numerator == 0:
            return None
        value, rest = divmod(plain(self._numerator) * denominator, plain(numerator) * self._denominator)
        if times is not None:
            return tracked_size(value, times)
        once = self._denominator == value == 1  # then both quotients are whole
        if rest or not (once or exact) or mine.symbols() != theirs.symbols():  # of H / W there are endless such values
            return None
        return value if self._numerator * denominator == numerator * self._denominator * value else None

    def __floordiv__(self, other: Any) -> Any:
        quotient = self / other
        return Ratio(quotient.__floor__(), 1) if isinstance(quotient, Ratio) else computed("floordiv", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return computed("floordiv", other, self)

    def __mod__(self, other: Any) -> Any:
        quotient = self // other
        return self - quotient * other if isinstance(quotient, Ratio) else computed("mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return computed("mod", other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, other: Any, modulo: None = None) -> Any:
        return self * self if type(other) is int and other == 2 else computed("pow", self, other)

    def __rpow__(self, other: Any, modulo: None = None) -> Any:
        return computed("pow", other, self)

    def float_operand(self) -> Any:
        """The term of the double; None in another run, and where it is not what Python makes of the exact quotient."""
        whole = type(self) is Ratio and symbolic(self._numerator)
        if not whole or not (self._nearest or _dyadic(self._denominator)):
            return None
        return float_term("truediv", function_of(self._numerator), self._denominator)

    def __floor__(self) -> Any:
        return self._numerator // self._denominator

    def __ceil__(self) -> Any:
        return -(-self._numerator // self._denominator)

    def __trunc__(self) -> Any:
        return self.__floor__() if self._numerator >= 0 else self.__ceil__()

    def __int__(self) -> int:
        lose("int() of a float made of a size", self._numerator)
        return int(float.__float__(self))

    def __float__(self) -> float:
        lose("float() of a size", self._numerator)
        return float.__float__(self)

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None:
            lose("a rounded float made of a size", self._numerator)
            return round(float.__float__(self), digits)
        return _half_even(self._numerator, self._denominator)

    def __repr__(self) -> str:
        tell(self._numerator)
        return float.__repr__(self)

    def __format__(self, specification: str) -> str:
        tell(self._numerator)
        return format(float.__float__(self), specification)

    def as_integer_ratio(self) -> tuple[int, int]:
        """As of the plain float; a leak."""
        lose("the integer ratio of a size", self._numerator)
        return float.as_integer_ratio(self)

    def hex(self) -> str:
        """As of the plain float; a leak."""
        lose("a text of a size", self._numerator)
        return float.hex(self)

    def is_integer(self) -> bool:
        """Whether the denominator divides the size; asks the run for it."""
        return bool(self._numerator % self._denominator == 0)

    def __bool__(self) -> bool:
        return bool(self._numerator != 0)

    def __eq__(self, other: object) -> bool:
        return self._against(other, operator.eq)

    def __ne__(self, other: object) -> bool:
        return self._against(other, operator.ne)

    def __ge__(self, other: Any) -> bool:
        return self._against(other, operator.ge)

    def __gt__(self, other: Any) -> bool:
        return self._against(other, operator.gt)

    def __le__(self, other: Any) -> bool:
        return self._against(other, operator.le)

    def __lt__(self, other: Any) -> bool:
        return self._against(other, operator.lt)

    def _against(self, other: Any, compare: Callable[[Any, Any], bool]) -> bool:
        if isinstance(other, DataNumber):
            return NotImplemented  # type: ignore[no-any-return]
        if isinstance(other, SizeFloat):
            return compared_floats(compare.__name__, self, other)
        if isinstance(other, float) and not math.isfinite(other):
            return compare(float.__float__(self), float.__float__(other))
        fraction = _exact(other)
        if fraction is None or not (_dyadic(self._denominator) or _dyadic(fraction[1])):
            return compared_floats(compare.__name__, self, other)
        return bool(compare(self._numerator * fraction[1], fraction[0] * self._denominator))

    def __hash__(self) -> int:
        lose("a size used as a key", self._numerator)
        return float.__hash__(self)


def _whole_function(function: Function, divisor: Function) -> Function | None:
    with contextlib.suppress(NotQuasiAffine):
        return divide_on_path(function, divisor)
    return None


def _whole(function: Function, divisor: int) -> bool:
    return _whole_function(function, constant(divisor)) is not None


def _odd_part(number: int) -> int:
    return number // (number & -number)


def _dyadic(denominator: int) -> bool:
    return denominator & (denominator - 1) == 0


def _exact(number: Any) -> tuple[Any, int] | None:
    """Numerator and denominator of a number that a double holds exactly with few digits; else None."""
    if isinstance(number, Ratio):
        return number._numerator, number._denominator
    if is_size_float(number):
        return None
    if isinstance(number, int):
        return number, 1
    if isinstance(number, float) and math.isfinite(number):
        fraction = Fraction(float.__float__(number))
        return (fraction.numerator, fraction.denominator) if fraction.denominator <= _FINEST else None
    return (operator.index(number), 1) if integral(number) else None


def _half_even(numerator: Any, denominator: int) -> Any:
    """round() of numerator / denominator: to the nearest, a tie to the even one (Python's rule)."""
    rounded = (numerator * 2 + denominator) // (denominator * 2)
    if denominator % 2:
        return rounded
    tie = numerator - denominator // 2
    period = denominator * 2
    return rounded - (tie // period - (tie - 1) // period)


def as_integer(number: Any) -> int | None:
    """A number as an integer, a Size where it is one; None where it has a fraction or is no number."""
    if isinstance(number, int):
        return number
    if isinstance(number, Ratio):
        return number._numerator if number._denominator == 1 else None
    return int(number) if type(number) is float and number.is_integer() else None
