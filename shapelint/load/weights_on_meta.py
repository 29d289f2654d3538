"""Where the tensors of a module that is built live: what is large on meta, what is computed with on the CPU."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import torch
from torch.overrides import TorchFunctionMode

from shapelint.load.constants import INTEGERS, MOST_INDICES, SMALL
from shapelint.source.fault import call_foreign

_META: Final = torch.device("meta")
_FILLED: Final = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}


class WeightsOnMeta(TorchFunctionMode):
    """Puts what is large on meta and leaves what is computed (`linspace(...).item()`) on the CPU.

    With `real_indices`, integers that are asked for on the device of a weight are on the CPU too: indices of a table.
    """

    def __init__(self, *, real_indices: bool = False) -> None:
        super().__init__()
        self._real_indices = real_indices

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        whole = func is torch.arange and "dtype" not in named and all(type(each) is int for each in args)
        indices = whole or named.get("dtype") in INTEGERS
        if indices and self._real_indices and (func is torch.arange or func in _FILLED) and _on_meta(named):
            named["device"] = None
        most = MOST_INDICES if indices else SMALL  # indices are written into it
        if func in _FILLED and named.get("device") is None and _count(args, named) > most:
            named["device"] = _META
        if func is torch.norm_except_dim:
            return _norms(*args, **named)
        return call_foreign(func, *args, **named)


def _on_meta(named: Mapping[str, Any]) -> bool:
    """Whether a weight's device is named, a torch.device; a text is what the model's author wrote."""
    device = named.get("device")
    return isinstance(device, torch.device) and device.type == "meta"


def _norms(v: torch.Tensor, pow: int = 2, dim: int = 0) -> torch.Tensor:
    """`torch.norm_except_dim`, with which weight norm begins: on meta it would import torch._dynamo, a second long."""
    if not v.is_meta or not -v.dim() <= dim < v.dim():
        return call_foreign(torch.norm_except_dim, v, pow, dim)
    shape = [size if axis == dim % v.dim() else 1 for axis, size in enumerate(v.shape)]
    return v.new_empty([] if dim == -1 else shape)


def _count(args: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    """How many elements `torch.zeros(...)` and the like are asked for; many where that cannot be told."""
    sizes = args if args and isinstance(args[0], int) else args[0] if args else named.get("size", ())
    told = isinstance(sizes, (tuple, list)) and all(hasattr(each, "__index__") for each in sizes)
    return math.prod(sizes) if told else MOST_INDICES + 1
