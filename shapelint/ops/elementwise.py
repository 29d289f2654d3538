"""Functions of two or more tensors element by element, with PyTorch's broadcasting.

https://docs.pytorch.org/docs/stable/notes/broadcasting.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch

from shapelint.ops.same_memory import memory_of, same_memories
from shapelint.size.condition import any_of, equal
from shapelint.size.number import function_of, plain
from shapelint.size.ratio import Ratio
from shapelint.trace.fitting.dtypes import check_dtypes, check_settings
from shapelint.trace.memory.strides import like_operands
from shapelint.trace.recording.constants import is_in_place
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import (
    RULES,
    Fresh,
    Kernel,
    NoRule,
    Operation,
    Plain,
    Result,
    Same,
    size_rule,
    spellings,
)
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor

_ARITHMETIC = (
    "add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide", "floor_divide", "fmod", "remainder",
    "pow", "atan2", "arctan2", "hypot", "maximum", "minimum", "fmax", "fmin", "rsub", "logaddexp", "logaddexp2",
    "copysign", "xlogy", "ldexp", "nextafter", "heaviside",
)  # fmt: skip
_DUNDERS = (
    "__add__", "__radd__", "__iadd__", "__sub__", "__rsub__", "__isub__", "__mul__", "__rmul__", "__imul__", "__div__",
    "__rdiv__", "__truediv__", "__rtruediv__", "__idiv__", "__itruediv__", "__floordiv__", "__rfloordiv__",
    "__ifloordiv__", "__mod__", "__rmod__", "__imod__", "__pow__", "__rpow__", "__ipow__",
)  # fmt: skip
_TESTS = ("eq", "ne", "not_equal", "lt", "less", "le", "less_equal", "gt", "greater", "ge", "greater_equal",
          "logical_and", "logical_or", "logical_xor", "isclose")  # fmt: skip
_TEST_DUNDERS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm",
         "float_power")  # fmt: skip
_BIT_DUNDERS = tuple(
    f"__{kind}{name}__" for name in ("and", "or", "xor", "lshift", "rshift") for kind in ("", "r", "i")
)
_TERNARY = ("lerp", "addcmul", "addcdiv", "clamp", "clip", "clamp_min", "clamp_max")


def fits(op: Operation, shape: Shape, target: Shape, text: str = "") -> None:
    """The shape must broadcast to `target`, which stays as it is."""
    text = text or "output with shape {right} doesn't match the broadcast shape {left}"
    if len(shape) > len(target):
        op.refuse(Kind.JOIN, f"a tensor of {len(shape)} dimensions does not fit one of {len(target)}")
    for size, wanted in zip(reversed(shape), reversed(target), strict=False):
        if size is wanted or plain(size) == 1 == function_of(size).constant:
            continue
        one, two = function_of(size), function_of(wanted)
        op.require(any_of([equal(one, two), equal(one, function_of(1))]), Kind.JOIN, text, between=(size, wanted))


def joined(op: Operation, tensors: list[Tensor], dtype: torch.dtype | None) -> Result:
    """A tensor of the broadcast shape of all; `dtype` None where only the kernel knows it."""
    shape = op.broadcast(*map(op.shape, tensors))
    like = next((tensor for tensor in tensors if tensor.is_meta), tensors[0])
    if dtype is None:
        return Kernel((shape,))
    alike = len({tensor.shape for tensor in tensors}) == 1
    if all(tensor.is_contiguous() for tensor in tensors) and (alike or like_operands(shape, tensors).is_contiguous()):
        return Fresh(shape, like, dtype, _contiguous_layout(op, tensors))
    whole = [tensor for tensor in tensors if tensor.dim()]
    sizes = tuple(map(plain, shape))
    if all(tensor.shape == sizes and tensor.stride() == whole[0].stride() for tensor in whole):
        return Fresh(shape, like, dtype, whole[0])
    return Fresh(shape, like, dtype, like_operands(shape, tensors))


def _contiguous_layout(op: Operation, tensors: list[Tensor]) -> Tensor | None:
    """None where the result is contiguous at every size, else a tensor that tells it depends on the inputs'."""
    if not any(op.recorder.known[id(tensor)].layout for tensor in tensors):
        return None
    return tensors[0]


def in_place(op: Operation, target: Tensor, *others: Any) -> Result:
    """The target itself, whose shape may not grow."""
    forget_values(op, target)
    shape = op.shape(target)
    for other in others:
        if isinstance(other, Tensor):
            fits(op, op.shape(other), shape)
    if any(not stride and size > 1 for stride, size in zip(target.stride(), target.shape, strict=True)):
        return Kernel((shape,))
    return Same(target, shape)


def forget_values(op: Operation, target: Tensor) -> None:
    """Drops the numbers of every tensor over the memory that is written to."""
    if op.recorder.valued and not target.is_meta:
        memories = same_memories(op.recorder, target)
        for known in op.recorder.known.values():
            if known.values is not None and memory_of(known.tensor) in memories:
                known.values = None


def _result_dtype(operands: Iterable[Any]) -> torch.dtype | None:
    """The floating dtype that the operands have together; None where it takes the kernel to know."""
    operands = list(operands)
    kinds = {each.dtype for each in operands if isinstance(each, Tensor)}
    if any(isinstance(each, complex) for each in operands) or any(kind.is_complex for kind in kinds):
        return None
    if len(kinds) == 1 and next(iter(kinds)).is_floating_point:
        return next(iter(kinds))
    if len(operands) == 2 and any(kind.is_floating_point for kind in kinds):
        first, second = (_scalar(each) for each in operands)
        return torch.result_type(first, second)
    return None


