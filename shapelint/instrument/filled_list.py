"""A list that a loop has filled: as many items as the loop has turns, of which those in the middle are all alike.

In this run it is the list that it is. What asks for more than its length, its end or a join of its items binds the run
to its number of items, which `settle` notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch

from shapelint.size.number import function_of, plain
from shapelint.size.tracking import proven

# Of these it does not matter which of several that are alike is read, unless a tensor gets another shape in place.
_ALIKE: Final = (torch.Tensor, int, float, str, bytes, type(None))


@dataclass(frozen=True, slots=True)
class Middle:
    """The items of a list from `start` up to `stop`: `each` of them for one turn, in `turns` turns."""

    start: int
    stop: int
    each: int
    turns: int


class FilledList(list[Any]):
    """The list; `middle` is None once the run is bound to its number of items."""

    middle: Middle | None
    origin: Middle | None
    asked: list[Any]
    _settle: Callable[[], None]
    _kind: type = list

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._kind

    @classmethod
    def of(
        cls, items: list[Any], middle: Middle, settle: Callable[[], None], kind: type = list,
        origin: Middle | None = None,
    ) -> FilledList:  # fmt: skip
        """The list with these items, which is a tuple to the model where `kind` says so.

        Its middle was another one, `origin`, in the list that the loop filled. Which were read is in `asked`.
        """
        self = cls()
        list.extend(self, items)
        self.middle, self.origin, self._settle, self._kind, self.asked = middle, origin or middle, settle, kind, []
        return self

    def backwards(self) -> FilledList | None:
        """The items in reverse, which are as many; None where their order matters, or the run is bound to them."""
        found, length = self.middle, list.__len__(self)
        if found is None or found.each != 1:
            return None
        turned = Middle(length - found.stop, length - found.start, 1, found.turns)
        made = FilledList.of(list(list.__iter__(self))[::-1], turned, self._settle, self._kind, self.origin)
        made.asked = self.asked
        return made

    def items(self) -> list[Any]:
        """The items of this run, without binding it to their number."""
        return list(list.__iter__(self))

    def length(self) -> int:
        """The number of items, as a size."""
        found = self.middle
        if found is None:
            return list.__len__(self)
        return list.__len__(self) - (found.stop - found.start) + found.turns * found.each

    def times(self) -> tuple[int, ...]:
        """How many items each item of this run stands for, as sizes."""
        found, ones = self.middle, [1] * list.__len__(self)
        if found is not None:
            ones[found.start : found.stop] = [0] * (found.stop - found.start)
            ones[found.start : found.start + found.each] = [found.turns] * found.each
        return tuple(ones)

    def settled(self) -> FilledList:
        """The list, to whose number of items the run is bound."""
        if self.middle is not None:
            self.middle = None
            self._settle()
        return self

    def append(self, item: Any) -> None:
        """One more item at the end."""
        list.append(self, item)

    def extend(self, items: Any) -> None:
        """More items at the end."""
        list.extend(self, items)

    def reverse(self) -> None:
        """The items the other way round."""
        turned = self.backwards()
        list.reverse(self if turned is not None else self.settled())
        self.middle = None if turned is None else turned.middle

    def __bool__(self) -> bool:
        return list.__len__(self) > 0

    def __len__(self) -> int:
        return list.__len__(self.settled())

    def __iter__(self) -> Iterator[Any]:
        return list.__iter__(self.settled())

    def __getitem__(self, index: Any) -> Any:
        found = self.middle
        if isinstance(index, slice) and (index.start, index.stop, index.step) == (None, None, -1):
            turned = self.backwards()
            if turned is not None:
                return turned
        if found is not None and not (isinstance(index, int) and (self._is_at_an_end(index) or self.is_one(index))):
            self.settled()
        return list.__getitem__(self, plain(index) if isinstance(index, int) else index)

    def _is_at_an_end(self, index: int) -> bool:
        """Whether a plain index counts from an end and does not reach the middle."""
        found = self.middle
        ends = (0, 0) if found is None else (found.start, list.__len__(self) - found.stop)
        return type(index) is int and -ends[1] <= index < ends[0]

    def is_one(self, index: int) -> bool:
        """Whether an index that is a size means one item at every size: one at the end, or any of the middle."""
        found, length = self.middle, list.__len__(self)
        if found is None or found.each != 1 or not 0 <= plain(index) < length:
            return False
        before_end = function_of(self.length() - index)
        if before_end.constant is not None and before_end.constant <= length - found.stop:
            return True
        item = list.__getitem__(self, plain(index))
        if not found.start <= plain(index) < found.stop or not isinstance(item, _ALIKE):
            return False
        self.asked.append(item)
        return proven(function_of(index - found.start)) and proven(before_end.plus(found.stop - length - 1))

    def of_this_run(self) -> Any:
        """The plain list or tuple, to whose number of items the run is bound."""
        return self._kind(list.__iter__(self.settled()))

    def __reduce_ex__(self, protocol: Any) -> Any:
        """What `copy` makes another list of."""
        return self._kind, (list(list.__iter__(self.settled())),)

    def __add__(self, other: Any) -> Any:
        return self.of_this_run() + other

    def __radd__(self, other: Any) -> Any:
        return other + self.of_this_run()


def _settling(name: str) -> Callable[..., Any]:
    method = getattr(list, name)

    def settled(self: FilledList, *args: Any, **kwargs: Any) -> Any:
        return method(self.settled(), *args, **kwargs)

    settled.__name__ = name
    return settled


for _name in (
    "__setitem__", "__delitem__", "__contains__", "__iadd__", "__mul__", "__rmul__", "__imul__", "__eq__",
    "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__reversed__", "__repr__", "index", "count", "pop", "insert",
    "remove", "sort", "copy", "clear",
):  # fmt: skip
    setattr(FilledList, _name, _settling(_name))
