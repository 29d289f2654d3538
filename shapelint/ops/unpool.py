"""Max unpooling, whose indices must come from an input of a size that fits.

Sizes: `_unpool_output_size` of torch/nn/functional.py; requirements: aten/src/ATen/native/MaxUnpooling.cpp. PyTorch
looks at the values of the indices alone: it raises where one lies beyond the output, taken as one flat row.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.nn import functional

from shapelint.ops.pool import checked_lead
from shapelint.size.condition import Condition, all_of, any_of, at_least
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.memory.layout import in_format, in_suggested_format
from shapelint.trace.recording.arguments import floating, number, per_axis
from shapelint.trace.recording.errors import Failure, Kind
from shapelint.trace.recording.operation import NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape


def _max_unpool(
    op: Operation,
    input: torch.Tensor,
    indices: torch.Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
    *,
    axes: int,
) -> Result:
    """(n-1)s - 2p + k, or the `output_size` that is less than a stride away from it."""
    floating(op, input)
    shape = op.shape(input)
    kernel = per_axis(kernel_size, axes)
    stride = kernel if stride is None else per_axis(stride, axes)
    padding = per_axis(padding, axes)
    if axes == 3:
        for each in stride:
            op.require_at_least(each, 1, Kind.ARGUMENT, "strides should be greater than zero")
    checked_lead(op, shape, axes)
    sizes = _sizes(op, shape[-axes:], (kernel, stride, padding), output_size)
    _check_indices(op, shape, indices)
    op.resamples(axes, map(plain, stride))
    parameters = {"kernel_size": kernel, "stride": stride, "padding": padding}
    op.parameters = {name: tuple(map(plain, values)) for name, values in parameters.items()}
    op.parameters["output_size"] = tuple(map(plain, sizes))
    _check_values(op, indices, sizes)
    result = (*shape[:-axes], *sizes)
    if axes == 3:
        return in_format(op, result, input, torch.contiguous_format, input)
    return in_suggested_format(op, result, input)


def _sizes(op: Operation, sizes: Shape, window: tuple[Shape, Shape, Shape], asked: Any) -> Shape:
    default = tuple((n - 1) * s + k - 2 * p for n, k, s, p in zip(sizes, *window, strict=True))
    if asked is not None:
        if not isinstance(asked, (tuple, list)):
            raise NoRule
        asked = asked[2:] if len(asked) == len(sizes) + 2 else asked
        if len(asked) != len(sizes):
            op.refuse(Kind.UNPOOL, f"output_size should have {len(sizes)} or {len(sizes) + 2} elements")
        asked = tuple(number(op, each) for each in asked)
        for size, middle, s in zip(asked, default, window[1], strict=True):
            op.require_at_least(size, middle - s + 1, Kind.UNPOOL, "output_size {left} must be at least {right}")
            op.require_at_least(middle + s - 1, size, Kind.UNPOOL, "output_size {right} must be at most {left}")
    for size in asked or default:
        op.require_at_least(size, 0, Kind.UNPOOL, "output_size must not be negative, but got {left}")
    return asked or default


def _check_indices(op: Operation, shape: Shape, indices: torch.Tensor) -> None:
    other = op.shape(indices)
    if indices.dtype is not torch.int64:
        op.refuse(Kind.ARGUMENT, "elements in indices should be type int64")
    text = "input and indices shapes do not match: {left} and {right}"
    if len(other) != len(shape):
        op.refuse(Kind.UNPOOL, "input and indices do not have the same number of dimensions")
    for n, m in zip(shape, other, strict=True):
        op.require_equal(n, m, Kind.UNPOOL, text)


def _check_values(op: Operation, indices: torch.Tensor, sizes: Shape) -> None:
    """Whether the indices lie in the output; where they need not, the values decide, which no size tells."""
    pool = _Pool.of(op, indices)
    if pool is not None and op.decide(pool.stays_within(sizes)):
        return
    text = "whether the indices of max_unpool lie in its output depends on their values"
    op.recorder.give_up(Failure(Kind.UNPOOL, text), op)


class _Pool:
    """The pool that made the indices: the size that it took, and the window of each axis."""

    def __init__(self, taken: Shape, made: Shape, window: tuple[Shape, ...]) -> None:
        self.taken, self.made, self.window = taken, made, window

    @staticmethod
    def of(op: Operation, indices: torch.Tensor) -> _Pool | None:
        """The pool whose output the indices are, unchanged; None where they come from elsewhere."""
        known = op.recorder.known.get(id(indices))
        if known is None or known.node < 0:
            return None
        record = op.recorder.records[known.node]
        if record.function not in _WITH_INDICES:
            return None
        pooled = record.arguments[0] if record.arguments else record.keywords["input"]
        if _depends_on_sizes([*record.arguments[1:], *record.keywords.values()]):
            return None
        axes = len(record.parameters["kernel_size"])
        window = tuple(record.parameters[name] for name in ("kernel_size", "stride", "padding", "dilation"))
        return _Pool(op.shape(pooled)[-axes:], known.dims[-axes:], window)

    def stays_within(self, sizes: Shape) -> Condition:
        """Whether every index must lie in an output of these sizes: no shorter rows, and all rows that are used."""
        kernel, stride, padding, dilation = (each[0] for each in self.window)
        used = (self.made[0] - 1) * stride - padding + dilation * (kernel - 1) + 1
        first = function_of(sizes[0])
        rows = any_of([at_least(first, function_of(used)), at_least(first, function_of(self.taken[0]))])
        columns = zip(sizes[1:], self.taken[1:], strict=True)
        return all_of([rows, *(at_least(function_of(size), function_of(n)) for size, n in columns)])


def _depends_on_sizes(arguments: list[Any]) -> bool:
    flat = [part for each in arguments for part in (each if isinstance(each, (tuple, list)) else [each])]
    return any(map(symbolic, flat))


_WITH_INDICES = frozenset(getattr(functional, f"max_pool{axes}d_with_indices") for axes in (1, 2, 3))

for _axes in (1, 2, 3):
    size_rule(getattr(functional, f"max_unpool{_axes}d"))(partial(_max_unpool, axes=_axes))
