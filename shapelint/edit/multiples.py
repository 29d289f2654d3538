"""Where the number stands to whose multiples a hand-made pad rounds a size up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.edit.scope import Scope
from shapelint.source.span import Span, span_of
from shapelint.source.syntax import function_around, tree

_DEEPEST = 3
_ROUNDING = ast.Mod | ast.FloorDiv | ast.Div


def multiples_written(pad: Span, number: int) -> tuple[Span, ...]:
    """The literals of a number that is divided by around a pad: in its function, or in its class where that is only
    made to pad; else those which the file hands to the function. () where it divides by something else.

    A name, a constant of the class or of the module and a default of the constructor stand for what they are given.
    """
    function = function_around(pad)
    if function is None:
        return ()
    within: ast.AST = function
    for owner in (node for node in ast.walk(tree(pad.file)) if isinstance(node, ast.ClassDef)):
        methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
        if function in methods and all(each.name != "forward" for each in methods):
            within = owner
    found = list(_operands(within, Scope.of(pad.file, function.body[0]), number))
    if any(isinstance(operator, _ROUNDING) for operator, _ in found):
        return tuple(dict.fromkeys(span_of(pad.file, node) for _, node in found))
    calls = (node for node in ast.walk(tree(pad.file)) if isinstance(node, ast.Call))
    given = (each for call in calls if _names(call, function.name) for each in _values(call))
    return tuple(span_of(pad.file, each) for each in given if _is(each, number))


def _operands(within: ast.AST, scope: Scope, number: int) -> Iterator[tuple[ast.operator, ast.expr]]:
    for node in ast.walk(within):
        if isinstance(node, ast.BinOp):
            for each in (node.left, node.right):
                yield from ((node.op, literal) for literal in _literals(each, scope, number))


def _literals(node: ast.expr, scope: Scope, number: int, depth: int = 0) -> Iterator[ast.expr]:
    """The literals of a number that an expression is, or stands for."""
    if _is(node, number):
        yield node
    if depth == _DEEPEST:
        return
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        for value in scope.attribute(node.attr):
            yield from _literals(value, Scope.of(scope.file, value), number, depth + 1)
    if isinstance(node, ast.Name):
        for value in (*scope.values(node.id), *_defaults(scope, node.id)):
            yield from _literals(value, scope, number, depth + 1)


def _defaults(scope: Scope, name: str) -> Iterator[ast.expr]:
    """The default of a parameter of the functions around."""
    for function in scope.around:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            given = function.args
            plain = [*given.posonlyargs, *given.args]
            pairs = [*zip(reversed(plain), reversed(given.defaults), strict=False)]
            pairs += [(arg, value) for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
            yield from (value for arg, value in pairs if arg.arg == name)


def _names(call: ast.Call, function: str) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] == function


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords)]


def _is(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number
