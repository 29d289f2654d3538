"""Order, counts and draws: `searchsorted`, `kthvalue`, `quantile`, `one_hot`, `multinomial` and their kind.

https://docs.pytorch.org/docs/stable/torch.html; requirements: aten/src/ATen/native/BucketizationUtils.h, Sorting.cpp.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.index import check_tensor, counted
from shapelint.ops.index_range import bounds_of
from shapelint.ops.reduce import reduced
from shapelint.size.condition import at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, larger
from shapelint.trace.recording.arguments import dimension, dimensions
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule, spellings
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_F = torch.nn.functional
_MOST = 1 << 24


@size_rule(torch.bucketize)
def _bucketize(op: Operation, input: Any, boundaries: Tensor, **options: Any) -> Result:
    if len(op.shape(boundaries)) != 1:
        op.refuse(Kind.ARGUMENT, "bucketize: boundaries tensor must be 1 dimension")
    return Kernel((op.shape(input) if isinstance(input, Tensor) else (),))


@size_rule(torch.searchsorted)
def _searchsorted(op: Operation, sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False,
                  side: str | None = None, sorter: Tensor | None = None) -> Result:  # fmt: skip
    """The sequence has one dimension, or those of the input but for the last."""
    line, shape = op.shape(sorted_sequence), op.shape(input) if isinstance(input, Tensor) else ()
    if right and side == "left":
        op.refuse(Kind.ARGUMENT, "torch.searchsorted(): side and right can't be set to opposites, got left and True")
    if sorter is not None:
        _check_same(op, op.shape(sorter), line, "boundary and sorter must have the same size")
    if not line:
        op.refuse(Kind.ARGUMENT, "torch.searchsorted(): boundaries tensor should have positive dimension")
    if len(line) != 1:
        _check_same(op, shape[:-1], line[:-1], "boundaries should have 1 dimension or the input's first ones")
        if len(shape) != len(line):
            op.refuse(Kind.JOIN, f"torch.searchsorted(): {len(line)} dimensions of boundaries for {len(shape)}")
    return Kernel((shape,))


def _check_same(op: Operation, one: Shape, two: Shape, text: str) -> None:
    if len(one) != len(two):
        op.refuse(Kind.JOIN, f"{op.name}: {text}")
    for left, right in zip(one, two, strict=True):
        op.require_equal(left, right, Kind.JOIN, f"{op.name}: {text}: {{left}} and {{right}}")


@size_rule(torch.kthvalue, Tensor.kthvalue)
def _kthvalue(op: Operation, input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Result:
    shape = op.shape(input)
    axis = dimension(op, dim, len(shape))
    size, text = shape[axis] if shape else 1, "kthvalue(): selected number k out of range for dimension {left}"
    op.require_at_least(size, 1, Kind.EMPTY, "kthvalue(): Expected reduction dim to have non-zero size.")
    op.require_at_least(k, 1, Kind.INDEX, text)
    op.require_at_least(size, k, Kind.INDEX, text)
    return Kernel((reduced(shape, (axis,), keepdim),) * 2)


@size_rule(*spellings("quantile", inplace=False), *spellings("nanquantile", inplace=False))
def _quantile(op: Operation, input: Tensor, q: Any, dim: Any = None, keepdim: bool = False, *,
              interpolation: str = "linear") -> Result:  # fmt: skip
    """One result for each of the fractions, as a first axis; of one alone, none."""
    shape = op.shape(input)
    fractions = op.shape(q) if isinstance(q, Tensor) else ()
    if len(fractions) > 1:
        op.refuse(Kind.ARGUMENT, "quantile() q must be a scalar or 1D tensor")
    axes = dimensions(op, dim if dim is None else (dim,), len(shape))
    for size in shape:
        op.require_at_least(size, 1, Kind.EMPTY, "quantile() input tensor must be non-empty")
    count = 1
    for axis in axes:
        count = (shape or (1,))[axis] * count
    if function_of(count).affine:
        op.require_at_least(_MOST, count, Kind.ARGUMENT, "quantile() input tensor is too large")
    else:
        op.recorder.leak(f"`quantile` takes {_MOST} elements at most")
    return Fresh((*fractions, *reduced(shape, axes, keepdim)), input)


@size_rule(*spellings("msort", inplace=False))
def _msort(op: Operation, input: Tensor) -> Result:
    shape = op.shape(input)
    if not shape:
        raise NoRule
    return Kernel((shape,))


@size_rule(torch.aminmax, Tensor.aminmax)
def _aminmax(op: Operation, input: Tensor, *, dim: Any = None, keepdim: bool = False) -> Result:
    shape = op.shape(input)
    axes = tuple(range(len(shape))) if dim is None else (dimension(op, dim, len(shape)),)
    for axis in axes if shape else ():
        op.require_at_least(shape[axis], 1, Kind.EMPTY, "aminmax(): Expected reduction dim to have non-zero size.")
    return Kernel((reduced(shape, axes, keepdim),) * 2)


@size_rule(torch.count_nonzero, Tensor.count_nonzero)
def _count_nonzero(op: Operation, input: Tensor, dim: Any = None) -> Result:
    shape = op.shape(input)
    return Kernel((reduced(shape, dimensions(op, dim, len(shape)), False),))


@size_rule(torch.isin)
def _isin(op: Operation, elements: Any, test_elements: Any, **options: Any) -> Result:
    return Kernel((op.shape(elements) if isinstance(elements, Tensor) else (),))


@size_rule(torch.histc, Tensor.histc)
def _histc(op: Operation, input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0) -> Result:
    op.require_at_least(bins, 1, Kind.ARGUMENT, "histc(): bins must be > 0")
    return Fresh((bins,), input)


@size_rule(torch.bincount, Tensor.bincount)
def _bincount(op: Operation, input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Result:
    """A count for each number up to the greatest, at least `minlength` counts."""
    shape, text = op.shape(input), "bincount only supports 1-d non-negative integral inputs"
    if len(shape) != 1:
        op.refuse(Kind.ARGUMENT, text)
    op.require_at_least(minlength, 0, Kind.ARGUMENT, "minlength should be >= 0")
    if weights is not None:
        _check_same(op, op.shape(weights), shape, "weights should be 1-d and have the same length as input")
    bounds, none = bounds_of(op, input), equal(function_of(shape[0]), constant(0))
    if bounds is None or not op.decide(at_least(function_of(bounds.low), constant(0))) or op.decide(none):
        return counted(op)
    if not bounds.attained and not op.decide(at_least(function_of(minlength), function_of(bounds.high + 1))):
        return counted(op)
    kind = torch.int64 if weights is None else torch.float32 if weights.dtype is torch.float32 else torch.float64
    return Fresh((larger(minlength, bounds.high + 1),), input, kind)


@size_rule(_F.one_hot)
def _one_hot(op: Operation, tensor: Tensor, num_classes: int = -1) -> Result:
    """A new last axis of the classes."""
    if tensor.dtype is not torch.int64:
        op.refuse(Kind.ARGUMENT, f"one_hot is only applicable to index tensor of type LongTensor, not {tensor.dtype}")
    if op.decide(equal(function_of(num_classes), constant(-1))):
        raise Unanalysable("`one_hot` without `num_classes`: how many classes there are depends on values")
    op.require_at_least(num_classes, 1, Kind.ARGUMENT, "num_classes should be positive")
    check_tensor(op, tensor, num_classes)
    return Fresh((*op.shape(tensor), num_classes), tensor)


@size_rule(torch.multinomial, Tensor.multinomial)
def _multinomial(op: Operation, input: Tensor, num_samples: int, replacement: bool = False, *,
                 generator: Any = None) -> Result:  # fmt: skip
    shape = op.shape(input)
    if not 1 <= len(shape) <= 2:
        op.refuse(Kind.ARGUMENT, f"prob_dist must be 1 or 2 dim, got {len(shape)}")
    op.require_at_least(num_samples, 1, Kind.ARGUMENT, "cannot sample n_sample <= 0 samples")
    op.require_at_least(_MOST, shape[-1], Kind.ARGUMENT, "number of categories cannot exceed 2^24")
    if not replacement:
        text = "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        op.require_at_least(shape[-1], num_samples, Kind.ARGUMENT, text)
    else:
        op.require_at_least(shape[-1], 1, Kind.ARGUMENT, "multinomial: no categories")
    return Fresh((*shape[:-1], num_samples), input, torch.int64)


@size_rule(torch.poisson)
def _poisson(op: Operation, input: Tensor, generator: Any = None) -> Result:
    return Fresh(op.shape(input), input)


@size_rule(torch.bernoulli, Tensor.bernoulli)
def _drawn(op: Operation, input: Tensor, p: Any = None, *, generator: Any = None) -> Result:
    return Kernel((op.shape(input),))


@size_rule(torch.normal)
def _normal(op: Operation, mean: Any, std: Any = 1.0, size: Any = None, **options: Any) -> Result:
    """Of tensors that broadcast, or of a given size."""
    tensors = [each for each in (mean, std) if isinstance(each, Tensor)]
    if not tensors or size is not None or options:
        raise NoRule
    return Fresh(op.broadcast(*map(op.shape, tensors)), tensors[0])
