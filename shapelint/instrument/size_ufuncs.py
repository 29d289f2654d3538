"""numpy's elementwise functions on arrays of objects, among them sizes: what Python's own operators give."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, Final

import numpy as np

from shapelint.instrument.operand import left_operand
from shapelint.size.number import larger, smaller
from shapelint.size.size_float import is_size_float, size_of
from shapelint.size.tracking import symbolic

_HIGHEST_POWER: Final = 4


def is_live(number: Any) -> bool:
    """Whether a number is a size, or made of one, of the current run."""
    return symbolic(size_of(number)) or is_size_float(number)


def elementwise(compute: Callable[..., Any], *operands: Any) -> Any:
    """A function on each element of arrays of objects, as an array of objects."""
    made = np.frompyfunc(compute, len(operands), 1)(*operands)
    return made if isinstance(made, np.ndarray) else np.array(made, object)


def _of_two(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda one, two: elementwise(lambda left, right: compute(left_operand(left), right), one, two)


def _divided(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """numpy gives a number for a division by 0, so that a divisor must be a constant."""

    def divided(one: Any, two: Any) -> Any:
        fixed = not any(is_live(number) or number == 0 for number in np.asarray(two, object).flatten().tolist())
        return _of_two(compute)(one, two) if fixed else None

    return divided


def _power(one: Any, two: Any) -> Any:
    fixed = type(two) is int and 0 < two <= _HIGHEST_POWER
    return elementwise(lambda base: reduce(times, [base] * two), one) if fixed else None


def _chosen(choose: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    def chosen(one: Any, two: Any) -> Any:
        every = [number for side in (one, two) for number in np.asarray(side, object).flatten().tolist()]
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in every)
        return elementwise(choose, one, two) if whole else None

    return chosen


def times(one: Any, two: Any) -> Any:
    """The product of two numbers, of which a float on the left asks a size on the right."""
    return left_operand(one) * two


def plus(one: Any, two: Any) -> Any:
    """The sum of two numbers, likewise."""
    return left_operand(one) + two


_COMPARED: Final = {
    "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt, "less_equal": operator.le,
    "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip
EXACT: Final[dict[str, Callable[..., Any]]] = {
    **{name: _of_two(compute) for name, compute in _COMPARED.items()},
    "add": _of_two(operator.add), "subtract": _of_two(operator.sub), "multiply": _of_two(operator.mul),
    **dict.fromkeys(("divide", "true_divide"), _divided(operator.truediv)),
    "floor_divide": _divided(operator.floordiv), "remainder": _divided(operator.mod), "power": _power,
    "negative": lambda one: elementwise(operator.neg, one), "ceil": lambda one: elementwise(math.ceil, one),
    "floor": lambda one: elementwise(math.floor, one), "trunc": lambda one: elementwise(math.trunc, one),
    "rint": lambda one: elementwise(round, one), "maximum": _chosen(larger), "minimum": _chosen(smaller),
}  # fmt: skip
