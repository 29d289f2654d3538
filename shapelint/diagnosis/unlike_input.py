"""How a map that a model gives back differs from its input, where nothing tells that it is not meant to.

A model may take rows off on purpose, as valid convolutions do: what is true of every size is said, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from shapelint.diagnosis.intent import output_axes
from shapelint.diagnosis.scale import slope_of
from shapelint.facts.analysis import Analysis
from shapelint.facts.contract import Region
from shapelint.facts.graph import size_at
from shapelint.size.function import Function, as_function
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.words import sized

_MOST_STEPS, _MOST_REGIONS = 400_000, 16
_NAMES = ("D", "H", "W", "L")


def with_size_remark(analysis: Analysis, sizes: Mapping[str, int]) -> Analysis:
    """The analysis, with a line such as "H and W come back 16 smaller: 128 gives 112" on a map that is at no size a
    whole part or multiple of the input; `sizes` is the example. Without one where a size is meant, something is wrong,
    or it is not proved.
    """
    remark = _remark(analysis, sizes)
    return replace(analysis, remarks=(*analysis.remarks, remark)) if remark else analysis


def _remark(analysis: Analysis, sizes: Mapping[str, int]) -> str:
    regions, question = [each for each in analysis.contract.regions if each.outcome.ok], analysis.question
    wrong = analysis.diagnosis is not None or analysis.samples is not None or sizes not in analysis.contract.runs
    if wrong or analysis.intent.meant or not analysis.contract.proved or len(regions) > _MOST_REGIONS:
        return ""
    places = {output_axes(each.outcome.outputs, question) for each in regions}
    place = places.pop() if len(places) == 1 else None
    if place is None or any(len(each.outcome.outputs[place[0]].dims) != len(question.led.dims) for each in regions):
        return ""
    taken = size_at(question.target, sizes)
    if max(taken, default=1) == 1:  # a vector, and no map
        return ""
    told: dict[str, list[str]] = {}
    for axis, wanted in zip(place[1], question.target, strict=True):
        dims = [as_function(each.outcome.outputs[place[0]].dims[axis]) for each in regions]
        told.setdefault(_along(regions, dims, wanted, sizes), []).append(_name(wanted, axis))
    changed = [(names, text) for text, names in told.items() if text]
    words = " and ".join(f"{' and '.join(names)} come{'s' * (len(names) == 1)} back {text}" for names, text in changed)
    shape = analysis.contract.outcome(**sizes).outputs[place[0]]
    return f"{words}: {_example(taken, [shape[axis] for axis in place[1]])}" if words else ""


def _name(wanted: Function, axis: int) -> str:
    return str(wanted) if str(wanted) in _NAMES else f"axis {axis}"


def _example(taken: Sequence[int], given: Sequence[int]) -> str:
    alike = len(set(taken)) == len(set(given)) == 1
    return f"{taken[0]} gives {given[0]}" if alike else f"{sized(taken)} gives {sized(given)}"


def _along(regions: Sequence[Region], dims: Sequence[Function], wanted: Function, sizes: Mapping[str, int]) -> str:
    """How the size along an axis comes back, in words; "" where it is a whole part or multiple at some size."""
    scale = _scale(dims, wanted)
    if scale is None:
        return ""
    rests = [dim.times(scale.denominator) - wanted.times(scale.numerator) for dim in dims]
    whole = 1 in (scale.numerator, scale.denominator)
    if whole and any(not rest.value(sizes) for rest, each in zip(rests, regions, strict=True) if sizes in each.sizes):
        return ""
    with suppress(SolverError, Undecidable), limited(_MOST_STEPS):
        ends = [
            (each.sizes.least(rest), each.sizes.least(rest.times(-1)))
            for rest, each in zip(rests, regions, strict=True)
        ]
        known = [(low, -high) for low, high in ends if low is not None and high is not None]
        if len(known) == len(ends):
            return _in_words(scale, min(low for low, _ in known), max(high for _, high in known))
    return ""


def _scale(dims: Sequence[Function], wanted: Function) -> Fraction | None:
    """How much faster than the input a dimension of all regions grows; None where that differs, or it does not grow."""
    names = wanted.symbols()
    if len(names) != 1 or any(dim.symbols() != names for dim in dims):
        return None
    slopes = {slope_of(dim, tuple(names)) / slope_of(wanted, tuple(names)) for dim in dims}
    return slopes.pop() if len(slopes) == 1 and 0 not in slopes else None


def _in_words(scale: Fraction, low: int, high: int) -> str:
    """The words for a size that is `scale` times the input's, and of which `scale.denominator` times the rest lies
    between `low` and `high`.
    """
    if 1 in (scale.numerator, scale.denominator) and low <= 0 <= high:
        return ""
    least, most = sorted((abs(low), abs(high)))
    if scale == 1:
        return f"{_range(least, most)} {'larger' if low > 0 else 'smaller'}"
    parts = scale.denominator
    part = f"{scale.numerator} times" if parts == 1 else f"{scale} of"
    if parts == 1:
        rest = f"and {_range(least, most)} more" if low > 0 else f"less {_range(least, most)}"
        return f"as {part} the size {rest}"
    constant = Fraction(low, parts) if low == high else Fraction(high // parts)
    if low != high and (high - low >= parts or -(-low // parts) > high // parts):
        return f"as about {part} the size"
    rest = "" if not constant else f" and {constant} more" if constant > 0 else f" less {-constant}"
    return f"as {part} the size{rest}"


def _range(least: int, most: int) -> str:
    return f"{least} to {most}" if most > least else str(least)
