"""What to write in `forward` so that a join gets tensors of one size: a size for the layer that grows, or a resize."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Final

from shapelint.edit.arguments import added
from shapelint.edit.scope import Scope
from shapelint.source.span import Edit, Span, span_of
from shapelint.source.syntax import call_at, expression_at, given, statement_at, tree

_TOGETHER: Final = ("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack")
_NAMES: Final = 6


@dataclass(frozen=True, slots=True)
class Rewriting:
    """One way to write it: the edits, and the changed call as a person would read it."""

    edits: tuple[Edit, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Join:
    """A join that gets two sizes: where it is called, which operand is the skip and which grew, and what grew it.

    `skip` and `grown` count the tensors of the join from 0, and are equal where there is no join but only `up`;
    `transposed` tells that `up` takes `output_size=`.
    """

    place: Span
    skip: int
    grown: int
    up: Span | None
    transposed: bool
    rank: int


def rewritings(join: Join) -> Iterator[Rewriting]:
    """The ways to give both tensors the skip's size, the likeliest first; whether one works has to be seen."""
    operands = _operands(join.place) if join.skip != join.grown else []
    skip = operands[join.skip] if join.skip < len(operands) else None
    grown = operands[join.grown] if join.grown < len(operands) else None
    if join.up is not None:
        yield from _sized_calls(join, join.up, skip)
    if skip is not None and grown is not None and skip is not grown:
        yield from _resized(join, skip, grown)


def _operands(place: Span) -> list[ast.expr]:
    """The tensors that a join in the source puts together, in order."""
    expression = expression_at(place)
    if expression is None:
        statement = statement_at(place)
        if isinstance(statement, ast.AugAssign) and span_of(place.file, statement) == place:
            return [statement.target, statement.value]
        return []
    if isinstance(expression, ast.BinOp):
        return [expression.left, expression.right]
    if not isinstance(expression, ast.Call):
        return []
    name = ast.unparse(expression.func).rpartition(".")[2]
    if name in _TOGETHER:
        first = given(expression, "tensors", 0)
        return [*first.elts] if isinstance(first, ast.List | ast.Tuple) else []
    if isinstance(expression.func, ast.Attribute) and len(expression.args) == 1:
        return [expression.func.value, expression.args[0]]
    return expression.args[:2]


def _sized_calls(join: Join, up: Span, skip: ast.expr | None) -> Iterator[Rewriting]:
    """The call that grows the tensor, with the size of the skip or of another tensor whose name is in its reach."""
    call = call_at(up)
    if call is None:
        return
    for text in _in_reach(join, up, call, skip):
        size = f"{text}.shape[-{join.rank}:]"
        word = next((each for each in call.keywords if each.arg == "scale_factor"), None)
        if join.transposed and given(call, "output_size", None) is None:
            edit = added(up.file, call, "output_size", size)
            yield Rewriting((edit,), with_keyword(call, None, "output_size", size))
        elif word is not None and ast.unparse(call.func).rpartition(".")[2] in ("interpolate", "upsample"):
            edit = Edit(span_of(up.file, word), f"size={size}")
            yield Rewriting((edit,), with_keyword(call, word, "size", size))


def with_keyword(call: ast.Call, old: ast.keyword | None, name: str, value: str) -> str:
    """A call as it reads with one keyword in the place of another, or one more."""
    kept = [word for word in call.keywords if word is not old]
    new = ast.keyword(name, ast.parse(value, mode="eval").body)
    return ast.unparse(ast.Call(call.func, call.args, [*kept, new]))


def _in_reach(join: Join, up: Span, call: ast.Call, skip: ast.expr | None) -> list[str]:
    """Expressions for the skip that can be written in the growing call: the join's own, then names of its function."""
    function = Scope.of(up.file, call).function
    texts = []
    if skip is not None and is_pure(skip) and _function(join.place) is function and join.place.file == up.file:
        texts.append(ast.unparse(skip))
    if function is not None:
        taken = {node.id for argument in call.args for node in ast.walk(argument) if isinstance(node, ast.Name)}
        texts += [name for name in names_before(function, up.line) if name not in taken]
    return list(dict.fromkeys(texts))[:_NAMES]


def _function(place: Span) -> ast.AST | None:
    node = expression_at(place) or statement_at(place)
    return None if node is None else Scope.of(place.file, node).function


