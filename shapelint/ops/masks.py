"""Boolean masks as indices: how many elements a row of constants keeps is known, of others it depends on values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from shapelint.trace.recording.operation import Operation

Tensor = torch.Tensor


def is_mask(part: Any) -> bool:
    """Whether a part of an index is a mask: a tensor, or a list of plain truth values."""
    if isinstance(part, list):
        return bool(part) and all(type(each) is bool for each in part)
    return isinstance(part, Tensor) and part.dtype in (torch.bool, torch.uint8)


def has_mask(op: Operation, parts: Iterable[Any]) -> bool:
    """Whether a part of an index is a mask other than a row of constants."""
    return any(is_mask(part) and not _is_constant_row(op, part) for part in parts)


def _is_constant_row(op: Operation, mask: Any) -> bool:
    if isinstance(mask, list):
        return True
    if mask.is_meta or mask.dim() != 1:
        return False
    known = op.recorder.known.get(id(mask)) or op.recorder.adopt(mask)
    return known.constant and not known.stale


def kept_count(mask: Any) -> int:
    """How many elements a row of constants keeps."""
    return int(torch.as_tensor(mask).count_nonzero())


def places_of(mask: Any) -> Tensor:
    """The places that a row of constants keeps, as an index that torch's kernels for meta take."""
    return torch.as_tensor(mask).nonzero()[:, 0]
