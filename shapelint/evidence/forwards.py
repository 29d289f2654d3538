"""What the source of a `forward` says of its arguments: jaxtyping annotations, and the keys that are read of a dict."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DTYPES: Final = {
    "Float": "float32", "Float32": "float32", "Float16": "float16", "Float64": "float64", "Num": "float32",
    "Shaped": "float32", "Inexact": "float32", "Real": "float32", "Int": "int64", "Int64": "int64", "Int32": "int32",
    "Integer": "int64", "UInt8": "uint8", "Bool": "bool", "Complex": "complex64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forward:
    """The annotated axes and dtypes of arguments, and the keys of those that are dicts, by the argument's name."""

    axes: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_forward(function: Callable[..., Any]) -> Forward:
    """What the source of a function says; nothing where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return Forward()
    node = next((each for each in tree.body if isinstance(each, ast.FunctionDef)), None)
    if node is None:
        return Forward()
    names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    axes = {each.arg: found for each in names if (found := _axes(each.annotation)) is not None}
    keys = {each.arg: read for each in names if (read := tuple(dict.fromkeys(_keys(node, each.arg))))}
    return Forward(axes, keys)


def _axes(annotation: ast.expr | None) -> tuple[tuple[str, ...], str] | None:
    """The axes of `Float[Tensor, "b 3 h w"]`; None for another annotation."""
    if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
        return None
    name = ast.unparse(annotation.value).rpartition(".")[2]
    text = annotation.slice.elts[-1]
    if name not in DTYPES or not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return None
    return tuple(text.value.split()), DTYPES[name]


def _keys(function: ast.FunctionDef, name: str) -> Iterator[str]:
    """The texts by which an argument is subscripted, where it is never used otherwise than as a dict."""
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    reads = [node for node in ast.walk(function) if isinstance(node, ast.Subscript) and _is(node.value, name)]
    reads.sort(key=lambda node: (node.lineno, node.col_offset))
    texts = [node.slice.value for node in reads if isinstance(node.slice, ast.Constant)]
    if len(reads) == len(uses) == len(texts) and all(isinstance(text, str) for text in texts):
        yield from (str(text) for text in texts)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
