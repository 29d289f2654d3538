"""What is asked of a model: symbols, the domain, the sizes somebody cares about, and the size of the first run."""

from __future__ import annotations

import pytest

from shapelint.errors import SpecError
from shapelint.request.inputs import parse_inputs
from shapelint.request.question import Question, question
from shapelint.request.spec import parse_sizes
from shapelint.size import SizeSet, symbol


def ask(inputs: object, sizes: object = None, axes: tuple[int, ...] | None = None) -> Question:
    return question(parse_inputs(inputs), parse_sizes(sizes) if sizes else {}, axes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "symbols", "axes", "first"),
    [
        ("1,3,6,8", ("H", "W"), (2, 3), {"H": 6, "W": 8}),
        ("1,3,16000", ("L",), (2,), {"L": 16000}),
        ("1,3,8,16,24", ("D", "H", "W"), (2, 3, 4), {"D": 8, "H": 16, "W": 24}),
        ("4,10", (), (), {}),
        ("1,2,3,4,5,6", (), (), {}),
    ],
)
def test_a_concrete_spec_asks_for_one_size_and_gets_symbols_all_the_same(
    spec: str, symbols: tuple[str, ...], axes: tuple[int, ...], first: dict[str, int]
) -> None:
    asked = ask(spec)
    assert asked.concrete
    assert (asked.symbols, asked.axes, asked.first) == (symbols, axes, first)
    assert asked.asked == SizeSet.point(symbols, first)
    assert asked.asked <= asked.domain
    assert asked.target == tuple(map(symbol, symbols))


def test_other_axes_may_be_the_spatial_ones() -> None:
    asked = ask("1,32,32,3", axes=(1, 2))
    assert asked.target == (symbol("H"), symbol("W"))
    assert [str(dim) for dim in next(asked.inputs.tensors()).dims] == ["1", "H", "W", "3"]


def test_inputs_of_the_same_spatial_size_share_the_symbols() -> None:
    asked = ask(["1,3,32,48", "1,1,32,48", "1,3,16,16", "1,77"])
    shapes = [[str(dim) for dim in tensor.dims] for tensor in asked.inputs.tensors()]
    assert shapes == [["1", "3", "H", "W"], ["1", "1", "H", "W"], ["1", "3", "16", "16"], ["1", "77"]]


def test_symbols_alone_ask_for_nothing_in_particular() -> None:
    asked = ask("1,3,H,W")
    assert not asked.concrete
    assert asked.asked is None
    assert str(asked.domain) == "every size"
    assert asked.first in asked.domain
    assert asked.first["H"] != asked.first["W"]


def test_expressions_bound_the_domain_and_not_more() -> None:
    asked = ask(["1,3,16*K,H//8", "1,3,H - 4,W"])
    assert asked.symbols == ("K", "H", "W")
    for k, h, w in ((1, 8, 1), (3, 9, 7)):
        assert (k, h, w) in asked.domain
    for k, h, w in ((0, 8, 1), (1, 7, 1), (1, 8, 0)):
        assert (k, h, w) not in asked.domain
    assert [str(dim) for dim in asked.target] == ["16*K", "H//8"]


@pytest.mark.parametrize(
    ("sizes", "inside", "outside"),
    [
        ({"H": range(32, 129, 32)}, [(32, 1), (128, 7)], [(33, 1), (160, 1), (0, 1)]),
        ({"H": [5, 7], "W": range(9, 10)}, [(5, 9), (7, 9)], [(6, 9), (5, 10)]),
        ({"H": range(10, 3, -3)}, [(10, 2), (7, 2), (4, 2)], [(1, 2), (13, 2), (9, 2)]),
    ],
)
def test_asked_sizes_are_those_of_the_ranges(
    sizes: object, inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    asked = ask("1,3,H,W", sizes)
    assert asked.asked is not None
    assert all(point in asked.asked for point in inside)
    assert not any(point in asked.asked for point in outside)
    assert asked.first in asked.asked


def test_sizes_of_a_concrete_spec_replace_its_size() -> None:
    asked = ask("1,3,6,6", {"H": [8, 9]})
    assert asked.asked is not None
    assert (8, 6) in asked.asked
    assert (8, 100) not in asked.asked
    assert (6, 6) not in asked.asked


@pytest.mark.parametrize(
    ("spec", "sizes", "said"),
    [
        ("1,3,H,W", {"D": [1]}, "sizes are given for D, but the symbols are H, W"),
        ("1,10", {"H": [1]}, "sizes are given for H, but the symbols are none"),
        ("1,3,H - 40,W", {"H": [3]}, "no size that is asked for is an input size: a dimension would be below 1"),
        ([], None, "no input tensor is given; write a spec such as 1,3,H,W"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_one_line(spec: object, sizes: object, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        ask(spec, sizes)
    assert str(raised.value) == said
