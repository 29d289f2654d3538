"""Multi-head attention as `nn.MultiheadAttention` calls it, and so the layers of `nn.Transformer`.

The requirements are those of `torch.nn.functional.multi_head_attention_forward`, and of the fast path that the
module takes in evaluation mode without gradients (aten/src/ATen/native/transformers/attention.cpp).
"""

from __future__ import annotations

import inspect
import sys
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import torch

from shapelint.ops.view import ones
from shapelint.size.bound import lower_bound
from shapelint.size.condition import Condition, all_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import symbolic
from shapelint.trace.fitting.inside import value_inside
from shapelint.trace.recording.arguments import one_dtype, outside_autocast
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, NoRule, Operation, Plain, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_FUNCTION = torch.nn.functional.multi_head_attention_forward
_SIGNATURE = inspect.signature(_FUNCTION)
_MODULE = torch.nn.MultiheadAttention.forward.__code__
_GUESS = torch.nn.modules.transformer._detect_is_causal_mask.__code__
_NO_FAST_PATH_BUT_FOR_US = "some Tensor argument has_torch_function"


@size_rule(_FUNCTION)
def _multi_head_attention(op: Operation, *args: Any, **kwargs: Any) -> Result:
    """(L, N, E) for the queries, and the weights (N, L, S) where they are wanted; N may be missing in all."""
    bound = _SIGNATURE.bind(*args, **kwargs)
    bound.apply_defaults()
    given = SimpleNamespace(**bound.arguments)
    if not _has_usual_parameters(op, given):
        return Plain(value_inside(op.recorder, op.function, args, kwargs))
    asked, keys, values = op.shape(given.query), op.shape(given.key), op.shape(given.value)
    if len(asked) not in (2, 3) or len(keys) != len(asked) or len(values) != len(asked):
        text = f"query should be unbatched 2D or batched 3D tensor, and key and value alike; got {len(asked)}D"
        op.refuse(Kind.ARGUMENT, f"{text}, {len(keys)}D and {len(values)}D")
    one_dtype(op, given.query, given.key, given.value, given.out_proj_weight)
    _check_supported(given)
    _check_projections(op, given, asked, keys, values)
    batch = asked[1] if len(asked) == 3 else 1
    if len(asked) == 3:
        op.require_equal(keys[1], batch, Kind.JOIN, "the batch of the key ({left}) is not that of the query ({right})")
    _check_filled(op, (asked[0], keys[0], batch))
    fast = _takes_fast_path() and given.in_proj_bias is not None
    _check_masks(op, given, (asked[0], keys[0], batch), fast=fast)
    return _result(op, given, asked, keys[0], fast=fast)


def _has_usual_parameters(op: Operation, given: SimpleNamespace) -> bool:
    """Whether the parameters have the fixed sizes of the module's; else the function's own calls are followed."""
    embed = plain(given.embed_dim_to_check)
    usual = {"in_proj_bias": (3 * embed,), "out_proj_bias": (embed,), "bias_k": (1, 1, embed), "bias_v": (1, 1, embed)}
    for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj_weight", *usual):
        tensor = getattr(given, name)
        shape = () if tensor is None else op.shape(tensor)
        if any(map(symbolic, shape)) or tuple(shape) != usual.get(name, tuple(shape)) * (tensor is not None):
            return False
    return True


def _check_supported(given: SimpleNamespace) -> None:
    tensors = [given.query, given.key, given.value, given.out_proj_weight]
    masks = [mask for mask in (given.attn_mask, given.key_padding_mask) if mask is not None]
    if given.static_k is not None or given.static_v is not None or (given.bias_k is None) != (given.bias_v is None):
        raise NoRule
    if not outside_autocast(*tensors, *(mask for mask in masks if mask.dtype is not torch.bool)):
        raise NoRule


def _check_projections(op: Operation, given: SimpleNamespace, asked: Shape, keys: Shape, values: Shape) -> None:
    """Query, keys and values must have the channels of their weights, and as many keys as values there must be."""
    embed = plain(given.embed_dim_to_check)
    if embed % given.num_heads:
        op.refuse(Kind.ARGUMENT, f"embed_dim {embed} not divisible by num_heads {given.num_heads}")
    text = "was expecting embedding dimension of {right}, but got {left}"
    op.require_equal(asked[-1], embed, Kind.CHANNELS, text)
    for one, two in zip(keys[:-1], values[:-1], strict=True):
        op.require_equal(one, two, Kind.JOIN, "key shape {left} does not match value shape {right}")
    for shape, width in ((keys, _width(given, "k_proj_weight")), (values, _width(given, "v_proj_weight"))):
        op.require_equal(shape[-1], width, Kind.CHANNELS, "was expecting {right} channels, but got {left}")


