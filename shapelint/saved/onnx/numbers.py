"""Small tensors of numbers that sizes are made of: an array of ints, floats and bools, each of which may be a Size.

numpy's arrays of objects keep a Size what it is; only here is calculated with them, as onnxruntime does.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy
import torch

from shapelint.size.number import larger, plain, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.size_float import SizeFloat
from shapelint.size.tracking import lose, symbolic
from shapelint.trace.recording.errors import Unanalysable

FLOATS: Final = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
_LARGEST: Final = 1 << 24  # float32 holds every integer up to it


@dataclass(frozen=True, slots=True)
class Numbers:
    """An array of numbers and the dtype of the tensor that they stand for."""

    array: Any
    dtype: torch.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the array."""
        return tuple(map(int, self.array.shape))

    @property
    def items(self) -> list[Any]:
        """The numbers, row by row."""
        return list(self.array.flat)


def numbers(items: Iterable[Any], dtype: torch.dtype, shape: tuple[int, ...] | None = None) -> Numbers:
    """The numbers in a row, or in the given shape."""
    found = list(items)
    array = numpy.empty(len(found), dtype=object)
    for index, item in enumerate(found):
        array[index] = item
    return Numbers(array if shape is None else array.reshape(shape), dtype)


def calculated(compute: Callable[..., Any], dtype: torch.dtype, *operands: Numbers) -> Numbers:
    """A function of single numbers, of all of them, with numpy's broadcasting, which is ONNX's too."""
    arrays = numpy.broadcast_arrays(*(each.array for each in operands)) if len(operands) > 1 else [operands[0].array]
    items = [compute(*row) for row in zip(*(array.flat for array in arrays), strict=True)]
    return numbers(items, dtype, tuple(map(int, arrays[0].shape)))


class Inexact(float):
    """A float made of a size and rounded on the way, such as its square root: most are factors of values.

    It is the value of this run. What could make a size of it, or decide by it, loses the size and tells so.
    """

    size: Any

    def __new__(cls, value: float, size: Any) -> Inexact:
        self = float.__new__(cls, value)
        self.size = size
        return self

    def __neg__(self) -> Inexact:
        return Inexact(-_bare(self), self.size)

    def __abs__(self) -> Inexact:
        return Inexact(abs(_bare(self)), self.size)

    def __hash__(self) -> int:
        return hash(_lost(self))


def _losing(method: Any) -> Any:
    """A method of floats on the plain value, which loses the size."""
    return lambda self, *others: method(_lost(self), *map(as_plain, others))


_BINARY: Final = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
_USES: Final = ("eq", "ne", "lt", "le", "gt", "ge", "bool", "int", "float", "trunc", "floor", "ceil", "round")
for _use in (*_BINARY, *(f"r{name}" for name in _BINARY), *_USES):
    setattr(Inexact, f"__{_use}__", _losing(getattr(float, f"__{_use}__")))


def is_tracked(number: Any) -> bool:
    """Whether a number is a size, or made of one."""
    return symbolic(number) or (isinstance(number, Ratio | Inexact) and symbolic(_size_in(number)))


def _size_in(number: Any) -> Any:
    """The size that a number is, or is made of."""
    if isinstance(number, Inexact):
        return number.size
    return number._numerator if isinstance(number, Ratio) else number


def _bare(number: Any) -> float:
    """A number as a plain float; nothing is told, so the result must be an Inexact."""
    return float.__float__(number) if isinstance(number, float) else float(plain(number))


def inexact(compute: Callable[..., float], dtype: torch.dtype, *operands: Any) -> Any:
    """A rounded function of numbers, of which one at least is made of a size."""
    size = next(_size_in(each) for each in operands if is_tracked(each))
    return Inexact(rounded(_safely(compute, *map(_bare, operands)), dtype), size)


def as_plain(number: Any) -> Any:
    """The number alone; that it is made of a size is lost, and told."""
    if isinstance(number, bool):
        return number
    if isinstance(number, float):
        return _bare(number) if not is_tracked(number) else _lost(number)
    return _lost(number) if symbolic(number) else plain(number)


def _lost(number: Any) -> Any:
    lose("a number of the graph that is no longer followed", _size_in(number))
    return _bare(number) if isinstance(number, float) else plain(number)


def cast(number: Any, dtype: torch.dtype) -> Any:
    """The number in another dtype; floats are cut towards zero.

    Raises Unanalysable for a dtype that numbers cannot have.
    """
    if dtype is torch.bool:
        return bool(number != 0)
    if dtype in FLOATS:
        return _as_float(number, dtype)
    if isinstance(number, bool):
        return int(number)
    if isinstance(number, float):
        if not is_tracked(number) and not math.isfinite(number):
            raise Unanalysable(f"{number} becomes a whole number, which depends on the processor")
        return math.trunc(number) if not is_tracked(number) else _cut(number)
    return number


