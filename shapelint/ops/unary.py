"""Functions of one tensor that keep its shape: activations, dropout, casts, fills, copies."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from shapelint.ops.elementwise import in_place
from shapelint.ops.view import ones
from shapelint.size.condition import Condition, all_of, at_least, divisible, equal, negate
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.trace.fitting.dtypes import check_dtypes, check_settings
from shapelint.trace.memory.layout import is_like_channels_last, suggested_format
from shapelint.trace.recording.arguments import dimension, is_copied, one_dtype
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import (
    Fresh,
    Kernel,
    NoRule,
    Operation,
    Result,
    Same,
    size_rule,
    spellings,
)
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_F = torch.nn.functional

_KEPT = (
    "abs", "absolute", "neg", "negative", "positive", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt",
    "rsqrt", "square", "reciprocal", "sin", "cos", "tan", "asin", "acos", "atan", "arcsin", "arccos", "arctan", "sinh",
    "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "erfinv", "lgamma", "digamma", "sigmoid", "expit",
    "floor", "ceil", "round", "trunc", "fix", "frac", "sign", "sgn", "sinc", "nan_to_num", "deg2rad", "rad2deg", "i0",
    "relu", "relu6", "elu", "selu", "celu", "gelu", "silu", "mish", "leaky_relu", "hardswish", "hardsigmoid",
    "softplus", "softsign", "tanhshrink", "softshrink", "hardshrink", "threshold", "rrelu", "clone", "dropout",
    "alpha_dropout", "feature_alpha_dropout", "feature_dropout", "dropout1d", "dropout2d", "dropout3d", "bitwise_not",
    "logit", "hardtanh", "__invert__", "__neg__", "__pos__", "__abs__",
)  # fmt: skip
_FILLS = (
    "fill",
    "zero",
    "normal",
    "uniform",
    "bernoulli",
    "random",
    "exponential",
    "geometric",
    "cauchy",
    "log_normal",
)
_TESTS = ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit")
_CONTIGUOUS = ("softmax", "log_softmax", "softmin", "cumsum", "cumprod", "logcumsumexp", "logsigmoid", "tril", "triu")
_PROBABILITIES = frozenset({
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "feature_dropout",
})  # fmt: skip
_UNBATCHED = {"dropout1d": 2, "dropout3d": 4}  # made a batch of one, which is another tensor over the same memory
_CASTS = {"float": torch.float32, "half": torch.float16, "double": torch.float64, "bfloat16": torch.bfloat16,
          "int": torch.int32, "long": torch.int64, "short": torch.int16, "char": torch.int8, "byte": torch.uint8,
          "bool": torch.bool}  # fmt: skip


def kept(op: Operation, input: Tensor, dtype: torch.dtype | None = None) -> Result:
    """A new tensor with the shape and the strides of the input."""
    return Fresh(op.shape(input), input, dtype, _layout(op, input))


def _layout(op: Operation, input: Tensor) -> Tensor | None:
    return None if input.is_contiguous() and not op.recorder.known[id(input)].layout else input


def _inplace_position(function: Callable[..., Any]) -> int | None:
    """Where the argument `inplace` stands among the positional ones, if there is one."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    return names.index("inplace") if "inplace" in names else None


def _elementwise(
    op: Operation, input: Tensor, *rest: Any, position: int | None, out: Any = None, **named: Any
) -> Result:
    if out is not None or any(isinstance(each, Tensor) for each in (*rest, *named.values())):
        raise NoRule
    if op.name in _PROBABILITIES:
        _check_probability(op, named.get("p", rest[0] if rest else 0.5))
        if _UNBATCHED.get(op.name) == input.dim():
            return Kernel((op.shape(input),))
        if not _drops(op, *rest, **named) or not op.decide(_not_empty(op.shape(input))):
            return Same(input, op.shape(input))
    check_settings(op, input, *rest, **named)
    if op.name in ("positive", "__pos__"):
        return Same(input, op.shape(input))
    inplace = named.get("inplace", position is not None and len(rest) >= position and rest[position - 1])
    if inplace or (op.name.endswith("_") and not op.name.endswith("__")):
        return in_place(op, input)
    if not input.is_floating_point() and op.name != "clone":
        return Kernel((op.shape(input),))
    if "memory_format" in named:
        op.layout = ones(op.shape(input))
        return Kernel((op.shape(input),))
    return Fresh(op.shape(input), input) if op.name == "rrelu" else kept(op, input)


