"""Conditions on sizes: comparisons of functions, joined by all, any and not, kept free of any solver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product as combinations
from math import gcd
from weakref import WeakKeyDictionary

from shapelint.size.atoms import FloorDivision
from shapelint.size.bound import identical, never_negative
from shapelint.size.float_term import FloatTerm
from shapelint.size.function import Function, constant


@dataclass(frozen=True, slots=True)
class Compare:
    """function == 0 where `equal`, else function >= 0."""

    function: Function
    equal: bool

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        value = self.function.value(values)
        return value == 0 if self.equal else value >= 0


@dataclass(frozen=True, slots=True)
class ProductIs:
    """The product of the factors is `number` (which is not 0)."""

    factors: tuple[Function, ...]
    number: int

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        return _product_value(self.factors, values) == self.number


@dataclass(frozen=True, slots=True)
class Divisible:
    """The product of the factors is a multiple of `number` (at least 2)."""

    factors: tuple[Function, ...]
    number: int

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        return _product_value(self.factors, values) % self.number == 0


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; without parts, true."""

    parts: tuple[Condition, ...]

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        return all(part.holds(values) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds; without parts, false."""

    parts: tuple[Condition, ...]

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        return any(part.holds(values) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        return not self.part.holds(values)


@dataclass(frozen=True, slots=True)
class FloatCompare:
    """A comparison of floats computed from sizes holds, as doubles decide it."""

    term: FloatTerm

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the condition holds where the symbols have `values`."""
        return bool(self.term.value(values))


Condition = FloatCompare | Compare | ProductIs | Divisible | AllOf | AnyOf | Not

TRUE: Condition = AllOf(())
FALSE: Condition = AnyOf(())

_factors: WeakKeyDictionary[Function, tuple[Function, ...]] = WeakKeyDictionary()


def product(first: Function, second: Function) -> Function:
    """The product of two functions; its factors are remembered for `equal` and `divisible`."""
    result = first * second
    if first.constant is None and second.constant is None:
        _factors.setdefault(result, factors(first) + factors(second))
    elif result.constant is None:
        scale, whole = (first, second) if second.constant is None else (second, first)
        if result is not whole:
            _factors.setdefault(result, (scale, *factors(whole)))
    return result


def forget_products() -> bool:
    """Forgets how functions were built as products, which belongs to one check; whether a sum was one of them."""
    was_told = any(len(function.terms) > 1 for function in list(_factors))
    _factors.clear()
    return was_told


def factors(function: Function) -> tuple[Function, ...]:
    """The factors whose product the function was built as, or its atoms where it is one product; itself else."""
    known = _factors.get(function)
    if known is None and len(function.terms) == 1 and len(function.terms[0][0]) > 1:
        monomial, scale = function.terms[0]
        atoms = tuple(Function((((atom,), 1),)) for atom in monomial)
        known = atoms if scale == 1 else (constant(scale), *atoms)
    return known or (function,)


def equal(first: Function, second: Function) -> Condition:
    """first == second."""
    difference = first - second
    if difference.constant is not None:
        return TRUE if difference.constant == 0 else FALSE
    if identical(first, second):
        return TRUE
    if _is_never_zero(difference):
        return FALSE
    if not difference.affine and second.constant is None and first.constant is not None:
        first, second = second, first
    if not difference.affine and second.constant:
        return _product_is(factors(first), second.constant)
    whole = None if difference.affine else _whole(difference)
    return whole or Compare(difference, True)


def _is_never_zero(difference: Function) -> bool:
    """Whether a number divides every term but the constant one, as in 2*((H + 1)//2) - 1."""
    constants = [value for monomial, value in difference.terms if not monomial]
    return bool(constants) and constants[0] % gcd(*(value for monomial, value in difference.terms if monomial)) != 0


def _whole(difference: Function) -> Condition | None:
    """Where a product is as large as the divisor of a floor of it times that floor, it is a multiple of the divisor."""
    for monomial, scale in difference.terms:
        floor = monomial[0] if len(monomial) == 1 else None
        if isinstance(floor, FloorDivision) and scale % floor.divisor == 0:
            rest = difference - Function(((monomial, scale),))
            if rest == floor.numerator.times(-scale // floor.divisor):
                return divisible(floor.numerator, floor.divisor)
    return None


def at_least(first: Function, second: Function) -> Condition:
    """first >= second."""
    difference = first - second
    if difference.constant is not None:
        return TRUE if difference.constant >= 0 else FALSE
    if not difference.affine and second.constant is not None and second.constant >= 1:
        scale, parts = _split_scale(factors(first))
        number = -(-second.constant // scale) if scale > 0 else 0
        if number in (1, 2) and 2 <= len(parts) <= 4:
            return any_of(_product_at_least(signed, number) for signed in _even_signs(parts))
    return Compare(difference, False)


def _even_signs(parts: tuple[Function, ...]) -> Iterator[tuple[Function, ...]]:
    """The factors with an even number of signs turned, so that the product stays the same."""
    for signs in combinations((1, -1), repeat=len(parts)):
        if signs.count(-1) % 2 == 0:
            yield tuple(part.times(sign) for part, sign in zip(parts, signs, strict=True))


def _product_at_least(parts: tuple[Function, ...], number: int) -> Condition:
    """Every factor is positive, and for 2 one of them is larger; a product of positive factors is then at least it."""
    if any(never_negative(part.times(-1)) for part in parts):
        return FALSE
    ones = [at_least(part, constant(1)) for part in parts]
    return all_of(ones if number == 1 else [*ones, any_of(at_least(part, constant(2)) for part in parts)])


def divisible(dividend: Function, divisor: int) -> Condition:
    """dividend is a multiple of the divisor (at least 1)."""
    rest = dividend - dividend.floor_divide(divisor).times(divisor)
    if rest.constant is not None:
        return TRUE if rest.constant == 0 else FALSE
    if rest.affine:
        return Compare(rest, True)
    scale, parts = _split_scale(factors(dividend))
    return Divisible(parts, divisor // gcd(divisor, scale))


def negate(condition: Condition) -> Condition:
    """The condition that holds where the given one does not."""
    if isinstance(condition, Not):
        return condition.part
    if isinstance(condition, AllOf):
        return any_of(map(negate, condition.parts))
    if isinstance(condition, AnyOf):
        return all_of(map(negate, condition.parts))
    if isinstance(condition, Compare) and not condition.equal:
        return Compare(condition.function.times(-1).plus(-1), False)
    return Not(condition)


def equalities(condition: Condition) -> tuple[Function, ...]:
    """Functions that are 0 where the condition holds, as far as its form shows; none that no set can express."""
    if isinstance(condition, AllOf):
        return tuple(function for part in condition.parts for function in equalities(part))
    known = isinstance(condition, Compare) and condition.equal and condition.function.affine
    return (condition.function,) if known else ()  # type: ignore[union-attr]


def is_affine(condition: Condition) -> bool:
    """Whether a condition is made of comparisons of quasi-affine functions, so that a set tells where it holds."""
    if isinstance(condition, Not):
        return is_affine(condition.part)
    if isinstance(condition, (AllOf, AnyOf)):
        return all(map(is_affine, condition.parts))
    return isinstance(condition, Compare) and condition.function.affine


def symbols_of(condition: Condition) -> frozenset[str]:
    """The symbols that a condition speaks of."""
    if isinstance(condition, Compare):
        return condition.function.symbols()
    if isinstance(condition, FloatCompare):
        return condition.term.symbols()
    if isinstance(condition, Not):
        return symbols_of(condition.part)
    if isinstance(condition, (AllOf, AnyOf)):
        return frozenset().union(*map(symbols_of, condition.parts))
    return frozenset().union(*(factor.symbols() for factor in condition.factors))


def all_of(parts: Iterable[Condition]) -> Condition:
    """Every one of the conditions; what is always true is left out."""
    kept = tuple(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in kept:
        return FALSE
    return kept[0] if len(kept) == 1 else AllOf(kept)


def any_of(parts: Iterable[Condition]) -> Condition:
    """At least one of the conditions; what is always false is left out."""
    kept = tuple(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in kept:
        return TRUE
    return kept[0] if len(kept) == 1 else AnyOf(kept)


def _product_is(parts: tuple[Function, ...], number: int) -> Condition:
    scale, rest = _split_scale(parts)
    if scale == 0 or number % scale:
        return FALSE
    if len(rest) == 1:
        return Compare(rest[0].plus(-(number // scale)), True)
    return ProductIs(rest, number // scale)


def _split_scale(parts: tuple[Function, ...]) -> tuple[int, tuple[Function, ...]]:
    scale = reduce(lambda total, part: total * (1 if part.constant is None else part.constant), parts, 1)
    return scale, tuple(part for part in parts if part.constant is None)


def _product_value(parts: tuple[Function, ...], values: Mapping[str, int]) -> int:
    return reduce(lambda total, part: total * part.value(values), parts, 1)
