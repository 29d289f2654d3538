"""The module of a notebook: of its cells only what a target needs, so that nothing is trained or loaded.

What gives a needed name its value is run, in the order of the cells: imports, classes, functions, assignments and what
changes a needed list or dict; and calls that change where Python imports from or what torch makes by default.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping
from importlib.abc import Loader
from pathlib import Path
from types import ModuleType
from typing import Final

from shapelint.errors import TargetError, nearest
from shapelint.source.fault import call_foreign
from shapelint.source.notebook import Cell, cells, remember
from shapelint.source.ownership import shown

_CHANGES: Final = frozenset({
    "append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort", "update", "setdefault", "popitem", "add",
    "discard", "add_module", "register_module", "register_buffer", "register_parameter", "register_forward_hook",
    "register_forward_pre_hook",
})  # fmt: skip
_SETTINGS: Final = ("sys.path.", "os.chdir", "os.environ", "torch.set_default_")


class CellLoader(Loader):
    """Runs the cells of a notebook as a module, as far as a name needs them."""

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = file, name.partition(".")[0]

    def exec_module(self, module: ModuleType) -> None:
        """Raises TargetError where no cell defines the name."""
        found = cells(self.file)
        remember(found)
        kept = _needed(found, self.name, shown(str(self.file)))
        for cell in found:
            body = [statement for statement in cell.body if id(statement) in kept]
            if body:
                code = compile(ast.Module(body, []), cell.file, "exec", dont_inherit=True)
                call_foreign(exec, code, vars(module))


def _needed(found: Iterable[Cell], name: str, file: str) -> set[int]:
    """The statements that a name needs, by their ids; TargetError where nothing gives it a value."""
    statements = [statement for cell in found for statement in cell.body]
    if not any(name in _bound(each) for each in statements):
        broken = [cell.error for cell in found if cell.error]
        names = [each.name for each in statements if isinstance(each, ast.ClassDef)]
        near = bool(difflib.get_close_matches(name, names, 1))
        reason = nearest(name, names) if near or (names and not broken) else ""
        reason = reason or (f"; a cell is no Python: {broken[0]}" if broken else "")
        raise TargetError(f"no cell of {file!r} defines {name!r}{reason}")
    wanted, kept = {name}, {id(each) for each in statements if _is_setting(each)}
    wanted |= {used for each in statements if id(each) in kept for used in _used(each)}
    changing = {each.name: _changed(each) for each in statements if isinstance(each, ast.FunctionDef)}
    while True:
        more = [each for each in statements if id(each) not in kept and _serves(each, wanted, changing)]
        if not more:
            return kept
        kept |= set(map(id, more))
        wanted |= {used for each in more for used in _used(each)}


def _serves(statement: ast.stmt, wanted: set[str], changing: Mapping[str, set[str]]) -> bool:
    """Whether a statement gives a wanted name its value, or changes it, also by a function that does."""
    if isinstance(statement, ast.ImportFrom) and any(alias.name == "*" for alias in statement.names):
        return True
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name in wanted
    called = {node.func.id for node in _calls(statement) if isinstance(node.func, ast.Name)}
    changed = _changed(statement).union(*(changing.get(name, set()) for name in called))
    return bool((_bound(statement) | changed) & wanted)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value, also those of which it sets a part."""
    return set(_bindings(statement))


def _bindings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield from filter(None, (_root(node),))
    for child in ast.iter_child_nodes(node):
        yield from _bindings(child)


def _changed(statement: ast.stmt) -> set[str]:
    """The names whose objects a statement changes by a call such as `layers.append(...)`, or sets as global ones."""
    changed = {name for node in ast.walk(statement) if isinstance(node, ast.Global) for name in node.names}
    for call in _calls(statement):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGES:
            changed |= set(filter(None, (_root(call.func),)))
        elif isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr") and call.args:
            changed |= set(filter(None, (_root(call.args[0]),)))
    return changed


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    return (node for node in ast.walk(statement) if isinstance(node, ast.Call))


def _is_setting(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(_SETTINGS)


def _used(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