def _scalar(each: Any) -> Any:
    if isinstance(each, Ratio):
        return float.__float__(each)
    return plain(each) if isinstance(each, int) and not isinstance(each, bool) else each


def _binary(op: Operation, input: Any, other: Any, *rest: Any, kind: str, out: Any = None, **options: Any) -> Result:
    if out is not None or any(isinstance(each, Tensor) for each in rest):
        raise NoRule
    if other is None or isinstance(other, (str, list, tuple, dict)):
        return Plain(op.recorder.kernel(op.function, (input, other), options))  # NotImplemented, or torch's own error
    tensors = [each for each in (input, other) if isinstance(each, Tensor)]
    if not tensors:
        raise NoRule
    (check_settings if rest or options else check_dtypes)(op, input, other, *rest, **options)
    if is_in_place(op.name) and isinstance(input, Tensor):
        return in_place(op, input, other) if input.is_floating_point() else _kernel_in_place(op, input, other)
    exponent = _exponent(op, input, other)
    if exponent is not None:
        return exponent
    dtypes = {"test": torch.bool, "bits": None}
    return joined(op, tensors, dtypes[kind] if kind in dtypes else _result_dtype((input, other)))


def _exponent(op: Operation, input: Any, other: Any) -> Result | None:
    """The power of a plain number, which is contiguous however the exponent lies; None for anything else."""
    base, exponent = (other, input) if op.name == "__rpow__" else (input, other)
    if op.name not in ("pow", "float_power", "__rpow__") or isinstance(base, Tensor):
        return None
    dtype = torch.result_type(_scalar(base), exponent)
    if op.name == "float_power":
        dtype = torch.complex128 if dtype.is_complex else torch.float64
    return Fresh(op.shape(exponent), exponent, dtype)


def _kernel_in_place(op: Operation, target: Tensor, *others: Any) -> Result:
    """As `in_place`, where the dtypes may not allow it."""
    in_place(op, target, *others)
    return Kernel((op.shape(target),))


def _ternary(op: Operation, *args: Any, out: Any = None, **options: Any) -> Result:
    operands = [*args, *options.values()]
    if out is not None or not args or not isinstance(args[0], Tensor):
        raise NoRule
    tensors = [each for each in operands if isinstance(each, Tensor)]
    check_dtypes(op, *args, **options)
    if is_in_place(op.name):
        made = in_place(op, args[0], *tensors[1:])
        return made if args[0].is_floating_point() else Kernel((op.shape(args[0]),))
    kinds = {tensor.dtype for tensor in tensors}
    return joined(op, tensors, args[0].dtype if len(kinds) == 1 and args[0].is_floating_point() else None)


@size_rule(*spellings("where", inplace=False))
def _where(op: Operation, condition: Tensor, *branches: Any, out: Any = None, **named: Any) -> Result:
    """torch.where(condition, a, b) and a.where(condition, b)."""
    operands = [condition, *branches, *named.values()]
    if len(operands) == 1:
        if not condition.is_meta and op.recorder.known[id(condition)].constant:
            raise NoRule
        places: Result = RULES[torch.nonzero](op, condition, as_tuple=True)
        return places
    tensors = [each for each in operands if isinstance(each, Tensor)]
    values = [each for each in operands if not isinstance(each, Tensor) or each.dtype is not torch.bool]
    return joined(op, tensors, _result_dtype(values) if len(values) == 2 else None)


@size_rule(*spellings("masked_fill"))
def _masked_fill(op: Operation, input: Tensor, mask: Tensor, value: Any) -> Result:
    if isinstance(value, Tensor) and value.dim():
        text = "masked_fill_ only supports a 0-dimensional value tensor"
        op.refuse(Kind.ARGUMENT, text)
    known = op.recorder.known.get(id(value))
    check_settings(op, input, mask, value.item() if known is not None and known.constant else value)
    if is_in_place(op.name):
        return in_place(op, input, mask)
    return Fresh(op.broadcast(op.shape(input), op.shape(mask)), input if input.is_meta else mask, input.dtype)


@size_rule(Tensor.copy_)
def _copy(op: Operation, target: Tensor, source: Tensor, non_blocking: bool = False) -> Result:
    return in_place(op, target, source)


@size_rule(torch.broadcast_tensors)
def _broadcast_tensors(op: Operation, *tensors: Any) -> Result:
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape = op.broadcast(*map(op.shape, parts))
    op.layout = (*op.layout, *(equal(function_of(dim), function_of(1)) for dim in shape))
    return Kernel((shape,) * len(parts))


@size_rule(*spellings("cosine_similarity", inplace=False))
def _cosine_similarity(op: Operation, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Result:
    from shapelint.trace.recording.arguments import dimension

    shape = op.broadcast(op.shape(x1), op.shape(x2))
    axis = dimension(op, dim, len(shape))
    return Kernel((shape[:axis] + shape[axis + 1 :],))


def _register(names: Iterable[str], kind: str) -> None:
    functions = dict.fromkeys(function for name in names for function in spellings(name))
    size_rule(*functions)(partial(_binary, kind=kind))


def _methods(names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(getattr(Tensor, name) for name in names if hasattr(Tensor, name))


_register(_ARITHMETIC, "arithmetic")
_register(_TESTS, "test")
_register(_BITS, "bits")
size_rule(*dict.fromkeys(_methods(_DUNDERS)))(partial(_binary, kind="arithmetic"))
size_rule(*dict.fromkeys(_methods(_TEST_DUNDERS)))(partial(_binary, kind="test"))
size_rule(*dict.fromkeys(_methods(_BIT_DUNDERS)))(partial(_binary, kind="bits"))
size_rule(*dict.fromkeys(function for name in _TERNARY for function in spellings(name)))(_ternary)
