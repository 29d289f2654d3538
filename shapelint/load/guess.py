"""Finds in the source where a layer of a ready-made module was constructed: `self.<name> = <Call>`.

The module was built before anyone watched, so this is a guess; where two places could be meant there is none.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType

from torch import nn

from shapelint.caches import kept
from shapelint.source.encoding import UNPARSED
from shapelint.source.ownership import module_of
from shapelint.source.span import CallSite

_Expression = tuple[ast.expr, FunctionType]


def guess(modules: Mapping[str, nn.Module], path: str) -> CallSite | None:
    """The call that constructed the module at a path, where the source leaves no doubt."""
    found = _expression(modules, path)
    if found is None or not _constructs(*found, modules[path]):
        return None
    return _call(found[1].__code__, found[0])


def _expression(modules: Mapping[str, nn.Module], path: str) -> _Expression | None:
    """The expression that a module was assigned from: to an attribute, or as an item of a literal list."""
    if not path:
        return None
    parent, _, name = path.rpartition(".")
    owner = modules[parent]
    if type(owner) in (nn.Sequential, nn.ModuleList):
        return _item(_expression(modules, parent), owner, name)
    kind: type = type(owner)
    found = _assignments(kind).get(name, [])
    return found[0] if len(found) == 1 else None


def _item(around: _Expression | None, owner: nn.Module, name: str) -> _Expression | None:
    if around is None or not isinstance(around[0], ast.Call) or not _constructs(*around, owner):
        return None
    items = around[0].args
    if isinstance(owner, nn.ModuleList):
        items = items[0].elts if len(items) == 1 and isinstance(items[0], ast.List | ast.Tuple) else []
    literal = not any(isinstance(item, ast.Starred) for item in items) and name.isdigit() and int(name) < len(items)
    return (items[int(name)], around[1]) if literal and _same(items, owner) else None


def _same(items: list[ast.expr], owner: nn.Module) -> bool:
    """Whether the container still holds as many modules as its literal."""
    return len(items) == len(list(owner.children()))


def _constructs(expression: ast.expr, function: FunctionType, module: nn.Module) -> bool:
    """Whether the expression is a call of the module's own class, or of one that it was made from."""
    if not isinstance(expression, ast.Call):
        return False
    found = _named(expression.func, function)
    return isinstance(found, type) and issubclass(found, nn.Module) and found in type(module).__mro__[:2]


def _named(node: ast.expr, function: FunctionType) -> object:
    if isinstance(node, ast.Attribute):
        return getattr(_named(node.value, function), node.attr, None)
    if not isinstance(node, ast.Name):
        return None
    closure = inspect.getclosurevars(function).nonlocals if function.__closure__ else {}
    return closure.get(node.id, function.__globals__.get(node.id))


@kept(256)
def _assignments(owner: type) -> Mapping[str, list[_Expression]]:
    """By name, all that the methods of a class assign to `self.<name>`."""
    found: dict[str, list[_Expression]] = {}
    for function in _methods(owner):
        for name, value in _assigned(function):
            found.setdefault(name, []).append((value, function))
    return found


def _methods(owner: type) -> Iterator[FunctionType]:
    for base in owner.__mro__:
        for value in vars(base).values() if module_of(base).partition(".")[0] != "torch" else ():
            function = inspect.unwrap(value) if callable(value) else None
            if isinstance(function, FunctionType):
                yield function


def _assigned(function: FunctionType) -> Iterator[tuple[str, ast.expr]]:
    definition = _definition(function.__code__)
    for node in ast.walk(definition) if definition else ():
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in [node.target] if isinstance(node, ast.AnnAssign) else targets:
            for left, right in _pairs(target, getattr(node, "value", None)):
                if isinstance(left, ast.Attribute) and _is_self(left.value, definition):
                    yield left.attr, right


def _pairs(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    elif value is not None:
        yield target, value


def _is_self(node: ast.expr, definition: ast.FunctionDef | None) -> bool:
    arguments = [*definition.args.posonlyargs, *definition.args.args] if definition else []
    return isinstance(node, ast.Name) and bool(arguments) and node.id == arguments[0].arg


def _definition(code: CodeType) -> ast.FunctionDef | None:
    file = Path(code.co_filename)
    functions = _definitions(str(file), file.stat().st_mtime if file.is_file() else 0.0)
    return functions.get((code.co_name, code.co_firstlineno))


@kept(64)
def _definitions(file: str, _changed: float) -> Mapping[tuple[str, int], ast.FunctionDef]:
    """The functions of a file by name and first line, decorators included."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except UNPARSED:
        return {}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {(node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node for node in functions}


def _call(code: CodeType, node: ast.expr) -> CallSite | None:
    """The instruction of the call, found by its place in the source; None where the file is another one by now."""
    wanted = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
    for index, position in enumerate(code.co_positions()):
        if position == wanted:
            return CallSite(code, 2 * index)
    return None
