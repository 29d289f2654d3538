"""The source of a function that is loaded, found, rewritten and compiled once more.

The function's own definition is compiled alone, with the scopes around it; where that gives the code that is loaded, it
is the source of it. Code whose source is not at hand, or is another one by now, has none.
"""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final

from shapelint.caches import kept
from shapelint.instrument.rewriting import rewritten
from shapelint.instrument.without_source import is_source_of
from shapelint.source.encoding import UNPARSED
from shapelint.source.syntax import tree

_FUTURE: Final = 0x1FF0000  # the flags of `from __future__ import ...` in a code object
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_PARTS: Final = (ast.stmt, ast.excepthandler, ast.match_case)


def instrumented(code: CodeType, without: ast.NodeTransformer | None = None) -> CodeType | None:
    """The same code with the calls of ours in it; None where its source is not at hand.

    `without` changes the source before, and so must leave lines and names alone.
    """
    read = tree(code.co_filename)
    made = _instrumented(code, read, without)
    if made is None:
        linecache.checkcache(code.co_filename)  # the file may have been loaded again since it was read
        again = tree(code.co_filename)
        made = _instrumented(code, again, without) if again is not read else None
    return made


def _instrumented(code: CodeType, whole: ast.Module, without: ast.NodeTransformer | None) -> CodeType | None:
    for piece in _pieces(code, whole):
        found = _compiled(piece, code)
        for index, own in enumerate(found):
            if is_source_of(own, piece.body[-1], code):
                changed = ast.Module([*piece.body[:-1], copy.deepcopy(piece.body[-1])], [])
                changed = changed if without is None else without.visit(changed)
                changed.body[-1] = rewritten(changed.body[-1])  # what stands before is imports
                made = _compiled(ast.fix_missing_locations(changed), code)
                return made[index] if len(made) == len(found) else None
    return None


def _pieces(code: CodeType, whole: ast.Module) -> Iterator[ast.Module]:
    """The definitions that may be the code's, each alone in its module, with the classes around it."""
    imports = _imports(whole)
    for chain in _definitions(whole, code.co_firstlineno).get((code.co_name, code.co_firstlineno), ()):
        index = next(index for index, scope in enumerate(chain) if not isinstance(scope, ast.ClassDef))
        piece = chain[index]
        inner = ast.Expr(piece) if isinstance(piece, ast.Lambda) else piece
        for around in reversed(chain[:index]):
            inner = ast.copy_location(ast.ClassDef(around.name, [], [], [inner], []), around)
        yield ast.fix_missing_locations(ast.Module([*imports, inner], []))
        if imports:  # IPython compiles each statement of a cell alone
            yield ast.fix_missing_locations(ast.Module([inner], []))


@kept(64)
def _imports(whole: ast.Module) -> list[ast.stmt]:
    """The imports of a file: Python compiles a call such as `F.pad(x)` otherwise where `F` is imported at the top."""
    imports: list[ast.stmt] = []
    waiting: list[ast.AST] = list(whole.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom) and _module(node) != "__future__":
            imports.append(node)
        elif not isinstance(node, _Scope):
            waiting.extend(each for each in ast.iter_child_nodes(node) if isinstance(each, _PARTS))
    return imports


@kept(64)
def _statements(whole: ast.Module) -> list[tuple[int, int, ast.stmt]]:
    """The statements of a file, each with its first line, a decorator's too, and its last."""
    return [(_first_line(each), each.end_lineno or 0, each) for each in whole.body]


def _definitions(whole: ast.Module, line: int) -> dict[tuple[str, int], list[list[Any]]]:
    """The functions in the statements of a file that a line is in."""
    found: dict[tuple[str, int], list[list[Any]]] = {}
    for first, last, statement in _statements(whole):
        if first <= line <= last:
            for key, chains in _inside(statement).items():
                found.setdefault(key, []).extend(chains)
    return found


@kept(256)
def _inside(statement: ast.stmt) -> dict[tuple[str, int], list[list[Any]]]:
    """The functions in a statement by name and first line (a decorator's) with the scopes around them."""
    found: dict[tuple[str, int], list[list[Any]]] = {}
    waiting: list[tuple[ast.AST, list[Any]]] = [(statement, [])]
    while waiting:
        node, chain = waiting.pop()
        if isinstance(node, _Scope):
            chain = [*chain, node]
            if not isinstance(node, ast.ClassDef):
                found.setdefault((getattr(node, "name", "<lambda>"), _first_line(node)), []).append(chain)
        waiting.extend((child, chain) for child in ast.iter_child_nodes(node))
    return found


def _first_line(node: Any) -> int:
    return int(min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]))


def _module(node: ast.Import | ast.ImportFrom) -> str | None:
    return node.module if isinstance(node, ast.ImportFrom) else None


def _compiled(piece: ast.Module, code: CodeType) -> list[CodeType]:
    """The code objects of the same name and line in a compiled piece, in the order of the source."""
    try:
        whole = compile(piece, code.co_filename, "exec", flags=code.co_flags & _FUTURE, dont_inherit=True)
    except UNPARSED:
        return []
    wanted = (code.co_name, code.co_firstlineno)
    return [each for each in nested_codes(whole) if (each.co_name, each.co_firstlineno) == wanted]


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """The codes of the functions, lambdas and comprehensions that stand in a code."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from nested_codes(inner)
