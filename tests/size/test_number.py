"""Sizes as a model's own code uses them: Python's results, functions that hold elsewhere, conditions, leaks.

Each expression runs on a Size, and again on plain ints at other values: wherever the recorded conditions hold there,
the function of the result has Python's value. What is heard as lost, and what is lost in silence since Python calls
no hook for it, stands in the two tables at the end.
"""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from operator import eq, ge, lt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapelint.size.condition import Condition, negate
from shapelint.size.function import symbol
from shapelint.size.number import Size, function_of, larger, plain, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic, track

VALUES = [*range(60), 63, 64, 100, 127, 1023, 4096]


@dataclass
class Notes:
    """A tracker that remembers everything."""

    conditions: list[Condition] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def assume(self, condition: Condition) -> None:
        self.conditions.append(condition)

    def takes(self, condition: Condition, holds: bool) -> bool:
        self.assume(condition if holds else negate(condition))
        return holds

    def leak(self, reason: str) -> None:
        self.leaks.append(reason)

    def text(self) -> None:
        self.leaks.append("the text of a size")


def tracked(expression: Callable[[Any, Any], Any], h: int, w: int) -> tuple[Any, Any, Notes]:
    """The plain result, its function (or function and denominator) and the notes of one run with h and w."""
    notes = Notes(sizes={"H": h, "W": w})
    before = track(notes)
    try:
        result = expression(Size(h, symbol("H")), Size(w, symbol("W")))
        return _bare(result), _meaning(result), notes
    finally:
        track(before)


def _bare(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(_bare, result))
    if isinstance(result, Ratio):
        return float.__float__(result)
    return plain(result) if isinstance(result, Size) else result


def _meaning(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(_meaning, result))
    if isinstance(result, Ratio):
        return function_of(result._numerator), result._denominator
    if isinstance(result, bool) or not isinstance(result, int):
        return result
    return function_of(result)


def _at(meaning: Any, values: dict[str, int]) -> Any:
    match meaning:
        case (function, int(denominator)):
            return pytest.approx(function.value(values) / denominator, rel=1e-12)
        case tuple():
            return tuple(_at(part, values) for part in meaning)
    return meaning.value(values) if hasattr(meaning, "value") else meaning


EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sums": lambda h, w: (h + w, h + 3, 3 + h, h - w, h - 3, 3 - h, -h, +h, ~h, sum([h, w, 2])),
    "products": lambda h, w: (h * w, h * 3, -2 * h, h * True, math.prod([h, w, 2])),
    "floor divisions": lambda h, w: (h // 2, h // 3, h // -2, -h // 2, -(-h // 4), (h + w) // 5, (h // 2 + 1) // 2),
    "remainders": lambda h, w: (h % 2, h % 7, h % -3, -h % 16, (h - w) % 4, (16 - h % 16) % 16),
    "divmod": lambda h, w: (*divmod(h, 4), *divmod(h + w, -3)),
    "shifts": lambda h, w: (h << 2, h >> 1, (h + 1) >> 3, h << 0),
    "masks": lambda h, w: (h & 1, h & 15, 7 & h, h & -8, h & ~31, h & 0, h & -1),
    "bits of several": lambda h, w: (bool((h | w) & 3), (h | w | 8) % 8 == 0, h % 4 | w % 4 != 0, not h | w),
    "powers": lambda h, w: (h**0, h**1, h**2, h**3, pow(h, 2)),
    "absolute": lambda h, w: (abs(h - w), abs(h), abs(7 - h)),
    "exact quotients of products": lambda h, w: (h * w // w, (h + 1) * w * 2 // (h + 1), h * w // 4),
    "numpy integers": lambda h, w: (h + np.int64(3), np.int64(3) + h, h * np.int32(2), np.int64(2) * h),
    "other numpy integers": lambda h, w: (np.int64(9) - h, h % np.int32(3), divmod(h, np.int64(7))[0]),
    "comparison chains": lambda h, w: (0 < h < 9, 2 <= h <= w, h == w, h != w, 5 > h >= w, bool(h), not h),
    "reflected comparisons": lambda h, w: (lt(3, h), ge(3, h), eq(7, h), np.int64(3) < h, h in (1, 4)),
    "builtins": lambda h, w: (max(h, w, 4), min(h, w), max([h, 3]), sorted([h, 5, w])[1], h in range(4)),
    "branches": lambda h, w: h // 2 if h % 2 == 0 and w > 3 else h + w,
    "float halves": lambda h, w: (h / 2, h * 0.5, h * 2.5, h * 0.25 + 1.5, h / 4 - w, 1.5 - h / 2, -(h / 2), +(h / 4)),
    "quotients": lambda h, w: (h / 3, (h / 3 + 0.5) * 2, h / 3 / 5, h / 0.5, (h + w) / 7, h / -6),
    "floors": lambda h, w: (math.floor(h / 2), math.ceil(h / 2), math.floor(h * 1.5), math.ceil(h / 3)),
    "truncations": lambda h, w: (math.trunc((h - w) / 4), math.floor((h - w) / 4), math.ceil(-h / 8), round(-h / 4)),
    "rounds": lambda h, w: (round(h / 2), round(h / 4), round(h / 3), round(h * 0.75), round(h / 2 + 0.5)),
    "float floors": lambda h, w: (h // 2.0, h % 2.0, (h / 2) // 1, (h / 2) % 1, h * 0.5 // 2, *divmod(h / 2, 2)),
    "float comparisons": lambda h, w: (h / 2 > 8, h / 3 == 7, h * 0.5 <= w, h < 7.5, h / 4 >= 3, h / 2 < math.inf),
    "float tests": lambda h, w: ((h / 2).is_integer(), bool(h / 2), abs(h / 2 - w), max(h / 2, 3), (h / 4) ** 2),
    "integers rounded": lambda h, w: (round(h), math.floor(h), math.ceil(h), math.trunc(h)),
    "resizes": lambda h, w: (math.floor(h * 0.5), math.floor(h * 2.0), math.ceil(h * 1.25), math.floor((h - 1) / 2)),
    "numpy floats": lambda h, w: (np.float64(0.5) * h, h * np.float64(0.25), np.float64(2.5) - h / 2, h / np.int64(2)),
    "copies": lambda h, w: (*copy.deepcopy((h, w / 2)), copy.copy(h)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_results_are_those_of_python_and_functions_hold_where_the_conditions_do(name: str) -> None:
    expression = EXPRESSIONS[name]
    points = [{"H": h, "W": w} for h in VALUES for w in (1, 5, 12)]
    told = {(point["H"], point["W"]): expression(point["H"], point["W"]) for point in points}
    for h, w in [(0, 1), (1, 5), (4, 12), (7, 5), (12, 12), (13, 1), (64, 5)]:
        bare, meaning, notes = tracked(expression, h, w)
        assert bare == expression(h, w)
        assert not notes.leaks
        held = [point for point in points if all(condition.holds(point) for condition in notes.conditions)]
        assert {"H": h, "W": w} in held
        for point in held:
            assert _at(meaning, point) == told[point["H"], point["W"]], point


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(-60, 60), st.integers(-8, 8).map(lambda each: each / 4), st.data())
def test_quotients_round_as_python_does(denominator: int, offset: int, shift: float, data: st.DataObject) -> None:
    def expression(h: Any, w: Any) -> Any:
        quotient = (h + offset) / denominator + shift
        return round(quotient), math.floor(quotient), math.ceil(quotient), math.trunc(quotient)

    for h in data.draw(st.lists(st.integers(0, 2000), min_size=5, max_size=5)):
        bare, meaning, notes = tracked(expression, h, 1)
        assert bare == _at(meaning, {"H": h, "W": 1}) == expression(h, 1)
        assert not notes.leaks


def test_what_a_double_does_not_hold_exactly_is_not_kept() -> None:
    """(1/49)*49 is 0.9999999999999999, so its floor is no function of h that a quotient could give."""
    expressions: list[Callable[[Any, Any], Any]] = [
        lambda h, w: math.floor((h / 49) * 49),
        lambda h, w: math.floor(h / 10 + (h * 9) / 10),
        lambda h, w: math.floor(h * 0.7),
        lambda h, w: int((h / 3) * w),
        lambda h, w: round(h / w, 2),
    ]
    for expression in expressions:
        bare, _, notes = tracked(expression, 1, 5)
        assert bare == expression(1, 5)
        assert notes.leaks


def test_a_comparison_is_remembered_as_it_came_out() -> None:
    def conditions(expression: Callable[[Any, Any], Any]) -> list[Condition]:
        return tracked(expression, 6, 9)[2].conditions

    expressions: list[Callable[[Any, Any], bool]] = [
        lambda h, w: h < w,
        lambda h, w: h == w,
        lambda h, w: bool(h % 2),
        lambda h, w: h >= 4 and w > h + 1,
    ]
    for expression in expressions:
        for h, w in ((h, w) for h in range(20) for w in range(20)):
            same = expression(h, w) == expression(6, 9)
            assert all(each.holds({"H": h, "W": w}) for each in conditions(expression)) <= same


def test_larger_and_smaller_keep_the_function_without_a_condition() -> None:
    for choose, builtin in ((larger, max), (smaller, min)):
        for h, w in ((3, 8), (8, 3), (5, 5)):
            bare, meaning, notes = tracked(lambda h, w: (choose(h, w), choose(h, 4), choose(2, 3)), h, w)  # noqa: B023
            assert bare == (builtin(h, w), builtin(h, 4), builtin(2, 3))
            assert not notes.conditions
            assert _at(meaning[0], {"H": 70, "W": 60}) == builtin(70, 60)


def test_a_size_of_another_run_is_a_plain_int() -> None:
    before = track(Notes())
    stale, half = Size(6, symbol("H")), Size(6, symbol("H")) / 2
    notes = Notes()
    try:
        track(notes)
        assert not symbolic(stale)
        assert function_of(stale).constant == 6
        results = (stale + 1, stale // 4, 3 * stale, stale % 4, abs(-stale), stale << 1, stale & 3, 2**stale)
        assert results == (7, 1, 18, 2, 6, 12, 2, 64)
        assert not any(map(symbolic, results))
        assert stale == 6
        assert stale > 2
        assert stale in {6, 7}
        assert (int(stale), float(stale), hash(stale)) == (6, 6.0, hash(6))
        assert (half * 0.3, half**0.5, int(half), hash(half)) == (3.0 * 0.3, 3.0**0.5, 3, hash(3.0))
        fresh = Size(10, symbol("W"))
        assert function_of(fresh + stale) is symbol("W").plus(6)
        assert not notes.leaks
        assert all(not condition.parts for condition in notes.conditions)  # type: ignore[union-attr]
    finally:
        track(before)


def test_without_a_run_a_size_is_a_plain_int() -> None:
    size = Size(6, symbol("H"))
    assert function_of(size).constant == 6
    assert (size + 1, size / 4, hash(size), 2 ** (size - 3)) == (7, 1.5, hash(6), 8)
    assert type(pickle.loads(pickle.dumps(size))) is int


BY_ZERO = [lambda h: h // 0, lambda h: h % 0, lambda h: h / 0, lambda h: divmod(h, 0), lambda h: h / 2 / 0]
WRONG_TYPES = [lambda h: h + "a", lambda h: h < None, lambda h: (h / 2) + [], lambda h: h & 1.5]


@pytest.mark.parametrize("expression", BY_ZERO)
def test_a_division_by_zero_raises_as_in_python(expression: Callable[[Any], Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        tracked(lambda h, w: expression(h), 6, 1)


@pytest.mark.parametrize("expression", WRONG_TYPES)
def test_a_wrong_type_raises_as_in_python(expression: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        tracked(lambda h, w: expression(h), 6, 1)


HEARD: dict[str, Callable[[Any, Any], Any]] = {
    "int(h)": lambda h, w: int(h),
    "float(h)": lambda h, w: float(h),
    "hash(h)": lambda h, w: hash(h),
    "a set of h": lambda h, w: h in {1, 2},
    "int(h / 2)": lambda h, w: int(h / 2),
    "math.sqrt(h)": lambda h, w: math.sqrt(h),
    "int(h ** 0.5)": lambda h, w: int(h**0.5),
    "(h / 2) ** 0.5 // 1": lambda h, w: (h / 2) ** 0.5 // 1,
    "h ** -1": lambda h, w: (h + 1) ** -1,
    "h ** w": lambda h, w: h**w,
    "2 ** h": lambda h, w: 2**h,
    "1 << h": lambda h, w: 1 << h,
    "(h | 1) + 1": lambda h, w: (h | 1) + 1,
    "(h | w) & 6": lambda h, w: (h | w) & 6,
    "h ^ 1": lambda h, w: 1 ^ h,
    "h & 6": lambda h, w: h & 6,
    "h // w": lambda h, w: h // w,
    "700 // h": lambda h, w: 700 // (h + 1),
    "ceil(71 / h)": lambda h, w: math.ceil(71 / (h + 1)),
    "hash(h * 0.7)": lambda h, w: hash(h * 0.7),
    "round(h / 3, 1)": lambda h, w: round(h / 3, 1),
    "np.float32(0.5) * h": lambda h, w: np.float32(0.5) * h,
    "np.sqrt(h)": lambda h, w: np.sqrt(h),
    "np.array([h])": lambda h, w: int(np.array([h])[0]),
    "np.prod": lambda h, w: int(np.prod((h, w))),
    "h * Fraction": lambda h, w: h * Fraction(1, 2),
    "[0] * h": lambda h, w: [0] * h,
    "an f-string": lambda h, w: f"{h}",
    "str(h / 2)": lambda h, w: str(h / 2),
    "h.bit_count()": lambda h, w: h.bit_count(),
    "pickle": lambda h, w: pickle.loads(pickle.dumps(h)),
    "2.0 - h / 3 + w / 3": lambda h, w: 2.0 - h / 3 + w / 3,
}

SILENT: dict[str, Callable[[Any, Any], Any]] = {
    "0.5 * h": lambda h, w: 0.5 * h,
    "2.0 - h": lambda h, w: 2.0 - h,
    "7.0 / h": lambda h, w: 7.0 / (h + 1),
    "3.5 < h": lambda h, w: lt(3.5, h),
    "sum([0.5, h])": lambda h, w: sum([0.5, h]),
    "range(h)": lambda h, w: len(range(h)),
    "a list's index": lambda h, w: list(range(100))[h],
    "a list's slice": lambda h, w: list(range(100))[:h],
    "'%d' % h": lambda h, w: "%d" % h,  # noqa: UP031
    "hex(h)": lambda h, w: hex(h),
    "math.log2(h)": lambda h, w: math.log2(h + 1),
    "math.gcd(h, 16)": lambda h, w: math.gcd(h, 16),
    "math.isqrt(h)": lambda h, w: math.isqrt(h),
}
"""Python and numpy take the plain value here without any hook: replays and rewritten calls have to find these."""


@pytest.mark.parametrize("name", HEARD)
def test_a_lost_function_is_heard(name: str) -> None:
    for h, w in ((6, 4), (9, 5)):
        bare, _, notes = tracked(HEARD[name], h, w)
        assert bare == HEARD[name](h, w)
        assert notes.leaks


@pytest.mark.parametrize("name", SILENT)
def test_what_python_takes_in_silence_is_at_least_right_in_this_run(name: str) -> None:
    bare, meaning, notes = tracked(SILENT[name], 6, 4)
    assert bare == SILENT[name](6, 4)
    assert not notes.leaks
    assert not notes.conditions
    assert not hasattr(meaning, "symbols") or not meaning.symbols()
