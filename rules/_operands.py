"""What a join gets where no map of it is to be resized: tensors of unlike axes, rows of features, rows taken off."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from math import prod

from shapelint.rule import (
    Diagnosis,
    Failure,
    Fix,
    Kind,
    Mismatch,
    Node,
    Safety,
    ShapeGraph,
    as_function,
    call_at,
    sized,
)

from ._words import flatten_of, quoted

_CATS, _VIEWS = ("cat", "concat", "concatenate"), ("view", "reshape")
_INPUT, _CROPS = "input", ("__getitem__", "narrow")
_VECTOR, _AHEAD = 2, ("samples", "channels")
Shape = tuple[int, ...]


def whole_shapes(diagnosis: Diagnosis, mismatch: Mismatch) -> str | None:
    """The shapes of two tensors of unlike many axes, or of rows of features, with what made each; None for maps."""
    parts = _parts(diagnosis, mismatch)
    rows = len(parts) == _VECTOR and len(parts[0][1]) == _VECTOR
    if len(parts) != _VECTOR or not (rows or is_apart(diagnosis, mismatch)):
        return None
    (one, fewer), (two, more) = sorted(parts, key=lambda each: (len(each[1]), each[1]))
    return f"{sized(fewer)} from {quoted(one)} with {sized(more)} from {quoted(two)}"


def joined_fix(diagnosis: Diagnosis, mismatch: Mismatch) -> Fix | None:
    """What to do about a join that gets no two maps of which one is to be resized; None for such maps."""
    parts = _parts(diagnosis, mismatch)
    if len(parts) != _VECTOR:
        return None
    joins = mismatch.node.operation in _CATS
    if _are_unlike(parts):
        (name, fewer), (_, more) = sorted(parts, key=lambda each: len(each[1]))
        return Fix(_with_axes(name, fewer, more, joins=joins), Safety.ADVICE)
    (one, left), (two, right) = parts
    if len(left) == _VECTOR and left[0] == right[0] and not joins:
        given = [f"{quoted(name)} give {rows}" for name, rows in ((one, right[1]), (two, left[1])) if name != _INPUT]
        return Fix(f"let {', or '.join(given)}", Safety.ADVICE) if given else None
    axis = _other_axis(diagnosis, mismatch, parts)
    if axis is not None:
        counts = " and ".join(f"{quoted(name)} gives {shape[axis]}" for name, shape in parts)
        return Fix(f"give both as many {_AHEAD[axis]}: {counts}", Safety.ADVICE)
    graph = diagnosis.graph
    by_hand = evened_by_hand(graph, mismatch) or _unchomped(graph, mismatch)
    return by_hand or miscropped(graph, mismatch) or _cropped(graph, mismatch)


def is_apart(diagnosis: Diagnosis, mismatch: Mismatch) -> bool:
    """Whether the first join gets two tensors of unlike many axes, or of unlike many samples or channels: no resize of
    either would do.
    """
    parts = _parts(diagnosis, mismatch)
    return len(parts) == _VECTOR and (_are_unlike(parts) or _other_axis(diagnosis, mismatch, parts) is not None)


def _other_axis(diagnosis: Diagnosis, mismatch: Mismatch, parts: Sequence[tuple[str, Shape]]) -> int | None:
    """The axis ahead of the rows at which two tensors do not fit, where their rows do; None for any others."""
    unlike, sides = _unlike(diagnosis, diagnosis.region.outcome.failure), [shape for _, shape in parts]
    axes = [axis for axis, pair in enumerate(zip(*sides, strict=True)) if {*pair} == unlike and len({*pair}) > 1]
    ahead = all(axis < min(_VECTOR, len(sides[0]) - len(mismatch.sizes[0])) for axis in axes)
    return axes[0] if axes and ahead and len(sides[0]) > _VECTOR else None


def is_cut_short(diagnosis: Diagnosis, mismatch: Mismatch) -> bool:
    """Whether a crop ahead of a join takes nothing off, since it gets less than it is to keep: not to be stretched."""
    graph = diagnosis.graph
    nodes = [graph.nodes[index] for index in mismatch.node.inputs]
    crops = [node for node in nodes if node.operation in _CROPS and _shape(graph, node)]
    return any(_shape(graph, node) == _shape(graph, _fed(graph, node)) for node in crops)


def miscropped(graph: ShapeGraph, mismatch: Mismatch) -> Fix | None:
    """What a crop is to keep that leaves less than the other tensor has, of what has as much."""
    nodes = _joined(graph, mismatch)
    for node, other in (nodes, nodes[::-1]) if len(nodes) == _VECTOR else ():
        whole, kept, wanted = (_shape(graph, each) for each in (_fed(graph, node), node, other))
        if node.operation not in _CROPS or not len(whole) == len(kept) == len(wanted):
            continue
        triples = zip(whole, kept, wanted, strict=True)
        if kept != wanted and all(k == w or (k < w <= n) for n, k, w in triples):
            rank = len(mismatch.sizes[0])
            text = f"let the crop keep {sized(wanted[-rank:])} of the {sized(whole[-rank:])} that it takes"
            return Fix(f"{text}: it keeps {sized(kept[-rank:])}", Safety.ADVICE)
    return None


def cut_rows(diagnosis: Diagnosis, failure: Failure | None) -> Node | None:
    """The view ahead of a join that raises which makes other rows than samples: `x.view(-1, 90)`; None where the two
    numbers that do not fit are no such rows and the samples.
    """
    node, graph = diagnosis.node, diagnosis.graph
    unlike = _unlike(diagnosis, failure)
    for each in sorted(graph.ancestors(node), key=lambda each: each.index) if node is not None and unlike else ():
        made, taken = _shape(graph, each), _shape(graph, graph.nodes[each.inputs[0]]) if each.inputs else ()
        cuts = each.operation in _VIEWS and len(made) == _VECTOR < len(taken) and made[0] != taken[0]
        if cuts and unlike == {made[0], taken[0]} and prod(made) == prod(taken):
            return each
    return None


def cut_text(diagnosis: Diagnosis, view: Node) -> tuple[str, Fix]:
    """What such a view does, and what to write."""
    made, taken = (_shape(diagnosis.graph, each) for each in (view, diagnosis.graph.nodes[view.inputs[0]]))
    text = f"{flatten_of(view.place)}, and build the layer after it for {prod(taken[1:])} features"
    return f"`{view.operation}` makes {made[0]} rows of {taken[0]} samples", Fix(text, Safety.ADVICE)


def expanded_fix(diagnosis: Diagnosis, failure: Failure | None) -> Fix | None:
    """What to do about one row for all samples, such as a class token, that is joined with a batch of them."""
    node, graph = diagnosis.node, diagnosis.graph
    if node is None or node.operation not in _CATS:
        return None
    shapes = [_shape(graph, graph.nodes[index]) for index in node.inputs]
    batches = {shape[0] for shape in shapes if shape}
    if len(batches) != 1 or _unlike(diagnosis, failure) != {1, *batches}:
        return None
    rest = ", -1" * (len(shapes[0]) - 1)
    return Fix(f"give each sample the rows that are one for all: `.expand(x.shape[0]{rest})`", Safety.ADVICE)


def axes_fix(diagnosis: Diagnosis) -> Fix | None:
    """What to do about a `cat` that raises of two tensors of unlike many axes, such as a context of each sample that is
    to stand beside each step; None for others.
    """
    node, graph = diagnosis.node, diagnosis.graph
    if node is None or node.operation not in _CATS:
        return None
    given = [graph.nodes[index] for index in dict.fromkeys(node.inputs)]
    parts = [(_named(graph, each), _shape(graph, each)) for each in given if each.shapes]
    if len(parts) != _VECTOR or not _are_unlike(parts):
        return None
    (name, fewer), (other, more) = sorted(parts, key=lambda each: len(each[1]))
    own = min(given, key=lambda each: len(_shape(graph, each))).operation
    return Fix(_with_axes(own if name == other else name, fewer, more, joins=True), Safety.ADVICE)


def latent_fix(diagnosis: Diagnosis) -> Fix | None:
    """What to write in the place of a view that raises, which makes maps of rows of features: a square map of as many
    channels, or as many features in the layer ahead of it; None for others.
    """
    node, graph = diagnosis.node, diagnosis.graph
    call = call_at(node.place) if node is not None and node.operation in _VIEWS and node.inputs else None
    if node is None or call is None or not isinstance(call.func, ast.Attribute):
        return None
    taken, written = _shape(graph, graph.nodes[node.inputs[0]]), [ast.unparse(each) for each in call.args]
    if len(taken) != _VECTOR or len(written) < _VECTOR + 2 or not all(each.isdigit() for each in written[1:]):
        return None
    channels, *sides = map(int, written[1:])
    side = round((taken[1] / max(channels, 1)) ** (1 / len(sides)))
    if channels * side ** len(sides) != taken[1] or len({*sides}) > 1:
        return None
    made = ", ".join([written[0], written[1], *[str(side)] * len(sides)])
    source = _named(graph, graph.nodes[node.inputs[0]])
    text = f"write `{call.func.attr}({made})`, or let {quoted(source)} give {channels * prod(sides)} features"
    return Fix(text, Safety.ADVICE)


def _unlike(diagnosis: Diagnosis, failure: Failure | None) -> set[int]:
    """The two numbers that do not fit at a join; empty for another failure."""
    if failure is None or failure.kind is not Kind.JOIN:
        return set()
    return {as_function(each).value(dict(diagnosis.focus)) for each in (failure.left, failure.right)}


def _with_axes(name: str, fewer: Shape, more: Shape, *, joins: bool) -> str:
    """The axes of one tensor that the other one lacks, where it has the samples and the channels, or these alone."""
    alike = fewer[:1] == more[:1] if joins else fewer == more[: len(fewer)]
    rows = len(fewer) == _VECTOR and fewer == (more[0], more[-1]) and (fewer[1] != more[1] or joins)
    if rows or (alike and len(fewer) == _VECTOR):
        between = more[1:-1] if rows else more[_VECTOR:]
        ahead, behind = (["-1"], ["-1"]) if rows else (["-1", "-1"], [])
        axes = f"[{', '.join([':'] * len(ahead) + ['None'] * len(between))}]"
        spread = f".expand({', '.join([*ahead, *map(str, between), *behind])})" if joins and max(between) > 1 else ""
        return f"give what {quoted(name)} gives the axes of the other: `{axes}{spread}`"
    if not joins and len(fewer) > _VECTOR and all(one in (1, two) for one, two in zip(fewer, more, strict=False)):
        missing = ", None" * (len(more) - len(fewer))
        return f"give what {quoted(name)} gives the axes of the other: `[...{missing}]` behind its own"
    return f"give both as many axes: {len(fewer)} in what {quoted(name)} gives, {len(more)} in the other"


def evened_by_hand(graph: ShapeGraph, mismatch: Mismatch) -> Fix | None:
    """The rows of a pad ahead of a layer, or of a crop behind it, as in causal convolutions, with which it keeps its
    length: those that the layer takes off, or adds.
    """
    for node in _joined(graph, mismatch):
        while len(node.inputs) == 1 and not node.spatial and node.operation not in _CROPS:
            node = _fed(graph, node)
        crop = node if node.operation in _CROPS else None
        layer = _fed(graph, node) if crop is not None else node
        fed = _fed(graph, layer)
        pad = fed if fed.operation == "pad" and "Pad" not in fed.kind else None
        if not layer.parameter("kernel_size") or set(layer.factor) != {1} or (crop is None) == (pad is None):
            continue
        before = _fed(graph, fed) if pad is not None else fed
        shapes = [_shape(graph, each) for each in (before, fed, layer, node)]
        if not all(shapes):
            continue
        lengths = [shape[-1] for shape in shapes]
        taken, cut = lengths[1] - lengths[2], lengths[2] - lengths[3]
        if pad is not None and taken > 0 and lengths[3] != lengths[0]:
            text = f"pad by {taken} in all ahead of {quoted(layer.module)}, which takes {taken} rows off: it gets"
            return Fix(f"{text} {lengths[1] - lengths[0]}", Safety.ADVICE)
        if crop is not None and taken < 0 and lengths[3] != lengths[0]:
            ahead = ", as many as its `padding`" if layer.parameter("padding") == (-taken,) else ""
            text = f"cut {-taken} rows off behind {quoted(layer.module)}{ahead}: it gives {-taken} more than it takes"
            return Fix(f"{text}, and the crop takes {cut}", Safety.ADVICE)
    return None


def _unchomped(graph: ShapeGraph, mismatch: Mismatch) -> Fix | None:
    """The crop that a causal convolution lacks: it is padded on both sides by all that it takes off."""
    nodes = _joined(graph, mismatch)
    for node, other in (nodes, nodes[::-1]) if len(nodes) == _VECTOR else ():
        given = _shape(graph, node)[-1:]
        while len(node.inputs) == 1 and not node.spatial and _shape(graph, _fed(graph, node))[-1:] == given:
            node = _fed(graph, node)
        numbers = [node.parameter(name) or () for name in ("kernel_size", "padding", "dilation")]
        if [len(each) for each in numbers] != [1, 1, 1] or set(node.factor) != {1}:
            continue
        (kernel,), (padding,), (dilation,) = numbers
        if padding == dilation * (kernel - 1) == given[0] - _shape(graph, other)[-1] > 0:
            rows = "row" if padding == 1 else f"{padding} rows"
            text = f"cut the last {rows} off behind {quoted(node.module or node.operation)}, as behind a causal layer"
            return Fix(f"{text}: `y[..., :x.shape[-1]]`", Safety.ADVICE)
    return None


def _joined(graph: ShapeGraph, mismatch: Mismatch) -> list[Node]:
    """What a join gets, each once."""
    return [graph.nodes[index] for index in dict.fromkeys(mismatch.node.inputs)]


def _fed(graph: ShapeGraph, node: Node) -> Node:
    """What a call takes; itself where it takes nothing that is known."""
    return graph.nodes[node.inputs[0]] if node.inputs else node


def _cropped(graph: ShapeGraph, mismatch: Mismatch) -> Fix | None:
    """A crop of what is a few rows longer on its last axis, where layers without padding took these off the other."""
    nodes = _joined(graph, mismatch)
    if len(nodes) != _VECTOR or not all(_shape(graph, each) for each in nodes):
        return None
    small, large = sorted(nodes, key=lambda each: _shape(graph, each)[-1])
    less, more = _shape(graph, small), _shape(graph, large)
    above = {each.index for each in graph.ancestors(large)}
    own = [each for each in graph.ancestors(small) if each.index not in above and each.parameter("kernel_size")]
    taking = [each for each in own if max(each.parameter("kernel_size") or (1,)) > 1]
    valid = bool(taking) and all(not any(each.parameter("padding") or (1,)) for each in taking)
    steps = any(set(each.factor) != {1} for each in own)
    if mismatch.up is not None or not valid or less[:-1] != more[:-1] or steps:
        return None
    text = f"crop what {quoted(_named(graph, large))} gives to the last rows of the other: `skip[..., -y.shape[-1]:]`"
    return Fix(f"{text}, or pad ahead of {quoted(taking[-1].module or taking[-1].operation)}", Safety.ADVICE)


def _parts(diagnosis: Diagnosis, mismatch: Mismatch) -> list[tuple[str, Shape]]:
    """What made each of the two tensors that the first join gets, and its shape."""
    graph = diagnosis.graph
    if diagnosis.node is None or mismatch.node.index != diagnosis.node.index:
        return []
    nodes = _joined(graph, mismatch)
    return [(_named(graph, node), _shape(graph, node)) for node in nodes if node.shapes]


def _are_unlike(parts: Sequence[tuple[str, Shape]]) -> bool:
    return len({len(shape) for _, shape in parts}) > 1


def _shape(graph: ShapeGraph, node: Node) -> Shape:
    return node.shapes[0].value(dict(graph.sizes)) if node.shapes else ()


def _named(graph: ShapeGraph, node: Node) -> str:
    """The last layer on the way to a tensor, else what came in."""
    while node.built is None and node.inputs:
        node = graph.nodes[node.inputs[0]]
    return node.module or node.source or node.operation
