"""`repeat_interleave`: each element of an axis as often as a number says, or one number for each of them.

https://docs.pytorch.org/docs/stable/generated/torch.repeat_interleave.html
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.trace.recording.arguments import dimension
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Fresh, Operation, Result, size_rule
from shapelint.trace.recording.record import elements

Tensor = torch.Tensor


@size_rule(Tensor.repeat_interleave, torch.repeat_interleave)
def _repeat_interleave(op: Operation, input: Tensor, repeats: Any = None, dim: Any = None, *,
                       output_size: Any = None) -> Result:  # fmt: skip
    """Along an axis, or of the flattened tensor; of repeats alone, the places that they name."""
    if repeats is None:
        return Fresh((_total(op, input, output_size),), input)
    shape = op.shape(input)
    if dim is None:
        shape, dim = (elements(shape),), 0
    axis = dimension(op, dim, len(shape))
    count = _repeated(op, shape[axis], repeats, output_size)
    return Fresh((*shape[:axis], count, *shape[axis + 1 :]), input)


def _repeated(op: Operation, size: int, repeats: Any, output_size: Any) -> int:
    if isinstance(repeats, int):
        op.require_at_least(repeats, 0, Kind.ARGUMENT, "repeats must be non-negative")
        return size * repeats
    given = op.shape(repeats)
    if len(given) > 1:
        op.refuse(Kind.ARGUMENT, "repeats must be 0-dim or 1-dim tensor")
    if not given or given[0] == 1:
        return size * _total(op, repeats, None)
    text = "repeats must have the same size as input along dim, but got {right} repeats for {left}"
    op.require_equal(size, given[0], Kind.JOIN, text)
    return _total(op, repeats, output_size)


def _total(op: Operation, repeats: Tensor, output_size: Any) -> int:
    """The sum of the numbers in a tensor, or what it is said to be."""
    op.shape(repeats)
    values = op.recorder.known[id(repeats)].values
    if values is None and isinstance(output_size, int):
        op.recorder.leak("the `output_size` of `repeat_interleave`, which must be the sum of the repeats")
        return output_size
    if values is None:
        raise Unanalysable("`repeat_interleave`: how many elements it gives depends on values")
    total = 0
    for value in values:
        total = value + total
    return total
