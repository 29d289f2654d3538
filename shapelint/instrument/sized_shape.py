"""The shape that a model gets to see: a torch.Size in all that it does, which keeps the functions of its sizes.

`torch.Size` itself makes plain numbers of them in `numel()` and in its text, and cannot be subclassed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch

from shapelint.size.number import plain
from shapelint.size.tracking import symbolic


def shape_of(sizes: Sequence[int]) -> Any:
    """The sizes as a shape: a torch.Size where none of them is a function."""
    return SizedShape(sizes) if any(map(symbolic, sizes)) else torch.Size(sizes)


class SizedShape(tuple[int, ...]):
    """Stands for a torch.Size, which `isinstance` takes it for."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return torch.Size

    def numel(self) -> int:
        """The product of the sizes, as a function of the symbols."""
        return reduce(lambda total, each: each * total, self, 1)

    def __getitem__(self, key: Any) -> Any:
        found = tuple.__getitem__(self, key)
        return SizedShape(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> Any:
        return SizedShape(tuple.__add__(self, tuple(other))) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return SizedShape(tuple(other) + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Any:
        return SizedShape(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __reduce__(self) -> Any:
        return torch.Size, (tuple(map(plain, self)),)

    def __deepcopy__(self, memo: object) -> SizedShape:
        return self
