"""Where the value of an argument stands as a literal: through names, attributes, calls and the arguments of helpers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shapelint.edit.scope import Scope
from shapelint.source.span import CallSite
from shapelint.source.syntax import call_at, given

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class SourceLiteral:
    """An expression of plain numbers, and the file in which it stands."""

    file: str
    node: ast.expr


@dataclass(frozen=True, slots=True)
class _Trail:
    """Where the search stands: the calls that led to the layer, of which `level` runs the code that is looked at.

    `turn` is the layer's number among those of the same call, which is the turn of the loop that built it.
    """

    calls: Sequence[CallSite]
    level: int
    scope: Scope
    turn: int
    depth: int = 0

    def deeper(self) -> _Trail:
        return replace(self, depth=self.depth + 1)


def literals(calls: Sequence[CallSite], name: str, position: int | None, turn: int) -> Iterator[SourceLiteral]:
    """The literals that an argument of the innermost call may have its value or a part of it from, the likeliest first.

    `turn` is the number of the layer among those that the same call built, from 0.
    """
    call = call_of(calls, 0)
    if call is None:
        return
    trail = _Trail(calls, 0, Scope.of(calls[0].span().file, call), turn)
    argument = given(call, name, position) or _starred(call, position, trail)
    if argument is not None:
        yield from _of_expression(argument, trail)
        return
    for word in call.keywords:
        if word.arg is None:
            yield from _of_key(word.value, name, trail)
    called = call.func
    for source in _sources(called, trail):
        if isinstance(source, ast.Call):
            inner = given(source, name)
            if inner is not None:
                yield from _of_expression(inner, trail.deeper())


def _starred(call: ast.Call, position: int | None, trail: _Trail) -> ast.expr | None:
    """The item at a position that a `*name` brings, where its items stand in the source."""
    found: list[ast.expr] = []
    for each in call.args if position is not None else ():
        if not isinstance(each, ast.Starred):
            found.append(each)
        elif items := _items(each.value, trail):
            found += items
        else:
            return None
    return found[position] if position is not None and position < len(found) else None


def call_of(calls: Sequence[CallSite], level: int) -> ast.Call | None:
    """The call expression in the source of one of the calls that led to a layer."""
    return call_at(calls[level].span()) if level < len(calls) else None


def writing_calls(calls: Sequence[CallSite], name: str) -> Sequence[CallSite]:
    """The calls from the one outwards that writes an argument, without wrappers that only hand on their `**kwargs`."""
    level = 0
    while level + 1 < len(calls):
        call = call_of(calls, level)
        if call is None or not _hands_on(call, calls[level], name):
            break
        level += 1
    return calls[level:]


def handing_calls(
    calls: Sequence[CallSite], arguments: Sequence[tuple[str, int]]
) -> Iterator[tuple[CallSite, ast.expr]]:
    """The calls around that of a layer which hand on one of its arguments, each by a parameter of the function around,
    and what it is in each.

    `arguments` are the names that it may have, with their positions; the last call yielded is the one that computes it.
    """
    level = 0
    while (call := call_of(calls, level)) is not None:
        names = (given(call, *each) for each in arguments)
        argument = next((each for each in names if each is not None), None)
        scope = Scope.of(calls[level].span().file, call)
        function = scope.function
        if function is None or not isinstance(argument, ast.Name) or argument.id not in _names(function):
            return
        if scope.values(argument.id):
            return  # a parameter that is assigned anew
        level += 1
        while level < len(calls) and calls[level].code.co_name.startswith("<"):
            level += 1  # a comprehension in the function
        arguments = [(argument.id, _names(function).index(argument.id) - _is_bound(function))]
        outer = call_of(calls, level)
        handed = None if outer is None else given(outer, *arguments[0])
        if handed is None:
            return
        yield calls[level], handed


def _hands_on(call: ast.Call, site: CallSite, name: str) -> bool:
    function = Scope.of(site.span().file, call).function
    rest = None if function is None else function.args.kwarg
    stars = [word.value for word in call.keywords if word.arg is None]
    given_here = any(word.arg == name for word in call.keywords)
    return rest is not None and not given_here and any(isinstance(s, ast.Name) and s.id == rest.arg for s in stars)


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is a number, or a tuple or list of numbers."""
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(is_literal, node.elts))
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant) and type(node.value) is int


