"""Pairs a transform with the one that undoes it, `rfft` with `irfft` and `stft` with `istft`, by their sizes.

A transform of n values in halves or frames does not tell n: `irfft` gives an even number, `istft` whole hops. Both take
the size as an argument. A pair is one where the inverse gets as many values as the transform gave, so that a
convolution by padded transforms is none. Where the spectrum is written into zeros (`out[..., :modes] = ...`), no
transform leads to the inverse: the last one before it in the same module that gave so many values is the one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shapelint.facts.analysis import LostTransform
from shapelint.facts.graph import Dimension, Node, ShapeGraph
from shapelint.size.function import Function, as_function

_UNDOES = {
    "istft": ("stft",), "fft_irfft": ("fft_rfft",), "fft_irfft2": ("fft_rfft2", "fft_rfftn"),
    "fft_irfftn": ("fft_rfftn", "fft_rfft2"),
}  # fmt: skip
_FAR, _STEPS = 1 << 24, 1 << 14


@dataclass(frozen=True, slots=True)
class TransformPair:
    """A transform and its inverse: the axis, counted from the end, along which the size is to be `taken` again.

    `given` is what comes back, the same size after each `step` from `rest` on; a `step` of 0 is of one size alone.
    """

    forward: Node
    inverse: Node
    axis: int
    taken: Function
    given: Function
    step: int
    rest: int


def transform_pairs(graph: ShapeGraph) -> Iterator[TransformPair]:
    """The pairs on the way to an output, in the order of the calls that undo."""
    reached = graph.reached()
    for node in graph.nodes:
        undone = _UNDOES.get(node.operation)
        if undone is None or node.index not in reached or not node.inputs or not node.shapes:
            continue
        above = next((each for each in graph.ancestors(node) if each.operation in undone), None)
        before = (each for each in reversed(graph.nodes[: node.index]) if each.module == node.module)
        forward = above or next((each for each in before if each.operation in undone), None)
        pair = None if forward is None or not forward.inputs else _pair(graph, forward, node)
        if pair is not None:
            yield pair


def lost_transform(
    graph: ShapeGraph, targets: Sequence[Function] | None, focus: Mapping[str, int] | None
) -> LostTransform | None:
    """The first pair that takes one of some sizes and gives another one back at the focus, or at some size."""
    for pair in transform_pairs(graph):
        if targets is None or pair.taken in targets:
            names = pair.taken.symbols()
            far = [dict.fromkeys(names, size) for size in (_FAR, _FAR + 1)]
            for at in far if focus is None else (focus,):
                taken, given = pair.taken.value(at), pair.given.value(at)
                if taken != given:
                    return LostTransform(pair.forward, pair.inverse, taken, given, pair.step, pair.rest)
    return None


def _pair(graph: ShapeGraph, forward: Node, inverse: Node) -> TransformPair | None:
    before, spectrum = _dims(graph.nodes[forward.inputs[0]]), _dims(forward)
    filtered, after = _dims(_written(graph, inverse)), _dims(inverse)
    axis = -1 if inverse.operation == "istft" else _halved(before, spectrum)
    if axis is None or len(after) < -axis or len(filtered) < -axis:
        return None
    taken, given, twice = before[axis], after[axis], (spectrum[axis] - as_function(1)).times(2)
    if not _is_same(filtered[axis], spectrum[axis], graph.sizes):
        return None
    if inverse.operation != "istft" and not _is_same(given, twice, graph.sizes):
        return None  # it is told a size
    step = _step(given, taken) if taken.symbols() else None
    return None if step is None else TransformPair(forward, inverse, axis, taken, given, *step)


def _written(graph: ShapeGraph, inverse: Node) -> Node:
    """What an inverse takes, before parts of it were written."""
    node = graph.nodes[inverse.inputs[0]]
    while node.operation == "__setitem__" and node.inputs:
        node = graph.nodes[node.inputs[0]]
    return node


def _is_same(one: Function, other: Function, sizes: Mapping[str, int]) -> bool:
    """Whether two sizes are equal; one that a parameter fixes, where it is the other's on this way."""
    return one == other or (one.constant is not None and one.constant == other.value(sizes))


def _halved(before: tuple[Function, ...], spectrum: tuple[Function, ...]) -> int | None:
    """The axis of which a transform of real values keeps half, counted from the end."""
    if len(before) != len(spectrum):
        return None
    half = (axis for axis in range(-len(before), 0) if spectrum[axis] == before[axis].floor_divide(2).plus(1))
    found = [axis for axis in half if spectrum[axis] != before[axis]]
    return found[0] if len(found) == 1 else None


def _step(given: Function, taken: Function) -> tuple[int, int] | None:
    """After how much of `taken` the same size comes back again, and its rest; None where that is not within reach."""
    names = taken.symbols()
    if given.constant is not None:
        return 0, given.constant
    if len(names) != 1 or given.symbols() != names:
        return None
    (name,) = names
    right: list[int] = []
    for size in range(_FAR, _FAR + _STEPS):
        at: Mapping[str, int] = {name: size}
        if given.value(at) == taken.value(at) and taken.value(at) not in right:
            right.append(taken.value(at))
            if len(right) == 2:
                return right[1] - right[0], right[0] % (right[1] - right[0])
    return None


def _dims(node: Node) -> tuple[Function, ...]:
    dims: tuple[Dimension, ...] = node.shapes[0].dims if node.shapes else ()
    return tuple(map(as_function, dims))
