"""Calls of what a program may have changed since it was built: there its construction says little of what is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from shapelint.source.syntax import nodes_of

_LOOKING: Final = frozenset({"print", "summary", "len", "type", "isinstance", "repr", "str"})
_ADDING: Final = ("add_", "register_", "set", "append", "insert", "extend", "pop")


def changed_calls(tree: ast.Module) -> frozenset[int]:
    """The lines of calls of something that the program may change, or with an argument that it changes in place.

    That is what it stores in (`net.conv1 = ...`), calls a method of that changes it (`x.resize_(...)`), or hands to a
    function that may do so (`adapt(net)`).
    """
    nodes = nodes_of(tree)
    changed = {name for node in nodes for name in _stored_in(node)}
    handed = {name for node in nodes if isinstance(node, ast.Call) for name in _handed(node)}
    calls = (node for node in nodes if isinstance(node, ast.Call))
    return frozenset(
        call.lineno
        for call in calls
        if _root(call.func) in changed | handed or any(name in changed for each in call.args for name in _names(each))
    )


def _stored_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield _root(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        method = node.func.attr
        if method.startswith(_ADDING) or (method.endswith("_") and not method.startswith("_")):
            yield _root(node.func)


def _handed(call: ast.Call) -> Iterator[str]:
    """The names that a call hands over as they are, unless it only looks at them."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else _root(call.func)
    if function not in _LOOKING:
        yield from (each.id for each in call.args if isinstance(each, ast.Name))


def _names(node: ast.expr) -> Iterator[str]:
    yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _root(node: ast.expr) -> str:
    """The name that attributes, items and calls start from; "" where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
