"""What the syntax of a `for` tells of its turns: what they hand on in variables, and which lists they only fill."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

# A loop that may be left in the middle, or that waits in the middle of a turn.
_LEAVES: Final = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
# What looks at a variable later than it is computed, or sets one outside.
_LATER: Final = (*_SCOPES, ast.GeneratorExp, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
_LOOKS_AT_ALL: Final = frozenset({"locals", "eval", "exec", "vars"})

About = tuple[tuple[str, ...], tuple[str, ...], int, int, tuple[str, ...]]
"""Of a loop the variables that a turn may read before it sets them, the lists that it only fills, its first and last
line, and the variables that it adds to.
"""

_Names = tuple[str, ...]


def with_filled(function: ast.Module) -> ast.Module:
    """The body of a function, where each `for` knows the lists that are made before it, which it only fills."""
    for node in ast.walk(function):
        for _, body in ast.iter_fields(node):
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                _mark(body)
    return function


def about(node: ast.For) -> About | None:
    """What there is to know of a loop whose turns are all alike; None where it may end before its last turn."""
    if any(isinstance(each, _LEAVES) for part in node.body for each in _inside(part)) or _breaks(node.body):
        return None
    names = {each.id for part in node.body for each in ast.walk(part) if isinstance(each, ast.Name)}
    if names & _LOOKS_AT_ALL:
        return None
    filled = filled_by(node)
    read = _Reads()
    read.assign(node.target)
    read.block(node.body)
    last = node.body[-1].end_lineno or node.body[-1].lineno
    return tuple(sorted(read.first - set(filled))), filled, node.body[0].lineno, last, counted_by(node)


def of_comprehension(node: ast.ListComp) -> About | None:
    """The same of a comprehension with one `for`, whose element is computed by itself; None for any other."""
    (part, *more), names = node.generators, {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    targets = part.target.elts if isinstance(part.target, ast.Tuple) else [part.target]
    plain = not (more or part.ifs or part.is_async) and all(isinstance(each, ast.Name) for each in targets)
    if not plain or names & _LOOKS_AT_ALL or any(isinstance(each, _LATER) for each in ast.walk(node)):
        return None
    read = _Reads()
    read.assign(part.target)
    read.read(node.elt)
    return tuple(sorted(read.first)), (), node.lineno, node.end_lineno or node.lineno, ()


def filled_by(node: ast.For) -> _Names:
    """The lists that `with_filled` found for a loop."""
    found: _Names = getattr(node, "filled", ())
    return found


def counted_by(node: ast.For) -> _Names:
    """The variables that are set before a loop and added to in it."""
    found: _Names = getattr(node, "counted", ())
    return found


def _mark(body: Sequence[ast.AST]) -> None:
    lists, known = set[str](), set[str]()
    for statement in body:
        if isinstance(statement, ast.For):
            statement.counted = tuple(sorted(known & _added_to(statement)))  # type: ignore[attr-defined]
            names = {name for name in lists if _only_filled(statement, name)}
            statement.filled = tuple(sorted(names))  # type: ignore[attr-defined]
            lists -= {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
            continue
        begun = _begun(statement)
        if isinstance(statement, ast.Delete):
            known.clear()
        elif isinstance(statement, ast.Assign):
            known |= {name for target in statement.targets for name in _stored(target)}
        lists -= {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
        lists |= begun


def _stored(target: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(target) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _added_to(node: ast.For) -> set[str]:
    """The variables that the body of a loop sets, and of which it reads one first."""
    changed = {name for part in node.body for each in ast.walk(part) for name in _changed(each)}
    read = _Reads()
    read.assign(node.target)
    read.block(node.body)
    return changed & read.first


def _changed(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in _stored(target)}
    return _stored(node.target) if isinstance(node, ast.AugAssign) else set()


def _begun(statement: ast.AST) -> set[str]:
    """The variables that a statement gives lists of their own."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return set()
    pairs: list[tuple[ast.expr, ast.expr]]
    if isinstance(statement, ast.AnnAssign):
        pairs = [(statement.target, statement.value)]
    elif len(statement.targets) > 1:
        return set()
    else:
        target, value = statement.targets[0], statement.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs = [*zip(target.elts, value.elts, strict=True)]
    return {target.id for target, value in pairs if isinstance(target, ast.Name) and isinstance(value, ast.List)}


