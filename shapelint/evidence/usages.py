"""How a project builds and calls a class: `net = Net(3, 21)` and `net(torch.randn(1, 3, 256, 256))`, as literals."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shapelint.evidence.changed import changed_calls
from shapelint.evidence.config_files import composed
from shapelint.evidence.configured import configured
from shapelint.evidence.scopes import Modules, NameScope, NotLiteral, assignments, parameter_defaults, statements
from shapelint.evidence.tensors import TensorLiteral, tensor
from shapelint.evidence.usage import Usage
from shapelint.evidence.values import answering, arguments, value
from shapelint.source.folders import project_files
from shapelint.source.notebook import ENDING
from shapelint.source.syntax import code_blocks, file_tree, nodes_of

_LARGEST_FILE: Final = 400_000
_FILES: Final = 1500
_FOUND: Final = 12
_TEXTS: Final = 40

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def usages(file: str, name: str) -> tuple[Usage, ...]:
    """The places that build a class of a file: those with a call first, those of its own file before others, and of
    these what the file runs as a program.

    Where no code builds it with literals, files of settings and the defaults of its arguments' classes count.
    """
    found: list[Usage] = []
    modules = Modules()
    for each, key, tree in _trees(file, name):
        scope = modules.of(key, tree)
        if scope is not None and (each == file or _speaks_of(tree, scope, file, name)):
            found += _of_module(tree, scope, each, name, own=each == file)
        if len(found) >= _FOUND:
            break
    found = found or list(configured(file, name, modules))
    return tuple(sorted(found, key=lambda usage: (usage.inputs is None, not usage.own, not usage.run)))


def _trees(file: str, name: str) -> Iterator[tuple[str, str, ast.Module]]:
    """The sources of a project that speak of a class: files, then blocks of code in texts, and notebooks.

    Each is a file, a name for the source, and its tree.
    """
    word = f"{name}("
    python = (file, *(other for other in project_files(file, _FILES) if other != file))
    for each in (*python, *project_files(file, _TEXTS, (ENDING,))):
        tree = file_tree(each, most=_LARGEST_FILE, words=[word.encode()])
        if tree is not None:
            yield each, each, tree
    for each in project_files(file, _TEXTS, (".md",)):
        yield from ((each, f"{each}#{tree.body[0].lineno}", tree) for tree in code_blocks(each, word) if tree.body)


def _speaks_of(tree: ast.Module, scope: NameScope, file: str, name: str) -> bool:
    """Whether a name in another file is the class of this one: its origin tells, or else how it is imported."""
    try:
        return os.path.realpath(scope.definition(name)[1].file) == os.path.realpath(file)
    except NotLiteral:
        return _imports(tree, file, name)


def _imports(tree: ast.Module, file: str, name: str) -> bool:
    """Whether a file imports the name from the file of the class, or from a package around it."""
    own = {Path(file).stem, *(part.name for part in list(Path(file).parents)[:3])}
    for node in nodes_of(tree):
        if isinstance(node, ast.ImportFrom):
            words = {alias.name for alias in node.names}
            if words & {name, "*"} and ((node.module or "").rpartition(".")[2] in own or not node.module):
                return True
            if words & own:
                return True
        elif isinstance(node, ast.Import) and any(alias.name.rpartition(".")[2] in own for alias in node.names):
            return True
    return False


def _of_module(tree: ast.Module, scope: NameScope, file: str, name: str, *, own: bool) -> Iterator[Usage]:
    called, lines = {_named(call.func) for call in _calls(tree.body)}, changed_calls(tree)
    for each in _of_body(tree.body, scope, file, name, own=own):
        yield replace(each, run=each.line not in lines)
    methods_of = {id(each): _methods(each) for each in nodes_of(tree) if isinstance(each, ast.ClassDef)}
    in_classes = {id(each) for methods in methods_of.values() for each in methods}
    for node in nodes_of(tree):
        if isinstance(node, ast.ClassDef):
            methods = methods_of[id(node)]
            shared = assignments([each for method in methods for each in method.body], scope)
            around = NameScope({key: value for key, value in shared.names.items() if key.startswith("self.")}, scope)
            for method in methods:
                inner = assignments(method.body, around)
                yield from _of_body(method.body, inner, file, name, own=own, built=shared)
        elif isinstance(node, _Function) and id(node) not in in_classes:
            inner = assignments(node.body, _with_defaults(node, scope))
            found = _of_body(node.body, inner, file, name, own=own)
            yield from (replace(each, run=node.name in called and each.line not in lines) for each in found)


def _methods(kind: ast.ClassDef) -> list[_Function]:
    return [each for each in kind.body if isinstance(each, _Function)]


def _with_defaults(node: _Function, scope: NameScope) -> NameScope:
    """What the arguments of a function are where its calls leave them as they are: defaults, or objects of settings."""
    known = parameter_defaults(node, scope)
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    typed = {each.arg: ast.Call(each.annotation, [], []) for each in named if each.annotation is not None}
    composed_here = {named[0].arg: found} if named and (found := _hydra(node, scope)) is not None else {}
    return NameScope({**typed, **known.names, **composed_here}, scope)


def _hydra(node: _Function, scope: NameScope) -> ast.expr | None:
    """The settings that `@hydra.main(config_path="conf", config_name="train")` passes; None without such a line."""
    for each in node.decorator_list:
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "hydra.main":
            with suppress(NotLiteral):
                given = {word.arg: value(word.value, scope) for word in each.keywords if word.arg != "version_base"}
                folder = Path(scope.module().file).parent / str(given.get("config_path") or ".")
                return ast.Constant(answering(composed(folder, str(given.get("config_name")).partition(".")[0])))
    return None


def _of_body(
    body: Iterable[ast.stmt], scope: NameScope, file: str, name: str, *, own: bool, built: NameScope | None = None
) -> Iterator[Usage]:
    calls = list(_calls(body))
    for call in calls:
        if _named(call.func) == name:
            with suppress(NotLiteral):
                args, kwargs = _literals(call, scope)
                yield Usage(args, kwargs, None, {}, file, call.lineno, own)
    for call in calls:
        made = _construction(call.func, scope if built is None else NameScope(built.names, scope), name)
        if made is not None:
            with suppress(NotLiteral):
                args, kwargs = _literals(made, scope)
                inputs, input_kwargs = _literals(call, scope, tensors=True)
                if any(isinstance(each, TensorLiteral) for each in (*inputs, *input_kwargs.values())):
                    yield Usage(args, kwargs, inputs, input_kwargs, file, call.lineno, own)


def _construction(node: ast.expr, scope: NameScope, name: str, depth: int = 4) -> ast.Call | None:
    """The call that built what an expression stands for, through names, `.to(device)` and `.eval()`."""
    if isinstance(node, ast.Call):
        if _named(node.func) == name:
            return node
        moved = isinstance(node.func, ast.Attribute) and node.func.attr in ("to", "cuda", "cpu", "eval", "train")
        return _construction(node.func.value, scope, name, depth - 1) if moved and depth else None  # type: ignore[attr-defined]
    if isinstance(node, ast.Name | ast.Attribute) and depth:
        with suppress(NotLiteral):
            return _construction(*scope.find(ast.unparse(node)), name, depth - 1)
    return None


def _literals(call: ast.Call, scope: NameScope, *, tensors: bool = False) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call; raises NotLiteral where one is no literal."""
    def read(node: ast.expr) -> Any:
        if tensors:
            with suppress(NotLiteral):
                return tensor(node, scope)
        return value(node, scope)

    return arguments(call, read)


def _calls(body: Iterable[ast.stmt]) -> Iterator[ast.Call]:
    """The calls of some statements, but for those that are expected to raise."""
    for node in _safe(body):
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr | ast.withitem):
                yield from (each for each in ast.walk(part) if isinstance(each, ast.Call))


def _safe(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    risky = {id(inner) for node in statements(body) if _may_raise(node) for inner in ast.walk(node)}
    yield from (node for node in statements(body) if id(node) not in risky and not _is_definition(node))


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, _Function | ast.ClassDef)


def _may_raise(node: ast.stmt) -> bool:
    raises = isinstance(node, ast.With) and any("aises" in ast.unparse(each.context_expr) for each in node.items)
    return raises or (isinstance(node, ast.Try) and bool(node.handlers))


def _named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