def _cut(number: Any) -> Any:
    """Towards zero, of what a size was made to."""
    if isinstance(number, Inexact):
        return math.trunc(_lost(number))
    return math.floor(number) if number >= 0 else math.ceil(number)


def _as_float(number: Any, dtype: torch.dtype) -> Any:
    if is_tracked(number):
        if isinstance(number, Inexact) or dtype in (torch.float16, torch.bfloat16):
            return inexact(float, dtype, number)
        return number if isinstance(number, float) else Ratio(number, 1)
    return rounded(float(number), dtype)


def rounded(number: float, dtype: torch.dtype) -> float:
    """A float as its dtype holds it."""
    if dtype is torch.float64 or not math.isfinite(number):
        return number
    if dtype is torch.bfloat16:
        return float(torch.tensor(number, dtype=dtype).item())
    kind: Any = numpy.float16 if dtype is torch.float16 else numpy.float32
    with numpy.errstate(over="ignore"):
        return float(kind(number))


def divided(first: Any, second: Any) -> Any:
    """The quotient of two integers, cut towards zero as C++ does it. Raises ZeroDivisionError."""
    if not is_tracked(second) and plain(second) == 0:
        raise ZeroDivisionError("the graph divides a whole number by 0")
    if second < 0:
        first, second = -first, -second
    return first // second if first >= 0 else -(-first // second)


def remainder(first: Any, second: Any) -> Any:
    """The remainder of two integers with the sign of the second, as Python has it. Raises ZeroDivisionError."""
    if not is_tracked(second) and plain(second) == 0:
        raise ZeroDivisionError("the graph divides a whole number by 0")
    return first % second if not is_tracked(second) else _plain_remainder(first, second)


def _plain_remainder(first: Any, second: Any) -> int:
    return plain(as_plain(first)) % plain(as_plain(second))


def float_result(compute: Callable[[Any, Any], Any], dtype: torch.dtype) -> Callable[[Any, Any], Any]:
    """Arithmetic of floats: exact for what is made of sizes as far as float32 is exact too, else rounded."""

    def computed(first: Any, second: Any) -> Any:
        if not (is_tracked(first) or is_tracked(second)):
            return rounded(_safely(compute, float(first), float(second)), dtype)
        if is_exact(first) and is_exact(second) and _stays_followed(compute, first, second):
            value = compute(_ratio(first), _ratio(second))
            if isinstance(value, SizeFloat):
                return inexact(compute, dtype, first, second)
            if is_exact(value) or (compute is operator.truediv and _is_whole(first) and _is_divisor(second)):
                return value
            return value if not is_tracked(value) else inexact(float, dtype, value)
        return inexact(compute, dtype, first, second)

    return computed


def _stays_followed(compute: Callable[[Any, Any], Any], first: Any, second: Any) -> bool:
    """Whether a quotient is one of sizes: by a number above 0 that has few binary digits, or by a size."""
    return compute is not operator.truediv or is_tracked(second) or (_bare(second) != 0 and is_exact(second))


def _safely(compute: Callable[..., float], *operands: float) -> float:
    try:
        return float(compute(*operands))
    except (ZeroDivisionError, OverflowError, ValueError):
        return math.nan


def _ratio(number: Any) -> Any:
    return number if not symbolic(number) else Ratio(number, 1)


def is_exact(number: Any) -> bool:
    """Whether float32 holds the number at every size below 2**24 over its factor: few binary digits, and dyadic."""
    if isinstance(number, Inexact):
        return False
    if isinstance(number, Ratio):
        denominator = plain(number._denominator)
        return denominator & (denominator - 1) == 0 and denominator <= 1 << 10
    if isinstance(number, float):
        return math.isfinite(number) and (number * 1024).is_integer() and abs(number) < _LARGEST
    return True


def _is_whole(number: Any) -> bool:
    """Whether a number is a whole one at every size."""
    return symbolic(number) or (isinstance(number, Ratio) and plain(number._denominator) == 1)


def _is_divisor(number: Any) -> bool:
    """Whether a quotient by the number is rounded once only: its floor and its ceiling are exact below 2**24."""
    return isinstance(number, float) and not is_tracked(number) and number.is_integer() and 0 < number < 1 << 20


def biggest(first: Any, second: Any) -> Any:
    """The larger of two numbers."""
    return _extreme(first, second, larger, max)


def smallest(first: Any, second: Any) -> Any:
    """The smaller of two numbers."""
    return _extreme(first, second, smaller, min)


def _extreme(first: Any, second: Any, of_sizes: Callable[[int, int], int], of_plain: Callable[[Any, Any], Any]) -> Any:
    if isinstance(first, float) or isinstance(second, float):
        if isinstance(first, Inexact) or isinstance(second, Inexact):
            return inexact(of_plain, torch.float64, first, second)
        if is_tracked(first) or is_tracked(second):
            takes_first = first >= second if of_plain is max else first <= second
            return first if takes_first else second
        return of_plain(first, second)
    return of_sizes(first, second)
