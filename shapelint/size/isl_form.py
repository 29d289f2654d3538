"""Functions and conditions as isl has them: piecewise quasi-affine functions, and sets of integer points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce, wraps
from itertools import product as combinations
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from shapelint.caches import kept, of_one_check
from shapelint.errors import foreseen
from shapelint.locks import InnerLock
from shapelint.size.atoms import Extreme, FloorDivision, Symbol
from shapelint.size.cases import case_count, without_extreme
from shapelint.size.condition import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Divisible,
    FloatCompare,
    Not,
    ProductIs,
    forget_products,
)
from shapelint.size.division import divide_exactly
from shapelint.size.function import Function, NotQuasiAffine, constant, symbol
from shapelint.size.nonlinear import NotDecided, linearised
from shapelint.size.prime_powers import divisors, indivisible
from shapelint.size.substitution import substituted

if TYPE_CHECKING:
    import islpy as isl
else:

    class _Isl:
        """The module islpy, imported by the first question: a kept report is told without one."""

        def __getattr__(self, name: str) -> Any:
            found = self.__dict__[name] = getattr(importlib.import_module("islpy"), name)
            return found

    isl = _Isl()

_FACTORISATIONS, _MOST_TERMS = 4096, 24
Kind = TypeVar("Kind", bound=type)

# Held for each question to isl, and for all that are asked within one limit: isl counts the steps of all threads
# together. A new process has no limit.
_asking = InnerLock(lambda: isl.DEFAULT_CONTEXT.set_max_operations(0) if "islpy" in sys.modules else None)


@foreseen
class SolverError(Exception):
    """What isl cannot do, or not within the limit of its steps."""


@foreseen
class Undecidable(ArithmeticError):
    """A condition that leaves Presburger arithmetic, such as H*W >= 100."""


@contextmanager
def limited(operations: int = 2_000_000) -> Iterator[None]:
    """Makes isl raise SolverError where it takes more than so many steps (some millions in a second).

    Inside of a smaller limit that one stays; a larger one begins anew after it. Other threads wait with their questions
    to isl.
    """
    context = isl.DEFAULT_CONTEXT
    with _asking.lock:
        around = context.get_max_operations()
        if 0 < around <= operations:
            yield
            return
        context.reset_operations()
        context.set_max_operations(operations)
        try:
            yield
        finally:
            context.set_max_operations(around)
            context.reset_operations()


def asking(kind: Kind) -> Kind:
    """The class, in whose methods one thread is at a time; those with one underscore are called by the others."""
    for name, value in list(vars(kind).items()):
        if (name.startswith("_") and not name.startswith("__")) or name in ("__init__", "__hash__"):
            continue
        if isinstance(value, FunctionType):
            setattr(kind, name, _asked(value))
        elif isinstance(value, classmethod):
            setattr(kind, name, classmethod(_asked(value.__func__)))
        elif isinstance(value, property) and value.fget is not None:
            setattr(kind, name, property(_asked(value.fget)))
    return kind


def _asked(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def asked(*args: Any, **kwargs: Any) -> Any:
        with _asking.lock:
            try:
                return method(*args, **kwargs)
            except isl.Error as error:
                raise SolverError(_in_words(error)) from error
            except RecursionError as error:
                raise Undecidable("minima, maxima and divisions nested too deeply") from error

    return asked


def _in_words(error: isl.Error) -> str:
    """What isl says, without the line of its own source."""
    text = str(error).partition(" in /")[0]
    return "it takes too many steps" if "number of operations exceeded" in text else text


@kept(256)
def space(symbols: tuple[str, ...]) -> isl.Space:
    """The space of integer points with these coordinates."""
    return isl.Space.create_from_names(isl.DEFAULT_CONTEXT, set=list(symbols))


def renamed(raw: isl.Set, symbols: tuple[str, ...]) -> isl.Set:
    """The same points, their coordinates named by these symbols."""
    for index, name in enumerate(symbols):
        raw = raw.set_dim_name(isl.dim_type.set, index, name)
    return raw.reset_tuple_id() if raw.has_tuple_id() else raw


def isl_number(value: int) -> isl.Val:
    """An integer of any length as isl has it."""
    return isl.Val(value) if abs(value) < 2**62 else isl.Val(str(value))


def read_number(value: isl.Val) -> int:
    """The integer in isl's form; SolverError where isl gives none, since its limit is reached in the middle."""
    text = value.to_str()
    if text is None:
        raise SolverError("isl gives no number where its limit is reached")
    return int(text)


