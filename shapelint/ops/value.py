"""Tensors that hold sizes, such as `torch.tensor(x.shape)`: their numbers stay functions of the symbols.

They are real tensors on the CPU. What rearranges their elements is run once more on the elements' numbers in order,
which tells where each of them went; arithmetic is done on the numbers themselves. Anything else drops the numbers,
and who then takes one out of such a tensor makes a leak.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
import torch

from shapelint.instrument.operand import left_operand
from shapelint.ops.factory import shape_asked
from shapelint.size.number import larger, smaller
from shapelint.size.ratio import Ratio
from shapelint.size.size_float import SizeFloat
from shapelint.size.tracking import symbolic
from shapelint.source.fault import let_out
from shapelint.trace.fitting.fallback import Ready
from shapelint.trace.recording.arguments import is_copied
from shapelint.trace.recording.operation import (
    VALUE_RULES,
    Fresh,
    NoRule,
    Operation,
    Result,
    Same,
    SizeRule,
    size_rule,
    spellings,
)
from shapelint.trace.recording.trees import flat_tensors

Tensor = torch.Tensor
_MOST = 64
_MOST_QUOTIENTS = 8
_EXACT = frozenset({torch.int64, torch.int32, torch.float32, torch.float64, torch.bool})


def _values(op: Operation, tensor: Any) -> tuple[Any, ...]:
    """The numbers that a tensor holds; NoRule where they are not known."""
    known = op.recorder.known.get(id(tensor))
    if known is None or known.values is None:
        raise NoRule
    return known.values


def _ready(op: Operation, value: Any, *values: Sequence[Any]) -> Result:
    """A real tensor, or several, with the numbers in them."""
    tensors = list(value) if isinstance(value, (tuple, list)) else [value]
    op.values = tuple(_kept(tensor, numbers) for tensor, numbers in zip(tensors, values, strict=True))
    return Ready(tuple(tuple(tensor.shape) for tensor in tensors), value)


def _kept(tensor: Tensor, numbers: Sequence[Any]) -> tuple[Any, ...] | None:
    """The numbers as the tensor's dtype holds them; None where it does not hold them exactly."""
    if len(numbers) > _MOST or tensor.dtype not in _EXACT:
        return None
    if any(isinstance(each, SizeFloat) and not each.is_whole() for each in numbers):
        return None
    if tensor.dtype.is_floating_point:
        fine = all(not isinstance(each, Ratio) or each._denominator & (each._denominator - 1) == 0 for each in numbers)
        return tuple(_as_float(each) for each in numbers) if fine else None
    return tuple(math.trunc(each) if isinstance(each, float) else each for each in numbers)


def _as_float(number: Any) -> Any:
    if isinstance(number, SizeFloat):
        return float(number)  # as double; what the tensor's dtype makes of it is not followed
    return Ratio(number, 1) if symbolic(number) else number


# -- made of sizes ------------------------------------------------------------------------------------------------


@size_rule(torch.tensor, torch.as_tensor, torch.asarray, torch.scalar_tensor)
def _tensor(op: Operation, data: Any, *, dtype: Any = None, **options: Any) -> Result:
    if isinstance(data, Tensor):
        if not data.is_meta:
            raise NoRule
        if op.name in ("as_tensor", "asarray") and dtype in (None, data.dtype) and not options.get("copy"):
            return Same(data, op.shape(data))
        return Fresh(op.shape(data), data, dtype, data)
    numbers = _numbers(op, data)
    value = op.recorder.kernel(torch.tensor, (_plain_data(op, data),), {"dtype": dtype})
    return _ready(op, value, numbers)


@size_rule(Tensor.new_tensor)
def _new_tensor(op: Operation, input: Tensor, data: Any, *, dtype: Any = None, **options: Any) -> Result:
    return _tensor(op, data, dtype=dtype or input.dtype)


@size_rule(Tensor.new)
def _new_of_old(op: Operation, input: Tensor, *sizes: Any) -> Result:
    """x.new(2, h) and x.new(y.size()) have these sizes; a tuple or a list has the numbers, and a tensor is copied."""
    shape = len(sizes) == 1 and isinstance(sizes[0], torch.Size)
    if not shape and len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        return _tensor(op, sizes[0], dtype=input.dtype)
    if not shape and not all(isinstance(each, int) and not isinstance(each, bool) for each in sizes):
        raise NoRule
    return Fresh(shape_asked(op, sizes or (0,)), input)


