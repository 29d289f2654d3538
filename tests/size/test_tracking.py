"""What the equalities on a path say of the atoms of other functions."""

from __future__ import annotations

from typing import Any

from shapelint.size.condition import equal
from shapelint.size.function import constant, extreme, symbol
from shapelint.size.tracking import on_path, settle, track


def test_a_value_that_only_another_one_makes_known_is_used_too() -> None:
    """With `least` known, the quotient is one more than (L + 9)//24, which is no part of any of the equalities."""
    length = symbol("L")
    down, rows = length.plus(21).floor_divide(24), length.plus(9).floor_divide(12)
    least = extreme("min", rows, constant(1))
    quotient = (length.plus(21) + least.times(12)).floor_divide(24)
    listener: Any = object()
    before = track(listener)
    try:
        settle(equal(down + least, quotient))
        settle(equal(down.times(2), rows))
        settle(equal(down, constant(4)))
        assert on_path(rows) == constant(8)
        assert on_path(quotient) == constant(5)
    finally:
        track(before)
