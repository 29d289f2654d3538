"""Functions of symbols: one canonical form, values like Python's, and texts that read back as the same function."""

from __future__ import annotations

import operator
import pickle
from itertools import product as grid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapelint.errors import SpecError
from shapelint.size.division import divide_exactly
from shapelint.size.expression import parse_function
from shapelint.size.function import Function, NotQuasiAffine, constant, extreme, symbol
from shapelint.size.substitution import with_values

H, W = symbol("H"), symbol("W")
POINTS = [{"H": h, "W": w} for h, w in grid((-3, 0, 1, 2, 5, 8, 17, 63, 64, 1000), (-1, 1, 4, 9, 30))]


class Tree:
    """A drawn expression: its text in Python and its function."""

    def __init__(self, text: str, function: Function) -> None:
        self.text, self.function = text, function

    def __repr__(self) -> str:
        return self.text


def _joined(draw: st.DrawFn, left: Tree, right: Tree) -> Tree:
    match draw(st.sampled_from(["+", "-", "//", "times", "min", "max", "*"])):
        case "+":
            return Tree(f"({left.text} + {right.text})", left.function + right.function)
        case "-":
            return Tree(f"({left.text} - {right.text})", left.function - right.function)
        case "//":
            divisor = draw(st.sampled_from([-7, -2, -1, 1, 2, 3, 4, 6, 16]))
            return Tree(f"({left.text} // {divisor})", left.function.floor_divide(divisor))
        case "times":
            factor = draw(st.integers(-4, 4))
            return Tree(f"({left.text} * {factor})", left.function.times(factor))
        case "*":
            return Tree(f"({left.text} * {right.text})", left.function * right.function)
        case name:
            return Tree(f"{name}({left.text}, {right.text})", extreme(name, left.function, right.function))


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Tree:
    if depth == 0 or draw(st.booleans()):
        number = draw(st.integers(-9, 20))
        leaf = Tree(f"({number})", constant(number))
        return draw(st.sampled_from([leaf, Tree("H", H), Tree("W", W)]))
    left, right = draw(trees(depth=depth - 1)), draw(trees(depth=depth - 1))
    return _joined(draw, left, right)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(trees())
def test_a_function_has_the_value_that_python_computes(tree: Tree) -> None:
    compiled = compile(tree.text, "drawn", "eval")
    for values in POINTS:
        assert tree.function.value(values) == eval(compiled, {"min": min, "max": max}, dict(values))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(trees())
def test_the_text_of_a_function_is_python_and_reads_back_as_the_same_function(tree: Tree) -> None:
    function, text = tree.function, str(tree.function)
    for values in POINTS[::7]:
        assert eval(text, {"min": min, "max": max}, dict(values)) == function.value(values)
    assert parse_function(text) is function
    assert pickle.loads(pickle.dumps(function)) is function


@settings(max_examples=80, deadline=None, derandomize=True)
@given(trees(), trees(), trees())
def test_the_laws_of_a_ring_hold_for_the_form_itself(one: Tree, two: Tree, three: Tree) -> None:
    a, b, c = one.function, two.function, three.function
    assert a + b is b + a
    assert a * b is b * a
    assert (a + b) + c is a + (b + c)
    assert (a * b) * c is a * (b * c)
    assert a * (b + c) is a * b + a * c
    assert a - a is constant(0)
    assert a.times(3) is a + a + a
    assert extreme("max", a, b) is extreme("max", b, a)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(trees(), st.integers(1, 9), st.integers(1, 9), st.integers(-20, 20))
def test_what_the_form_promises_to_unify_is_one_object(tree: Tree, first: int, second: int, shift: int) -> None:
    function = tree.function
    assert function.times(first).floor_divide(first) is function
    assert function.plus(shift * first).floor_divide(first) is function.floor_divide(first).plus(shift)
    assert function.times(second * first).floor_divide(first) is function.times(second)
    assert function.floor_divide(-first) is function.times(-1).floor_divide(first)


def test_the_halves_of_a_rounded_up_size_stay_one_floor_however_it_was_rounded() -> None:
    """Otherwise each halving in a loop would add a floor to the last, and isl's steps grow with their number."""
    eighths = W.times(-1).floor_divide(8).times(-1)  # (W + -W % 8) // 8
    larger_half = H - H.floor_divide(2)  # H // 2 + H % 2
    assert str(eighths.plus(1).floor_divide(2)) == "(W + 15)//16"
    assert str(larger_half.plus(1).floor_divide(2)) == "(H + 3)//4"
    assert str((H + H.floor_divide(2)).plus(1).floor_divide(2).plus(1).floor_divide(2)) == "(3*H + 6)//8"


