"""Quasi-affine functions of symbols: sums, products, floor divisions, minima and maxima of integers.

A `Function` is kept in one canonical form, so that equal forms are equal values and most questions
("is H//2//2 the same as H//4?") are answered without a solver. What the form cannot decide, isl does
(see `sets.py`). Functions are exact over the integers; a product of two symbols is allowed and stays a product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final
from weakref import WeakValueDictionary

from shapelint.caches import kept
from shapelint.errors import foreseen
from shapelint.locks import InnerLock
from shapelint.size.atoms import Extreme, FloorDivision, Symbol
from shapelint.size.writing import digest, text_of

Atom = Symbol | FloorDivision["Function"] | Extreme["Function"]
Monomial = tuple[Atom, ...]
Terms = tuple[tuple[Monomial, int], ...]

_DEEP = 6
_READABLE = 100

# A function lives as long as a report, a size or a cache has it; it holds its atoms, and these hold theirs.
_atoms: WeakValueDictionary[tuple[object, ...], Atom] = WeakValueDictionary()
_functions: WeakValueDictionary[Terms, Function] = WeakValueDictionary()
_numbers = count()
_making: Final = InnerLock()


def atom_order(atom: Atom) -> int:
    """The position of an atom in the order in which atoms were made; products are sorted by it."""
    return atom.order


def intern(atom: Atom) -> Atom:
    """The one atom of this meaning."""
    with _making.lock:
        known = _atoms.setdefault(atom.key(), atom)
        if known is atom:
            atom.order = next(_numbers)
        return known


@foreseen
class NotQuasiAffine(ArithmeticError):
    """An operation whose result is no function of this kind, such as a division by a symbol."""


class Function:
    """A sum of integer multiples of products of atoms; build it with `symbol`, `constant` and the operators.

    Equal canonical forms are the same object, so `==` is identity and cheap.
    """

    __slots__ = ("__weakref__", "depth", "terms", "weight")

    terms: Terms
    depth: int
    weight: int

    def __new__(cls, terms: Terms) -> Function:
        known = _functions.get(terms)
        if known is None:
            known = object.__new__(cls)
            known.terms = terms
            parts = [part for atom in known.atoms() for part in _parts(atom)]
            known.depth = max((1 + part.depth for part in parts), default=0)
            known.weight = len(terms) + sum(part.weight for part in parts)
            with _making.lock:
                known = _functions.setdefault(terms, known)
        return known

    @property
    def constant(self) -> int | None:
        """The value of a function without symbols, else None."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def affine(self) -> bool:
        """Whether no two atoms are multiplied, here or inside an atom."""
        return _affine(self)

    def atoms(self) -> Iterator[Atom]:
        """The atoms of all products, one after the other."""
        for monomial, _ in self.terms:
            yield from monomial

    def symbols(self) -> frozenset[str]:
        """The names of the symbols that the function depends on."""
        return _symbols(self)

    def value(self, values: Mapping[str, int]) -> int:
        """The integer that the function has where the symbols have `values`."""
        return _deep_value(self, tuple(values.items())) if self.depth > _DEEP else self._sum_at(values)

    def _sum_at(self, values: Mapping[str, int]) -> int:
        total = 0
        for monomial, coefficient in self.terms:
            for atom in monomial:
                coefficient *= atom.value(values)
            total += coefficient
        return total

    def __add__(self, other: Function) -> Function:
        return _sum(self, other)

    def __sub__(self, other: Function) -> Function:
        return _sum(self, other.times(-1))

    def __mul__(self, other: Function) -> Function:
        return _product(self, other)

    def times(self, factor: int) -> Function:
        """The function multiplied by an integer."""
        return _times(self, factor)

    def plus(self, number: int) -> Function:
        """The function with an integer added."""
        return _sum(self, constant(number)) if number else self

    def floor_divide(self, divisor: int) -> Function:
        """floor(self / divisor); raises ZeroDivisionError where the divisor is 0."""
        if divisor == 0:
            raise ZeroDivisionError("integer division or modulo by zero")
        return _floor(self, divisor) if divisor > 0 else _floor(self.times(-1), -divisor)

    def grouped(self) -> str:
        """The text, in brackets where an operator after it would take only a part of it."""
        text = str(self)
        if len(self.terms) == 1 and self.terms[0][1] == 1 and isinstance((self.terms[0][0] or (None,))[0], Extreme):
            return text if len(self.terms[0][0]) == 1 else f"({text})"
        return f"({text})" if " " in text or "//" in text or text.startswith("-") else text

    def __str__(self) -> str:
        return text_of(self)

    def __repr__(self) -> str:
        return f"Function({self})"


@kept(65536)
def _deep_value(function: Function, values: tuple[tuple[str, int], ...]) -> int:
    """As `value`, each shared part computed once: nested minima would take a time exponential in their depth."""
    return function._sum_at(dict(values))


def _parts(atom: Atom) -> tuple[Function, ...]:
    if isinstance(atom, Symbol):
        return ()
    return (atom.numerator,) if isinstance(atom, FloorDivision) else (atom.first, atom.second)


@kept(65536)
def _affine(function: Function) -> bool:
    return all(len(monomial) < 2 for monomial, _ in function.terms) and all(
        part.affine for atom in function.atoms() for part in _parts(atom)
    )


@kept(65536)
def _symbols(function: Function) -> frozenset[str]:
    names: set[str] = set()
    for atom in function.atoms():
        names.update([atom.name] if isinstance(atom, Symbol) else [])
        names.update(*map(_symbols, _parts(atom)))
    return frozenset(names)


