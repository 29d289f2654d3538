"""Numbers that remember where they come from: they go through a model's own code like any int or float.

A `Size` is the integer of this run together with its function of the symbols. Arithmetic keeps the function, a
comparison answers for this run and tells the tracker which condition it took. Where the function is lost, it is a leak.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from shapelint.size.bits import BitInteger, integral, with_other
from shapelint.size.bound import never_negative
from shapelint.size.condition import Condition, at_least, equal, product
from shapelint.size.few import takes_divisor, takes_quotient
from shapelint.size.function import Function, NotQuasiAffine, constant, extreme
from shapelint.size.tracking import (
    Tracker,
    divide_on_path,
    is_array,
    lose,
    lose_as_key,
    lost_in_depth,
    on_path,
    proven,
    symbolic,
    tell,
    tracker,
)


class Size(BitInteger):
    """An integer that carries its function of the symbols; in another run than its own it is a plain int."""

    __array_priority__ = 1000.0  # numpy leaves `np.int64(3) * size` to the size
    _function: Function
    _tracker: Tracker | None

    def __new__(cls, value: int, function: Function | None = None) -> Any:
        if function is None:  # `type(size)(value)`, as Python's own library makes another number of this kind
            return int(value)
        self = int.__new__(cls, value)
        self._function, self._tracker = function, tracker()
        return self

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return int

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        lose("a pickled size", self)
        return int, (int.__int__(self),)

    def __copy__(self) -> Size:
        return self

    def __deepcopy__(self, memo: object) -> Size:
        return self

    def __add__(self, other: Any) -> Any:
        return _linear(self, other, operator.add, Function.__add__)

    def __radd__(self, other: Any) -> Any:
        return _linear(self, other, operator.add, Function.__add__)

    def __sub__(self, other: Any) -> Any:
        return _linear(self, other, operator.sub, Function.__sub__)

    def __rsub__(self, other: Any) -> Any:
        return _linear(self, other, lambda one, two: two - one, lambda one, two: two - one)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, float):
            return _ratio(self) * other
        return _linear(self, other, operator.mul, product)

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __neg__(self) -> Any:
        return size(-plain(self), function_of(self).times(-1))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __invert__(self) -> Any:
        return -self - 1

    def __floordiv__(self, other: Any) -> Any:
        return floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        if isinstance(other, float):
            return _ratio(self) % other
        return self - floor_divide(self, other) * other if integral(other) else with_other(self, other, operator.mod)

    def __rmod__(self, other: Any) -> Any:
        if not integral(other):
            return with_other(self, other, operator.mod, swapped=True)
        return other - floor_divide(other, self) * self

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __truediv__(self, other: Any) -> Any:
        return _ratio(self) / other

    def __rtruediv__(self, other: Any) -> Any:
        return _ratio(self).__rtruediv__(other)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        return _ratio(self) ** other if isinstance(other, float) else super().__pow__(other, modulo)

    def __eq__(self, other: object) -> bool:
        return _compared(self, other, operator.eq, equal)

    def __ne__(self, other: object) -> bool:
        if is_array(other):
            return with_other(self, other, operator.ne)  # type: ignore[no-any-return]
        same = _compared(self, other, operator.eq, equal)
        return same if same is NotImplemented else not same

    def __ge__(self, other: Any) -> bool:
        return _compared(self, other, operator.ge, at_least)

    def __le__(self, other: Any) -> bool:
        return _compared(self, other, operator.le, lambda one, two: at_least(two, one))

    def __gt__(self, other: Any) -> bool:
        return _compared(self, other, operator.gt, lambda one, two: at_least(one, two.plus(1)))

    def __lt__(self, other: Any) -> bool:
        return _compared(self, other, operator.lt, lambda one, two: at_least(two, one.plus(1)))

    def __bool__(self) -> bool:
        return self != 0

    def __hash__(self) -> int:
        lose_as_key(self)
        return int.__hash__(self)

    def __int__(self) -> int:
        lose("int(size)", self)
        return plain(self)

    def __float__(self) -> float:
        lose("float(size)", self)
        return float(plain(self))

    def __trunc__(self) -> Any:
        return self

    def __floor__(self) -> Any:
        return self

    def __ceil__(self) -> Any:
        return self

    def __round__(self, digits: Any = None) -> Any:
        if digits is None or digits >= 0:
            return self
        lose("a rounded size", self)
        return round(plain(self), digits)

    def __repr__(self) -> str:
        tell(self)
        return int.__repr__(self)

    def __format__(self, specification: str) -> str:
        tell(self)
        return format(plain(self), specification)


def plain(number: Any) -> int:
    """The exact int of any integer, without telling the tracker."""
    if type(number) is int:
        return number
    return int.__int__(number) if isinstance(number, int) else operator.index(number)


def function_of(number: Any) -> Function:
    """The function of an integer: its own for a Size of the current run, a constant for all else."""
    if symbolic(number):
        return on_path(number._function)
    return constant(plain(number))


def size(value: int, function: Function) -> int:
    """A Size, or a plain int where the function is constant, has one value on the path, or is nested too deeply."""
    function = on_path(function)
    return value if function.constant is not None or lost_in_depth(function) else Size(value, function)


def tracked_size(value: int, function: Function) -> int:
    """A Size in a run that is tracked, else the plain int."""
    return value if tracker() is None else size(value, function)


def floor_divide(dividend: Any, divisor: Any) -> Any:
    """floor(dividend / divisor); a division by a size that does not come out exactly is a leak.

    Raises ZeroDivisionError where the divisor is 0, for which the run is asked.
    """
    if isinstance(divisor, float):
        return _ratio(dividend) // divisor
    if isinstance(dividend, float):  # numpy's: it leaves the size to itself
        return _ratio(divisor).__rfloordiv__(float(dividend))
    if not integral(divisor):
        return with_other(dividend, divisor, operator.floordiv)
    if not integral(dividend):
        return with_other(divisor, dividend, operator.floordiv, swapped=True)
    below = function_of(divisor)
    if below.constant is None and not never_negative(below.plus(-1)) and divisor == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    value = plain(dividend) // plain(divisor)
    try:
        if below.constant is not None:
            return size(value, function_of(dividend).floor_divide(below.constant))
        return size(value, divide_on_path(function_of(dividend), below))
    except NotQuasiAffine:
        if takes_divisor(below, plain(divisor)):
            return size(value, function_of(dividend).floor_divide(plain(divisor)))
        if not takes_quotient(function_of(dividend), below, value):
            lose("a division by a size", dividend, divisor)
        return value


def smaller(first: int, second: int) -> int:
    """The smaller of two integers, kept as a function."""
    return _chosen("min", first, second)


def larger(first: int, second: int) -> int:
    """The larger of two integers, kept as a function."""
    return _chosen("max", first, second)


def _chosen(name: str, first: int, second: int) -> int:
    choose: Callable[[Iterable[int]], int] = min if name == "min" else max
    value = choose((plain(first), plain(second)))
    if not (symbolic(first) or symbolic(second)):
        return value
    one, two = function_of(first), function_of(second)
    if never_negative(one - two) or proven(one - two):
        return size(value, two if name == "min" else one)
    if never_negative(two - one) or proven(two - one):
        return size(value, one if name == "min" else two)
    return size(value, extreme(name, one, two))


def _linear(
    first: Size, second: Any, values: Callable[[int, int], int], functions: Callable[[Function, Function], Function]
) -> Any:
    if isinstance(second, float):
        return values(_ratio(first), second)  # type: ignore[arg-type]
    if not integral(second):
        return with_other(first, second, values)
    return size(values(plain(first), plain(second)), functions(function_of(first), function_of(second)))


def _compared(
    first: Size, second: Any, compare: Callable[[Any, Any], bool], condition: Callable[[Function, Function], Condition]
) -> bool:
    if isinstance(second, float):
        return bool(compare(_ratio(first), second))
    if not integral(second):
        return with_other(first, second, compare)  # type: ignore[no-any-return]
    answer, listener = bool(compare(plain(first), plain(second))), tracker()
    if listener is not None:
        return listener.takes(condition(function_of(first), function_of(second)), answer)
    return answer


_quotients: list[Any] = []  # the class Ratio, which is built of sizes


def quotients(kind: Any) -> Any:
    """Takes in the class of the quotients of sizes; a decorator of that class, whose module imports this one."""
    _quotients.append(kind)
    return kind


def _ratio(number: Any) -> Any:
    return number if isinstance(number, _quotients[0]) else _quotients[0](number, 1)
