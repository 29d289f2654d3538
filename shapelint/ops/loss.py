"""Losses: which shapes meet, and what is left of them.

https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions; requirements: aten/src/ATen/native/Loss.cpp and
LossNLL.cpp. The functions of `torch.nn.functional` are called with every option by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from shapelint.ops.elementwise import fits
from shapelint.ops.index_origin import data_of, follows_from_sizes, is_of_an_input, mixed_with_sizes
from shapelint.ops.index_range import bounds_of
from shapelint.ops.slices import check_index
from shapelint.size.condition import all_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_F = torch.nn.functional
_NN = torch._C._nn
_ANY_TARGETS = "targets, whose values must lie below the number of classes"
_NUMBERED = {0: "none", 1: "mean", 2: "sum"}


def _made(op: Operation, shape: Shape, reduction: Any = "mean", *, size_average: Any = None, reduce: Any = None,
          also: tuple[str, ...] = (), **options: Any) -> Result:  # fmt: skip
    """One number, or the shape of the losses where nothing is reduced."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    reduction = _NUMBERED.get(reduction, reduction)
    if reduction not in ("none", "mean", "sum", *also):
        op.refuse(Kind.ARGUMENT, f"{reduction} is not a valid value for reduction")
    return Kernel((shape,)) if reduction == "none" else Kernel(((),))


def _same(op: Operation, one: Shape, two: Shape, text: str) -> None:
    if len(one) != len(two):
        op.refuse(Kind.JOIN, f"{op.name}: {text}: {len(one)} dimensions and {len(two)}")
    for left, right in zip(one, two, strict=True):
        op.require_equal(left, right, Kind.JOIN, f"{op.name}: {text}: {{left}} and {{right}}")


def _elementwise(op: Operation, input: Tensor, target: Tensor, *rest: Any, weight: Tensor | None = None,
                 **options: Any) -> Result:  # fmt: skip
    """Two tensors that broadcast; a weight has the size of the input."""
    if any(isinstance(each, Tensor) for each in rest):
        raise NoRule
    if options.get("beta", 0) < 0 or options.get("delta", 1) <= 0:
        op.refuse(Kind.ARGUMENT, f"{op.name}: a negative threshold")
    shape = op.broadcast(op.shape(input), op.shape(target))
    if weight is not None:
        _same(op, op.shape(weight), op.shape(input), "weights and input must have the same size")
        shape = op.broadcast(shape, op.shape(weight))
    return _made(op, shape, *rest[:1], **options)


@size_rule(_F.kl_div)
def _kl_div(op: Operation, input: Tensor, target: Tensor, **options: Any) -> Result:
    if options.get("reduction") == "batchmean" and not op.shape(input):
        raise NoRule
    options.pop("log_target", None)
    return _made(op, op.broadcast(op.shape(input), op.shape(target)), also=("batchmean",), **options)


@size_rule(_F.poisson_nll_loss, _F.hinge_embedding_loss)
def _broadcast(op: Operation, input: Tensor, target: Tensor, **options: Any) -> Result:
    kept = {name: each for name, each in options.items() if name in ("reduction", "size_average", "reduce")}
    return _made(op, op.broadcast(op.shape(input), op.shape(target)), **kept)


def _binary(op: Operation, input: Tensor, target: Tensor, *rest: Any, weight: Tensor | None = None,
            pos_weight: Tensor | None = None, **options: Any) -> Result:  # fmt: skip
    """Two tensors of one size; the weights broadcast to it."""
    if rest:
        raise NoRule
    shape = op.shape(input)
    _same(op, op.shape(target), shape, "target and input must have the same size")
    for each in (weight, pos_weight):
        if each is not None:
            fits(op, op.shape(each), shape)
    return _made(op, shape, **options)


@size_rule(_F.soft_margin_loss)
def _soft_margin(op: Operation, input: Tensor, target: Tensor, **options: Any) -> Result:
    fits(op, op.shape(target), op.shape(input))
    return _made(op, op.shape(input), **options)


@size_rule(_F.multilabel_soft_margin_loss)
def _multilabel_soft_margin(op: Operation, input: Tensor, target: Tensor, *, weight: Tensor | None = None,
                            **options: Any) -> Result:  # fmt: skip
    """The mean over the classes, which are the last axis."""
    shape = op.broadcast(op.shape(input), op.shape(target))
    if weight is not None:
        shape = op.broadcast(shape, op.shape(weight))
    if len(shape) != input.dim() or not shape:
        raise NoRule
    op.require_at_least(op.shape(input)[-1], 1, Kind.EMPTY, "division by zero: no classes")
    return _made(op, shape[:-1], **options)


@size_rule(_F.margin_ranking_loss)
def _margin_ranking(op: Operation, input1: Tensor, input2: Tensor, target: Tensor, *, margin: float = 0,
                    **options: Any) -> Result:  # fmt: skip
    shapes = [op.shape(each) for each in (input1, input2, target)]
    if len({len(shape) for shape in shapes}) > 1:
        op.refuse(Kind.JOIN, "margin_ranking_loss: the tensors must have the same number of dimensions")
    return _made(op, op.broadcast(*shapes), **options)


