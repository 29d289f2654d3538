"""An `if` that only pads where something is odd: `if h % 2 or w % 2: x = F.pad(x, (0, 0, 0, w % 2, 0, h % 2))`.

Where the test fails the padding adds nothing, so that it may be done in any case: the run needs no second way. Four
levels of Swin would be 81 ways.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any, Final
from weakref import WeakSet

import torch

from shapelint.instrument.branches import adds_up, asked
from shapelint.instrument.choices import OF_THE_OTHER, needs_no_way
from shapelint.instrument.gone_through import made_call
from shapelint.size.bound import identical, never_negative
from shapelint.size.function import Function, constant
from shapelint.size.number import Size, function_of
from shapelint.size.period import value_where
from shapelint.size.tracking import symbolic, tracker
from shapelint.source.fault import call_foreign

PADS: Final = "__shapelint_pads__"
PADDED: Final = "__shapelint_padded__"
IDENTIFIED: Final = "__shapelint_identified__"
_padding: WeakSet[Any] = WeakSet()
_Test = tuple[tuple[Any, ...], str]


def pads(described: Callable[[], tuple[Any, ...]], test: Callable[[], Any]) -> Any:
    """The test of an `if` that only pads; true where the padding adds nothing when the test fails.

    A contiguous tensor stays so either way. That it may be the very tensor is known to `ops/same_memory.py`.
    """
    with suppress(*OF_THE_OTHER):
        function, whole, *_ = call_foreign(described)
        fits = function is torch.nn.functional.pad and type(whole) is torch.Tensor and whole.is_floating_point()
        if fits and whole.is_contiguous():  # which may settle a size, so that the amounts are described anew
            _, _, amounts, tests = call_foreign(described)
            if needs_no_way(_added(amounts, tests, whole.dim()) is not None):
                _padding.add(tracker())
                return True
    return call_foreign(test)


def identified(value: Any) -> Any:
    """The value, of which the code asks whether it is the very object; a leak where an `if` may have padded it."""
    listener = tracker()
    if listener is not None and isinstance(value, torch.Tensor) and listener in _padding:
        listener.leak("whether a tensor is the very one that an `if` pads")
    return value


def padded(amounts: Any, tests: tuple[_Test, ...]) -> Any:
    """The amounts that such an `if` adds: 0 where its test fails."""
    found = _added(amounts, tests, len(amounts)) if type(amounts) in (tuple, list) else None
    return amounts if found is None or not needs_no_way(True) else found


def _added(amounts: Any, tests: tuple[_Test, ...], rank: int) -> tuple[int, ...] | None:
    if type(amounts) not in (tuple, list) or len(amounts) % 2 or len(amounts) > 2 * rank:
        return None
    if {type(each) for each in amounts} - {int, Size} or not any(map(symbolic, amounts)):
        return None
    zeros = [_zero_where_it_fails(operands, comparison) for operands, comparison in tests]
    known = [each for each in zeros if each is not None]
    found = [_nothing_at(each, known) for each in amounts] if len(known) == len(zeros) else [None]
    return None if None in found else tuple(each for each in found if each is not None)


def _zero_where_it_fails(operands: tuple[Any, ...], comparison: str) -> Function | None:
    """What is 0 at exactly the sizes at which a comparison does not hold."""
    left, right = operands if comparison else (*operands, 0)
    if {type(left), type(right)} - {int, Size}:
        return None
    difference = function_of(left) - function_of(right)
    if comparison in ("", "NotEq"):
        return difference
    if comparison in ("Gt", "Lt"):
        more = difference if comparison == "Gt" else difference.times(-1)
        return more if never_negative(more) else None
    signs = [difference, difference.times(-1)] if comparison == "Eq" else []
    apart = next((each for each in signs if never_negative(each) and never_negative(constant(1) - each)), None)
    return None if apart is None else constant(1) - apart


def _nothing_at(amount: int, zeros: list[Function]) -> int | None:
    """An amount that is 0 where all of these are 0; one that is a whole step there (`8 - w % 8`) without that step."""
    value = function_of(amount)
    for zero in zeros:
        if identical(value, zero) or identical(value, zero.times(-1)) or value_where(value, zero, 0) == 0:
            return amount
    step = value_where(value, zeros[0], 0) if len(zeros) == 1 else None
    if step is None or step < 1 or not identical(value, constant(step) - zeros[0]):
        return None
    return amount % step if never_negative(zeros[0]) and never_negative(value) else None


def with_paddings(function: ast.Module) -> ast.Module:
    """The body of a function, in which each `if` that only pads asks `pads`; none where identities are compared."""
    nodes = list(_inside(function))
    if any(map(_compares_identity, nodes)):
        return function
    known = Counter(name for each in nodes for name in _names(each))
    in_lines = Counter(each.body[0].targets[0].id for each in nodes if _is_in_lines(each))
    for node in nodes:
        for _, body in ast.iter_fields(node):
            if isinstance(body, list):
                body[:] = _with_tests(body, known)
        if _is_in_lines(node) and known[node.body[0].targets[0].id] == 2 * in_lines[node.body[0].targets[0].id]:
            node.body[1].value.args[1] = node.body[0].value
            del node.body[0]
        if isinstance(node, ast.If):
            _ask(node)
    return function


def _inside(node: ast.AST) -> Iterator[Any]:
    """A node and what is in it; in the body of a class a lambda does not see the names around it."""
    yield node
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, ast.ClassDef):
            yield from _inside(each)


def _names(node: ast.AST) -> list[str]:
    """The variable that a name is, or those that a `global` or `nonlocal` declares."""
    return [node.id] if isinstance(node, ast.Name) else list(getattr(node, "names", ()))


def _compares_identity(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "id":
        return True
    if not isinstance(node, ast.Compare) or all(isinstance(each, ast.Constant) for each in node.comparators):
        return False
    return any(isinstance(each, ast.Is | ast.IsNot) for each in node.ops)


def _is_in_lines(node: Any) -> bool:
    """`if odd: amounts = (0, w % 2); x = F.pad(x, amounts)`."""
    if not isinstance(node, ast.If) or len(node.body) != 2 or node.orelse:
        return False
    first, call = node.body[0], _call(node.body[1])
    if not isinstance(first, ast.Assign) or len(first.targets) != 1 or not isinstance(first.targets[0], ast.Name):
        return False
    amounts = call.args[1] if call is not None else None
    return _is_row(first.value) and isinstance(amounts, ast.Name) and amounts.id == first.targets[0].id


def _with_tests(body: list[Any], known: Counter[str]) -> Iterator[Any]:
    """A test that has a name for the next line alone stands in that line."""
    for first, second in zip_longest(body, body[1:]):
        if isinstance(first, ast.Assign) and isinstance(second, ast.If) and isinstance(second.test, ast.Name):
            alone = len(first.targets) == 1 and ast.dump(first.targets[0]) == ast.dump(_stored(second.test))
            pads_alone = not second.orelse and _call(second.body[-1]) is not None and len(second.body) < 3
            if alone and pads_alone and known[second.test.id] == 2 and _tests(first.value):
                second.test = first.value
                continue
        yield first


def _stored(name: ast.Name) -> ast.Name:
    return ast.Name(name.id, ast.Store())


def _ask(node: ast.If) -> None:
    """Makes the test ask `pads`, and the amounts `padded`, where an `if` only pads."""
    call, tests = _call(node.body[0]), _tests(node.test)
    if call is None or len(node.body) > 1 or node.orelse or not tests:
        return
    if not isinstance(call.args[1], ast.Name) and not _is_row(call.args[1]):
        return
    compared = _tuple([_tuple(asked(copy.deepcopy(each)), each) for each in tests], node.test)
    described = _tuple([copy.deepcopy(each) for each in (call.func, *call.args[:2], compared)], node.test)
    node.test = made_call(PADS, node.test, _later(described), _later(node.test))
    call.args[1] = made_call(PADDED, call.args[1], call.args[1], compared)


def _call(statement: Any) -> ast.Call | None:
    """The call of `x = F.pad(x, amounts)`, with zeros or another constant."""
    call = statement.value if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    if not isinstance(call, ast.Call) or len(call.args) < 2 or not isinstance(call.func, ast.Attribute | ast.Name):
        return None
    target, whole = statement.targets[0], call.args[0]
    same = isinstance(target, ast.Name) and isinstance(whole, ast.Name) and target.id == whole.id
    names = dict(zip(("mode", "value"), call.args[2:], strict=False))
    names |= {str(each.arg): each.value for each in call.keywords}
    plain = all(isinstance(each, ast.Constant) for each in names.values()) and names.keys() <= {"mode", "value"}
    mode = names.get("mode")
    constant_mode = mode is None or (isinstance(mode, ast.Constant) and mode.value == "constant")
    return call if same and plain and constant_mode and adds_up(call.func) and len(call.args) < 5 else None


def _is_row(value: ast.expr) -> bool:
    return isinstance(value, ast.Tuple | ast.List) and adds_up(*value.elts)


def _tests(test: ast.expr) -> list[ast.expr]:
    """The comparisons and numbers of which one must hold, as long as each can be done twice; none for another test."""
    tests = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    parts = [[each.left, *each.comparators] if isinstance(each, ast.Compare) else [each] for each in tests]
    return tests if all(len(each) < 3 and adds_up(*each) for each in parts) else []


def _tuple(parts: Sequence[ast.expr], place: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Tuple(list(parts), ast.Load()), place)


def _later(value: ast.expr) -> ast.expr:
    """A function without parameters that computes a value."""
    return ast.copy_location(ast.Lambda(ast.arguments([], [], None, [], [], None, []), value), value)
