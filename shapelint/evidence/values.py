"""The values of expressions, as far as the source tells them: literals, and what is computed of them.

Names that are assigned once, in this file or in another of the project; defaults of arguments, of argparse, and of
classes of settings; files of settings that the code names. What only a run would tell is NotLiteral.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from shapelint.evidence.config_files import read_config
from shapelint.evidence.scopes import OWNERS, NameScope, NotLiteral, parameters, statements
from shapelint.evidence.settings import (
    DEEPEST,
    Construction,
    NamedPart,
    SettingsObject,
    bound,
    instance,
    is_module,
    parsed,
)

_LONGEST: Final = 256
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Div: operator.truediv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "int": int, "float": float, "str": str, "bool": bool, "list": list, "tuple": tuple, "dict": dict, "len": len,
    "min": min, "max": max, "sum": sum, "abs": abs, "round": round, "range": range, "sorted": sorted,
}  # fmt: skip
_OBJECTS: Final = frozenset({"Namespace", "SimpleNamespace", "EasyDict", "edict", "Munch", "AttrDict", "ConfigDict",
                             "DictConfig", "create", "Box", "Dict"})  # fmt: skip
_READERS: Final = frozenset({"yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.unsafe_load", "json.load",
                             "OmegaConf.load"})  # fmt: skip


def value(node: ast.expr, scope: NameScope, depth: int = 0) -> Any:
    """The value of an expression; raises NotLiteral."""
    if depth > DEEPEST:
        raise NotLiteral(ast.dump(node)[:40])
    try:
        if isinstance(node, ast.Constant):
            return node.value
        return _EVALUATED[type(node)](node, scope, depth + 1)
    except (ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise NotLiteral(str(error)) from error


def arguments(call: ast.Call, read: Callable[[ast.expr], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, each as `read` finds it; raises NotLiteral where one is no literal."""
    args: list[Any] = []
    for each in call.args:
        args += _sequence(read(each.value)) if isinstance(each, ast.Starred) else [read(each)]
    kwargs: dict[str, Any] = {}
    for keyword in call.keywords:
        found = read(keyword.value)
        kwargs |= _mapping(found) if keyword.arg is None else {keyword.arg: found}
    return tuple(args), kwargs


def _sequence(found: Any) -> list[Any]:
    if not isinstance(found, list | tuple | range) or len(found) > _LONGEST:
        raise NotLiteral("*")
    return list(found)


def _mapping(found: Any) -> Mapping[str, Any]:
    found = found.fields if isinstance(found, SettingsObject) else found
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise NotLiteral("**")
    return found


def _named(node: ast.Name | ast.Attribute, scope: NameScope, depth: int) -> Any:
    text = ast.unparse(node)
    with suppress(NotLiteral):
        found, inner = scope.find(text)
        return value(found, inner, depth)
    with suppress(NotLiteral):
        definition, where = scope.definition(text)
        if isinstance(definition, ast.ClassDef) and not is_module(definition, where):
            return instance(Construction(definition, where), value, depth)
        return NamedPart(text)
    if text in OWNERS and _is_unknown(text, scope):
        return parsed(scope.module(), value, depth)
    if scope.origin(text).startswith("torch."):
        return NamedPart(text)
    if isinstance(node, ast.Attribute):
        return _field(value(node.value, scope, depth), node.attr)
    raise NotLiteral(text)


def _is_unknown(name: str, scope: NameScope) -> bool:
    """Whether nothing says what a name is: it is an argument of a function, or has several values."""
    try:
        scope.find(name)
    except NotLiteral:
        return True
    return False


def _field(owner: Any, name: str) -> Any:
    if not isinstance(owner, SettingsObject):
        raise NotLiteral(name)
    return owner.fields[name]


def _list(node: ast.List | ast.Tuple, scope: NameScope, depth: int) -> Any:
    items: list[Any] = []
    for each in node.elts:
        starred = isinstance(each, ast.Starred)
        found = value(each.value if isinstance(each, ast.Starred) else each, scope, depth)
        items += _sequence(found) if starred else [found]
    return items if isinstance(node, ast.List) else tuple(items)


def _dict(node: ast.Dict, scope: NameScope, depth: int) -> Any:
    found: dict[Any, Any] = {}
    for key, each in zip(node.keys, node.values, strict=True):
        read = value(each, scope, depth)
        found |= _mapping(read) if key is None else {value(key, scope, depth): read}
    return found


def _item(node: ast.Subscript, scope: NameScope, depth: int) -> Any:
    owner, key = value(node.value, scope, depth), value(node.slice, scope, depth)
    return owner.fields[key] if isinstance(owner, SettingsObject) else owner[key]


