"""How the sizes go down and up on the way through a model, read from its layers and from the sizes' functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from math import gcd

from shapelint.caches import kept
from shapelint.diagnosis.layer_groups import step_of
from shapelint.diagnosis.pairs import spatial_size
from shapelint.diagnosis.passage import along
from shapelint.facts.graph import Node, ShapeGraph, TensorShape
from shapelint.request.question import Question
from shapelint.size.function import Function, as_function
from shapelint.size.sets import SizeSet

_FAR = 1 << 40
_LARGE = 64
_PATCH = 7
_FINEST = 1 << 14


@kept(4096)
def slope_of(function: Function, symbols: tuple[str, ...]) -> Fraction:
    """How fast a function grows with all its symbols, in the long run."""
    near, far = (function.value(dict.fromkeys(symbols, size)) for size in (_FAR, 3 * _FAR))
    return Fraction(far - near, 2 * _FAR).limit_denominator(_FINEST)


def before_crops(graph: ShapeGraph, output: int, given: TensorShape) -> TensorShape:
    """The shape of an output ahead of crops that end the model: they do not tell what is meant.

    What keeps less than half takes something out, and crops nothing.
    """
    index = graph.outputs[output] if output < len(graph.outputs) else -1
    while index >= 0 and graph.nodes[index].operation in ("__getitem__", "narrow"):
        taken = graph.nodes[index].inputs
        shapes = graph.nodes[taken[0]].shapes if taken else ()
        if not shapes or not _is_crop(shapes[0].value(graph.sizes), given.value(graph.sizes)):
            break
        index, given = taken[0], shapes[0]
    return given


def _is_crop(before: Sequence[int], after: Sequence[int]) -> bool:
    return len(before) == len(after) and all(one < 2 * two for one, two in zip(before, after, strict=True))


def goes_down_and_up(graph: ShapeGraph, region: SizeSet, question: Question) -> bool:
    """Whether some way from an input to an output shrinks and later grows; at the smallest sizes nothing may shrink.

    Read from the spatial calls, and from the size functions of all calls: a view can shuffle pixels, a slice with a
    step go down.
    """
    if _down_then_up(graph, graph.sizes) or _falls_and_rises(graph, question):
        return True
    larger = region.at_least(dict.fromkeys(region.symbols, _LARGE)).sample()
    return larger is not None and _down_then_up(graph, larger)


def _falls_and_rises(graph: ShapeGraph, question: Question) -> bool:
    """Whether on some way to an output the size along an axis grows slower than the input's, and then faster again."""
    return any(_rises(graph, wanted, question) for wanted in question.target if len(wanted.symbols()) == 1)


def _rises(graph: ShapeGraph, wanted: Function, question: Question) -> bool:
    least: dict[int, Fraction] = {}
    slopes: dict[int, Fraction] = {}
    risen: set[int] = set()
    whole = slope_of(wanted, question.symbols)
    for index in sorted(graph.reached()):
        node = graph.nodes[index]
        known = [each for each in node.inputs if each in slopes]
        size = along(node, wanted)
        if size is None or size.constant is not None:
            slope = min((slopes[each] for each in known), default=None)
        else:
            slope = slope_of(size, question.symbols)
        if slope is None:
            continue
        slopes[index] = slope
        lowest = min((least[each] for each in known), default=slope)
        least[index] = min(lowest, slope)
        rises = slope > lowest < whole
        if (any(each in risen for each in known) or rises) and _follows(node, wanted):
            risen.add(index)
    return any(index in risen for index in graph.outputs)


def _follows(node: Node, wanted: Function) -> bool:
    """Whether what a call gives has an axis that follows the input's; a layer of features that takes all ends it."""
    dims = node.shapes[0].dims if node.shapes else ()
    return any(as_function(dim).symbols() & wanted.symbols() for dim in dims)


def _down_then_up(graph: ShapeGraph, sizes: Mapping[str, int]) -> bool:
    state: dict[int, int] = {}
    for index in sorted(graph.reached()):
        node = graph.nodes[index]
        before = max((state.get(each, 0) for each in node.inputs), default=0)
        state[index] = max(before, _turn(graph, index, before, sizes))
    return any(state.get(index, 0) == 2 for index in graph.outputs)