def _numbers(op: Operation, data: Any) -> list[Any]:
    if isinstance(data, (tuple, list)):
        return [number for part in data for number in _numbers(op, part)]
    if isinstance(data, Tensor):
        if data.dim():
            raise NoRule
        return list(_values(op, data))
    if isinstance(data, (int, float)):
        return [data]
    if type(data) is np.ndarray and data.dtype.kind in "biuf":  # one that holds sizes is of another type
        return list(data.ravel().tolist())
    op.recorder.leak(f"a tensor made of a {type(data).__name__}")
    raise NoRule


def _plain_data(op: Operation, data: Any) -> Any:
    if isinstance(data, (tuple, list)):
        return [_plain_data(op, part) for part in data]
    return data.item() if isinstance(data, Tensor) else data


# -- taken out as numbers -----------------------------------------------------------------------------------------


# -- rearranged ---------------------------------------------------------------------------------------------------


def _rearranged(op: Operation, *args: Any, **kwargs: Any) -> Result:
    """The function on the places of the numbers tells which numbers the result holds."""
    numbers: list[Any] = []
    counted = len(args) + len(kwargs) < 2 or flat_tensors((args[1:], kwargs))
    if counted and op.name in ("__getitem__", "repeat_interleave"):
        raise NoRule  # the numbers say which there are, or how many

    def places(tree: Any) -> Any:
        if isinstance(tree, Tensor):
            values = _values(op, tree)
            numbers.extend(values)
            return torch.arange(len(numbers) - len(values), len(numbers)).reshape(tree.shape)
        if symbolic(tree) or (isinstance(tree, slice) and any(map(symbolic, (tree.start, tree.stop, tree.step)))):
            raise NoRule
        return type(tree)(map(places, tree)) if type(tree) in (tuple, list) else tree

    moved_args, moved_kwargs = places(args), {name: places(each) for name, each in kwargs.items()}
    try:
        moved = op.recorder.kernel(op.function, moved_args, moved_kwargs)
        value = op.recorder.kernel(op.function, args, kwargs)
    except Exception as error:  # torch's; the rule for shapes has the words
        let_out(error)
        raise NoRule from error
    parts = list(moved) if isinstance(moved, (tuple, list)) else [moved]
    if any(part.dtype is not torch.int64 for part in parts):
        raise NoRule  # a view of the bits
    return _ready(op, value, *([numbers[place] for place in part.flatten().tolist()] for part in parts))


# -- computed with ------------------------------------------------------------------------------------------------


def _computed(op: Operation, *args: Any, compute: Callable[..., Any], **kwargs: Any) -> Result:
    """Arithmetic element by element, with broadcasting."""
    if kwargs == {"rounding_mode": "floor"}:
        compute = operator.floordiv
    elif kwargs:
        raise NoRule
    if not any(isinstance(each, Tensor) for each in args):
        raise NoRule
    groups = [(_values(op, each), each.shape) if isinstance(each, Tensor) else ((each,), torch.Size()) for each in args]
    shape = torch.broadcast_shapes(  # type: ignore[no-untyped-call]
        *(each for _, each in groups)
    )
    columns = [_broadcast(values, own, shape) for values, own in groups]
    if any(isinstance(each, Ratio) for column in columns for each in column) and compute not in _ON_RATIOS:
        raise NoRule
    if compute in _WHOLE and len(columns[0]) > _MOST_QUOTIENTS and any(map(symbolic, columns[1])):
        raise NoRule  # each quotient by a size may be a way of its own
    try:
        numbers = [compute(*_asking_sizes(row)) for row in zip(*columns, strict=True)]
    except (ZeroDivisionError, TypeError):
        raise NoRule from None
    return _ready(op, op.recorder.kernel(op.function, args, kwargs), numbers)


def _asking_sizes(row: tuple[Any, ...]) -> Iterable[Any]:
    """Numbers that leave an operation to a size among them: beside floats and truth values it would be a plain int."""
    numbers = (int(each) if type(each) is bool else left_operand(each) if type(each) is float else each for each in row)
    return numbers if any(map(symbolic, row)) else row


def _broadcast(values: tuple[Any, ...], own: torch.Size, shape: torch.Size) -> list[Any]:
    places = torch.arange(len(values)).reshape(own).expand(shape)
    return [values[place] for place in places.flatten().tolist()]


