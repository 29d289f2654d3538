"""What a loop goes through, handed to a function of ours that looks at it when the code runs: see `turns.py`."""

from __future__ import annotations

import ast
from typing import Final

from shapelint.instrument import loops

TURNS: Final = "__shapelint_turns__"
BACKWARDS: Final = "__shapelint_backwards__"
MAPPED: Final = "__shapelint_mapped__"
CUT: Final = "__shapelint_cut__"
GIVEN: Final = "__shapelint_given__"


def may_be_counted(through: ast.expr) -> bool:
    """Whether a loop goes through what a size may count: what a call gives, or a variable or an attribute holds."""
    if not isinstance(through, ast.Call):
        return isinstance(through, ast.Name | ast.Attribute)
    starred = any(isinstance(each, ast.Starred) for each in through.args)
    return not starred and all(each.arg for each in through.keywords) and bool(through.args or through.keywords)


def cuts(value: ast.expr) -> bool:
    """Whether a call may cut a tensor in pieces."""
    name = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
    return name in ("split", "unbind") and may_be_counted(value)


def cut(value: ast.expr) -> ast.expr:
    """Such a call, made through our function."""
    assert isinstance(value, ast.Call)
    found = made_call(CUT, value, value.func, *value.args)
    found.keywords = value.keywords
    return found


def places_of_cuts(through: ast.expr) -> list[int]:
    """Which arguments of a call of `zip` or `enumerate` may be pieces."""
    if not isinstance(through, ast.Call) or _called(through) not in ("zip", "enumerate", "reversed"):
        return []
    return [place for place, each in enumerate(through.args) if cuts(each)]


def cut_some(through: ast.expr, places: list[int]) -> None:
    """Makes these arguments of a call through our function."""
    for place in places:
        assert isinstance(through, ast.Call)
        through.args[place] = cut(through.args[place])


def gone_through(name: str, through: ast.expr, about: loops.About, *first: ast.expr) -> ast.expr:
    """`name(about, *first, function, *arguments)` for what a loop goes through, whose own calls are rewritten."""
    before = [ast.Constant(about), *first]  # type: ignore[arg-type]
    if not isinstance(through, ast.Call):
        return made_call(name, through, *before, ast.Name(GIVEN, ast.Load()), through)
    inner = through.args[0] if len(through.args) == 1 and not through.keywords and not first else None
    if isinstance(inner, ast.Call) and _called(through) == "reversed" and _called(inner) == "range":
        found = made_call(BACKWARDS, through, *before, through.func, inner.func, *inner.args)
        found.keywords = inner.keywords
        return found
    found = made_call(name, through, *before, through.func, *through.args)
    found.keywords = through.keywords
    return found


def _called(call: ast.Call) -> str:
    """The name of what is called, also where our function is around it."""
    function = call.func
    if isinstance(function, ast.Call) and function.args:
        function = function.args[0]
    return function.id if isinstance(function, ast.Name) else ""


def of_one(node: ast.ListComp) -> ast.expr:
    """The function of one item that computes an element of the list."""
    target = node.generators[0].target
    names = [target] if isinstance(target, ast.Name) else target.elts  # type: ignore[attr-defined]
    taken = ast.arguments([], [ast.arg(each.id) for each in names], None, [], [], None, [])
    of_all = ast.copy_location(ast.Lambda(taken, node.elt), node.elt)
    if isinstance(target, ast.Name):
        return of_all
    item = ast.Name("item", ast.Load())
    call = ast.copy_location(ast.Call(of_all, [ast.Starred(item, ast.Load())], []), node.elt)
    return ast.copy_location(ast.Lambda(ast.arguments([], [ast.arg("item")], None, [], [], None, []), call), node.elt)


def made_call(name: str, place: ast.expr, *arguments: ast.expr) -> ast.Call:
    """`name(*arguments)`, at a place in the source."""
    function = ast.copy_location(ast.Name(name, ast.Load()), place)
    call = ast.copy_location(ast.Call(function, list(arguments), []), place)
    for argument in arguments:
        if not hasattr(argument, "lineno"):
            ast.copy_location(argument, place)
    return call