@size_rule(_F.cosine_embedding_loss)
def _cosine_embedding(op: Operation, input1: Tensor, input2: Tensor, target: Tensor, *, margin: float = 0,
                      **options: Any) -> Result:  # fmt: skip
    """Vectors and one target, or rows of a matrix and one target for each."""
    one, two, wanted = op.shape(input1), op.shape(input2), op.shape(target)
    if len(wanted) > 1 or len(one) != len(wanted) + 1 or len(two) != len(wanted) + 1:
        text = "cosine_embedding_loss: one target for each row of two matrices, or one for two vectors"
        op.refuse(Kind.JOIN, f"{text}; got {len(one)}, {len(two)} and {len(wanted)} dimensions")
    return _made(op, op.broadcast(op.broadcast(one, two)[:-1], wanted), **options)


@size_rule(_F.triplet_margin_loss)
def _triplet_margin(op: Operation, anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0,
                    p: float = 2, eps: float = 1e-6, swap: bool = False, **options: Any) -> Result:  # fmt: skip
    """The losses of the distances along the last axis."""
    shapes = [op.shape(each) for each in (anchor, positive, negative)]
    if len({len(shape) for shape in shapes}) > 1:
        op.refuse(Kind.JOIN, "triplet_margin_loss: the tensors must have the same number of dimensions")
    if margin <= 0 or not shapes[0]:
        raise NoRule
    near, far = (op.broadcast(shapes[0], other)[:-1] for other in shapes[1:])
    if swap:
        far = op.broadcast(far, op.broadcast(*shapes[1:])[:-1])
    return _made(op, op.broadcast(near, far), **options)


@size_rule(_F.cross_entropy)
def _cross_entropy(op: Operation, input: Tensor, target: Tensor, *, ignore_index: int = -100,
                   label_smoothing: float = 0.0, **options: Any) -> Result:  # fmt: skip
    """A class for each place, or a probability for each class and place."""
    if not target.is_floating_point():
        return _nll(op, input, target, ignore_index=ignore_index, **options)
    shape, weight = op.shape(input), options.pop("weight", None)
    _same(op, op.shape(target), shape, "input and class probabilities must have the same size")
    axis = _classes(op, shape, weight)
    return _made(op, (*shape[:axis], *shape[axis + 1 :]), **options)


@size_rule(_F.nll_loss)
def _nll(op: Operation, input: Tensor, target: Tensor, *, weight: Tensor | None = None, ignore_index: int = -100,
         **options: Any) -> Result:  # fmt: skip
    """The targets have the shape of the input without the axis of the classes."""
    shape, wanted = op.shape(input), op.shape(target)
    axis = _classes(op, shape, weight)
    rest = (*shape[:axis], *shape[axis + 1 :])
    if len(wanted) == len(shape) == 1:
        raise NoRule
    _same(op, wanted, rest, "targets and input must have the same size beside the classes")
    _check_targets(op, target, shape[axis], ignore_index)
    return _made(op, rest, **options)


def _check_targets(op: Operation, target: Tensor, classes: int, ignored: int) -> None:
    """Each target is a class or the one to ignore; those made of integers of an input are taken to be."""
    bounds, known = bounds_of(op, target), op.recorder.known[id(target)]
    if bounds is None:
        given = known.node < 0 or is_of_an_input(op, target, floats=True)
        of_integers = any(not each.is_floating_point() for each in data_of(op, target))
        given = given or (of_integers and not mixed_with_sizes(op, target))
        if symbolic(classes) or not given:
            op.recorder.leak(_ANY_TARGETS, unseen=not (given or follows_from_sizes(op, target)))
        return
    low, high, none = function_of(bounds.low), function_of(bounds.high), constant(0)
    if op.decide(all_of([at_least(low, none), at_least(function_of(classes), high.plus(1))])):
        return
    wrong = [each for each in (bounds.low, bounds.high) if not op.decide(equal(function_of(each), constant(ignored)))]
    for value in wrong if bounds.attained else ():
        check_index(op, classes, value, 1, [equal(function_of(dim), none) for dim in op.shape(target)], negative=False)
    if wrong:
        op.recorder.leak(_ANY_TARGETS, unseen=not follows_from_sizes(op, target))


def _classes(op: Operation, shape: Shape, weight: Tensor | None) -> int:
    """The axis of the classes, with as many weights."""
    if not shape:
        op.refuse(Kind.ARGUMENT, f"{op.name}: an input without dimensions")
    axis = min(1, len(shape) - 1)
    if weight is not None:
        if weight.dim() != 1:
            op.refuse(Kind.ARGUMENT, f"{op.name}: weight tensor should be 1-D, got {weight.dim()}-D")
        text = "weight tensor should be defined either for all {left} classes or no classes but got {right}"
        op.require_equal(shape[axis], op.shape(weight)[0], Kind.CHANNELS, text)
    return axis


def _register(rule: Callable[..., Result], *names: str) -> None:
    functions = [getattr(home, name) for name in names for home in (_F, _NN) if hasattr(home, name)]
    size_rule(*dict.fromkeys(functions))(rule)


_register(_elementwise, "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
_register(_binary, "binary_cross_entropy")
size_rule(_F.binary_cross_entropy_with_logits)(_binary)
