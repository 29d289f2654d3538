"""Relations between symbols as a person writes them: "H = 2*W", "W at most H"."""

from __future__ import annotations

from collections.abc import Iterable

from shapelint.size.atoms import FloorDivision
from shapelint.size.condition import Compare
from shapelint.size.function import Function


def relation_words(relations: Iterable[Compare]) -> tuple[str, ...]:
    """Each comparison in words, equalities first."""
    ordered = sorted(relations, key=lambda each: (not each.equal, str(each.function)))
    return tuple(dict.fromkeys(_equality(each.function) if each.equal else _order(each.function) for each in ordered))


def _equality(function: Function) -> str:
    """One term alone on the left where there is one with coefficient 1, the last of them; else sums on both sides."""
    congruent = _congruence(function)
    if congruent is not None:
        return congruent
    for monomial, value in sorted(function.terms, key=lambda term: str(Function((term,))).lstrip("-"), reverse=True):
        if abs(value) == 1 and monomial:
            alone = Function(((monomial, 1),))
            return f"{alone} = {alone - function.times(value)}"
    left, right = _sides(function)
    return f"{left} = {right}"


def _congruence(function: Function) -> str | None:
    """n - d*floor(n/d) = r as "n a multiple of d" or "n r mod d"; None for any other equality."""
    for monomial, value in function.terms:
        atom = monomial[0] if len(monomial) == 1 else None
        if isinstance(atom, FloorDivision) and abs(value) == atom.divisor:
            rest = function - Function(((monomial, value),))
            residue = (atom.numerator + (rest if value > 0 else rest.times(-1))).constant
            if residue is not None:
                return _modulo(atom.numerator.plus(-residue), atom.divisor)
    return None


def _modulo(function: Function, divisor: int) -> str:
    """What it means that the function is a multiple of the divisor, with the smallest coefficients that say so."""
    half = (divisor - 1) // 2
    terms = ((monomial, (value + half) % divisor - half) for monomial, value in function.terms if monomial)
    kept = Function(tuple(term for term in terms if term[1]))
    if min(kept.terms, key=lambda term: str(Function(((term[0], 1),))))[1] < 0:
        return _modulo(function.times(-1), divisor)
    residue = -_number(function) % divisor
    return f"{kept} {residue} mod {divisor}" if residue else f"{kept} a multiple of {divisor}"


def _order(function: Function) -> str:
    left, right = _sides(function)
    if _number(left):
        return f"{right} at most {left}"
    if _number(right) == 1:
        return f"{left} larger than {right.plus(-1)}"
    return f"{left} at least {right}"


def _number(function: Function) -> int:
    """The constant term."""
    return sum(value for monomial, value in function.terms if not monomial)


def _sides(function: Function) -> tuple[Function, Function]:
    """Two functions without negative terms whose difference is the given one."""
    left = [term for term in function.terms if term[1] > 0]
    right = [(monomial, -value) for monomial, value in function.terms if value < 0]
    return Function(tuple(left)), Function(tuple(right))
