"""The module of a notebook: of its cells only what a target needs, so that nothing is trained or loaded."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from importlib.abc import Loader
from pathlib import Path
from types import ModuleType

from shapelint.errors import TargetError, nearest
from shapelint.source.fault import call_foreign
from shapelint.source.needed import bound, needed
from shapelint.source.notebook import Cell, cells, remember
from shapelint.source.ownership import shown


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
    if not any(name in bound(each) for each in statements):
        broken = [cell.error for cell in found if cell.error]
        names = [each.name for each in statements if isinstance(each, ast.ClassDef)]
        near = bool(difflib.get_close_matches(name, names, 1))
        reason = nearest(name, names) if near or (names and not broken) else ""
        reason = reason or (f"; a cell is no Python: {broken[0]}" if broken else "")
        raise TargetError(f"no cell of {file!r} defines {name!r}{reason}")
    return needed(statements, name)
