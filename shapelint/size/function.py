"""Quasi-affine functions of symbols: sums, products, floor divisions, minima and maxima of integers.

A `Function` is kept in one canonical form, so that equal forms are equal values and most questions
("is H//2//2 the same as H//4?") are answered without a solver. What the form cannot decide, isl does
(see `sets.py`). Functions are exact over the integers; a product of two symbols is allowed and stays a product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache


class NotQuasiAffine(ArithmeticError):
    """An operation whose result is no function of this kind, such as a division by a symbol."""


class Symbol:
    """An unknown integer with a name, such as the height `H` of the input."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def key(self) -> tuple[object, ...]:
        return ("symbol", self.name)

    def value(self, values: Mapping[str, int]) -> int:
        return values[self.name]

    def __str__(self) -> str:
        return self.name


class FloorDivision:
    """floor(numerator / divisor) with a constant divisor of at least 2."""

    __slots__ = ("divisor", "numerator")

    def __init__(self, numerator: Function, divisor: int) -> None:
        self.numerator, self.divisor = numerator, divisor

    def key(self) -> tuple[object, ...]:
        return ("floor", self.numerator, self.divisor)

    def value(self, values: Mapping[str, int]) -> int:
        return self.numerator.value(values) // self.divisor

    def __str__(self) -> str:
        return f"{self.numerator.grouped()}//{self.divisor}"


class Extreme:
    """The smaller (`min`) or larger (`max`) of two functions."""

    __slots__ = ("first", "name", "second")

    def __init__(self, name: str, first: Function, second: Function) -> None:
        self.name, self.first, self.second = name, first, second

    def key(self) -> tuple[object, ...]:
        return (self.name, self.first, self.second)

    def value(self, values: Mapping[str, int]) -> int:
        choose = min if self.name == "min" else max
        return choose(self.first.value(values), self.second.value(values))

    def __str__(self) -> str:
        return f"{self.name}({self.first}, {self.second})"


Atom = Symbol | FloorDivision | Extreme
Monomial = tuple[Atom, ...]
Terms = tuple[tuple[Monomial, int], ...]

_DEEP = 6

_atoms: dict[tuple[object, ...], Atom] = {}
_order: dict[Atom, int] = {}
_functions: dict[Terms, Function] = {}


def atom_order(atom: Atom) -> int:
    """The position of an atom in the order in which atoms were first made; products are sorted by it."""
    return _order[atom]


def intern(atom: Atom) -> Atom:
    """The one atom of this meaning."""
    known = _atoms.setdefault(atom.key(), atom)
    _order.setdefault(known, len(_order))
    return known


class Function:
    """A sum of integer multiples of products of atoms; build it with `symbol`, `constant` and the operators.

    Equal canonical forms are the same object, so `==` is identity and cheap.
    """

    __slots__ = ("depth", "terms")

    terms: Terms
    depth: int

    def __new__(cls, terms: Terms) -> Function:
        known = _functions.get(terms)
        if known is None:
            known = object.__new__(cls)
            known.terms = terms
            known.depth = max((1 + part.depth for atom in known.atoms() for part in _parts(atom)), default=0)
            known = _functions.setdefault(terms, known)
        return known

    def __reduce__(self) -> tuple[Callable[[str], Function], tuple[str]]:
        return _parsed, (str(self),)

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
        return _times(self, factor)

    def plus(self, number: int) -> Function:
        return _sum(self, constant(number)) if number else self

    def floor_divide(self, divisor: int) -> Function:
        """floor(self / divisor); raises ZeroDivisionError where the divisor is 0."""
        if divisor == 0:
            raise ZeroDivisionError("integer division or modulo by zero")
        from shapelint.size.floors import floor

        return floor(self, divisor) if divisor > 0 else floor(self.times(-1), -divisor)

    def grouped(self) -> str:
        """The text, in brackets where an operator after it would take only a part of it."""
        text = str(self)
        if len(self.terms) == 1 and self.terms[0][1] == 1 and isinstance((self.terms[0][0] or (None,))[0], Extreme):
            return text if len(self.terms[0][0]) == 1 else f"({text})"
        return f"({text})" if " " in text or "//" in text or text.startswith("-") else text

    def __str__(self) -> str:
        from shapelint.size.text import text

        return text(self)

    def __repr__(self) -> str:
        return f"Function({self})"


@lru_cache(maxsize=65536)
def _deep_value(function: Function, values: tuple[tuple[str, int], ...]) -> int:
    """As `value`, each shared part computed once: nested minima would take a time exponential in their depth."""
    return function._sum_at(dict(values))


def _parts(atom: Atom) -> tuple[Function, ...]:
    if isinstance(atom, Symbol):
        return ()
    return (atom.numerator,) if isinstance(atom, FloorDivision) else (atom.first, atom.second)


@lru_cache(maxsize=65536)
def _affine(function: Function) -> bool:
    return all(len(monomial) < 2 for monomial, _ in function.terms) and all(
        part.affine for atom in function.atoms() for part in _parts(atom)
    )


@lru_cache(maxsize=65536)
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
    kept.sort(key=lambda item: tuple(_order[atom] for atom in item[0]))
    return Function(tuple(kept))


@lru_cache(maxsize=4096)
def constant(number: int) -> Function:
    """The function that has the value `number` everywhere."""
    return Function((((), number),) if number else ())


@lru_cache(maxsize=4096)
def symbol(name: str) -> Function:
    """The function whose value is that of the symbol `name`."""
    return Function((((intern(Symbol(name)),), 1),))


@lru_cache(maxsize=65536)
def _sum(first: Function, second: Function) -> Function:
    return collect([*first.terms, *second.terms])


@lru_cache(maxsize=65536)
def _times(function: Function, factor: int) -> Function:
    return Function(tuple((monomial, value * factor) for monomial, value in function.terms) if factor else ())


@lru_cache(maxsize=65536)
def _product(first: Function, second: Function) -> Function:
    return collect(
        [
            (tuple(sorted((*left, *right), key=_order.__getitem__)), value * factor)
            for left, value in first.terms
            for right, factor in second.terms
        ]
    )


def extreme(name: str, first: Function, second: Function) -> Function:
    """The smaller (`name` is "min") or larger ("max") of two functions."""
    difference = (first - second).constant
    if difference is not None:
        return first if (difference <= 0) == (name == "min") else second
    one, two = sorted((first, second), key=str)
    return Function((((intern(Extreme(name, one, two)),), 1),))


def _parsed(text: str) -> Function:
    from shapelint.size.expression import parse_function

    return parse_function(text)
