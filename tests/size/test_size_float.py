"""Floats computed from sizes that are no exact quotients: comparisons follow them, other readers are heard."""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from shapelint.size.condition import FloatCompare, negate
from shapelint.size.tracking import track
from tests.size.test_number import Notes, tracked

POINTS = [(h, w) for h in (*range(1, 30), 64, 101) for w in (*range(1, 30), 64, 101)]

COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "a quotient of quotients": lambda h, w: h / w / 3 < w / (h + 1),
    "a product": lambda h, w: h * w * (h / (w + 2)) > 700,
    "max": lambda h, w: h * 0.7 + w * 0.1 >= 9.3,
    "a power": lambda h, w: (h * w) ** 0.5 > h + 0.5,
    "an equation": lambda h, w: h / w == w / (h + 1),
    "an inequality": lambda h, w: -(h / w) * 3 != abs(w / h) - 4,
    "a truth value": lambda h, w: bool(h / w * 0.3 - 0.3),
    "a copy": lambda h, w: copy.deepcopy(h / w) - 0.5 < 2 * (w / h),
    "numbers on the left": lambda h, w: 2 - 0.3 * (h / w) <= 1 / h + 100 / w,
    "infinity": lambda h, w: h * 0.7 < math.inf,
}


@pytest.mark.parametrize("name", COMPARED)
def test_the_conditions_of_a_run_tell_at_which_sizes_the_comparison_comes_out_so(name: str) -> None:
    told = {point: COMPARED[name](*point) for point in POINTS}
    for point in ((6, 4), (9, 16)):
        bare, _, notes = tracked(COMPARED[name], *point)
        assert bare is told[point]
        assert not notes.leaks
        for h, w in POINTS:
            if all(each.holds({"H": h, "W": w}) for each in notes.conditions):
                assert told[h, w] is bare, (h, w)


@pytest.mark.parametrize("bound", [1, 1.5, 0, 255 / 256, -3, 0.75])
def test_a_quotient_of_two_sizes_against_a_number_needs_no_float(bound: float) -> None:
    """h / w > 1.5 is 2*h > 3*w, which a set holds."""
    for compare in ("__lt__", "__le__", "__eq__", "__ne__", "__ge__", "__gt__"):
        for h, w in ((3, 2), (1, 10), (7, 9)):
            bare, _, notes = tracked(lambda h, w: getattr(h / w, compare)(bound), h, w)  # noqa: B023
            assert not any(isinstance(each, FloatCompare) for each in map(negate, notes.conditions))
            for other in POINTS:
                holds = all(each.holds(dict(zip("HW", other, strict=True))) for each in notes.conditions)
                assert not holds or getattr(other[0] / other[1], compare)(bound) is bare


READ: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "round": round,
    "round to digits": lambda r: round(r, 3),
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "//": lambda r: r // 1,
    "//, reversed": lambda r: 7 // r,
    "%": lambda r: r % 1,
    "divmod": lambda r: divmod(r, 2),
    "an exponent": lambda r: 2**r,
    "a power below 1": lambda r: r**-1,
    "a key": lambda r: {}.get(r),
    "a text": str,
    "a format": lambda r: f"{r:.2f}",
    "pickle": lambda r: pickle.loads(pickle.dumps(r)),
    "is_integer": lambda r: r.is_integer(),
    "as_integer_ratio": lambda r: r.as_integer_ratio(),
    "hex": lambda r: r.hex(),
    "a Fraction": Fraction,
    "numpy on the left": lambda r: np.float64(2) * r,
    "numpy on the right": lambda r: r * np.float32(2),
    "an array": lambda r: float((np.ones(1) * r)[0]),
    "a number of numpy": lambda r: r > np.int64(1),
}


@pytest.mark.parametrize("name", READ)
def test_whoever_reads_the_number_is_heard(name: str) -> None:
    made: list[Callable[[Any, Any], Any]] = [lambda h, w: h / w, lambda h, w: h * 0.7 + w]
    for make in made:
        bare, _, notes = tracked(lambda h, w: READ[name](make(h, w)), 7, 3)  # noqa: B023
        assert bare == READ[name](make(7, 3))
        assert notes.leaks


