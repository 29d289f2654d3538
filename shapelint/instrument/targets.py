"""What a subscript or a target is, by its syntax: whether its index may hold a size, and what it is set in."""

from __future__ import annotations

import ast
import copy

from shapelint.instrument.branches import repeats


def is_fixed(index: ast.expr) -> bool:
    """Whether an index can hold no size, or is one with slices of several axes, which neither lists nor dicts take."""
    if isinstance(index, ast.Slice):
        return all(each is None or is_fixed(each) for each in (index.lower, index.upper, index.step))
    if isinstance(index, ast.UnaryOp):
        return is_fixed(index.operand)
    if isinstance(index, ast.Tuple):
        return any(isinstance(each, ast.Slice | ast.Starred) for each in index.elts) or all(map(is_fixed, index.elts))
    return isinstance(index, ast.Constant | ast.JoinedStr)


def may_be_key(owner: ast.expr, index: ast.expr) -> bool:
    """Whether a fixed index may be a key of a dict that a variable or an attribute holds, beside sizes."""
    if not isinstance(owner, ast.Name | ast.Attribute) or (isinstance(owner, ast.Attribute) and owner.attr == "shape"):
        return False
    return not any(isinstance(each, ast.Slice | ast.Starred) for each in ast.walk(index))


def parts_of_target(target: ast.expr) -> list[ast.expr]:
    """A variable; or the owner in a target, its name and the index, without these where to read it may do something."""
    if isinstance(target, ast.Name):
        return [ast.copy_location(ast.Name(target.id, ast.Load()), target)]
    if not isinstance(target, ast.Attribute | ast.Subscript) or not repeats(target.value):
        return []
    owner, nothing = copy.deepcopy(target.value), ast.Constant(None)
    if isinstance(target, ast.Subscript):
        return [owner, nothing, copy.deepcopy(target.slice)] if repeats(target.slice) else [owner, nothing]
    return [owner, nothing] if target.attr.startswith("__") else [owner, ast.Constant(target.attr), nothing]
