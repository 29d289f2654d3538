"""A sum of products of two symbols' atoms as one product of two sums, up to a constant."""

from __future__ import annotations

from shapelint.size.function import Function, Monomial, constant


def factored(function: Function) -> tuple[Function, Function, int] | None:
    """(f, g, k) such that the function is 0 just where f*g == k; None where there are none of one symbol each.

    The coefficients of `u*v`, u among the atoms of one symbol and 1, v among those of the other and 1, are then a
    matrix of rank 1 but for the constant term.
    """
    names = sorted(function.symbols())
    if len(names) != 2:
        return None
    matrix: dict[tuple[Monomial, Monomial], int] = {}
    for monomial, value in function.terms:
        key = _split(monomial, names)
        if key is None:
            return None
        matrix[key] = value
    pivot = next((key for key in matrix if key[0] and key[1]), None)
    if pivot is None:
        return None
    row, column, scale = pivot[0], pivot[1], matrix[pivot]
    rows = {key[0]: matrix.get((key[0], column), 0) for key in matrix}
    columns = {key[1]: matrix.get((row, key[1]), 0) for key in matrix}
    for up, left in rows.items():
        for across, right in columns.items():
            if (up or across) and matrix.get((up, across), 0) * scale != left * right:
                return None
    number = rows.get((), 0) * columns.get((), 0) - matrix.get(((), ()), 0) * scale
    return _sum(rows), _sum(columns), number


def _split(monomial: Monomial, names: list[str]) -> tuple[Monomial, Monomial] | None:
    """The atom of the first symbol and that of the second, () for none; None for more of one, or a joint one."""
    parts: list[Monomial] = [(), ()]
    for atom in monomial:
        own = Function((((atom,), 1),)).symbols()
        index = names.index(next(iter(own)))
        if len(own) > 1 or parts[index]:
            return None
        parts[index] = (atom,)
    return parts[0], parts[1]


def _sum(coefficients: dict[Monomial, int]) -> Function:
    total = constant(0)
    for monomial, value in coefficients.items():
        total += Function(((monomial, value),)) if value else constant(0)
    return total
