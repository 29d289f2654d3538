"""A list that a loop has filled: as many items as the loop has turns, of which those in the middle are all alike.

In this run it is the list that it is. What asks for more than its length, its end or a join of its items binds the run
to its number of items, which `settle` notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


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
    _settle: Callable[[], None]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return list

    @classmethod
    def of(cls, items: list[Any], middle: Middle, settle: Callable[[], None]) -> FilledList:
        """The list with these items."""
        self = cls()
        list.extend(self, items)
        self.middle, self._settle = middle, settle
        return self

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

    def __bool__(self) -> bool:
        return list.__len__(self) > 0

    def __len__(self) -> int:
        return list.__len__(self.settled())

    def __iter__(self) -> Iterator[Any]:
        return list.__iter__(self.settled())

    def __getitem__(self, index: Any) -> Any:
        found = self.middle
        if found is not None and type(index) is int:
            if not (index < found.start and -index <= list.__len__(self) - found.stop):
                self.settled()
        elif found is not None:
            self.settled()
        return list.__getitem__(self, index)


def _settling(name: str) -> Callable[..., Any]:
    method = getattr(list, name)

    def settled(self: FilledList, *args: Any, **kwargs: Any) -> Any:
        return method(self.settled(), *args, **kwargs)

    settled.__name__ = name
    return settled


for _name in (
    "__setitem__", "__delitem__", "__contains__", "__add__", "__iadd__", "__mul__", "__rmul__", "__imul__", "__eq__",
    "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__reversed__", "__repr__", "index", "count", "pop", "insert",
    "remove", "reverse", "sort", "copy", "clear",
):  # fmt: skip
    setattr(FilledList, _name, _settling(_name))
