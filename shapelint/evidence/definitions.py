"""The arguments of a class or factory, by reading its file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shapelint.source.syntax import file_tree


@dataclass(frozen=True, slots=True)
class Constructor:
    """The arguments of a class or factory: those that go by position, all, those without a default, and annotations."""

    positional: tuple[str, ...]
    names: frozenset[str]
    required: tuple[str, ...]
    annotations: Mapping[str, ast.expr]
    line: int


def argument_names(file: str, name: str) -> tuple[str, ...] | None:
    """The names of the positional arguments of a class or function at the top level; None where none stand there."""
    found = constructor(file, name)
    return None if found is None else found.positional


def constructor(file: str, name: str) -> Constructor | None:
    """The arguments of a class or function at the top level of a file; None where none stand there.

    Those of a class are its own `__init__`'s, or those of a base class in the same file.
    """
    tree = file_tree(file)
    definitions = {} if tree is None else {node.name: node for node in _definitions(tree)}
    for _ in range(len(definitions)):
        node = definitions.get(name)
        if isinstance(node, ast.FunctionDef):
            return _constructor(node, 0)
        if node is None:
            return None
        own = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
        if own is not None:
            return _constructor(own, 1)
        name = ast.unparse(node.bases[0]) if node.bases else ""
    return None


def _definitions(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    yield from (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))


def _constructor(node: ast.FunctionDef, start: int) -> Constructor:
    positional = [*node.args.posonlyargs, *node.args.args][start:]
    needed = positional[: max(len(positional) - len(node.args.defaults), 0)]
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    required = [*needed, *(each for each, default in pairs if default is None)]
    every = [*positional, *node.args.kwonlyargs]
    annotations = {each.arg: each.annotation for each in every if each.annotation is not None}
    return Constructor(
        tuple(each.arg for each in positional), frozenset(each.arg for each in every),
        tuple(each.arg for each in required), annotations, node.lineno,
    )  # fmt: skip
