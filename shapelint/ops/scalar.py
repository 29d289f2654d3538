"""Numbers taken out of tensors: `item`, `tolist`, truth values, comparisons of whole tensors."""

from __future__ import annotations

import sys
from typing import Any

import torch

from shapelint.instrument.chance_number import ChanceNumber
from shapelint.instrument.frames import is_asserted
from shapelint.instrument.identity import is_watched
from shapelint.ops.heads import guesses_causality
from shapelint.ops.index_origin import drawn_by
from shapelint.ops.index_range import bounds_of
from shapelint.ops.sizes_decide import sizes_decide
from shapelint.ops.value import Tensor
from shapelint.size.data_number import DataNumber
from shapelint.size.number import plain
from shapelint.size.ratio import Ratio
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.constants import sharing
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import NoRule, Operation, Plain, size_rule


def _taken(op: Operation, tensor: Tensor) -> Any:
    """The numbers of a tensor from which Python takes plain ones; those that are not known are a leak."""
    known = op.recorder.known.get(id(tensor)) or op.recorder.adopt(tensor)
    if known.values is not None:
        return known.values
    if tensor.is_meta or known.stale:
        raise Unanalysable(f"a data-dependent value: `{op.name}` on a tensor")
    if known.node >= 0 and not known.constant:
        op.recorder.leak(f"`{op.name}` on a tensor whose numbers are not followed")
    return None


def _decided_by(op: Operation, tensor: Tensor) -> str | None:
    """What decides the number of a tensor that holds one at every size that comes here: "" for the data, or what drew
    it; None where neither does.
    """
    known = op.recorder.known.get(id(tensor)) or op.recorder.adopt(tensor)
    name = "" if tensor.is_meta or known.values is not None or known.constant else drawn_by(op, tensor)
    if known.values is not None or not (tensor.is_meta or name):
        return None
    made = op.recorder.records[known.node].name if known.node >= 0 else ""
    if made == "__eq__" and is_watched(op.recorder):  # `x in some_list` asks first whether it is the very one
        op.recorder.unknown("whether a tensor is equal to one that an `if` pads or resizes, or that very one")
    for dim in op.shape(tensor):
        op.require_equal(dim, 1, Kind.ARGUMENT, "a Tensor with {left} elements cannot be converted to a number")
    return name and f"a random number (`torch.{name}`)"


def _is_sizes_answer(op: Operation, *tensors: Tensor) -> bool:
    """Whether a decision that is taken to be the data's is one of sizes, which the run is told."""
    found = all(sizes_decide(op, each) for each in tensors)
    op.recorder.closed = op.recorder.closed or found
    return found


@size_rule(Tensor.item)
def _item(op: Operation, tensor: Tensor) -> Plain:
    if tensor.dtype.is_floating_point or tensor.dtype is torch.bool:
        chance = _decided_by(op, tensor)
        if chance is not None:
            _is_sizes_answer(op, tensor)
            of_floats = tensor.dtype.is_floating_point
            return Plain(_float(op, tensor, chance) if of_floats else op.recorder.choose(chance))
    else:
        number = _whole(op, tensor)
        if number is not None:
            return Plain(number)
    values = _taken(op, tensor)
    return Plain(tensor.item() if values is None or len(values) != 1 else _number(tensor, values[0]))


def _whole(op: Operation, tensor: Tensor) -> int | None:
    """The integer of a tensor that the data or chance decide, between the bounds that are known of it."""
    chance = _decided_by(op, tensor)
    if chance is None or tensor.dtype not in (torch.int64, torch.int32):
        return None
    found, why = bounds_of(op, tensor), chance or f"a data-dependent value: `{op.name}` on a tensor"
    if found is None:
        return None
    if found.is_one_number:
        return found.low
    _is_sizes_answer(op, tensor)
    op.recorder.thrown = op.recorder.thrown or bool(chance)
    value = op.recorder.kernel(Tensor.item, (tensor,), {}) if chance else plain(found.high)
    return op.recorder.of_data(value, why, least=found.low, most=found.high)