def test_a_quotient_that_is_whole_may_be_read_on_the_path_where_it_is() -> None:
    bare, _, notes = tracked(lambda h, w: int(h / w * 2.5), 12, 3)
    assert bare == 10
    assert not notes.leaks
    held = [(h, w) for h, w in POINTS if all(each.holds({"H": h, "W": w}) for each in notes.conditions)]
    assert held == [(h, w) for h, w in POINTS if h == 4 * w]


def test_the_root_of_a_square_is_its_side_where_the_two_sides_are_equal() -> None:
    bare, side, notes = tracked(lambda h, w: math.floor((4 * h * w) ** 0.5) + round((w * w) ** 0.5), 6, 6)
    assert bare == 18
    assert not notes.leaks
    for h, w in POINTS:
        assert all(each.holds({"H": h, "W": w}) for each in notes.conditions) is (h == w)
    assert side.value({"H": 9, "W": 9}) == 27
    for expression in (lambda h, w: math.ceil((3 * h * w) ** 0.5), lambda h, w: math.ceil((h * h * w) ** 0.5)):
        _, _, notes = tracked(expression, 3, 3)
        assert notes.leaks
    _, _, notes = tracked(lambda h, w: round((h * w) ** 0.5), 4, 9)
    assert notes.leaks
    assert not all(each.holds({"H": 4, "W": 4}) for each in notes.conditions)


FACTORS = [0.1, 0.3, 0.6, 0.7, 0.9, 0.15, 0.29, 0.35, 1.1, 1.3, 1.4, 1 / 3, 2 / 3, 0.01, 0.07, 2.3, 0.95, 14.7, 0.0123]
SURE = {math.floor: {0.1, 0.3, 0.9, 1.3, 0.95}, math.ceil: {0.3, 0.7, 0.9, 1 / 3}, round: {0.3, 0.9, 0.95}}


@pytest.mark.parametrize("rounding", [math.floor, math.ceil, math.trunc, round])
@pytest.mark.parametrize("factor", FACTORS)
def test_a_multiple_of_a_size_is_rounded_as_the_fraction_that_was_meant_where_doubles_do_so_too(
    rounding: Callable[[Any], Any], factor: float
) -> None:
    """Sizes with an integer for a multiple, or a half, are where doubles go wrong: `int(100 * 0.29)` is 28."""
    meant, drawn = Fraction(factor).limit_denominator(10000), random.Random(str(factor))
    steps = (meant.denominator, meant.numerator, 2 * meant.denominator)
    sizes = [step * drawn.randrange(1, 2**bits // step + 2) for step in steps for bits in range(3, 31) for _ in "12345"]
    for expression in (lambda h, w: rounding(h * factor), lambda h, w: rounding(h // 2 * factor),
                       lambda h, w: rounding(h / 4 * factor), lambda h, w: rounding((h + 3) / factor)):  # fmt: skip
        _, side, notes = tracked(expression, 7, 2)
        if not notes.leaks:
            assert [n for n in sizes if side.value({"H": n, "W": 1}) != expression(n, 1)] == []
    _, _, notes = tracked(lambda h, w: rounding(h * factor), 7, 2)
    assert not (notes.leaks and factor in SURE.get(rounding, ()))


BY_ZERO: list[Callable[[Any, Any], Any]] = [
    lambda h, w: 3 / (h - 5),
    lambda h, w: w / ((h - 5) * 0.3),
    lambda h, w: w / ((h * w - 5 * w) / w) ** 1,
]


@pytest.mark.parametrize("expression", BY_ZERO)
def test_a_run_has_asked_whether_a_divisor_is_zero(expression: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        tracked(expression, 5, 2)
    _, _, notes = tracked(lambda h, w: expression(h, w) > 0.2, 7, 2)
    asked = [each for each in notes.conditions if not isinstance(each, FloatCompare)]
    assert not all(each.holds({"H": 5, "W": 2}) for each in asked)
    assert all(each.holds({"H": 6, "W": 2}) for each in asked)


def test_in_another_run_it_is_a_plain_float() -> None:
    kept: list[Any] = []
    tracked(lambda h, w: kept.append(h / w), 7, 2)
    notes = Notes()
    before = track(notes)
    try:
        stale = kept[0]
        assert (stale + 1, 2 * stale, stale > 3, int(stale), hash(stale)) == (4.5, 7.0, True, 3, hash(3.5))
        assert type(stale * 0.7) is float
        assert not notes.leaks
        assert not notes.conditions
    finally:
        track(before)
