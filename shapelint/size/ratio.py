"""Floats made of sizes, such as `h / 2` or `h * 0.5`, kept as exact quotients as far as that goes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from shapelint.size.number import Size, integral, leak, plain


class Ratio(float):
    """The exact quotient of a size and a positive integer, such as h / 2; a float in all else."""

    _numerator: Any
    _denominator: int

    def __new__(cls, numerator: Any, denominator: int) -> Ratio:
        self = float.__new__(cls, plain(numerator) / denominator)
        self._numerator, self._denominator = numerator, denominator
        return self

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float.__float__(self),)

    def __add__(self, other: Any) -> Any:
        return self._combined(other, lambda mine, theirs: mine + theirs)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._combined(other, lambda mine, theirs: mine - theirs)

    def __rsub__(self, other: Any) -> Any:
        return self._combined(other, lambda mine, theirs: theirs - mine)

    def _combined(self, other: Any, combine: Callable[[Any, Any], Any]) -> Any:
        fraction = _exact(other)
        if fraction is None:
            leak("a float made of a size")
            return combine(float.__float__(self), float(other))
        numerator, denominator = fraction
        common = self._denominator * denominator
        return Ratio(combine(self._numerator * denominator, numerator * self._denominator), common)

    def __neg__(self) -> Any:
        return Ratio(-self._numerator, self._denominator)

    def __mul__(self, other: Any) -> Any:
        fraction = _exact(other)
        if fraction is None:
            leak("a float made of a size")
            return float.__float__(self) * float(other)
        return Ratio(self._numerator * fraction[0], self._denominator * fraction[1])

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        fraction = _exact(other)
        if fraction is None or isinstance(fraction[0], Size) or fraction[0] == 0:
            leak("a float made of a size")
            return float.__float__(self) / float(plain(other) if isinstance(other, int) else other)
        sign = 1 if fraction[0] > 0 else -1
        return Ratio(self._numerator * fraction[1] * sign, self._denominator * fraction[0] * sign)

    def __rtruediv__(self, other: Any) -> Any:
        leak("a float made of a size")
        return float(other) / float.__float__(self)

    def __floordiv__(self, other: Any) -> Any:
        return Ratio((self / other).__floor__(), 1)

    def __mod__(self, other: Any) -> Any:
        return self - (self // other) * other

    def __floor__(self) -> Any:
        return self._numerator // self._denominator

    def __ceil__(self) -> Any:
        return -(-self._numerator // self._denominator)

    def __trunc__(self) -> Any:
        return self.__floor__() if self._numerator >= 0 else self.__ceil__()

    def __int__(self) -> int:
        leak("int() of a float made of a size")
        return int(float.__float__(self))

    def __float__(self) -> float:
        leak("float() of a size")
        return float.__float__(self)

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None:
            leak("a rounded float made of a size")
            return round(float.__float__(self), digits)
        return _half_even(self._numerator, self._denominator)

    def is_integer(self) -> bool:
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
        fraction = _exact(other)
        if fraction is None:
            leak("a float made of a size, compared")
            return compare(float.__float__(self), other)
        return bool(compare(self._numerator * fraction[1], fraction[0] * self._denominator))

    def __hash__(self) -> int:
        leak("a size used as a key")
        return float.__hash__(self)


def _exact(number: Any) -> tuple[Any, int] | None:
    """Numerator and denominator of a number that a double holds exactly with few digits; else None."""
    if isinstance(number, Ratio):
        return number._numerator, number._denominator
    if isinstance(number, int):
        return number, 1
    if isinstance(number, float) and math.isfinite(number):
        fraction = Fraction(number)
        return (fraction.numerator, fraction.denominator) if fraction.denominator <= 1 << 20 else None
    return (operator.index(number), 1) if integral(number) else None


def _half_even(numerator: Any, denominator: int) -> Any:
    """round() of numerator / denominator: to the nearest, a tie to the even one (Python's rule)."""
    rounded = (numerator * 2 + denominator) // (denominator * 2)
    if denominator % 2:
        return rounded
    tie = numerator - denominator // 2
    period = denominator * 2
    return rounded - (tie // period - (tie - 1) // period)
