"""Sets of sizes against brute-force integers: every operation on drawn conditions, over a grid of sizes."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from itertools import product as grid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapelint.size import SizeSet, Undecidable, constant, symbol
from shapelint.size.condition import (
    FALSE,
    TRUE,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Divisible,
    Not,
    ProductIs,
    all_of,
    any_of,
    at_least,
    divisible,
    equal,
    negate,
    product,
)
from shapelint.size.function import Function, extreme
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.nonlinear import NotDecided, linearised

H, W = symbol("H"), symbol("W")
SYMBOLS = ("H", "W")
SIDE = range(-6, 14)
GRID = [{"H": h, "W": w} for h, w in grid(SIDE, SIDE)]
BOX = SizeSet.where(SYMBOLS, all_of(at_least(each, constant(SIDE[0])) for each in (H, W))) & SizeSet.where(
    SYMBOLS, all_of(at_least(constant(SIDE[-1]), each) for each in (H, W))
)

Point = tuple[int, int]


def brute(condition: Condition) -> set[Point]:
    return {(point["H"], point["W"]) for point in GRID if condition.holds(point)}


def members(sizes: SizeSet) -> set[Point]:
    return {(values["H"], values["W"]) for values in (sizes & BOX).members()}


functions = st.builds(
    lambda a, b, c, d, combine: combine(H.times(a) + W.times(b).plus(c), d),
    st.integers(-3, 3),
    st.integers(-3, 3),
    st.integers(-9, 9),
    st.integers(1, 5),
    st.sampled_from(
        [
            Function.floor_divide,
            lambda function, d: function.floor_divide(2).times(d) + H,
            lambda function, d: extreme("max", function, W.plus(d)),
            lambda function, d: extreme("min", function.floor_divide(d), H),
        ]
    ),
)
factors = st.sampled_from([H, W, H.plus(-2), W.floor_divide(2), H.floor_divide(2).plus(1), W.times(-1).plus(3)])
leaves = st.one_of(
    st.builds(Compare, functions, st.booleans()),
    st.builds(
        lambda one, two, number: ProductIs((one, two), number), factors, factors, st.sampled_from([1, 6, 12, -8])
    ),
    st.builds(lambda one, two, number: Divisible((one, two), number), factors, factors, st.integers(2, 12)),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda one, two: AllOf((one, two)), inner, inner),
        st.builds(lambda one, two: AnyOf((one, two)), inner, inner),
    ),
    max_leaves=3,
)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(conditions)
def test_where_holds_exactly_the_sizes_at_which_the_condition_does(condition: Condition) -> None:
    assert members(SizeSet.where(SYMBOLS, condition)) == brute(condition)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(conditions, conditions)
def test_the_operators_are_those_of_sets(first: Condition, second: Condition) -> None:
    one, two = (SizeSet.where(SYMBOLS, each) & BOX for each in (first, second))
    left, right = brute(first), brute(second)
    assert members(one & two) == left & right
    assert members(one | two) == left | right
    assert members(one - two) == left - right
    assert (one == two) is (left == right)
    assert (one <= two) is (left <= right)
    assert bool(one) is bool(left)
    assert all((point in one) is (point in left) for point in list(left | right)[:9])
    assert one.finite
    assert members(one.coalesced()) == left
    assert members(reduce(SizeSet.__or__, one.pieces(), SizeSet.empty(SYMBOLS))) == left
    assert pickle.loads(pickle.dumps(one)) == one


@settings(max_examples=60, deadline=None, derandomize=True)
@given(conditions, st.integers(-8, 15), st.integers(-8, 15))
def test_parts_and_nearest_members_are_the_true_ones(condition: Condition, h: int, w: int) -> None:
    sizes, points, given_ = SizeSet.where(SYMBOLS, condition) & BOX, brute(condition), {"H": h, "W": w}
    assert members(sizes.fixed({"H": h})) == {point for point in points if point[0] == h}
    assert members(sizes.at_least(given_)) == {point for point in points if point[0] >= h and point[1] >= w}
    assert members(sizes.at_most({"W": w})) == {point for point in points if point[1] <= w}
    assert {values["W"] for values in sizes.onto(["W"]).members()} == {point[1] for point in points}
    smallest, sample = sizes.smallest(), sizes.sample()
    assert smallest == (dict(zip(SYMBOLS, min(points), strict=True)) if points else None)
    assert sample is None if not points else (sample is not None and tuple(sample.values()) in points)
    assert sizes.least(H - W) == min((a - b for a, b in points), default=None)
    for above in (True, False):
        found = sizes.nearest(given_, above=above)
        side = {p for p in points if (p[0] >= h and p[1] >= w if above else p[0] <= h and p[1] <= w)}
        distances = {abs(a - h) + abs(b - w) for a, b in side}
        assert (found is None) is not bool(side)
        if found is not None:
            assert tuple(found.values()) in side
            assert abs(found["H"] - h) + abs(found["W"] - w) == min(distances)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(factors, min_size=1, max_size=3), st.integers(-9, 12), st.integers(1, 12))
def test_questions_about_products_are_answered_exactly(parts: list[Function], number: int, divisor: int) -> None:
    whole = reduce(product, parts)

    def value(point: dict[str, int]) -> int:
        return reduce(int.__mul__, (part.value(point) for part in parts))

    positive = [point for point in GRID if point["H"] > 0 and point["W"] > 0]
    asked: list[tuple[Condition, Callable[[int], bool]]] = [
        (equal(whole, constant(number)), lambda n: n == number),
        (equal(constant(number), whole), lambda n: n == number),
        (divisible(whole, divisor), lambda n: n % divisor == 0),
        (equal(whole, whole.floor_divide(divisor).times(divisor)), lambda n: n % divisor == 0),
        (at_least(whole, constant(1)), lambda n: n >= 1),
        (at_least(whole, constant(2)), lambda n: n >= 2),
    ]
    for condition, truth in asked:
        assert all(condition.holds(point) is truth(value(point)) for point in positive)
        assert all(negate(condition).holds(point) is not truth(value(point)) for point in positive)
        try:
            found = members(SizeSet.where(SYMBOLS, condition))
        except Undecidable:
            continue
        expected = {(point["H"], point["W"]) for point in positive if truth(value(point))}
        assert {point for point in found if min(point) > 0} == expected


def test_a_product_that_a_floor_takes_whole_is_a_multiple() -> None:
    tokens = product(H, W)
    assert equal(tokens.floor_divide(8).times(8), tokens) == divisible(tokens, 8)
    assert equal(tokens.floor_divide(8).times(4), tokens) != divisible(tokens, 8)


def _drawn_product(source: random.Random) -> Function:
    """A sum of products of floors of H and W, as windows, tokens and reshapes make them."""

    def part(each: Function) -> Function:
        step, offset = source.choice((1, 2, 3, 4, 8)), source.randint(0, 8)
        return source.choice((each, each.plus(offset).floor_divide(step), each - each.floor_divide(4).times(4)))

    total = constant(source.randint(-60, 60))
    for _ in range(source.randint(1, 3)):
        pair = source.choice(((H, W), (H, W), (H, H), (H,)))
        total += reduce(Function.__mul__, map(part, pair), constant(source.choice((1, 1, 2, -1, -3, 16))))
    return total


@pytest.mark.parametrize("seed", range(4))
def test_products_of_sizes_are_compared_exactly(seed: int) -> None:
    source, decided = random.Random(seed), 0
    for _ in range(150):
        compare = Compare(_drawn_product(source), source.random() < 0.5)
        points = [{"H": source.randint(1, 90), "W": source.randint(1, 90)} for _ in range(40)]
        try:
            condition = linearised(compare)
        except NotDecided:
            continue
        decided += 1
        assert all(condition.holds(point) is compare.holds(point) for point in points), compare
    assert decided > 100


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_a_table_that_ends_are_counted_exactly(seed: int) -> None:
    """`table[:, :h, :w].reshape(1, -1, d)`: a product of minima that do not repeat, against one of sizes."""
    source, decided = random.Random(seed), 0
    for _ in range(12):
        first, second = (each.plus(source.randint(0, 3)).floor_divide(source.randint(1, 4)) for each in (H, W))
        ends = [constant(source.randint(1, 9)) for _ in SYMBOLS]
        rows = [extreme(source.choice(("min", "max")), *each) for each in ((first, ends[0]), (second, ends[1]))]
        compare = Compare(product(first, second) - product(*rows).plus(source.choice((0, 0, 3))), source.random() < 0.7)
        points = [{"H": source.randint(1, 50), "W": source.randint(1, 50)} for _ in range(40)]
        with suppress(Undecidable):
            found = SizeSet.where(SYMBOLS, compare)
            assert all((point in found) is compare.holds(point) for point in points), compare
            decided += 1
    assert decided > 9


def test_a_minimum_that_two_symbols_meet_in_is_taken_apart() -> None:
    tokens = product(H.floor_divide(8), W.floor_divide(8))
    table = equal(extreme("min", tokens.plus(1), constant(17)), tokens.plus(1))
    small = SizeSet.where(SYMBOLS, table)
    assert (39, 39) in small
    assert (8, 135) in small
    assert (40, 40) not in small
    assert (8, 136) not in small


def test_a_product_against_a_number_with_too_many_steps_is_left_open() -> None:
    with pytest.raises(Undecidable):
        SizeSet.where(SYMBOLS, at_least(product(H, W), constant(2**31)))


@pytest.mark.parametrize("number", [-3, 0, 1, 9, 40])
def test_a_product_of_three_sizes_is_counted_exactly(number: int) -> None:
    """The patches of a clip against the rows of a table of positions."""
    frames, rows, columns = symbol("T").floor_divide(2), H.floor_divide(2), W
    patches, names = product(product(frames, rows), columns), ("T", "H", "W")
    points = [(t, h, w) for t in range(1, 9) for h in range(1, 9) for w in (1, 2, 3, 10, 41)]
    for condition in (at_least(constant(number), patches), at_least(patches, constant(number)),
                      Compare(patches.plus(-number), True), Compare(patches.times(2).plus(-number), True)):  # fmt: skip
        found = SizeSet.where(names, condition)
        asked = ((point, dict(zip(names, point, strict=True))) for point in points)
        wrong = [point for point, sizes in asked if (point in found) is not condition.holds(sizes)]
        assert not wrong, (condition, wrong)


def test_a_product_of_negative_factors_is_positive() -> None:
    condition = at_least(product(H.plus(-5), W.plus(-5)), constant(1))
    assert condition.holds({"H": 1, "W": 1})
    assert (1, 1) in SizeSet.where(SYMBOLS, condition)
    assert (1, 9) not in SizeSet.where(SYMBOLS, condition)


def test_conditions_without_content_are_true_or_false() -> None:
    assert equal(H, H) == TRUE == at_least(H.plus(1), H)
    assert equal(H, H.plus(1)) == FALSE == negate(TRUE)
    assert equal(H.plus(1).floor_divide(2).times(2), W.times(6).plus(1)) == FALSE
    assert all_of([TRUE, equal(H, W)]) == equal(H, W) == any_of([FALSE, equal(H, W)])
    assert all_of([FALSE, equal(H, W)]) == FALSE
    assert any_of([TRUE, equal(H, W)]) == TRUE
    assert negate(negate(equal(H, W))) == equal(H, W)
    assert SizeSet.where(SYMBOLS, TRUE) == SizeSet.universe(SYMBOLS)
    assert not SizeSet.where(SYMBOLS, FALSE)


def test_membership_takes_tuples_mappings_and_a_bare_int() -> None:
    even = SizeSet.where(SYMBOLS, all_of([divisible(H, 2), divisible(W, 2)]))
    assert (64, 70) in even
    assert {"W": 70, "H": 64} in even
    assert (64, 71) not in even
    assert 6 in SizeSet.where(["L"], divisible(symbol("L"), 3))
    with pytest.raises(ValueError):
        assert (64,) in even


def test_onto_and_lifted_keep_the_order_of_symbols() -> None:
    cube = SizeSet.where(
        ("D", "H", "W"), all_of([equal(symbol("D"), H.times(2)), at_least(W, H), at_least(H, constant(1))])
    )
    flat = cube.onto(["W", "H"])
    assert flat.symbols == ("H", "W")
    assert (3, 5) in flat
    assert (5, 3) not in flat
    even = cube.onto(["D"])
    assert even == SizeSet.where(["D"], all_of([divisible(symbol("D"), 2), at_least(symbol("D"), constant(2))]))
    lifted = even.lifted(("H", "D", "W"))
    assert (7, 4, -3) in lifted
    assert (4, 7, 4) not in lifted
    assert lifted.onto(["D"]) == even


def test_a_set_without_symbols_is_a_truth_value() -> None:
    assert () in SizeSet.universe(())
    assert not SizeSet.empty(())
    assert str(SizeSet.universe(())) == "every size"
    assert SizeSet.universe(()).sample() == {}
    assert list(SizeSet.universe(()).members()) == [{}]


def test_what_has_no_end_has_no_smallest_or_least() -> None:
    below = SizeSet.where(["H"], at_least(constant(5), H))
    assert below.smallest() is None
    assert below.least(H) is None
    assert below.least(H.times(-1)) == -5
    assert not below.finite
    assert below.nearest({"H": 9}, above=True) is None
    assert below.nearest({"H": 9}, above=False) == {"H": 5}


def test_a_far_sample_and_a_small_one() -> None:
    far = SizeSet.where(SYMBOLS, all_of([at_least(H, constant(10**6)), equal(W, H)]))
    assert far.sample() == {"H": 10**6, "W": 10**6}
    near = SizeSet.where(SYMBOLS, all_of([divisible(H, 7), at_least(H, constant(1)), equal(W, H)]))
    assert near.sample() == {"H": 7, "W": 7}


def test_sets_over_other_symbols_are_not_equal() -> None:
    assert SizeSet.universe(["H"]) != SizeSet.universe(["W"])
    assert SizeSet.universe(["H"]) != "H"
    assert hash(SizeSet.universe(["H"])) == hash(SizeSet.empty(["H"]))


def test_a_bound_on_the_smaller_of_two_sides_is_one_box() -> None:
    smaller = extreme("min", H.floor_divide(8), W.floor_divide(8))
    large = SizeSet.where(SYMBOLS, at_least(smaller.times(2).plus(1), constant(35)))
    assert large == SizeSet.where(SYMBOLS, all_of([at_least(H, constant(136)), at_least(W, constant(136))]))
    assert large.piece_count == 1
    small = SizeSet.where(SYMBOLS, at_least(constant(16), smaller))
    assert small == SizeSet.universe(SYMBOLS) - large
    assert small.piece_count == 2
    assert "floor" not in large.isl_text + small.isl_text


def test_a_set_survives_pickling_with_its_periods() -> None:
    sizes = SizeSet.where(SYMBOLS, all_of([divisible(H, 16), equal(W.floor_divide(2), H.floor_divide(2))]))
    again = pickle.loads(pickle.dumps(sizes))
    assert again == sizes
    assert (32, 33) in again
    assert set(again.periods()) == set(sizes.periods()) >= {16}


def test_a_limit_that_is_reached_in_the_middle_of_the_members_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    sizes = SizeSet.read(("H",), "{ [H] : exists e : H = 2e and 0 < H <= 4000 }")
    assert len(list(sizes.members())) == 2000
    for operations in (10, 100, 1000, 10_000):
        with pytest.raises(SolverError), limited(operations):
            list(sizes.members())
    assert capfd.readouterr() == ("", "")


def test_a_sum_of_maxima_is_taken_apart_as_far_as_its_cases_can_be_counted() -> None:
    parts = [extreme("max", symbol("H").plus(-3 * step), symbol("W").floor_divide(step)) for step in range(2, 15)]
    few = at_least(sum(parts[:4], start=constant(-30)), constant(0))
    found = SizeSet.where(("H", "W"), few)
    assert all(((h, w) in found) == few.holds({"H": h, "W": w}) for h in range(1, 24, 3) for w in range(1, 40, 4))
    with pytest.raises(Undecidable, match="too many minima and maxima"):
        SizeSet.where(("H", "W"), at_least(sum(parts, start=constant(0)), constant(0)))
