"""Functions and conditions with numbers in the place of some symbols."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from shapelint.size.atoms import FloorDivision, Symbol
from shapelint.size.condition import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    FloatCompare,
    Not,
    ProductIs,
    all_of,
    any_of,
    divisible,
    equal,
    negate,
    product,
)
from shapelint.size.function import Atom, Function, as_function, constant, extreme, symbol


def substituted(condition: Condition, values: Mapping[str, int]) -> Condition:
    """What a condition says of the other symbols where some have these values."""
    if isinstance(condition, Compare):
        return Compare(with_values(condition.function, values), condition.equal)
    if isinstance(condition, FloatCompare):
        return condition
    if isinstance(condition, Not):
        return negate(substituted(condition.part, values))
    if isinstance(condition, AllOf):
        return all_of(substituted(part, values) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any_of(substituted(part, values) for part in condition.parts)
    whole = reduce(product, (with_values(factor, values) for factor in condition.factors))
    if isinstance(condition, ProductIs):
        return equal(whole, constant(condition.number))
    return divisible(whole, condition.number)


def with_values(function: Function, values: Mapping[str, int]) -> Function:
    """A function of the other symbols."""
    return with_atoms(function, {atom: value for name, value in values.items() for atom in symbol(name).atoms()})


def with_atoms(function: Function, values: Mapping[Atom, int | Function]) -> Function:
    """A function of the other atoms, wherever these occur; what stands in their place is a number or a function."""
    return _with_atoms(function, values, {})


def _with_atoms(function: Function, values: Mapping[Atom, int | Function], done: dict[Function, Function]) -> Function:
    """As `with_atoms`; what is `done` is not done again, since nested minima share parts exponentially often."""
    total = done.get(function)
    if total is None:
        total = constant(0)
        for monomial, scale in function.terms:
            total += reduce(Function.__mul__, (_atom(atom, values, done) for atom in monomial), constant(scale))
        done[function] = total
    return total


def _atom(atom: Atom, values: Mapping[Atom, int | Function], done: dict[Function, Function]) -> Function:
    if atom in values:
        return as_function(values[atom])
    if isinstance(atom, Symbol):
        return symbol(atom.name)
    if isinstance(atom, FloorDivision):
        return _with_atoms(atom.numerator, values, done).floor_divide(atom.divisor)
    return extreme(atom.name, _with_atoms(atom.first, values, done), _with_atoms(atom.second, values, done))
