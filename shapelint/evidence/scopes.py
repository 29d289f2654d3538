"""The names of a function or a module with the expressions that they are assigned, over the files of a project.

Nothing is evaluated here, and nothing is run: a name leads to an expression and to the scope in which that stands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shapelint.errors import foreseen
from shapelint.source.ownership import installed
from shapelint.source.syntax import file_tree, nodes_of

_HIGHEST: Final = 6
_LARGEST_FILE: Final = 400_000
_MOST_MODULES: Final = 200
_DEEPEST: Final = 8
# What the parsed arguments of a program are mostly called.
OWNERS: Final = ("args", "opt", "opts", "config", "cfg", "hparams", "FLAGS")

Definition = ast.ClassDef | ast.FunctionDef
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@foreseen
class NotLiteral(Exception):
    """An expression of which the source alone does not tell the value."""


@dataclass(frozen=True, slots=True)
class Import:
    """What a name was imported as: the module, its leading dots, and the name in it; "" for the module itself."""

    module: str
    level: int
    name: str


@dataclass(frozen=True, slots=True)
class NameScope:
    """The names of a function or module with the expressions that they are assigned; None where there are several.

    A module's has the defaults of all arguments that its file gives to argparse in `options`.
    """

    names: Mapping[str, ast.expr | None] = field(default_factory=dict)
    outer: NameScope | None = None
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    options: Mapping[str, ast.expr | None] = field(default_factory=dict)
    imports: Mapping[str, Import] = field(default_factory=dict)
    file: str = ""
    modules: Modules | None = None

    def find(self, name: str, depth: int = _DEEPEST) -> tuple[ast.expr, NameScope]:
        """The expression of a name, and its scope; raises NotLiteral where there is none, or more than one."""
        if name in self.names:
            found = self.names[name]
            if found is None:
                raise NotLiteral(name)
            return found, self
        if self.outer is not None:
            return self.outer.find(name, depth)
        elsewhere, inner = self._imported(name, depth)
        return elsewhere.find(inner, depth - 1)

    def definition(self, name: str, depth: int = _DEEPEST) -> tuple[Definition, NameScope]:
        """The class or function that a name stands for, and its module's scope; raises NotLiteral."""
        module = self.module()
        if name in module.definitions:
            return module.definitions[name], module
        elsewhere, inner = module._imported(name, depth)
        return elsewhere.definition(inner, depth - 1)

    def module(self) -> NameScope:
        """The scope of the file."""
        return self if self.outer is None else self.outer.module()

    def origin(self, name: str) -> str:
        """The full name of what a dotted name stands for, as `torch.nn.ReLU`; "" where it is not imported."""
        first, _, rest = name.partition(".")
        found = self.module().imports.get(first)
        return "" if found is None or found.level else ".".join(filter(None, (found.module, found.name, rest)))

    def _imported(self, name: str, depth: int) -> tuple[NameScope, str]:
        """The scope of the file that a name comes from, and the name there."""
        first, _, rest = name.partition(".")
        found = self.imports.get(first)
        if found is None or self.modules is None or not depth:  # two files may import a name from each other
            raise NotLiteral(name)
        inner = ".".join(filter(None, (found.name, rest)))
        elsewhere = self.modules.imported(self.file, found)
        if elsewhere is None and found.name:  # `from package import module`
            module = f"{found.module}.{found.name}".strip(".")
            elsewhere, inner = self.modules.imported(self.file, Import(module, found.level, "")), rest
        elif elsewhere is not None and found.name and not elsewhere.binds(found.name):
            module = f"{found.module}.{found.name}".strip(".")
            below = self.modules.imported(self.file, Import(module, found.level, ""))
            elsewhere, inner = (below, rest) if below is not None else (elsewhere, inner)
        if elsewhere is None or not inner or elsewhere is self:
            raise NotLiteral(name)
        return elsewhere, inner

    def binds(self, name: str) -> bool:
        """Whether a module's scope has a name at all."""
        return name in self.names or name in self.definitions or name in self.imports


class Modules:
    """The scopes of the files of a project, each read once."""

    def __init__(self) -> None:
        self._scopes: dict[str, NameScope | None] = {}
        self._files: dict[tuple[str, str, int], str] = {}

    def of(self, file: str, tree: ast.Module | None = None) -> NameScope | None:
        """The scope of a file; None where it cannot be read, or too many were."""
        if file not in self._scopes and len(self._scopes) < _MOST_MODULES:
            found = file_tree(file, most=_LARGEST_FILE) if tree is None else tree
            self._scopes[file] = None if found is None else _module_scope(found, file, self)
        return self._scopes.get(file)

    def imported(self, file: str, found: Import) -> NameScope | None:
        """The scope of a module of the project that a file imports; None for those of packages."""
        key = file, found.module, found.level
        if key not in self._files:
            self._files[key] = self._file(file, found)
        return self.of(self._files[key]) if self._files[key] else None

    @staticmethod
    def _file(file: str, found: Import) -> str:
        """The file of the module that a file imports; "" for those of packages."""
        parts = [part for part in found.module.split(".") if part]
        parents = list(Path(file).parents)
        for folder in parents[found.level - 1 : found.level] if found.level else parents[:_HIGHEST]:
            place = folder.joinpath(*parts)
            for each in (f"{place}.py", str(place / "__init__.py")):
                if (parts or each.endswith("__init__.py")) and Path(each).is_file() and not installed(each):
                    return each
        return ""


