"""What of a value decides what code does with it: where its attributes are, how a tensor lies in memory."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch

from shapelint.source.ownership import is_foreign


def is_users_module(value: Any) -> bool:
    """Whether a value is a module of the user's or of a package."""
    return isinstance(value, ModuleType) and not is_foreign(getattr(value, "__name__", None))


def strides_of(tensor: torch.Tensor) -> Any:
    """The strides of a tensor; of contiguous ones, which follow from the sizes, only that they are."""
    if tensor.layout is not torch.strided:
        return tensor.layout
    return "contiguous" if tensor.is_contiguous() else tensor.stride()


def slots_of(kind: type) -> tuple[str, ...]:
    """The names of the attributes that objects of a class of the user's keep in no dict."""
    names = vars(kind).get("__slots__", ())
    names = (names,) if isinstance(names, str) else tuple(names)
    own = {_mangled(kind, name) for name in names} - {"__dict__", "__weakref__"}
    return () if is_foreign(kind.__module__) else tuple(sorted(own))


def _mangled(kind: type, name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if private else name
