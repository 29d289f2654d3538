"""After how many steps of its symbol a function repeats, apart from a straight line, and what that tells."""

from __future__ import annotations

from contextlib import suppress
from math import gcd, lcm

from shapelint.size.atoms import Extreme, Symbol
from shapelint.size.function import Atom, Function, NotQuasiAffine

LONGEST_PERIOD = 256  # up to which a function is computed step by step


def atom_period(atom: Atom) -> tuple[int, int]:
    """(period, step): an atom of one symbol grows by `step` when the symbol grows by `period`.

    Raises NotQuasiAffine for a product, and for the extreme of two functions that grow at different rates.
    """
    if isinstance(atom, Symbol):
        return 1, 1
    if isinstance(atom, Extreme):
        (one, first), (two, second) = function_period(atom.first), function_period(atom.second)
        period = lcm(one, two)
        if first * (period // one) != second * (period // two):
            raise NotQuasiAffine(f"{atom} does not repeat")
        return period, first * (period // one)
    period, step = function_period(atom.numerator)
    times = atom.divisor // gcd(atom.divisor, step)
    return period * times, step * times // atom.divisor


def function_period(function: Function) -> tuple[int, int]:
    """(period, step) of a function of at most one symbol, as of an atom.

    Raises NotQuasiAffine where symbols are multiplied.
    """
    if not function.affine:
        raise NotQuasiAffine(str(function))
    parts = [(*atom_period(monomial[0]), value) for monomial, value in function.terms if monomial]
    period = lcm(1, *(each for each, _, _ in parts))
    return period, sum(step * (period // each) * value for each, step, value in parts)


def value_where(function: Function, where: Function, wanted: int) -> int | None:
    """The one value of a function where another one has the wanted value, both of one symbol and repeating."""
    if function.constant is not None:
        return function.constant
    names = function.symbols() | where.symbols()
    if len(names) > 1:
        return None
    with suppress(NotQuasiAffine):
        periods, steps = zip(function_period(function), function_period(where), strict=True)
        period = lcm(*periods)
        if period <= LONGEST_PERIOD and not any(steps):
            points = [dict.fromkeys(names, start) for start in range(1, 1 + period)]
            found = {function.value(at) for at in points if where.value(at) == wanted}
            return found.pop() if len(found) == 1 else None
    return None
