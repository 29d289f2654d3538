"""Floors of products of two axes, as `view(b, c, 16, -1)` and `h * w % 8` leave them, against brute force."""

from __future__ import annotations

from itertools import product

import pytest
from torch import Tensor, nn

import shapelint
from shapelint.size.condition import AllOf, Compare, Condition, Divisible, Not, equal
from shapelint.size.expression import parse_function
from shapelint.size.function import constant, symbol
from shapelint.size.isl_form import Undecidable
from shapelint.size.sets import SizeSet
from shapelint.size.substitution import substituted

_SYMBOLS = ("H", "W")
_SIZES = range(1, 41)
_UNIVERSE = SizeSet.where(_SYMBOLS, AllOf(tuple(Compare(symbol(name).plus(-1), equal=False) for name in _SYMBOLS)))


def _members(found: SizeSet) -> set[tuple[int, int]]:
    return {size for size in product(_SIZES, _SIZES) if size in found}


def _brute(condition: Condition) -> set[tuple[int, int]]:
    return {(h, w) for h, w in product(_SIZES, _SIZES) if condition.holds({"H": h, "W": w})}


@pytest.mark.parametrize("equals", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "H*W - 8*(H*W//8)",  # h * w % 8
        "H*W//8 - 3",
        "5 - 2*(H*W//12)",
        "2*(((H + 1)//2)*((W + 1)//2)//16) - 3",
        "(H + 3)*(W//2)//6 - W + 20",
        "7 - (H*W//5)//3",
        "H*W//5 - 2*(H*W//10)",
        "3*(H*W//30)",
    ],
)
def test_a_floor_of_a_product_is_decided(text: str, equals: bool) -> None:
    condition = Compare(parse_function(text), equals)
    assert _members(_UNIVERSE.meeting(condition)) == _brute(condition)


@pytest.mark.parametrize("number", [2, 7, 12, 36, 72])
@pytest.mark.parametrize("factors", [("H", "W"), ("(H + 1)//2", "W"), ("H", "W//3", "W + H"), ("H",)])
def test_what_a_number_does_not_divide_is_the_rest(number: int, factors: tuple[str, ...]) -> None:
    multiple = Divisible(tuple(map(parse_function, factors)), number)
    assert _members(_UNIVERSE.meeting(Not(multiple))) == _brute(Not(multiple))
    assert _members(_UNIVERSE.meeting(multiple)) == _brute(multiple)


def test_a_part_that_multiplies_sizes_is_told_where_another_fixes_one() -> None:
    hard = Compare(parse_function("H*W//8 - W*W//7"), equal=True)
    with pytest.raises(Undecidable):
        SizeSet.where(_SYMBOLS, hard)
    together = AllOf((hard, equal(symbol("W"), constant(28))))
    assert _members(_UNIVERSE.meeting(together)) == _brute(together) != set()
    assert _members(SizeSet.where(_SYMBOLS, together) & _UNIVERSE) == _brute(together)


@pytest.mark.parametrize("text", ["H*W//8 - W", "min(H, W//2)*3 - H*H", "max(H*W, 12)//5 + W"])
def test_numbers_take_the_place_of_symbols(text: str) -> None:
    for equals, height in product((True, False), (1, 5, 24)):
        condition = Compare(parse_function(text), equals)
        rest = substituted(condition, {"H": height})
        assert [rest.holds({"W": w}) for w in _SIZES] == [condition.holds({"H": height, "W": w}) for w in _SIZES]


@pytest.mark.parametrize("features", [784, 150528])
def test_a_view_by_a_large_number_is_decided_in_a_moment(features: int) -> None:
    class Flat(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.view(-1, features)

    contract = shapelint.check(Flat, "1,3,H,W").contract
    assert contract.proved
    assert contract.outcome(H=224, W=224).ok is (3 * 224 * 224 % features == 0)
    assert contract.outcome(H=225, W=224).ok is (3 * 225 * 224 % features == 0)
    assert ((224, 224) in contract.runs, (225, 223) in contract.runs) == (True, False)
