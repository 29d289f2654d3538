"""Slices, gathers and scatters."""

from __future__ import annotations

from typing import Any

import numpy
import torch

from shapelint.saved.onnx.call import Kind, Need, OperatorCall, counted, operator
from shapelint.saved.onnx.needs import of_shape, same
from shapelint.saved.onnx.numbers import Numbers, as_plain
from shapelint.size.number import larger, plain, smaller
from shapelint.size.tracking import symbolic

_FAR = (1 << 31) - 1  # as exporters write what is beyond every end
_REACHED = "indices reach {right} into {left}"
_BEYOND = "an index of {right} and less into {left}"


@operator("Slice")
def _slice(call: OperatorCall) -> Any:
    starts, ends, axes, steps = _bounds(call)
    shape: list[Any] = list(call.shape(0))
    value = call.value(0)
    array = value.array if isinstance(value, Numbers) else None
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = call.axis(axis, len(shape))
        if array is not None:
            part = slice(*_as_python(as_plain(start), as_plain(end), plain(step), array.shape[place]))
            array = array[(slice(None),) * place + (part,)]
        else:
            shape[place] = sliced(shape[place], start, end, plain(step))
    return Numbers(array, call.dtype()) if array is not None else call.made(tuple(shape), name="slice", of=(0,))


def _bounds(call: OperatorCall) -> tuple[list[Any], list[Any], list[int], list[int]]:
    if call.opset < 10:
        first, last = list(call.integers("starts") or ()), list(call.integers("ends") or ())
        places = list(call.integers("axes") or range(len(first)))
        return first, last, places, [1] * len(first)
    first, last = (call.numbers(index, "where it begins and ends").items for index in (1, 2))
    places = call.numbers(3).items if call.has(3) else list(range(len(first)))
    steps = call.numbers(4, "its step").items if call.has(4) else [1] * len(first)
    if any(map(symbolic, steps)) or 0 in map(plain, steps):
        raise call.unsupported("a step of 0, or of a size,")
    return first, last, list(map(plain, places)), steps


def _as_python(start: int, end: int, step: int, n: int) -> tuple[int, int | None, int]:
    """The bounds as Python has them: ONNX's end of a backward slice may lie before the first element."""
    if step > 0:
        return start, end, step
    end = -1 if _is_largest(end) else end + n if end < 0 else end
    return start, (None if end < 0 else end), step


