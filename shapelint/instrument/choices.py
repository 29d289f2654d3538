"""An `if` that only sets a number: `if a.shape[2] != b.shape[2]: pads[1] = 1`, or one number or another.

Where the two sizes differ by one at most, wherever they come from, whether they do is itself a size, and so is the
number: the run needs no second way. Four levels of three axes would be 4,096 ways.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import torch

from shapelint.caches import of_one_check
from shapelint.size.bound import identical, never_negative
from shapelint.size.function import constant
from shapelint.size.number import Size, function_of, plain, size
from shapelint.size.period import value_where
from shapelint.size.tracking import symbolic, tracker
from shapelint.source.fault import call_foreign

_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "NotEq": operator.ne, "Eq": operator.eq, "Gt": operator.gt, "Lt": operator.lt,
}  # fmt: skip
OF_THE_OTHER: Final = (ArithmeticError, AttributeError, LookupError, NameError, TypeError)
"""What arithmetic of names raises where its side of the test is not meant to be computed."""
_left_out: Final[set[str]] = set()
of_one_check(_left_out.clear)
_as_written: Final[list[bool]] = []


@contextmanager
def tests_as_written() -> Iterator[None]:
    """While it is open, each such `if` is a way of its own, as it is for what keeps one way: an exported file."""
    _as_written.append(True)
    try:
        yield
    finally:
        _as_written.pop()


def needs_no_way(followed: bool) -> bool:
    """Whether the test of an `if` is left out, where it may be."""
    if followed and not _as_written:
        _left_out.add("test")
    return followed and not _as_written


def some_left_out() -> bool:
    """Whether the test of any `if` was left out in this check."""
    return bool(_left_out)


def sets(asked: tuple[Any, ...], comparison: str, owner: Any, index: Any, value: int) -> Any:
    """What the test of the `if` gives, whose body is `owner[index] = value`; False where that is done already.

    `asked` are both operands of the comparison, or the one value that is taken for a truth value.
    """
    flag = _flag(asked[0], asked[1] if comparison else 0, comparison or "NotEq")
    if flag is None or not needs_no_way(_is_number_at(owner, index)):
        return call_foreign(_OPERATIONS[comparison], *asked) if comparison else asked[0]
    owner[index] += flag * (value - owner[index])
    return False


def chosen(asked: tuple[Any, ...], comparison: str, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """The first value where the test holds, else the second; what one of them cannot compute it need not."""
    flag = _flag(asked[0], asked[1] if comparison else 0, comparison or "NotEq")
    if flag is not None:
        with suppress(*OF_THE_OTHER):
            joined = _joined(flag, call_foreign(first), call_foreign(second))
            if needs_no_way(joined is not None):
                return joined
    holds = call_foreign(_OPERATIONS[comparison], *asked) if comparison else asked[0]
    return call_foreign(first if holds else second)


def crops(described: Callable[[], tuple[Any, ...]], test: Callable[[], Any]) -> Any:
    """The test of an `if` that only crops what was padded; true where the crop takes nothing when the test fails, so
    that it may be done in any case: the run needs no second way.
    """
    with suppress(*OF_THE_OTHER):
        if needs_no_way(_takes_what_was_put_on(*call_foreign(described))):
            return True
    return call_foreign(test)


def _takes_what_was_put_on(whole: Any, stops: tuple[Any, ...], asked: tuple[Any, ...]) -> bool:
    """Whether each axis is cropped by one of the numbers that are compared, and is as it was where that is 0."""
    numbers = [each for operands, _ in asked for each in operands]
    if not isinstance(whole, torch.Tensor) or {type(each) for each in numbers} - {int, Size} or tracker() is None:
        return False
    put_on = [function_of(left) - function_of(right) for (left, right), _ in asked]
    for length, stop in zip(whole.shape, stops, strict=False):
        if stop is None:
            continue
        taken = function_of(length) - function_of(stop)
        if type(stop) not in (int, Size) or not never_negative(function_of(stop)) or not never_negative(taken):
            return False
        if taken.constant != 0 and not any(identical(taken, each) for each in put_on):
            return False
    return any(map(symbolic, numbers)) and whole.is_contiguous()


def _joined(flag: int, first: Any, second: Any) -> int | None:
    """The first number where the flag is 1 and the second where it is 0, if each is one number there."""
    if {type(first), type(second)} - {int, Size}:
        return None
    where = function_of(flag)
    numbers = value_where(function_of(second), where, 0), value_where(function_of(first), where, 1)
    if numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0] + flag * (numbers[1] - numbers[0])


def _is_number_at(owner: Any, index: Any) -> bool:
    """Whether a list has an integer or a size at an index."""
    inside = type(owner) is list and type(index) is int and -len(owner) <= index < len(owner)
    return inside and type(owner[index]) in (int, Size)


def _flag(left: Any, right: Any, comparison: str) -> int | None:
    """1 where the comparison holds and 0 elsewhere, as a size; None where the operands may differ by more than one."""
    if type(left) not in (int, Size) or type(right) not in (int, Size) or not (symbolic(left) or symbolic(right)):
        return None
    if comparison == "Lt":
        left, right, comparison = right, left, "Gt"
    difference = function_of(left) - function_of(right)
    for distance in (difference, difference.times(-1)):
        if never_negative(distance) and never_negative(constant(1) - distance):
            if comparison == "Gt" and distance is not difference:
                return 0
            number = size(abs(plain(left) - plain(right)), distance)
            return 1 - number if comparison == "Eq" else number
    return None
