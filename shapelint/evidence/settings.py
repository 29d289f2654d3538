"""Objects of settings that the source makes: dataclasses and their like, and what argparse makes of its defaults."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.evidence.scopes import NameScope, NotLiteral, assignments, class_defaults, parameter_defaults, parameters

DEEPEST: Final = 16
_FIELDS: Final = ("field", "Field", "ib", "attrib")

# Evaluates an expression of a scope at some depth; raises NotLiteral.
Evaluate = Callable[[ast.expr, NameScope, int], Any]


@dataclass(frozen=True, slots=True)
class SettingsObject:
    """An object of settings: its class, what it was given, and its fields, as far as they are known."""

    kind: str
    fields: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        if not self.kind:
            return repr(dict(self.fields))
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.given.items())})"


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A class or function by its name in the source, or what it makes where it is called with literals."""

    name: str
    call: tuple[tuple[Any, ...], Mapping[str, Any]] | None = None

    def __repr__(self) -> str:
        if self.call is None:
            return self.name
        args, kwargs = self.call
        return f"{self.name}({', '.join([*map(repr, args), *(f'{name}={each!r}' for name, each in kwargs.items())])})"


def is_module(node: ast.ClassDef, where: NameScope, depth: int = 4) -> bool:
    """Whether a class has layers: it, or what it derives from in the project, is a module of torch's."""
    for base in node.bases:
        text = ast.unparse(base)
        if "Module" in text or where.origin(text).startswith("torch.nn."):
            return True
        with suppress(NotLiteral):
            parent, there = where.definition(text)
            if depth and isinstance(parent, ast.ClassDef) and is_module(parent, there, depth - 1):
                return True
    return False


@dataclass(frozen=True, slots=True)
class Construction:
    """A call of a class or function of the project: its definition, the scope of that, and what it is given."""

    node: ast.ClassDef | ast.FunctionDef
    where: NameScope
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def by_name(self, names: Sequence[str]) -> dict[str, Any]:
        """What is given, by the names of the arguments."""
        return {**dict(zip(names, self.args, strict=False)), **self.kwargs}


def instance(made: Construction, value: Evaluate, depth: int) -> SettingsObject:
    """An object of a class of settings, with its defaults; fields of unknown values are left out. Raises NotLiteral."""
    node, where = made.node, made.where
    if depth > DEEPEST or not isinstance(node, ast.ClassDef):
        raise NotLiteral(node.name)
    fields: dict[str, Any] = {}
    for base in node.bases:
        with suppress(NotLiteral):
            parent, there = where.definition(ast.unparse(base))
            if isinstance(parent, ast.ClassDef):
                fields |= instance(Construction(parent, there, (), made.kwargs), value, depth + 1).fields
    build = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
    given = made.by_name(_field_names(node) if build is None else parameters(build)[1:])
    inner = NameScope(dict(class_defaults(node)), where)
    for name, default in class_defaults(node):
        with suppress(NotLiteral):
            fields[name] = _default(default, inner, value, depth + 1)
    if build is None:
        if not (fields or given):
            raise NotLiteral(node.name)
        return SettingsObject(node.name, {**fields, **given}, given)
    body = bound(Construction(build, where, (), given), ())
    for name, each in body.names.items():
        if name.startswith("self.") and each is not None:
            with suppress(NotLiteral):
                fields[name.removeprefix("self.")] = value(each, body, depth + 1)
    return SettingsObject(node.name, fields, given)


def _field_names(node: ast.ClassDef) -> list[str]:
    annotated = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
    return [each.id for each in annotated if isinstance(each, ast.Name)]


def _default(node: ast.expr, scope: NameScope, value: Evaluate, depth: int) -> Any:
    """The default of a field: a literal, `field(default=...)`, or what its factory makes."""
    called = isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _FIELDS
    if not isinstance(node, ast.Call) or not called:
        return value(node, scope, depth)
    given = {each.arg: each.value for each in node.keywords}
    factory = given.get("default_factory", given.get("factory"))
    if factory is not None:
        return value(factory.body if isinstance(factory, ast.Lambda) else ast.Call(factory, [], []), scope, depth)
    default = given.get("default") or (node.args[0] if node.args else None)
    if default is None:
        raise NotLiteral("a field without a default")
    return value(default, scope, depth)


def parsed(module: NameScope, value: Evaluate, depth: int) -> SettingsObject:
    """What argparse makes of no command line; raises NotLiteral where the module has no arguments with defaults."""
    fields: dict[str, Any] = {}
    for name, default in module.options.items():
        with suppress(NotLiteral):
            fields |= {name: value(default, module, depth)} if default is not None else {}
    if not fields:
        raise NotLiteral("parse_args")
    return SettingsObject("Namespace", fields)


def bound(made: Construction, names: Sequence[str]) -> NameScope:
    """The scope of a function's body in a call of it; `names` are those of its positional arguments."""
    node = made.node
    assert isinstance(node, ast.FunctionDef)
    given = {name: ast.Constant(each) for name, each in made.by_name(names).items()}
    defaults = parameter_defaults(node, made.where)
    return assignments(node.body, NameScope({**defaults.names, **given}, made.where))
