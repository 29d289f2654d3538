"""Devices as names: a model that is built for a graphics card is checked on a machine without one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import torch
from torch.overrides import TorchFunctionMode

from shapelint.source.fault import call_foreign

_CPU: Final = torch.device("cpu")
_MOVES: Final = frozenset(getattr(torch.Tensor, name) for name in ("cuda", "xpu", "mtia", "ipu", "hpu", "npu")
                          if hasattr(torch.Tensor, name))  # fmt: skip


class NamedDevices(TorchFunctionMode):
    """While it is open, a device that this machine lacks is the CPU: `.cuda()`, `.to("cuda:1")`, `device="mps"`."""

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if func in _MOVES:
            kind = func.__name__
            return call_foreign(func, *args, **named) if _is_there(kind) else args[0]
        if is_missing(named.get("device")):
            named["device"] = _CPU
        if func is torch.Tensor.to:
            args = (*args[:1], *(_CPU if is_missing(each) else each for each in args[1:]))
        return call_foreign(func, *args, **named)


def is_missing(device: object) -> bool:
    """Whether a value names a device that this machine does not have; a number is that of an accelerator."""
    if isinstance(device, int) and not isinstance(device, bool):
        return not torch.accelerator.is_available()
    if isinstance(device, str):
        try:
            device = torch.device(device)
        except RuntimeError:  # another word, of which torch will say what is wrong
            return False
    return isinstance(device, torch.device) and device.type not in ("cpu", "meta") and not _is_there(device.type)


@cache
def _is_there(kind: str) -> bool:
    module = getattr(torch, kind, None)
    return bool(module is not None and module.is_available())