@kept(32768)
def function_on(symbols: tuple[str, ...], function: Function) -> isl.PwAff:
    """A function over the space of some symbols; Undecidable where it multiplies two of them, or adds up many."""
    local = isl.LocalSpace.from_space(space(symbols))
    total = isl.PwAff.from_aff(isl.Aff.zero_on_domain(local))
    for monomial, value in function.terms:
        if len(monomial) > 1 or len(function.terms) > _MOST_TERMS:
            raise Undecidable(str(function) if len(monomial) > 1 else "a sum of many terms")
        part = _atom_on(symbols, monomial[0]) if monomial else _one(symbols)
        total = total.add(part.scale_val(isl_number(value)))
    return total


@kept(256)
def _one(symbols: tuple[str, ...]) -> isl.PwAff:
    return isl.PwAff.from_aff(isl.Aff.val_on_domain(isl.LocalSpace.from_space(space(symbols)), isl.Val(1)))


def _atom_on(symbols: tuple[str, ...], atom: Symbol | FloorDivision[Function] | Extreme[Function]) -> isl.PwAff:
    if isinstance(atom, Symbol):
        local = isl.LocalSpace.from_space(space(symbols))
        return isl.PwAff.var_on_domain(local, isl.dim_type.set, symbols.index(atom.name))
    if isinstance(atom, FloorDivision):
        return function_on(symbols, atom.numerator).scale_down_val(isl_number(atom.divisor)).floor()
    first, second = function_on(symbols, atom.first), function_on(symbols, atom.second)
    return first.min(second) if atom.name == "min" else first.max(second)


@kept(32768)
def condition_set(symbols: tuple[str, ...], condition: Condition) -> isl.Set:
    """The points at which a condition holds; raises Undecidable."""
    if isinstance(condition, Compare):
        return _compare_set(symbols, condition)
    if isinstance(condition, FloatCompare):
        raise Undecidable(str(condition.term))
    universe = isl.Set.universe(space(symbols))
    if isinstance(condition, Not) and isinstance(condition.part, Divisible):
        return condition_set(symbols, indivisible(condition.part.factors, condition.part.number))
    if isinstance(condition, Not):
        return universe.subtract(condition_set(symbols, condition.part))
    if isinstance(condition, AllOf):
        return conjunction(symbols, condition.parts, universe)
    if isinstance(condition, AnyOf):
        return _union(symbols, (condition_set(symbols, part) for part in condition.parts))
    return _union(symbols, (_factored(symbols, condition, numbers) for numbers in _splits(condition)))


@of_one_check
def _forget_products() -> None:
    """What was decided by the factors of a sum is forgotten with them: another check may not know them."""
    if forget_products():
        linearised.cache_clear()
        condition_set.cache_clear()


def conjunction(symbols: tuple[str, ...], parts: Iterable[Condition], within: isl.Set) -> isl.Set:
    """The points of a set at which every part holds; a part that multiplies sizes is told where the others fix one."""
    hard: list[Condition] = []
    for part in parts:
        try:
            within = within.intersect(condition_set(symbols, part))
        except Undecidable:
            hard.append(part)
    values = _fixed(symbols, within) if hard and not within.is_empty() else {}
    for part in [] if within.is_empty() else hard:
        within = within.intersect(condition_set(symbols, substituted(part, values)))
    return within


