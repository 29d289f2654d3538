"""Whether a tensor is a map, with its spatial axes last, as far as the calls that made it tell."""

from __future__ import annotations

import torch

from shapelint.trace.recording.operation import Operation

_TURN = frozenset({
    "view", "reshape", "permute", "transpose", "swapaxes", "movedim", "flatten", "unflatten", "unfold", "fold",
    "linear", "matmul", "__matmul__", "bmm", "einsum", "embedding", "scaled_dot_product_attention", "stack", "t", "mT",
    "T", "multi_head_attention_forward", "__get__", "view_as", "reshape_as", "repeat_interleave",
})  # fmt: skip


def is_map(op: Operation, tensor: torch.Tensor) -> bool:
    """Whether a layer with as many spatial axes made it, or the model took it, and nothing turned its axes since."""
    records, known = op.recorder.records, op.recorder.known.get(id(tensor))
    node = -1 if known is None else known.node
    while node >= 0:
        record = records[node]
        if record.spatial or record.name == "input":
            return record.name == "input" or record.spatial == tensor.dim() - 2
        if record.name in _TURN or not record.inputs:
            return False
        node = record.inputs[0]
    return False
