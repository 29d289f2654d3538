"""New tensors: `zeros`, `arange`, `linspace`, `meshgrid` and their kind.

Whatever device is asked for, they are made on meta, a short constant `arange` apart: the tensors of a model are all
on one device, and no memory is taken. To the model that device is the CPU, which every function accepts.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch

from shapelint.ops.index_drawn import drawn_limits
from shapelint.ops.view import listed
from shapelint.size.condition import equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic
from shapelint.trace.fitting.fallback import Ready
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Plain, Result, SizeRule, size_rule

Tensor = torch.Tensor
_LIKE = torch.empty(0, device="meta")
_MOST = 64
_FINEST = 1 << 16


@size_rule(Tensor.device.__get__)
def _device(op: Operation, tensor: Tensor) -> Plain:
    return Plain(torch.device("cpu"))


@size_rule(Tensor.is_meta.__get__, Tensor.is_cpu.__get__)  # type: ignore[attr-defined]
def _is_cpu(op: Operation, tensor: Tensor) -> Plain:
    return Plain(op.function == Tensor.is_cpu.__get__)  # type: ignore[attr-defined]


def shape_asked(op: Operation, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes that are given one by one or as a list, of which none is negative."""
    found = listed(sizes)
    for size in found:
        op.require_at_least(size, 0, Kind.ARGUMENT, "Trying to create tensor with negative dimension {left}")
    return found


def _made(op: Operation, *sizes: Any, size: Any = None, dtype: Any = None, out: Any = None, memory_format: Any = None,
          **options: Any) -> Result:  # fmt: skip
    """zeros, ones, empty, rand, randn: sizes one by one or as a list."""
    if out is not None or memory_format not in (None, torch.contiguous_format):
        raise NoRule
    return Fresh(shape_asked(op, sizes if size is None else (size,)), _LIKE, dtype or torch.get_default_dtype())


@size_rule(torch.full)
def _full(op: Operation, size: Any, fill_value: Any, *, dtype: Any = None, out: Any = None, **options: Any) -> Result:
    if out is not None:
        raise NoRule
    kind = dtype or _kind(fill_value)
    _check_fits(op, fill_value, kind)
    return Fresh(shape_asked(op, (size,)), _LIKE, kind)


def _check_fits(op: Operation, value: Any, dtype: torch.dtype) -> None:
    """A number that an integer dtype cannot hold is refused; an unsigned one takes a negative for one from its end."""
    if isinstance(value, int) and not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool):
        limits, text = torch.iinfo(dtype), f"value cannot be converted to type {str(dtype)[6:]}_t without overflow"
        op.require_at_least(limits.max, value, Kind.ARGUMENT, text)
        op.require_at_least(value, limits.min or -limits.max, Kind.ARGUMENT, text)


def _kind(value: Any) -> torch.dtype:
    if isinstance(value, Tensor):
        return value.dtype
    if isinstance(value, bool):
        return torch.bool
    return torch.int64 if isinstance(value, int) else torch.get_default_dtype()


def _randint(op: Operation, *args: Any, size: Any = None, dtype: Any = None, **options: Any) -> Result:
    shape = size if size is not None else args[-1]
    limits = drawn_limits(args, options)
    if not isinstance(shape, (tuple, list)) or limits is None:
        raise NoRule
    text = "random_ expects 'from' to be less than 'to', but got from={right} >= to={left}"
    op.require_at_least(limits[1], limits[0] + 1, Kind.ARGUMENT, text)
    return Fresh(shape_asked(op, (shape,)), _LIKE, dtype or torch.int64)


def _randperm(op: Operation, n: int, *, dtype: Any = None, **options: Any) -> Result:
    return Fresh(shape_asked(op, (n,)), _LIKE, dtype or torch.int64)


def _new(op: Operation, input: Tensor, *sizes: Any, size: Any = None, dtype: Any = None, **options: Any) -> Result:
    """x.new_zeros(...) and the like; new_full has the value last."""
    if op.name == "new_full":
        sizes = sizes[:1]
    return Fresh(shape_asked(op, sizes if size is None else (size,)), _LIKE, dtype or input.dtype)


@size_rule(torch.eye)
def _eye(op: Operation, n: int, m: Any = None, *, dtype: Any = None, **options: Any) -> Result:
    return Fresh(shape_asked(op, (n, n if m is None else m)), _LIKE, dtype or torch.get_default_dtype())


@size_rule(torch.linspace, torch.logspace)
def _linspace(op: Operation, start: Any, end: Any, steps: int, *rest: Any, dtype: Any = None, **options: Any) -> Result:
    if isinstance(start, Tensor) or isinstance(end, Tensor):
        raise NoRule
    op.require_at_least(steps, 0, Kind.ARGUMENT, "number of steps must be non-negative")
    return Fresh((steps,), _LIKE, dtype or torch.get_default_dtype())


