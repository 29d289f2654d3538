"""A float that rises slowly with a size, such as its logarithm, rounded: each of its few values stands over a stretch
of sizes, which is a way of its own.

The stretch is found with the doubles themselves: `math.log2` and its kin never fall, nor does what is made of them by
numbers, so `int(3 * math.log(n))` changes at single sizes, which a bisection finds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from shapelint.size.followed_float import FollowedFloat
from shapelint.size.multiples import rounded_multiple
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic

_Rising = tuple[Any, Callable[[int], float]]
_LOGARITHMS: Final[dict[str, Callable[[float], float]]] = {
    "log": math.log, "log2": math.log2, "log10": math.log10,
}  # fmt: skip
_BY_NUMBERS: Final[dict[str, Callable[[float, float], float]]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
}  # fmt: skip
_FARTHEST: Final = 2**48
_MOST_STEPS: Final = 128


def rounded(name: str, numbers: tuple[Any, ...], rounding: str) -> Any:
    """A float of sizes rounded as `__floor__` and its kin do: a multiple of a size, a logarithm; None for another."""
    found = rounded_multiple(name, numbers, rounding)
    return _rounded_in_steps(_made(name, numbers), rounding) if found is None else found


def _made(name: str, numbers: tuple[Any, ...]) -> _Rising | None:
    """The one size in a float, and how the float is computed from it; None where it may fall, or is no logarithm."""
    swapped = name in ("add", "mul") and type(numbers[0]) in (int, float)
    value, others = (numbers[1], numbers[:1]) if swapped else (numbers[0], numbers[1:])
    if name in _LOGARITHMS:
        return _then(_size_in(value) or _inside(value), _LOGARITHMS[name])
    known = name in _BY_NUMBERS and len(others) == 1 and type(others[0]) in (int, float)
    if not known or (name in ("mul", "truediv") and not 0 < others[0] < math.inf):
        return None
    return _then(_inside(value), lambda given: _BY_NUMBERS[name](given, others[0]))


def _inside(value: Any) -> _Rising | None:
    term = getattr(value, "_term", None) if isinstance(value, FollowedFloat) else None
    return None if term is None else _made(term.name, value._numbers)


def _size_in(value: Any) -> _Rising | None:
    """A size, or the quotient of one by a number."""
    if isinstance(value, int):
        return (value, float) if symbolic(value) else None
    size, divisor = getattr(value, "_numerator", None), getattr(value, "_denominator", 0)
    return (size, lambda number: number / divisor) if symbolic(size) and divisor > 0 else None


def _then(found: _Rising | None, operation: Callable[[float], float]) -> _Rising | None:
    if found is None:
        return None
    size, before = found
    return size, lambda number: operation(before(number))


def _rounded_in_steps(found: _Rising | None, rounding: str) -> int | None:
    """The number; the run goes on where the size lies in the stretch over which the float is rounded to it."""
    here = 0 if found is None else plain(found[0])
    if found is None or not 0 < here < _FARTHEST:
        return None
    size, compute = found

    def of(number: int) -> int:
        return int(getattr(float, rounding)(compute(number)))

    try:
        value, few = of(here), of(2**31) - of(1) <= _MOST_STEPS
    except (ValueError, OverflowError):  # such as the logarithm of the logarithm of 1
        return None
    if not few:
        return None
    low = _first(lambda number: of(number) >= value, 1, here)
    high = _first(lambda number: of(number) > value, here, _FARTHEST) - 1
    return value if low <= size <= high else None  # which the run then remembers


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first number from `low` on at which what holds from some number on does; it does at `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
