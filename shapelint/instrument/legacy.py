"""The constructors of older PyTorch: `torch.FloatTensor(2, h)`, `torch.Tensor(x.size())`, `Variable(x)`.

They are no torch functions, so that no run hears of them; what says the same and is one is called in their place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import torch

from shapelint.instrument.size_array import sizes_of_array
from shapelint.size.number import plain
from shapelint.size.ratio import Ratio
from shapelint.size.size_float import SizeFloat
from shapelint.size.tracking import lose
from shapelint.source.fault import call_foreign

_NAMES: Final = {
    "FloatTensor": torch.float32, "DoubleTensor": torch.float64, "HalfTensor": torch.float16, "LongTensor": torch.int64,
    "BFloat16Tensor": torch.bfloat16, "IntTensor": torch.int32, "ShortTensor": torch.int16, "CharTensor": torch.int8,
    "ByteTensor": torch.uint8, "BoolTensor": torch.bool,
}  # fmt: skip


def _constructed(real: Any, dtype: torch.dtype | None, *args: Any, **kwargs: Any) -> Any:
    """A tensor of sizes that are given one by one or as a shape, of a sequence of numbers, or of a tensor."""
    kind = dtype or torch.get_default_dtype()
    data = args[0] if len(args) == 1 and not kwargs else None
    if isinstance(data, torch.Tensor) and (dtype is None or data.dtype is dtype):
        return data.detach()
    if isinstance(data, torch.Size) or (not kwargs and all(map(_is_whole, args))):
        return torch.empty(*(args or (0,)), dtype=kind)
    if isinstance(data, (list, tuple)):
        return torch.tensor(data, dtype=kind)
    return call_foreign(real, *map(_plain, args), **kwargs)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    lose("a tensor made of an array of sizes", *sizes_of_array(value))
    return float(value) if isinstance(value, Ratio | SizeFloat) else plain(value) if _is_whole(value) else value


def _variable(*args: Any, **kwargs: Any) -> Any:
    """`Variable(x)`, which is `x` itself since PyTorch 0.4, detached."""
    data = args[0] if args else kwargs.get("data")
    if isinstance(data, torch.Tensor):
        return data.detach()
    return call_foreign(torch.autograd.Variable, *args, **kwargs)


LEGACY: Final[dict[Any, Callable[..., Any]]] = {
    torch.autograd.Variable: _variable,
    torch.Tensor: partial(_constructed, torch.Tensor, None),
    **{getattr(torch, name): partial(_constructed, getattr(torch, name), dtype) for name, dtype in _NAMES.items()},
    **{
        getattr(torch.cuda, name): partial(_constructed, getattr(torch, name), dtype)
        for name, dtype in _NAMES.items()
        if hasattr(torch.cuda, name)
    },
}
