"""The divisors of a number; and when a product is no multiple of it, prime by prime, so that no solver has to
complement the multiples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt

from shapelint.size.condition import Compare, Condition, all_of, any_of
from shapelint.size.function import Function, constant


def indivisible(factors: Sequence[Function], number: int) -> Condition:
    """Some prime p divides the number n times, and all the factors together fewer times."""
    return any_of(_fewer(factors, prime, times) for prime, times in _prime_factors(number))


def divisors(number: int) -> list[int]:
    """The positive divisors of a positive number, the smallest first, found up to its root."""
    small = [value for value in range(1, isqrt(number) + 1) if number % value == 0]
    return [*small, *(number // value for value in reversed(small) if value * value != number)]


def _fewer(factors: Sequence[Function], prime: int, times: int) -> Condition:
    """The first factor has the prime some times exactly, and the others have what is left less often."""
    first, *others = factors
    if not others:
        return _rest(first, prime**times)
    return any_of(
        all_of([_multiple(first, prime**each), _rest(first, prime ** (each + 1)), _fewer(others, prime, times - each)])
        for each in range(times)
    )


def _multiple(function: Function, number: int) -> Condition:
    return Compare(function - function.floor_divide(number).times(number), equal=True)


def _rest(function: Function, number: int) -> Condition:
    return Compare(function - function.floor_divide(number).times(number) - constant(1), equal=False)


def _prime_factors(number: int) -> Iterator[tuple[int, int]]:
    prime = 2
    while number > 1:
        times = 0
        while number % prime == 0:
            number, times = number // prime, times + 1
        if times:
            yield prime, times
        prime = prime + 1 if prime * prime <= number else max(number, prime + 1)
