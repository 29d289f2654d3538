"""What the source of a `forward` says of its arguments: jaxtyping annotations, and how it reads them.

An argument that is only read as a dict, an object, a tuple or a list is one.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.source.encoding import UNPARSED

DTYPES: Final = {
    "Float": "float32", "Float32": "float32", "Float16": "float16", "Float64": "float64", "Num": "float32",
    "Shaped": "float32", "Inexact": "float32", "Real": "float32", "Int": "int64", "Int64": "int64", "Int32": "int32",
    "Integer": "int64", "UInt8": "uint8", "Bool": "bool", "Complex": "complex64",
}  # fmt: skip
_LONGEST: Final = 8


@dataclass(frozen=True, slots=True)
class Forward:
    """The annotated axes and dtypes of arguments, by the argument's name, and how those are read that are groups.

    `keys` are read of dicts, `fields` of objects (or of tensors), `places` counts the items of tuples, and `rows` are
    gone through in a loop.
    """

    axes: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    rows: frozenset[str] = frozenset()


def read_forward(function: Callable[..., Any]) -> Forward:
    """What the source of a function says; nothing where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, *UNPARSED):
        return Forward()
    node = next((each for each in tree.body if isinstance(each, ast.FunctionDef)), None)
    if node is None:
        return Forward()
    names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    axes = {each.arg: found for each in names if (found := _axes(each.annotation)) is not None}
    keys, fields, places, rows = {}, {}, {}, set()
    for each in names:
        uses = _uses(node, each.arg)
        if read := _keys(uses):
            keys[each.arg] = read
        elif read := _fields(uses):
            fields[each.arg] = read
        elif count := _places(uses):
            places[each.arg] = count
        elif uses and all(_is_loop(use) for use in uses):
            rows.add(each.arg)
    return Forward(axes, keys, fields, places, frozenset(rows))


def _axes(annotation: ast.expr | None) -> tuple[tuple[str, ...], str] | None:
    """The axes of `Float[Tensor, "b 3 h w"]`; None for another annotation."""
    if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
        return None
    name = ast.unparse(annotation.value).rpartition(".")[2]
    text = annotation.slice.elts[-1]
    if name not in DTYPES or not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return None
    return tuple(text.value.split()), DTYPES[name]


def _uses(function: ast.FunctionDef, name: str) -> list[ast.AST]:
    """What an argument stands in directly, at each place of the function that speaks of it, in their order."""
    found = [
        (each.lineno, each.col_offset, parent)
        for parent in ast.walk(function)
        for each in ast.iter_child_nodes(parent)
        if isinstance(each, ast.Name) and each.id == name
    ]
    return [parent for _, _, parent in sorted(found, key=lambda use: use[:2])]


def _keys(uses: Sequence[ast.AST]) -> tuple[str, ...]:
    """The texts by which a dict is subscripted, without those that it is asked for; none where it is used otherwise."""
    texts = [_text(use.slice) for use in uses if isinstance(use, ast.Subscript)]
    asked = {_text(use.left) for use in uses if isinstance(use, ast.Compare)}
    soft = [each for each in uses if isinstance(each, ast.Compare) or getattr(each, "attr", "") == "get"]
    if None in texts or None in asked or len(texts) + len(soft) < len(uses):
        return ()
    return tuple(dict.fromkeys(text for text in texts if text is not None and text not in asked))


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _fields(uses: Sequence[ast.AST]) -> tuple[str, ...]:
    """The names that are read of an object; none where it is used otherwise."""
    names = [use.attr for use in uses if isinstance(use, ast.Attribute)]
    return tuple(dict.fromkeys(names)) if len(names) == len(uses) else ()


def _places(uses: Sequence[ast.AST]) -> int:
    """The number of items of a tuple that is taken apart, or read at two places or more; 0 for another use."""
    apart = [use for use in uses if isinstance(use, ast.Assign) and isinstance(use.targets[0], ast.Tuple)]
    if len(apart) == 1 == len(uses):
        targets = apart[0].targets[0].elts  # type: ignore[attr-defined]
        return 0 if any(isinstance(each, ast.Starred) for each in targets) else len(targets)
    read = [use.slice for use in uses if isinstance(use, ast.Subscript)]
    indices = [each.value for each in read if isinstance(each, ast.Constant) and type(each.value) is int]
    plain = len(indices) == len(uses) and all(0 <= index < _LONGEST for index in indices)
    return max(indices) + 1 if plain and len(set(indices)) > 1 else 0


def _is_loop(use: ast.AST) -> bool:
    """Whether a use goes through a list: `for`, `zip`, `enumerate`, `len`."""
    called = isinstance(use, ast.Call) and isinstance(use.func, ast.Name) and use.func.id in ("zip", "enumerate", "len")
    return called or isinstance(use, ast.For | ast.comprehension)
