"""An `if` that only pads where something is odd: `if h % 2 or w % 2: x = F.pad(x, (0, 0, 0, w % 2, 0, h % 2))`.

Where the test fails the padding adds nothing, so that it may be done in any case: the run needs no second way. Four
levels of Swin would be 81 ways.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import torch

from shapelint.instrument.choices import OF_THE_OTHER, needs_no_way
from shapelint.instrument.identity import watch_identity
from shapelint.instrument.sized_shape import SizedShape
from shapelint.size.bound import identical, never_negative
from shapelint.size.function import Function, constant
from shapelint.size.number import Size, function_of
from shapelint.size.period import value_where
from shapelint.size.tracking import symbolic
from shapelint.source.fault import call_foreign

PADS: Final = "__shapelint_pads__"
PADDED: Final = "__shapelint_padded__"
Test = tuple[tuple[Any, ...], str]


def pads(described: Callable[[], tuple[Any, ...]], test: Callable[[], Any]) -> Any:
    """The test of an `if` that only pads; true where the padding adds nothing when the test fails.

    A contiguous tensor stays so either way. That it may be the very tensor is known to `ops/same_memory.py`.
    """
    with suppress(*OF_THE_OTHER):
        function, whole, *_ = call_foreign(described)
        fits = function is torch.nn.functional.pad and type(whole) is torch.Tensor and whole.is_floating_point()
        if fits and whole.is_contiguous():  # which may settle a size, so that the amounts are described anew
            _, _, amounts, tests = call_foreign(described)
            if needs_no_way(_added(amounts, tests, whole.dim()) is not None):
                watch_identity()
                return True
    return call_foreign(test)


def padded(function: Any, amounts: Any, tests: Callable[[], tuple[Test, ...]]) -> Any:
    """The amounts that such an `if` adds: 0 where its test fails; what another function takes is what it is."""
    if function is torch.nn.functional.pad and type(amounts) in (tuple, list):
        with suppress(*OF_THE_OTHER):
            found = _added(amounts, call_foreign(tests), len(amounts))
            return amounts if found is None or not needs_no_way(True) else found
    return amounts


def _added(amounts: Any, tests: tuple[Test, ...], rank: int) -> tuple[int, ...] | None:
    if type(amounts) not in (tuple, list) or len(amounts) % 2 or len(amounts) > 2 * rank:
        return None
    if {type(each) for each in amounts} - {int, Size} or not any(map(symbolic, amounts)):
        return None
    zeros = zeros_of(tests)
    found = [_nothing_at(each, zeros) for each in amounts] if zeros else [None]
    return None if None in found else tuple(each for each in found if each is not None)


def zeros_of(tests: tuple[Test, ...]) -> list[Function]:
    """What is 0 where all of some tests fail, and only there; nothing where that is not known of each."""
    found: list[Function | None] = []
    for operands, comparison in tests:
        rows = [row_of(each) for each in operands]
        if comparison == "NotEq" and rows[0] is not None and rows[1] is not None:
            found += _zeros_of_rows(operands, rows[0], rows[1])
        else:
            found.append(_zero_where_it_fails(operands, comparison))
    known = [each for each in found if each is not None]
    return known if len(known) == len(found) else []


def row_of(value: Any) -> tuple[int, ...] | None:
    """The sizes in a shape, tuple or list; None where it has anything else."""
    sizes = type(value) in (tuple, list, torch.Size, SizedShape) and not {type(each) for each in value} - {int, Size}
    return tuple(value) if sizes else None


def _zeros_of_rows(operands: tuple[Any, ...], left: tuple[int, ...], right: tuple[int, ...]) -> list[Function | None]:
    """The differences of two rows of sizes but for those that are 0 everywhere; a list is never equal to a tuple."""
    if len(left) != len(right) or len({type(each) is list for each in operands}) > 1:
        return [None]
    apart = [function_of(one) - function_of(other) for one, other in zip(left, right, strict=True)]
    return [None if each.constant is not None else each for each in apart if each.constant != 0]


def _zero_where_it_fails(operands: tuple[Any, ...], comparison: str) -> Function | None:
    """What is 0 at exactly the sizes at which a comparison does not hold."""
    left, right = operands if comparison else (*operands, 0)
    if {type(left), type(right)} - {int, Size}:
        return None
    difference = function_of(left) - function_of(right)
    if comparison in ("", "NotEq"):
        return difference
    if comparison in ("Gt", "Lt"):
        more = difference if comparison == "Gt" else difference.times(-1)
        return more if never_negative(more) else None
    signs = [difference, difference.times(-1)] if comparison == "Eq" else []
    apart = next((each for each in signs if never_negative(each) and never_negative(constant(1) - each)), None)
    return None if apart is None else constant(1) - apart


def _nothing_at(amount: int, zeros: list[Function]) -> int | None:
    """An amount that is 0 where all of these are 0; one that is a whole step there (`8 - w % 8`) without that step."""
    value = function_of(amount)
    for zero in zeros:
        if identical(value, zero) or identical(value, zero.times(-1)) or value_where(value, zero, 0) == 0:
            return amount
    step = value_where(value, zeros[0], 0) if len(zeros) == 1 else None
    if step is None or step < 1 or not identical(value, constant(step) - zeros[0]):
        return None
    return amount % step if never_negative(zeros[0]) and never_negative(value) else None
