"""Loops whose number of turns is a size, and the lists that these fill: who follows them hears of both."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from shapelint.instrument.builtins import number_of_turns, tracked_range
from shapelint.instrument.keys import iterated
from shapelint.instrument.loops import About
from shapelint.instrument.pieces import Pieces, pieces_in, pieces_of
from shapelint.size.function import Function
from shapelint.size.number import Size
from shapelint.size.tracking import provers, symbolic
from shapelint.source.fault import call_foreign


class Follower(Protocol):
    """Who follows the loops of a run."""

    def turns(
        self, spread: tuple[int, int, int], frame: FrameType, about: About, items: list[Any] | None = None,
        through: Pieces | None = None,
    ) -> Iterable[int] | None:  # fmt: skip
        """The numbers of a loop, as many as the third of `spread` says, from the first on in steps of the second; None
        where it cannot be followed.

        It fills the list `items` too, and goes `through` these pieces.
        """

    def cut(self, pieces: Pieces) -> Any:
        """The pieces as a tuple of as many as a size says; None where there are few, or nobody follows it."""

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


def turns(about: About, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterable[Any]:
    """What a `for` goes through: `function(*args, **kwargs)`, or the turns of a loop that is followed."""
    found = _followed(about, sys._getframe(1), function, args, kwargs)
    return call_foreign(function, *args, **kwargs) if found is None else found


def backwards(about: About, function: Callable[..., Any], inner: Callable[..., Any], *args: Any) -> Iterable[Any]:
    """What a `for` goes through: `function(inner(*args))`, which is `reversed(range(*args))` by its names."""
    if _followers and inner is tracked_range and function is reversed and any(map(symbolic, args)):
        found = _of_a_range(about, sys._getframe(1), args, None, backwards=True)
        if found is not None:
            return found
    return call_foreign(function, call_foreign(inner, *args))


def mapped(about: About, of_one: Callable[..., Any], function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The list `[of_one(item) for item in function(*args, **kwargs)]`."""
    items: list[Any] = []
    found = _followed(about, sys._getframe(1), function, args, kwargs, items)
    for item in call_foreign(function, *args, **kwargs) if found is None else found:
        items.append(call_foreign(of_one, item))  # noqa: PERF401 - the follower looks at it in each turn
    return items if found is None else filled(items)


def cut(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The tuple `function(*args, **kwargs)`, which may be a tensor cut in as many pieces as a size says."""
    pieces = pieces_of(function, args, kwargs) if _followers else None
    found = None if pieces is None else _followers[-1].cut(pieces)
    return call_foreign(function, *args, **kwargs) if found is None else found


def given(value: Any) -> Any:
    """The value: what a loop goes through that calls nothing."""
    return iterated(value)


def _followed(
    about: About, frame: FrameType, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any,
    items: list[Any] | None = None,
) -> Iterable[Any] | None:  # fmt: skip
    """The turns of a loop; None where nobody follows it."""
    if not _followers:
        return None
    if function is tracked_range:
        return _of_a_range(about, frame, args, items) if not kwargs and any(map(symbolic, args)) else None
    if any(function is each for each in (given, enumerate, reversed, zip)):
        strict = function is zip and set(kwargs) == {"strict"}  # there are as many of each
        pieces = None if kwargs and not strict else pieces_in(*args, together=function is zip)
        if pieces is not None and function in (enumerate, reversed):
            pieces = pieces.numbered() if function is enumerate else pieces.backwards()
    else:
        pieces = pieces_of(function, args, kwargs)
    return None if pieces is None else _turns_of(pieces, frame, about, items)


def _of_a_range(
    about: About, frame: FrameType, args: tuple[Any, ...], items: list[Any] | None, *, backwards: bool = False
) -> Iterable[int] | None:
    if len(args) > 3:
        return None
    first, stop, step = args if len(args) == 3 else (*([0] if len(args) == 1 else []), *args, 1)
    if not all(isinstance(each, int) for each in (first, stop, step)) or step == 0 or (symbolic(step) and step < 0):
        return None
    count = number_of_turns(first, stop, step)
    spread = (first + step * (count - 1), -step, count) if backwards else (first, step, count)
    return _followers[-1].turns(spread, frame, about, items)


def _turns_of(pieces: Pieces, frame: FrameType, about: About, items: list[Any] | None) -> Iterable[Any] | None:
    found = _followers[-1].turns((0, 1, pieces.count), frame, about, items, pieces)
    return None if found is None else pieces.at(found)


def counted(value: Any, name: str) -> Any:
    """A variable at the beginning of a turn of a loop that adds to it."""
    if _followers and type(value) in (int, Size):
        return _followers[-1].counted(sys._getframe(1), name, value)
    return value


def filled(items: Any) -> Any:
    """A list after the loop that only filled it."""
    return _followers[-1].filled(items) if _followers and type(items) is list else items