def _negative(node: ast.UnaryOp, scope: NameScope, depth: int) -> Any:
    found = value(node.operand, scope, depth)
    if isinstance(node.op, ast.USub) and isinstance(found, int | float):
        return -found
    if isinstance(node.op, ast.Not):
        return not found
    raise NotLiteral(type(node.op).__name__)


def _operation(node: ast.BinOp, scope: NameScope, depth: int) -> Any:
    left, right = value(node.left, scope, depth), value(node.right, scope, depth)
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if isinstance(node.op, ast.Pow) and (not numbers or abs(left) > _LONGEST or abs(right) > 32):
        raise NotLiteral("**")
    added = isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, list | tuple | str)
    repeated = isinstance(node.op, ast.Mult) and isinstance(left, list | tuple) and type(right) is int
    if not (numbers or added or (repeated and len(left) * right <= _LONGEST)):
        raise NotLiteral(type(node.op).__name__)
    return _OPERATORS[type(node.op)](left, right)


def _comprehension(node: ast.ListComp | ast.GeneratorExp, scope: NameScope, depth: int) -> Any:
    loop = node.generators[0]
    if len(node.generators) > 1 or loop.ifs or not isinstance(loop.target, ast.Name):
        raise NotLiteral("a comprehension")
    name = loop.target.id
    items = _sequence(value(loop.iter, scope, depth))
    return [value(node.elt, NameScope({name: ast.Constant(item)}, scope), depth) for item in items]


def _called(node: ast.Call, scope: NameScope, depth: int) -> Any:
    text = ast.unparse(node.func)
    last = text.rpartition(".")[2]
    if last in ("parse_args", "parse_known_args"):
        return parsed(_owner(node.func, scope), value, depth)
    if text in _READERS and node.args:
        return answering(read_config(_path(node.args[0], scope, depth), scope.module().file))
    args, kwargs = arguments(node, lambda each: value(each, scope, depth))
    if text in _FUNCTIONS:
        found = _FUNCTIONS[text](*args, **kwargs)
        return _sequence(found) if isinstance(found, range) else found
    with suppress(NotLiteral):
        return _defined(text, Construction(*scope.definition(text), args, kwargs), depth)
    if last in _OBJECTS and not isinstance(args[0] if args else {}, list):
        return SettingsObject("", {**(_mapping(args[0]) if args else {}), **kwargs})
    if scope.origin(text).startswith("torch.nn.") and last[:1].isupper():
        return NamedPart(text, (args, kwargs))
    raise NotLiteral(text)


def _defined(text: str, made: Construction, depth: int) -> Any:
    """What a call of a class or function of the project gives: settings, a part of a model, or a returned value."""
    node = made.node
    if isinstance(node, ast.ClassDef):
        if is_module(node, made.where):
            return NamedPart(text, (tuple(made.args), dict(made.kwargs)))
        return instance(made, value, depth)
    returned = [each for each in statements(node.body) if isinstance(each, ast.Return)]
    if len(returned) != 1 or returned[0].value is None:
        raise NotLiteral(node.name)
    return value(returned[0].value, bound(made, parameters(node)), depth)


def _owner(node: ast.expr, scope: NameScope) -> NameScope:
    """The module whose parser is asked: the one that a function comes from that makes it, or else the own one."""
    made = node.value if isinstance(node, ast.Attribute) else None
    if isinstance(made, ast.Name):
        with suppress(NotLiteral):
            made, scope = scope.find(made.id)
    if isinstance(made, ast.Call):
        with suppress(NotLiteral):
            return scope.definition(ast.unparse(made.func))[1]
    return scope.module()


def _path(node: ast.expr, scope: NameScope, depth: int) -> str:
    """The file that a call opens, as it is written."""
    if isinstance(node, ast.Name):
        with suppress(NotLiteral):
            found, inner = scope.find(node.id)
            return _path(found, inner, depth)
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "Path", "pathlib.Path", "str") and node.args:
        return _path(node.args[0], scope, depth)
    found = value(node, scope, depth)
    if not isinstance(found, str):
        raise NotLiteral("a path")
    return found


def answering(data: Any) -> Any:
    """The data of a file of settings: its mappings answer by key and by attribute."""
    if isinstance(data, dict):
        return SettingsObject("", {str(key): answering(item) for key, item in data.items()})
    return [answering(item) for item in data] if isinstance(data, list) else data


_EVALUATED: Final[Mapping[type[ast.expr], Callable[..., Any]]] = {
    ast.Name: _named, ast.Attribute: _named, ast.List: _list, ast.Tuple: _list, ast.Dict: _dict, ast.Subscript: _item,
    ast.UnaryOp: _negative, ast.BinOp: _operation, ast.ListComp: _comprehension, ast.GeneratorExp: _comprehension,
    ast.Call: _called,
}  # fmt: skip