def _swapped(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda one, two: compute(two, one)


def _cast(op: Operation, tensor: Tensor, *args: Any, **kwargs: Any) -> Result:
    """A copy, or the same tensor, of another dtype."""
    if flat_tensors((args, kwargs)):
        raise NoRule
    values = _values(op, tensor)
    options = {name: each for name, each in kwargs.items() if name == "dtype"}
    kinds = [each for each in args if isinstance(each, torch.dtype)]
    casts = {"to": kinds[0] if kinds else options.get("dtype"), "detach": None, "clone": None, "cpu": None}
    if op.name not in casts or (op.name in ("to", "cpu", "detach") and casts[op.name] in (None, tensor.dtype)):
        copies = is_copied(args, kwargs)
        same = op.name in ("to", "cpu") and not copies
        return _ready(op, tensor if same else tensor.clone() if copies else op.function(tensor), values)
    return _ready(op, tensor.clone() if casts[op.name] is None else tensor.to(casts[op.name], copy=True), values)


def _folded(op: Operation, tensor: Tensor, *args: Any, fold: Callable[[Any, Any], Any], **kwargs: Any) -> Result:
    """max, min, sum and prod of all numbers, which are whole."""
    if args or kwargs:
        raise NoRule
    values = _values(op, tensor)
    if not values or any(isinstance(each, float) for each in values):
        raise NoRule
    return _ready(op, op.function(tensor), [reduce(fold, values)])


def _decided(op: Operation, tensor: Tensor, *args: Any, decide: Callable[[Any], Any], **kwargs: Any) -> Result:
    """all, any and how many of all numbers are not 0."""
    if args or kwargs:
        raise NoRule
    return _ready(op, op.function(tensor), [decide([bool(each) for each in _values(op, tensor)])])


def _rounded(op: Operation, tensor: Tensor, *, round_one: Callable[[Any], Any], **kwargs: Any) -> Result:
    if kwargs:
        raise NoRule
    return _ready(op, op.function(tensor), [round_one(each) for each in _values(op, tensor)])


def _register(rule: SizeRule, *functions: Any) -> None:
    VALUE_RULES.update(dict.fromkeys(functions, rule))


_COMPUTED: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "floor_divide": operator.floordiv,
    "div": operator.truediv, "true_divide": operator.truediv, "divide": operator.truediv,
    "remainder": operator.mod, "neg": operator.neg, "abs": operator.abs, "maximum": larger, "minimum": smaller,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_ON_RATIOS = frozenset({operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.abs})
_WHOLE = (operator.floordiv, operator.mod)
_DUNDERS = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "div": "div", "floordiv": "floor_divide",
            "mod": "remainder"}  # fmt: skip

for _name, _compute in _COMPUTED.items():
    _register(partial(_computed, compute=_compute), *spellings(_name, inplace=False))
    if hasattr(Tensor, f"__{_name}__"):
        _register(partial(_computed, compute=_compute), getattr(Tensor, f"__{_name}__"))
for _name, _target in _DUNDERS.items():
    for _dunder, _compute in ((f"__{_name}__", _COMPUTED[_target]), (f"__r{_name}__", _swapped(_COMPUTED[_target]))):
        if hasattr(Tensor, _dunder):
            _register(partial(_computed, compute=_compute), getattr(Tensor, _dunder))
for _name in ("__getitem__", "unbind", "stack", "cat", "flip", "view", "reshape", "flatten", "squeeze", "unsqueeze",
              "chunk", "split", "select", "narrow", "permute", "transpose", "expand", "repeat", "t", "ravel", "tile",
              "roll", "repeat_interleave", "contiguous", "hstack", "vstack"):  # fmt: skip
    _register(_rearranged, *spellings(_name, inplace=False))
for _name in ("to", "long", "int", "float", "double", "detach", "clone", "cpu"):
    _register(_cast, *spellings(_name, inplace=False))
for _name, _fold in (("max", larger), ("min", smaller), ("sum", operator.add), ("prod", operator.mul)):
    _register(partial(_folded, fold=_fold), *spellings(_name, inplace=False))
for _name, _decide in (("all", all), ("any", any), ("count_nonzero", sum)):
    _register(partial(_decided, decide=_decide), *spellings(_name, inplace=False))
for _name, _round in (("floor", math.floor), ("ceil", math.ceil), ("round", round), ("trunc", math.trunc)):
    _register(partial(_rounded, round_one=_round), *spellings(_name, inplace=False))
