"""What a function of sizes is made of: symbols, floor divisions, and minima and maxima.

An atom holds functions and a function holds atoms; here a function is anything with a value and a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar


class _Valued(Protocol):
    def value(self, values: Mapping[str, int]) -> int: ...

    def grouped(self) -> str: ...


Formula = TypeVar("Formula", bound=_Valued)


class Symbol:
    """An unknown integer with a name, such as the height `H` of the input."""

    __slots__ = ("__weakref__", "name", "order")

    order: int

    def __init__(self, name: str) -> None:
        self.name = name

    def key(self) -> tuple[object, ...]:
        """What makes two symbols the same: the name."""
        return ("symbol", self.name)

    def value(self, values: Mapping[str, int]) -> int:
        """The integer that `values` gives the symbol."""
        return values[self.name]

    def __str__(self) -> str:
        return self.name


class FloorDivision(Generic[Formula]):
    """floor(numerator / divisor) with a constant divisor of at least 2."""

    __slots__ = ("__weakref__", "divisor", "numerator", "order")

    order: int

    def __init__(self, numerator: Formula, divisor: int) -> None:
        self.numerator, self.divisor = numerator, divisor

    def key(self) -> tuple[object, ...]:
        """What makes two floor divisions the same: numerator and divisor."""
        return ("floor", self.numerator, self.divisor)

    def value(self, values: Mapping[str, int]) -> int:
        """The quotient, rounded down, where the symbols have `values`."""
        return self.numerator.value(values) // self.divisor

    def __str__(self) -> str:
        return f"{self.numerator.grouped()}//{self.divisor}"


class Extreme(Generic[Formula]):
    """The smaller (`min`) or larger (`max`) of two functions."""

    __slots__ = ("__weakref__", "first", "name", "order", "second")

    order: int

    def __init__(self, name: str, first: Formula, second: Formula) -> None:
        self.name, self.first, self.second = name, first, second

    def key(self) -> tuple[object, ...]:
        """What makes two extremes the same: the name and both functions."""
        return (self.name, self.first, self.second)

    def value(self, values: Mapping[str, int]) -> int:
        """The smaller or larger of both where the symbols have `values`."""
        choose = min if self.name == "min" else max
        return choose(self.first.value(values), self.second.value(values))

    def __str__(self) -> str:
        return f"{self.name}({self.first}, {self.second})"
