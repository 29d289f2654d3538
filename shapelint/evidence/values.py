"""Values and tensors that stand in the source as literals, through names that are assigned once.

A number that is computed of literals counts, a default of argparse or of a dataclass too; what only a run would tell is
NotLiteral.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.errors import foreseen

_LARGEST: Final = 1_000_000
_DEEPEST: Final = 12
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Div: operator.truediv, ast.Mod: operator.mod,
}  # fmt: skip
_MAKERS: Final = ("randn", "rand", "zeros", "ones", "empty", "normal")
_TYPED: Final = {"FloatTensor": "float32", "Tensor": "float32", "LongTensor": "int64", "DoubleTensor": "float64"}
_CASTS: Final = {"long": "int64", "int": "int32", "float": "float32", "double": "float64", "bool": "bool",
                 "half": "float16"}  # fmt: skip
_SAME: Final = ("to", "cuda", "cpu", "contiguous", "requires_grad_", "clone", "detach", "type_as")
_DTYPES: Final = frozenset({"float32", "float64", "float16", "bfloat16", "int64", "int32", "bool", "long", "float",
                            "int", "uint8", "complex64"})  # fmt: skip


@foreseen
class NotLiteral(Exception):
    """An expression of which the source alone does not tell the value."""


@dataclass(frozen=True, slots=True)
class TensorLiteral:
    """A tensor of a literal shape, such as `torch.randn(1, 3, 256, 256)`."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    def __str__(self) -> str:
        return ",".join(map(str, self.shape)) + ("" if self.dtype == "float32" else f":{self.dtype}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a function or module with the expressions that they are assigned; None where there are several."""

    names: Mapping[str, ast.expr | None] = field(default_factory=dict)
    outer: Names | None = None

    def find(self, name: str) -> ast.expr:
        """The expression of a name; raises NotLiteral where there is none, or more than one."""
        if name in self.names:
            found = self.names[name]
        elif self.outer is not None:
            return self.outer.find(name)
        else:
            found = None
        if found is None:
            raise NotLiteral(name)
        return found

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """The value of an expression of literals; raises NotLiteral."""
        if depth > _DEEPEST:
            raise NotLiteral(ast.dump(node)[:40])
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name | ast.Attribute):
            return self.value(self.find(ast.unparse(node)), depth + 1)
        if isinstance(node, ast.List | ast.Tuple):
            items = [self.value(item, depth + 1) for item in node.elts]
            return items if isinstance(node, ast.List) else tuple(items)
        if isinstance(node, ast.Dict):
            keys = [self.value(key, depth + 1) for key in node.keys if key is not None]
            if len(keys) != len(node.values) or not all(isinstance(key, str) for key in keys):
                raise NotLiteral("a dict")
            return dict(zip(keys, [self.value(each, depth + 1) for each in node.values], strict=True))
        return self._computed(node, depth)

    def _computed(self, node: ast.expr, depth: int) -> Any:
        try:
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                return -self.value(node.operand, depth + 1)
            if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
                left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
                if isinstance(left, int | float) and isinstance(right, int | float):
                    return _OPERATORS[type(node.op)](left, right)
        except (ArithmeticError, TypeError) as error:
            raise NotLiteral(str(error)) from error
        raise NotLiteral(type(node).__name__)

    def tensor(self, node: ast.expr, depth: int = 0) -> TensorLiteral:
        """The tensor that an expression makes; raises NotLiteral."""
        if depth > _DEEPEST:
            raise NotLiteral("too deep")
        if isinstance(node, ast.Name | ast.Attribute):
            return self.tensor(self.find(ast.unparse(node)), depth + 1)
        if not isinstance(node, ast.Call):
            raise NotLiteral(type(node).__name__)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("Variable", "Parameter") and node.args:
            return self.tensor(node.args[0], depth + 1)
        if name in _MAKERS or name in _TYPED:
            return TensorLiteral(self._shape(node.args, node.keywords), _TYPED.get(name) or self._dtype(node))
        if name == "randint":
            shape = next((each.value for each in node.keywords if each.arg == "size"), None) or node.args[-1]
            return TensorLiteral(self._shape([shape], ()), self._dtype(node, "int64"))
        if isinstance(node.func, ast.Attribute) and name in (*_SAME, *_CASTS, "unsqueeze"):
            return self._method(name, self.tensor(node.func.value, depth + 1), node)
        raise NotLiteral(name)

    def _method(self, name: str, made: TensorLiteral, node: ast.Call) -> TensorLiteral:
        if name in _CASTS:
            return TensorLiteral(made.shape, _CASTS[name])
        if name != "unsqueeze":
            return TensorLiteral(made.shape, self._dtype(node, made.dtype))
        axis = self.value(node.args[0]) if node.args else None
        if not isinstance(axis, int) or not -len(made.shape) - 1 <= axis <= len(made.shape):
            raise NotLiteral("unsqueeze")
        place = axis % (len(made.shape) + 1)
        return TensorLiteral((*made.shape[:place], 1, *made.shape[place:]), made.dtype)

    def _shape(self, given: Iterable[ast.expr], keywords: Iterable[ast.keyword]) -> tuple[int, ...]:
        nodes = [*given, *(each.value for each in keywords if each.arg == "size")]
        values = [self.value(node) for node in nodes]
        if len(values) == 1 and isinstance(values[0], list | tuple):
            values = list(values[0])
        if not values or not all(type(value) is int and 0 < value <= _LARGEST for value in values):
            raise NotLiteral("a shape")
        return tuple(values)

    @staticmethod
    def _dtype(node: ast.Call, usual: str = "float32") -> str:
        """The dtype that a call names, as `dtype=torch.int64` or `.to(torch.int64)`."""
        named = [each.value for each in node.keywords if each.arg == "dtype"]
        given = node.args if isinstance(node.func, ast.Attribute) and node.func.attr == "to" else []
        words = [each.attr for each in (*named, *given) if isinstance(each, ast.Attribute)]
        return next((word for word in words if word in _DTYPES), usual)


def assignments(body: Iterable[ast.stmt], outer: Names | None = None) -> Names:
    """The scope of some statements, those in their blocks included, but not those of functions and classes inside."""
    found: dict[str, ast.expr | None] = {}
    for node in statements(body):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            for left, right in _pairs(target, value):
                found[left] = None if left in found else right
        for name, default in _defaults(node):
            found.setdefault(name, default)
    return Names(found, outer)


def statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """The statements of a body and of its blocks, not those of functions and classes in it."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, part, []) or [])
        for handler in getattr(node, "handlers", []):
            yield from statements(handler.body)


def _pairs(target: ast.expr, value: ast.expr | None) -> Iterable[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Tuple):
        items = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
        for index, each in enumerate(target.elts):
            yield from _pairs(each, items[index] if items else None)
    elif isinstance(target, ast.Name | ast.Attribute):
        yield ast.unparse(target), value


def _defaults(node: ast.stmt) -> Iterable[tuple[str, ast.expr | None]]:
    """The defaults that a statement gives: of a class's fields, or of `parser.add_argument("--depth", default=4)`."""
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and each.value is not None and isinstance(each.target, ast.Name):
                yield f"{node.name}.{each.target.id}", each.value
            elif isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                yield f"{node.name}.{each.targets[0].id}", each.value
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
        words = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        default = next((each.value for each in call.keywords if each.arg == "default"), None)
        for word in words if default is not None else ():
            for owner in ("args", "opt", "opts", "config", "cfg", "hparams", "FLAGS"):
                yield f"{owner}.{word.lstrip('-').replace('-', '_')}", default
