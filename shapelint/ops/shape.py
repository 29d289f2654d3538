"""Questions about a tensor's shape: `.shape`, `.size()`, `.dim()`, `.numel()`, `len()`."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch

from shapelint.instrument.sized_shape import shape_of
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import axis_index
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.operation import Operation, Plain, size_rule

Tensor = torch.Tensor


@size_rule(Tensor.shape.__get__)  # type: ignore[attr-defined]
def _shape(op: Operation, tensor: Tensor) -> Plain:
    return Plain(shape_of(op.shape(tensor)))


@size_rule(Tensor.size)
def _size(op: Operation, tensor: Tensor, dim: Any = None) -> Plain:
    shape = op.shape(tensor)
    return Plain(shape_of(shape) if dim is None else shape[axis_index(dim, len(shape))])


@size_rule(Tensor.data.__set__)  # type: ignore[attr-defined]
def _set_data(op: Operation, tensor: Tensor, value: Tensor) -> Plain:
    """`parameter.data = value`, with which a lazy layer takes its size from its first input."""
    shape, known = op.shape(value), op.recorder.known.get(id(tensor))
    if (known is not None and known.node >= 0) or not (tensor.is_floating_point() or tensor.is_complex()):
        raise Unanalysable("numbers put in the place of a tensor's own, by `.data =`")
    op.recorder.kernel(op.function, (tensor, value), {})
    op.recorder.learn(tensor, shape, op.recorder.known[id(value)].node)
    return Plain(None)


@size_rule(Tensor.dim, Tensor.ndimension, Tensor.ndim.__get__)  # type: ignore[attr-defined]
def _dim(op: Operation, tensor: Tensor) -> Plain:
    return Plain(tensor.dim())


@size_rule(Tensor.numel, Tensor.nelement, torch.numel)
def _numel(op: Operation, input: Tensor) -> Plain:
    return Plain(reduce(lambda total, each: each * total, op.shape(input), 1))


@size_rule(Tensor.__len__)
def _len(op: Operation, tensor: Tensor) -> Plain:
    shape = op.shape(tensor)
    if shape and symbolic(shape[0]):
        op.recorder.leak("len() of a tensor")
    return Plain(plain(shape[0]) if shape else len(tensor))