def collect(items: list[tuple[Monomial, int]]) -> Function:
    """The sum of terms, in the canonical order."""
    sums: dict[Monomial, int] = {}
    for monomial, value in items:
        sums[monomial] = sums.get(monomial, 0) + value
    kept = [(monomial, value) for monomial, value in sums.items() if value]
    kept.sort(key=lambda item: tuple(atom.order for atom in item[0]))
    return Function(tuple(kept))


@kept(4096)
def constant(number: int) -> Function:
    """The function that has the value `number` everywhere."""
    return Function((((), number),) if number else ())


@kept(4096)
def symbol(name: str) -> Function:
    """The function whose value is that of the symbol `name`."""
    return Function((((intern(Symbol(name)),), 1),))


@kept(65536)
def _sum(first: Function, second: Function) -> Function:
    return _with_wholes(collect([*first.terms, *second.terms]))


def _with_wholes(total: Function) -> Function:
    """The sum, where the floors of all pieces of a number are made one.

    floor(x / n) + floor((x + 1) / n) + ... + floor((x + n - 1) / n) is x (Graham et al., Concrete Mathematics, 3.26).
    """
    floors: dict[tuple[int, int, Terms], list[tuple[int, Monomial]]] = {}
    for monomial, value in total.terms:
        if len(monomial) == 1 and isinstance(atom := monomial[0], FloorDivision):
            numerator = tuple(term for term in atom.numerator.terms if term[0])
            offset = sum(number for letters, number in atom.numerator.terms if not letters)
            floors.setdefault((value, atom.divisor, numerator), []).append((offset, monomial))
    for (value, divisor, numerator), pieces in floors.items():
        offsets, (step, rest) = sorted(offset for offset, _ in pieces), divmod(divisor, len(pieces))
        if step < divisor and not rest and offsets == list(range(offsets[0], divisor, step)):
            others = collect([*total.terms, *((monomial, -value) for _, monomial in pieces)])
            return others + _floor(Function(numerator).plus(offsets[0]), step).times(value)
    return total


@kept(65536)
def _times(function: Function, factor: int) -> Function:
    return Function(tuple((monomial, value * factor) for monomial, value in function.terms) if factor else ())


@kept(65536)
def _product(first: Function, second: Function) -> Function:
    return collect(
        [
            (tuple(sorted((*left, *right), key=atom_order)), value * factor)
            for left, value in first.terms
            for right, factor in second.terms
        ]
    )


def extreme(name: str, first: Function, second: Function) -> Function:
    """The smaller (`name` is "min") or larger ("max") of two functions."""
    difference = (first - second).constant
    if difference is not None:
        return first if (difference <= 0) == (name == "min") else second
    short = first.weight + second.weight <= _READABLE
    one, two = sorted((first, second), key=str) if short else sorted((first, second), key=digest)
    return Function((((intern(Extreme(name, one, two)),), 1),))


def as_function(dim: int | Function) -> Function:
    """A dimension as a function, also where it is a plain int."""
    return constant(dim) if isinstance(dim, int) else dim


@kept(65536)
def _floor(function: Function, divisor: int) -> Function:
    """floor(function / divisor) by a positive number, with every whole multiple of it taken out of the floor."""
    if divisor == 1:
        return function
    nested = _nested(function, divisor)
    if nested is not None:
        return nested
    whole = collect([(monomial, value // divisor) for monomial, value in function.terms])
    rest = collect([(monomial, value % divisor) for monomial, value in function.terms])
    if rest.constant is not None:
        return whole
    common = math.gcd(divisor, *(value for monomial, value in rest.terms if monomial))
    if common > 1:
        reduced = collect([(monomial, value // common) for monomial, value in rest.terms])
        return whole + _floor(reduced, divisor // common)
    nested = _nested(rest, divisor)
    if nested is not None:
        return whole + nested
    if _leans_down(rest, divisor):  # floor(x / d) is -floor((d - 1 - x) / d)
        return whole - _floor(rest.times(-1).plus(divisor - 1), divisor)
    return whole + Function((((intern(FloorDivision(rest, divisor)),), 1),))


def _nested(function: Function, divisor: int) -> Function | None:
    """One floor for a floor in a floor, None where there is not just one inside.

    floor((floor(x / d) + y) / divisor) is floor((x + d y) / (d divisor)) for whole y (Graham et al., Concrete
    Mathematics, 3.11), and -floor(x / d) is floor((d - 1 - x) / d).
    """
    inner = [term for term in function.terms if any(isinstance(atom, FloorDivision) for atom in term[0])]
    if len(inner) != 1 or len(inner[0][0]) != 1 or abs(inner[0][1]) != 1:
        return None
    (atom,), value = inner[0]
    assert isinstance(atom, FloorDivision)
    own = atom.numerator if value == 1 else atom.numerator.times(-1).plus(atom.divisor - 1)
    others = function - Function((inner[0],))
    return _floor(own + others.times(atom.divisor), atom.divisor * divisor)


def _leans_down(rest: Function, divisor: int) -> bool:
    """Whether the first coefficient that is not half the divisor is nearer to it than to 0.

    Then the floor of the negative is taken, (W + 7)//8 for 7*W//8: of such floors further ones can be made one.
    """
    first = next((value for monomial, value in rest.terms if monomial and 2 * value != divisor), 0)
    return 2 * first > divisor
