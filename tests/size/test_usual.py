"""Sizes that people use, of those that fit: multiples of the stride, squares where few fit."""

from shapelint.size.sets import SizeSet
from shapelint.size.usual import closest, usual

STEPS = {"H": 32, "W": 32}
AT_400 = {"H": 400, "W": 400}


def read(condition: str) -> SizeSet:
    return SizeSet.read(("H", "W"), f"{{ [H, W] : {condition} }}")


def test_a_multiple_of_the_stride_within_a_step_of_the_nearest_comes_before_it() -> None:
    fits = read("H > 0 and W > 0 and ((H + 30) mod 32 >= 29) and ((W + 30) mod 32 >= 29)")
    assert fits.nearest(AT_400, above=False) == {"H": 385, "W": 385}
    assert usual(fits, AT_400, STEPS, above=False) == {"H": 384, "W": 384}
    assert usual(fits, AT_400, STEPS, above=True) == {"H": 416, "W": 416}


def test_where_no_multiple_is_near_the_nearest_is_taken() -> None:
    fits = read("H > 0 and W > 0 and (H mod 32 = 24 or H = 64) and W mod 32 = 24")
    assert usual(fits, AT_400, STEPS, above=False) == {"H": 376, "W": 376}


def test_of_finitely_many_sizes_a_square_one_is_taken() -> None:
    pinned = read("(23 <= H <= 24 and 343 <= W <= 344) or (83 <= H <= 84 and 83 <= W <= 84)")
    assert pinned.nearest({"H": 64, "W": 400}, above=False) == {"H": 24, "W": 344}
    assert closest(pinned, {"H": 64, "W": 128}, {"H": 2, "W": 2}) == {"H": 84, "W": 84}
    assert usual(pinned, {"H": 100, "W": 400}, {"H": 2, "W": 2}, above=False) == {"H": 84, "W": 84}


def test_there_is_none_where_no_size_fits_on_that_side() -> None:
    assert usual(read("H = W and H >= 416"), AT_400, STEPS, above=False) is None
    assert closest(read("false"), AT_400, STEPS) is None
