"""Whether a tensor or a size is the very object.

Of tensors a run hears once an `if` is followed that may have left one alone: such an `if` is run as if it always made a
new tensor; see `paddings.py` and `resizes.py`. Of equal ints Python keeps one object for each small one alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Final
from weakref import WeakSet

import torch

from shapelint.size.tracking import lose, tracker
from shapelint.source.fault import call_foreign

IDENTIFIED: Final = "__shapelint_identified__"
MARKED: Final = "__shapelint_marked__"
SAME: Final = "__shapelint_same__"
_WHY: Final = "whether a tensor is the very one that an `if` pads or resizes"
_OF_SIZES: Final = "whether a size is the very object"
_watched: WeakSet[Any] = WeakSet()
_marked: WeakSet[Any] = WeakSet()


def watch_identity() -> None:
    """From here on the run hears of code that asks whether a tensor is the very object."""
    listener = tracker()
    _watched.add(listener)
    if listener is not None and listener in _marked:
        listener.leak(_WHY)


def is_watched(run: Any) -> bool:
    """Whether a run hears of it."""
    return run in _watched


def identified(value: Any) -> Any:
    """The value, of which the code asks whether it is the very object; a leak where an `if` may have left it alone."""
    listener = tracker()
    if listener is not None and isinstance(value, torch.Tensor) and listener in _watched:
        listener.leak(_WHY)
    return value


def same(one: Any, other: Any) -> bool:
    """`one is other`; a leak where a size is asked whether it is another number, or a tensor as in `identified`."""
    if issubclass(type(one), int) and issubclass(type(other), int):
        lose(_OF_SIZES, one, other)
    if isinstance(other, torch.Tensor):
        identified(one)
    return one is other


def _id_of(value: Any) -> int:
    """`id(value)`, heard of as `same` is."""
    if isinstance(value, int):
        lose(_OF_SIZES, value)
    return call_foreign(id, identified(value))


TELLING_APART: Final[dict[Any, Callable[..., Any]]] = {
    id: _id_of, operator.is_: same, operator.is_not: lambda one, other: not same(one, other),
}  # fmt: skip
"""Functions by which code asks that, each with the one in its place."""


def marked(value: Any) -> Any:
    """The value, which is given an attribute that another name of the same tensor has as well."""
    if isinstance(value, torch.Tensor) and (listener := tracker()) is not None:
        _marked.add(listener)
    return identified(value)


@contextmanager
def hashes_heard() -> Iterator[None]:
    """While it is open, a tensor in a set, or as a key of a dict, is heard of in this thread, if anybody listens."""
    if tracker() is None:
        yield
        return
    real: Callable[[torch.Tensor], int] = torch.Tensor.__hash__
    thread = get_ident()

    def hashed(self: torch.Tensor) -> int:
        if type(self) is torch.Tensor and get_ident() == thread:
            identified(self)
        return real(self)

    torch.Tensor.__hash__ = hashed  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.Tensor.__hash__ = real  # type: ignore[method-assign]
