"""What stands for a numpy array of sizes, `np.array(x.shape[-2:])`: its numbers stay functions of the symbols.

A real array has no room for them, and C code reads it without a word. So this is none: whatever is not known here
makes the real array of the plain numbers, which is told.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, Final

from shapelint.instrument.operand import left_operand
from shapelint.size.number import larger, plain, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import lose, symbolic
from shapelint.source.fault import call_foreign

_Operation = Callable[[Any, Any], Any]


class SizeArray:
    """Sizes in one row; `home` is numpy. Arithmetic gives another one, a comparison an array of truth values."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, numbers: Sequence[Any], home: Any) -> None:
        self._numbers, self._home = list(numbers), home

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._home.ndarray

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        lose("an array of sizes", *(each._numerator if isinstance(each, Ratio) else each for each in self._numbers))
        return self._home.array(self._plain(), *args[:1])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # how C code would reach into the memory of an array that is gone
            raise AttributeError(name)
        return call_foreign(getattr, self.__array__(), name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        fixed = type(index) is int or (isinstance(index, slice) and not any(map(symbolic, _ends(index))))
        if not fixed:
            return call_foreign(operator.getitem, self.__array__(), index)
        found = self._numbers[index]
        return SizeArray(found, self._home) if isinstance(index, slice) else found

    def __setitem__(self, index: Any, value: Any) -> None:
        if type(index) is int and -len(self) <= index < len(self) and _is_whole(value):
            self._numbers[index] = value
            return
        array = self.__array__()
        call_foreign(operator.setitem, array, index, value)
        self._numbers = array.tolist()

    def __copy__(self) -> SizeArray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> SizeArray:
        return self.copy()

    def __bool__(self) -> bool:
        return bool(self._numbers[0]) if len(self) == 1 else call_foreign(bool, self.__array__())

    @property
    def shape(self) -> tuple[int, ...]:
        """How many numbers there are, as a tuple."""
        return (len(self),)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self)

    @property
    def ndim(self) -> int:
        """One axis."""
        return 1

    @property
    def dtype(self) -> Any:
        """That of the real array."""
        return self._home.array(self._plain()).dtype

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """Whether no number is 0."""
        return self._folded("all", args, kwargs, lambda: all(map(bool, self._numbers)))

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """Whether some number is not 0."""
        return self._folded("any", args, kwargs, lambda: any(map(bool, self._numbers)))

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """The sum of the numbers."""
        return self._folded("sum", args, kwargs, lambda: reduce(operator.add, self._numbers, 0))

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        """Their product."""
        return self._folded("prod", args, kwargs, lambda: reduce(operator.mul, self._numbers, 1))

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """The largest number."""
        return self._folded("max", args, kwargs, lambda: reduce(larger, self._numbers), whole=True)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """The smallest number."""
        return self._folded("min", args, kwargs, lambda: reduce(smaller, self._numbers), whole=True)

    def tolist(self) -> list[Any]:
        """The numbers."""
        return list(self._numbers)

    def copy(self) -> SizeArray:
        """Another array of the same numbers."""
        return SizeArray(self._numbers, self._home)

    def astype(self, kind: Any, *args: Any, **kwargs: Any) -> Any:
        """Whole numbers as integers of 64 bits, quotients cut off; other kinds are the real array's."""
        if args or kwargs or (kind is not int and getattr(kind, "__name__", str(kind)) != "int64"):
            return call_foreign(self.__array__().astype, kind, *args, **kwargs)
        return SizeArray([each.__trunc__() if isinstance(each, float) else each for each in self._numbers], self._home)

    def each(self, function: Callable[[Any], Any]) -> SizeArray:
        """A function of each number."""
        return SizeArray(list(map(function, self._numbers)), self._home)

    def with_other(self, operation: _Operation, other: Any, *, swapped: bool = False) -> Any:
        """An operation with a number, or with as many of them; NotImplemented for anything else."""
        numbers = _as_many(other, len(self))
        if numbers is None:
            return NotImplemented
        pairs = zip(*((numbers, self._numbers) if swapped else (self._numbers, numbers)), strict=True)
        return [call_foreign(operation, left_operand(one), two) for one, two in pairs]

    def _folded(self, name: str, args: Any, kwargs: Any, fold: Callable[[], Any], *, whole: bool = False) -> Any:
        known = not args and not kwargs and (self._numbers or not whole)
        if not known or (whole and any(isinstance(each, float) for each in self._numbers)):
            return call_foreign(getattr(self.__array__(), name), *args, **kwargs)
        return fold()

    def _plain(self) -> list[Any]:
        return [float(each) if isinstance(each, float) else plain(each) for each in self._numbers]