def _fixed(symbols: tuple[str, ...], raw: isl.Set) -> dict[str, int]:
    """The symbols that have one value in a set, as far as that is plain."""
    found = {name: raw.plain_get_val_if_fixed(isl.dim_type.set, index) for index, name in enumerate(symbols)}
    return {name: read_number(value) for name, value in found.items() if value.is_int()}


def _compare_set(symbols: tuple[str, ...], condition: Compare) -> isl.Set:
    if not condition.function.affine:
        return _nonlinear_set(symbols, condition)
    if not condition.equal and case_count(condition.function) > _FACTORISATIONS:
        raise Undecidable("too many minima and maxima")
    simpler = None if condition.equal else without_extreme(condition.function)
    if simpler is not None:
        return condition_set(symbols, simpler)
    function = function_on(symbols, condition.function)
    return function.zero_set() if condition.equal else function.nonneg_set()


def _nonlinear_set(symbols: tuple[str, ...], condition: Compare) -> isl.Set:
    """a*f == 0 is a == 0 or f == 0; what has no common factor is written without products."""
    terms = condition.function.terms
    shared = next((atom for atom in terms[0][0] if all(atom in monomial for monomial, _ in terms)), None)
    try:
        if shared is None or not condition.equal or (len(terms) == 1 and len(terms[0][0]) == 1):
            return condition_set(symbols, linearised(condition))
        factor = Function((((shared,), 1),))
        rest = divide_exactly(condition.function, factor)
    except (NotDecided, NotQuasiAffine):
        raise Undecidable(str(condition.function)) from None
    return _union(symbols, (_compare_set(symbols, Compare(part, True)) for part in (factor, rest)))


def _union(symbols: tuple[str, ...], sets: Iterable[isl.Set]) -> isl.Set:
    return reduce(isl.Set.union, sets, isl.Set.empty(space(symbols))).coalesce()


def _splits(condition: ProductIs | Divisible) -> Iterator[tuple[int, ...]]:
    """The ways to share a number among the factors; divisors may be negative in a product."""
    number, count = abs(condition.number), len(condition.factors)
    whole = divisors(number)
    if len(whole) ** (count - 1) > _FACTORISATIONS:
        raise Undecidable(f"product of {count} sizes against {condition.number}")
    signs = (1, -1) if isinstance(condition, ProductIs) else (1,)
    for chosen in combinations(*[[value * sign for value in whole for sign in signs]] * (count - 1)):
        head = reduce(int.__mul__, chosen, 1)
        if number % head == 0:
            yield (*chosen, condition.number // head)


def _factored(symbols: tuple[str, ...], condition: ProductIs | Divisible, numbers: tuple[int, ...]) -> isl.Set:
    parts = []
    for factor, number in zip(condition.factors, numbers, strict=True):
        if isinstance(condition, ProductIs):
            parts.append(Compare(factor.plus(-number), True))
        else:
            parts.append(Compare(factor - factor.floor_divide(number).times(number), True))
    return condition_set(symbols, AllOf(tuple(parts)))


def constraints(symbols: tuple[str, ...], raw: isl.BasicSet) -> tuple[Compare, ...]:
    """The comparisons whose conjunction a convex set without unknown divisions is."""
    found = raw.get_constraints()
    return tuple(Compare(_read(symbols, each.get_aff()), bool(each.is_equality())) for each in found)


def _read(symbols: tuple[str, ...], affine: isl.Aff) -> Function:
    """The function that an affine expression of isl denotes, its denominator left out."""
    denominator = affine.get_denominator_val()

    def whole(value: isl.Val) -> int:
        return read_number(value.mul(denominator))

    total = constant(whole(affine.get_constant_val()))
    for index, name in enumerate(symbols):
        total += symbol(name).times(whole(affine.get_coefficient_val(isl.dim_type.in_, index)))
    for index in range(affine.dim(isl.dim_type.div)):
        coefficient = whole(affine.get_coefficient_val(isl.dim_type.div, index))
        if coefficient:
            division = affine.get_div(index)
            divisor = read_number(division.get_denominator_val())
            total += _read(symbols, division).floor_divide(divisor).times(coefficient)
    return total
