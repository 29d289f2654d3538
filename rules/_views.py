"""A view that splits one axis of what it takes into parts of another product, or makes one sample of several."""

from __future__ import annotations

import ast
from math import prod

from shapelint.rule import Diagnosis, Failure, Fix, Kind, Node, Safety, as_function, call_at, sized

from ._causes import size_taken
from ._words import counted


def split_axis(diagnosis: Diagnosis, failure: Failure | None) -> tuple[str, Fix, Node] | None:
    """What a view makes of one axis, where that alone is wrong, as `reshape(b, n, 3, heads, d // heads)` does of heads
    that do not divide the features; None for any other view.
    """
    node = diagnosis.node
    if node is None or failure is None or failure.kind is not Kind.RESHAPE or not node.inputs:
        return None
    taken = size_taken(diagnosis, node)
    wanted = tuple(as_function(dim).value(dict(diagnosis.focus)) for dim in failure.shape)
    for axis in range(1, len(taken)):
        behind = len(taken) - axis - 1
        parts = wanted[axis : len(wanted) - behind]
        alike = wanted[:axis] == taken[:axis] and wanted[len(wanted) - behind :] == taken[axis + 1 :]
        if alike and len(parts) > 1 and min(parts) > 0:
            text = f"`{node.operation}` makes {sized(parts)} = {prod(parts)} of the {taken[axis]} along axis {axis}"
            return text, Fix(f"choose {sized(parts)} so that their product is {taken[axis]}", Safety.ADVICE), node
    return None


def one_sample(diagnosis: Diagnosis, failure: Failure | None) -> tuple[str, Fix, Node] | None:
    """What a view makes of several samples that are as many values as one of them has, as `x.view(c, h * w)` does;
    None for any other view.
    """
    node = diagnosis.node
    if node is None or failure is None or failure.kind is not Kind.RESHAPE or not node.inputs:
        return None
    taken = size_taken(diagnosis, node)
    made = tuple(as_function(dim).value(dict(diagnosis.focus)) for dim in failure.shape)
    first = [diagnosis.graph.nodes[index].shapes for index in diagnosis.graph.inputs[:1]]
    samples = first[0][0].value(dict(diagnosis.focus))[:1] if first and first[0] else ()
    if len(taken) < 2 or taken[0] < 2 or taken[:1] != samples:
        return None
    if min(made, default=0) < 1 or prod(made) != prod(taken[1:]):
        return None
    call, owner, written = call_at(node.place), "x", list(map(str, made))
    if call is not None and isinstance(call.func, ast.Attribute) and len(call.args) == len(made):
        owner = call.func.value.id if isinstance(call.func.value, ast.Name) else owner
        written = [ast.unparse(each) for each in call.args]
    numbers = ", ".join(written[1:] if made[0] == 1 else written)
    text = f"`{node.operation}` makes {sized(made)}, one sample, of {counted(taken[0], 'sample')} of {sized(taken[1:])}"
    advice = f"keep the samples apart: `{owner}.{node.operation}({owner}.shape[0], {numbers})`"
    return text, Fix(advice, Safety.ADVICE), node
