"""Exact division of functions: the quotient of a product by one of its factors (long division of polynomials)."""

from __future__ import annotations

from shapelint.size.function import Function, Monomial, NotQuasiAffine, atom_order, constant


def divide_exactly(function: Function, divisor: Function) -> Function:
    """The quotient of a product by one of its factors; NotQuasiAffine where it is none."""
    if divisor.constant is not None:
        quotient = function.floor_divide(divisor.constant)
        if quotient.times(divisor.constant) is function:
            return quotient
    elif divisor.terms:
        return _long_division(function, divisor)
    raise NotQuasiAffine(f"({function}) / ({divisor})")


def _long_division(function: Function, divisor: Function) -> Function:
    lead, factor = max(divisor.terms, key=lambda term: _rank(term[0]))
    quotient, rest = constant(0), function
    for _ in range(len(function.terms) * len(divisor.terms) + 8):
        if not rest.terms:
            return quotient
        monomial, value = max(rest.terms, key=lambda term: _rank(term[0]))
        if value % factor or any(lead.count(atom) > monomial.count(atom) for atom in lead):
            break
        remaining = list(monomial)
        for atom in lead:
            remaining.remove(atom)
        step = Function(((tuple(remaining), value // factor),))
        quotient, rest = quotient + step, rest - step * divisor
    raise NotQuasiAffine(f"({function}) / ({divisor})")


def _rank(monomial: Monomial) -> tuple[int, tuple[int, ...]]:
    return len(monomial), tuple(atom_order(atom) for atom in monomial)
