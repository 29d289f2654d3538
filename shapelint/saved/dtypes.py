"""The dtypes of ONNX, by their numbers in TensorProto.DataType, as torch has them."""

from __future__ import annotations

from typing import Final

import torch

_DTYPES: Final = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 4: torch.uint16, 5: torch.int16, 6: torch.int32, 7: torch.int64,
    9: torch.bool, 10: torch.float16, 11: torch.float64, 12: torch.uint32, 13: torch.uint64, 14: torch.complex64,
    15: torch.complex128, 16: torch.bfloat16,
}  # fmt: skip


def dtype_of(number: int) -> torch.dtype | None:
    """The dtype, or None for one that torch does not have, such as a text."""
    return _DTYPES.get(number)


def name_of(dtype: torch.dtype) -> str:
    """The dtype as a spec writes it."""
    return str(dtype).removeprefix("torch.")
