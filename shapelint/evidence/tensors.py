"""The shape and dtype of `torch.randn(1, 3, 256, 256)` and its kin, as the source writes them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shapelint.evidence.scopes import NameScope, NotLiteral
from shapelint.evidence.settings import DEEPEST
from shapelint.evidence.values import value

_LARGEST: Final = 1_000_000
_MAKERS: Final = ("randn", "rand", "zeros", "ones", "empty", "normal")
_TYPED: Final = {"FloatTensor": "float32", "Tensor": "float32", "LongTensor": "int64", "DoubleTensor": "float64"}
_CASTS: Final = {"long": "int64", "int": "int32", "float": "float32", "double": "float64", "bool": "bool",
                 "half": "float16"}  # fmt: skip
_SAME: Final = ("to", "cuda", "cpu", "contiguous", "requires_grad_", "clone", "detach", "type_as")
_DTYPES: Final = frozenset({"float32", "float64", "float16", "bfloat16", "int64", "int32", "bool", "long", "float",
                            "int", "uint8", "complex64"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorLiteral:
    """A tensor of a literal shape, such as `torch.randn(1, 3, 256, 256)`."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    def __str__(self) -> str:
        return ",".join(map(str, self.shape)) + ("" if self.dtype == "float32" else f":{self.dtype}")


def tensor(node: ast.expr, scope: NameScope, depth: int = 0) -> TensorLiteral:
    """The tensor that an expression makes; raises NotLiteral."""
    if depth > DEEPEST:
        raise NotLiteral("too deep")
    if isinstance(node, ast.Name | ast.Attribute):
        found, inner = scope.find(ast.unparse(node))
        return tensor(found, inner, depth + 1)
    if not isinstance(node, ast.Call):
        raise NotLiteral(type(node).__name__)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("Variable", "Parameter") and node.args:
        return tensor(node.args[0], scope, depth + 1)
    if name in _MAKERS or name in _TYPED:
        return TensorLiteral(_shape(node.args, node.keywords, scope), _TYPED.get(name) or _dtype(node))
    if name == "randint":
        shape = next((each.value for each in node.keywords if each.arg == "size"), None) or node.args[-1]
        return TensorLiteral(_shape([shape], (), scope), _dtype(node, "int64"))
    if isinstance(node.func, ast.Attribute) and name in (*_SAME, *_CASTS, "unsqueeze"):
        return _method(name, tensor(node.func.value, scope, depth + 1), node, scope)
    raise NotLiteral(name)


def _method(name: str, made: TensorLiteral, node: ast.Call, scope: NameScope) -> TensorLiteral:
    if name in _CASTS:
        return TensorLiteral(made.shape, _CASTS[name])
    if name != "unsqueeze":
        return TensorLiteral(made.shape, _dtype(node, made.dtype))
    axis = value(node.args[0], scope) if node.args else None
    if not isinstance(axis, int) or not -len(made.shape) - 1 <= axis <= len(made.shape):
        raise NotLiteral("unsqueeze")
    place = axis % (len(made.shape) + 1)
    return TensorLiteral((*made.shape[:place], 1, *made.shape[place:]), made.dtype)


def _shape(given: Iterable[ast.expr], keywords: Iterable[ast.keyword], scope: NameScope) -> tuple[int, ...]:
    nodes = [*given, *(each.value for each in keywords if each.arg == "size")]
    values = [value(node, scope) for node in nodes]
    if len(values) == 1 and isinstance(values[0], list | tuple):
        values = list(values[0])
    if not values or not all(type(value) is int and 0 < value <= _LARGEST for value in values):
        raise NotLiteral("a shape")
    return tuple(values)


def _dtype(node: ast.Call, usual: str = "float32") -> str:
    """The dtype that a call names, as `dtype=torch.int64` or `.to(torch.int64)`."""
    named = [each.value for each in node.keywords if each.arg == "dtype"]
    given = node.args if isinstance(node.func, ast.Attribute) and node.func.attr == "to" else []
    words = [each.attr for each in (*named, *given) if isinstance(each, ast.Attribute)]
    return next((word for word in words if word in _DTYPES), usual)
