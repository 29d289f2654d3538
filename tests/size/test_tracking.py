"""What the equalities on a path say of the atoms of other functions."""

from __future__ import annotations

from typing import Any

import pytest

from shapelint.size.condition import equal
from shapelint.size.function import NotQuasiAffine, constant, extreme, symbol
from shapelint.size.tracking import divide_on_path, on_path, settle, track


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


def test_windows_that_fill_the_picture_are_counted_by_its_sides() -> None:
    """The windows of N pictures by those of one; the rows of a picture are an eighth of an input's, or less."""
    batch, rows, width = symbol("N"), symbol("H").floor_divide(8), symbol("W")
    down, across = rows.floor_divide(7), width.floor_divide(7)
    windows, picture = batch * down * across, (rows * width).floor_divide(49)
    listener: Any = object()
    before = track(listener)
    try:
        with pytest.raises(NotQuasiAffine):
            divide_on_path(windows, picture)
        settle(equal(down.times(7), rows))
        settle(equal(width, across.times(7)))
        assert divide_on_path(windows, picture) == batch
        settle(equal(rows, rows.floor_divide(14).times(14)))
        assert divide_on_path(batch * rows, rows.floor_divide(14)) == batch.times(14)
    finally:
        track(before)
    with pytest.raises(NotQuasiAffine):
        divide_on_path(windows, picture)
