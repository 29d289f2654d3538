"""Each `if` that only pads, resizes or crops a tensor, as the syntax shows it: see `paddings.py` and `resizes.py`."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from shapelint.instrument.branches import adds_up, asked, in_one, later, names_in
from shapelint.instrument.gone_through import made_call
from shapelint.instrument.paddings import PADDED, PADS
from shapelint.instrument.resizes import CUTS, RESIZES

_LOOKING = {"locals", "vars", "dir", "eval", "exec"}
"""What sees the variables of the function that calls it."""
_OF_OBJECTS = {"id", "is_", "is_not", "getrefcount", "__dict__"}
_SETTINGS = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")


def with_fitting_ifs(function: ast.Module) -> ast.Module:
    """The body of a function, in which each `if` that only pads, resizes or crops asks whether it is needed; none where
    identities are compared.
    """
    nodes = list(_inside(function))
    if any(map(_compares_identity, nodes)):
        return function
    known = Counter(name for each in ast.walk(function) for name in names_in(each))
    in_lines = Counter(name for each in nodes for name in _names_in_lines(each))
    if _LOOKING & known.keys():
        known = in_lines = Counter()
    for node in nodes:
        for _, body in ast.iter_fields(node):
            if isinstance(body, list):
                body[:] = _with_tests(body, known)
        named = _names_in_lines(node) if in_lines else []
        if named and all(known[name] == in_lines[name] for name in named):
            node.body[:] = [_in_one_line(node.body)]
    lambdas = {each.lineno for each in nodes if isinstance(each, ast.Lambda)}
    for node in nodes:
        _ask_each(node, lambdas)
    return function


def _ask_each(node: ast.AST, lambdas: set[int]) -> None:
    """Has each `if` in the bodies of a statement ask, or one that is an expression; none in the line of a lambda, whose
    code is found by its line.
    """
    for _, body in ast.iter_fields(node):
        for first, second in zip_longest(body, body[1:]) if isinstance(body, list) else ():
            if isinstance(first, ast.If) and first.test.lineno not in lambdas:
                _ask(first, second)
    if isinstance(node, ast.IfExp) and node.test.lineno not in lambdas:
        _ask(node, None)


def _inside(node: ast.AST) -> Iterator[Any]:
    """A node and what is in it; in the body of a class a lambda does not see the names around it."""
    yield node
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, ast.ClassDef):
            yield from _inside(each)


def _compares_identity(node: ast.AST) -> bool:
    named = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    if named in _OF_OBJECTS:
        return True
    if not isinstance(node, ast.Compare) or all(isinstance(each, ast.Constant) for each in node.comparators):
        return False
    return any(isinstance(each, ast.Is | ast.IsNot) for each in node.ops)


def _names_in_lines(node: Any) -> list[str]:
    """The variables that the body of an `if` only makes for the one call behind them, as often as they are there:
    `if odd: amounts = (0, w % 2); x = F.pad(x, amounts)`.
    """
    if not isinstance(node, ast.If) or len(node.body) < 2 or node.orelse or _fitted(node.body[-1]) is None:
        return []
    made = [_made(each) for each in node.body[:-1]]
    targets = {name for each in made for name in each}
    if not all(made) or targets & set(_targets(node.body[-1])) or _takes_own(node.body[:-1], made):
        return []
    return [name for each in _inside(ast.Module(node.body, [])) for name in names_in(each) if name in targets]


def _takes_own(statements: list[ast.stmt], made: list[dict[str, ast.expr]]) -> bool:
    """Whether what these make is taken before it is made here: from the turn before, or from an argument."""
    later_on = {name for each in made for name in each}
    for statement, each in zip(statements, made, strict=True):
        read = [one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
        if later_on & set(read):
            return True
        later_on -= each.keys()
    return False


def _made(statement: ast.stmt) -> dict[str, ast.expr]:
    """What an assignment gives to its variables, where it computes and does nothing else."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return {}
    target, value = statement.targets[0], statement.value
    targets, values = [target], [value]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        targets, values = target.elts, value.elts
    named = {each.id: one for each, one in zip(targets, values, strict=True) if isinstance(each, ast.Name)}
    computed = all(adds_up(each) or is_row(each) for each in values)
    return named if computed and len(named) == len(targets) else {}


