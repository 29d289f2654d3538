"""The arguments of a class or factory, by reading its file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.source.syntax import file_tree


def argument_names(file: str, name: str) -> tuple[str, ...] | None:
    """The names of the positional arguments of a class or function at the top level; None where none stand there.

    Those of a class are its own `__init__`'s, or those of a base class in the same file.
    """
    tree = file_tree(file)
    definitions = {} if tree is None else {node.name: node for node in _definitions(tree)}
    for _ in range(len(definitions)):
        node = definitions.get(name)
        if isinstance(node, ast.FunctionDef):
            return _names(node, 0)
        if node is None:
            return None
        own = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
        if own is not None:
            return _names(own, 1)
        name = ast.unparse(node.bases[0]) if node.bases else ""
    return None


def _definitions(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    yield from (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))


def _names(node: ast.FunctionDef, start: int) -> tuple[str, ...]:
    return tuple(each.arg for each in [*node.args.posonlyargs, *node.args.args][start:])
