"""What to write where a loss, or a join of steps, gets two tensors that are the same but for how they are laid out."""

from __future__ import annotations

from math import prod

from shapelint.rule import Diagnosis, Fix, Mismatch, Node, Safety, ShapeGraph, sized

from ._words import quoted

_OF_CLASSES = ("cross_entropy", "nll_loss")
_OF_PAIRS = (
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
)  # fmt: skip
_PADDED = "_nested_tensor_from_mask_left_aligned"
_REPEATS = ("repeat", "expand", "tile")
_TWO = 2
Shape = tuple[int, ...]


def laid_out_fix(diagnosis: Diagnosis, mismatch: Mismatch) -> Fix | None:
    """The advice for classes on the last axis, for an axis of 1 too many, for a mask with steps first, and for what is
    repeated a fixed number of times; None for any other join.
    """
    graph, node = diagnosis.graph, mismatch.node
    nodes = [graph.nodes[index] for index in dict.fromkeys(node.inputs) if graph.nodes[index].shapes]
    if len(nodes) != _TWO:
        return None
    text = _advice(graph, node, nodes, [each.shapes[0].value(dict(graph.sizes)) for each in nodes])
    return None if text is None else Fix(text, Safety.ADVICE)


def _advice(graph: ShapeGraph, node: Node, nodes: list[Node], shapes: list[Shape]) -> str | None:
    first, second = shapes
    if node.operation == _PADDED and set(map(len, shapes)) == {2, 3}:
        fewer, more = sorted(shapes, key=len)
        turned = fewer[::-1] == more[:2] != fewer
        return f"put `.T` behind the mask of paddings: it is for {sized(more[:2])}, samples first" if turned else None
    if node.operation in _OF_CLASSES:
        if len(first) > 1 and first[1] > 1 and second == (first[0], 1, *first[2:]):
            return "take axis 1, of 1, off the target: `.squeeze(1)`"
        return "put the classes on axis 1: `.movedim(-1, 1)`" if first[:-1] == second and len(second) > 1 else None
    if node.operation in _OF_PAIRS and len(first) != len(second) and prod(first) == prod(second):
        fewer, more = sorted(shapes, key=len)
        longer = graph.name_of(nodes[shapes.index(more)]) or node.operation
        if more == (*fewer, 1):
            return f"take the last axis, of 1, off what {quoted(longer)} gives: `.squeeze(-1)`"
        return f"give both one shape: `.reshape(y.shape)` makes {sized(more)} of {sized(fewer)}"
    return _repeated(nodes, shapes)


def _repeated(nodes: list[Node], shapes: list[Shape]) -> str | None:
    for own, other in ((0, 1), (1, 0)):
        made, wanted = shapes[own], shapes[other]
        unlike = [axis for axis, pair in enumerate(zip(made, wanted, strict=False)) if len({*pair}) > 1]
        if nodes[own].operation in _REPEATS and len(made) == len(wanted) and len(unlike) == 1 and made[unlike[0]] > 1:
            axis = unlike[0]
            text = f"let `{nodes[own].operation}` give {wanted[axis]} along axis {axis}, as the other has"
            return f"{text}: it gives {made[axis]}"
    return None
