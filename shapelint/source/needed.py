"""Which statements of a module a name needs: what is left away is not run, so that nothing is trained or loaded.

What gives a needed name its value is kept: imports, classes, functions, assignments and what changes a needed list or
dict; and calls that change where Python imports from or what torch makes by default. No torch here.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

_CHANGES: Final = frozenset({
    "append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort", "update", "setdefault", "popitem", "add",
    "discard", "add_module", "register_module", "register_buffer", "register_parameter", "register_forward_hook",
    "register_forward_pre_hook", "add_argument", "set_defaults",
})  # fmt: skip
_SETTINGS: Final = ("sys.path.", "os.chdir", "os.environ", "torch.set_default_")
_WORK: Final = frozenset({
    "backward", "fit", "urlretrieve", "load_dataset", "hf_hub_download", "snapshot_download", "download_url",
})  # fmt: skip
# A file that has none of these does no work as it is imported.
WORK_WORDS: Final = (*(word.encode() for word in sorted(_WORK)), b"download=True", b"download = True",
                     b"while True", b"while 1")  # fmt: skip


def needed(statements: Sequence[ast.stmt], *names: str) -> set[int]:
    """The ids of the statements that some names need, those that make them included."""
    wanted, kept = set(names), {id(each) for each in statements if _is_setting(each)}
    wanted |= {used for each in statements if id(each) in kept for used in _used(each)}
    changing = {each.name: _changed(each) for each in statements if isinstance(each, ast.FunctionDef)}
    while True:
        more = [each for each in statements if id(each) not in kept and _serves(each, wanted, changing)]
        if not more:
            return kept
        kept |= set(map(id, more))
        wanted |= {used for each in more for used in _used(each)}


def bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value, also those of which it sets a part."""
    return set(_bindings(statement))


def work(statements: Iterable[ast.stmt]) -> ast.stmt | None:
    """The first statement that trains, downloads or never ends as the module is imported; None without one."""
    found = list(statements)
    functions = {each.name: each for each in found if isinstance(each, ast.FunctionDef)}
    return next((each for each in found if not _is_guarded(each) and _works(each, functions, ())), None)


def _works(node: ast.AST, functions: Mapping[str, ast.FunctionDef], within: tuple[str, ...]) -> bool:
    """Whether a statement trains, downloads or never ends; a function does where its body does."""
    for each in _run_nodes(node):
        if isinstance(each, ast.While) and isinstance(each.test, ast.Constant) and not within:
            return bool(each.test.value)
        if isinstance(each, ast.Call):
            called = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
            if called in _WORK or any(_downloads(keyword) for keyword in each.keywords):
                return True
            inner = functions.get(called) if isinstance(each.func, ast.Name) and called not in within else None
            if inner is not None and any(_works(line, functions, (*within, called)) for line in inner.body):
                return True
    return False


def _downloads(keyword: ast.keyword) -> bool:
    return keyword.arg == "download" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, without the bodies of functions and classes, which nothing runs yet."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _run_nodes(child)


def _is_guarded(statement: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`, without another branch."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(statement.test))


def _serves(statement: ast.stmt, wanted: set[str], changing: Mapping[str, set[str]]) -> bool:
    """Whether a statement gives a wanted name its value, or changes it, also by a function that does."""
    if isinstance(statement, ast.ImportFrom) and any(alias.name == "*" for alias in statement.names):
        return True
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name in wanted
    called = {node.func.id for node in _calls(statement) if isinstance(node.func, ast.Name)}
    changed = _changed(statement).union(*(changing.get(name, set()) for name in called))
    return bool((bound(statement) | changed) & wanted)


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
    if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
        return True
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(_SETTINGS)


def _used(statement: ast.stmt) -> set[str]:
    """The names of the module that a statement reads; the variables of its functions are none."""
    text = ast.unparse(ast.Module([statement], []))
    try:
        return set(_globals(symtable.symtable(text, "<statement>", "exec")))
    except SyntaxError:  # what only a notebook may write at its top level, such as `await`
        return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    inside = table.get_type() == "function"
    for each in table.get_symbols():
        if each.is_referenced() and (each.is_global() or not (inside or each.is_free())):
            yield each.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
