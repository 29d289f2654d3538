"""Pairs a transform with the one that undoes it, `rfft` with `irfft` and `stft` with `istft`, by their sizes.

A transform of n values in halves or frames does not tell n: `irfft` gives an even number, `istft` whole hops. Both take
the size as an argument. A pair is one where the inverse gets as many values as the transform gave, so that a
convolution by padded transforms is none.
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

    `given` is what comes back, the same size after each `step` from `rest` on.
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
        forward = next((each for each in graph.ancestors(node) if each.operation in undone), None)
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
    filtered, after = _dims(graph.nodes[inverse.inputs[0]]), _dims(inverse)
    axis = -1 if inverse.operation == "istft" else _halved(before, spectrum)
    if axis is None or len(after) < -axis or len(filtered) < -axis or filtered[axis] != spectrum[axis]:
        return None
    taken, given = before[axis], after[axis]
    if inverse.operation != "istft" and given != (spectrum[axis] - as_function(1)).times(2):
        return None  # it is told a size
    step = _step(given, taken) if taken.symbols() else None
    return None if step is None else TransformPair(forward, inverse, axis, taken, given, *step)


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
