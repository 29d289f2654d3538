"""What a name, an attribute or a call stands for in the source: the expressions that it may have its value from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shapelint.source.syntax import tree

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Scope:
    """A place in a file, seen from inside: the functions and classes around it, innermost first."""

    file: str
    around: tuple[ast.AST, ...]

    @classmethod
    def of(cls, file: str, node: ast.AST) -> Scope:
        """The scope of a node of the file's syntax tree."""
        chain: list[ast.AST] = []
        _descend(tree(file), node, chain)
        return cls(file, tuple(chain))

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function with a name."""
        found = (each for each in self.around if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
        return next(found, None)

    @property
    def owner(self) -> ast.ClassDef | None:
        """The innermost class."""
        return next((each for each in self.around if isinstance(each, ast.ClassDef)), None)

    def values(self, name: str) -> list[ast.expr]:
        """What is assigned to a name in the innermost scope that assigns to it."""
        for body in (*self.around, tree(self.file)):
            if not isinstance(body, ast.ClassDef) or body is self.around[0]:
                found = list(_bound(body, name))
                if found:
                    return found
        return []

    def loops(self, name: str) -> Iterator[ast.expr]:
        """The iterables of the loops that give a name its values, down to the part of a `zip` that is its own."""
        for body in (*self.around, tree(self.file)):
            for node in _own(body):
                if isinstance(node, ast.For | ast.comprehension):
                    yield from _iterated(node.target, node.iter, name)

    def counters(self, inner: ast.AST) -> Iterator[str]:
        """The names that count the turns of the loops of this scope in which a node lies."""
        nodes = [node for body in self.around[:1] for node in ast.walk(body)]
        around = (node for node in nodes if any(each is inner for each in ast.walk(node)))
        for node in around:
            for loop in [node] if isinstance(node, ast.For) else getattr(node, "generators", []):
                name = _counter(loop)
                if name is not None:
                    yield name

    def attribute(self, name: str) -> list[ast.expr]:
        """What `self.<name>` or a class's own `<name>` is assigned, in the class around or one that it is made from."""
        for owner in self._classes(self.owner):
            found = list(_bound(owner, name)) or list(_kept(owner, name))
            if found:
                return found
        return []

    def method(self, name: str) -> ast.FunctionDef | None:
        """The method of the class around, or of one that it is made from."""
        body = (node for owner in self._classes(self.owner) for node in owner.body)
        return next((node for node in body if isinstance(node, ast.FunctionDef) and node.name == name), None)

    def defined(self, name: str) -> ast.FunctionDef | ast.ClassDef | None:
        """The function or class of the file with a name, as its module has it."""
        found = (node for node in tree(self.file).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
        return next((node for node in found if node.name == name), None)

    def _classes(self, owner: ast.ClassDef | None) -> Iterator[ast.ClassDef]:
        if owner is None:
            return
        yield owner
        for base in owner.bases:
            found = self.defined(base.id) if isinstance(base, ast.Name) else None
            if isinstance(found, ast.ClassDef) and found is not owner:
                yield from self._classes(found)


def _descend(here: ast.AST, wanted: ast.AST, chain: list[ast.AST]) -> bool:
    """Whether the wanted node lies in this one; the scopes on the way are put before what the chain has."""
    if here is wanted:
        return True
    for child in ast.iter_child_nodes(here):
        if _descend(child, wanted, chain):
            if isinstance(here, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                chain.append(here)
            return True
    return False


def _own(body: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, without those of functions and classes inside of it."""
    waiting = list(ast.iter_child_nodes(body))
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _bound(body: ast.AST, name: str) -> Iterator[ast.expr]:
    for node in _own(body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _matching(target, node.value, name)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield from _matching(node.target, node.value, name)


def _kept(owner: ast.ClassDef, name: str) -> Iterator[ast.expr]:
    """What the methods of a class assign to `self.<name>`."""
    for node in ast.walk(owner):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Attribute) and target.attr == name and isinstance(node, ast.Assign):
                yield node.value


def _iterated(target: ast.expr, iterable: ast.expr, name: str) -> Iterator[ast.expr]:
    """The part of an iterable over which a name runs."""
    if isinstance(target, ast.Name):
        if target.id == name:
            yield iterable
        return
    inner = iterable.args if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) else []
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(iterable, ast.Call):
        return
    if ast.unparse(iterable.func) == "zip" and len(inner) == len(target.elts):
        for left, right in zip(target.elts, inner, strict=True):
            yield from _iterated(left, right, name)
    elif ast.unparse(iterable.func) == "enumerate" and inner and len(target.elts) == 2:
        yield from _iterated(target.elts[1], inner[0], name)


def _counter(loop: ast.For | ast.comprehension) -> str | None:
    """The name that counts a loop's turns: that of `range`, or the first one of `enumerate`."""
    called = ast.unparse(loop.iter.func) if isinstance(loop.iter, ast.Call) else ""
    target = loop.target
    if called == "enumerate" and isinstance(target, ast.Tuple):
        target = target.elts[0]
    return target.id if called in ("range", "enumerate") and isinstance(target, ast.Name) else None


def _items(iterable: ast.expr) -> list[ast.expr]:
    """The items of a list that stands in the source."""
    return iterable.elts if isinstance(iterable, ast.List | ast.Tuple) else []


def _matching(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """The part of a value that an assignment gives to a name."""
    if isinstance(target, ast.Name):
        if target.id == name:
            yield value
    elif isinstance(target, ast.Tuple | ast.List):
        parts = _items(value)
        for left, right in zip(target.elts, parts, strict=True) if len(parts) == len(target.elts) else ():
            yield from _matching(left, right, name)