def _float(op: Operation, tensor: Tensor, chance: str) -> DataNumber:
    """The number of a tensor that the data or chance decide."""
    if not chance:
        return DataNumber(op.recorder)
    op.recorder.thrown = True
    return ChanceNumber(op.recorder, op.recorder.kernel(Tensor.item, (tensor,), {}), chance)


def _number(tensor: Tensor, value: Any) -> Any:
    if symbolic(value) or isinstance(value, Ratio):
        return value
    if tensor.dtype is torch.bool:
        return bool(value)
    return float(value) if tensor.dtype.is_floating_point else int(value)


@size_rule(Tensor.tolist)
def _tolist(op: Operation, tensor: Tensor) -> Plain:
    values = _taken(op, tensor)
    if values is None:
        return Plain(tensor.tolist())
    numbers = iter([_number(tensor, each) for each in values])
    return Plain(_nested(tuple(tensor.shape), numbers))


def _nested(shape: tuple[int, ...], numbers: Any) -> Any:
    return next(numbers) if not shape else [_nested(shape[1:], numbers) for _ in range(shape[0])]


@size_rule(Tensor.__bool__, Tensor.is_nonzero, torch.is_nonzero)
def _bool(op: Operation, tensor: Tensor) -> Plain:
    if guesses_causality():
        return Plain(False)
    chance = _decided_by(op, tensor)
    if chance is not None:
        by_sizes = _is_sizes_answer(op, tensor)
        return Plain((not by_sizes and is_asserted(sys._getframe(1))) or op.recorder.choose(chance))
    values = _taken(op, tensor)
    return Plain(bool(tensor) if values is None or len(values) != 1 else bool(values[0]))


@size_rule(Tensor.__int__, Tensor.__index__, Tensor.__float__, Tensor.__complex__)
def _lost(op: Operation, tensor: Tensor) -> Plain:
    """Python makes an exact int or float of the result, so a size is lost here."""
    values = _taken(op, tensor)
    if values is not None and any(symbolic(each) or isinstance(each, Ratio) for each in values):
        op.recorder.leak(f"`{op.name}` of a tensor that holds a size")
    return Plain(op.function(tensor))


@size_rule(torch.equal, Tensor.equal, torch.allclose, Tensor.allclose)
def _alike(op: Operation, input: Tensor, other: Tensor, *rest: Any, **named: Any) -> Any:
    """A decision of the data, unless both have numbers; `equal` is "no" for unequal shapes, `allclose` broadcasts."""
    if not (input.is_meta or other.is_meta):
        numbers = [known.values for each in (input, other) if (known := op.recorder.known.get(id(each)))]
        if op.name == "equal" and len(numbers) == 2 and None not in numbers and input.dtype is other.dtype:
            pairs = zip(*numbers, strict=True) if input.shape == other.shape else [(0, 1)]
            return Plain(all(one == two for one, two in pairs))
        return _read(op, input, other, *rest, **named)
    if op.name == "allclose":
        op.broadcast(op.shape(input), op.shape(other))
    elif op.shape(input) != op.shape(other):
        return Plain(False)
    _is_sizes_answer(op, input, other)
    return Plain(op.recorder.choose())


@size_rule(Tensor.__contains__)
def _contains(op: Operation, tensor: Tensor, element: Any) -> Any:
    """A decision of the data; a tensor is looked for by broadcasting."""
    if not (tensor.is_meta or (isinstance(element, Tensor) and element.is_meta)):
        return _read(op, tensor, element)
    if isinstance(element, Tensor):
        op.broadcast(op.shape(tensor), op.shape(element))
    elif not isinstance(element, (int, float, complex, bool)):
        raise NoRule
    return Plain(op.recorder.choose())


@size_rule(Tensor.numpy, Tensor.__array__)
def _read(op: Operation, tensor: Tensor, *rest: Any, **named: Any) -> Any:
    for each in (tensor, *rest):
        if isinstance(each, Tensor) and _taken(op, each) is not None:
            op.recorder.leak(f"`{op.name}` of a tensor that holds sizes")
    if not tensor.is_meta and op.name in ("numpy", "__array__"):
        for known in sharing(op.recorder.known, [tensor]):  # numpy may write into it unseen
            known.values, known.constant = None, False
    return Plain(op.recorder.kernel(op.function, (tensor, *rest), named))
