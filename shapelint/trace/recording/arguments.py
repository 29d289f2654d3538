"""Reads arguments as torch does: an int or a tuple for every spatial axis, negative axes, optional values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import numpy
import torch

from shapelint.facts.failure import Failure
from shapelint.size.condition import Condition, equal
from shapelint.size.function import Function, as_function
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import NoRule, Operation


def built_for_what_arrives(
    overrides: Mapping[str, tuple[Function, ...]], condition: Condition, failure: Failure
) -> Condition:
    """What a layer asks of its channels where a repair builds it for another number of them, which it overrides."""
    functions = overrides.get("channels")
    return condition if functions is None else equal(as_function(failure.left), functions[0])


def is_copied(given: Iterable[Any], named: Mapping[str, Any]) -> bool:
    """Whether `Tensor.to` is told to copy: by `copy=`, or by the second of its flags, of which the first is another."""
    flags = [each for each in given if isinstance(each, bool)]
    return bool(named.get("copy")) or any(flags[1:])


def per_axis(value: Any, axes: int) -> tuple[int, ...]:
    """An argument such as `stride` for each of the spatial axes; a single number stands for all.

    Raises NoRule for anything else.
    """
    if type(value) is tuple and len(value) == axes and _INTS.issuperset(map(type, value)):
        return value
    if _whole(value):
        return (value,) * axes
    if isinstance(value, (tuple, list)) and len(value) in (1, axes) and all(map(_whole, value)):
        return tuple(value) * axes if len(value) == 1 else tuple(value)
    raise NoRule


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def number(op: Operation, value: Any) -> int:
    """An integer that may be given as a tensor of one element; its Size where the element's value is known.

    A tensor whose value is no constant of the model is a leak: another size may give another value.

    Raises NoRule where it is no integer, or its value is not known.
    """
    if _whole(value):
        return cast(int, value) if symbolic(value) else plain(value)
    if isinstance(value, numpy.integer):
        return int(value)
    if not isinstance(value, torch.Tensor) or value.numel() != 1 or value.dtype not in _WHOLE_DTYPES:
        raise NoRule
    known = op.recorder.known.get(id(value))
    if known is not None and known.values is not None:
        return _single(known.values)
    if value.device.type == "meta" or (known is not None and known.stale):
        raise NoRule
    if known is None or (known.node >= 0 and not known.constant):
        op.recorder.leak("the value of a tensor, used as a size")
    return int(value)


def with_numbers(op: Operation, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a function that takes sizes or axes, with whole numbers for tensors of one element."""
    if op.name not in _TAKES_NUMBERS or not args:
        return args
    first = 0 if op.name in _MAKES else 1
    return (*args[:first], *(_number_for(op, each) for each in args[first:]))


def _number_for(op: Operation, value: Any) -> Any:
    if isinstance(value, (tuple, list)) and any(isinstance(each, torch.Tensor) for each in value):
        return [_number_for(op, each) for each in value]
    if not isinstance(value, torch.Tensor) or value.dim():
        return value
    with suppress(NoRule):
        return number(op, value)
    return value


_INTS = frozenset({int})
_MAKES = frozenset({"zeros", "ones", "empty", "arange"})
_TAKES_NUMBERS = _MAKES | {
    "permute", "view", "reshape", "expand", "repeat", "tile", "pad", "new_zeros", "new_ones", "narrow", "unflatten",
}  # fmt: skip
_MOST_AXES = 64
_WHOLE_DTYPES = frozenset({torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8})


def _single(values: Any) -> int:
    """The one number in nested lists."""
    while isinstance(values, (list, tuple)):
        (values,) = values
    if not _whole(values):
        raise NoRule
    return cast(int, values)


def outside_autocast(*tensors: torch.Tensor | None) -> bool:
    """Whether all tensors that are there have one dtype; NoRule where autocast may change it."""
    if _autocast():
        raise NoRule
    return same_dtype(*tensors)


def _autocast() -> bool:
    return torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")


def floating(op: Operation, tensor: torch.Tensor, *, also: Iterable[torch.dtype] = (), half: bool = True) -> None:
    """Refuses dtypes for which PyTorch has no kernel on the CPU; `also` are those that it has beside floats.

    With `half` false the 16-bit kernels exist on other devices only, so that nothing is proved for them.
    """
    if tensor.dtype in (torch.float16, torch.bfloat16):
        if not half:
            op.recorder.leak(f"`{op.name}` on {tensor.dtype} depends on the device")
    elif not tensor.is_floating_point() and tensor.dtype not in also and 0 not in tensor.shape:
        op.refuse(Kind.ARGUMENT, f'"{op.name}" not implemented for {tensor.dtype}')


def one_dtype(op: Operation, *tensors: torch.Tensor | None) -> None:
    """Refuses tensors of different dtypes, as matrix products do; autocast may make them one."""
    kinds = dict.fromkeys([tensor.dtype for tensor in tensors if tensor is not None])
    if len(kinds) > 1 and not _autocast():
        names = [str(kind)[6:] for kind in kinds]
        op.refuse(Kind.ARGUMENT, f"{op.name}: expected one dtype, but got {' and '.join(names)}")


def norm_dtypes(op: Operation, input: torch.Tensor, *parameters: torch.Tensor | None) -> None:
    """Refuses dtypes that normalisations refuse: parameters are of the input's, or float32 with a 16-bit input."""
    floating(op, input)
    if input.dtype in (torch.float16, torch.bfloat16):
        parameters = tuple(each for each in parameters if each is not None and each.dtype is not torch.float32)
    one_dtype(op, input, *parameters)


def axis_index(axis: Any, dimensions: int) -> int:
    """A possibly negative axis as an index from 0; NoRule where torch would refuse it."""
    if not isinstance(axis, int) or not -dimensions <= axis < max(dimensions, 1):
        raise NoRule
    return plain(axis) % max(dimensions, 1)


def dimension(op: Operation, axis: Any, rank: int) -> int:
    """A possibly negative axis as an index from 0; raises as torch does where there is no such axis."""
    if not isinstance(axis, int):
        axis = number(op, axis)
    bound = max(rank, 1)
    if not -bound <= plain(axis) < bound:
        text = f"Dimension out of range (expected to be in range of [-{bound}, {bound - 1}], but got {plain(axis)})"
        op.refuse(Kind.ARGUMENT, text)
    return plain(axis) % bound


def dimensions(op: Operation, axes: Any, rank: int) -> tuple[int, ...]:
    """One axis or several, each as an index from 0 and once only; None or none stand for all."""
    if rank > _MOST_AXES:
        op.refuse(Kind.ARGUMENT, f"only tensors with up to {_MOST_AXES} dims are supported")
    if axes is None or axes == () or axes == []:
        return tuple(range(rank))
    found = tuple(dimension(op, axis, rank) for axis in (axes if isinstance(axes, (tuple, list)) else (axes,)))
    if len(set(found)) < len(found):
        op.refuse(Kind.ARGUMENT, "a dimension appears multiple times in the list of dims")
    return found


def same_dtype(*tensors: torch.Tensor | None) -> bool:
    """Whether all tensors that are there have one dtype and no autocast changes it."""
    kinds = {tensor.dtype for tensor in tensors if tensor is not None}
    return len(kinds) == 1 and not _autocast()
