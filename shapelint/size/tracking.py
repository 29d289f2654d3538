"""Who listens to the sizes of a run: one tracker at a time hears what is decided and what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from shapelint.size.condition import Condition
from shapelint.size.function import Function


class Tracker(Protocol):
    """Hears what one run of a model decides and loses; `sizes` are what the symbols have in it."""

    sizes: Mapping[str, int]

    def assume(self, condition: Condition) -> None:
        """The run goes the way on which the condition holds."""

    def takes(self, condition: Condition, holds: bool) -> bool:
        """Whether the run goes on as if the condition held, which it does where `holds` says so."""

    def leak(self, reason: str) -> None:
        """A size was used as a plain number, so its function is lost."""

    def text(self) -> None:
        """A size was written into a text, which is a leak unless the text is only shown to somebody."""


_current: Tracker | None = None
_settled: set[str] = set()


def track(tracker: Tracker | None) -> Tracker | None:
    """Makes `tracker` the current one and returns the one before."""
    global _current
    before, _current = _current, tracker
    _settled.clear()
    return before


def tracker() -> Tracker | None:
    """The tracker that listens now."""
    return _current


def settle(names: Iterable[str]) -> None:
    """Tells that on the path of the current run these symbols have one value only: sizes made of them are plain."""
    _settled.update(names)


def settled(function: Function) -> bool:
    """Whether a function has one value on the path of the current run."""
    return bool(_settled) and function.symbols() <= _settled


def symbolic(number: object) -> bool:
    """Whether a number carries a function in the current run."""
    return _current is not None and getattr(number, "_tracker", None) is _current


def _followed(number: object) -> bool:
    """Whether a number, a size or a float computed from sizes, belongs to the current run."""
    return symbolic(number) or (_current is not None and getattr(number, "_heard_by", None) is _current)


def tell(*numbers: object) -> None:
    """Tells the current tracker, if any of the numbers is its own, that they were written into a text."""
    if _current is not None and any(map(_followed, numbers)):
        _current.text()


def lose(reason: str, *numbers: object) -> None:
    """Tells the current tracker, if any of the numbers is its own, that they became plain numbers."""
    if _current is not None and any(map(_followed, numbers)):
        _current.leak(reason)
