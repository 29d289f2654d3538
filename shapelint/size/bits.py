"""The int under a Size: its bits, shifts and powers; what is a remainder, a quotient or a product stays a function."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from numbers import Number
from typing import Any

from shapelint.size.tracking import is_of_numpy, lose, symbolic

_HIGHEST_POWER = 4


class BitInteger(int):
    """An int whose bit operations are put down to its own `%`, `//`, `*` and `-` where that is exact."""

    def __and__(self, other: Any) -> Any:
        return _masked(self, other)

    def __rand__(self, other: Any) -> Any:
        return _masked(self, other)

    def __or__(self, other: Any) -> Any:
        return _union(self, other)

    def __ror__(self, other: Any) -> Any:
        return _union(other, self)

    def __xor__(self, other: Any) -> Any:
        return lost_bits(operator.xor, self, other)

    def __rxor__(self, other: Any) -> Any:
        return lost_bits(operator.xor, other, self)

    def __lshift__(self, other: Any) -> Any:
        return self * (1 << other) if _constant(other) else lost_bits(operator.lshift, self, other)

    def __rlshift__(self, other: Any) -> Any:
        return lost_bits(operator.lshift, other, self)

    def __rshift__(self, other: Any) -> Any:
        return self // (1 << other) if _constant(other) else lost_bits(operator.rshift, self, other)

    def __rrshift__(self, other: Any) -> Any:
        return lost_bits(operator.rshift, other, self)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if modulo is None and _constant(other) and 0 <= other <= _HIGHEST_POWER:
            return self * self ** (other - 1) if other else 1
        lose("a power of a size", self, other, modulo)
        return pow(_plain(self), _plain(other), _plain(modulo))

    def __rpow__(self, other: Any, modulo: Any = None) -> Any:
        lose("a size as an exponent", self)
        return pow(other, _plain(self), modulo)

    def __index__(self) -> int:
        """The size itself where somebody calls this; Python takes an int as it is."""
        return self

    def bit_length(self) -> int:
        """As of the plain int: the run goes on where the size has as many bits."""
        count = int.bit_length(self)
        if -(1 << count) < self < 1 << count and (not count or not -(1 << count - 1) < self < 1 << count - 1):
            return count
        lose("bit_length of a size", self)
        return count

    def bit_count(self) -> int:
        """As of the plain int; a leak."""
        lose("bit_count of a size", self)
        return int.bit_count(self)

    def to_bytes(self, *args: Any, **kwargs: Any) -> bytes:
        """As of the plain int; a leak."""
        lose("the bytes of a size", self)
        return int.to_bytes(self, *args, **kwargs)

    def as_integer_ratio(self) -> Any:
        """The size and 1."""
        return self, 1

    def conjugate(self) -> Any:
        """The size itself."""
        return self

    @property
    def real(self) -> Any:
        """The size itself."""
        return self

    @property
    def numerator(self) -> Any:
        """The size itself."""
        return self


def integral(number: object) -> bool:
    """Whether a number is an integer: Python's, or numpy's, which has a shape, and an index that a float lacks."""
    if isinstance(number, int):
        return True
    shape = getattr(number, "shape", None)
    return hasattr(number, "__index__") and (shape is None or (shape == () and is_of_numpy(number)))


def with_other(first: int, second: Any, operation: Callable[[Any, Any], Any], *, swapped: bool = False) -> Any:
    """An operation with what is neither int nor float: numpy's arrays and the standard library's other numbers.

    Where it is `swapped` the size stands on the right.
    """
    if isinstance(second, (str, bytes, bytearray, list, tuple)):
        lose(f"a {type(second).__name__} repeated", first)
    elif is_of_numpy(second) or isinstance(second, Number):
        lose(f"a size and a {type(second).__name__}", first)
        return operation(second, _plain(first)) if swapped else operation(_plain(first), second)
    return NotImplemented


def _constant(number: object) -> bool:
    return isinstance(number, int) and not symbolic(number)


def _plain(number: Any) -> Any:
    return int.__int__(number) if isinstance(number, int) else number


def _masked(size: BitInteger, mask: Any) -> Any:
    """n & (2**k - 1) is n mod 2**k, and n & -2**k is n less that remainder."""
    if _constant(mask):
        if mask >= 0 and mask & (mask + 1) == 0:
            return size % (mask + 1)
        if mask < 0 and -mask & (-mask - 1) == 0:
            return size - size % -mask
    return lost_bits(operator.and_, size, mask)


_unions: list[Any] = []  # the class of the bits of several sizes, which is built of sizes


def unions(kind: Any) -> Any:
    """Takes in that class; a decorator of it, since its module imports this one."""
    _unions.append(kind)
    return kind


def _union(first: Any, second: Any) -> Any:
    whole = isinstance(first, int) and isinstance(second, int) and (symbolic(first) or symbolic(second))
    return _unions[0](first, second) if whole else lost_bits(operator.or_, first, second)


def lost_bits(operation: Callable[..., Any], *numbers: Any) -> Any:
    """An operation on the bits of sizes whose functions are lost by it."""
    lose(f"a bit operation on a size ({operation.__name__.strip('_')})", *numbers)
    return reduce(operation, map(_plain, numbers))
