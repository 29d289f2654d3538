"""Floats computed from sizes that are no exact quotients, such as `h / w`, `h * 0.7` or `math.sqrt(h)`.

Only comparisons, and arithmetic that ends in one, keep such a float followed. Whatever else reads it takes the number
of this run, which is a leak.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from numbers import Number
from typing import Any, Final

from shapelint.size.bound import magnitude, never_negative
from shapelint.size.condition import FloatCompare
from shapelint.size.data_number import DataNumber
from shapelint.size.float_term import OPERATORS, FloatTerm, Operand, float_term
from shapelint.size.followed_float import FollowedFloat, bare
from shapelint.size.function import Function
from shapelint.size.number import function_of, plain
from shapelint.size.octaves import rounded
from shapelint.size.roots import whole_root
from shapelint.size.tracking import Tracker, is_array, is_of_numpy, lose, symbolic, tell, tracker

_HEAVIEST: Final = 64
_FEW: Final = 3
_HALF: Final = 0.5
_MODERATE: Final = 1e20
_HIGHEST_POWER: Final = 8
_EXACT: Final = 2**53
_SWAPPED: Final = {"lt": "gt", "le": "ge"}
WHY: Final = "a float made of a size"


class SizeFloat(FollowedFloat):
    """A float that carries how it was computed from the sizes of one run; in another run it is a plain float.

    `numbers` are what its last operator was called with.
    """

    latest: Tracker | None = None  # the run in which the last one was made
    _heard_by: Tracker | None
    _term: FloatTerm
    _why: str
    _numbers: tuple[Any, ...]

    def __new__(cls, value: Any, term: FloatTerm | None = None, why: str = WHY, numbers: Any = ()) -> Any:
        if term is None:  # `type(number)(value)`
            return float(value)
        self = float.__new__(cls, value)
        self._heard_by = SizeFloat.latest = tracker()
        self._term, self._why, self._numbers = term, why, numbers
        return self

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (self._lost(),)

    def float_operand(self) -> FloatTerm | None:
        """How it was computed; None in another run than its own."""
        return self._term if self.followed() else None

    def followed(self) -> bool:
        """Whether it belongs to the current run."""
        return self._heard_by is not None and self._heard_by is tracker()

    def is_whole(self) -> bool:
        """Whether it is one whole number on the path, which says so from here on."""
        whole = _whole_quotients(self) if self.followed() else None
        return whole is not None and all(dividend == divisor * times for dividend, divisor, times in whole)

    def _lost(self) -> float:
        """The plain number; that it is one of this run only is told, unless it is whole and the path says so."""
        if not self.is_whole():
            lose(self._why, self)
        return float.__float__(self)

    def __int__(self) -> int:
        return int(self._lost())

    def __float__(self) -> float:
        return self._lost()

    def __round__(self, digits: Any = None) -> Any:
        return round(self._lost(), digits) if digits is not None else _whole(self, "__round__")

    def __repr__(self) -> str:
        tell(self)
        return float.__repr__(self)

    def __format__(self, specification: str) -> str:
        tell(self)
        return format(float.__float__(self), specification)

    def __neg__(self) -> Any:
        return computed("neg", self)

    def __abs__(self) -> Any:
        return computed("abs", self)

    def __bool__(self) -> bool:
        return bool(self != 0.0)

    def __eq__(self, other: object) -> bool:
        return compared_floats("eq", self, other)

    def __ne__(self, other: object) -> bool:
        return compared_floats("ne", self, other)

    def __ge__(self, other: Any) -> bool:
        return compared_floats("ge", self, other)

    def __gt__(self, other: Any) -> bool:
        return compared_floats("gt", self, other)

    def __le__(self, other: Any) -> bool:
        return compared_floats("le", self, other)

    def __lt__(self, other: Any) -> bool:
        return compared_floats("lt", self, other)

    def __hash__(self) -> int:
        return hash(self._lost())


def is_size_float(number: object) -> bool:
    """Whether a number is a SizeFloat of the current run."""
    return isinstance(number, SizeFloat) and number.followed()


def computed(name: str, *numbers: Any, why: str = WHY) -> Any:
    """The result of an operator on numbers in Python's order; what cannot be followed is a leak.

    Raises ZeroDivisionError and ValueError as the operator does; where a size decides that, the run is asked first.
    """
    if any(_is_foreign(each) for each in numbers):
        return NotImplemented
    operation = OPERATORS.get(name) or getattr(operator, name, None) or divmod
    if any(map(is_array, numbers)):
        lose(why, *map(size_of, numbers))
        return operation(*map(bare, numbers))
    if name in ("truediv", "floordiv", "mod", "divmod") and _is_zero(numbers[1]):
        raise ZeroDivisionError("division by zero" if isinstance(numbers[1], int) else "float division by zero")
    numbers = tuple(map(_as_whole, numbers)) if name == "truediv" else numbers
    operands = [_operand(each) for each in numbers]
    fine = None not in operands and name in OPERATORS and _defined(name, *numbers)
    try:
        value = operation(*map(bare, numbers))
    except ValueError as error:  # of math; where it is raised the run has asked
        raise ValueError(str(error)) from None
    if not any(isinstance(each, Function | FloatTerm) for each in operands):
        if None in operands:
            lose(why, *map(size_of, numbers))  # nothing is lost where none is of this run
        return value
    term = float_term(name, *(each for each in operands if each is not None))
    if not fine or term.weight > _HEAVIEST or not isinstance(value, float):
        lose(why, *map(size_of, numbers))
        return value
    return SizeFloat(value, term, why, numbers)


def _is_zero(number: Any) -> bool:
    """Whether a divisor is 0, asked of the sizes in it where it is made of factors: so few are not rounded to 0."""
    if not is_size_float(number) or number._term.weight > _FEW:
        return bool(number == 0)
    name, numbers = number._term.name, number._numbers
    if any(type(each) is float and not 1 / _MODERATE < abs(each) < _MODERATE for each in numbers):
        return bool(number == 0)
    if name in ("neg", "abs", "sqrt", "truediv") or (name == "pow" and isinstance(numbers[0], int)):
        return _is_zero(numbers[0])
    return any(map(_is_zero, numbers)) if name == "mul" else bool(number == 0)


def _whole_quotients(number: Any) -> list[tuple[Any, Any, int]] | None:
    """Dividend, divisor and result of the quotients of integers in a float, where these are whole in this run.

    None where another size in it, or a quotient that is not whole, lets it differ at other sizes of the path.
    """
    if not is_size_float(number):
        return None if symbolic(size_of(number)) else []
    parts = _quotient_parts(number)
    if parts is not None:
        times = int(float.__float__(number))
        return [(*parts, times)] if plain(parts[0]) == plain(parts[1]) * times else None
    found = [_whole_quotients(each) for each in number._numbers]
    return None if None in found else [each for part in found for each in part or ()]


def _whole(number: SizeFloat, rounding: str) -> Any:
    """The number rounded: a root that is whole, and a multiple of a size, keep their functions."""
    if number.followed() and (found := rounded(number._term.name, number._numbers, rounding)) is not None:
        return found
    root_of = number._term.name == "sqrt" or (number._term.name == "pow" and number._numbers[1] == _HALF)
    root = whole_root(size_of(number._numbers[0])) if root_of and number.followed() else None
    return getattr(float, rounding)(number._lost()) if root is None else root


def _quotient_parts(number: Any) -> tuple[Any, Any] | None:
    """Dividend and divisor of a float that is the quotient of two integers."""
    divided = isinstance(number, SizeFloat) and number._term.name == "truediv"
    whole = divided and all(isinstance(each, int) for each in number._numbers)
    return number._numbers if whole else None


def _as_whole(number: Any) -> Any:
    """The integer in the place of a double that is one."""
    if isinstance(number, FollowedFloat):
        whole = getattr(number, "_denominator", 0) == 1 and symbolic(size_of(number))
        return size_of(number) if whole and magnitude(function_of(size_of(number))) < _EXACT else number
    return int(number) if type(number) is float and number.is_integer() and abs(number) < _EXACT else number


def _defined(name: str, *numbers: Any) -> bool:
    """Whether a function of doubles is defined as it is here wherever the run's conditions hold."""
    if name == "pow":
        base, exponent = numbers
        fixed = type(exponent) in (int, float) and 0 < exponent <= _HIGHEST_POWER
        return fixed and bool(base >= 0)
    if name in ("log", "log2", "log10"):
        return bool(numbers[0] > 0)
    return name != "sqrt" or bool(numbers[0] >= 0)


