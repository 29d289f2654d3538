"""By which numbers one product of sizes may be a multiple of another, where these are few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product as grid

from shapelint.caches import kept
from shapelint.size.condition import Condition, all_of, any_of, at_least, equal
from shapelint.size.function import Atom, Function
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.sets import SizeSet
from shapelint.trace.recording.operation import Operation

_MOST = 64
_FAR = (997, 10_007)
_TRIED = (0, 400, 40, 12)  # for so many symbols, so many values of each
_STEPS, _PIECES = 1_000_000, 100


def few_multiples(op: Operation, total: Function, divisor: Function) -> list[Condition] | None:
    """For each number the condition that the total is that multiple of the divisor, which is positive.

    None where they are many, or no sets of sizes. The quotient of `4*((H + 1)//2)*((W + 1)//2)` by `(H//2)*(W//2)` is
    between 4 and 16 at all sizes.
    """
    quotients = _quotients(total, divisor)
    if quotients is None:
        return None
    low, high = quotients
    between = all_of([at_least(total, divisor.times(low)), at_least(divisor.times(high), total)])
    multiples = [equal(total, divisor.times(number)) for number in range(low, high + 1)]
    names = tuple(sorted((total * divisor).symbols()))
    try:
        with limited(_STEPS):
            SizeSet.where(names, between)
            known = SizeSet.where(names, any_of(multiples)).piece_count <= _PIECES
    except (Undecidable, SolverError):
        return None
    return multiples if known and op.decide(between) else None


@kept(1024)
def _quotients(total: Function, divisor: Function) -> tuple[int, int] | None:
    """The least and the greatest quotient at sizes near and far, rounded outwards; None where they grow."""
    names = sorted((total * divisor).symbols())
    if not 0 < len(names) < len(_TRIED):
        return None
    low, high = 0, 0
    atoms = {*total.atoms(), *divisor.atoms()}
    for values in _points([_steps(atoms, name, _TRIED[len(names)]) for name in names]):
        point = dict(zip(names, values, strict=True))
        below = divisor.value(point)
        if below < 1:
            continue
        quotient = -(-total.value(point) // below)
        low, high = min(low or quotient, quotient - 1), max(high, quotient)
        if high - low > _MOST:
            return None
    return max(low, 0), high


def _points(values: list[list[int]]) -> Iterator[tuple[int, ...]]:
    """Sizes of the symbols, the far ones first: there a quotient that grows is seen at once."""
    yield from grid((*_FAR, 1), repeat=len(values))
    yield from grid(*values)


def _steps(atoms: Iterable[Atom], name: str, count: int) -> list[int]:
    """The first values of a symbol before and after which a floor of it grows."""
    own = [atom for atom in atoms if Function((((atom,), 1),)).symbols() == {name}]
    found: list[int] = []
    before: list[int] = []
    for value in range(_FAR[0]):
        now = [atom.value({name: value}) for atom in own]
        if now != before:
            found += [each for each in (value - 1, value) if each > 0 and each not in found[-1:]]
        before = now
        if len(found) >= count:
            break
    return found