def sliced(n: int, start: Any, end: Any, step: int) -> int:
    """How many elements of n a slice takes; bounds beyond the ends are cut."""
    if step > 0:
        first, last = _inside(start, n, 0, n), _inside(end, n, 0, n)
        return larger(-(-(last - first) // step), 0)
    first = _inside(start, n, 0, n - 1)
    last = -1 if _is_largest(end) else _inside(end, n, -1, n - 1)
    return larger(-(-(first - last) // -step), 0)


def _is_largest(end: Any) -> bool:
    """Whether the end of a backward slice is the largest number of its dtype, which stands for all the way."""
    return not symbolic(end) and plain(end) in (2**31 - 1, 2**63 - 1)


def _inside(bound: Any, n: int, lowest: int, highest: int) -> int:
    """A bound counted from the front, cut to what is there."""
    if not symbolic(bound) and plain(bound) >= _FAR:
        return highest
    if not symbolic(bound) and plain(bound) <= -_FAR:
        return lowest
    counted = bound + n if bound < 0 else bound
    return larger(smaller(counted, highest), lowest)


@operator("Gather")
def _gather(call: OperatorCall) -> Any:
    shape, indices = call.shape(0), call.shape(1)
    axis = call.axis(call.integer("axis", 0), len(shape))
    value, chosen = call.value(0), call.value(1)
    if isinstance(value, Numbers) and isinstance(chosen, Numbers):
        places = numpy.array([_place(each, value.shape[axis]) for each in chosen.items], dtype=numpy.int64)
        found = numpy.take(value.array, places.reshape(chosen.shape), axis)
        return Numbers(numpy.asarray(found, dtype=object), value.dtype)
    needs = within(call.value(1), shape[axis])
    return call.made((*shape[:axis], *indices, *shape[axis + 1 :]), call.dtype(0), needs=needs)


def _needs(n: int, indices: list[Any]) -> tuple[Need, ...]:
    """That known indices lie within n elements, counted from the front or the back."""
    fixed = [plain(each) for each in indices if not symbolic(each)]
    least = max([0, *(each + 1 if each >= 0 else -each for each in fixed)])
    needs = [Need(n, least, Kind.INDEX, _BEYOND)] if fixed else []
    for each in (each for each in indices if symbolic(each)):
        needs += [Need(n, each + 1, Kind.INDEX, _BEYOND), Need(each + n, 0, Kind.INDEX, _BEYOND)]
    return tuple(needs)


def _place(index: Any, n: int) -> int:
    number = int(as_plain(index))
    if not -n <= number < n:
        raise ValueError(f"an index of {number} into {n}")
    return number % n


@operator("GatherElements")
def _gather_elements(call: OperatorCall) -> Any:
    data, indices = call.shape(0), call.shape(1)
    if len(data) != len(indices):
        raise ValueError(f"indices of {len(indices)} axes into {len(data)}")
    axis = call.axis(call.integer("axis", 0), len(data))
    pairs = [pair for place, pair in enumerate(zip(data, indices, strict=True)) if place != axis]
    needs = tuple(Need(size, dim, Kind.INDEX, _REACHED) for size, dim in pairs)
    return call.made(indices, call.dtype(0), needs=(*needs, *within(call.value(1), data[axis])))


def within(indices: torch.Tensor | Numbers, n: int) -> tuple[Need, ...]:
    """That indices lie within n elements, as far as their numbers are known; those of a Range are, such as tokens."""
    if isinstance(indices, Numbers):
        return _needs(n, indices.items)
    count = counted(indices)
    return () if count is None else (Need(n, count, Kind.INDEX, _BEYOND),)


@operator("GatherND")
def _gather_nd(call: OperatorCall) -> Any:
    data, indices, batch = call.shape(0), call.shape(1), call.integer("batch_dims")
    if symbolic(indices[-1]):
        raise call.unsupported("indices of an open length")
    needs = tuple(same(dim, size, "the indices") for dim, size in zip(indices[:batch], data[:batch], strict=False))
    shape = (*indices[:-1], *data[batch + plain(indices[-1]) :])
    return call.made(shape, call.dtype(0), needs=(*needs, *_places(call, data[batch:])))


def _places(call: OperatorCall, data: tuple[int, ...]) -> tuple[Need, ...]:
    """That indices whose last axis names a place lie within the axes of that place, where their numbers are known."""
    value = call.value(1)
    if not isinstance(value, Numbers):
        return ()
    columns = value.array.reshape(-1, value.shape[-1]).T if value.array.size else ()
    return tuple(need for n, column in zip(data, columns, strict=False) for need in _needs(n, list(column)))


@operator("ScatterND")
def _scatter_nd(call: OperatorCall) -> Any:
    data, indices = call.shape(0), call.shape(1)
    if symbolic(indices[-1]):
        raise call.unsupported("indices of an open length")
    needs = of_shape(call, 2, (*indices[:-1], *data[plain(indices[-1]) :]), "updates")
    return call.made(data, call.dtype(0), name="scatter", needs=(*needs, *_places(call, data)))


@operator("ScatterElements", "Scatter")
def _scatter(call: OperatorCall) -> Any:
    data, indices = call.shape(0), call.shape(1)
    axis = call.axis(call.integer("axis", 0), len(data))
    needs = of_shape(call, 2, indices, "updates")
    if len(data) != len(indices):
        raise ValueError(f"indices of {len(indices)} axes into {len(data)}")
    rows = enumerate(zip(data, indices, strict=True))
    reached = tuple(Need(n, dim, Kind.INDEX, _REACHED) for place, (n, dim) in rows if place != axis)
    return call.made(data, call.dtype(0), name="scatter", needs=(*needs, *reached, *within(call.value(1), data[axis])))
