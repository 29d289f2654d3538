"""A name says nothing of what is called: builtins beside attributes, globals and variables of the same name."""

from __future__ import annotations

import functools
import math
import operator
import statistics
from collections.abc import Callable
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import shapelint
from tests.oracle import attempt, given

MARKED = [0] * 37 + [1] + [0] * 26
HALF = 0.5
SIDES = ((1, 1), (2, 5), (6, 3), (8, 8), (37, 20))


class Net(nn.Module):
    """A method and an attribute with names of builtins."""

    min = 2

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.max = 5

    def sum(self, x: Tensor) -> Tensor:
        return x[..., : self.max]


def a_float(net: Any, x: Tensor) -> Tensor:
    return x[..., : int(float(x.shape[-1]) / 2)].float()


def an_int(net: Any, x: Tensor) -> Tensor:
    return net.conv(x)[..., : int(x.shape[-1] / 2)].int()


def a_largest(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    return y[..., : max(y.shape[-2:]) - net.max] / torch.max(y) / y.max()


def a_smallest(net: Any, x: Tensor) -> Tensor:
    side = min(x.shape[-2:])
    return x[..., :side, : side // net.min] - x.min()


def a_sum(net: Any, x: Tensor) -> Tensor:
    return sum([net.conv(x), net.conv(x)]) / net.sum(x).sum() + sum(x.shape[2:])


def a_power(net: Any, x: Tensor) -> Tensor:
    return x.pow(2)[..., : pow(2, 3)]


def written_and_read(net: Any, x: Tensor) -> Tensor:
    net.max = max(x.shape[-2:])
    return net.sum(x)  # type: ignore[no-any-return]


def a_variable(net: Any, x: Tensor) -> Tensor:
    max = min  # noqa: A001
    return x[..., : max(x.shape[-2:])]


def a_local_function(net: Any, x: Tensor) -> Tensor:
    def min(one: int, two: int) -> int:  # noqa: A001
        return max(one, two) + 1

    return x.new_zeros(min(*x.shape[-2:]))


def another_name(net: Any, x: Tensor) -> Tensor:
    whole = int
    return x[..., : whole(x.shape[-1] * HALF)]


def imported(net: Any, x: Tensor) -> Tensor:
    from math import ceil

    return x[..., : ceil(x.shape[-1] / 3)]


def nested(net: Any, x: Tensor) -> Tensor:
    class Crop:
        side = max(1, min(x.shape[-2:]) // 2)

        def __getitem__(self, y: Tensor) -> Tensor:
            return (lambda whole: whole[..., : max(2, self.side)])(y - y.max())

    return Crop()[x]


NAMED: list[Callable[[Any, Tensor], Tensor]] = [
    a_float, an_int, a_largest, a_smallest, a_sum, a_power, written_and_read, a_variable, a_local_function,
    another_name, imported, nested,
]  # fmt: skip


@pytest.mark.parametrize("forward", NAMED)
def test_what_is_called_decides_not_its_name(forward: Callable[[Any, Tensor], Tensor]) -> None:
    class Named(Net):
        def forward(self, x: Tensor) -> Tensor:
            return forward(self, x)

    found = shapelint.check(Named, "1,3,H,W").contract
    assert found.proved, [region.why for region in found.regions]
    for height, width in SIDES:
        seen = attempt(Named().eval(), torch.zeros(1, 3, height, width))
        assert found.outcome(H=height, W=width).outputs == given(seen), (height, width)


class Vector:
    """What Python itself calls, and a property."""

    def __init__(self, height: int) -> None:
        self.height = height

    def __add__(self, other: int) -> bool:
        return MARKED[self.height % 64] == other

    def __contains__(self, other: int) -> bool:
        return self + other

    def __iter__(self) -> Any:
        yield self + 1

    @property
    def marked(self) -> bool:
        return self + 1


@functools.singledispatch
def dispatched(height: object) -> bool:
    raise TypeError(height)


@dispatched.register
def _(height: int) -> bool:
    return MARKED[height % 64] == 1


class Even(int):
    pass


class Mode(IntEnum):
    ONE, MARK = 1, 37


def sorted_in_place(height: int) -> bool:
    kept: list[float] = [HALF + 36, height]
    kept.sort()
    return kept[1] == 37 and height < 38


def multiplied(height: int) -> bool:
    flag: int = height > 3
    flag *= height
    return flag == 37


def multiplied_in_place(height: int) -> bool:
    held = {"scales": [0.5]}
    held["scales"][0] *= height
    return held["scales"][0] == 18.5


DEEP = {"a": [{"b": {"c": lambda height: MARKED[height % 64] == 1}}]}

LOST: dict[str, Callable[[int], Any]] = {
    "a special method": lambda h: Vector(h) + 1,
    "in": lambda h: 1 in Vector(h),
    "iteration": lambda h: next(iter(Vector(h))),
    "a property": lambda h: Vector(h).marked,
    "a function of a kind": lambda h: dispatched(h),
    "a function in a registry": lambda h: DEEP["a"][0]["b"]["c"](h),  # type: ignore[index]
    "a kind of int": lambda h: Even(h) + 0 == 37,
    "a partial": lambda h: functools.partial(operator.mul, 0.5)(h) == 18.5,
    "reduce": lambda h: functools.reduce(operator.mul, [HALF, h]) == 18.5,
    "map over a method": lambda h: list(map(MARKED.__getitem__, [h % 64])) == [1],
    "max with a float": lambda h: max(h, HALF + 36.5) == 37 and max(h, HALF + 35.5) != 36,
    "sorted with a float": lambda h: sorted([HALF + 36, h])[1] == 37 and sorted([h, HALF + 37, 1])[1] == 37,
    "a slot": lambda h: float.__mul__(0.5, h) == 18.5,
    "a float in a list, multiplied in place": multiplied_in_place,
    "a list sorted in place": sorted_in_place,
    "a truth value on the left": lambda h: (h > 3) * h == 37,
    "a truth value that a size is added to": lambda h: (h % 2 == 1) + h == 38 and h != 38,
    "a truth value, multiplied in place": multiplied,
    "bits of a truth value": lambda h: (h > 3) ^ (h - 37) == 1,
    "an enum on the left": lambda h: h == Mode.MARK and Mode.ONE * h == 37,
    "a complex number": lambda h: 1j * h == 37j,
    "bytes": lambda h: b"%d" % h == b"37",
    "a fraction on the left": lambda h: Fraction(1, 2) * h == 18.5,
    "a tuple with a float": lambda h: (h, 1) == (HALF + 36.5, 1),
    "a dict with a float": lambda h: {"height": h} == {"height": HALF + 36.5},
    "the type of a size": lambda h: type(h) is int and h.__class__ is int and type(h / 2) is float and h == 37,
    "a number of the same type": lambda h: type(h)(h / 2) == 18 and h % 2 == 1,
    "a dict of types": lambda h: {int: MARKED.__getitem__}[type(h)](h % 64),
    "a key of sorted": lambda h: sorted([h % 64, 2], key=MARKED.__getitem__)[1] != 2,
    "a mean": lambda h: statistics.mean([h, h]) == 37,
    "round to tens": lambda h: round(h, -1) == 40 and 2 * h == 74,
    "operator.eq": lambda h: operator.eq(HALF + 36.5, h),
    "eval": lambda h: eval("MARKED[h % 64] == 1", {"MARKED": MARKED, "h": h}),
    "math by another way": lambda h: (lambda module: module.log2(h))(math) == math.log2(37),
}


@pytest.mark.parametrize("name", LOST)
def test_code_that_no_name_leads_to_keeps_sizes_too(name: str) -> None:
    class Cropped(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 1:] if LOST[name](x.shape[1]) else x

    found = shapelint.check(Cropped, "1,H").contract
    assert [found.outcome(H=height).outputs for height in (36, 37, 38)] == [((1, 36),), ((1, 36),), ((1, 38),)]


@pytest.mark.parametrize(
    ("raising", "said"),
    [
        (lambda x: sorted([1, 5], key={1: 2}.__getitem__), "Net does not run: KeyError: 5"),
        (lambda x: max([1, 5], key={1: 2}.__getitem__), "Net does not run: KeyError: 5"),
        (lambda x: True & x[..., 1:], "Net does not run: "),
        (lambda x: int("a"), "Net does not run: ValueError"),
    ],
)
def test_what_a_builtin_raises_is_no_bug_of_ours(raising: Callable[[Tensor], Any], said: str) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return raising(x)

    with pytest.raises(shapelint.ShapelintError, match=said):
        shapelint.check(Net, "1,3,8,8")