def _width(given: SimpleNamespace, name: str) -> int:
    """The channels that a projection takes; NoRule for weights of another shape than those of the module."""
    embed = plain(given.embed_dim_to_check)
    weight = getattr(given, name) if given.use_separate_proj_weight else given.in_proj_weight
    rows = embed if given.use_separate_proj_weight else 3 * embed
    if weight is None or weight.dim() != 2 or weight.shape[0] != rows or given.out_proj_weight.shape != (embed, embed):
        raise NoRule
    if not given.use_separate_proj_weight and weight.shape[1] != embed:
        raise NoRule
    return int(weight.shape[1])


def _check_filled(op: Operation, sizes: Shape) -> None:
    open_ended = [function for function in map(function_of, sizes) if (lower_bound(function) or 0) < 1]
    if not op.decide(all_of(at_least(function, constant(1)) for function in open_ended)):
        op.recorder.leak("an attention over an empty tensor")


def _takes_fast_path() -> bool:
    """Whether the module that calls would take its fast path, were it not for our seeing its calls."""
    frame = _frame(_MODULE)
    return frame is not None and frame.f_locals.get("why_not_fast_path") == _NO_FAST_PATH_BUT_FOR_US


def guesses_causality() -> bool:
    """Whether it is a layer of torch that asks, whether its mask is causal: a hint on which no size depends."""
    return _frame(_GUESS) is not None


def _frame(code: CodeType) -> FrameType | None:
    """The innermost call of this function among those that are running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame


@size_rule(torch._nested_tensor_from_mask_left_aligned)
def _left_aligned(op: Operation, t: Tensor, mask: Tensor) -> Plain:
    """`nn.TransformerEncoder` asks, whether all padding is at the end; its output has the same size either way."""
    shape, places = op.shape(t), op.shape(mask)
    if len(shape) != 3 or len(places) != 2 or mask.dtype is not torch.bool:
        raise NoRule
    text = "the key_padding_mask must have the batch and the length of the input: {left} against {right}"
    op.require(_alike(places, shape[:2]), Kind.JOIN, text, between=(places[1], shape[1]))
    return Plain(False)


_ANY_MASK = "the fast path of attention takes any mask with as many elements"


def _check_masks(op: Operation, given: SimpleNamespace, sizes: tuple[int, int, int], *, fast: bool) -> None:
    """(L, S) or (N heads, L, S) for the attention, (N, S) for the padding of the keys, which has no N unbatched."""
    length, count, batch = sizes
    batched = given.query.dim() == 3
    mask, padding = given.attn_mask, given.key_padding_mask
    if given.is_causal and mask is None and not fast:
        op.refuse(Kind.ARGUMENT, "Need attn_mask if specifying the is_causal hint.")
    if padding is not None:
        shape = op.shape(padding)
        keys = (batch, count) if batched else (count,)
        if len(shape) != len(keys):
            op.refuse(Kind.ARGUMENT, f"expected `key_padding_mask` to be {len(keys)}-D but found {len(shape)}-D")
        text = "Expected key_padding_mask of size {right}, but got {left}"
        op.require(_alike(shape, keys), Kind.JOIN, text, between=(shape[-1], count))
    if mask is None:
        return
    shape = op.shape(mask)
    if len(shape) not in (2, 3):
        if fast:
            op.recorder.leak(_ANY_MASK)
        op.refuse(Kind.ARGUMENT, f"attn_mask's dimension {len(shape)} is not supported")
    if given.is_causal and padding is None and not given.need_weights and not fast and (batched or len(shape) == 2):
        return
    wanted = (length, count) if len(shape) == 2 else (batch * plain(given.num_heads), length, count)
    _check_attention_mask(op, shape, wanted, fast=fast)


def _check_attention_mask(op: Operation, shape: Shape, wanted: Shape, *, fast: bool) -> None:
    """The fast path takes any shape with as many elements."""
    text = "The shape of the attn_mask should be that of the attention, whose sizes include {right}, but is {left}"
    square = len(shape) == 2 and function_of(shape[0]) is function_of(shape[1])
    if fast and not square:
        if not op.decide(_alike(shape, wanted)):
            op.recorder.leak(_ANY_MASK)
            op.refuse(Kind.JOIN, text)
        return
    op.require(_alike(shape, wanted), Kind.JOIN, text, between=(shape[-1], wanted[-1]))


def _alike(shape: Shape, wanted: Shape) -> Condition:
    return all_of(equal(function_of(one), function_of(two)) for one, two in zip(shape, wanted, strict=True))


def _result(op: Operation, given: SimpleNamespace, asked: Shape, count: int, *, fast: bool) -> Result:
    """The attended values, which the fast path gives batch first in memory, and the weights."""
    output: Result = Fresh(asked, given.query)
    if fast:
        length, batch, embed = map(plain, asked)
        op.layout = ones(asked)
        memory = torch.empty((batch, length, embed), dtype=given.query.dtype, device="meta")
        output = Fresh(asked, given.query, None, memory.transpose(0, 1))
    if not given.need_weights:
        return (output, Plain(None))
    count = count + (given.bias_k is not None) + bool(given.add_zero_attn)
    heads = () if given.average_attn_weights else (plain(given.num_heads),)
    return (output, Fresh((*asked[1:-1], *heads, asked[0], count), given.query))
