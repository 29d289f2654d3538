"""Reads a dimension that a person wrote, such as `16*K` or `H//8`, into a Function; a pickled one is read so too."""

from __future__ import annotations

import ast
import copyreg

from shapelint.errors import SpecError
from shapelint.size.function import Function, constant, extreme, symbol


def parse_function(text: str) -> Function:
    """The function that the text denotes: integers, names, + - * // min max; SpecError else."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SpecError(f"dimension {text!r} is no integer, symbol or expression of them") from None
    return _function(tree, text)


def _function(node: ast.expr, text: str) -> Function:
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return constant(number)
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _function(operand, text).times(-1)
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _function(left, text), _function(right, text), text)
        case ast.Call(func=ast.Name(id=("min" | "max") as name), args=[first, second], keywords=[]):
            return extreme(name, _function(first, text), _function(second, text))
    raise SpecError(f"dimension {text!r} is no integer, symbol or expression of them (+, -, *, //)")


def _binary(operator: ast.operator, left: Function, right: Function, text: str) -> Function:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv() if right.constant:
            return left.floor_divide(right.constant)
    raise SpecError(f"dimension {text!r} may use +, -, * and // by a whole number only")


def _pickled(function: Function) -> tuple[object, tuple[str]]:
    """A function is pickled as its text, since atoms are one object for each meaning in a process."""
    return parse_function, (str(function),)


copyreg.pickle(Function, _pickled)  # type: ignore[arg-type]
