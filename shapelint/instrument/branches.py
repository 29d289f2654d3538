"""Which statements of the user's are an `if` that may be no branch, as their syntax alone shows it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

_REPEATABLE: Final = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.expr_context, ast.UnaryOp, ast.USub)
_ROUNDED: Final = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)
_CHOOSING: Final = (ast.NotEq, ast.Eq, ast.Gt, ast.Lt)


def asked(test: ast.expr) -> tuple[ast.expr, ast.expr]:
    """The operands of a comparison and its name, or what is taken for a truth value and no name."""
    operands, name = [test], ""
    if isinstance(test, ast.Compare):
        operands, name = [test.left, *test.comparators], type(test.ops[0]).__name__
    return ast.copy_location(ast.Tuple(operands, ast.Load()), test), ast.Constant(name)


def chooses(test: ast.expr) -> bool:
    """Whether a test may be one of two sizes that differ by one at most."""
    compares = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], _CHOOSING)
    return compares or isinstance(test, ast.BinOp)


def either(node: ast.If) -> tuple[ast.Assign, ast.Assign] | None:
    """Both assignments, where an `if` and its `else` only give one variable the one or the other number."""
    if not chooses(node.test) or len(node.body) != 1 or len(node.orelse) != 1:
        return None
    first, second = node.body[0], node.orelse[0]
    if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign):
        return None
    targets = [*first.targets, *second.targets]
    names = {each.id for each in targets if isinstance(each, ast.Name)}
    return (first, second) if len(targets) == 2 and len(names) == 1 and adds_up(first.value, second.value) else None


def adds_up(*values: ast.expr) -> bool:
    """Whether values are arithmetic of names and numbers, `min`, `max` and `x.size(2)` included, without a division in
    floats.
    """
    kinds = (*_REPEATABLE, ast.BinOp, *_ROUNDED)
    for value in values:
        for each in ast.walk(value):
            if isinstance(each, ast.Call):
                named = isinstance(each.func, ast.Name) and each.func.id in ("min", "max", "int", "abs")
                sized = isinstance(each.func, ast.Attribute) and each.func.attr == "size"  # of a tensor
                if not (named or sized) or each.keywords:
                    return False
            elif not isinstance(each, kinds):
                return False
    return True


def set_place(node: ast.If) -> tuple[ast.expr, ast.expr, ast.expr] | None:
    """The list, the index and the number, where the body of an `if` only sets one integer in a list."""
    test, body = node.test, node.body[0]
    if not (isinstance(test, ast.Name) or chooses(test)) or node.orelse or len(node.body) > 1:
        return None
    if not isinstance(body, ast.Assign) or len(body.targets) > 1:
        return None
    target, value = body.targets[0], body.value
    if not isinstance(target, ast.Subscript) or not isinstance(value, ast.Constant) or type(value.value) is not int:
        return None
    owner, index = copy.deepcopy(target.value), copy.deepcopy(target.slice)
    return (owner, index, copy.copy(value)) if repeats(owner) and _computes(index) else None


def _computes(index: ast.expr) -> bool:
    """Whether an index is arithmetic of names and numbers, which does nothing if it is done again."""
    kinds = (*_REPEATABLE, ast.BinOp, ast.operator)
    return not isinstance(index, ast.Slice) and all(isinstance(each, kinds) for each in ast.walk(index))


def repeats(node: ast.expr) -> bool:
    """Whether an expression does nothing if it is done again."""
    return all(isinstance(each, _REPEATABLE) for each in ast.walk(node))


def inlined(function: ast.Module) -> ast.Module:
    """The body of a function, where a test that has a name for the next line alone stands in that line."""
    known = [name for each in ast.walk(function) for name in names_in(each)]
    for node in ast.walk(function):
        for _, body in ast.iter_fields(node):
            if isinstance(body, list):
                body[:] = _with_tests(body, known)
    return function


def names_in(node: ast.AST) -> list[str]:
    """The variable that a name is, or those that a `global` or `nonlocal` declares."""
    return [node.id] if isinstance(node, ast.Name) else list(getattr(node, "names", ()))


def _with_tests(body: list[ast.AST], known: list[str]) -> Iterator[ast.AST]:
    for first, second in zip_longest(body, body[1:]):
        if isinstance(first, ast.Assign) and isinstance(second, ast.If) and isinstance(second.test, ast.Name):
            names = [each.id for each in first.targets if isinstance(each, ast.Name)]
            alone = names == [second.test.id] and len(first.targets) == 1 and known.count(names[0]) == 2
            if alone and _pads(first.value) and _crop(second) is not None:
                second.test = first.value
                continue
        yield first


def cropped(node: ast.If) -> tuple[ast.expr, ast.expr, ast.expr] | None:
    """What is cropped, where each axis ends and what is compared, where an `if` only crops what was padded:
    `if right > 0 or below > 0: x = x[:, :height, :width].contiguous()`.
    """
    found = _crop(node)
    if found is None or not _pads(node.test):
        return None
    whole, stops = found
    tests = node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
    return copy.deepcopy(whole), in_one(stops, node.test), in_one([in_one(asked(each), each) for each in tests], node)


def _crop(node: ast.If) -> tuple[ast.expr, list[ast.expr]] | None:
    body = node.body[0]
    if node.orelse or len(node.body) > 1 or not isinstance(body, ast.Assign) or len(body.targets) > 1:
        return None
    call, target = body.value, body.targets[0]
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "contiguous":
        return None
    part = call.func.value
    if call.args or call.keywords or not isinstance(part, ast.Subscript) or ast.dump(part.value) != _read(target):
        return None
    axes = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
    slices = [axis for axis in axes if isinstance(axis, ast.Slice) and axis.lower is None and axis.step is None]
    stops = [copy.deepcopy(axis.upper) or ast.Constant(None) for axis in slices]
    return (part.value, stops) if len(slices) == len(axes) and adds_up(*stops) else None


def _read(target: ast.expr) -> str:
    """What a variable is where it is read; of another target nothing that is read."""
    return ast.dump(ast.Name(target.id, ast.Load())) if isinstance(target, ast.Name) else ""


def _pads(test: ast.expr) -> bool:
    """Whether a test is one or more comparisons with `>` or `!=` of what adds up, of which one must hold."""
    tests = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    return all(
        isinstance(each, ast.Compare)
        and len(each.ops) == 1
        and isinstance(each.ops[0], ast.Gt | ast.NotEq)
        and adds_up(each.left, *each.comparators)
        for each in tests
    )


def in_one(parts: Sequence[ast.expr], place: ast.AST) -> ast.expr:
    """A tuple of expressions, at a place in the source."""
    return ast.copy_location(ast.Tuple(list(parts), ast.Load()), place)


def later(value: ast.expr) -> ast.expr:
    """A function without parameters that computes a value."""
    return ast.copy_location(ast.Lambda(ast.arguments([], [], None, [], [], None, []), value), value)
