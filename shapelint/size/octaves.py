"""A logarithm of a size, rounded: each of its few values stands over a stretch of sizes, which is a way of its own.

The stretch is found with the doubles themselves: `math.log2` and its kin never fall, so `int(math.log2(n))` changes at
single sizes, which a bisection finds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from shapelint.size.multiples import rounded_multiple
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic

_LOGARITHMS: Final[dict[str, Callable[[float], float]]] = {
    "log": math.log, "log2": math.log2, "log10": math.log10,
}  # fmt: skip
_FARTHEST: Final = 2**48


def rounded(name: str, numbers: tuple[Any, ...], rounding: str) -> Any:
    """A float of sizes rounded as `__floor__` and its kin do: a multiple of a size, a logarithm; None for another."""
    if name in _LOGARITHMS:
        return _rounded_logarithm(_LOGARITHMS[name], numbers[0], rounding)
    return rounded_multiple(name, numbers, rounding)


def _rounded_logarithm(logarithm: Callable[[float], float], size: Any, rounding: str) -> int | None:
    """The number; the run goes on where the size lies in the stretch over which the logarithm is rounded to it."""
    here = plain(size) if isinstance(size, int) and symbolic(size) else 0
    if not 0 < here < _FARTHEST:
        return None

    def of(number: int) -> int:
        return int(getattr(float, rounding)(logarithm(number)))

    value = of(here)
    low = _first(lambda number: of(number) >= value, 1, here)
    high = _first(lambda number: of(number) > value, here, _FARTHEST) - 1
    return value if low <= size <= high else None  # which the run then remembers


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first number from `low` on at which what holds from some number on does; it does at `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
