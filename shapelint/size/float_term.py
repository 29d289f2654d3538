"""Floats computed from sizes by the arithmetic of doubles, as terms: `H/((H + 1)//2)`, `sqrt(H*W)`.

A term is computed, never solved: no set of sizes says where a comparison of two of them holds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shapelint.size.function import Function

OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "pow": pow,
    "neg": operator.neg, "abs": abs, "max": max, "min": min,
    "sqrt": math.sqrt, "log": math.log, "log2": math.log2, "log10": math.log10,
}  # fmt: skip
COMPARISONS: Final[dict[str, Callable[..., bool]]] = {"gt": operator.gt, "ge": operator.ge, "eq": operator.eq}
_SIGNS: Final = {
    "add": " + ", "sub": " - ", "mul": "*", "truediv": "/", "pow": "**", "gt": " > ", "ge": " >= ", "eq": " == ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FloatTerm:
    """One of the OPERATORS, or of the COMPARISONS, on functions of sizes, plain numbers and other terms.

    `weight` counts the operators, those that occur several times each time.
    """

    name: str
    operands: tuple[Operand, ...]
    weight: int

    def value(self, values: Mapping[str, int]) -> Any:
        """What Python computes where the symbols have `values`; raises what it raises there."""
        numbers = [value_of(each, values) for each in self.operands]
        return (OPERATORS.get(self.name) or COMPARISONS[self.name])(*numbers)

    def symbols(self) -> frozenset[str]:
        """The names of the symbols in it."""
        parts = [each.symbols() for each in self.operands if isinstance(each, Function | FloatTerm)]
        return frozenset().union(*parts)

    def grouped(self) -> str:
        """The text, in brackets where it stands between two operands."""
        return f"({self})" if self.name in _SIGNS else str(self)

    def __str__(self) -> str:
        if self.name in _SIGNS:
            return _SIGNS[self.name].join(map(_grouped, self.operands))
        return f"{self.name}({', '.join(map(str, self.operands))})"


Operand = Function | int | float | FloatTerm


def float_term(name: str, *operands: Operand) -> FloatTerm:
    """The term of an operator and its operands."""
    return FloatTerm(name, operands, 1 + sum(each.weight for each in operands if isinstance(each, FloatTerm)))


def value_of(operand: Operand, values: Mapping[str, int]) -> Any:
    """The number that an operand is where the symbols have `values`."""
    return operand.value(values) if isinstance(operand, Function | FloatTerm) else operand


def _grouped(operand: Operand) -> str:
    return operand.grouped() if isinstance(operand, Function | FloatTerm) else str(operand)
