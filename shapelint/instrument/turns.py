"""Loops whose number of turns is a size, and the lists that these fill: who follows them hears of both."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from shapelint.instrument.builtins import number_of_turns, tracked_range
from shapelint.instrument.loops import About
from shapelint.size.function import Function
from shapelint.size.number import Size
from shapelint.size.tracking import provers, symbolic
from shapelint.source.fault import call_foreign


class Follower(Protocol):
    """Who follows the loops of a run."""

    def turns(self, first: int, step: int, count: int, frame: FrameType, about: About) -> Iterable[int] | None:
        """The numbers first, first + step and so on, `count` of them, for a loop; None where it cannot be followed."""

    def proves(self, function: Function) -> bool:
        """Whether a function is at least 0 at all sizes of the path."""

    def counted(self, frame: FrameType, name: str, value: int) -> int:
        """The number that a variable has at the beginning of a turn."""

    def filled(self, items: list[Any]) -> list[Any]:
        """The list that a loop has filled, as the function goes on with it."""


_followers: list[Follower] = []


@contextmanager
def loops_followed(follower: Follower) -> Iterator[None]:
    """While it is open, the loops of the user's functions are told to the follower."""
    _followers.append(follower)
    try:
        with provers(follower.proves):
            yield
    finally:
        _followers.remove(follower)


def turns(about: About, function: Callable[..., Any], *args: Any) -> Iterable[Any]:
    """What a `for` goes through: `function(*args)`, or the turns of a loop that is followed."""
    if function is tracked_range and _followers and any(map(symbolic, args)) and len(args) <= 3:
        first, stop, step = args if len(args) == 3 else (*([0] if len(args) == 1 else []), *args, 1)
        if all(isinstance(each, int) for each in (first, stop, step)) and step > 0:
            count = number_of_turns(first, stop, step)
            found = _followers[-1].turns(first, step, count, sys._getframe(1), about)
            if found is not None:
                return found
    return call_foreign(function, *args)


def counted(value: Any, name: str) -> Any:
    """A variable at the beginning of a turn of a loop that adds to it."""
    if _followers and type(value) in (int, Size):
        return _followers[-1].counted(sys._getframe(1), name, value)
    return value


def filled(items: Any) -> Any:
    """A list after the loop that only filled it."""
    return _followers[-1].filled(items) if _followers and type(items) is list else items
