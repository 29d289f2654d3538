"""The regions of a contract as plain data that JSON can hold, and back: what a lock file and other programs read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from shapelint.facts.failure import Failure, Kind
from shapelint.facts.graph import Dimension, TensorShape
from shapelint.facts.region import How, Region, RegionOutcome
from shapelint.size.expression import parse_function
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span


def region_data(region: Region) -> dict[str, Any]:
    """A region: its sizes in words and exactly (`set`, in isl's notation), and what happens there."""
    outcome = region.outcome
    return {
        "sizes": str(region.sizes),
        "set": region.sizes.isl_text,
        "ok": outcome.ok,
        "outputs": [[_dim(dim) for dim in shape.dims] for shape in outcome.outputs],
        "error": outcome.error,
        "failure": None if outcome.failure is None else _failure(outcome.failure),
        "module": outcome.module,
        "place": None if outcome.place is None else _place(outcome.place),
        "how": str(region.how),
        "why": region.why,
    }


def read_region(data: Mapping[str, Any], symbols: tuple[str, ...]) -> Region:
    """The region that was written. Raises any error for data of another form."""
    failure = None if data["failure"] is None else _read_failure(*data["failure"])
    place = None if data["place"] is None else Span(*data["place"])
    outputs = tuple(TensorShape(tuple(map(_read_dim, shape))) for shape in data["outputs"])
    outcome = RegionOutcome(data["ok"], outputs, failure, data["module"], place)
    return Region(SizeSet.read(symbols, data["set"]), outcome, How(data["how"]), data["why"])


def _failure(failure: Failure) -> list[Any]:
    shape = [_dim(dim) for dim in failure.shape]
    return [str(failure.kind), failure.text, _dim(failure.left), _dim(failure.right), failure.axis, shape]


def _read_failure(
    kind: str, text: str, left: int | str, right: int | str, axis: int | None, shape: list[int | str]
) -> Failure:
    return Failure(Kind(kind), text, _read_dim(left), _read_dim(right), axis, tuple(map(_read_dim, shape)))


def _dim(dim: Dimension) -> int | str:
    if isinstance(dim, int):
        return int(dim)
    return str(dim) if dim.constant is None else dim.constant


def _read_dim(dim: int | str) -> Dimension:
    return dim if isinstance(dim, int) else parse_function(dim)


def _place(span: Span) -> list[int | str]:
    """The place, its file from the current folder where it lies below it: a lock is the same on each machine."""
    file = span.file
    with suppress(ValueError):  # another drive of Windows
        near = os.path.relpath(file)
        file = file if near.startswith("..") else Path(near).as_posix()
    return [file, span.line, span.column, span.end_line, span.end_column]
