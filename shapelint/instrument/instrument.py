"""The user's code, compiled once more so that sizes are not lost where Python asks others than the size.

Python asks the left operand of `self.scale * h` first, an element of a list is found without a word to its index, and
`map(int, shape)` makes plain ints. So a left operand and an index by a size go through a function of ours. Places in
the source stay what they are. Code whose source is not at hand, or is another one by now, stays as it is.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import Any, Final

from shapelint.source.syntax import tree

LEFT: Final = "__shapelint_left_operand__"
ITEM: Final = "__shapelint_item__"
PLACE: Final = "__shapelint_place__"
CALLEE: Final = "__shapelint_callee__"
SLICE: Final = "__shapelint_slice__"
MODULE: Final = "__shapelint_module_{}__"
MAPPED: Final = "__shapelint_{}__"
STANDING_IN: Final = ("math", "numpy", "random")
_ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_COMPARISONS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_BUILTINS: Final = frozenset(dir(builtins))
_FUTURE: Final = 0x1FF0000  # the flags of `from __future__ import ...` in a code object
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_PARTS: Final = (ast.stmt, ast.excepthandler, ast.match_case)


def instrumented(code: CodeType, without: ast.NodeTransformer | None = None) -> CodeType | None:
    """The same code with the calls of ours in it; None where its source is not at hand.

    `without` changes the source before, and so must leave lines and names alone.
    """
    for piece in _pieces(code):
        found = _compiled(piece, code)
        for index, own in enumerate(found):
            if _is_same(own, code):
                changed = ast.Module([*piece.body[:-1], copy.deepcopy(piece.body[-1])], [])
                changed = changed if without is None else without.visit(changed)
                made = _compiled(ast.fix_missing_locations(_Instrument().visit(changed)), code)
                return made[index] if len(made) == len(found) else None
    return None


def forget_sources() -> None:
    """Forgets what the files had in them; for a time in which some have other texts."""
    for remembered in (_imports, _statements, _inside):
        remembered.cache_clear()


def _is_same(own: CodeType, live: CodeType) -> bool:
    """Whether the source gives the code that runs; pytest rewrites `assert` statements when it imports.

    Two lambdas of one line may differ in nothing but a constant, or in where they stand.
    """
    if own.co_freevars != live.co_freevars:
        return False
    if "@pytest_ar" in live.co_names:
        return True
    alike = own.co_code == live.co_code and own.co_names == live.co_names and own.co_consts == live.co_consts
    return alike and list(own.co_positions()) == list(live.co_positions())


def _pieces(code: CodeType) -> Iterator[ast.Module]:
    """The definitions that may be the code's, each alone in its module, with the classes around it."""
    imports = _imports(code.co_filename)
    for chain in _definitions(code.co_filename, code.co_firstlineno).get((code.co_name, code.co_firstlineno), ()):
        index = next(index for index, scope in enumerate(chain) if not isinstance(scope, ast.ClassDef))
        piece = chain[index]
        inner = ast.Expr(piece) if isinstance(piece, ast.Lambda) else piece
        for around in reversed(chain[:index]):
            inner = ast.copy_location(ast.ClassDef(around.name, [], [], [inner], []), around)
        yield ast.fix_missing_locations(ast.Module([*imports, inner], []))


@lru_cache(maxsize=64)
def _imports(file: str) -> list[ast.stmt]:
    """The imports of a file: Python compiles a call such as `F.pad(x)` otherwise where `F` is imported at the top."""
    imports: list[ast.stmt] = []
    waiting: list[ast.AST] = list(tree(file).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom) and _module(node) != "__future__":
            imports.append(node)
        elif not isinstance(node, _Scope):
            waiting.extend(each for each in ast.iter_child_nodes(node) if isinstance(each, _PARTS))
    return imports


@lru_cache(maxsize=64)
def _statements(file: str) -> list[tuple[int, int, ast.stmt]]:
    """The statements of a file, each with its first line, a decorator's too, and its last."""
    return [(_first_line(each), each.end_lineno or 0, each) for each in tree(file).body]


