"""A pad ahead of all layers that rounds the size up by hand, to multiples of another number than the layers need."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, lcm

from shapelint.diagnosis.passage import along
from shapelint.edit.multiples import multiples_written
from shapelint.facts.analysis import Analysis
from shapelint.facts.diagnosis import ShortPadding
from shapelint.facts.graph import Node
from shapelint.size.function import Function
from shapelint.source.ownership import installed

_MOST = 4
_LARGEST = 1024


def short_padding(analysis: Analysis, needed: tuple[tuple[int, int], ...]) -> ShortPadding | None:
    """The pad that rounds up to sizes which the layers do not take, where multiples of the total stride would do: those
    that the input is `needed` to be padded to, or those of both numbers.
    """
    diagnosis, question, stride = analysis.diagnosis, analysis.question, set(analysis.intent.stride)
    node = next((each for each in analysis.graph.nodes if _is_first(analysis, each)), None)
    if diagnosis is None or diagnosis.change is not None or node is None or node.place is None or len(stride) != 1:
        return None
    if max(stride) > _LARGEST:  # as in a loop that halves what is large until it is small
        return None
    dims = [along(node, wanted) for wanted in question.target]
    made = tuple(dim.value(diagnosis.focus) for dim in dims if dim is not None)
    pairs = zip(dims, question.target, strict=True)
    found = [_multiple(dim, wanted, diagnosis.focus, max(stride)) for dim, wanted in pairs]
    if len(made) != len(dims) or not any(size % max(stride) for size in made) or None in found:
        return None
    multiple, step = (found[0] or 1) if len(set(found)) == 1 else 1, max(stride)
    if not _would_do(analysis, needed, multiple, step):
        return None
    places = multiples_written(node.place, multiple) if multiple > 1 else ()
    return ShortPadding(made, step, node.place, multiple, places)


def _would_do(analysis: Analysis, needed: tuple[tuple[int, int], ...], multiple: int, step: int) -> bool:
    """Whether a model is right where its input is padded to multiples of a step, or has a multiple of both numbers."""
    if needed:
        return all(each == (step, 0) for each in needed)
    both = dict.fromkeys(analysis.question.symbols, 2 * lcm(multiple, step))
    return analysis.intent.meant and multiple > 1 and both in analysis.wanted


def _is_first(analysis: Analysis, node: Node) -> bool:
    """Whether a call pads by hand, in the user's own code, what no layer has taken."""
    if node.operation != "pad" or "Pad" in node.kind or node.place is None or installed(node.place.file):
        return False
    return not any(each.parameter("kernel_size") for each in analysis.graph.ancestors(node))


def _multiple(dim: Function | None, wanted: Function, focus: Mapping[str, int], step: int) -> int | None:
    """To multiples of what a pad rounds an axis up: 1 for none; None where it always adds rows, or as many.

    Of a size that is a multiple already another way may add none, while this one adds them all.
    """
    names = sorted(wanted.symbols())
    if dim is None or len(names) != 1:
        return None
    sizes = [{**focus, names[0]: focus[names[0]] + more} for more in range(_MOST * step)]
    made = [dim.value(each) for each in sizes]
    added = {size - wanted.value(each) for size, each in zip(made, sizes, strict=True)}
    common = gcd(*made)
    return common if len(added) > 1 and min(added) <= (common > 1) else None
