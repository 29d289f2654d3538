"""A function as text, the same in every process."""

from __future__ import annotations

from functools import lru_cache

from shapelint.size.function import Atom, FloorDivision, Function, Monomial


@lru_cache(maxsize=65536)
def text(function: Function) -> str:
    """The function as Python would have it, positive terms first, each product in one order."""
    variable = sorted((term for term in function.terms if term[0]), key=_reading_order)
    rest = [term for term in function.terms if not term[0]]
    words = ""
    for monomial, value in [*variable, *rest]:
        alone = len(monomial) == 1 and (value == 1 or (value == -1 and words != ""))
        factors = sorted(_factor(atom, alone=alone) for atom in monomial)
        size = [str(abs(value))] if abs(value) != 1 or not monomial else []
        sign = ("-" if value < 0 else "") if not words else (" - " if value < 0 else " + ")
        words += sign + "*".join(size + factors)
    return words or "0"


def _reading_order(term: tuple[Monomial, int]) -> tuple[bool, list[str]]:
    """Positive terms first, then by name: the same text in every process."""
    return term[1] < 0, sorted(map(str, term[0]))


def _factor(atom: Atom, *, alone: bool) -> str:
    return f"({atom})" if isinstance(atom, FloorDivision) and not alone else str(atom)
