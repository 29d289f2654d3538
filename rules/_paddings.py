"""Pads that round up to other multiples than the layers take, or are one for several kernels; crops of too little."""

from __future__ import annotations

from shapelint.rule import (
    Analysis,
    Edit,
    Finding,
    Fix,
    Mismatch,
    Node,
    OddMiss,
    Safety,
    Severity,
    ShapeGraph,
    ShortPadding,
    sized,
)

from ._words import nearest_note, quoted, said_note


def short_finding(analysis: Analysis, short: ShortPadding, code: str, name: str) -> Finding:
    """What the pad makes of the size, and the number to write, which is tried before it is more than advice."""
    focus = {} if analysis.diagnosis is None else dict(analysis.diagnosis.focus)
    up = f"`pad` rounds up to multiples of {short.multiple}" if short.multiple > 1 else None
    notes = (up, nearest_note(analysis, focus), said_note(analysis))
    edits = tuple(Edit(place, str(short.step)) for place in short.written)
    text = f": write {short.step} instead of {short.multiple}" if edits else ""
    return Finding(
        code=code,
        name=name,
        severity=Severity.ERROR,
        message=f"`pad` makes it {sized(short.made)}, where the layers need multiples of {short.step}",
        notes=tuple(note for note in notes if note),
        module=None,
        location=short.written[0] if short.written else short.place,
        fix=Fix(f"pad to multiples of {short.step}{text}", Safety.ADVICE, edits=edits),
    )


def enlarged_fix(analysis: Analysis, odd: OddMiss) -> Fix:
    """What to do about a crop of what is shorter than what is needed: a map of another level, where one is larger."""
    level = None if analysis.diagnosis is None else _larger_level(analysis.diagnosis.graph, odd)
    if level is not None:
        return Fix(f"crop a map of a larger level, such as the {level}", Safety.ADVICE)
    text = "`F.pad(y, (d // 2, d - d // 2))` with `d = max(skip.shape[-1] - y.shape[-1], 0)` for each such axis"
    return Fix(f"pad what is cropped where it is shorter: {text}", Safety.ADVICE)


def _larger_level(graph: ShapeGraph, odd: OddMiss) -> str | None:
    """The last map of an encoder that is as large as the crop is to be, in words; None where a few rows are missing."""
    rank = len(odd.target)
    if not any(4 * have <= 3 * need for have, need in zip(odd.before, odd.target, strict=True)):
        return None
    for node in reversed(graph.nodes):
        size = node.shapes[0].value(dict(graph.sizes))[-rank:] if node.shapes else ()
        large = len(size) == rank and all(a >= b for a, b in zip(size, odd.target, strict=True))
        if node.built is None or not node.spatial or not large:
            continue
        if not any(max(each.factor, default=1) > 1 for each in graph.ancestors(node)):
            return f"{sized(size)} of {quoted(node.module)}"
    return None


def kernels_fix(graph: ShapeGraph, mismatch: Mismatch) -> Fix | None:
    """What to do about branches that one text builds with unlike kernels and one padding; None for other maps."""
    branches = [_layer(graph, graph.nodes[index]) for index in dict.fromkeys(mismatch.node.inputs)]
    layers = [each for each in branches if each is not None and each.built is not None and set(each.factor) == {1}]
    places, paddings = {each.built for each in layers}, {each.parameter("padding") for each in layers}
    if len(layers) < max(2, len(branches)) or len(places) > 1 or len(paddings) > 1:
        return None
    odd = next((each for each in layers if not _is_half_padded(each)), None)
    kernel, padding = (None, None) if odd is None else (odd.parameter("kernel_size"), odd.parameter("padding"))
    if odd is None or not kernel or not padding or len({each.parameter("kernel_size") for each in layers}) == 1:
        return None
    given = f"{quoted(odd.module)} has a kernel of {sized(kernel)} and `padding={padding[0]}`"
    even = any(rows % 2 == 0 for each in layers for rows in each.parameter("kernel_size") or ())
    half = '`padding="same"`' if even else "`padding=kernel_size // 2`"
    return Fix(f"pad each branch by half of its kernel, {half}: {given}", Safety.ADVICE)


def _layer(graph: ShapeGraph, node: Node) -> Node | None:
    """The layer that gives a join one of its maps, through calls that keep their size."""
    while not node.parameter("kernel_size") and len(node.inputs) == 1:
        node = graph.nodes[node.inputs[0]]
    return node if node.parameter("kernel_size") else None


def _is_half_padded(node: Node) -> bool:
    numbers = (node.parameter(name) or () for name in ("kernel_size", "padding", "dilation"))
    return all(2 * p == d * (k - 1) for k, p, d in zip(*numbers, strict=False))
