"""Which tensors of a model keep their numbers: small ones that are no weights, since sizes may be made of them.

Integers are indices more often than not (`position_ids`, `relative_position_index`), so more of them are kept.
"""

from __future__ import annotations

import torch

SMALL = 64
MOST_INDICES = 65536
LARGEST_ATTRIBUTE = 4096
INTEGERS = frozenset({torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8})
_STATISTICS = frozenset({"running_mean", "running_var"})
_COUNTER = "num_batches_tracked"


def is_small_buffer(part: torch.nn.Module, name: str, tensor: torch.Tensor | None) -> bool:
    """Whether a module's buffer stays real in a run: a model may compute sizes with it, or take rows by it.

    The counter of a batch norm is read only where its average is cumulative.
    """
    if tensor is None or tensor.is_meta or name in _STATISTICS:
        return False
    floats = tensor.is_floating_point() or tensor.is_complex()
    if tensor.numel() > (SMALL if floats or tensor.dtype is torch.bool else MOST_INDICES):
        return False
    return name != _COUNTER or getattr(part, "momentum", None) is None
