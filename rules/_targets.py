"""What to write where a loss, or a join of steps, gets two tensors that are the same but for how they are laid out."""

from __future__ import annotations

from math import prod

from shapelint.rule import Diagnosis, Fix, Mismatch, Node, Safety, ShapeGraph, as_function, sized

from ._words import quoted

_OF_CLASSES = ("cross_entropy", "nll_loss")
_OF_PAIRS = (
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
)  # fmt: skip
_PADDED = "_nested_tensor_from_mask_left_aligned"
_REPEATS = ("repeat", "expand", "tile")
_CATS = ("cat", "concat", "concatenate")
_TWO, _MAPS = 2, 4
Shape = tuple[int, ...]


def laid_out_fix(diagnosis: Diagnosis, mismatch: Mismatch) -> Fix | None:
    """The advice for classes on the last axis, for an axis of 1 too many, for a mask with steps first, for what is
    repeated a fixed number of times or along another axis, and for two axes that are swapped; None for any other join.
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
        if len(first) > _TWO and second == first[:1]:
            rows = f"there are scores for each of {sized(first[_TWO:])} positions, and one target for each sample"
            wanted = sized(second + first[_TWO:])
            return f"{rows}: average the scores first, `.flatten(2).mean(2)`, or give targets of {wanted}"
        return "put the classes on axis 1: `.movedim(-1, 1)`" if first[:-1] == second and len(second) > 1 else None
    if node.operation in _OF_PAIRS and len(first) != len(second) and prod(first) == prod(second):
        fewer, more = sorted(shapes, key=len)
        longer = graph.name_of(nodes[shapes.index(more)]) or node.operation
        if more == (*fewer, 1):
            return f"take the last axis, of 1, off what {quoted(longer)} gives: `.squeeze(-1)`"
        return f"give both one shape: `.reshape(y.shape)` makes {sized(more)} of {sized(fewer)}"
    if len(first) != len(second):
        return None
    return _repeated(nodes, shapes) or _spread(graph, node, nodes, shapes) or _swapped(graph, node, nodes, shapes)


def _swapped(graph: ShapeGraph, node: Node, nodes: list[Node], shapes: list[Shape]) -> str | None:
    """The two axes of one tensor with which it fits the other if they are swapped; or the axis of a `cat` of rows of
    features, or of maps of unlike many channels, along which they fit.
    """
    joins = node.operation in _CATS
    unlike = [axis for axis, pair in enumerate(zip(*shapes, strict=True)) if len({*pair}) > 1]
    if joins and len(unlike) == 1 and (len(shapes[0]) == _TWO or (len(shapes[0]) >= _MAPS and unlike == [1])):
        return f"join them along axis {unlike[0]}, the one along which they differ: `dim={unlike[0]}`"
    for own in sorted((0, 1), key=lambda each: prod(shapes[each])):
        made, wanted = shapes[own], shapes[1 - own]
        for axis in (1, 0) if len(made) > _TWO else ():  # not two axes of a map: rows are lost there
            turned = (*made[:axis], made[axis + 1], made[axis], *made[axis + 2 :])
            apart = [each for each, pair in enumerate(zip(turned, wanted, strict=True)) if len({*pair}) > 1]
            fits = apart == [axis] if joins else all(turned[each] == 1 for each in apart)
            if turned != made and fits:
                name = graph.name_of(nodes[own]) or node.operation
                text = f"swap axes {axis} and {axis + 1} of what {quoted(name)} gives, `.transpose({axis}, {axis + 1})`"
                return f"{text}: it is {sized(made)}, and the other is {sized(wanted)}"
    return None


def _spread(graph: ShapeGraph, node: Node, nodes: list[Node], shapes: list[Shape]) -> str | None:
    """The axis along which one vector for a whole map, whatever its size, is to be repeated before a `cat`."""
    for own in (0, 1) if node.operation in _CATS else ():
        made, wanted = shapes[own], shapes[1 - own]
        single = [as_function(dim).constant == 1 for dim in nodes[own].shapes[0].dims]
        spread = [axis for axis in range(_TWO, len(made)) if made[axis] < wanted[axis]]
        if not spread or not all(single[_TWO:]) or len(spread) != len(made) - _TWO or made[0] != wanted[0]:
            continue
        if nodes[own].operation in _REPEATS:
            return f"repeat along axis {spread[0]}, where the other has {wanted[spread[0]]}, and not along axis 1"
        name = graph.name_of(nodes[own]) or nodes[own].operation
        sides = ", ".join(map(str, wanted[_TWO:]))
        return f"repeat what {quoted(name)} gives for each position of the other: `.expand(-1, -1, {sides})`"
    return None


def _repeated(nodes: list[Node], shapes: list[Shape]) -> str | None:
    for own, other in ((0, 1), (1, 0)):
        made, wanted = shapes[own], shapes[other]
        unlike = [axis for axis, pair in enumerate(zip(made, wanted, strict=False)) if len({*pair}) > 1]
        if nodes[own].operation in _REPEATS and len(made) == len(wanted) and len(unlike) == 1 and made[unlike[0]] > 1:
            axis = unlike[0]
            text = f"let `{nodes[own].operation}` give {wanted[axis]} along axis {axis}, as the other has"
            return f"{text}: it gives {made[axis]}"
    return None
