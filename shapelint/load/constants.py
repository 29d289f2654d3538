"""Which tensors of a model keep their numbers: small ones that are no weights, since sizes may be made of them."""

from __future__ import annotations

import torch

SMALL = 64
LARGEST_ATTRIBUTE = 4096
_STATISTICS = frozenset({"running_mean", "running_var", "num_batches_tracked"})


def is_small_buffer(name: str, tensor: torch.Tensor | None) -> bool:
    """Whether a buffer stays real in a run: a model may compute sizes with it."""
    return tensor is not None and not tensor.is_meta and tensor.numel() <= SMALL and name not in _STATISTICS