@pytest.mark.parametrize(("pieces", "step"), [(3, 1), (4, 2), (12, 1), (2, 5)])
def test_the_floors_of_all_pieces_add_up_to_the_whole(pieces: int, step: int) -> None:
    rows = symbol("H").times(3) + symbol("W").plus(1)
    floors = [rows.plus(step * piece).floor_divide(step * pieces) for piece in range(pieces)]
    assert sum(floors, start=constant(0)) is rows.floor_divide(step)
    values = {"H": 7, "W": 9}
    most = sum(floors[1:], start=symbol("H"))
    assert most.value(values) == 7 + sum(each.value(values) for each in floors[1:])


@pytest.mark.parametrize("name", ["H", "H + W + 5"])
def test_nested_floors_of_a_symbol_are_one_floor(name: str) -> None:
    function = parse_function(name)
    assert function.floor_divide(2).floor_divide(3) is function.floor_divide(6)
    assert function.floor_divide(2).plus(5).floor_divide(2) is function.plus(10).floor_divide(4)
    strided = function
    for _ in range(4):
        strided = strided.plus(-1).floor_divide(2).plus(1)
    assert strided is function.plus(-1).floor_divide(16).plus(1)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (H.floor_divide(2), "H//2"),
        (H.floor_divide(2).times(-1), "-(H//2)"),
        (W - H.floor_divide(2), "W - H//2"),
        (H.times(-1).floor_divide(2), "H//2 - H"),
        (H.plus(-1).floor_divide(2).times(2).plus(1), "2*((H + 1)//2) - 1"),
        (W.times(-1) + symbol("D"), "D - W"),
        (W * symbol("D"), "D*W"),
        (extreme("max", H, W).plus(3).floor_divide(2), "(max(H, W) + 1)//2 + 1"),
        (extreme("min", H, constant(4)).floor_divide(3), "min(4, H)//3"),
        ((extreme("min", H, constant(4)) * W).floor_divide(3), None),
        (H * W, "H*W"),
        (constant(0), "0"),
        (constant(-7), "-7"),
    ],
)
def test_a_function_is_written_as_python(function: Function, text: str | None) -> None:
    assert text is None or str(function) == text
    assert parse_function(str(function)) is function


def test_a_function_knows_what_it_depends_on() -> None:
    function = extreme("max", H.floor_divide(2), W * W)
    assert function.symbols() == {"H", "W"}
    assert (function - function).symbols() == frozenset()
    assert not function.affine
    assert extreme("max", H.floor_divide(2), W).affine
    assert constant(4).constant == 4
    assert H.constant is None
    assert (H - H.plus(3)).constant == -3


def test_extremes_of_functions_with_a_constant_difference_are_no_extremes() -> None:
    assert extreme("max", H, H.plus(2)) is H.plus(2)
    assert extreme("min", H, H.plus(2)) is H
    assert extreme("min", H, H) is H


@settings(max_examples=80, deadline=None, derandomize=True)
@given(trees(depth=2), trees(depth=2))
def test_a_product_divided_by_a_factor_is_the_other_factor(one: Tree, two: Tree) -> None:
    first, second = one.function, two.function
    if second is constant(0):
        with pytest.raises((NotQuasiAffine, ZeroDivisionError)):
            divide_exactly(first * second, second)
    else:
        assert divide_exactly(first * second, second) is first


@pytest.mark.parametrize(("dividend", "divisor"), [(H, W), (H.plus(1), constant(2)), (H * H + W, H), (constant(6), H)])
def test_what_is_no_factor_does_not_divide_exactly(dividend: Function, divisor: Function) -> None:
    with pytest.raises(NotQuasiAffine):
        divide_exactly(dividend, divisor)


def test_a_division_by_zero_is_one() -> None:
    with pytest.raises(ZeroDivisionError):
        H.floor_divide(0)


@pytest.mark.parametrize("text", ["H//W", "H/2", "H**2", "sqrt(H)", "H//0", "True", "H +", "2.5", "min(H)", ""])
def test_what_is_no_dimension_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_function(text)
    assert repr(text) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_operators_need_no_symbol_order() -> None:
    late, early = symbol("Zed"), symbol("Alpha")
    for combine in (operator.add, operator.mul):
        assert combine(late, early) is combine(early, late)


def test_nested_extremes_are_one_object_however_deep_and_in_whatever_order_they_are_made() -> None:
    one = two = symbol("H")
    for step in range(1, 60):
        other = symbol("W").times(step)
        one = extreme("min", one + one.floor_divide(2), extreme("max", other, one))
        two = extreme("min", extreme("max", two, other), two.floor_divide(2) + two)
    assert one is two
    assert one.value({"H": 7, "W": 2}) == two.value({"H": 7, "W": 2})


def test_a_number_takes_the_place_of_a_symbol_in_what_is_nested_60_deep() -> None:
    nested = symbol("H")
    for step in range(60):  # without memory a step doubles the work
        nested = extreme("min", nested.times(2), nested + symbol("W").times(step))
    there = with_values(nested, {"W": 3})
    assert there.value({"H": 5}) == nested.value({"H": 5, "W": 3})
