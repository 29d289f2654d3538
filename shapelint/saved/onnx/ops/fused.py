"""What onnxruntime writes in the place of several operators when it saves a file that it optimised (com.microsoft)."""

from __future__ import annotations

from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape, same
from shapelint.saved.onnx.ops.conv import convolution

_MS = "com.microsoft"


@operator(f"{_MS}.FusedConv")
def _fused_conv(call: OperatorCall) -> Any:
    """A convolution, the sum with another tensor, and what follows element by element."""
    bias = [call.tensor(2)] if call.has(2) else []
    result = convolution(call, call.tensor(0), call.tensor(1), *bias)
    if not call.has(3):
        return result
    made = tuple(result.shape)
    needs = of_shape(call, 3, made, "what is added")
    return declared(Declaration("add", (made,), (call.dtype(),), needs), result, call.tensor(3))


@operator(f"{_MS}.FusedMatMul", f"{_MS}.TransposeMatMul")
def _fused_matmul(call: OperatorCall) -> Any:
    if call.integer("transBatchA") or call.integer("transBatchB"):
        raise call.unsupported("a transposed batch")
    first, second = (
        tensor.transpose(-1, -2) if call.integer(name) and tensor.dim() > 1 else tensor
        for tensor, name in ((call.tensor(0), "transA"), (call.tensor(1), "transB"))
    )
    return torch.matmul(first, second)


@operator(f"{_MS}.Gelu", f"{_MS}.QuickGelu", f"{_MS}.BiasGelu", f"{_MS}.FastGelu")
def _gelu(call: OperatorCall) -> Any:
    if call.has(1) and not call.rank(0):
        raise ValueError("a bias for a number")
    return call.made(call.shape(0), needs=of_shape(call, 1, call.shape(0)[-1:], "the bias"), of=(0,))


@operator(f"{_MS}.SkipLayerNormalization", f"{_MS}.SkipSimplifiedLayerNormalization")
def _skip_layer_norm(call: OperatorCall) -> Any:
    """The norm of a sum; the skip's batch is repeated or cut to the input's, whatever it is."""
    shape, skip = call.shape(0), call.shape(1)
    if len(shape) not in (2, 3) or len(skip) not in (2, 3) or len(skip) > len(shape):
        raise call.unsupported(f"an input of {len(shape)} axes and a skip of {len(skip)}")
    needs = [same(*pair, "the skip") for pair in zip(skip[-2:], shape[-2:], strict=True)]
    needs += [need for index in (2, 3, 4) for need in of_shape(call, index, shape[-1:], "a scale or bias")]
    return _normed(call, needs)


def _normed(call: OperatorCall, needs: list[Need]) -> Any:
    """The norm, and what was normed as the fourth output; the two between them are not made."""
    outputs = [*call.step.outputs, "", "", ""]
    if outputs[1] or outputs[2]:
        raise call.unsupported("a norm that gives its statistics too")
    shape = call.shape(0)
    shapes, dtypes = ((shape, shape), (call.dtype(),) * 2) if outputs[3] else ((shape,), (call.dtype(),))
    found = declared(Declaration("layer_norm", shapes, dtypes, tuple(needs)), *call.tensors_of((0, 1)))
    return (found[0], None, None, found[1]) if outputs[3] else found


@operator(f"{_MS}.EmbedLayerNormalization")
def _embedded(call: OperatorCall) -> Any:
    """Of ids: the sum of their rows in tables, normed; a mask's length for each; and the sum."""
    ids, table, places = call.shape(0), call.shape(2), call.shape(3)
    if len(ids) != 2 or len(table) != 2 or len(places) != 2:
        raise ValueError("ids and tables of two axes each are wanted")
    needs = [*of_shape(call, 1, ids, "the segments"), *of_shape(call, 7, ids, "the mask"),
             same(places[1], table[1], "the table of places")]  # fmt: skip
    needs += [need for index in (5, 6) for need in of_shape(call, index, table[1:], "a scale or bias")]
    if call.has(4):
        needs.append(same(call.shape(4)[1], table[1], "the table of segments"))
    if call.has(8):
        raise call.unsupported("places that are given")
    needs.append(Need(places[0], ids[1], Kind.INDEX, "a table of {left} places for {right} tokens"))
    made = (*ids, table[1])
    shapes = (made, ids[:1], made)[: len(call.step.outputs)]
    dtypes = (call.dtype(2), torch.int32, call.dtype(2))[: len(shapes)]
    return declared(Declaration("embedding", shapes, dtypes, tuple(needs)), call.tensor(0))
