"""Which texts of a function are only keys, by its syntax: `key = f"{h}x{w}"`, where every use is one of a dict's key.

Such a text is made by `key_text`, which keeps the sizes in it (`key_text.py`).
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from typing import Final

from shapelint.instrument.branches import repeats
from shapelint.instrument.gone_through import made_call

KEY_TEXT: Final = "__shapelint_key_text__"
KEY_OF: Final = "__shapelint_key_of__"
_ASKING: Final = ("get", "pop", "setdefault")
_CONVERSIONS: Final = {ord("s"): "s", ord("r"): "r"}


def with_key_texts(function: ast.Module) -> ast.Module:
    """The body of a function, where texts that are only keys are made by KEY_TEXT, and given to methods by KEY_OF."""
    if any(_names_attributes(node) for node in ast.walk(function)):
        return function
    uses = {id(use): use for node in ast.walk(function) for use in _keys_in(node)}
    names = _names_of_keys(function, uses)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_name(node.targets[0], names):
            node.value = _made(node.value) or node.value
        elif isinstance(node, ast.Compare) and id(node.left) in uses:
            node.left = _made(node.left) or node.left
        elif isinstance(node, ast.Subscript) and id(node.slice) in uses:
            node.slice = _made(node.slice) or node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args[:1]:
            made = _made(node.args[0]) if id(node.args[0]) in uses else None
            if made is not None or _is_name(node.args[0], names):
                node.args[0] = made_call(KEY_OF, node.args[0], copy.deepcopy(node.func.value), made or node.args[0])
    return function


def _names_attributes(node: ast.AST) -> bool:
    """Whether a function may get at a dict whose keys are names of attributes or variables, which are read as such."""
    found = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return found in ("__dict__", "vars", "globals", "locals")


def _keys_in(node: ast.AST) -> Iterator[ast.expr]:
    """The part of an expression that is a key of what could be a dict."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
        yield node.left
    elif isinstance(node, ast.Subscript) and (isinstance(node.ctx, ast.Load) or repeats(node.value)):
        yield node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and repeats(node.func.value):
        yield from node.args[:1] if node.func.attr in _ASKING else ()


def _names_of_keys(function: ast.Module, uses: dict[int, ast.expr]) -> frozenset[str]:
    """The variables that hold such texts and nothing else, and are read as keys only."""
    set_to_text = {
        id(node.targets[0])
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and _made(node.value) is not None
    }
    names, others = set[str](), set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            (names if id(node) in uses or id(node) in set_to_text else others).add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            others.update(node.names)
        elif isinstance(node, ast.arg):
            others.add(node.arg)
        elif isinstance(name := getattr(node, "asname", None) or getattr(node, "name", None), str):
            others.add(name)
    return frozenset(names - others)


def _is_name(node: ast.expr, names: frozenset[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _made(node: ast.expr) -> ast.expr | None:
    """The call that makes the text of an expression from its parts; None where it is no text, or has none."""
    parts = _parts(node)
    if not parts or all(isinstance(each, ast.Constant) for each in parts):
        return None
    return made_call(KEY_TEXT, node, *parts)


def _parts(node: ast.expr) -> list[ast.expr]:
    """The texts in an expression, and its values each with how it becomes a text: `("s", value)`, `(str, value)`."""
    if isinstance(node, ast.Constant):
        return [node] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return [part for each in node.values for part in _of_field(each)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _parts(node.left), _parts(node.right)
        return [*left, *right] if left and right else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr"):
        alone = len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
        return [_pair(node.func, node.args[0])] if alone else []
    return _of_template(node)


def _of_field(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Constant):
        return [node]
    assert isinstance(node, ast.FormattedValue), "an f-string has no other parts"
    if node.format_spec is not None or node.conversion == ord("a"):
        return [ast.copy_location(ast.JoinedStr([node]), node)]
    return [_pair(ast.Constant(_CONVERSIONS.get(node.conversion, "")), node.value)]


def _of_template(node: ast.expr) -> list[ast.expr]:
    """The parts of `"%dx%d" % (h, w)` and of `"{}x{}".format(h, w)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.right, ast.Tuple):
        template, pattern, values = node.left, r"%([ds])", node.right.elts
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        template, pattern, values = node.func.value, r"\{()\}", node.args
        if node.keywords:
            return []
    else:
        return []
    if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
        return []
    split = re.split(pattern, template.value)
    literals, fields = split[::2], split[1::2]
    odd = any(set(each) & set("%{}") for each in literals) or any(isinstance(each, ast.Starred) for each in values)
    if odd or len(fields) != len(values):
        return []
    pairs = [_pair(ast.Constant(field), value) for field, value in zip(fields, values, strict=True)]
    texts = [ast.copy_location(ast.Constant(each), node) for each in literals]
    return [texts[0], *(part for pair in zip(pairs, texts[1:], strict=True) for part in pair)]


def _pair(how: ast.expr, value: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Tuple([ast.copy_location(how, value), value], ast.Load()), value)
