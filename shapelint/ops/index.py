"""Indexing with `[]`, read and written, and the functions that take an index tensor.

https://docs.pytorch.org/docs/stable/tensor_view.html and https://numpy.org/doc/stable/user/basics.indexing.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch

from shapelint.ops.bounds import Bounds
from shapelint.ops.elementwise import fits, forget_values
from shapelint.ops.index_origin import follows_from_data, follows_from_sizes, is_of_an_input
from shapelint.ops.index_range import bounds_of
from shapelint.ops.maps import is_map
from shapelint.ops.masks import is_mask, kept_count, mask_rank, places_of
from shapelint.ops.packed import batch_of
from shapelint.ops.slices import check_index, sliced
from shapelint.ops.view import ones
from shapelint.size.condition import Condition, all_of, any_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic, tracker
from shapelint.trace.fitting.fallback import Ready
from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


@dataclass(slots=True)
class _Indexed:
    """The result so far of one index expression: its sizes, and where the index tensors stand among them."""

    sizes: list[int] = field(default_factory=list)
    layout: list[Condition] = field(default_factory=list)
    tensors: list[Shape] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    checks: list[tuple[int, int, int]] = field(default_factory=list)


@size_rule(Tensor.__getitem__)
def _getitem(op: Operation, input: Tensor, index: Any) -> Result:
    if type(index) is int and index == 0 and (batch := batch_of(op, input)) is not None:
        op.values = ((batch,),)
        return Ready(((),), torch.tensor(plain(batch)))
    shape, parts = op.shape(input), tuple(_scalar(op, part) for part in _parts(index))
    found = _indexed(op, shape, parts)
    op.layout = (*ones(shape), *found.layout)
    result = _result(op, found)
    _note_strides(op, input, shape, parts)
    if any(_holds_number(part) or is_mask(part) for part in _parts(index)):
        places = tuple(each for part in parts for each in _as_places(op, part))
        return Ready((result,), op.recorder.kernel(op.function, (input, places), {}))
    return Kernel((result,))


def _as_places(op: Operation, part: Any) -> tuple[Any, ...]:
    """A part of an index as torch's kernels for meta take it, a mask as the places that it keeps."""
    return places_of(op, part, kept_count(op, part)) if is_mask(part) else (part,)


def _note_strides(op: Operation, input: Tensor, shape: Shape, parts: tuple[Any, ...]) -> None:
    """Every second row of a map, `x[..., ::2, ::2]`, is a down-sampling as that of a layer is."""
    strided = any(isinstance(part, slice) and part.step not in (None, 1) for part in parts)
    plain_parts = all(part is Ellipsis or isinstance(part, slice) for part in parts)
    if not (strided and plain_parts and 3 <= len(shape) <= 5):
        return
    taken = [part for part in parts if part is not Ellipsis]
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    every = [slice(None)] * (len(shape) - len(taken))
    steps = [1 if part.step is None else plain(part.step) for part in (*taken[:at], *every, *taken[at:])]
    if steps[:2] == [1, 1] and min(steps) > 0 and is_map(op, input):
        op.resamples(len(shape) - 2, (Fraction(1, step) for step in steps[2:]))


def _holds_number(part: Any) -> bool:
    bounds = (part.start, part.stop, part.step) if isinstance(part, slice) else (part,)
    return any(isinstance(each, Tensor) and not each.dim() for each in bounds)


def _scalar(op: Operation, part: Any) -> Any:
    """A tensor without dimensions stands for its number; where that is unknown, any number gives the same shape.

    As a bound of a slice it must be known.
    """
    if isinstance(part, slice) and _holds_number(part):
        return slice(*(_bound(op, each) for each in (part.start, part.stop, part.step)))
    if not isinstance(part, Tensor) or part.dim() or part.dtype in (torch.bool, torch.uint8):
        return part
    known = op.recorder.known.get(id(part)) or op.recorder.adopt(part)
    if known.values is None:
        op.recorder.leak("an index tensor whose values are not known", unseen=True)
        return 0
    return known.values[0]


def _bound(op: Operation, bound: Any) -> Any:
    if not isinstance(bound, Tensor) or bound.numel() != 1 or bound.dtype.is_floating_point:
        return bound
    known = op.recorder.known.get(id(bound))
    return bound if known is None or known.values is None else known.values[0]


