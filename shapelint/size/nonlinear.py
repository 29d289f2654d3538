"""Comparisons of products of sizes, such as `(H//8)*(W//8) >= 16`, written as quasi-affine conditions.

Every atom of one symbol repeats: with the period D and x = D*q + r it is a*q + c(r). So for each class of residues the
function is a polynomial in the quotients q, which are at least 0, and of the first degree in each. For one pair of
symbols its sign is decided by one bound on the second quotient for each value of the first, and the bounds settle; an
equation is a product of two lines, `(A*p + C)*(A*q + B) == B*C - A*E`, with finitely many divisors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product as combinations
from math import lcm

from shapelint.caches import kept
from shapelint.errors import foreseen
from shapelint.size.atoms import FloorDivision, Symbol
from shapelint.size.cases import by_cases, extremes
from shapelint.size.condition import FALSE, TRUE, Compare, Condition, ProductIs, all_of, any_of, at_least, equal
from shapelint.size.factors import factored
from shapelint.size.function import Atom, Function, NotQuasiAffine, constant, symbol
from shapelint.size.joint_floors import joint_divisor, without_floor
from shapelint.size.period import atom_period
from shapelint.size.prime_powers import divisors
from shapelint.size.small_products import small_product

_LONGEST_PERIOD = 4096
_MOST_CLASSES = 256
_MOST_PIECES = 160
_MOST_EXTREMES = 8
_FARTHEST = 100_000
_LARGEST_PRODUCT = 1_000_000


@foreseen
class NotDecided(ArithmeticError):
    """A comparison that is no union of few quasi-affine conditions, as far as this file can tell."""


Polynomial = dict[tuple[str, ...], int]
"""Coefficients of products of quotients, by the sorted names of their symbols; () is the constant term."""


@dataclass(frozen=True, slots=True)
class _Class:
    """Residues of a symbol for which all of its atoms have the same constants: x mod period is one of `residues`."""

    name: str
    period: int
    residues: tuple[int, ...]

    def condition(self) -> Condition:
        rest = symbol(self.name) - self.quotient().times(self.period)
        return any_of(
            all_of([at_least(rest, constant(low)), at_least(constant(high), rest)])
            for low, high in _intervals(self.residues)
        )

    def quotient(self) -> Function:
        return symbol(self.name).floor_divide(self.period)


@kept(4096)
def linearised(compare: Compare) -> Condition:
    """The same condition, where no symbol is negative, without products; raises NotDecided."""
    if len(extremes(compare.function)) > _MOST_EXTREMES:
        raise NotDecided(str(compare.function))
    simpler = by_cases(compare) or without_floor(compare) or small_product(compare)
    if simpler is not None:
        return simpler
    lines = factored(compare.function) if compare.equal else None
    if lines is not None:
        first, second, number = lines
        if number == 0:
            return any_of([equal(first, constant(0)), equal(second, constant(0))])
        return ProductIs((first, second), number)
    names = sorted(compare.function.symbols())
    atoms = {name: _atoms_of(compare.function, name) for name in names}
    divisor = joint_divisor(compare.function)
    classes = [_classes(name, atoms[name], divisor) for name in names]
    count = 1
    for each in classes:
        count *= len(each)
    if count > (_MOST_CLASSES if divisor == 1 else _MOST_CLASSES // 2):
        raise NotDecided(str(compare.function))
    parts: list[Condition] = []
    for chosen in combinations(*classes):
        residues = {each.name: each for each in chosen}
        polynomial = _polynomial(compare.function, residues)
        inside = _sign(polynomial, residues, equals=compare.equal)
        parts.append(all_of([*(each.condition() for each in chosen), inside]))
        if len(parts) > _MOST_CLASSES:
            raise NotDecided(str(compare.function))
    return any_of(parts)


def _atoms_of(function: Function, name: str) -> tuple[Atom, ...]:
    found: dict[Atom, None] = {}
    for atom in function.atoms():
        names = Function((((atom,), 1),)).symbols()
        if len(names) > 1 and not isinstance(atom, FloorDivision):
            raise NotDecided(str(function))
        if name in names:
            found |= dict.fromkeys([atom] if len(names) == 1 else _atoms_of(_numerator(atom), name))
    return tuple(found)


def _numerator(atom: Atom) -> Function:
    assert isinstance(atom, FloorDivision), "an extreme of two axes is taken apart before"
    return atom.numerator


def _classes(name: str, atoms: tuple[Atom, ...], divisor: int) -> list[_Class]:
    period = 1
    for atom in atoms:
        period = lcm(period, _period(atom))
        if period * divisor > _LONGEST_PERIOD:
            raise NotDecided(f"{atom} repeats after {period * divisor} only")
    period *= divisor
    groups: dict[tuple[int, ...], list[int]] = {}
    for residue in range(period):
        key = tuple(atom.value({name: residue}) for atom in atoms if not isinstance(atom, Symbol) or period == 1)
        if any(isinstance(atom, Symbol) for atom in atoms) and period > 1:
            key = (*key, residue)
        groups.setdefault(key, []).append(residue)
    return [_Class(name, period, tuple(residues)) for residues in groups.values()]


def _period(atom: Atom) -> int:
    try:
        return atom_period(atom)[0]
    except NotQuasiAffine as error:
        raise NotDecided(str(error)) from None


def _polynomial(function: Function, classes: Mapping[str, _Class]) -> Polynomial:
    total: Polynomial = {}
    for monomial, coefficient in function.terms:
        product: Polynomial = {(): coefficient}
        for atom in monomial:
            product = _times(product, _line(atom, classes))
        for names, value in product.items():
            total[names] = total.get(names, 0) + value
    return {names: value for names, value in total.items() if value}


def _line(atom: Atom, classes: Mapping[str, _Class]) -> Polynomial:
    """An atom as slope * quotient + constant, or the quotient of a polynomial that is divided without a rest."""
    name, *more = Function((((atom,), 1),)).symbols()
    if more:
        divisor = atom.divisor if isinstance(atom, FloorDivision) else 1
        return {names: value // divisor for names, value in _polynomial(_numerator(atom), classes).items()}
    each = classes[name]
    start = atom.value({name: each.residues[0]})
    slope = atom.value({name: each.residues[0] + each.period}) - start
    return {(name,): slope, (): start}


def _times(first: Polynomial, second: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for one, value in first.items():
        for two, factor in second.items():
            names = tuple(sorted((*one, *two)))
            total[names] = total.get(names, 0) + value * factor
    return total


def _sign(polynomial: Polynomial, classes: Mapping[str, _Class], *, equals: bool) -> Condition:
    """The quotients at which the polynomial is 0 (`equals`), or at least 0."""
    if all(len(names) < 2 for names in polynomial):
        return Compare(_affine(polynomial, classes), equals) if any(polynomial) else _settled(polynomial, equals=equals)
    values = polynomial.values()
    if not equals and all(value >= 0 for value in values):
        return TRUE
    if all(value >= 0 for value in values) or all(value <= 0 for value in values):
        return all_of(_product_is_zero(names, classes) for names in polynomial)
    names = sorted({name for key in polynomial for name in key})
    if len(names) == 1:
        return _of_one(polynomial, classes[names[0]], equals=equals)
    if len(names) == 2 and all(len(set(key)) == len(key) for key in polynomial):
        first, second = classes[names[0]], classes[names[1]]
        return (_product_of_lines if equals else _above)(polynomial, first, second)
    raise NotDecided(str(polynomial))


def _settled(polynomial: Polynomial, *, equals: bool) -> Condition:
    value = polynomial.get((), 0)
    return TRUE if (value == 0 if equals else value >= 0) else FALSE


def _affine(polynomial: Polynomial, classes: Mapping[str, _Class]) -> Function:
    total = constant(polynomial.get((), 0))
    for names, value in polynomial.items():
        if names:
            total += classes[names[0]].quotient().times(value)
    return total


def _product_is_zero(names: tuple[str, ...], classes: Mapping[str, _Class]) -> Condition:
    return any_of(equal(classes[name].quotient(), constant(0)) for name in dict.fromkeys(names))


def _of_one(polynomial: Polynomial, only: _Class, *, equals: bool) -> Condition:
    """A polynomial in one quotient: beyond Cauchy's bound on its roots the sign stays."""
    degree = max(map(len, polynomial))
    lead = abs(polynomial.get((only.name,) * degree, 0))
    last = 2 + max(map(abs, polynomial.values())) // lead
    if last > _FARTHEST:
        raise NotDecided(str(polynomial))

    def holds(number: int) -> bool:
        value = sum(factor * int(number ** len(names)) for names, factor in polynomial.items())
        return value == 0 if equals else value >= 0

    return _within(only.quotient(), [number for number in range(last + 1) if holds(number)], last)


