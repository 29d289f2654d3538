"""Between which two numbers those in an integer tensor lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch

from shapelint.size.bound import never_negative
from shapelint.size.number import function_of, larger, smaller


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest number of an integer tensor, as Sizes; `attained` where both stand in it."""

    low: int
    high: int
    attained: bool = True

    @property
    def is_one_number(self) -> bool:
        """Whether all numbers are the same one."""
        return function_of(self.low) == function_of(self.high)


def extremes(numbers: torch.Tensor) -> Bounds | None:
    """Of numbers that are known."""
    return Bounds(int(numbers.min()), int(numbers.max())) if numbers.numel() else None


def between(values: tuple[Any, ...]) -> Bounds | None:
    """Of sizes; None for none, or for numbers that are no integers."""
    if not values or not all(isinstance(each, int) for each in values):
        return None
    return Bounds(reduce(smaller, values), reduce(larger, values))


def divided(found: Bounds, by: int) -> Bounds | None:
    """Of numbers that are not negative, divided by a positive size and rounded down; None where they grow faster.

    Those of `arange(h) * 8` by h are less than 8, since 8 * (h - 1) is 8 * h and something negative.
    """
    high, divisor = function_of(found.high), function_of(by)
    monomial, scale = next(term for term in divisor.terms if term[0])
    times = dict(high.terms).get(monomial, 0) // scale
    rest = (high - divisor.times(times)).constant
    if rest is None or times < 0 or not never_negative(function_of(found.low)):
        return None
    return Bounds(0, max(times - 1 if rest < 0 else times + rest, 0), attained=False)
