"""What to write where a pad puts the same on both sides of a window of even size."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from shapelint.rule import Edit, EvenWindow, Fix, OddMiss, Safety, call_at, sized, span_of

from ._words import quoted


def window_note(window: EvenWindow) -> str:
    """What the layer takes off, and how that is to be padded."""
    layer, kernel = quoted(window.layer), sized(window.kernel)
    return f"{layer} has an even kernel, {kernel}: it needs `k // 2` on one side and `(k - 1) // 2` on the other"


def window_fix(odd: OddMiss, window: EvenWindow) -> Fix:
    """One row more at the end; its edits are tried before anybody is told that they are more than advice."""
    place = odd.place if window.tail is None else window.tail
    call = call_at(place)
    changes = [] if call is None else list(_padded(call, window) if window.tail is None else _repeated(call, window))
    if call is None or not changes:
        return Fix(f"let {quoted(window.call)} add one row more on one side", Safety.ADVICE)
    text = ast.unparse(copy.deepcopy(call, {id(old): new for old, new in changes}))
    edits = tuple(Edit(span_of(place.file, old), ast.unparse(new)) for old, new in changes)
    return Fix(f"write `{text}`", Safety.ADVICE, edits=edits)


def _padded(call: ast.Call, window: EvenWindow) -> Iterator[tuple[ast.expr, ast.expr]]:
    """For a call of `pad` whose amounts stand in it: the second of the pair of each axis, and one more."""
    named = next((word.value for word in call.keywords if word.arg == "pad"), None)
    amounts = named or (call.args[1] if len(call.args) > 1 else None)
    if not isinstance(amounts, ast.List | ast.Tuple) or any(isinstance(each, ast.Starred) for each in amounts.elts):
        return
    for axis in window.axes:
        if len(amounts.elts) >= -2 * axis:
            second = amounts.elts[-2 * axis - 1]
            yield second, _one_more(second)


def _repeated(call: ast.Call, window: EvenWindow) -> Iterator[tuple[ast.expr, ast.expr]]:
    """For `y.repeat(1, n, 1)` or `y.expand(-1, n, -1)`: the number of rows, and one more."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("repeat", "expand") or call.keywords:
        return
    listed = call.args[0] if len(call.args) == 1 else None
    items = listed.elts if isinstance(listed, ast.List | ast.Tuple) else call.args
    if len(items) == window.rank and not any(isinstance(each, ast.Starred) for each in items):
        rows = items[window.axes[0]]
        yield rows, _one_more(rows)


def _one_more(rows: ast.expr) -> ast.expr:
    """`k // 2` of `(k - 1) // 2`, which is as much for an odd k; else one more."""
    if isinstance(rows, ast.Constant) and type(rows.value) is int:
        return ast.Constant(rows.value + 1)
    if isinstance(rows, ast.BinOp) and isinstance(rows.op, ast.FloorDiv) and ast.unparse(rows.right) == "2":
        whole = rows.left
        if isinstance(whole, ast.BinOp) and isinstance(whole.op, ast.Sub) and ast.unparse(whole.right) == "1":
            return ast.BinOp(whole.left, ast.FloorDiv(), ast.Constant(2))
    return ast.BinOp(rows, ast.Add(), ast.Constant(1))
