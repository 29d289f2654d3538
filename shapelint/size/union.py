"""The bits of several sizes in one number, as `(h | w) & 15` asks whether all of them are multiples of 16."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

from shapelint.size.bits import lost_bits, unions
from shapelint.size.function import Function, constant
from shapelint.size.number import Size, plain
from shapelint.size.tracking import symbolic, tracker


@unions
class UnionOfBits(Size):
    """`a | b` of sizes: whether it is 0, and its lowest bits, are known by its parts; else it is a plain int."""

    _parts: tuple[int, ...]

    def __new__(cls, first: int, second: int) -> Any:
        parts = (*_parts_of(first), *_parts_of(second))
        self = int.__new__(cls, reduce(operator.or_, map(plain, parts)))
        self._parts, self._tracker = parts, tracker()
        return self

    @property
    def _function(self) -> Function:  # type: ignore[override]
        lost_bits(operator.or_, *self._parts)
        return constant(plain(self))

    def __and__(self, mask: Any) -> Any:
        low = _is_plain(mask) and mask >= 0 and mask & (mask + 1) == 0
        return self._of_parts(operator.and_, mask) if low else super().__and__(mask)

    __rand__ = __and__

    def __mod__(self, divisor: Any) -> Any:
        power = _is_plain(divisor) and divisor > 0 and divisor & (divisor - 1) == 0
        return self._of_parts(operator.mod, divisor) if power else super().__mod__(divisor)

    def __bool__(self) -> bool:
        return any(part != 0 for part in self._parts)

    def __eq__(self, other: object) -> bool:
        return not self if _is_plain(other) and other == 0 else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return bool(self) if _is_plain(other) and other == 0 else super().__ne__(other)

    __hash__ = Size.__hash__

    def _of_parts(self, operation: Any, number: int) -> Any:
        return reduce(operator.or_, (operation(part, number) for part in self._parts))


def _is_plain(number: Any) -> bool:
    return isinstance(number, int) and not symbolic(number)


def _parts_of(number: int) -> tuple[int, ...]:
    return number._parts if isinstance(number, UnionOfBits) and symbolic(number) else (number,)