def _check_probability(op: Operation, p: Any) -> None:
    if isinstance(p, (int, float)) and not 0 <= p <= 1:
        op.refuse(Kind.ARGUMENT, f"dropout probability has to be between 0 and 1, but got {p}")


def _drops(op: Operation, p: Any = 0.5, training: Any = None, *rest: Any, **named: Any) -> bool:
    """Whether a dropout makes a new tensor."""
    training = named.get("train", training)
    return bool(p) and bool("alpha" not in op.name if training is None else training)


def _not_empty(shape: Shape) -> Condition:
    return all_of(at_least(function_of(dim), constant(1)) for dim in shape)


def _fill(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    check_settings(op, input, *rest, **named)
    return in_place(op, input)


def _test(op: Operation, input: Tensor) -> Result:
    return kept(op, input, torch.bool)


def _contiguous(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    """Functions whose result is contiguous whatever the input is."""
    if named.get("out") is not None or op.name.endswith("_"):
        raise NoRule
    shape = op.shape(input)
    axis = named.get("dim", rest[0] if rest else None)
    if op.name in ("tril", "triu"):
        if len(shape) < 2:
            op.refuse(Kind.ARGUMENT, f"{op.name}: input tensor must have at least 2 dimensions")
    elif axis is not None:
        dimension(op, axis, len(shape))
    dtype = next((each for each in (*rest, *named.values()) if isinstance(each, torch.dtype)), None)
    if dtype is None:
        check_dtypes(op, input, *rest, **named)
    if not input.is_floating_point():
        return Kernel((shape,))
    return Fresh(shape, input, dtype)


@size_rule(_F.normalize)
def _normalize(op: Operation, input: Tensor, p: Any = 2.0, dim: Any = 1, eps: Any = 1e-12, out: Any = None) -> Result:
    for axis in dim if isinstance(dim, (tuple, list)) else (dim,):
        dimension(op, axis, input.dim())
    return kept(op, input) if out is None and input.is_floating_point() else Kernel((op.shape(input),))


@size_rule(_F.gumbel_softmax)
def _gumbel_softmax(
    op: Operation, logits: Tensor, tau: float = 1, hard: bool = False, *rest: Any, **named: Any
) -> Result:
    dimension(op, named.get("dim", rest[1] if len(rest) > 1 else -1), logits.dim())
    return Kernel((op.shape(logits),))


@size_rule(_F.glu, torch._C._nn.glu)
def _glu(op: Operation, input: Tensor, dim: int = -1) -> Result:
    """Halves an axis, which must be even."""
    shape = op.shape(input)
    if not shape:
        op.refuse(Kind.ARGUMENT, "glu does not support 0-dimensional tensors")
    axis = dimension(op, dim, len(shape))
    size = shape[axis]
    text = f"Halving dimension must be even, but dimension {axis} is size {{left}}"
    op.require(divisible(function_of(size), 2), Kind.ARGUMENT, text, between=(size, 2))
    return (
        Fresh((*shape[:axis], size // 2, *shape[axis + 1 :]), input)
        if input.is_contiguous()
        else Kernel(((*shape[:axis], size // 2, *shape[axis + 1 :]),))
    )


@size_rule(*spellings("prelu", inplace=False))
def _prelu(op: Operation, input: Tensor, weight: Tensor) -> Result:
    """One parameter, or one for each channel."""
    shape, parameters = op.shape(input), op.shape(weight)
    one_dtype(op, input, weight)
    if len(parameters) > 1:
        op.refuse(
            Kind.ARGUMENT, f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {len(parameters)}"
        )
    if parameters and not op.decide(equal(function_of(parameters[0]), constant(1))):
        channels = shape[1] if len(shape) > 1 else 1
        text = (
            f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {plain(parameters[0])} "
        )
        if not shape:
            op.refuse(Kind.ARGUMENT, "Not allow zero-dim input tensor.")
        op.require_equal(channels, parameters[0], Kind.CHANNELS, text + "and channel size = {left}.")
    return kept(op, input)


@size_rule(Tensor.contiguous)
def _made_contiguous(
    op: Operation, input: Tensor, memory_format: torch.memory_format = torch.contiguous_format
) -> Result:
    shape = op.shape(input)
    if memory_format in (torch.channels_last, torch.channels_last_3d):
        _check_rank(op, shape, memory_format)
        op.layout = ones(shape)
        return Kernel((shape,))
    met, layout = op.recorder.has_met, op.recorder.known[id(input)].layout
    settled = all(met(each) or met(negate(each)) for each in layout) or is_like_channels_last(input)
    return Same(input, shape) if settled and input.is_contiguous() else Fresh(shape, input)


def _check_rank(op: Operation, shape: Shape, memory_format: torch.memory_format) -> None:
    rank = 4 if memory_format is torch.channels_last else 5
    if len(shape) != rank:
        op.refuse(Kind.ARGUMENT, f"required rank {rank} tensor to use {str(memory_format)[6:]} format")


@size_rule(Tensor.to, Tensor.type_as, Tensor.type, Tensor.cpu, Tensor.cuda)
def _to(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    """A cast; the device stays, since all that a model computes with is on one device."""
    if op.name == "type" and not rest and not named:
        raise NoRule
    arguments = (*rest, *named.values())
    dtype: Any = next((each for each in arguments if isinstance(each, torch.dtype)), None)
    other = next((each for each in arguments if isinstance(each, Tensor)), None)
    dtype = dtype or (other.dtype if other is not None else input.dtype)
    layout = next((each for each in arguments if isinstance(each, torch.memory_format)), torch.preserve_format)
    shape, copies = op.shape(input), is_copied(rest, named)
    if layout in (torch.channels_last, torch.channels_last_3d):
        _check_rank(op, shape, layout)
    if dtype is input.dtype and not copies and layout in (torch.preserve_format, suggested_format(input)):
        return Same(input, shape)
    if layout is torch.preserve_format:
        return kept(op, input, dtype)
    return Fresh(shape, input, dtype, None if layout is torch.contiguous_format else layout)


def _cast(op: Operation, input: Tensor, *rest: Any, dtype: torch.dtype, **named: Any) -> Result:
    return Same(input, op.shape(input)) if dtype is input.dtype else kept(op, input, dtype)


def _like(op: Operation, input: Tensor, *rest: Any, **named: Any) -> Result:
    layout = named.get("memory_format")
    dtype = named.get("dtype")
    if layout is None or layout is torch.preserve_format:
        return kept(op, input, dtype)
    return Fresh(op.shape(input), input, dtype, None if layout is torch.contiguous_format else layout)


@size_rule(Tensor.detach, torch.detach, Tensor.detach_, Tensor.data.__get__, Tensor.requires_grad_)  # type: ignore[attr-defined]
def _alias(op: Operation, input: Tensor, *rest: Any) -> Result:
    if is_lazy(input):
        return Fresh((0,), input)
    return Kernel((op.shape(input),))


for _function in dict.fromkeys(function for name in _KEPT for function in spellings(name)):
    size_rule(_function)(partial(_elementwise, position=_inplace_position(_function)))
size_rule(*(getattr(Tensor, f"{name}_") for name in _FILLS), torch.fill_, torch.zero_)(_fill)
size_rule(*dict.fromkeys(function for name in _TESTS for function in spellings(name, inplace=False)))(_test)
size_rule(*dict.fromkeys(function for name in _CONTIGUOUS for function in spellings(name, inplace=False)))(_contiguous)
size_rule(*(spellings("logical_not", inplace=False)))(_test)
for _name, _dtype in _CASTS.items():
    size_rule(getattr(Tensor, _name))(partial(_cast, dtype=_dtype))
size_rule(*(getattr(torch, f"{name}_like") for name in ("zeros", "ones", "empty", "full", "rand", "randn", "randint")))(
    _like
)
