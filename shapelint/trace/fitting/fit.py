"""A formula for numbers that were seen at trial sizes: floor((a n + b)/P) of a dimension n, sums and products.

Each formula is made from some of the trials and must hold at all of them. That is evidence, not proof.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations_with_replacement

from shapelint.size.condition import product
from shapelint.size.function import Function, constant, extreme
from shapelint.trace.fitting.trials import Trial

Seen = Sequence[tuple[Trial, int]]
_FEWEST = 6
_MOST_JUMPS = 4
_MOST_FACTORS = 8


def fitted(candidates: Sequence[Function], seen: Seen) -> Function | None:
    """The simplest function of the candidates that has the value seen at every trial; None where there is none.

    The first trial is at this run's own sizes.
    """
    values = [value for _, value in seen]
    if len(set(values)) == 1:
        return constant(values[0]) if len(values) >= _FEWEST else None
    forms = (_shifted, _single, _clamped, _separate, _products)
    found = (each for form in forms for each in form(candidates, seen))
    return next((function for function in found if agrees(function, seen)), None)


def agrees(function: Function, seen: Seen) -> bool:
    """Whether the function has the value seen at every trial."""
    return all(function.value(trial.sizes) == value for trial, value in seen)


def _shifted(candidates: Sequence[Function], seen: Seen) -> Iterator[Function]:
    trial, value = seen[0]
    return (each.plus(value - each.value(trial.sizes)) for each in candidates)


def _near(seen: Seen) -> Seen:
    return [(trial, value) for trial, value in seen if not trial.held]


def _single(candidates: Sequence[Function], seen: Seen) -> Iterator[Function]:
    """A step function of one candidate."""
    for candidate in candidates:
        pairs = _pairs(candidate, _near(seen))
        if pairs is not None:
            yield from _steps(candidate, pairs)


def _pairs(candidate: Function, seen: Seen) -> dict[int, int] | None:
    """The value at each size that the candidate takes; None where that is no function of it."""
    pairs: dict[int, int] = {}
    for trial, value in seen:
        if pairs.setdefault(candidate.value(trial.sizes), value) != value:
            return None
    return pairs if len(pairs) >= _FEWEST else None


def _steps(candidate: Function, pairs: Mapping[int, int]) -> Iterator[Function]:
    """Functions of a candidate n that grow by a where n grows by a period P."""
    first = min(pairs)
    gap = math.gcd(*(n - first for n in pairs))
    start = first % gap
    numbered = {(n - start) // gap: value for n, value in pairs.items()}
    for period in range(1, len(pairs) // 2 + 1):
        rises = {numbered[m + period] - value for m, value in numbered.items() if m + period in numbered}
        if len(rises) == 1 and len({m % period for m in numbered}) == period:
            rise = rises.pop()
            line = _line(numbered, rise, period)
            if line is not None:
                yield _divided(candidate.times(rise).plus(line * gap - rise * start), period * gap)
            else:
                yield from _table(candidate.plus(-start).floor_divide(gap), numbered, rise, period)


def _line(numbered: Mapping[int, int], rise: int, period: int) -> int | None:
    """The b for which floor((a m + b)/P) has all the values."""
    lowest = max(period * value - rise * m for m, value in numbered.items())
    highest = min(period * value - rise * m for m, value in numbered.items()) + period - 1
    if lowest > highest:
        return None
    return 0 if lowest <= 0 <= highest else lowest


def _divided(function: Function, divisor: int) -> Function:
    """floor(function / divisor) without their common factor, which the constant term need not share."""
    common = math.gcd(divisor, *(value for monomial, value in function.terms if monomial))
    terms = tuple((monomial, value // common) for monomial, value in function.terms)
    reduced = Function(tuple(term for term in terms if term[1]))
    return reduced.floor_divide(divisor // common)


def _table(m: Function, numbered: Mapping[int, int], rise: int, period: int) -> Iterator[Function]:
    """Any periodic growth: one floor for each residue at which the value jumps."""
    level = {index % period: value - rise * (index // period) for index, value in numbered.items()}
    jumps = {residue: level[residue] - level[residue - 1] for residue in range(1, period)}
    jumps = {residue: jump for residue, jump in jumps.items() if jump}
    if len(jumps) > _MOST_JUMPS:
        return
    whole = m.floor_divide(period)
    result = whole.times(rise).plus(level[0])
    for residue, jump in jumps.items():
        result = result + (m.plus(period - residue).floor_divide(period) - whole).times(jump)
    yield result


def _clamped(candidates: Sequence[Function], seen: Seen) -> Iterator[Function]:
    """A step function that is cut off below or above."""
    for name, bound in (("max", min(value for _, value in seen)), ("min", max(value for _, value in seen))):
        inside = [(trial, value) for trial, value in seen if value != bound]
        if len(inside) >= _FEWEST and len(seen) - len(inside) > 2:
            forms = (function for form in (_shifted, _single) for function in form(candidates, inside))
            yield from (extreme(name, function, constant(bound)) for function in forms if agrees(function, inside))


def _separate(candidates: Sequence[Function], seen: Seen) -> Iterator[Function]:
    """Sums and products of functions of one symbol each."""
    value = seen[0][1]
    axes = [_axis(name, seen) for name in sorted({trial.axis for trial, _ in seen} - {""})]
    axes = [axis for axis in axes if len({value for _, value in axis}) > 1]
    if len(axes) < 2:
        return
    parts = [_along(candidates, axis) for axis in axes]
    if all(part is not None for part in parts):
        yield reduce(Function.__add__, (part for part in parts if part)).plus(-value * (len(parts) - 1))
    yield from _multiplied(candidates, axes, value)


def _axis(name: str, seen: Seen) -> Seen:
    return [seen[0], *((trial, value) for trial, value in seen if trial.axis == name)]


def _along(candidates: Sequence[Function], axis: Seen) -> Function | None:
    found = (each for form in (_shifted, _single) for each in form(candidates, axis))
    return next((function for function in found if agrees(function, axis)), None)


def _multiplied(candidates: Sequence[Function], axes: Sequence[Seen], value: int) -> Iterator[Function]:
    """The product of one function for each axis, each without the factor that it has everywhere."""
    result, rest = constant(1), value
    for axis in axes:
        common = math.gcd(*(each for _, each in axis))
        part = _along(candidates, [(trial, each // common) for trial, each in axis]) if common else None
        here = 0 if part is None else part.value(axis[0][0].sizes)
        if part is None or not here or rest % here:
            return
        result, rest = product(result, part), rest // here
    yield result.times(rest)


def _products(candidates: Sequence[Function], seen: Seen) -> Iterator[Function]:
    """c times two or three candidates, plus d; the third power of one would be no shape."""
    choices = [each for each in candidates if each.constant is None][:_MOST_FACTORS]
    for count in (2, 3):
        for parts in combinations_with_replacement(choices, count):
            line = _scaled(reduce(product, parts), seen)
            if line is not None:
                yield line


def _scaled(function: Function, seen: Seen) -> Function | None:
    """c function + d through the first trial and one at which the function differs."""
    value, here = seen[0][1], function.value(seen[0][0].sizes)
    for trial, there in seen[1:]:
        moved = function.value(trial.sizes) - here
        if moved:
            slope, rest = divmod(there - value, moved)
            return None if rest else function.times(slope).plus(value - slope * here)
    return None