def progression(op: Operation, start: Any, end: Any, step: Any) -> int:
    """How many numbers there are from `start` to before `end`, of which doubles hold the ends exactly."""
    if symbolic(step) or not all(map(_is_exact, (start, end, step))):
        return _plain_progression(op, start, end, step)
    if step == 0:
        op.refuse(Kind.ARGUMENT, "step must be nonzero")
    span = end - start if step > 0 else start - end
    whole = math.floor(span) if isinstance(span, float) else span
    op.require_at_least(whole, 0, Kind.ARGUMENT, "upper bound and lower bound inconsistent with step sign")
    most: int = math.ceil(span / abs(step) if isinstance(step, float) else span)
    return most if isinstance(step, float) else -(-most // abs(plain(step)))


def _is_exact(number: Any) -> bool:
    """Whether a number is a size, a quotient of one, or has so few digits that sums with those are exact too."""
    plain_float = type(number) is float and abs(number) < _FINEST and (number * _FINEST).is_integer()
    return plain_float or (isinstance(number, (int, Ratio)) and not isinstance(number, bool))


def _plain_progression(op: Operation, start: Any, end: Any, step: Any) -> int:
    if any(symbolic(each) or isinstance(each, Ratio) for each in (start, end, step)):
        raise NoRule
    return int(torch.arange(start, end, step, device="meta").shape[0])


@size_rule(torch.arange)
def _arange(op: Operation, *args: Any, dtype: Any = None, out: Any = None, **options: Any) -> Result:
    named = [options.get(name) for name in ("start", "end", "step")]
    if out is not None or any(isinstance(each, Tensor) for each in (*args, *named)):
        raise NoRule
    start, end, step = _bounds(args, named)
    if dtype is None:
        whole = all(isinstance(each, int) for each in (start, end, step))
        dtype = torch.int64 if whole else torch.get_default_dtype()
    elif dtype == torch.int64 and not all(isinstance(each, int) for each in (start, end, step)):
        progression(op, start, end, step)  # which is asked before the fractions are cut off
        start, end, step = map(_whole, (start, end, step))
    count = progression(op, start, end, step)
    if any(symbolic(each) or isinstance(each, Ratio) for each in (count, start, end, step)) or count > _MOST:
        return Fresh((count,), _LIKE, dtype)
    value = op.recorder.kernel(torch.arange, (start, end, step), {"dtype": dtype})
    op.values = (tuple(value.tolist()),)
    return Ready(((count,),), value)


def _whole(bound: Any) -> Any:
    """A bound of whole numbers without its fraction, as torch counts these."""
    if isinstance(bound, int):
        return bound
    if type(bound) is float and not math.isfinite(bound):
        raise NoRule
    return math.trunc(bound)


def _bounds(args: tuple[Any, ...], named: list[Any]) -> tuple[Any, Any, Any]:
    """The start, end and step of an `arange`, whose single argument is the end."""
    given = (None, *args) if len(args) == 1 and named[1] is None else args
    found = [*given, *[None] * (3 - len(given))]
    start, end, step = (one if one is not None else two for one, two in zip(found, named, strict=True))
    return 0 if start is None else start, end, 1 if step is None else step


@size_rule(torch.meshgrid)
def _meshgrid(op: Operation, *tensors: Any, indexing: str | None = None) -> Result:
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shapes = [op.shape(tensor) for tensor in parts]
    if any(len(shape) > 1 for shape in shapes):
        op.refuse(Kind.ARGUMENT, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list")
    sizes = [shape[0] if shape else 1 for shape in shapes]
    if indexing == "xy" and len(sizes) > 1:
        sizes[0], sizes[1] = sizes[1], sizes[0]
    op.layout = tuple(equal(function_of(size), constant(1)) for size in sizes if symbolic(size))
    return Kernel((tuple(sizes),) * len(sizes))


def _drawn(op: Operation, *args: Any, made: SizeRule, **options: Any) -> Result:
    """Random numbers; a few of them are real, since they may decide (`if torch.rand(1).item() < 0.5`)."""
    if options.get("out") is not None:
        raise NoRule
    result = made(op, *args, **options)
    if not isinstance(result, Fresh) or any(map(symbolic, result.shape)) or math.prod(result.shape) > _MOST:
        return result
    return Ready((result.shape,), op.recorder.kernel(op.function, args, {**options, "device": "cpu"}))


size_rule(torch.zeros, torch.ones, torch.empty)(partial(_made))
size_rule(torch.rand, torch.randn)(partial(_drawn, made=_made))
size_rule(torch.randint)(partial(_drawn, made=_randint))
size_rule(torch.randperm)(partial(_drawn, made=_randperm))
size_rule(*(getattr(Tensor, f"new_{name}") for name in ("zeros", "ones", "empty", "full")))(_new)
