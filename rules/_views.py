"""A view that splits one axis of what it takes into parts of another product."""

from __future__ import annotations

from math import prod

from shapelint.rule import Diagnosis, Failure, Fix, Kind, Node, Safety, as_function, sized

from ._causes import size_taken


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
