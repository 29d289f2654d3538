"""What a loop goes through that is no range: the pieces of a tensor, its rows, or a list that a loop has filled.

The pieces of a `split` along an axis of n are those slices of it, so that a loop over them needs no tuple of as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch

from shapelint.instrument.filled_list import FilledList
from shapelint.size.number import function_of, plain
from shapelint.size.tracking import lose, symbolic

_OF_TORCH: Final = (torch.split, torch.unbind)
_NAMES: Final = {"split": ("split_size", "dim"), "unbind": ("dim",)}


@dataclass(frozen=True, slots=True)
class Pieces:
    """How many there are, and the one of a number, of which it is told whether it is the last.

    As many as `ends` at either end may be unlike those between them. They are those `of` some lists and tensors.
    """

    count: int
    piece: Callable[[int, bool], Any]
    ends: tuple[int, int] = (0, 0)
    of: tuple[list[Any] | torch.Tensor, ...] = ()

    def numbered(self) -> Pieces:
        """The pairs of `enumerate`."""
        return Pieces(self.count, lambda number, last: (number, self.piece(number, last)), self.ends, self.of)

    def backwards(self) -> Pieces:
        """The last one first."""
        count, ends = self.count, self.ends[::-1]
        return Pieces(count, lambda number, last: self.piece(count - 1 - number, plain(number) == 0), ends, self.of)

    def at(self, numbers: Iterable[int]) -> Iterator[Any]:
        """The pieces of these numbers; what gets another length or shape meanwhile tells of no others."""
        before = list(map(_extent, self.of))
        for place, number in enumerate(numbers, 1):
            if before != list(map(_extent, self.of)):
                lose("a list or a tensor that changes while a loop goes through it", self.count)
                return
            yield self.piece(number, place == plain(self.count))


def pieces_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Pieces | None:
    """What a call gives that cuts a tensor along an axis whose size is symbolic; None for any other call."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if not isinstance(owner, torch.Tensor):
        if not any(function is each for each in _OF_TORCH) or not args:
            return None
        owner, args = args[0], args[1:]
    elif name not in _NAMES:
        return None
    given = dict(zip(_NAMES[name], args, strict=False)) | dict(kwargs)
    axis = given.pop("dim", 0)
    if not isinstance(owner, torch.Tensor) or type(axis) is not int or not -owner.dim() <= axis < owner.dim():
        return None
    if name == "unbind":
        return None if given or len(args) > 1 else _rows(owner, axis)
    step = given.pop("split_size", given.pop("split_size_or_sections", None))
    return None if given or len(args) > 2 else _split(owner, step, axis)


def pieces_in(*values: Any, together: bool = False) -> Pieces | None:
    """The rows of a tensor, or the items of a list that a loop has filled with one in each turn.

    Of several values, `together`, the tuples that `zip` makes, where all have as many at every size.
    """
    found = [each for each in map(_pieces_in, values) if each is not None]
    if len(found) < len(values) or not (together or len(found) == 1):
        return None
    if not together:
        return found[0]
    if any(function_of(each.count) is not function_of(found[0].count) for each in found):
        return None
    ends = max(each.ends[0] for each in found), max(each.ends[1] for each in found)
    return Pieces(found[0].count, lambda number, last: tuple(each.piece(number, last) for each in found), ends,
                  tuple(one for each in found for one in each.of))  # fmt: skip


def _pieces_in(value: Any) -> Pieces | None:
    if isinstance(value, torch.Tensor):
        return _rows(value, 0) if value.dim() else None
    found = value.middle if type(value) is FilledList else None
    if found is None or found.each != 1:
        return None
    ends = found.start, list.__len__(value) - found.stop
    return Pieces(value.length(), lambda number, last: list.__getitem__(value, plain(number)), ends, (value,))


def _rows(tensor: torch.Tensor, axis: int) -> Pieces | None:
    size = tensor.size(axis)
    return Pieces(size, lambda number, last: tensor.select(axis, number), of=(tensor,)) if symbolic(size) else None


def _extent(value: list[Any] | torch.Tensor) -> Any:
    """The length of a list; the sizes of a tensor and how it lies in memory."""
    if isinstance(value, list):
        return list.__len__(value)
    sizes = [function_of(value.size(axis)) for axis in range(value.dim())]
    with torch._C.DisableTorchFunction():
        return sizes, value.stride()


def _split(tensor: torch.Tensor, step: Any, axis: int) -> Pieces | None:
    size = tensor.size(axis)
    if not symbolic(size) or type(step) is not int or step < 1 or size == 0:
        return None  # of nothing there is one piece

    def piece(number: int, last: bool) -> torch.Tensor:
        start = number * step
        return tensor.narrow(axis, start, size - start if last else step)

    return Pieces((size + step - 1) // step, piece, of=(tensor,))
