"""Sizes that people use: of those that fit, a multiple of the model's stride, and a square where few fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from shapelint.size.condition import Condition, all_of, equal
from shapelint.size.function import symbol
from shapelint.size.sets import SizeSet


def square(sizes: SizeSet, names: Collection[str] | None = None) -> SizeSet:
    """The members with the same size along the named axes, or along every axis."""
    first, *others = sizes.symbols if names is None else [name for name in sizes.symbols if name in names] or [""]
    return SizeSet.where(sizes.symbols, all_of(equal(symbol(name), symbol(first)) for name in others)) & sizes


def on_lattice(sizes: SizeSet, steps: Mapping[str, int]) -> SizeSet:
    """The members whose every named axis is a multiple of its step."""
    return congruent(sizes, dict.fromkeys(steps, 0), steps)


def congruent(sizes: SizeSet, start: Mapping[str, int], steps: Mapping[str, int]) -> SizeSet:
    """The members that lie whole steps from `start` along every named axis."""
    parts: list[Condition] = []
    for name, step in steps.items():
        away = symbol(name).plus(-(start[name] % step))
        parts += [] if step == 1 else [equal(away, away.floor_divide(step).times(step))]
    return SizeSet.where(sizes.symbols, all_of(parts)) & sizes


def usual(sizes: SizeSet, near: Mapping[str, int], steps: Mapping[str, int], *, above: bool) -> dict[str, int] | None:
    """The member at least (`above`) or at most `near` in every axis that people would use; None where there is none.

    `steps` is the model's stride by the spatial axes. A multiple of it is taken where one lies within a step of the
    nearest member, and where finitely many members fit, a square one, unless that changes both sides of a size that is
    no square.
    """
    nearest = sizes.nearest(near, above=above)
    if nearest is None:
        return None
    whole = on_lattice(sizes, steps)
    kept = len({near[name] for name in steps}) > 1 and any(near[name] == nearest[name] for name in steps)
    if sizes.finite and len(steps) > 1 and not kept:
        squares = (square(each, steps).nearest(near, above=above) for each in (whole, sizes))
        found = next((each for each in squares if each is not None), None)
        if found is not None:
            return found
    found = whole.nearest(near, above=above)
    close = found is not None and all(abs(found[name] - nearest[name]) < step for name, step in steps.items())
    return found if close else nearest


def closest(sizes: SizeSet, near: Mapping[str, int], steps: Mapping[str, int]) -> dict[str, int] | None:
    """The member to show, on whichever side of `near`: square and a multiple of the stride before any other."""
    squares = square(sizes, steps) if steps else sizes
    axis = next(iter(steps), "")
    centre = {**near, **dict.fromkeys(steps, near.get(axis, 1))}
    for group, point in ((on_lattice(squares, steps), centre), (squares, centre), (sizes, near)):
        sides = (group.nearest(point, above=above) for above in (False, True))
        found = [each for each in sides if each is not None]
        if found:
            return min(found, key=lambda each: sum(abs(value - point[name]) for name, value in each.items()))
    return None