def _only_filled(node: ast.For, name: str) -> bool:
    """Whether every place at which a loop has the name is a statement that adds one item to it, at least one."""
    if _has(node.iter, name) or _has(node.target, name):
        return False
    walked = [each for part in (*node.body, *node.orelse) for each in ast.walk(part)]
    if any(isinstance(each, _SCOPES) and _has(each, name) for each in walked):
        return False
    calls = [each.value for each in walked if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
    appended = sum(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "append"
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == name
        for call in calls
    )
    appended += sum(_adds_one(each) and each.target.id == name for each in walked)  # type: ignore[attr-defined]
    return 0 < appended == sum(isinstance(each, ast.Name) and each.id == name for each in walked)


def _adds_one(node: ast.AST) -> bool:
    """`items += [item]`"""
    if not isinstance(node, ast.AugAssign) or not isinstance(node.target, ast.Name) or not isinstance(node.op, ast.Add):
        return False
    added = node.value.elts if isinstance(node.value, ast.List) else []
    return len(added) == 1 and not isinstance(added[0], ast.Starred)


def _has(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without those of the functions in it."""
    yield node
    if not isinstance(node, _SCOPES):
        for each in ast.iter_child_nodes(node):
            yield from _inside(each)


def _breaks(body: Sequence[ast.AST]) -> bool:
    """Whether a `break` in these statements leaves the loop that they are the body of."""
    for each in body:
        if isinstance(each, ast.Break):
            return True
        if isinstance(each, _SCOPES):
            continue
        if isinstance(each, ast.For | ast.AsyncFor | ast.While):
            if _breaks(each.orelse):
                return True
        elif _breaks(list(ast.iter_child_nodes(each))):
            return True
    return False


class _Reads:
    """The variables that statements may read before they have set them, in `first`."""

    def __init__(self) -> None:
        self.first: set[str] = set()
        self._set: set[str] = set()

    def assign(self, target: ast.AST) -> None:
        """Takes in that a target is set."""
        self.read(target)
        if isinstance(target, ast.Name):
            self._set.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            for each in target.elts:
                self.assign(each)
        elif isinstance(target, ast.Starred):
            self.assign(target.value)

    def read(self, *nodes: ast.AST | None) -> None:
        """Takes in what expressions read, wherever in them."""
        for node in nodes:
            for each in () if node is None else ast.walk(node):
                if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Store) and each.id not in self._set:
                    self.first.add(each.id)

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Takes in statements, one after the other."""
        for statement in body:
            self._statement(statement)

    def _apart(self, body: Sequence[ast.stmt]) -> set[str]:
        """What is set after statements that may not run."""
        before = set(self._set)
        self.block(body)
        after, self._set = self._set, before
        return after

    def _statement(self, node: ast.stmt) -> None:  # noqa: C901 - one branch for each kind of statement
        if isinstance(node, ast.Assign):
            self.read(node.value)
            for target in node.targets:
                self.assign(target)
        elif isinstance(node, ast.AnnAssign):
            self.read(node.value)
            if node.value is not None:
                self.assign(node.target)
        elif isinstance(node, ast.AugAssign):
            self.read(node.value)
            self._again(node.target)
        elif isinstance(node, ast.If):
            self.read(node.test)
            self._set |= self._apart(node.body) & self._apart(node.orelse)
        elif isinstance(node, ast.For):
            self.read(node.iter)
            self._apart_with(node.target, node.body)
            self._apart(node.orelse)
        elif isinstance(node, ast.With):
            for item in node.items:
                self.read(item.context_expr)
                if item.optional_vars is not None:
                    self.assign(item.optional_vars)
            self._apart(node.body)  # it may suppress an error
        elif isinstance(node, ast.Expr):
            self.read(node.value)
        else:
            self._any(node)

    def _again(self, target: ast.expr) -> None:
        """A target that is read and set."""
        if isinstance(target, ast.Name) and target.id not in self._set:
            self.first.add(target.id)
        self.assign(target)

    def _apart_with(self, target: ast.expr, body: Sequence[ast.stmt]) -> None:
        before = set(self._set)
        self.assign(target)
        self.block(body)
        self._set = before

    def _any(self, node: ast.stmt) -> None:
        """Of other statements every variable that is read anywhere in them, and none that they set."""
        self.read(node)
        for each in ast.walk(node):
            if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
                self.first |= {each.target.id} - self._set