def compared_floats(name: str, first: Any, second: Any) -> bool:
    """A comparison of two numbers, of which one is a float made of sizes; the run takes it as an open one."""
    if _is_foreign(second):
        return NotImplemented  # type: ignore[no-any-return]
    if is_array(second):
        return computed(name, first, second)  # type: ignore[no-any-return]
    if name == "ne":
        return not compared_floats("eq", first, second)
    compare: Callable[[Any, Any], bool] = getattr(operator, name)
    answer, listener = bool(compare(bare(first), bare(second))), tracker()
    one, two = _operand(first), _operand(second)
    if one is None or two is None:
        lose(WHY, size_of(first), size_of(second))
        return answer
    if listener is None or not any(isinstance(each, Function | FloatTerm) for each in (one, two)):
        return answer
    exact = _cross_multiplied(compare, first, second)
    if exact is not None:
        return exact
    if name in _SWAPPED:
        name, one, two = _SWAPPED[name], two, one
    return listener.takes(FloatCompare(float_term(name, one, two)), answer)


def _cross_multiplied(compare: Callable[[Any, Any], bool], quotient: Any, other: Any) -> bool | None:
    """A comparison of the quotient of two sizes and a number, without the quotient; None where that may differ.

    The double nearest to p/q lies on the same side of n/d as p/q itself, or is n/d where p/q is, while q*n < 2**53:
    two different quotients are at least 1/(q*d) apart, and a double is rounded by at most 2**-53 of n/d.
    """
    parts = _quotient_parts(quotient)
    if parts is None or type(other) not in (int, float) or not abs(other) < _EXACT:
        return None
    fraction = Fraction(other)
    divisor = function_of(parts[1])
    if not never_negative(divisor) or magnitude(divisor) * max(abs(fraction.numerator), 1) >= _EXACT:
        return None
    return bool(compare(parts[0] * fraction.denominator, parts[1] * fraction.numerator))


