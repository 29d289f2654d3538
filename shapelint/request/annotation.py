"""Reads the models that a source file asks to be checked, in comments such as `# shapelint: input=1,3,H,W`.

The file is read as text and never imported, so a file without such comments costs no more than its reading.
"""

from __future__ import annotations

import ast
import os
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shapelint.errors import SpecError, TargetError, nearest
from shapelint.source.comments import WORD, Comments, read_comments
from shapelint.source.encoding import UNPARSED, why_unparsed
from shapelint.source.notebook import source_of
from shapelint.source.syntax import file_tree

_KEYS: Final = ("input", "expect", "sizes")
_Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True, slots=True)
class AnnotatedModel:
    """A class or factory with the inputs that its comment gives; `line` is the one of its `class` or `def`."""

    target: str
    inputs: tuple[str, ...]
    expect: str | None
    sizes: str | None
    line: int


def annotated_models(path: str | os.PathLike[str]) -> tuple[AnnotatedModel, ...]:
    """The models of a file that have a comment `# shapelint: input=...` directly above, in the file's order.

    Keys are `input` (again for each further tensor), `expect` and `sizes`; several comment lines count together.
    Raises SpecError for a comment that cannot be read or stands elsewhere, TargetError for a file that cannot.
    """
    file = os.fspath(path)
    try:
        data = source_of(file)
    except (OSError, ValueError) as error:
        raise TargetError(f"cannot read {file!r}: {getattr(error, 'strerror', None) or error}") from error
    if WORD not in data:
        return ()
    try:
        tree, comments = ast.parse(data), read_comments(data, file)
    except (*UNPARSED, tokenize.TokenError) as error:
        line = getattr(error, "lineno", None) or 1
        mistake = f"cannot read {file!r}: {why_unparsed(error)} ({file}:{line})"
        raise TargetError(mistake, place=(file, line)) from error
    return tuple(_models(file, comments, tree))


def definition_line(path: str | os.PathLike[str], name: str) -> int | None:
    """The line of the class or function with that name in a file; None where there is none."""
    node = definition(file_tree(path), name)
    return None if node is None else node.lineno


def comment_place(tree: ast.Module | None, name: str) -> tuple[int, str] | None:
    """The line before which a comment for a class or function goes, and its indentation; None where it is not there."""
    node = definition(tree, name)
    return None if node is None else (_first_line(node), " " * node.col_offset)


def definition(tree: ast.Module | None, name: str) -> ast.ClassDef | ast.FunctionDef | None:
    """The class or function that has a name in a module, the last one where there are several; None for none."""
    return None if tree is None else dict(_definitions(tree.body)).get(name)


def _first_line(node: _Definition) -> int:
    """The line of a definition or of its first decorator."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _models(file: str, comments: Comments, tree: ast.Module) -> Iterator[AnnotatedModel]:
    used: set[int] = set()
    for name, node in _definitions(tree.body):
        lines = _above(node, comments)
        used.update(lines)
        if lines:
            yield _model(file, name, node, {line: comments.marked[line] for line in lines})
    for line in sorted(set(comments.marked) - used):
        mistake = f"{file}:{line}: the comment must stand directly above a class or a factory at the top level"
        raise SpecError(mistake, place=(file, line))


def _above(node: _Definition, comments: Comments) -> list[int]:
    """The marked lines directly above a definition or among its decorators."""
    top = _first_line(node)
    while top - 1 in comments.alone:
        top -= 1
    return [line for line in range(top, node.lineno) if line in comments.marked and line in comments.alone]


def _definitions(body: Iterable[ast.stmt], prefix: str = "") -> Iterator[tuple[str, _Definition]]:
    """Classes, also in classes, and functions of the module itself, also under `if` and `try`."""
    for node in body:
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and not prefix):
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            handlers = [statement for handler in getattr(node, "handlers", ()) for statement in handler.body]
            yield from _definitions([*node.body, *handlers, *node.orelse], prefix)


def _model(file: str, name: str, node: _Definition, texts: Mapping[int, str]) -> AnnotatedModel:
    found: dict[str, list[str]] = {key: [] for key in _KEYS}
    for line, text in texts.items():
        try:
            for word in text.split():
                _add(found, word)
        except SpecError as error:
            raise SpecError(f"{file}:{line}: {error}", place=(file, line)) from None
    if not found["input"]:
        mistake = f"{file}:{min(texts)}: the comment above {name} has no input; write input=1,3,H,W"
        raise SpecError(mistake, place=(file, min(texts)))
    expect, sizes = (next(iter(found[key]), None) for key in ("expect", "sizes"))
    return AnnotatedModel(f"{file}:{name}", tuple(found["input"]), expect, sizes, node.lineno)


def _add(found: dict[str, list[str]], word: str) -> None:
    # Only a file that has such comments pays for the import of what reads them.
    from shapelint.request.spec import parse_argument, parse_expect, parse_sizes

    key, sign, value = word.partition("=")
    if not sign:
        raise SpecError(f"{word!r} has no key; write input=1,3,H,W without spaces")
    if key not in _KEYS:
        raise SpecError(f"unknown key {key!r}{nearest(key, _KEYS)}")
    if found[key] and key != "input":
        raise SpecError(f"{key!r} is given twice")
    {"input": parse_argument, "expect": parse_expect, "sizes": parse_sizes}[key](value)
    found[key].append(value)
