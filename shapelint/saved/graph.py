"""What a file says of its inputs, its tensors and its source, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the source that a step was exported from, as the file tells it."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor that the file holds: its shape, its dtype, and its numbers where they are few: they may make sizes.

    `why` says what is not known of its dtype, if anything.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype | None
    numbers: Any = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """An input: each dim is a size, the name of an open one, or None; no dims where the rank is open."""

    name: str
    dtype: str
    dims: tuple[int | str | None, ...] | None