def _within(quotient: Function, numbers: list[int], last: int) -> Condition:
    """The quotient is one of the numbers; where `last` is one of them, all that follow are too."""
    pieces = _intervals(tuple(numbers))
    if len(pieces) > _MOST_PIECES:
        raise NotDecided(f"{len(pieces)} pieces")
    return any_of(
        all_of([at_least(quotient, constant(low)), *([at_least(constant(high), quotient)] if high < last else [])])
        for low, high in pieces
    )


def _product_of_lines(polynomial: Polynomial, first: _Class, second: _Class) -> Condition:
    """A*p*q + B*p + C*q + E == 0 is (A*p + C)*(A*q + B) == B*C - A*E."""
    both, by_first, by_second, rest = _coefficients(polynomial, first, second)
    one = first.quotient().times(both).plus(by_second)
    two = second.quotient().times(both).plus(by_first)
    number = by_first * by_second - both * rest
    if number == 0:
        return any_of([equal(one, constant(0)), equal(two, constant(0))])
    if abs(number) > _LARGEST_PRODUCT:
        raise NotDecided(str(polynomial))
    every = sorted(sign * value for value in divisors(abs(number)) for sign in (1, -1))
    pairs = [(value, number // value) for value in every]
    reached = [
        (one_value, two_value)
        for one_value, two_value in pairs
        if (one_value - by_second) % both == 0 == (two_value - by_first) % both
        and (one_value - by_second) // both >= 0 <= (two_value - by_first) // both
    ]
    return any_of(all_of([equal(one, constant(left)), equal(two, constant(right))]) for left, right in reached)


def _above(polynomial: Polynomial, first: _Class, second: _Class) -> Condition:
    """A*p*q + B*p + C*q + E >= 0: one bound on q for each p, the same for all p from some number on."""
    both, by_first, by_second, rest = _coefficients(polynomial, first, second)
    last = (abs(both * rest - by_first * by_second) + abs(by_second)) // abs(both) + 1
    if last > _FARTHEST:
        raise NotDecided(str(polynomial))
    groups: list[tuple[int, int, tuple[int, int]]] = []
    for number in range(last + 1):
        bound = _bound(both * number + by_second, by_first * number + rest)
        if groups and groups[-1][2] == bound:
            groups[-1] = (groups[-1][0], number, bound)
        elif len(groups) < _MOST_PIECES:
            groups.append((number, number, bound))
        else:
            raise NotDecided(f"more than {_MOST_PIECES} pieces")
    return any_of(
        all_of([
            at_least(first.quotient(), constant(low)),
            *([at_least(constant(high), first.quotient())] if high < last else []),
            at_least(second.quotient().times(side), constant(side * at)),
        ])
        for low, high, (side, at) in groups
    )  # fmt: skip


def _bound(slope: int, offset: int) -> tuple[int, int]:
    """slope*q + offset >= 0 for q >= 0, as side*q >= side*bound."""
    if slope > 0:
        return 1, max(0, -(offset // slope))
    if slope == 0:
        return (1, 0) if offset >= 0 else (-1, -1)
    return -1, max(-1, offset // -slope)


def _coefficients(polynomial: Polynomial, first: _Class, second: _Class) -> tuple[int, int, int, int]:
    keys = ((first.name, second.name), (first.name,), (second.name,), ())
    both, by_first, by_second, rest = (polynomial.get(tuple(sorted(key)), 0) for key in keys)
    return both, by_first, by_second, rest


def _intervals(numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    """Ascending numbers as runs of neighbours, each as its first and last."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
