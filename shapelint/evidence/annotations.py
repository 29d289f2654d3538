"""jaxtyping annotations of functions, read from their source: what they claim of the shapes of one call.

Names that stand for an annotation are followed, over the files of a project.

jaxtyping need not be installed, and nothing is imported. What cannot be read claims nothing.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shapelint.evidence.forwards import DTYPES
from shapelint.evidence.scopes import Modules, NameScope, NotLiteral
from shapelint.source.span import Span, span_of
from shapelint.source.syntax import nodes_of, tree

_PACKAGE: Final = "jaxtyping"
_PREFIXES: Final = "#*_?"
_SEQUENCES: Final = frozenset({"list", "List", "Sequence", "Iterable", "Collection", "MutableSequence"})
_MAPPINGS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict"})
_TUPLES: Final = frozenset({"tuple", "Tuple"})
_DEEPEST: Final = 8


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
    """The annotated axes of a tensor, and the place of their text, or of the name that stands for it."""

    dims: tuple[Dim, ...]
    text: str
    place: Span


@dataclass(frozen=True, slots=True)
class ItemClaims:
    """What is claimed of the items of a list, tuple or dict: the same of each, or of each place its own, if any."""

    items: tuple[ClaimTree | None, ...]
    alike: bool


ClaimTree = Claim | ItemClaims


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a function claims of its arguments, and of what it returns."""

    name: str
    arguments: Mapping[str, ClaimTree] = field(default_factory=dict)
    result: ClaimTree | None = None


def claims(file: str) -> dict[tuple[str, int], Claimed]:
    """The functions of a file that claim anything, by their name and first line, decorators included."""
    module = tree(file)
    scope = Modules().of(file, module)
    found: dict[tuple[str, int], Claimed] = {}
    for node in nodes_of(module):
        if isinstance(node, ast.FunctionDef) and scope is not None:
            claimed = _claimed(node, _AnnotationReader(file, scope))
            if claimed.arguments or claimed.result is not None:
                found[node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])] = claimed
    return found


def dims_of(text: str) -> tuple[Dim, ...] | None:
    """The axes of the text of an annotation; None where it is one that jaxtyping refuses, or is not read here."""
    dims = [_dim(word) for word in text.split()]
    known = [each for each in dims if each is not None]
    return tuple(known) if len(known) == len(dims) and sum(each.kind is Axis.MANY for each in known) < 2 else None


def _claimed(node: ast.FunctionDef, reader: _AnnotationReader) -> Claimed:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    read = {each.arg: reader.claim(each.annotation) for each in arguments}
    return Claimed(node.name, {name: claim for name, claim in read.items() if claim}, reader.claim(node.returns))


@dataclass(frozen=True, slots=True)
class _AnnotationReader:
    """Reads annotations that stand in a scope; where a name led to it, all is at the `place` of that name."""

    file: str
    scope: NameScope
    place: Span | None = None
    depth: int = 0

    def claim(self, node: ast.expr | None) -> ClaimTree | None:
        """What an annotation claims; None for one that is not read here."""
        if node is None or self.depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._quoted(node, node.value)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._alias(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([node.left, node.right])
        return self._subscripted(node) if isinstance(node, ast.Subscript) else None

    def _subscripted(self, node: ast.Subscript) -> ClaimTree | None:
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        known = self.scope.origin(ast.unparse(node.value)) or ast.unparse(node.value)
        if known.startswith(f"{_PACKAGE}.") and known.rpartition(".")[2] in DTYPES:
            return self._tensor(parts)
        name = known.rpartition(".")[2]
        if name == "Optional" or name == "Union":
            return self._union(parts)
        if name in _SEQUENCES or (name in _TUPLES and len(parts) == 2 and _is_dots(parts[1])):
            return self._items(parts[:1], alike=True)
        if name in _MAPPINGS and len(parts) == 2:
            return self._items(parts[1:], alike=True)
        return self._items(parts, alike=False) if name in _TUPLES else None

    def _tensor(self, parts: Sequence[ast.expr]) -> Claim | None:
        """The claim of `Float[Tensor, "b c h w"]`, or of `Float[Image, "b"]` where Image is such a one itself."""
        if len(parts) != 2 or not isinstance(parts[1], ast.Constant) or not isinstance(parts[1].value, str):
            return None
        words, place = parts[1].value.strip(), self.place or span_of(self.file, parts[1])
        if ast.unparse(parts[0]).rpartition(".")[2] != "Tensor":
            inner = self.claim(parts[0])
            if not isinstance(inner, Claim):
                return None
            words = f"{words} {inner.text}"
        dims = dims_of(words)
        return None if dims is None else Claim(dims, words, place)

    def _items(self, parts: Sequence[ast.expr], *, alike: bool) -> ItemClaims | None:
        found = tuple(map(self.claim, parts))
        return ItemClaims(found, alike) if any(found) else None

    def _union(self, parts: Sequence[ast.expr]) -> ClaimTree | None:
        """The claim of the one part that is not None; of several nothing is claimed."""
        sides = [each for each in parts if not (isinstance(each, ast.Constant) and each.value is None)]
        return self.claim(sides[0]) if len(sides) == 1 else None

    def _quoted(self, node: ast.Constant, text: str) -> ClaimTree | None:
        try:
            inner = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return None
        return self._at(node, self.scope).claim(inner)

    def _alias(self, node: ast.Name | ast.Attribute) -> ClaimTree | None:
        """What a name stands for that is assigned once, here or in another file of the project."""
        try:
            found, scope = self.scope.find(ast.unparse(node))
        except NotLiteral:
            return None
        return self._at(node, scope).claim(found)

    def _at(self, node: ast.expr, scope: NameScope) -> _AnnotationReader:
        return _AnnotationReader(self.file, scope, self.place or span_of(self.file, node), self.depth + 1)


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _dim(word: str) -> Dim | None:
    """One axis, read as jaxtyping reads it; None for what that refuses, and for what is not read here."""
    if word == "...":
        return Dim(word, Axis.MANY)
    prefixes, text = _taken_apart(word)
    broadcasts = "#" in prefixes
    if "?" in prefixes or len(set(prefixes)) != len(prefixes) or word.endswith("#"):
        return None
    if "_" in prefixes:
        known = not broadcasts and (not text or text.isidentifier())
        return Dim(word, Axis.MANY if "*" in prefixes else Axis.ANY) if known else None
    if "*" in prefixes:
        return Dim(word, Axis.MANY, text, broadcasts) if text.isidentifier() else None
    if text.isidentifier():
        return Dim(word, Axis.NAMED, text, broadcasts)
    if text.isascii() and text.isdigit():
        return Dim(word, Axis.FIXED, text, broadcasts)
    return Dim(word, Axis.COMPUTED, text, broadcasts) if _is_expression(text) else None


def _taken_apart(word: str) -> tuple[str, str]:
    """The prefixes of an axis and what they stand before; of `rows=4` the number."""
    prefixes = ""
    while word and (word[0] in _PREFIXES or word.count("=") == 1):
        if word[0] in _PREFIXES:
            prefixes, word = prefixes + word[0], word[1:]
        else:
            word = word.partition("=")[2]
    return prefixes, word


def _is_expression(text: str) -> bool:
    try:
        parsed = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    kinds = ast.Expression | ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.operator | ast.unaryop | ast.Load
    return all(isinstance(each, kinds) for each in ast.walk(parsed))
