"""Takes single statements out of the user's code for a while: the model without its own guards."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType

import torch

from shapelint.instrument.compiled import tracked_code, untracked_code
from shapelint.instrument.reachable import user_functions
from shapelint.source.ownership import file_of, module_of
from shapelint.source.span import Span
from shapelint.source.syntax import in_handler, statement_at


def is_guard(place: Span) -> bool:
    """Whether a place is an `assert`, torch's `_assert` or `_check`, or a `raise` that passes no other error on."""
    statement = statement_at(place)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return ast.unparse(statement.value.func).rpartition(".")[2] in ("_assert", "_check")
    return isinstance(statement, ast.Assert) or (
        isinstance(statement, ast.Raise) and statement.exc is not None and not in_handler(place)
    )


def is_of_package(place: Span, module: object) -> bool:
    """Whether a place lies in the package of the model's class, or in the folder of its file.

    A model put together of torch's containers has those of its parts.
    """
    kinds = [type(module)]
    if isinstance(module, torch.nn.Module) and module_of(kinds[0]).startswith("torch."):
        kinds = [type(part) for part in module.modules()]
    tops = {module_of(kind).partition(".")[0] for kind in kinds} - {"torch"}
    files = (file_of(sys.modules.get(top)) for top in tops)
    return any(place.file.startswith(os.path.dirname(file) + os.sep) for file in files if file)


@contextmanager
def without(module: torch.nn.Module, places: Sequence[Span]) -> Iterator[bool]:
    """While it is open, the statements at the places do nothing; gives whether all of them could be taken out."""
    changed: list[tuple[FunctionType, CodeType]] = []
    wanted = {place.file: {each.line for each in places if each.file == place.file} for place in places}
    removers = {file: _Remover(frozenset(lines)) for file, lines in wanted.items()}
    left = {(place.file, place.line) for place in places}
    for function in user_functions(module):
        code = untracked_code(function.__code__)
        here = {(code.co_filename, line) for line in _lines(code) & wanted.get(code.co_filename, set())}
        if not here:
            continue
        new = tracked_code(code, removers[code.co_filename])
        if new is not None:
            changed.append((function, function.__code__))
            function.__code__ = new
            left -= here
    try:
        yield not left
    finally:
        for function, code in changed:
            function.__code__ = code


def _lines(code: CodeType) -> set[int]:
    """The lines of a function, and of those inside of it."""
    own = {line for _, _, line in code.co_lines() if line is not None}
    return own.union(*(_lines(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


class _Remover(ast.NodeTransformer):
    """Replaces the guards on some lines by `pass`."""

    def __init__(self, lines: frozenset[int]) -> None:
        self.lines = lines

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        return self._without(node)

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        return self._without(node)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return self._without(node) if isinstance(node.value, ast.Call) else node

    def _without(self, node: ast.stmt) -> ast.stmt:
        inside = any(node.lineno <= line <= (node.end_lineno or 0) for line in self.lines)
        return ast.copy_location(ast.Pass(), node) if inside else node
