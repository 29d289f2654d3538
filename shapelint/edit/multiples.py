"""Where the number stands to whose multiples a hand-made pad rounds a size up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.source.span import Span, span_of
from shapelint.source.syntax import function_around, tree

_ROUNDING = ast.Mod | ast.FloorDiv | ast.Div


def multiples_written(pad: Span, number: int) -> tuple[Span, ...]:
    """The literals of a number that is divided by around a pad: in its function, or in its class where that is only
    made to pad; else those which the file hands to the function. () where it divides by something else.
    """
    function = function_around(pad)
    if function is None:
        return ()
    within: ast.AST = function
    for owner in (node for node in ast.walk(tree(pad.file)) if isinstance(node, ast.ClassDef)):
        methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
        if function in methods and all(each.name != "forward" for each in methods):
            within = owner
    found = list(_operands(within, number))
    if any(isinstance(operator, _ROUNDING) for operator, _ in found):
        return tuple(dict.fromkeys(span_of(pad.file, node) for _, node in found))
    calls = (node for node in ast.walk(tree(pad.file)) if isinstance(node, ast.Call))
    given = (each for call in calls if _names(call, function.name) for each in _values(call))
    return tuple(span_of(pad.file, each) for each in given if _is(each, number))


def _operands(within: ast.AST, number: int) -> Iterator[tuple[ast.operator, ast.expr]]:
    for node in ast.walk(within):
        if isinstance(node, ast.BinOp):
            yield from ((node.op, each) for each in (node.left, node.right) if _is(each, number))


def _names(call: ast.Call, function: str) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] == function


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords)]


def _is(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number
