"""jaxtyping annotations of functions, read from their source: what they claim of the shapes of one call.

jaxtyping need not be installed, and nothing is imported. What cannot be read claims nothing.
"""

from __future__ import annotations

import ast
import enum
import linecache
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from shapelint.evidence.forwards import DTYPES
from shapelint.source.span import Span, span_of
from shapelint.source.syntax import tree

_PACKAGE: Final = "jaxtyping"
_PREFIXES: Final = "#*_?"


class Axis(enum.Enum):
    """What an axis of an annotation claims."""

    ANY = "any size"
    FIXED = "one number"
    NAMED = "a name"
    COMPUTED = "an expression"
    MANY = "any number of axes"


@dataclass(frozen=True, slots=True)
class Dim:
    """One axis of an annotation: its text, its kind and its name; `broadcasts` allows a 1 in its place."""

    text: str
    kind: Axis
    name: str = ""
    broadcasts: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The annotated axes of a tensor, and the place of their text."""

    dims: tuple[Dim, ...]
    text: str
    place: Span
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a function claims: of its arguments, and of what it returns: one tensor, or a tuple's."""

    name: str
    arguments: Mapping[str, Claim] = field(default_factory=dict)
    result: Claim | tuple[Claim | None, ...] | None = None


def claims(file: str) -> dict[tuple[str, int], Claimed]:
    """The functions of a file that claim anything, by their name and first line, decorators included."""
    if not any(_PACKAGE in line for line in linecache.getlines(file)):
        return {}
    module = tree(file)
    names = dict(_names(module))
    found: dict[tuple[str, int], Claimed] = {}
    for node in ast.walk(module) if names else ():
        if isinstance(node, ast.FunctionDef):
            claimed = _claimed(node, names, file)
            if claimed.arguments or claimed.result is not None:
                found[node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])] = claimed
    return found


def dims_of(text: str) -> tuple[Dim, ...] | None:
    """The axes of the text of an annotation; None where it is one that jaxtyping refuses, or is not read here."""
    dims = [_dim(word) for word in text.split()]
    known = [each for each in dims if each is not None]
    return tuple(known) if len(known) == len(dims) and sum(each.kind is Axis.MANY for each in known) < 2 else None


def _names(module: ast.Module) -> Iterator[tuple[str, str]]:
    """The names by which a module knows jaxtyping and what it has, with what they stand for."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((each.asname or each.name, "") for each in node.names if each.name == _PACKAGE)
        elif isinstance(node, ast.ImportFrom) and node.module == _PACKAGE:
            yield from ((each.asname or each.name, each.name) for each in node.names if each.name in DTYPES)


def _claimed(node: ast.FunctionDef, names: Mapping[str, str], file: str) -> Claimed:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    read = {each.arg: _claim(each.annotation, names, file) for each in arguments}
    return Claimed(
        node.name, {name: claim for name, claim in read.items() if claim}, _result(node.returns, names, file)
    )


def _result(
    node: ast.expr | None, names: Mapping[str, str], file: str
) -> Claim | tuple[Claim | None, ...] | None:
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("tuple", "Tuple", "typing.Tuple"):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        found = tuple(_claim(each, names, file) for each in parts)
        return found if any(found) and not any(_is_dots(each) for each in parts) else None
    return _claim(node, names, file)


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _claim(node: ast.expr | None, names: Mapping[str, str], file: str) -> Claim | None:
    """The claim of `Float[Tensor, "b c h w"]`, of that or None; None for whatever else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [each for each in (node.left, node.right) if not _is_none(each)]
        return _or_none(_claim(sides[0], names, file)) if len(sides) == 1 else None
    if not isinstance(node, ast.Subscript):
        return None
    if ast.unparse(node.value) in ("Optional", "typing.Optional"):
        return _or_none(_claim(node.slice, names, file))
    if not _is_jaxtyping(node.value, names) or not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:
        return None
    array, text = node.slice.elts
    if ast.unparse(array).rpartition(".")[2] != "Tensor" or not isinstance(text, ast.Constant):
        return None
    words = text.value if isinstance(text.value, str) else None
    dims = None if words is None else dims_of(words)
    return None if dims is None or words is None else Claim(dims, words, span_of(file, text))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _or_none(claim: Claim | None) -> Claim | None:
    return None if claim is None else Claim(claim.dims, claim.text, claim.place, optional=True)


def _is_jaxtyping(node: ast.expr, names: Mapping[str, str]) -> bool:
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and names.get(node.value.id) == "" and node.attr in DTYPES
    return isinstance(node, ast.Name) and bool(names.get(node.id))


def _dim(word: str) -> Dim | None:
    if word == "...":
        return Dim(word, Axis.MANY)
    text, prefixes = word.partition("=")[2] if word.count("=") == 1 else word, ""
    while text and text[0] in _PREFIXES:
        prefixes, text = prefixes + text[0], text[1:]
    broadcasts = "#" in prefixes
    if "?" in prefixes or len(set(prefixes)) != len(prefixes) or ("*" in prefixes and broadcasts):
        return None
    if "_" in prefixes:
        return Dim(word, Axis.MANY if "*" in prefixes else Axis.ANY) if not text or text.isidentifier() else None
    if "*" in prefixes:
        return Dim(word, Axis.MANY, text) if text.isidentifier() else None
    if text.isidentifier():
        return Dim(word, Axis.NAMED, text, broadcasts)
    if text.isascii() and text.isdigit():
        return Dim(word, Axis.FIXED, text, broadcasts)
    return Dim(word, Axis.COMPUTED, text, broadcasts) if _is_expression(text) else None


def _is_expression(text: str) -> bool:
    try:
        parsed = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    kinds = ast.Expression | ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.operator | ast.unaryop | ast.Load
    return all(isinstance(each, kinds) for each in ast.walk(parsed))
