"""The conditions that an exported program puts on its inputs, asked as Python asks them: each opens another region.

A guard is a text in the file. It is parsed, and only what is listed here is computed; nothing of it is ever evaluated.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch

from shapelint.saved.pt2.graph import Exported
from shapelint.size.number import larger, plain, smaller
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Unanalysable

_MOST: Final = 4


def _quotient(number: Any, by: Any) -> Any:
    """The whole quotient; by a size it is a small number, on the condition that it is that one.

    Raises ZeroDivisionError.
    """
    if not symbolic(by):
        return number // by
    if by == 0:
        raise ZeroDivisionError
    found = plain(number) // plain(by)
    if by > 0 and 0 <= found <= _MOST and found * by <= number and number < (found + 1) * by:
        return found
    return number // by


def _remainder(number: Any, by: Any) -> Any:
    """What is left over of the quotient."""
    return number - _quotient(number, by) * by if symbolic(by) else number % by


_BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: _quotient,
    ast.Mod: _remainder,
}  # fmt: skip
_COMPARED: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_CALLED: Final[Mapping[str, Callable[..., Any]]] = {
    "Max": larger, "Min": smaller, "max": larger, "min": smaller, "FloorDiv": _quotient, "Mod": _remainder,
    "PythonMod": _remainder,
}  # fmt: skip

_INPUT: Final = re.compile(r"L\['(\w+)'\]", re.ASCII)


def check_inputs(exported: Exported, inputs: Mapping[str, torch.Tensor]) -> None:
    """Raises as the program does for inputs of sizes that it does not take.

    Raises AssertionError, as the program does, where a guard fails.
    """
    _check_sizes(exported, inputs)
    for guard in exported.guards:
        if not _holds(guard, exported, inputs):
            raise AssertionError(f"Guard failed: {_shown(guard)}")


def _check_sizes(exported: Exported, inputs: Mapping[str, torch.Tensor]) -> None:
    first: dict[str, tuple[str, int, Any]] = {}
    for given, names in zip(exported.given, exported.symbols, strict=True):
        shape = tuple(inputs[given.name].shape)
        for axis, (size, dim, name) in enumerate(zip(shape, given.dims or (), names, strict=True)):
            where = f"{given.name}.size()[{axis}]"
            if isinstance(dim, int):
                if size != dim:
                    raise AssertionError(f"Guard failed: {where} == {dim}")
            elif name is not None and name in first:
                if size != first[name][2]:
                    raise AssertionError(f"Guard failed: {where} == {first[name][0]}.size()[{first[name][1]}]")
            elif name is not None:
                first[name] = (given.name, axis, size)
                _check_range(exported, name, where, size)


def _check_range(exported: Exported, name: str, where: str, size: Any) -> None:
    known = exported.ranges.get(name)
    if known is not None and known.least is not None and known.least > 2 and not size >= known.least:
        raise AssertionError(f"Guard failed: {where} >= {known.least}")
    if known is not None and known.most is not None and not size <= known.most:
        raise AssertionError(f"Guard failed: {where} <= {known.most}")


def _shown(guard: str) -> str:
    text = _INPUT.sub(r"\1", guard) if guard.isprintable() else "a condition of the file"
    return text if len(text) <= 120 else text[:117] + "..."


def _holds(guard: str, exported: Exported, inputs: Mapping[str, torch.Tensor]) -> bool:
    try:
        tree = ast.parse(guard.strip(), mode="eval").body
        return bool(_value(tree, exported, inputs))
    except (SyntaxError, ValueError, RecursionError, TypeError, LookupError, ZeroDivisionError) as error:
        raise Unanalysable(f"the file's own guard `{_shown(guard)}` is not followed") from error


def _value(node: ast.expr, exported: Exported, inputs: Mapping[str, torch.Tensor]) -> Any:
    def of(part: ast.expr) -> Any:
        return _value(part, exported, inputs)

    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](of(node.left), of(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        return -of(node.operand) if isinstance(node.op, ast.USub) else not of(node.operand)
    if isinstance(node, ast.BoolOp):
        fold = all if isinstance(node.op, ast.And) else any
        return fold(of(each) for each in node.values)
    if isinstance(node, ast.Compare):
        return _compared(node, of)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        return _CALLED[node.func.id](*map(of, node.args))
    return _size(node, exported, inputs)


def _compared(node: ast.Compare, of: Callable[[ast.expr], Any]) -> bool:
    left = of(node.left)
    for comparison, right in zip(node.ops, map(of, node.comparators), strict=True):
        if not _COMPARED[type(comparison)](left, right):
            return False
        left = right
    return True


def _size(node: ast.expr, exported: Exported, inputs: Mapping[str, torch.Tensor]) -> Any:
    """`L['x'].size()[2]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Call) or node.value.args:
        raise ValueError(ast.dump(node))
    function, axis = node.value.func, node.slice
    if not isinstance(function, ast.Attribute) or function.attr != "size" or not isinstance(axis, ast.Constant):
        raise ValueError(ast.dump(node))
    shape = tuple(inputs[exported.paths[ast.unparse(function.value)]].shape)
    if not isinstance(axis.value, int):
        raise ValueError(ast.dump(node))
    return shape[axis.value]
