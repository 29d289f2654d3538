"""Scaled dot product attention.

https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html; requirements:
aten/src/ATen/native/transformers/attention.cpp and sdp_utils_cpp.h.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.elementwise import fits
from shapelint.ops.view import ones
from shapelint.size.condition import equal
from shapelint.size.number import function_of
from shapelint.size.tracking import symbolic
from shapelint.trace.recording.arguments import outside_autocast
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor


@size_rule(torch.nn.functional.scaled_dot_product_attention)
def _attention(
    op: Operation,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Result:
    """(..., L, E) with keys (..., S, E) and values (..., S, V) gives (..., L, V)."""
    asked, keys, values = op.shape(query), op.shape(key), op.shape(value)
    if min(len(asked), len(keys), len(values)) < 2:
        op.refuse(Kind.ARGUMENT, "scaled_dot_product_attention wants at least two dimensions")
    _check_dtype(op, query, key, value)
    if enable_gqa:
        keys, values = _grouped(op, asked, keys), _grouped(op, asked, values)
    text = "mat1 and mat2 shapes cannot be multiplied (...x{left} and {right}xS)"
    op.require_equal(asked[-1], keys[-1], Kind.CHANNELS, text)
    _check_values(op, keys, values)
    lead = op.broadcast(asked[:-2], keys[:-2], values[:-2])
    if attn_mask is not None:
        _check_mask(op, attn_mask, query, (*lead, asked[-2], keys[-2]), causal=is_causal)
    tensors = (query, key, value)
    fused = _is_fused(tensors, attn_mask, dropout_p, grouped=enable_gqa)
    return _attended(op, (*lead, asked[-2], values[-1]), tensors, fused=fused)


def _check_dtype(op: Operation, *tensors: Tensor) -> None:
    if not outside_autocast(*tensors):
        op.refuse(Kind.ARGUMENT, "Expected query, key, and value to have the same dtype")
    if not (tensors[0].is_floating_point() or tensors[0].is_complex()):
        op.refuse(Kind.ARGUMENT, f"expected scalar type Float but found {tensors[0].dtype}")


def _grouped(op: Operation, asked: Shape, shape: Shape) -> Shape:
    """Keys or values with their heads, which must divide those of the query, repeated to as many."""
    if len(asked) < 3 or len(shape) < 3:
        op.refuse(Kind.ARGUMENT, "scaled_dot_product_attention: enable_gqa wants at least three dimensions")
    heads, groups = asked[-3], shape[-3]
    if symbolic(heads) or symbolic(groups) or not groups:
        raise NoRule
    if heads % groups:
        op.refuse(Kind.CHANNELS, "Number of heads in key and value must divide the number of heads in query")
    return (*shape[:-3], heads, *shape[-2:])


def _check_values(op: Operation, keys: Shape, values: Shape) -> None:
    """As many values as keys; the fused kernel of the CPU, for four dimensions, does not look."""
    same = equal(function_of(keys[-2]), function_of(values[-2]))
    if len(keys) != 4:
        text = "scaled_dot_product_attention: {left} keys but {right} values"
        op.require(same, Kind.JOIN, text, between=(keys[-2], values[-2]))
    elif not op.decide(same):
        op.recorder.leak("an attention over more or fewer values than keys, which PyTorch does not check")


def _check_mask(op: Operation, mask: Tensor, query: Tensor, weights: Shape, *, causal: bool) -> None:
    """It must broadcast to the weights; for four dimensions it depends on the kernel what else it may be."""
    if mask.dtype not in (torch.bool, torch.float32, query.dtype):
        op.refuse(Kind.ARGUMENT, f"Expected attn_mask dtype to be bool or float or {query.dtype}, but got {mask.dtype}")
    shape = op.shape(mask)
    if causal and len(weights) == 4:
        op.recorder.leak("whether an attn_mask beside is_causal=True is accepted depends on the kernel")
    elif causal:
        op.refuse(Kind.ARGUMENT, "Explicit attn_mask should not be set when is_causal=True")
    if len(shape) < 2 and len(weights) == 4:
        op.recorder.leak("whether an attn_mask of fewer than two dimensions is accepted depends on the kernel")
    fits(op, shape, weights)


def _attended(op: Operation, shape: Shape, tensors: tuple[Tensor, Tensor, Tensor], *, fused: bool) -> Result:
    """The fused kernel on the CPU gives the strides of the query, the others what is contiguous."""
    query = tensors[0]
    op.layout = tuple(condition for tensor in tensors for condition in ones(op.shape(tensor)))
    if not query.is_meta:
        return Kernel((shape,))
    return Fresh(shape, query, layout=query if fused else torch.contiguous_format)


def _is_fused(tensors: tuple[Tensor, Tensor, Tensor], mask: Tensor | None, dropout: float, *, grouped: bool) -> bool:
    """`use_flash_attention_cpp` of sdp_utils_cpp.cpp: four dimensions, one batch and one head size."""
    if any(tensor.dim() != 4 or tensor.stride(-1) != 1 for tensor in tensors) or dropout > 0:
        return False
    if mask is not None and (mask.dim() not in (2, 4) or mask.requires_grad):
        return False
    heads = {tensor.shape[1] for tensor in (tensors[1:] if grouped else tensors)}
    same = {(tensor.shape[0], tensor.shape[3]) for tensor in tensors}
    return len(heads) == len(same) == 1