def _module_scope(tree: ast.Module, file: str, modules: Modules) -> NameScope:
    inner = assignments(tree.body)
    definitions = {node.name: node for node in statements(tree.body) if isinstance(node, Definition)}
    return NameScope(inner.names, None, definitions, _options(tree), dict(_imports(tree)), file, modules)


def _imports(tree: ast.Module) -> Iterator[tuple[str, Import]]:
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.asname or each.name.partition(".")[0]
                yield name, Import(each.name if each.asname else name, 0, "")
        elif isinstance(node, ast.ImportFrom):
            yield from ((each.asname or each.name, Import(node.module or "", node.level, each.name))
                        for each in node.names)  # fmt: skip


def assignments(body: Iterable[ast.stmt], outer: NameScope | None = None) -> NameScope:
    """The scope of some statements, those in their blocks included, but not those of functions and classes inside."""
    found: dict[str, ast.expr | None] = {}
    for node in statements(body):
        for left, right in _assigned(node):
            found[left] = None if left in found else right
        if isinstance(node, ast.ClassDef):
            for name, default in class_defaults(node):
                found.setdefault(f"{node.name}.{name}", default)
    return NameScope(found, outer)


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _pairs(target, node.value)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from _pairs(node.target, node.value)
    elif isinstance(node, ast.AugAssign | ast.For):
        yield from ((name, None) for name, _ in _pairs(node.target, None))
    elif isinstance(node, ast.With):
        for each in node.items:
            if each.optional_vars is not None:
                yield from _pairs(each.optional_vars, each.context_expr)


def statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """The statements of a body and of its blocks, not those of functions and classes in it."""
    for node in body:
        yield node
        if isinstance(node, _Function | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, part, []) or [])
        for handler in getattr(node, "handlers", []):
            yield from statements(handler.body)


def _pairs(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Tuple):
        items = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
        for index, each in enumerate(target.elts):
            yield from _pairs(each, items[index] if items else None)
    elif isinstance(target, ast.Name | ast.Attribute):
        yield ast.unparse(target), value


def class_defaults(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The fields of a class that have a default in its body."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and each.value is not None and isinstance(each.target, ast.Name):
            yield each.target.id, each.value
        elif isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            yield each.targets[0].id, each.value


def _options(tree: ast.Module) -> dict[str, ast.expr | None]:
    """The defaults of all `parser.add_argument("--depth", default=4)` of a file; None where one name has several."""
    found: dict[str, ast.expr | None] = {}
    for node in nodes_of(tree):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"
        if isinstance(node, ast.Call) and named and (name := _destination(node)):
            default = _option_default({each.arg: each.value for each in node.keywords})
            known = found.get(name, default)
            found[name] = default if known and default and ast.dump(known) == ast.dump(default) else None
    return found


def _destination(call: ast.Call) -> str:
    words = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    named = next((each.value for each in call.keywords if each.arg == "dest"), None)
    if isinstance(named, ast.Constant):
        return str(named.value)
    long = [word for word in words if word.startswith("--")] or words
    return long[0].lstrip("-").replace("-", "_") if long else ""


def _option_default(given: Mapping[str | None, ast.expr]) -> ast.expr | None:
    """The value of an option that the command line does not name; None where it must name it."""
    action = given.get("action")
    if "default" in given:
        kind, default = given.get("type"), given["default"]
        written = isinstance(default, ast.Constant) and isinstance(default.value, str)
        return ast.Call(kind, [default], []) if written and isinstance(kind, ast.Name) else default
    if isinstance(action, ast.Constant) and action.value in ("store_true", "store_false"):
        return ast.Constant(action.value == "store_false")
    return None if "required" in given else ast.Constant(None)


def parameter_defaults(node: _Function, outer: NameScope) -> NameScope:
    """The defaults of a function's arguments, which its calls may leave as they are."""
    names = [*node.args.posonlyargs, *node.args.args]
    given = dict(zip([each.arg for each in names[::-1]], node.args.defaults[::-1], strict=False))
    keyword = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    defaults = {**given, **{each.arg: default for each, default in keyword if default is not None}}
    star = {node.args.kwarg.arg: ast.Dict([], [])} if node.args.kwarg is not None else {}
    return NameScope({**defaults, **star}, outer)


def parameters(node: _Function) -> Sequence[str]:
    """The names of a function's arguments that may be given by position."""
    return [each.arg for each in [*node.args.posonlyargs, *node.args.args]]