def _of_expression(node: ast.expr, trail: _Trail) -> Iterator[SourceLiteral]:
    if trail.depth > _DEEPEST:
        return
    if is_literal(node):
        yield SourceLiteral(trail.scope.file, node)
    elif isinstance(node, ast.IfExp | ast.BinOp):
        for part in (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node.left, node.right):
            yield from _of_expression(part, trail.deeper())
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield from _of_key(node.value, node.slice.value, trail)
    elif isinstance(node, ast.Call):
        yield from _of_result(node, trail)
    else:
        for source in _sources(node, trail):
            yield from _of_expression(source, trail.deeper())
        if isinstance(node, ast.Name):
            yield from _of_loop(node.id, trail)
            yield from _of_parameter(node.id, trail)


def _sources(node: ast.expr, trail: _Trail) -> list[ast.expr]:
    """What a name or an attribute of `self` or of a class is assigned."""
    if isinstance(node, ast.Name):
        return trail.scope.values(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        own = trail.scope.attribute(node.attr)
        named = trail.scope.defined(node.value.id)
        return own or (Scope(trail.scope.file, (named,)).attribute(node.attr) if named is not None else [])
    return []


def _of_loop(name: str, trail: _Trail) -> Iterator[SourceLiteral]:
    """The item that a loop gives to a name in the layer's turn, where the items stand in the source."""
    for iterable in trail.scope.loops(name):
        items = _items(iterable, trail)
        if trail.turn < len(items):
            yield from _of_expression(items[trail.turn], trail.deeper())


def _items(node: ast.expr, trail: _Trail) -> list[ast.expr]:
    """The items of a list in the source, also through names and backwards; [] where they are not all there."""
    if isinstance(node, ast.List | ast.Tuple) or trail.depth > _DEEPEST:
        return getattr(node, "elts", [])
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("reversed", "list", "tuple") and node.args:
        found = _items(node.args[0], trail.deeper())
        return found[::-1] if ast.unparse(node.func) == "reversed" else found
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return _items(node.value, trail.deeper())[::-1]
    sources = _sources(node, trail)
    return _items(sources[0], trail.deeper()) if len(sources) == 1 else []


def _of_parameter(name: str, trail: _Trail) -> Iterator[SourceLiteral]:
    """What a parameter of the function around is given by the call that led there, else its default."""
    function = trail.scope.function
    if function is None or name not in _names(function):
        return
    outer, level = call_of(trail.calls, trail.level + 1), trail.level + 1
    bound = _is_bound(function)
    if outer is not None:
        argument = given(outer, name, _names(function).index(name) - bound)
        scope = Scope.of(trail.calls[level].span().file, outer)
        inner = replace(trail.deeper(), level=level, scope=scope)
        if argument is not None:
            yield from _of_expression(argument, inner)
            return
        for word in outer.keywords:
            if word.arg is None:
                yield from _of_key(word.value, name, inner)
    default = _default(function, name)
    if default is not None:
        yield from _of_expression(default, trail.deeper())


def _names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _is_bound(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the caller does not write the first parameter."""
    return _names(function)[:1] in (["self"], ["cls"])


def _default(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    arguments = function.args
    positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    named = dict(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True))
    named |= {each.arg: value for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    return named.get(name)


def _of_key(node: ast.expr, key: object, trail: _Trail) -> Iterator[SourceLiteral]:
    """The literal under a key of a dict, or of a list, that stands in the source."""
    if trail.depth > _DEEPEST:
        return
    if isinstance(node, ast.Dict):
        for name, value in zip(node.keys, node.values, strict=True):
            if name is None:
                yield from _of_key(value, key, trail.deeper())
    found = _item(node, key)
    if found is not None:
        yield from _of_expression(found, trail.deeper())
    for source in _sources(node, trail):
        yield from _of_key(source, key, trail.deeper())


def _item(node: ast.expr, key: object) -> ast.expr | None:
    """What a literal dict, a call of `dict` or a literal list has under a key."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return next((value for name, value in pairs if isinstance(name, ast.Constant) and name.value == key), None)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return given(node, str(key))
    if isinstance(node, ast.List | ast.Tuple) and isinstance(key, int) and -len(node.elts) <= key < len(node.elts):
        return node.elts[key]
    return None


def _of_result(call: ast.Call, trail: _Trail) -> Iterator[SourceLiteral]:
    """The literal that a function or method of the same file returns."""
    called = call.func
    if isinstance(called, ast.Attribute):
        function: ast.AST | None = trail.scope.method(called.attr)
    else:
        function = trail.scope.defined(called.id) if isinstance(called, ast.Name) else None
    if isinstance(function, ast.FunctionDef):
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                yield from _of_expression(node.value, replace(trail.deeper(), scope=Scope.of(trail.scope.file, node)))
