"""Finds resizes whose factor is rounded otherwise in float32, in which onnxruntime multiplies, than in float64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import floor
from struct import pack, unpack

from shapelint.diagnosis.reach import dims_of
from shapelint.facts.analysis import Analysis
from shapelint.facts.portability import Rounding
from shapelint.size.condition import any_of, equal
from shapelint.size.function import constant
from shapelint.size.sets import SizeSet
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import span_of
from shapelint.trace.recording.record import Record

_LARGEST = 2048
_NAMED = 48


def roundings(explored: Exploration, analysis: Analysis) -> tuple[Rounding, ...]:
    """Each such resize once, with the first sizes at which it is rounded otherwise."""
    found: dict[object, Rounding] = {}
    for region in analysis.contract.regions:
        records = explored.runs[region.run].records if region.outcome.ok else []
        for index, record in enumerate(records):
            for each in _in_call(record, records, region.sizes & analysis.asked):
                found.setdefault(each.place or index, each)
    return tuple(found.values())


def _in_call(record: Record, records: Sequence[Record], sizes: SizeSet) -> Iterator[Rounding]:
    scales = _scales(record)
    before = dims_of(records[record.inputs[0]])[-len(scales) :] if scales and record.inputs else ()
    for scale, dim in zip(scales, before, strict=False):
        taken = [n for n in otherwise(scale) if dim.constant in (None, n)][:_NAMED]
        wrong = sizes & SizeSet.where(sizes.symbols, any_of(equal(dim, constant(n)) for n in taken)) if taken else None
        at = None if wrong is None else wrong.sample()
        if wrong is not None and at is not None:
            n = dim.value(at)
            reached = tuple(m for m in taken if sizes & SizeSet.where(sizes.symbols, equal(dim, constant(m))))
            place = None if record.place is None else span_of(record.place)
            yield Rounding(
                record.module, record.name, place, scale, reached, floor(n * scale), in_float32(n, scale), at, wrong
            )


def _scales(record: Record) -> tuple[float, ...]:
    """The factors of a resize per axis, as far as they are no whole numbers; an adaptive pool has none."""
    given = (*record.arguments, *[None] * 4)
    size, scale, mode = (
        record.keywords.get(name, given[place]) for place, name in ((1, "size"), (2, "scale_factor"), (3, "mode"))
    )
    if record.name != "interpolate" or size is not None or scale is None or mode == "area":
        return ()
    scales = scale if isinstance(scale, (tuple, list)) else (scale,) * record.spatial
    return tuple(float(each) for each in scales)


@lru_cache(maxsize=256)
def otherwise(scale: float) -> tuple[int, ...]:
    """The sizes up to 2048 whose product with the factor is rounded down otherwise in float32."""
    return tuple(n for n in range(1, _LARGEST + 1) if floor(n * scale) != in_float32(n, scale))


def in_float32(size: int, scale: float) -> int:
    """The product as onnxruntime has it: factor, size and product in float32."""
    return floor(_single(_single(scale) * _single(size)))


def _single(number: float) -> float:
    return float(unpack("f", pack("f", number))[0])
