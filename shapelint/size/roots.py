"""The side of a square: the square root of a number of tokens `h * w`, on the path where it is a whole one."""

from __future__ import annotations

from math import isqrt
from typing import Any

from shapelint.size.bound import never_negative
from shapelint.size.condition import equal, factors
from shapelint.size.number import function_of, tracked_size
from shapelint.size.tracking import tracker


def whole_root(number: Any) -> Any:
    """The square root of a size as a size; None where it is none of the product of two equal sizes.

    Of `4*h*w` it is `2*h` where h and w are equal, for which the run is asked. A double's root of a square below 2**62
    is exact.
    """
    listener, function = tracker(), function_of(number)
    if listener is None or function.constant is not None:
        return None
    scale, sides = 1, []
    for factor in factors(function):
        if factor.constant is None:
            sides.append(factor)
        else:
            scale *= factor.constant
    if scale < 1 or isqrt(scale) ** 2 != scale or len(sides) != 2 or not all(map(never_negative, sides)):
        return None
    one, two = sides
    same = one.value(listener.sizes) == two.value(listener.sizes)
    if one is not two and not listener.takes(equal(one, two), same):
        return None
    side = one.times(isqrt(scale))
    return tracked_size(side.value(listener.sizes), side)
