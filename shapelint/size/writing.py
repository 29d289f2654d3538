"""A function as text, and as a number that stands for its meaning where its text would be exponentially long.

The text of nested minima shares no part, though the function does. Both are the same in every process.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from shapelint.caches import kept
from shapelint.size.atoms import FloorDivision


@kept(65536)
def digest(function: Any) -> bytes:
    """A number for the meaning of a function, to order functions by."""
    parts = [(sorted(map(_atom, monomial)), coefficient) for monomial, coefficient in function.terms]
    return _of(sorted(parts))


def _atom(atom: Any) -> bytes:
    return _of([digest(part) if hasattr(part, "terms") else part for part in atom.key()])


def _of(parts: list[Any]) -> bytes:
    return blake2b(repr(parts).encode(), digest_size=16).digest()


@kept(65536)
def text_of(function: Any) -> str:
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


def _reading_order(term: tuple[tuple[Any, ...], int]) -> tuple[bool, list[str]]:
    """Positive terms first, then by name: the same text in every process."""
    return term[1] < 0, sorted(map(str, term[0]))


def _factor(atom: Any, *, alone: bool) -> str:
    return f"({atom})" if isinstance(atom, FloorDivision) and not alone else str(atom)