def names_before(function: ast.FunctionDef | ast.AsyncFunctionDef, line: int) -> list[str]:
    """The parameters of a function, and the names that it has assigned before a line, the latest first."""
    stored = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.lineno < line
    ]
    parameters = [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    latest = [node.id for node in sorted(stored, key=lambda node: node.lineno, reverse=True)]
    return [name for name in [*parameters, *latest] if name not in ("self", "cls")]


def is_pure(node: ast.expr) -> bool:
    """Whether an expression may be written twice: names, attributes and items by them and by plain numbers."""
    allowed = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.UnaryOp, ast.BinOp)
    marks = (ast.expr_context, ast.operator, ast.unaryop)
    return all(isinstance(each, (*allowed, *marks)) for each in ast.walk(node))


def _resized(join: Join, skip: ast.expr, grown: ast.expr) -> Iterator[Rewriting]:
    """The join, with the tensor that grew given the skip's size on its way in."""
    file, statement = join.place.file, statement_at(join.place)
    hoisted = None if statement is None else _hoisted(file, statement, skip)
    if statement is None or hoisted is None:
        return
    name, before = hoisted
    size = f"{name}.shape[-{join.rank}:]"
    call = None if join.up is None else call_at(join.up)
    if before and join.transposed and call is not None and any(node is call for node in ast.walk(grown)):
        text = with_keyword(call, None, "output_size", size)
        yield Rewriting((*before, added(file, call, "output_size", size)), f"{_named(name, skip)}{text}")
    function = _interpolate(file)
    if function is None:
        return
    if isinstance(statement, ast.AugAssign) and grown is statement.target:
        target = ast.unparse(grown)
        text = f"{target} = {function}({target}, size={size}) {_operator(statement)} {name}"
        yield Rewriting((Edit(span_of(file, statement), text),), text)
    else:
        text = f"{function}({span_of(file, grown).content()}, size={size})"
        told = f"{_named(name, skip)}{text}" if before else text
        yield Rewriting((*before, Edit(span_of(file, grown), text)), told)


def _named(name: str, skip: ast.expr) -> str:
    """What names the skip, as it stands before the changed call in backticks."""
    return f"{name} = {ast.unparse(skip)}` before the join, and `"


def _hoisted(file: str, statement: ast.stmt, skip: ast.expr) -> tuple[str, tuple[Edit, ...]] | None:
    """How the skip may be named twice: as it is, or by a new name that a line before the statement gives it."""
    if is_pure(skip):
        return ast.unparse(skip), ()
    start = span_of(file, statement)
    if not stands_alone(statement, start):
        return None
    name, indent = new_name(file, statement, "skip"), start.text()[: start.column - 1]
    here = replace(start, end_line=start.line, end_column=start.column)
    return name, (Edit(here, f"{name} = {ast.unparse(skip)}\n{indent}"), Edit(span_of(file, skip), name))


def _operator(statement: ast.AugAssign) -> str:
    empty = ast.BinOp(ast.Name("a"), statement.op, ast.Name("b"))
    return ast.unparse(empty)[1:-1].strip()


def stands_alone(statement: ast.stmt, span: Span) -> bool:
    """Whether a line may be put before a statement: it begins its own line and has no inner scope around the join."""
    plain = isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Return)
    scopes = (ast.Lambda, ast.comprehension, ast.IfExp, ast.BoolOp)
    inner = any(isinstance(node, scopes) for node in ast.walk(statement))
    return plain and not inner and not span.text()[: span.column - 1].strip()


def new_name(file: str, statement: ast.stmt, wish: str) -> str:
    """A name that nothing in the function around a statement has."""
    scope = Scope.of(file, statement).function or tree(file)
    used = {node.id for node in ast.walk(scope) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(scope) if isinstance(node, ast.arg)}
    names = chain((wish,), (f"{wish}{number}" for number in count(1)))
    return next(name for name in names if name not in used)


def _interpolate(file: str) -> str | None:
    """How the module can call `torch.nn.functional.interpolate`; None where it imports nothing that leads there."""
    bound: dict[str, str] = {}
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                bound[alias.name if alias.asname else top] = alias.asname or top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                bound[f"{node.module}.{alias.name}"] = alias.asname or alias.name
    names = {"torch.nn.functional": "", "torch.nn": ".functional", "torch": ".nn.functional"}
    found = (f"{bound[module]}{rest}.interpolate" for module, rest in names.items() if module in bound)
    return bound.get("torch.nn.functional.interpolate") or next(found, None)
