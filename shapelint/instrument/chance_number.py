"""A float that chance decides, such as `random.random()`: what is asked of it is followed both ways, as of the data.

It has the value that was drawn. What takes that itself, to make a size of it, is told that it holds for this draw.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from shapelint.size.data_number import ARITHMETIC, Asked, DataNumber, is_tensor


class ChanceNumber(DataNumber):
    """A float that was drawn, and `chance`: the words for what drew it."""

    def __new__(cls, run: Asked, value: float, chance: str) -> ChanceNumber:
        self = float.__new__(cls, value)
        self._run, self._chance = run, chance
        return self

    def refuse(self, use: str) -> None:  # type: ignore[override]
        """Tells the run that what follows holds for this draw; its end sees that a number was drawn."""
        random.random()
        self._run.leak(self._chance)

    def __repr__(self) -> str:
        self._run.text()
        return float.__repr__(self)

    def __format__(self, specification: str) -> str:
        self._run.text()
        return float.__format__(self, specification)


def _taken(name: str) -> Callable[..., Any]:
    """A method of floats for which the value must be known."""

    def method(self: ChanceNumber, *args: Any) -> Any:
        self.refuse(name)
        return getattr(float, name)(self, *args)

    return method


def _no_integer(self: ChanceNumber) -> Any:
    raise TypeError("'float' object cannot be interpreted as an integer")


def _computed(name: str) -> Callable[..., Any]:
    """Arithmetic: with numbers what comes out is of chance too."""

    def method(self: ChanceNumber, *others: Any) -> Any:
        if any(map(is_tensor, others)):
            return NotImplemented
        if any(isinstance(each, DataNumber) and not isinstance(each, ChanceNumber) for each in others):
            return DataNumber(self._run)
        value = getattr(float, name)(self, *others)
        return ChanceNumber(self._run, value, self._chance) if isinstance(value, float) else value

    return method


_TAKEN: Final = ("__int__", "__trunc__", "__floor__", "__ceil__", "__round__", "__hash__", "is_integer",
                 "as_integer_ratio", "hex")  # fmt: skip

for _name in _TAKEN:
    setattr(ChanceNumber, _name, _taken(_name))
for _name in ARITHMETIC:
    setattr(ChanceNumber, _name, _computed(_name))
setattr(ChanceNumber, "__index__", _no_integer)  # noqa: B010  (a float has none, the number of the data has)
