"""The member of a set of sizes that is nearest to a given size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from shapelint.size.condition import equal
from shapelint.size.function import Function, constant, symbol
from shapelint.size.sets import SizeSet


def nearest_member(sizes: SizeSet, values: Mapping[str, int], *, above: bool) -> dict[str, int] | None:
    """The member at least (`above`) or at most `values` in every axis with the smallest sum of distances."""
    half = sizes.at_least(values) if above else sizes.at_most(values)
    total = reduce(Function.__add__, map(symbol, sizes.symbols), constant(0))
    total = total if above else total.times(-1)
    least = half.least(total)
    if least is None:
        return None
    return (half & SizeSet.where(sizes.symbols, equal(total, constant(least)))).smallest()