def _is_foreign(number: Any) -> bool:
    """Whether an operation is left to the other operand: tensors, and what the data decide."""
    return isinstance(number, DataNumber) or (not isinstance(number, Number) and not is_of_numpy(number))


def _operand(number: Any) -> Operand | None:
    """A number in a term; None where Python's own arithmetic is not known of it."""
    if isinstance(number, int):
        function = function_of(number)
        return plain(number) if function.constant is not None else function
    if is_of_numpy(number) or not isinstance(number, float):
        return None
    read = getattr(type(number), "float_operand", None)
    found: Operand | None = None if read is None else read(number)
    of_this_run = found is not None or symbolic(size_of(number)) or is_size_float(number)
    return found if read is not None and of_this_run else float.__float__(number)


def size_of(number: Any) -> Any:
    """The size in an exact quotient; the number itself else."""
    return getattr(number, "_numerator", number) if isinstance(number, float) else number


def _method(name: str, *, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any, modulo: None = None) -> Any:
        return computed(name, other, self) if swapped else computed(name, self, other)

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "divmod"):
    setattr(SizeFloat, f"__{_name}__", _method(_name))
    setattr(SizeFloat, f"__r{_name}__", _method(_name, swapped=True))
for _name in ("trunc", "floor", "ceil"):
    setattr(SizeFloat, f"__{_name}__", lambda self, _name=f"__{_name}__": _whole(self, _name))
for _name in ("as_integer_ratio", "hex", "is_integer"):
    setattr(SizeFloat, _name, lambda self, _name=_name: getattr(float, _name)(self._lost()))
