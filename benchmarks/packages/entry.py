"""One network class of a package: how it is built, what it takes, and around which sizes it is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn


@dataclass(frozen=True, slots=True)
class Entry:
    """A network with symbolic spatial sizes: `inputs` and `call_kwargs` as `shapelint.check` takes them.

    Sizes from 1 to `largest` are drawn, half of them multiples of powers of two.
    """

    name: str
    build: Callable[[], nn.Module]
    inputs: Any
    call_kwargs: Mapping[str, Any] = field(default_factory=dict)
    largest: int = 128
    method: str | None = None