def _definitions(file: str, line: int) -> dict[tuple[str, int], list[list[Any]]]:
    """The functions in the statements of a file that a line is in."""
    found: dict[tuple[str, int], list[list[Any]]] = {}
    for index, (first, last, _) in enumerate(_statements(file)):
        if first <= line <= last:
            for key, chains in _inside(file, index).items():
                found.setdefault(key, []).extend(chains)
    return found


@lru_cache(maxsize=1024)
def _inside(file: str, index: int) -> dict[tuple[str, int], list[list[Any]]]:
    """The functions in a statement by name and first line (a decorator's) with the scopes around them."""
    found: dict[tuple[str, int], list[list[Any]]] = {}
    waiting: list[tuple[ast.AST, list[Any]]] = [(_statements(file)[index][2], [])]
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
    except (SyntaxError, ValueError, RecursionError):
        return []
    wanted = (code.co_name, code.co_firstlineno)
    return [each for each in _nested(whole) if (each.co_name, each.co_firstlineno) == wanted]


def _nested(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _nested(inner)


class _Instrument(ast.NodeTransformer):
    """Puts our functions around left operands and in the place of subscripts by a computed index."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        text = isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)
        fixed = isinstance(node.left, ast.Constant) or isinstance(node.right, ast.Constant)
        if isinstance(node.op, _ARITHMETIC) and (text or not fixed):
            node.left = _call(LEFT, node.left, node.left)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        operands = [node.left, *node.comparators]
        for index, comparison in enumerate(node.ops):
            if isinstance(comparison, _COMPARISONS) and not isinstance(operands[index + 1], ast.Constant):
                identity = index and isinstance(node.ops[index - 1], ast.Is | ast.IsNot)
                if not identity and not isinstance(operands[index], ast.Constant):
                    operands[index] = _call(LEFT, operands[index], operands[index])
        node.left, node.comparators = operands[0], operands[1:]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        if not isinstance(node.op, _ARITHMETIC) or not isinstance(node.target, ast.Name):
            return node
        if isinstance(node.value, ast.Constant):
            return node
        value = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
        return [ast.copy_location(ast.Assign([copy.copy(node.target)], _call(LEFT, node.target, value)), node), node]

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if _is_fixed(node.slice):
            return node
        if not isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Name) and not isinstance(node.slice, ast.Slice):
                owner = ast.copy_location(ast.Name(node.value.id, ast.Load()), node.value)
                node.slice = _call(PLACE, node.slice, owner, node.slice)
            return node
        index: ast.expr = node.slice
        if isinstance(index, ast.Slice):
            bounds = [each or ast.Constant(None) for each in (index.lower, index.upper, index.step)]
            index = _call(SLICE, node.slice, *bounds)
        return _call(ITEM, node, node.value, index)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "map" and len(node.args) == 2:
            node.args[0] = _call(CALLEE, node.args[0], node.args[0])
        if name not in _BUILTINS and (node.args or node.keywords):
            node.func = _call(CALLEE, node.func, node.func)
        return node

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body[-1] = self.visit(node.body[-1])  # what stands before is imports
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        for alias in node.names:
            if alias.name in STANDING_IN:
                alias.name, alias.asname = MODULE.format(alias.name), alias.asname or alias.name
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module in STANDING_IN and not node.level:
            node.module = MODULE.format(node.module)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node


def _is_fixed(index: ast.expr) -> bool:
    """Whether an index can hold no size: a constant, a slice of constants, or a tuple, which lists do not take."""
    if isinstance(index, ast.Slice):
        return all(each is None or _is_fixed(each) for each in (index.lower, index.upper, index.step))
    if isinstance(index, ast.UnaryOp):
        return _is_fixed(index.operand)
    return isinstance(index, ast.Constant | ast.Tuple | ast.JoinedStr)


def _call(name: str, place: ast.expr, *arguments: ast.expr) -> ast.expr:
    function = ast.copy_location(ast.Name(name, ast.Load()), place)
    call = ast.copy_location(ast.Call(function, list(arguments), []), place)
    for argument in arguments:
        if not hasattr(argument, "lineno"):
            ast.copy_location(argument, place)
    return call
