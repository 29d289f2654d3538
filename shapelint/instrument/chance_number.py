"""A float that chance decides, such as `random.random()`: what is asked of it is followed both ways, as of the data.

It has the value that was drawn. What takes that itself, to make a size of it, is told that it holds for this draw.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from shapelint.size.data_number import ARITHMETIC, Asked, DataNumber, by_zero, is_tensor


class ChanceNumber(DataNumber):
    """A float that was drawn, and `chance`: the words for what drew it."""

    def __new__(cls, run: Asked, value: float = 0.0, chance: str = "") -> ChanceNumber:
        if not isinstance(run, Asked):
            return float(run)  # type: ignore[unreachable]  # `type(p)(0.5)`, where `type(p)` is said to be float
        self = float.__new__(cls, value)
        self._run, self._chance = run, chance
        return self

    def refuse(self, use: str) -> None:  # type: ignore[override]
        """Tells the run that what follows holds for this draw; its end sees that a number was drawn."""
        random.random()
        self._run.leak(self._chance)

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.refuse("a copy")
        return float, (float.__float__(self),)

    def __complex__(self) -> complex:  # type: ignore[override]
        self.refuse("a complex number")
        return complex(float.__float__(self))


def plain_draws(tree: Any, use: str) -> Any:
    """A tree with the drawn values in the place of numbers that chance decided, whose runs are told of the use."""
    if isinstance(tree, ChanceNumber):
        tree.refuse(use)
        return float.__float__(tree)
    if type(tree) is dict:
        return {name: plain_draws(each, use) for name, each in tree.items()}
    return type(tree)(plain_draws(each, use) for each in tree) if type(tree) in (tuple, list) else tree


def _method(name: str, value_of: Callable[..., Any]) -> Callable[..., Any]:
    """A method of floats: left to a tensor, as of the data with a number of theirs, else what `value_of` gives."""

    def method(self: ChanceNumber, *others: Any) -> Any:
        if any(map(is_tensor, others)):
            return NotImplemented
        if any(isinstance(each, DataNumber) and not isinstance(each, ChanceNumber) for each in others):
            return getattr(DataNumber, name)(self, *others)
        return value_of(name, self, *others)

    return method


def _taken(name: str, number: ChanceNumber, *others: Any) -> Any:
    """Where the value must be known."""
    by_zero(name, others)
    number.refuse(name)
    return getattr(float, name)(number, *others)


def _no_integer(self: ChanceNumber) -> Any:
    raise TypeError("'float' object cannot be interpreted as an integer")


def _computed(name: str, number: ChanceNumber, *others: Any) -> Any:
    """Arithmetic: with numbers what comes out is of chance too."""
    if by_zero(name, others):
        return 0.0
    value = getattr(float, name)(number, *others)
    if value is NotImplemented:  # a complex number, which takes the value
        number.refuse(name)
        return value
    return ChanceNumber(number._run, value, number._chance)


_TAKEN: Final = ("__int__", "__trunc__", "__floor__", "__ceil__", "__round__", "__hash__", "is_integer",
                 "as_integer_ratio", "hex", "__float__", "__floordiv__", "__rfloordiv__", "__mod__", "__rmod__",
                 "__divmod__", "__rdivmod__", "__pow__", "__rpow__")  # fmt: skip
"""The last ones give whole numbers, such as a divisor that is 0 by chance, numbers that overflow, and complex ones."""

for _name in ARITHMETIC:
    setattr(ChanceNumber, _name, _method(_name, _computed))
for _name in _TAKEN:
    setattr(ChanceNumber, _name, _method(_name, _taken))
setattr(ChanceNumber, "__index__", _no_integer)  # noqa: B010  (a float has none, the number of the data has)
