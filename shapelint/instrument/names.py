"""A value that gets another name, as in `identity = x`: told to the run, which knows the shapes of it."""

from __future__ import annotations

import ast
from typing import Any, Final

from shapelint.instrument.gone_through import made_call

HANDED_ON: Final = "__shapelint_handed_on__"
_LONGEST: Final = 60

Names = str | list[Any]


def names_of(value: ast.expr) -> Names:
    """The text of a name, an attribute or an item, "" of anything else; of each part of a tuple or list, or of two."""
    if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
        return ast.unparse(value)[:_LONGEST]
    if isinstance(value, ast.Tuple | ast.List):
        return [names_of(each) for each in value.elts]
    if isinstance(value, ast.IfExp):
        return [names_of(value.body), names_of(value.orelse)]
    return ""


def handed_on(value: ast.expr, was: ast.expr, names: Names) -> ast.expr:
    """The value of an assignment, changed from what it `was` with these names, and with what tells the run of them."""
    if isinstance(names, str):
        return made_call(HANDED_ON, was, ast.Constant(names), value) if names else value
    if isinstance(value, ast.Tuple | ast.List):
        parts = zip(value.elts, value.elts, names, strict=True)
        value.elts = [handed_on(*part) for part in parts]
    elif isinstance(value, ast.IfExp):
        value.body = handed_on(value.body, value.body, names[0])
        value.orelse = handed_on(value.orelse, value.orelse, names[1])
    elif all(names):  # one of two is chosen otherwise now
        return made_call(HANDED_ON, was, ast.Constant(" or ".join(map(str, names))), value)
    return value