def _ends(index: slice) -> tuple[Any, Any, Any]:
    return index.start, index.stop, index.step


def _as_many(other: Any, count: int) -> list[Any] | None:
    """The numbers on the other side, one for each; None where they are no plain numbers or not as many."""
    if type(other) is float or isinstance(other, Ratio) or _is_whole(other):
        return [other] * count
    if type(other) is SizeArray or isinstance(other, tuple | list):
        numbers = list(other)
        if len(numbers) == count and all(isinstance(each, Ratio) or _is_whole(each) for each in numbers):
            return numbers
    return None


def _is_whole(value: Any) -> bool:
    return type(value) is int or (isinstance(value, int) and symbolic(value))


_ARITHMETIC: Final[dict[str, _Operation]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "mod": operator.mod, "floordiv": operator.floordiv,
    "truediv": operator.truediv,
}  # fmt: skip
_COMPARISONS: Final[dict[str, _Operation]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip


def _method(operation: _Operation, *, swapped: bool = False, compares: bool = False) -> Callable[[SizeArray, Any], Any]:
    """An operation of numbers as one of arrays; a divisor that may be 0 is numpy's, which does not raise."""
    divides = operation in (operator.mod, operator.floordiv, operator.truediv)

    def method(self: SizeArray, other: Any) -> Any:
        known = not divides or (not swapped and type(other) in (int, float) and other > 0)
        found = self.with_other(operation, other, swapped=swapped) if known else NotImplemented
        if found is NotImplemented:
            sides = (other, self.__array__()) if swapped else (self.__array__(), other)
            return call_foreign(operation, *sides)
        return self._home.array(found) if compares else SizeArray(found, self._home)

    return method


def _in_place(operation: _Operation) -> Callable[[SizeArray, Any], Any]:
    compute, in_place = _method(operation), getattr(operator, f"i{operation.__name__}")

    def method(self: SizeArray, other: Any) -> Any:
        whole = operation is not operator.truediv and (_is_whole(other) or type(other) is SizeArray)
        found = compute(self, other) if whole else None
        if type(found) is not SizeArray:
            return call_foreign(in_place, self.__array__(), other)
        self._numbers = found._numbers
        return self

    return method


for _name, _operation in _ARITHMETIC.items():
    setattr(SizeArray, f"__{_name}__", _method(_operation))
    setattr(SizeArray, f"__r{_name}__", _method(_operation, swapped=True))
    setattr(SizeArray, f"__i{_name}__", _in_place(_operation))
for _name, _operation in _COMPARISONS.items():
    setattr(SizeArray, f"__{_name}__", _method(_operation, compares=True))


def real_arrays(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function that takes nothing but a real array."""
    return call_foreign(function, *(each.__array__() if type(each) is SizeArray else each for each in args), **kwargs)


def array_of(home: Any, data: Any) -> SizeArray | None:
    """`np.array` of whole numbers in one row, some of them sizes; None where it is not that."""
    numbers = list(data) if isinstance(data, tuple | list) or type(data) is SizeArray else []
    return SizeArray(numbers, home) if any(map(symbolic, numbers)) and all(map(_is_whole, numbers)) else None
