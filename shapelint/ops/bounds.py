"""Between which two numbers those in an integer tensor lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch

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
