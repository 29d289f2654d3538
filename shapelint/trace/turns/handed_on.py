"""What one turn of a loop hands on to the next, as a row of marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from shapelint.errors import foreseen


@foreseen
class Unseen(Exception):
    """Raised for what may change without anybody seeing it, such as a generator; the text says what it is."""


@dataclass(slots=True)
class HandedOn:
    """The marks, and what must stay alive as long as they are compared.

    `axes` tells whose size a mark is, `names` which variable's number; `symbols` are those on which sizes and strides
    depend.
    """

    marks: list[Any] = field(default_factory=list)
    axes: dict[int, tuple[torch.Tensor, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    held: list[Any] = field(default_factory=list)
    symbols: set[str] = field(default_factory=set)