def _turn(graph: ShapeGraph, index: int, before: int, sizes: Mapping[str, int]) -> int:
    """1 after a call that shrinks, 2 after one that grows what shrank; not by the row of an even kernel's padding."""
    node = graph.nodes[index]
    if not node.spatial or not node.inputs or not node.shapes:
        return before
    inside, outside = (spatial_size(graph, node, sizes, out=out) for out in (False, True))
    if len(inside) != len(outside):
        return before
    if any(a < b for a, b in zip(outside, inside, strict=True)):
        return max(before, 1)
    grows = any(a > b for a, b in zip(outside, inside, strict=True)) and not _is_half_of_even(node)
    return 2 if before and grows else before


def _is_half_of_even(node: Node) -> bool:
    """Whether a call of stride 1 is padded by half of a kernel, which is even on some axis and adds a row there."""
    kernel, padding = node.parameter("kernel_size") or (), node.parameter("padding") or ()
    dense = "transpose" not in node.operation and {*node.factor, *(node.parameter("dilation") or (1,))} == {1}
    return dense and bool(kernel) and all(p == k // 2 for k, p in zip(kernel, padding, strict=False))


def is_shrinking_chain(graph: ShapeGraph) -> bool:
    """Whether no calls on the way to an output join what two of them gave, and some layer shrinks."""
    nodes = [graph.nodes[index] for index in graph.reached()]
    single = all(len(set(node.inputs)) <= 1 for node in nodes)
    return single and any("pool" in node.operation or min(node.factor, default=1) < 1 for node in nodes)


def regrown(graph: ShapeGraph, wanted: Function) -> int:
    """Half of the rows that layers of stride 1 take off an axis, in a chain of such where as many transposed ones put
    rows on again: its second half undoes the first one. 0 for any other model.
    """
    nodes = [graph.nodes[index] for index in sorted(graph.reached())]
    layers = [node for node in nodes if node.spatial]
    if any(factor != 1 for node in layers for factor in node.factor) or any(len(set(n.inputs)) > 1 for n in nodes):
        return 0
    sizes = [size for size in (along(node, wanted) for node in layers) if size is not None]
    growing = sum(node.operation.startswith("conv_transpose") for node in layers)
    if 2 * growing != len(layers) or not sizes or len(sizes) != len(layers):
        return 0
    return (wanted.value(graph.sizes) - min(size.value(graph.sizes) for size in sizes)) // 2


def odd_slope(graph: ShapeGraph, output: int, slopes: Sequence[Fraction]) -> Fraction | None:
    """The slope of an axis that is no whole number and no whole part, where the layers alone make it; None without one.

    Heads at half the size, and twice it, are meant so; two thirds are not, but where several equal steps down are
    followed by as many equal steps up, as a change of the sampling rate is built. Where sizes are joined along the
    axis, as those of a pyramid are, the layers make another one; a stem that cuts patches leaves a map of its own.
    """
    if _changes_the_rate(graph, len(slopes)) or any(map(_cuts_patches, graph.nodes)):
        return None
    made = _scales(graph, len(slopes)).get(graph.outputs[output], ())
    odd = [slope for slope in slopes if slope.numerator > 1 and slope.denominator > 1]
    return odd[0] if odd and tuple(made) == tuple(slopes) and all(each == 1 or each in odd for each in slopes) else None


def _cuts_patches(node: Node) -> bool:
    """Whether a convolution cuts its input into patches, as the stem of a transformer does."""
    kernel, stride = node.parameter("kernel_size") or (), node.parameter("stride") or ()
    patches = node.operation.startswith("conv") and max(node.factor, default=1) < 1
    return patches and kernel == stride and min(stride) >= _PATCH


def _changes_the_rate(graph: ShapeGraph, rank: int) -> bool:
    """Whether several steps down, all by one number, are followed by as many steps up, all by another one."""
    reached = graph.reached()
    scaling = [node for node in graph.nodes if node.index in reached and any(each != 1 for each in node.factor)]
    downs = [node.factor[-rank:] for node in scaling if max(node.factor) <= 1]
    ups = [node.factor[-rank:] for node in scaling[len(downs) :] if min(node.factor) >= 1]
    steps = {tuple(map(step_of, each)) for each in (*downs, *ups)}
    alike = len(set(downs)) == len(set(ups)) == 1 and len(steps) > 1
    return alike and len(downs) == len(ups) > 1 and len(downs) + len(ups) == len(scaling)


def totals(graph: ShapeGraph, output: int, rank: int) -> tuple[tuple[int, int], ...]:
    """By what the layers on the way to an output divide the size along each axis, and by what they multiply it."""
    scales, found = _scales(graph, rank), [(Fraction(1), Fraction(1))] * rank
    index = graph.outputs[output]
    while index >= 0:
        node = graph.nodes[index]
        if len(node.factor) >= rank > 0:
            pairs = zip(found, node.factor[-rank:], strict=True)
            found = [(down / factor, up) if 0 < factor < 1 else (down, up * factor) for (down, up), factor in pairs]
        known = _telling(graph, node, scales)
        index = min(known, key=lambda each: (reduce(Fraction.__mul__, scales[each], Fraction(1)), each), default=-1)
    return tuple((int(down), int(up)) for down, up in found)


def uneven_factor(graph: ShapeGraph, output: int, rank: int) -> Node | None:
    """The layer whose factor is at fault where the layers on the way to an output go down and up by different totals:
    one whose factor has nothing in common with any other, else the one whose factor fewest have, and of such the one
    that is not 2; None where the totals are no such ones.
    """
    made = _scales(graph, rank).get(graph.outputs[output], ()) if output < len(graph.outputs) else ()
    if not any(scale.numerator > 1 and scale.denominator > 1 for scale in made):
        return None
    above = graph.reached()
    nodes = [node for node in graph.nodes if node.index in above and any(factor != 1 for factor in node.factor)]
    factors = Counter(step for node in nodes for step in _steps(node, rank))
    rarity = {
        node.index: [(_is_common(step, factors), factors[step], step == 2) for step in _steps(node, rank)]
        for node in nodes
    }
    return min(nodes, key=lambda node: min(rarity[node.index]), default=None)


def _steps(node: Node, rank: int) -> list[Fraction]:
    """By how much a layer divides or multiplies each axis."""
    return [step_of(factor) for factor in node.factor[-rank:]]


def _is_common(step: Fraction, steps: Mapping[Fraction, int]) -> bool:
    """Whether a step is 1, or shares a divisor with another one; the steps are counted per axis."""
    others = [each for each in steps if each not in (1, step)]
    return step == 1 or any(gcd(step.numerator, each.numerator) > 1 for each in others) or not others


def _scales(graph: ShapeGraph, rank: int) -> dict[int, tuple[Fraction, ...]]:
    """By what the layers on its way multiply the size of what each call gives; at joins, the smallest."""
    scale: dict[int, tuple[Fraction, ...]] = {}
    for node in graph.nodes:
        known = [scale[index] for index in _telling(graph, node, scale)]
        here = min(known, key=lambda each: reduce(Fraction.__mul__, each, Fraction(1)), default=(Fraction(1),) * rank)
        if len(node.factor) >= rank > 0:
            here = tuple(one * two for one, two in zip(here, node.factor[-rank:], strict=True))
        scale[node.index] = here
    return scale


def _telling(graph: ShapeGraph, node: Node, known: Mapping[int, object]) -> list[int]:
    """The inputs of a call that tell by what the size was multiplied; what was resized to a size has the factor of this
    run, and tells it only where nothing else does.
    """
    before = [index for index in node.inputs if index in known]
    before = [index for index in before if not _is_fixed(graph.nodes[index])] or before
    return [index for index in before if not graph.nodes[index].parameter("size")] or before


def _is_fixed(node: Node) -> bool:
    """Whether what a call gives is of one size whatever comes in, but for the samples: the one value of a gate."""
    dims = node.shapes[0].dims if node.shapes else ()
    return not any(as_function(dim).symbols() for dim in dims[1:])


def total_stride(graph: ShapeGraph, rank: int) -> tuple[int, ...]:
    """By how much the deepest call has shrunk each axis of the input: the product of the strides on its way. In a run
    with numbers alone one that gives a single row may have it whatever comes in.
    """
    deepest = (Fraction(1),) * rank
    numbers = all(_is_fixed(node) for node in graph.nodes)
    for index, here in _scales(graph, rank).items():
        node = graph.nodes[index]
        rows = node.shapes[0].dims[-rank:] if node.shapes else ()
        if set(rows) - {1} if numbers else not _is_fixed(node):
            deepest = tuple(map(min, deepest, here))
    return tuple(max(1, round(1 / each)) if each else 1 for each in deepest)