@size_rule(Tensor.__setitem__)
def _setitem(op: Operation, input: Tensor, index: Any, value: Any) -> Result:
    """The value must broadcast to what the index takes out; further axes of size 1 in front are dropped."""
    target = _result(op, _indexed(op, op.shape(input), tuple(_scalar(op, part) for part in _parts(index))))
    if isinstance(value, Tensor):
        given = op.shape(value)
        while given and len(given) > len(target) and op.decide(equal(function_of(given[0]), constant(1))):
            given = given[1:]
        fits(op, given, target, "shape mismatch: a value of size {left} cannot be assigned to a part of size {right}")
    forget_values(op, input)
    op.writes = input
    return Ready(()) if any(map(is_mask, _parts(index))) else Kernel(())


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _consumed(op: Operation, part: Any) -> int:
    """How many axes one part of an index takes."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    return mask_rank(op, part) if is_mask(part) else 1


def _indexed(op: Operation, shape: Shape, parts: tuple[Any, ...]) -> _Indexed:
    taken = sum(_consumed(op, part) for part in parts)
    if taken > len(shape):
        op.refuse(Kind.INDEX, f"too many indices for tensor of dimension {len(shape)}")
    if sum(part is Ellipsis for part in parts) > 1:
        raise NoRule
    if not any(part is Ellipsis for part in parts):
        parts = (*parts, Ellipsis)
    found, axis = _Indexed(), 0
    for part in parts:
        if part is Ellipsis:
            found.sizes += shape[axis : axis + len(shape) - taken]
            axis += len(shape) - taken
        elif part is None:
            found.sizes.append(1)
        elif isinstance(part, bool):
            raise NoRule
        elif is_mask(part):
            _keep(op, found, part, shape[axis : axis + _consumed(op, part)], axis)
            axis += _consumed(op, part)
        else:
            _take(op, found, part, shape[axis], axis)
            axis += 1
    return found


def _keep(op: Operation, found: _Indexed, mask: Any, taken: Shape, axis: int) -> None:
    """A mask, which has the size of each axis that it takes, and stands for as many rows of indices."""
    own = op.shape(mask) if isinstance(mask, Tensor) else (len(mask),)
    for place, (size, count) in enumerate(zip(taken, own, strict=True)):
        text = f"The shape of the mask [{{right}}] at index {place} does not match that of the indexed tensor at index"
        op.require_equal(size, count, Kind.INDEX, f"{text} {axis + place}")
    for _ in own:
        _place(found, (kept_count(op, mask),))


def _take(op: Operation, found: _Indexed, part: Any, size: int, axis: int) -> None:
    """One part of an index, applied to an axis of the given size."""
    if isinstance(part, slice):
        length, step = sliced(op, size, part)
        found.sizes.append(length)
        found.layout += (equal(function_of(length * step), function_of(size)), *ones((length,)))
    elif isinstance(part, int):
        check_index(op, size, part, axis)
    elif isinstance(part, Tensor):
        _check_some(op, size, op.shape(part))
        found.checks += [(size, value, axis) for value in tensor_values(op, part, size)]
        _place(found, op.shape(part))
    elif isinstance(part, list) and part and all(type(each) is int for each in part):
        _check_some(op, size, (len(part),))
        found.checks += [(size, each, axis) for each in part]
        _place(found, (len(part),))
    elif hasattr(part, "__index__") and not hasattr(part, "shape"):
        check_index(op, size, part.__index__(), axis)
    else:
        raise NoRule


def _check_some(op: Operation, size: int, index: Shape) -> None:
    """An axis without elements takes no index, even where the result has none either."""
    none = [equal(function_of(dim), constant(0)) for dim in index]
    some = any_of([at_least(function_of(size), constant(1)), *none])
    op.require(some, Kind.INDEX, "index is out of bounds for dimension with size {left}", between=(size, 1))


def indexed_shape(op: Operation, shape: Shape, parts: tuple[Any, ...]) -> Shape:
    """The shape of what an index takes out; raises where it does not fit."""
    return _result(op, _indexed(op, shape, parts))


def _place(found: _Indexed, shape: Shape) -> None:
    found.tensors.append(shape)
    found.places.append(len(found.sizes))
    found.sizes.append(-1)


def _result(op: Operation, found: _Indexed) -> Shape:
    """Index tensors broadcast together; they stand where the first stood if they were side by side, else in front."""
    if not found.tensors:
        return tuple(found.sizes)
    common = op.broadcast(*found.tensors)
    others = [size for place, size in enumerate(found.sizes) if place not in found.places]
    empty = [equal(function_of(size), constant(0)) for size in (*common, *others)]
    for check in found.checks:
        check_index(op, *check, unless=empty)
    first, last = found.places[0], found.places[-1]
    if last - first + 1 > len(found.places):
        return (*common, *others)
    return (*others[:first], *common, *others[first:])


def check_tensor(op: Operation, index: Tensor, size: int) -> None:
    """The numbers of an index tensor must lie within the size, and none may count from the end."""
    empty = [equal(function_of(dim), constant(0)) for dim in op.shape(index)]
    for value in tensor_values(op, index, size, negative=False):
        check_index(op, size, value, 0, empty, negative=False)


def tensor_values(op: Operation, index: Tensor, size: int, *, negative: bool = True) -> tuple[int, ...]:
    """The least and greatest numbers of an index tensor that is not empty; where they are unknown and sizes decide,
    nothing is proved.

    Indices that an input of the model holds are taken to be right, and those that no size has a part in. Numbers may
    count from the end if `negative`.

    Raises Unanalysable where a value cannot be told.
    """
    if index.dtype in (torch.bool, torch.uint8):
        raise Unanalysable("a boolean mask as an index: how many elements it keeps depends on values")
    shape = op.shape(index)
    known = op.recorder.known[id(index)]
    if known.values is not None:
        return known.values
    bounds = bounds_of(op, index)
    if bounds is not None and (bounds.attained or _is_within(op, bounds, size, negative=negative)):
        return (bounds.low, bounds.high) if bounds.attained else ()
    fixed = tracker() is not None and not any(map(symbolic, (size, *shape)))
    if fixed and (known.node < 0 or follows_from_data(op, index)):
        return ()
    if not is_of_an_input(op, index):
        op.recorder.leak("an index tensor whose values are not known", unseen=not follows_from_sizes(op, index))
    return ()


def _is_within(op: Operation, bounds: Bounds, size: int, *, negative: bool) -> bool:
    """Whether the bounds themselves are right indices, so that all numbers between them are."""
    first = function_of(-size if negative else 0)
    low, high = function_of(bounds.low), function_of(bounds.high)
    return op.decide(all_of([at_least(low, first), at_least(function_of(size), high.plus(1))]))


@size_rule(Tensor.index_select, torch.index_select)
def _index_select(op: Operation, input: Tensor, dim: int, index: Tensor) -> Result:
    shape, chosen = op.shape(input), op.shape(index)
    axis = dimension(op, dim, len(shape))
    if len(chosen) > 1:
        op.refuse(Kind.ARGUMENT, "index_select(): Index is supposed to be a vector")
    if not shape:
        raise NoRule
    _check_some(op, shape[axis], chosen)
    check_tensor(op, index, shape[axis])
    return Kernel(((*shape[:axis], chosen[0] if chosen else 1, *shape[axis + 1 :]),))


@size_rule(Tensor.gather, torch.gather)
def _gather(op: Operation, input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Result:
    shape, chosen = op.shape(input), op.shape(index)
    axis = dimension(op, dim, len(shape))
    if op.decide(any_of(equal(function_of(count), constant(0)) for count in chosen)):
        return Kernel((chosen,))
    shape, lined = shape or (1,), chosen or (1,)
    if len(shape) != len(lined):
        op.refuse(Kind.ARGUMENT, "Index tensor must have the same number of dimensions as input tensor")
    for place, (size, count) in enumerate(zip(shape, lined, strict=True)):
        if place != axis:
            text = f"Size does not match at dimension {place}: index {{right}}, input {{left}}"
            op.require_at_least(size, count, Kind.INDEX, text)
    check_tensor(op, index, shape[axis])
    return Kernel((chosen,))


@size_rule(torch.unique, Tensor.unique, torch.unique_consecutive)
def counted(op: Operation, *args: Any, **kwargs: Any) -> Result:
    """A call whose result has as many elements as its numbers say; raises Unanalysable."""
    raise Unanalysable(f"`{op.name}`: how many elements it gives depends on values")