def _targets(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [each.id for each in targets if isinstance(each, ast.Name)]


class _Given(ast.NodeTransformer):
    """Puts what variables were given in their place."""

    def __init__(self) -> None:
        self.given: dict[str, ast.expr] = {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.given.get(node.id, node))


def _in_one_line(body: list[ast.stmt]) -> ast.stmt:
    """The last statement with what those before it compute."""
    given = _Given()
    for statement in body[:-1]:
        given.given |= {name: given.visit(value) for name, value in _made(statement).items()}
    last = body[-1]
    assert isinstance(last, ast.Assign)
    last.value = given.visit(last.value)
    return last


def _with_tests(body: list[Any], known: Counter[str]) -> Iterator[Any]:
    """A test that has a name for the next line alone stands in that line."""
    for first, second in zip_longest(body, body[1:]):
        if isinstance(first, ast.Assign) and isinstance(second, ast.If) and isinstance(second.test, ast.Name):
            alone = len(first.targets) == 1 and ast.dump(first.targets[0]) == ast.dump(_stored(second.test))
            fits_alone = not second.orelse and _fitted(second.body[-1]) is not None and len(second.body) < 3
            if alone and fits_alone and known[second.test.id] == 2 and _tests(first.value):
                second.test = first.value
                continue
        yield first


def _stored(name: ast.Name) -> ast.Name:
    return ast.Name(name.id, ast.Store())


def _ask(node: ast.If | ast.IfExp, behind: ast.stmt | None) -> None:
    """Makes the test ask whether it is needed, and the amounts of a padding `padded`, where nothing else is done."""
    value, tests = _only_value(node, behind), _tests(node.test)
    if value is None or not tests:
        return
    compared = in_one([in_one(asked(copy.deepcopy(each)), each) for each in tests], node.test)
    call = value if isinstance(value, ast.Call) else None
    for name, parts in (  # a call may look like both
        (CUTS, _cutting(value)), (RESIZES, call and _resizing(call)), (PADS, call and _padding(call))
    ):  # fmt: skip
        if parts:
            described = in_one([*map(copy.deepcopy, (*parts, compared))], node.test)
            node.test = made_call(name, node.test, later(described), later(node.test))
    if call is not None and _padding(call) is not None:
        call.args[1] = made_call(PADDED, call.args[1], copy.deepcopy(call.func), call.args[1], later(compared))


def _only_value(node: ast.If | ast.IfExp, behind: ast.stmt | None) -> ast.expr | None:
    """What a variable is given anew of itself, or is given back instead of it, where one does nothing else."""
    if isinstance(node, ast.IfExp):
        return node.body if _is_made_of(node.body, node.orelse) else None
    if len(node.body) > 1 or node.orelse:
        return None
    last = node.body[0]
    if isinstance(last, ast.Return) and isinstance(behind, ast.Return) and last.value and behind.value:
        return last.value if _is_made_of(last.value, behind.value) else None
    return _fitted(last)


def _fitted(statement: Any) -> ast.expr | None:
    """The value of `x = f(x, ...)` or `x = x[...]`."""
    alone = isinstance(statement, ast.Assign) and len(statement.targets) == 1
    return statement.value if alone and _is_made_of(statement.value, statement.targets[0]) else None


def _is_made_of(value: ast.expr, variable: ast.expr) -> bool:
    """Whether a function of some module takes a variable, or a part of it is taken."""
    whole = value.value if isinstance(value, ast.Subscript) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute | ast.Name) and adds_up(value.func):
        whole = value.args[0] if value.args else None
    return isinstance(variable, ast.Name) and isinstance(whole, ast.Name) and variable.id == whole.id


def _cutting(value: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """What `x[..., :n]` takes, and from where to where in each axis."""
    if not isinstance(value, ast.Subscript):
        return None
    axes = value.slice.elts if isinstance(value.slice, ast.Tuple) else [value.slice]
    if isinstance(axes[0], ast.Constant) and axes[0].value is Ellipsis:
        first, axes = [axes[0]], axes[1:]
    else:
        first = []
    slices = [each for each in axes if isinstance(each, ast.Slice) and each.step is None]
    bounds = [[each.lower or ast.Constant(0), each.upper or ast.Constant(None)] for each in slices]
    if not slices or len(slices) < len(axes) or not all(adds_up(*each) for each in bounds):
        return None
    return value.value, in_one([*first, *(in_one(each, value) for each in bounds)], value)


def _padding(call: ast.Call) -> tuple[ast.expr, ...] | None:
    """The function, the tensor and the amounts of `F.pad(x, amounts)`, with zeros or another constant."""
    names = dict(zip(("mode", "value"), call.args[2:], strict=False))
    names |= {str(each.arg): each.value for each in call.keywords}
    plain = all(isinstance(each, ast.Constant) for each in names.values()) and names.keys() <= {"mode", "value"}
    mode = names.get("mode")
    zeros = mode is None or (isinstance(mode, ast.Constant) and mode.value == "constant")
    if not plain or not zeros or not 2 <= len(call.args) < 5:
        return None
    plain = isinstance(call.args[1], ast.Name) or is_row(call.args[1])
    return (call.func, *call.args[:2]) if plain else None


def _resizing(call: ast.Call) -> tuple[ast.expr, ...] | None:
    """The function, map and size of `F.interpolate(x, size, mode="nearest")`, and its other arguments: constants."""
    if len(call.args) > 1 + len(_SETTINGS) or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    names = dict(zip(_SETTINGS, call.args[1:], strict=False))
    names |= {str(each.arg): each.value for each in call.keywords}
    size = names.pop("size", None)
    if size is None or not names.keys() <= set(_SETTINGS) or not _is_shape(size):
        return None
    if not all(isinstance(each, ast.Constant) for each in names.values()):
        return None
    settings = [in_one([ast.Constant(name), value], size) for name, value in names.items()]
    return call.func, call.args[0], size, in_one(settings, size)


def is_row(value: ast.expr) -> bool:
    """Whether a value is a tuple or list of what adds up."""
    return isinstance(value, ast.Tuple | ast.List) and adds_up(*value.elts)


def _is_shape(value: ast.expr) -> bool:
    """Whether a value is a row of sizes: written as one, a variable, or `x.shape[2:]` and `x.size()[2:]`."""
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice):
        bounds = [each for each in (value.slice.lower, value.slice.upper, value.slice.step) if each is not None]
        return adds_up(value.value, *bounds)
    return is_row(value) or adds_up(value)


def _tests(test: ast.expr) -> list[ast.expr]:
    """The comparisons and numbers of which one must hold, as long as each can be done twice; none for another test."""
    tests = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    parts = [[each.left, *each.comparators] if isinstance(each, ast.Compare) else [each] for each in tests]
    return tests if all(len(each) < 3 and all(map(_is_shape, each)) for each in parts) else []
